"""Un import tué en route, un disque plein, une base occupée : rien n'est à moitié fait, les autres écrivent toujours.

Les mêmes essais passent sur SQLite et sur PostgreSQL, avec le vrai processus de la commande. `EPREUVE_CONTRATS` fait
de l'essai de charge une épreuve longue.
"""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from django.db import DatabaseError, connection

from comptes.models import Service
from marches.generations import ContratsOccupes, ecriture_des_contrats
from marches.importation import importer
from marches.models import Contrat, EnregistrementDecp, Generation, ImportDecp, TitulaireDeContrat
from tests import fabriques
from tests.decp_synthetique import ecrire_en_flux
from tests.test_taches import RACINE, environnement

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

NOMBRE = 700
A_LA_FOIS = int(os.environ.get("EPREUVE_CONTRATS", "2000"))
PATIENCE = 2.0


def lancer(chemin):
    commande = [sys.executable, "manage.py", "importer_decp", str(chemin), "--tous", "--json"]
    return subprocess.Popen(commande, cwd=RACINE, env=environnement(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def attendre(condition, processus):
    """Jusqu'à ce que la base montre l'étape voulue ; l'essai échoue si le processus finit avant."""
    fin = time.monotonic() + 300
    while time.monotonic() < fin and processus.poll() is None:
        if condition():
            return
        threading.Event().wait(0.01)
    pytest.fail(f"l'étape n'a pas été vue : {processus.communicate()}")


@pytest.fixture
def beaucoup(tmp_path):
    return ecrire_en_flux(tmp_path / "beaucoup.json", NOMBRE)


def lignes():
    return [table.objects.count() for table in (Contrat, TitulaireDeContrat, EnregistrementDecp)]


@pytest.mark.parametrize(
    "etape",
    [EnregistrementDecp, Contrat],
    ids=["pendant la lecture", "pendant l'accord des contrats"],
)
def test_un_import_tue_n_a_rien_montre_et_reprend_du_debut(beaucoup, tmp_path, etape):
    importer(ecrire_en_flux(tmp_path / "avant.json", 20))
    montres, generation = Contrat.objects.en_vigueur().count(), Generation.objects.get().numero
    avant = etape.objects.count()
    with lancer(beaucoup) as processus:
        attendre(lambda: etape.objects.count() > avant, processus)
        processus.send_signal(signal.SIGKILL)
        processus.wait(timeout=30)
    assert (Contrat.objects.en_vigueur().count(), Generation.objects.get().numero) == (montres, generation)
    repris = importer(beaucoup)
    assert (repris.lus >= NOMBRE, repris.lus - repris.doublons - repris.refuses, repris.etat) == (
        True,
        repris.retenus,
        "APPLIQUE",
    )
    assert ImportDecp.objects.filter(etat="INTERROMPU").count() == 1
    assert not Contrat.objects.filter(de__gt=Generation.objects.get().numero).exists()
    assert EnregistrementDecp.objects.exclude(import_decp__etat="APPLIQUE").count() == 0


def test_l_etat_apres_une_reprise_est_celui_d_un_import_sans_accroc(beaucoup):
    with lancer(beaucoup) as processus:
        attendre(lambda: Contrat.objects.exists(), processus)
        processus.send_signal(signal.SIGKILL)
        processus.wait(timeout=30)
    importer(beaucoup)
    repris, comptes = etat(), lignes()
    for table in (TitulaireDeContrat, Contrat, EnregistrementDecp, ImportDecp):
        table.objects.all().delete()
    importer(beaucoup)
    assert (etat(), lignes()) == (repris, comptes)


def etat():
    return sorted(Contrat.objects.en_vigueur().values_list("empreinte", flat=True))


def test_pendant_un_import_les_autres_ecrivent_sans_attendre(tmp_path):
    service = fabriques.service("Achats")
    attentes = []
    with lancer(ecrire_en_flux(tmp_path / "charge.json", A_LA_FOIS)) as processus:
        attendre(lambda: EnregistrementDecp.objects.exists(), processus)
        while processus.poll() is None:
            debut = time.monotonic()
            service.nom = f"Achats {len(attentes)}"
            service.save()
            attentes.append(time.monotonic() - debut)
        assert processus.returncode == 0, processus.stderr.read()
    print(f"{A_LA_FOIS} contrats : {len(attentes)} écritures, la plus longue {max(attentes):.2f} s")  # noqa: T201
    assert len(attentes) > 5
    assert max(attentes) < PATIENCE, f"{max(attentes):.1f} s sur {len(attentes)} écritures"
    assert Service.objects.get(pk=service.pk).nom == f"Achats {len(attentes) - 1}"


if connection.vendor == "sqlite":
    # La taille d'une base SQLite se borne ; celle d'une base PostgreSQL, non.

    def test_un_disque_plein_le_dit_et_ne_change_rien(beaucoup, tmp_path):
        importer(ecrire_en_flux(tmp_path / "avant.json", 20))
        avant = etat()
        with connection.cursor() as curseur:
            curseur.execute("VACUUM")
            curseur.execute("PRAGMA page_count")
            curseur.execute(f"PRAGMA max_page_count = {curseur.fetchone()[0] + 20}")
            with pytest.raises(DatabaseError, match="full"):
                importer(beaucoup)
            curseur.execute("PRAGMA max_page_count = 1073741823")
        assert etat() == avant
        assert importer(beaucoup).etat == "APPLIQUE"


def test_une_correction_n_attend_pas_la_fin_d_un_import():
    pris, fini = threading.Event(), threading.Event()

    def tenir():
        with ecriture_des_contrats():
            pris.set()
            fini.wait(30)
        connection.close()

    fil = threading.Thread(target=tenir)
    fil.start()
    pris.wait(30)
    with pytest.raises(ContratsOccupes), ecriture_des_contrats(attendre=False):
        pass
    fini.set()
    fil.join()
