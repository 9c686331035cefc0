"""Ce qu'une valeur fait bouger : les taux de la même année qui la prennent pour dénominateur."""

from collections.abc import Iterable
from dataclasses import dataclass

from indicateurs.listes import Etat
from indicateurs.valeurs import ValeurAnnuelle


@dataclass(frozen=True)
class Deplacement:
    """Un taux avant et après un autre dénominateur ; les deux sont annotés par `avec_valeur()`."""

    avant: ValeurAnnuelle
    apres: ValeurAnnuelle

    @property
    def indicateur(self):
        return self.apres.indicateur

    @property
    def valide(self) -> bool:
        return self.avant.etat == Etat.VALIDEE

    def __str__(self) -> str:
        """« Part avec clause » : 42 / 166 = 25,3 % → 42 / 171 = 24,6 %, que suit « (validée) » s'il l'est."""
        validee = " (validée)" if self.valide else ""
        return f"« {self.indicateur} » : {self.avant.detail} → {self.apres.detail}{validee}"


def taux_appuyes(valeur: ValeurAnnuelle) -> list[ValeurAnnuelle]:
    """Les taux qui s'appuient sur cette valeur, tels qu'ils sont en base ; une requête."""
    taux = ValeurAnnuelle.objects.avec_valeur().taux_appuyes_sur(valeur)
    return list(taux.order_by("indicateur__intitule", "indicateur"))


def deplacements(avant: Iterable[ValeurAnnuelle], apres: Iterable[ValeurAnnuelle]) -> list[Deplacement]:
    """Ceux dont le taux n'est plus le même."""
    d_avant = {valeur.pk: valeur for valeur in avant}
    return [
        Deplacement(d_avant[valeur.pk], valeur)
        for valeur in apres
        if valeur.pk in d_avant and d_avant[valeur.pk].valeur_retenue != valeur.valeur_retenue
    ]
