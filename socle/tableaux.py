"""Lire un tableau venu d'ailleurs, classeur ou texte, sans rien deviner ni se laisser piéger. Aucun modèle ici.

Un fichier qu'on ne comprend pas est refusé en entier, avec la phrase qui dit où et pourquoi.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class FichierIllisible(ValueError):
    """Le fichier entier est refusé ; `str()` est la phrase à montrer."""


@dataclass(frozen=True)
class Limites:
    """Ce qu'on accepte au plus. `octets_deplies` : ce que pèse un classeur une fois décompressé."""

    octets: int
    octets_deplies: int
    lignes: int
    colonnes: int


@dataclass(frozen=True)
class Ligne:
    """Une ligne non vide. `numero` : le sien dans le fichier, à partir de 1 ; `cellules` : dans l'ordre des titres.

    Une cellule vaut un texte, un nombre (int ou float), un booléen, une date, ou None.
    """

    numero: int
    cellules: list[Any]


@dataclass(frozen=True)
class Tableau:
    """Les titres tels qu'écrits, les lignes non vides, et le nom de la feuille (vide pour un CSV)."""

    titres: list[str]
    lignes: list[Ligne]
    feuille: str


def lire(nom: str, contenu: bytes, *, limites: Limites, reconnu: Callable[[str], bool]) -> Tableau:
    """Le tableau de ce fichier. Lève FichierIllisible.

    `reconnu` dit si un titre est connu : ainsi se trouvent la feuille, la ligne des titres et le séparateur d'un CSV.
    """
    raise NotImplementedError
