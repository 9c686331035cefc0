"""Le tableau d'une collecte : ce qui manque, ce qui est reçu, ce qui est à valider, service par service."""

from dataclasses import dataclass, replace

from comptes.models import Service
from indicateurs.collectes import Collecte
from indicateurs.lignes_de_collecte import LigneDeCollecte, lignes_de, qui_saisit
from indicateurs.listes import EtatDeDemande
from indicateurs.models import ValeurAnnuelle

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
    def dues(self) -> list[LigneDeCollecte]:
        return [ligne for ligne in self.lignes if ligne.due]

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
    # Les indicateurs que le plan a pris depuis : pas encore demandés.
    nouveaux: int

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
    """Cinq requêtes, quel que soit le nombre d'indicateurs."""
    lignes = avec_leur_saisie(lignes_de(collecte.demandes.all()))
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
        collecte.plan.places_d_indicateur.exclude(indicateur__demandes__collecte=collecte).count(),
    )


def avec_leur_saisie(lignes: list[LigneDeCollecte]) -> list[LigneDeCollecte]:
    """Les mêmes, avec qui a donné leur valeur, et quand. Une requête."""
    cles = [ligne.valeur.pk for ligne in lignes if ligne.valeur]
    versions = ValeurAnnuelle.history.filter(id__in=cles).select_related("history_user").order_by("history_id")
    dernieres = {version.id: version for version in versions}
    return [replace(ligne, saisie=dernieres.get(ligne.valeur.pk)) if ligne.valeur else ligne for ligne in lignes]
