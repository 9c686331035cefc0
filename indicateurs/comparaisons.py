"""Une valeur annuelle face à celle de l'année d'avant."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from indicateurs.listes import Nature
from indicateurs.models import Indicateur, ValeurAnnuelle
from socle.formats import INSECABLE, MOINS, accorder, arrondir, formater_valeur

STABLE = "stable"


def ecrire_l_ecart(indicateur: Indicateur, ecart: Decimal) -> str:
    """« + 3,2 points », « + 15 », « − 1 200 € », arrondi au dixième ; « stable » quand l'arrondi est nul."""
    arrondi = arrondir(ecart, 1)
    if not arrondi:
        return STABLE
    ecrit = formater_valeur(abs(arrondi)) if indicateur.nature == Nature.COMPTE else _avec_unite(indicateur, arrondi)
    return f"{'+' if arrondi > 0 else MOINS}{INSECABLE}{ecrit}"


def ecrire_la_difference(indicateur: Indicateur, difference: Decimal) -> str:
    """« 4 points », « 12 consultations », « 1 200 € », arrondie au dixième ; vide quand l'arrondi est nul."""
    arrondi = arrondir(difference, 1)
    return _avec_unite(indicateur, arrondi) if arrondi else ""


def _avec_unite(indicateur: Indicateur, arrondi: Decimal) -> str:
    grandeur, unite = abs(arrondi), indicateur.unite
    match indicateur.nature:
        case Nature.PART:
            return accorder(grandeur, "point")
        case Nature.MONTANT:
            return formater_valeur(grandeur, unite or "€")
    # L'unité d'un compte se tape au pluriel : « consultations ».
    return accorder(grandeur, unite.removesuffix("s"), unite) if unite else formater_valeur(grandeur)


@dataclass(frozen=True)
class Comparaison:
    """Une valeur annuelle face à celle de l'année d'avant. None : rien de connu, à dire « — », jamais 0.

    Les valeurs sont annotées par `avec_valeur()`.
    """

    indicateur: Indicateur
    valeur: ValeurAnnuelle | None
    precedente: ValeurAnnuelle | None

    @property
    def rupture(self) -> str:
        """Ce qui empêche de comparer avec l'année d'avant ; vide si rien ne l'empêche."""
        return self.valeur.rupture if self.valeur else ""

    @property
    def ecart(self) -> Decimal | None:
        """Entre valeurs non arrondies ; None si l'une manque ou si la série est rompue."""
        if self.valeur is None or self.precedente is None or self.rupture:
            return None
        valeur, precedente = self.valeur.valeur_retenue, self.precedente.valeur_retenue
        return None if valeur is None or precedente is None else valeur - precedente

    @property
    def ecart_ecrit(self) -> str:
        """Voir `ecrire_l_ecart` ; vide sans écart."""
        return "" if self.ecart is None else ecrire_l_ecart(self.indicateur, self.ecart)


def comparaisons(indicateur: Indicateur, valeurs: Iterable[ValeurAnnuelle]) -> list[Comparaison]:
    """Chaque valeur face à celle de l'année d'avant, dans l'ordre donné."""
    connues = list(valeurs)
    par_annee = {valeur.annee: valeur for valeur in connues}
    return [Comparaison(indicateur, valeur, par_annee.get(valeur.annee - 1)) for valeur in connues]
