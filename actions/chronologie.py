"""La vie d'une action, du plus récent au plus ancien : ses journaux, ses notes, les décisions du comité et ce que
l'historique garde de sa fiche, de ses étapes et de ses documents, dans un seul ordre."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef
from django.urls import reverse

from actions.changements import changements
from actions.evenements import Evenement
from actions.models import (
    Action,
    ChangementDeStatut,
    Decision,
    NoteDeSuivi,
    PresenceAuPlan,
    ReportEcheance,
)
from actions.statuts import Statut

EVENEMENTS_MONTRES = 50
# Ce qu'une vie entière montre au plus, d'un coup.
EVENEMENTS_MAX = 1000

JOURNAUX = {"statut": ChangementDeStatut, "echeance": ReportEcheance, "presence": PresenceAuPlan}


@dataclass(frozen=True)
class Chronologie:
    """Les derniers effectifs d'abord. `reste` : il y en a d'autres, plus anciens."""

    evenements: list[Evenement]
    reste: bool


def chronologie(
    action: Action,
    *,
    lisibles: set[int],
    reports: Sequence[ReportEcheance],
    entiere: bool = False,
    jusqu_au: date | None = None,
) -> Chronologie:
    """Une requête par source. `reports` : toutes les lignes d'échéance, déjà lues (voir `lignes_de`).

    `lisibles` : les documents dont on a le droit de savoir quelque chose. `jusqu_au` : ce qui a pris effet ensuite ne
    se montre pas.
    """
    limite = EVENEMENTS_MAX if entiere else EVENEMENTS_MONTRES
    # Une de plus que montré : on sait ainsi s'il en reste. À une date passée, les derniers seront laissés.
    lues = (EVENEMENTS_MAX if jusqu_au else limite) + 1
    evenements = [
        *_des_journaux("statut", lignes_de(ChangementDeStatut, action)[:lues]),
        *_des_journaux("echeance", reports),
        *_des_journaux("presence", lignes_de(PresenceAuPlan, action)[:lues]),
        *_des_notes(action, lues),
        *_des_decisions(action, lues),
        # Une version n'est pas toujours une nouvelle : on en lit davantage.
        *changements(action, lisibles, 4 * lues),
    ]
    if jusqu_au:
        evenements = [evenement for evenement in evenements if evenement.date_effet <= jusqu_au]
    evenements.sort(key=lambda evenement: (evenement.date_effet, evenement.saisi_le), reverse=True)
    return Chronologie(evenements[:limite], len(evenements) > limite)


def lignes_de(journal: Any, action: Action) -> Any:
    """Les lignes d'un journal, chacune avec son auteur et `corrigee`."""
    corrections = journal.objects.filter(annule=OuterRef("pk"))
    return journal.objects.filter(action=action).select_related("auteur").annotate(corrigee=Exists(corrections))


def _des_journaux(nature: str, lignes: Iterable[Any]) -> Iterable[Evenement]:
    for ligne in lignes:
        adresse = reverse("actions:corriger", args=[ligne.action_id, nature, ligne.pk])
        yield Evenement(
            nature=nature,
            titre=_titre(ligne, nature),
            texte=" — ".join(filter(None, [getattr(ligne, "motif", ""), ligne.commentaire])),
            date_effet=ligne.date_effet,
            saisi_le=ligne.saisi_le,
            auteur=ligne.auteur,
            icone=_icone(ligne, nature),
            corrige=ligne.corrigee,
            correction=ligne.annule_id is not None,
            a_corriger="" if ligne.corrigee else adresse,
        )


def _titre(ligne: Any, nature: str) -> str:
    return {"statut": f"Statut : {ligne}", "echeance": f"Échéance : {ligne}"}.get(nature, str(ligne))


def _icone(ligne: Any, nature: str) -> str:
    if nature == "statut":
        return Statut(ligne.statut).icone
    return "calendar-event" if nature == "echeance" else "flag-fill"


def _des_notes(action: Action, limite: int) -> Iterable[Evenement]:
    notes = NoteDeSuivi.objects.filter(action=action).select_related("auteur")
    corrections = NoteDeSuivi.objects.filter(annule=OuterRef("pk"))
    lues: Iterable[Any] = notes.annotate(corrigee=Exists(corrections))[:limite]
    for note in lues:
        yield Evenement(
            nature="note",
            titre=f"Note ({note.get_portee_display().lower()})",
            texte=note.texte,
            date_effet=note.date,
            saisi_le=note.saisi_le,
            auteur=note.auteur,
            icone="chat-left-text",
            corrige=note.corrigee,
            correction=note.annule_id is not None,
            a_corriger="" if note.corrigee else reverse("actions:note_corriger", args=[action.pk, note.pk]),
        )


def _des_decisions(action: Action, limite: int) -> Iterable[Evenement]:
    decisions = Decision.objects.filter(action=action, retiree=False).select_related("auteur", "comite")
    for decision in decisions.order_by("-comite__date", "-pk")[:limite]:
        yield Evenement(
            nature="decision",
            titre=f"Décision du {str(decision.comite)[:1].lower()}{str(decision.comite)[1:]}",
            texte=decision.texte,
            date_effet=decision.comite.date,
            saisi_le=decision.saisi_le,
            auteur=decision.auteur,
            lien=decision.comite.get_absolute_url(),
        )
