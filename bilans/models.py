"""Les bilans : chaque table a son fichier."""

from bilans.bilan import Bilan, EtatDeBilan, Section
from bilans.tirages import EtatDeTirage, Tirage
from bilans.versions import PdfDeVersion, VersionDeBilan

__all__ = [
    "Bilan",
    "EtatDeBilan",
    "EtatDeTirage",
    "PdfDeVersion",
    "Section",
    "Tirage",
    "VersionDeBilan",
]
