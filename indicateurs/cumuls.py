"""Le chiffre de l'année en cours, à une date, face à la même date de l'année d'avant.

Il se calcule sur les registres et se montre : il ne devient jamais une valeur annuelle (`ValeurAnnuelle.clean`).
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from indicateurs.models import Indicateur
from socle.formats import formater_valeur

# Ce que les registres disent d'un indicateur entre deux dates comprises ; None s'ils ne permettent pas de le dire.
Calcul = Callable[[Indicateur, datetime.date, datetime.date], Decimal | None]

# Par code d'indicateur. Vide tant qu'aucun registre n'alimente le site.
CALCULS: dict[str, Calcul] = {}


@dataclass(frozen=True)
class Cumul:
    """Du 1er janvier à `au`, et du 1er janvier à la même date un an plus tôt (None : inconnu)."""

    indicateur: Indicateur
    au: datetime.date
    valeur: Decimal
    un_an_plus_tot: Decimal | None

    def __str__(self) -> str:
        """« au 30/06 : 81, N-1 même date : 77 »."""
        ecrites = [formater_valeur(v, self._unite) for v in (self.valeur, self.un_an_plus_tot)]
        return f"au {self.au:%d/%m} : {ecrites[0]}, N-1 même date : {ecrites[1]}"

    @property
    def _unite(self) -> str:
        return self.indicateur.unite if self.indicateur.unite in ("%", "€") else ""


def cumul_de(indicateur: Indicateur, au: datetime.date) -> Cumul | None:
    """Le cumul à cette date, ou None si aucun registre ne le donne."""
    calcul = CALCULS.get(indicateur.code)
    valeur = calcul(indicateur, datetime.date(au.year, 1, 1), au) if calcul else None
    if calcul is None or valeur is None:
        return None
    un_an_plus_tot = _un_an_avant(au)
    return Cumul(indicateur, au, valeur, calcul(indicateur, datetime.date(au.year - 1, 1, 1), un_an_plus_tot))


def _un_an_avant(jour: datetime.date) -> datetime.date:
    """La même date ; le 28 février répond au 29."""
    bissextile = (jour.month, jour.day) == (2, 29)
    return jour.replace(year=jour.year - 1, day=28 if bissextile else jour.day)
