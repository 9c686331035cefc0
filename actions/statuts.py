"""Les listes fermées d'une action : chaque libellé n'est écrit qu'ici."""

from django.db import models
from django.db.models import Q


class Statut(models.TextChoices):
    """Statut d'une action : trois valeurs, celles de la page publiée."""

    TERMINEE = "TERMINEE", "Terminée"
    EN_COURS = "EN_COURS", "En cours"
    NON_INITIEE = "NON_INITIEE", "Non initiée"

    @property
    def libelle_pluriel(self) -> str:
        """Comme sur la page publiée : « Actions terminées », « Actions en cours »…"""
        return {"TERMINEE": "terminées", "EN_COURS": "en cours", "NON_INITIEE": "non initiées"}[self.value]

    @property
    def couleur(self) -> str:
        """Couleur du statut, d'au moins 4,5:1 sur blanc. La feuille de style reprend les mêmes (un essai compare)."""
        return {"TERMINEE": "#18753c", "EN_COURS": "#0b5b82", "NON_INITIEE": "#5c6770"}[self.value]

    @property
    def icone(self) -> str:
        """Pictogramme du statut : un rond vide, à demi plein, coché."""
        return {"TERMINEE": "check-circle-fill", "EN_COURS": "circle-half", "NON_INITIEE": "circle"}[self.value]

    @classmethod
    def suites(cls, statut: str | None) -> list["Statut"]:
        """Les statuts où aller depuis celui-là, le plus courant d'abord ; tous s'il n'y en a pas encore."""
        ordres: dict[str | None, list[Statut]] = {
            cls.NON_INITIEE: [cls.EN_COURS, cls.TERMINEE],
            cls.EN_COURS: [cls.TERMINEE, cls.NON_INITIEE],
            cls.TERMINEE: [cls.EN_COURS, cls.NON_INITIEE],
        }
        return ordres.get(statut, list(cls))


class Mouvement(models.TextChoices):
    """Présence d'une action au plan."""

    ENTREE = "ENTREE", "Entrée au plan"
    RETRAIT = "RETRAIT", "Retirée du plan"
    RETOUR = "RETOUR", "Retour au plan"


class Priorite(models.TextChoices):
    HAUTE = "HAUTE", "Haute"
    NORMALE = "NORMALE", "Normale"
    BASSE = "BASSE", "Basse"


class PointAttention(models.TextChoices):
    """Ce qui appelle une décision ou une explication ; ce n'est pas un statut."""

    ARBITRAGE = "ARBITRAGE", "Arbitrage demandé"
    NON_DEMARRAGE = "NON_DEMARRAGE", "Motif de non-démarrage"
    AUTRE = "AUTRE", "Autre point d'attention"


def condition_avancement() -> Q:
    """Règle 5 : 0 si non initiée, 100 si terminée, vide ou 1 à 99 si en cours, vide sans statut.

    Chaque cas dit ce qui n'est pas vide : comparer avec NULL ne donne ni vrai ni faux, et la base laisserait passer.
    """
    donne = Q(avancement=0, statut="NON_INITIEE") | Q(avancement=100, statut="TERMINEE")
    donne |= Q(avancement__gte=1, avancement__lte=99, statut="EN_COURS")
    return (
        Q(statut__isnull=True, avancement__isnull=True)
        | Q(statut__isnull=False, statut="EN_COURS", avancement__isnull=True)
        | Q(statut__isnull=False, avancement__isnull=False) & donne
    )


MESSAGE_AVANCEMENT = (
    "L'avancement se donne de 1 à 99 pour une action en cours ; il vaut 0 pour une action non initiée et 100 "
    "pour une action terminée."
)


def avancement_impose(statut: str | None) -> int | None:
    """Avancement que le statut impose ; None s'il laisse le choix."""
    imposes: dict[str | None, int] = {Statut.NON_INITIEE: 0, Statut.TERMINEE: 100}
    return imposes.get(statut)
