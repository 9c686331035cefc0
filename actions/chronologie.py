"""La vie d'une action, du plus récent au plus ancien : ses trois journaux et ses notes, dans un seul ordre."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Exists, OuterRef

from actions.models import Action, ChangementDeStatut, NoteDeSuivi, PresenceAuPlan, ReportEcheance
from actions.statuts import Statut

EVENEMENTS_MONTRES = 50


@dataclass(frozen=True)
class Evenement:
    """Ce qui s'est passé : effectif le `date_effet`, saisi le `saisi_le` par `auteur` (None : repris de la page)."""

    nature: str
    titre: str
    texte: str
    date_effet: date
    saisi_le: datetime
    auteur: object | None
    icone: str = "flag-fill"
    corrige: bool = False
    correction: bool = False


def chronologie(action: Action, limite: int = EVENEMENTS_MONTRES) -> list[Evenement]:
    """Au plus `limite` événements, les derniers effectifs d'abord ; une requête par source."""
    evenements = [
        *_lignes(ChangementDeStatut, "statut", action, limite),
        *_lignes(ReportEcheance, "echeance", action, limite),
        *_lignes(PresenceAuPlan, "presence", action, limite),
        *_notes(action, limite),
    ]
    evenements.sort(key=lambda evenement: (evenement.date_effet, evenement.saisi_le), reverse=True)
    return evenements[:limite]


def _lignes(journal, nature: str, action: Action, limite: int) -> list[Evenement]:
    corrections = journal.objects.filter(annule=OuterRef("pk"))
    lignes = journal.objects.filter(action=action).select_related("auteur").annotate(corrigee=Exists(corrections))
    return [
        Evenement(
            nature=nature,
            titre=_titre(ligne, nature),
            texte=" — ".join(filter(None, [getattr(ligne, "motif", ""), ligne.commentaire])),
            date_effet=ligne.date_effet,
            saisi_le=ligne.saisi_le,
            auteur=ligne.auteur,
            icone=_icone(ligne, nature),
            corrige=ligne.corrigee,
            correction=ligne.annule_id is not None,
        )
        for ligne in lignes[:limite]
    ]


def _titre(ligne, nature: str) -> str:
    return {"statut": f"Statut : {ligne}", "echeance": f"Échéance : {ligne}"}.get(nature, str(ligne))


def _icone(ligne, nature: str) -> str:
    if nature == "statut":
        return Statut(ligne.statut).icone
    return "calendar-event" if nature == "echeance" else "flag-fill"


def _notes(action: Action, limite: int) -> list[Evenement]:
    return [
        Evenement(
            nature="note",
            titre=f"Note ({note.get_portee_display().lower()})",
            texte=note.texte,
            date_effet=note.date,
            saisi_le=note.saisi_le,
            auteur=note.auteur,
            icone="chat-left-text",
        )
        for note in NoteDeSuivi.objects.filter(action=action).select_related("auteur")[:limite]
    ]
