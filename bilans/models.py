"""Les bilans : chaque table a son fichier."""

from bilans.bilan import Bilan, EtatDeBilan, Section
from bilans.tirages import EtatDeTirage, FormatDeTirage, Tirage
from bilans.versions import PdfDeVersion, VersionDeBilan

__all__ = [
    "Bilan",
    "EtatDeBilan",
    "EtatDeTirage",
    "FormatDeTirage",
    "PdfDeVersion",
    "Section",
    "Tirage",
    "VersionDeBilan",
]
