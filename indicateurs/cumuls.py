"""Le chiffre de l'année en cours, à une date, face à la même date de l'année d'avant.

Il se calcule sur les registres et se montre : il ne devient jamais une valeur annuelle (`ValeurAnnuelle.clean`). La
date est celle du dernier recalcul : chaque import, chaque correction, chaque saisie le refait
(`marches.calculs.conservation`).
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q

from indicateurs.models import Indicateur
from indicateurs.recalcul import Recalcul, calculs_de
from marches.calculs.catalogue import CALCULS as CATALOGUE
from marches.calculs.chargement import acheteurs_de_la_collectivite
from marches.calculs.conservation import un_an_avant
from marches.models import ResultatDeCalcul
from socle.formats import formater_valeur

# Ce que les registres disent d'un indicateur entre deux dates comprises ; None s'ils ne permettent pas de le dire.
Calcul = Callable[[Indicateur, datetime.date, datetime.date], Decimal | None]

# Par code d'indicateur : un calcul qui lui est propre. Les autres lisent les résultats gardés des leurs.
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
        ecrites = [formater_valeur(v, self._unite, self._decimales(v)) for v in (self.valeur, self.un_an_plus_tot)]
        return f"au {self.au:%d/%m} : {ecrites[0]}, N-1 même date : {ecrites[1]}"

    @property
    def _unite(self) -> str:
        return self.indicateur.unite if self.indicateur.unite in ("%", "€") else ""

    def _decimales(self, valeur: Decimal | None) -> int | None:
        return 1 if self._unite == "%" and valeur is not None and valeur != valeur.to_integral_value() else None


def cumul_de(indicateur: Indicateur, au: datetime.date) -> Cumul | None:
    """Le cumul à cette date, ou au dernier recalcul s'il est plus ancien ; None si aucun registre ne le donne."""
    calcul = CALCULS.get(indicateur.code)
    if calcul is None:
        return _des_resultats(indicateur, au)
    valeur = calcul(indicateur, datetime.date(au.year, 1, 1), au)
    if valeur is None:
        return None
    un_an_plus_tot = un_an_avant(au)
    return Cumul(indicateur, au, valeur, calcul(indicateur, datetime.date(au.year - 1, 1, 1), un_an_plus_tot))


def _des_resultats(indicateur: Indicateur, au: datetime.date) -> Cumul | None:
    """Le premier calcul de l'indicateur qui dise un chiffre depuis le début de l'année. Trois requêtes."""
    rangs = {calcul.code: rang for rang, calcul in enumerate(calculs_de(indicateur))}
    if not rangs:
        return None
    gardes = ResultatDeCalcul.objects.defer("listes").filter(
        Q(territoire__isnull=True) | Q(territoire=indicateur.territoire_id),
        perimetre=acheteurs_de_la_collectivite(),
        code__in=rangs,
        valeur__isnull=False,
    )
    du = datetime.date(au.year, 1, 1)
    derniers = gardes.filter(debut=du, fin__lte=au).order_by("-fin", "-calcule_le", "-pk")[: len(rangs)]
    lus = sorted(derniers, key=lambda resultat: (-resultat.fin.toordinal(), rangs[resultat.code]))
    if not lus or (valeur := _valeur(lus[0])) is None:
        return None
    l_an_passe = (
        gardes.filter(code=lus[0].code, debut=du.replace(year=du.year - 1), fin=un_an_avant(lus[0].fin))
        .order_by("-calcule_le", "-pk")
        .first()
    )
    return Cumul(indicateur, lus[0].fin, valeur, _valeur(l_an_passe) if l_an_passe else None)


def _valeur(resultat: ResultatDeCalcul) -> Decimal | None:
    return Recalcul(CATALOGUE[resultat.code], resultat.fin.year, resultat).valeur
