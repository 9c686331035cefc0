"""Ce que la page d'une action montre en plus de sa fiche : étapes, documents, échéance dans le temps, chronologie."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from actions.chronologie import Chronologie, chronologie, lignes_de
from actions.models import Action, Document, Etape, ReportEcheance
from actions.reports import HistoireDeLEcheance, histoire_de_l_echeance
from socle.instants import AUJOURD_HUI, Instant
from socle.relecture import moment_relu, relire

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from comptes.models import Utilisateur


@dataclass(frozen=True)
class VieDeLAction:
    """`documents` : ceux que le lecteur peut ouvrir ; `etapes_retirees` : celles qui peuvent revenir."""

    etapes: list[Etape]
    etapes_retirees: list[Etape]
    documents: list[Document]
    echeance: HistoireDeLEcheance
    chronologie: Chronologie

    @property
    def etapes_faites(self) -> int:
        return sum(1 for etape in self.etapes if etape.faite_le)


def vie_de_l_action(
    action: Action,
    lecteur: "Utilisateur | AnonymousUser",
    *,
    entiere: bool = False,
    instant: Instant = AUJOURD_HUI,
) -> VieDeLAction:
    """Un nombre constant de requêtes. `entiere` : toute la chronologie, pas seulement la dernière page. `instant` : ce
    qui est arrivé jusque-là ; avec `saisi_au`, dans `socle.relecture.relire`."""
    etapes = list(Etape.objects.filter(action=action).avec_retard(instant.le))
    documents = _documents(action, lecteur)
    # De la dernière date d'effet à la première : ce qui vient après l'instant est en tête.
    reports = [ligne for ligne in lignes_de(ReportEcheance, action) if ligne.date_effet <= instant.le]
    return VieDeLAction(
        etapes=[etape for etape in etapes if not etape.retiree],
        etapes_retirees=[etape for etape in etapes if etape.retiree],
        documents=[document for document in documents if document.retire_le is None],
        echeance=histoire_de_l_echeance(ligne for ligne in reports if not ligne.corrigee),
        chronologie=chronologie(
            action,
            lisibles={document.pk for document in documents},
            reports=reports,
            entiere=entiere,
            jusqu_au=instant.jour,
        ),
    )


def _documents(action: Action, lecteur: "Utilisateur | AnonymousUser") -> list[Document]:
    """Ceux qu'il peut ouvrir, retirés compris. Qui relit le passé garde ses droits d'aujourd'hui : ce qui fut ouvert à
    tous, ou à un pilote d'alors, ne l'est plus forcément."""
    siens = action.documents.select_related("depose_par")
    if moment_relu() is None:
        return [document for document in siens if document.lisible_par(lecteur)]
    with relire(None):
        actuels = Document.objects.filter(action=action.pk).select_related("action")
        permis = {document.pk for document in actuels if document.lisible_par(lecteur)}
    return [document for document in siens if document.pk in permis]
