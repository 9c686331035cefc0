"""Le site synthétique, tel que la commande l'écrit, à l'horloge des essais."""

import datetime
import io
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

# Le récit s'arrête fin octobre 2026 : l'horloge des essais est juste après, quelle que soit celle de la machine.
MAINTENANT = datetime.datetime(2026, 11, 2, 9, 0, tzinfo=datetime.UTC)


def preparer() -> None:
    call_command("preparer_demo_complet", stdout=io.StringIO())


@pytest.fixture(scope="module")
def horloge() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as remplacement:
        remplacement.setenv("DEMO_MOT_DE_PASSE", "mot de passe des essais")
        remplacement.setattr(timezone, "now", lambda: MAINTENANT)
        yield remplacement


@pytest.fixture(scope="module")
def site_du_fichier(django_db_setup, django_db_blocker, horloge) -> Iterator[None]:
    """Écrit une fois pour tout le fichier d'essais ; rien n'en reste après."""
    with django_db_blocker.unblock(), transaction.atomic():
        preparer()
        yield
        transaction.set_rollback(True)
