"""Une échéance est une date, un trimestre ou une année : la page publiée ne donne pas toujours le jour.

On garde le dernier jour de la période et sa précision. « 2026 » n'est en retard que le 1er janvier 2027 :
convertir une année en jour sans garder la précision ferait mentir les listes de retards.
"""

import calendar
import datetime
import re
from dataclasses import dataclass
from typing import Self

from django.db import models

from socle.formats import FormatInvalide, annee_hors_bornes, formater_date, lire_date, plier

ATTENDU = "une date (31/12/2026), un trimestre (T2 2026) ou une année (2026)"

# Sur le texte plié : « 2ᵉ Trimestre 2026 » et « 2e trimestre 2026 » y sont pareils.
_PERIODES = (
    re.compile(r"t(?P<trimestre>[0-9]+) (?P<annee>[0-9]{4})"),
    re.compile(r"(?P<annee>[0-9]{4})[- ]t(?P<trimestre>[0-9]+)"),
    re.compile(r"(?P<trimestre>[0-9]+)(?:er|e|eme) trimestre (?P<annee>[0-9]{4})"),
    re.compile(r"(?P<annee>[0-9]{4})(?P<trimestre>)"),
)


class Precision(models.TextChoices):
    JOUR = "JOUR", "Jour"
    TRIMESTRE = "TRIMESTRE", "Trimestre"
    ANNEE = "ANNEE", "Année"


def _fin_de_trimestre(annee: int, trimestre: int) -> datetime.date:
    mois = 3 * trimestre
    return datetime.date(annee, mois, calendar.monthrange(annee, mois)[1])


@dataclass(frozen=True)
class Echeance:
    """Le dernier jour d'une période et la précision avec laquelle on la connaît.

    ValueError si `fin` n'est pas le dernier jour de sa période. Le 31/12/2026, T4 2026 et 2026 finissent
    le même jour et restent trois échéances différentes.
    """

    fin: datetime.date
    precision: Precision

    def __post_init__(self) -> None:
        if isinstance(self.fin, datetime.datetime) or not isinstance(self.fin, datetime.date):
            raise TypeError("La fin d'une échéance est une date, sans heure.")
        # La base rend une chaîne : elle redevient ici un membre de la liste fermée.
        object.__setattr__(self, "precision", Precision(self.precision))
        attendues = {
            Precision.JOUR: self.fin,
            Precision.TRIMESTRE: _fin_de_trimestre(self.fin.year, self.trimestre),
            Precision.ANNEE: datetime.date(self.fin.year, 12, 31),
        }
        attendue = attendues[self.precision]
        if self.fin != attendue:
            raise ValueError(
                f"Le {formater_date(self.fin)} n'est pas le dernier jour de la période "
                f"({self.precision.label.lower()}) : attendu le {formater_date(attendue)}."
            )

    def __str__(self) -> str:
        match self.precision:
            case Precision.TRIMESTRE:
                return f"T{self.trimestre} {self.fin.year:04}"
            case Precision.ANNEE:
                return f"{self.fin.year:04}"
        return formater_date(self.fin)

    @property
    def trimestre(self) -> int:
        """De 1 à 4, celui où tombe la fin."""
        return (self.fin.month + 2) // 3

    @classmethod
    def lire(cls, texte: str) -> Self:
        """Lit « T2 2026 », « 2e trimestre 2026 », « 2026-T2 », « 2026 », « 31/12/2026 », « 2026-12-31 ».

        FormatInvalide rappelle les trois façons d'écrire, et la raison quand la forme était bonne.
        """
        plie = plier(texte)
        for periode in _PERIODES:
            if trouve := periode.fullmatch(plie):
                return cls._de_la_periode(texte, int(trouve["annee"]), trouve["trimestre"])
        try:
            return cls(lire_date(texte), Precision.JOUR)
        except FormatInvalide as erreur:
            raise cls._illisible(texte, erreur.raison) from erreur

    @classmethod
    def _de_la_periode(cls, texte: str, annee: int, trimestre: str) -> Self:
        if raison := annee_hors_bornes(annee):
            raise cls._illisible(texte, raison)
        if not trimestre:
            return cls(datetime.date(annee, 12, 31), Precision.ANNEE)
        if trimestre not in ("1", "2", "3", "4"):
            raise cls._illisible(texte, "les trimestres vont de T1 à T4")
        return cls(_fin_de_trimestre(annee, int(trimestre)), Precision.TRIMESTRE)

    @staticmethod
    def _illisible(texte: str, raison: str | None) -> FormatInvalide:
        return FormatInvalide.pour(texte, "une échéance", ATTENDU, raison)

    def est_depassee(self, le: datetime.date) -> bool:
        """Vrai à partir du lendemain de la fin : le dernier jour est encore dans les temps."""
        return le > self.fin
