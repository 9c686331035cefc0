"""Les jours et les moments de saisie, tirés d'une seule graine, puis joués dans l'ordre."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from django.utils import timezone

GRAINE = 2026
# Rien n'arrive après ce jour, quelle que soit l'horloge.
DERNIER_JOUR = datetime.date(2026, 10, 30)
# Jours ouvrés ou presque entre un fait et sa saisie : le plus souvent la semaine même.
DELAIS_DE_SAISIE = (0, 0, 1, 1, 2, 3, 5, 8, 12)
# La course de fin d'année : ce qui s'achève en novembre ou décembre s'écrit souvent en janvier.
DELAIS_DE_FIN_D_ANNEE = (2, 8, 34, 41, 47)

# Mois et jour ; les fêtes mobiles n'y sont pas.
FERIES = {(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)}


@dataclass
class Calendrier:
    """Tire les dates. Le seul hasard du site : qui y puise dans un autre ordre raconte une autre histoire."""

    hasard: Random = field(default_factory=lambda: Random(GRAINE))  # noqa: S311 - un décor, pas un secret

    def jour(self, du: datetime.date, au: datetime.date) -> datetime.date:
        """Un jour ouvré entre les deux ; `du` si la période est vide."""
        ecart = max((au - du).days, 0)
        return ouvre(du + datetime.timedelta(days=self.hasard.randint(0, ecart)))

    def saisie(self, jour: datetime.date, delais: tuple[int, ...] = DELAIS_DE_SAISIE) -> datetime.datetime:
        """Le moment où l'on a pu écrire ce qui est devenu vrai ce jour-là : un jour ouvré, aux heures de bureau."""
        le = ouvre(jour + datetime.timedelta(days=self.hasard.choice(delais)))
        heure = datetime.time(self.hasard.randint(8, 17), self.hasard.randint(0, 59))
        return datetime.datetime.combine(le, heure, tzinfo=timezone.get_default_timezone())

    def une_fois_sur(self, combien: int) -> bool:
        return self.hasard.randrange(combien) == 0


def ouvre(jour: datetime.date) -> datetime.date:
    """Ce jour, ou le premier jour ouvré qui suit."""
    while jour.weekday() > 4 or (jour.month, jour.day) in FERIES:
        jour += datetime.timedelta(days=1)
    return jour


@dataclass
class Chronique:
    """Les écritures à faire, chacune à son moment de saisie."""

    ecritures: list[tuple[datetime.datetime, Callable[[], object]]] = field(default_factory=list)

    def noter(self, saisi_le: datetime.datetime, ecrire: Callable[[], object]) -> None:
        self.ecritures.append((saisi_le, ecrire))

    def jouer(self, maintenant: datetime.datetime) -> None:
        """Écrit dans l'ordre des saisies. Ce qui est encore à venir est omis : un journal refuse le futur."""
        for saisi_le, ecrire in sorted(self.ecritures, key=lambda ecriture: ecriture[0]):
            if saisi_le <= maintenant:
                ecrire()
