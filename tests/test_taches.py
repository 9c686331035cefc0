"""Les tâches longues : mises en file dans la base, exécutées par un autre processus, l'ouvrier."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection, transaction
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from comptes.models import Service
from tests import fabriques

RACINE = Path(__file__).resolve().parent.parent
OUVRIER = [sys.executable, "manage.py", "db_worker", "--no-startup-delay"]

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@task()
def renommer(pk: int, nom: str) -> int:
    """Une tâche d'essai : l'effet se voit en base, le processus qui l'a eu aussi."""
    service = Service.objects.get(pk=pk)
    service.nom = nom
    service.save()
    return os.getpid()


@task()
def echouer() -> None:
    raise ValueError("le fichier est illisible")


def environnement() -> dict[str, str]:
    """Celui d'un ouvrier branché sur la base de l'essai."""
    base = connection.settings_dict
    if connection.vendor == "sqlite":
        adresse = f"sqlite:///{base['NAME']}"
    else:
        compte = f"{quote(base['USER'])}:{quote(base['PASSWORD'])}"
        adresse = f"postgres://{compte}@{base['HOST']}:{base['PORT']}/{base['NAME']}"
    return os.environ | {"DATABASE_URL": adresse, "DJANGO_SETTINGS_MODULE": "tests.reglages"}


def vider_la_file() -> None:
    subprocess.run([*OUVRIER, "--batch"], cwd=RACINE, env=environnement(), check=True, timeout=60)


def test_une_tache_en_file_attend_l_ouvrier_qui_l_execute_dans_son_processus():
    service = fabriques.service("Achats")
    resultat = renommer.enqueue(service.pk, "Commande publique")
    assert resultat.status == TaskResultStatus.READY
    vider_la_file()
    resultat.refresh()
    service.refresh_from_db()
    assert (resultat.status, service.nom) == (TaskResultStatus.SUCCESSFUL, "Commande publique")
    assert resultat.return_value != os.getpid()


def test_une_tache_qui_echoue_garde_sa_raison_et_n_arrete_pas_la_file():
    service = fabriques.service("Achats")
    ratee, suivante = echouer.enqueue(), renommer.enqueue(service.pk, "Commande publique")
    vider_la_file()
    ratee.refresh()
    suivante.refresh()
    assert (ratee.status, suivante.status) == (TaskResultStatus.FAILED, TaskResultStatus.SUCCESSFUL)
    assert "le fichier est illisible" in ratee.errors[0].traceback


def test_une_tache_demandee_dans_une_transaction_defaite_n_existe_pas():
    with transaction.atomic():
        echouer.enqueue()
        transaction.set_rollback(True)
    assert not DBTaskResult.objects.exists()


@pytest.mark.parametrize("ordre", [signal.SIGTERM, signal.SIGINT], ids=["TERM", "Ctrl-C"])
def test_l_ouvrier_travaille_jusqu_a_ce_qu_on_l_arrete(ordre):
    service = fabriques.service("Achats")
    with subprocess.Popen([*OUVRIER, "--interval", "0.1"], cwd=RACINE, env=environnement()) as ouvrier:
        try:
            # Deux tâches, la seconde après la première : il ne s'arrête pas de lui-même.
            for nom in ("Commande publique", "Marchés"):
                resultat = renommer.enqueue(service.pk, nom)
                fin = time.monotonic() + 30
                while resultat.status != TaskResultStatus.SUCCESSFUL and time.monotonic() < fin:
                    time.sleep(0.1)
                    resultat.refresh()
                assert resultat.status == TaskResultStatus.SUCCESSFUL
            ouvrier.send_signal(ordre)
            assert ouvrier.wait(timeout=30) == 0
        finally:
            ouvrier.kill()
