"""Ce que le registre doit donner, année par année : on le fixe ici, le tirage n'en change rien.

Les chiffres de 2023 sont ceux qu'une page publie ; le registre les retrouve par ses propres lignes.
"""

import datetime
from dataclasses import dataclass


@dataclass(frozen=True)
class Reponses:
    """Combien de consultations finalisées disent oui, disent non, ne disent rien."""

    oui: int
    non: int
    inconnu: int = 0

    @property
    def total(self) -> int:
        return self.oui + self.non + self.inconnu


@dataclass(frozen=True)
class Annee:
    """Les consultations finalisées dans l'année, entre le 1er janvier et `fin`.

    `natures` : travaux, fournitures, services, prestations intellectuelles ; leur somme est celle des réponses.
    `abandonnees` : celles qu'on a laissées avant publication, qui ne comptent pas.
    """

    annee: int
    natures: tuple[int, int, int, int]
    environnement: Reponses
    social: Reponses
    abandonnees: int = 0

    def __post_init__(self) -> None:
        if not sum(self.natures) == self.environnement.total == self.social.total:
            raise ValueError(f"{self.annee} : les trois décomptes n'ont pas le même total.")

    @property
    def total(self) -> int:
        return sum(self.natures)


# 2022 : la colonne « environnement » n'existait pas au premier trimestre, moins de 80 % y répondent.
# 2023 : chacune répond, la part se donne donc sur les 166.
# 2025 : cinq consultations ont été retrouvées après la valeur retenue ; les deux sources s'écartent.
ANNEES = (
    Annee(2022, (38, 45, 41, 18), Reponses(24, 82, 36), Reponses(18, 124), abandonnees=2),
    Annee(2023, (46, 50, 51, 19), Reponses(42, 124), Reponses(29, 137), abandonnees=3),
    Annee(2024, (51, 48, 53, 19), Reponses(60, 109, 2), Reponses(44, 125, 2), abandonnees=4),
    Annee(2025, (48, 46, 55, 19), Reponses(82, 76, 10), Reponses(56, 106, 6), abandonnees=2),
)
# L'année qui court : jusqu'au 30 septembre, jour de la valeur provisoire, puis jusqu'à la fin du récit.
AU_30_SEPTEMBRE = Annee(2026, (33, 34, 38, 16), Reponses(74, 41, 6), Reponses(38, 80, 3), abandonnees=2)
EN_OCTOBRE = Annee(2026, (4, 5, 6, 2), Reponses(13, 4), Reponses(6, 11))
DERNIER_JOUR_D_OCTOBRE = datetime.date(2026, 10, 30)
