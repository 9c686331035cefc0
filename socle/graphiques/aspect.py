"""Couleurs, motifs, symboles : ce qui distingue une série d'une autre, pour qui voit mal les couleurs aussi."""

import re

from socle.couleurs import contraste

from .modele import GraphiqueNonPris

# Chacune se détache d'un fond blanc d'au moins 3:1 (WCAG 1.4.11) ; un essai le mesure.
PALETTE = ("#1d5c99", "#b35900", "#2f7d5b", "#8c3f8f", "#a8323e", "#54606b")
# Codes de plotly, pour que la figure reprise par le navigateur garde les mêmes.
MOTIFS = ("", "/", ".", "x", "-", "|", "\\", "+")
SYMBOLES = ("circle", "square", "diamond", "triangle-up")
TIRETS = {"solid": "", "dash": "8 4", "dot": "2 3", "dashdot": "8 3 2 3"}

ENCRE = "#212529"
ENCRE_DOUCE = "#495057"
TRAIT = "#dee2e6"
CONTOUR = "#495057"

_HEXA = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")


def lire_couleur(valeur: object, ou: str) -> str:
    """La couleur « #rrggbb » en minuscules ; un nom ou rgb() est refusé, faute de pouvoir mesurer son contraste."""
    if not isinstance(valeur, str) or not _HEXA.fullmatch(valeur):
        raise GraphiqueNonPris(f"{ou} : une couleur s'écrit « #rrggbb », pas {valeur!r}.")
    if len(valeur) == 4:
        valeur = "#" + "".join(2 * c for c in valeur[1:])
    return valeur.lower()


def encre_sur(couleur: str) -> str:
    """Blanc ou noir : celui des deux qui se lit le mieux sur `couleur`."""
    return max("#ffffff", ENCRE, key=lambda encre: contraste(encre, couleur))


def contour_de(couleur: str) -> str | None:
    """Un trait à poser autour d'une couleur trop claire pour se voir sur du blanc ; None s'il est inutile."""
    return CONTOUR if contraste(couleur, "#ffffff") < 3 else None
