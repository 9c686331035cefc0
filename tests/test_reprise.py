"""Une tâche qu'un ouvrier mort a laissée « en cours » repart, ou se dit en échec ; jamais elle ne reste là."""

import datetime
import os
import subprocess
import sys

import pytest
from django.core.management import get_commands
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from bilans.models import Bilan, Tirage
from bilans.tirages import EtatDeTirage
from exploitation.reprise import ABANDON, ESSAIS, nom_de_l_ouvrier, reprendre_les_taches_abandonnees
from tests import fabriques

pytestmark = pytest.mark.django_db


def mort() -> str:
    """Le nom d'un ouvrier de cette machine qui n'est plus."""
    with subprocess.Popen([sys.executable, "-c", ""]) as processus:
        processus.wait()
    return nom_de_l_ouvrier().replace(f":{os.getpid()}:", f":{processus.pid}:")


def en_cours(*ouvriers: str, depuis: datetime.timedelta = datetime.timedelta(0), pk: int = 1) -> DBTaskResult:
    maintenant = timezone.now()
    return DBTaskResult.objects.create(
        status="RUNNING",
        started_at=maintenant - depuis,
        args_kwargs={"args": [pk], "kwargs": {}},
        task_path="bilans.taches.tirer",
        worker_ids=list(ouvriers),
        backend_name="default",
        run_after=maintenant,
    )


def etat(tache: DBTaskResult) -> str:
    return DBTaskResult.objects.get(pk=tache.pk).status


def test_l_ouvrier_du_site_reprend_avant_de_travailler():
    assert get_commands()["db_worker"] == "exploitation"


def test_la_tache_d_un_ouvrier_mort_repart():
    tache = en_cours(mort())
    assert reprendre_les_taches_abandonnees() == (1, 0)
    assert etat(tache) == "READY"


def test_la_tache_d_un_ouvrier_vivant_reste_la_sienne():
    tache = en_cours(nom_de_l_ouvrier())
    assert reprendre_les_taches_abandonnees() == (0, 0)
    assert etat(tache) == "RUNNING"


def test_un_numero_de_processus_repris_par_un_autre_ne_trompe_pas():
    hote, pid, depart, reste = nom_de_l_ouvrier().split(":")
    tache = en_cours(f"{hote}:{pid}:{int(depart) - 1}:{reste}")
    assert reprendre_les_taches_abandonnees() == (1, 0)
    assert etat(tache) == "READY"


def test_d_une_autre_machine_on_attend_avant_de_reprendre():
    recente, ancienne = en_cours("ailleurs:1:2:abcd"), en_cours("ailleurs:1:2:abcd", depuis=ABANDON * 2)
    assert reprendre_les_taches_abandonnees() == (1, 0)
    assert (etat(recente), etat(ancienne)) == ("RUNNING", "READY")


def test_une_tache_qui_tue_ses_ouvriers_est_dite_en_echec_sur_la_page_qui_l_attend():
    bilan = Bilan.objects.create(plan=fabriques.plan(), annee=2023)
    tirage = Tirage.objects.create(bilan=bilan, etat=EtatDeTirage.EN_COURS)
    tache = en_cours(*[mort()] * ESSAIS, pk=tirage.pk)
    assert reprendre_les_taches_abandonnees() == (0, 1)
    tirage.refresh_from_db()
    assert (etat(tache), tirage.etat) == ("FAILED", EtatDeTirage.ECHEC)
    assert tirage.message
    assert reprendre_les_taches_abandonnees() == (0, 0)
