"""Ce que la page d'une action montre en plus de sa fiche : étapes, documents, échéance dans le temps, chronologie."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import timezone

from actions.chronologie import Chronologie, chronologie, lignes_de
from actions.models import Action, Document, Etape, ReportEcheance
from actions.reports import HistoireDeLEcheance, histoire_de_l_echeance

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


def vie_de_l_action(action: Action, lecteur: "Utilisateur | AnonymousUser", *, entiere: bool = False) -> VieDeLAction:
    """Un nombre constant de requêtes. `entiere` : toute la chronologie, pas seulement la dernière page."""
    etapes = list(Etape.objects.filter(action=action).avec_retard(timezone.localdate()))
    documents = [
        document for document in action.documents.select_related("depose_par") if document.lisible_par(lecteur)
    ]
    reports = list(lignes_de(ReportEcheance, action))
    return VieDeLAction(
        etapes=[etape for etape in etapes if not etape.retiree],
        etapes_retirees=[etape for etape in etapes if etape.retiree],
        documents=[document for document in documents if document.retire_le is None],
        echeance=histoire_de_l_echeance(ligne for ligne in reports if not ligne.corrigee),
        chronologie=chronologie(
            action, lisibles={document.pk for document in documents}, reports=reports, entiere=entiere
        ),
    )
