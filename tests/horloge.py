"""Une horloge que l'essai avance : ce qui se saisit l'est à l'heure qu'elle dit."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.utils import timezone

PARIS = timezone.get_default_timezone()


class Horloge:
    def __init__(self, depart: datetime.datetime) -> None:
        self.maintenant = depart

    def aller(self, annee: int, mois: int, jour: int, heure: int = 12, minute: int = 0) -> datetime.datetime:
        self.maintenant = datetime.datetime(annee, mois, jour, heure, minute, tzinfo=PARIS)
        return self.maintenant

    def avancer(self, **duree: float) -> datetime.datetime:
        self.maintenant += datetime.timedelta(**duree)
        return self.maintenant


@contextmanager
def horloge_au(annee: int, mois: int, jour: int) -> Iterator[Horloge]:
    with pytest.MonkeyPatch.context() as remplacement:
        horloge = Horloge(datetime.datetime(annee, mois, jour, 12, tzinfo=PARIS))
        remplacement.setattr(timezone, "now", lambda: horloge.maintenant)
        yield horloge
