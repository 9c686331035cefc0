"""Le tableau d'une collecte : ce qui manque, ce qui est reçu, ce qui est à valider, service par service."""

from dataclasses import dataclass

from comptes.models import Service
from indicateurs.collectes import Collecte
from indicateurs.lignes_de_collecte import LigneDeCollecte, lignes_de, qui_saisit
from indicateurs.listes import EtatDeDemande

# Dans l'ordre où le responsable les regarde.
ORDRE = (
    EtatDeDemande.A_VALIDER,
    EtatDeDemande.RECUE,
    EtatDeDemande.MANQUANTE,
    EtatDeDemande.RENVOYEE,
    EtatDeDemande.INDISPONIBLE,
    EtatDeDemande.VALIDEE,
)


@dataclass(frozen=True)
class Groupe:
    """Les lignes d'un même état."""

    etat: EtatDeDemande
    lignes: list[LigneDeCollecte]


@dataclass(frozen=True)
class ServiceDemande:
    """Un service (None : les indicateurs sans service), ses lignes, et si quelqu'un peut recevoir la demande."""

    service: Service | None
    lignes: list[LigneDeCollecte]
    joignable: bool

    @property
    def rendues(self) -> int:
        return sum(not ligne.due for ligne in self.lignes)

    @property
    def complet(self) -> bool:
        return self.rendues == len(self.lignes)


@dataclass(frozen=True)
class TableauDeCollecte:
    """`groupes` : ceux qui ont des lignes ; `a_prevenir` : les services qui doivent une valeur et qu'aucun courriel
    n'atteint."""

    collecte: Collecte
    lignes: list[LigneDeCollecte]
    groupes: list[Groupe]
    services: list[ServiceDemande]

    @property
    def rendues(self) -> int:
        return sum(not ligne.due for ligne in self.lignes)

    @property
    def compte(self) -> list[tuple[EtatDeDemande, int]]:
        """Tous les états, même ceux que rien n'atteint."""
        presents = {groupe.etat: len(groupe.lignes) for groupe in self.groupes}
        return [(etat, presents.get(etat, 0)) for etat in EtatDeDemande]

    @property
    def a_prevenir(self) -> list[ServiceDemande]:
        return [demande for demande in self.services if not demande.complet and not demande.joignable]

    @property
    def a_relancer(self) -> bool:
        return self.collecte.close_le is None and any(not d.complet and d.joignable for d in self.services)

    @property
    def a_valider(self) -> list[LigneDeCollecte]:
        """Celles que « Tout valider » valide : transmises."""
        return [ligne for ligne in self.lignes if ligne.etat == EtatDeDemande.A_VALIDER]


def tableau(collecte: Collecte) -> TableauDeCollecte:
    """Trois requêtes, quel que soit le nombre d'indicateurs."""
    lignes = lignes_de(collecte.demandes.all())
    par_service: dict[Service | None, list[LigneDeCollecte]] = {}
    for ligne in lignes:
        par_service.setdefault(ligne.indicateur.service, []).append(ligne)
    joignables = qui_saisit(service for service in par_service if service is not None)
    return TableauDeCollecte(
        collecte,
        lignes,
        [Groupe(etat, siennes) for etat in ORDRE if (siennes := [ligne for ligne in lignes if ligne.etat == etat])],
        [
            ServiceDemande(service, siennes, service is not None and service.pk in joignables)
            for service, siennes in par_service.items()
        ],
    )
