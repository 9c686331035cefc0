"""Bilans d'essai, arrêtés et publiés par les gestes du produit."""

from actions.models import Plan
from bilans.arret import arreter, bilan_de, derniere_version, publier, rouvrir
from bilans.models import Bilan, VersionDeBilan
from comptes.droits import Role
from comptes.models import Utilisateur
from tests import fabriques


def bilan_arrete(plan: Plan, annee: int = 2023, auteur: Utilisateur | None = None) -> VersionDeBilan:
    """La version que cet arrêt donne ; un bilan déjà arrêté est d'abord rouvert."""
    auteur = auteur or fabriques.utilisateur(Role.RESPONSABLE)
    bilan = bilan_de(plan, annee)
    precedente = derniere_version(bilan)
    if precedente and bilan.rouvert_le is None:
        rouvrir(bilan, auteur=auteur, version=bilan.version, motif="Une erreur à corriger.")
    return arreter(plan, annee, auteur=auteur, attendue=precedente.rang + 1 if precedente else 1)


def bilan_publie(plan: Plan, annee: int = 2023, auteur: Utilisateur | None = None) -> Bilan:
    auteur = auteur or fabriques.utilisateur(Role.RESPONSABLE)
    bilan_arrete(plan, annee, auteur)
    bilan = Bilan.objects.get(plan=plan, annee=annee)
    return publier(bilan, auteur=auteur, version=bilan.version)
