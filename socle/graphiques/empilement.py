"""D'où part et où arrive chaque valeur : de zéro, ou de ce qui est déjà empilé à la même place."""

from collections import defaultdict
from decimal import Decimal

from .modele import FigureLue

# (rang de la série, rang du point) → (début, fin) sur l'axe des valeurs
Etendues = dict[tuple[int, int], tuple[Decimal, Decimal]]


def empiler(lue: FigureLue) -> Etendues:
    """L'étendue de chaque point qui a une valeur ; une valeur manquante n'a pas d'entrée.

    Barres : les positives montent, les négatives descendent, chacune de son côté de zéro. Aires : là où une
    série manque, ce qu'elle porterait n'a pas de hauteur connue et n'a pas d'entrée non plus.
    """
    etendues: Etendues = {}
    _empiler_les_barres(lue, etendues)
    _empiler_les_courbes(lue, etendues)
    return etendues


def _empiler_les_barres(lue: FigureLue, etendues: Etendues) -> None:
    sommets: dict[tuple[float, bool], Decimal] = defaultdict(Decimal)
    for serie in lue.barres:
        for i, point in enumerate(serie.points):
            if point.valeur is None:
                continue
            cote = (point.position, point.valeur < 0)
            debut = sommets[cote] if lue.empilee else Decimal(0)
            etendues[serie.rang, i] = (debut, debut + point.valeur)
            sommets[cote] = debut + point.valeur


def _empiler_les_courbes(lue: FigureLue, etendues: Etendues) -> None:
    places = {pile: _places(lue, pile) for pile in {s.pile for s in lue.courbes if s.pile}}
    sommets: dict[str, dict[float, Decimal]] = {
        pile: dict.fromkeys(positions, Decimal(0)) for pile, positions in places.items()
    }
    for serie in lue.courbes:
        if not serie.pile:
            for i, point in enumerate(serie.points):
                if point.valeur is not None:
                    etendues[serie.rang, i] = (Decimal(0), point.valeur)
            continue
        sommet = sommets[serie.pile]
        suivant = {}
        for i, point in enumerate(serie.points):
            if point.valeur is not None and point.position in sommet:
                debut = sommet[point.position]
                etendues[serie.rang, i] = (debut, debut + point.valeur)
                suivant[point.position] = debut + point.valeur
        sommets[serie.pile] = suivant


def _places(lue: FigureLue, pile: str) -> set[float]:
    return {p.position for s in lue.courbes if s.pile == pile for p in s.points}


def pile_complete(lue: FigureLue) -> bool:
    """Vrai si chaque série empilée en aire a une valeur partout : plotly mettrait zéro ailleurs."""
    return all(
        {p.position for p in s.points if p.valeur is not None} == _places(lue, s.pile) for s in lue.courbes if s.pile
    )
