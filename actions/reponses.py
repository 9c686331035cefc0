"""Ce qu'une campagne attend de quelqu'un : sa page pour répondre, et le rappel sur « Mes actions »."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.paginator import Page, Paginator
from django.utils import timezone

from actions.campagnes import Campagne, DemandeDActualisation
from actions.models import Action
from comptes.droits import Droit, peut

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from comptes.models import Utilisateur


@dataclass(frozen=True)
class Reponses:
    """`page` : ses demandes, celles qui attendent d'abord, chacune avec son action annotée."""

    campagne: Campagne
    page: Page
    repondues: int
    total: int

    @property
    def plusieurs(self) -> bool:
        return self.total > 1

    @property
    def complet(self) -> bool:
        return self.repondues == self.total


@dataclass(frozen=True)
class Attente:
    """Une campagne ouverte, et combien d'actions une personne a encore à y actualiser."""

    campagne: Campagne
    nombre: int


def reponses(campagne: Campagne, utilisateur: "Utilisateur", page: str | None, par_page: int) -> Reponses:
    """Trois requêtes."""
    demandes = campagne.demandes.attendues_de(utilisateur).avec_reponse().celles_qui_attendent_d_abord()
    repondues, total = demandes.compter()
    pages = Paginator(demandes.avec_moments(), par_page)
    pages.count = total
    montrees = pages.get_page(page)
    _lire_les_actions(list(montrees))
    return Reponses(campagne, montrees, repondues, total)


def _lire_les_actions(demandes: list[DemandeDActualisation]) -> None:
    """L'action de chaque demande, avec ce que la page en montre, en une requête."""
    lues = Action.objects.etat_au().avec_retard(timezone.localdate()).select_related("pilote", "plan")
    actions = lues.in_bulk([demande.action_id for demande in demandes])
    for demande in demandes:
        demande.action = actions[demande.action_id]


def attentes(utilisateur: "Utilisateur | AnonymousUser") -> list[Attente]:
    """Les campagnes ouvertes auxquelles il n'a pas fini de répondre, la plus pressée d'abord. Une requête."""
    if not peut(utilisateur, Droit.METTRE_A_JOUR):
        return []
    demandes = DemandeDActualisation.objects.en_cours().attendues_de(utilisateur)
    return [Attente(*ligne) for ligne in demandes.avec_reponse().sans_reponse().par_campagne()]
