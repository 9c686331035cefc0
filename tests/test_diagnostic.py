"""`manage.py diagnostic` : chaque point en une phrase, quoi faire, et le code de sortie."""

import io
import json
import os
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from comptes.courriels import Courriel
from comptes.gestes import Geste, Trace
from exploitation.diagnostic import base, configuration, machine, services
from exploitation.diagnostic.constats import Constat, Etat
from exploitation.diagnostic.examen import examiner
from scripts.etapes import REGLAGES_NEUTRES
from tests import fabriques
from tests.test_sante import attendre

RACINE = Path(__file__).resolve().parent.parent


def seul(constats, point: str) -> Constat:
    [constat] = [constat for constat in constats if constat.point == point]
    return constat


@pytest.fixture(autouse=True)
def disque_a_part(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "fichiers"
    settings.STATIC_ROOT = tmp_path / "statiques"
    settings.BASE_DIR = tmp_path


# --- Configuration --------------------------------------------------------------------------------


@pytest.fixture
def en_production(settings):
    settings.DEBUG, settings.HTTPS, settings.PROXYS_DE_CONFIANCE = False, True, 1
    settings.ADRESSE_DU_SITE, settings.ALLOWED_HOSTS = "https://plan.exemple.fr", ["plan.exemple.fr", "127.0.0.1"]
    return settings


def test_des_reglages_de_production_vont(en_production):
    constats = [*configuration._adresses(), configuration._debug(), configuration._https(), configuration._relais()]
    assert [constat.ligne for constat in constats if constat.etat is not Etat.VA] == []


@pytest.mark.parametrize(
    ("reglage", "valeur", "point", "etat"),
    [
        ("DEBUG", True, "DEBUG", Etat.NE_VA_PAS),
        ("HTTPS", False, "HTTPS", Etat.NE_VA_PAS),
        ("ADRESSE_DU_SITE", "http://plan.exemple.fr", "ADRESSE_DU_SITE", Etat.NE_VA_PAS),
        ("ADRESSE_DU_SITE", "http://127.0.0.1:8000", "ADRESSE_DU_SITE", Etat.A_VOIR),
        ("ADRESSE_DU_SITE", "https://autre.exemple.fr", "ALLOWED_HOSTS", Etat.NE_VA_PAS),
        ("ALLOWED_HOSTS", ["*"], "ALLOWED_HOSTS", Etat.NE_VA_PAS),
        ("ALLOWED_HOSTS", ["plan.exemple.fr"], "ALLOWED_HOSTS", Etat.A_VOIR),
        ("PROXYS_DE_CONFIANCE", 0, "PROXYS_DE_CONFIANCE", Etat.A_VOIR),
    ],
)
def test_un_reglage_douteux_se_dit_et_ce_qu_il_faut_faire(en_production, reglage, valeur, point, etat):
    setattr(en_production, reglage, valeur)
    constat = seul(configuration.examiner(), point)
    assert constat.etat is etat
    assert constat.phrase.endswith(".")
    assert constat.faire.endswith(".")


# --- Base -----------------------------------------------------------------------------------------


def test_une_base_en_etat_va_sur_chaque_point(db):
    constats = [base.joindre(), *(lire() for lire in base.points().values())]
    # Le tri français dépend de qui a créé la base.
    assert {constat.etat for constat in constats if constat.point != "tri de la base"} == {Etat.VA}


def test_une_migration_a_appliquer_se_nomme(db):
    MigrationRecorder(connection).record_unapplied("comptes", "0002_groupes_des_roles")
    constat = base.points()["migrations"]()
    assert (constat.etat, "comptes.0002_groupes_des_roles" in constat.phrase) == (Etat.NE_VA_PAS, True)
    assert "manage.py migrate" in constat.faire


def test_une_trace_du_futur_dit_que_l_horloge_a_recule(db):
    Trace.objects.create(geste=Geste.CONNEXION, le=timezone.now() + timedelta(days=1))
    constat = base.points()["horloge"]()
    assert (constat.etat, "dans le futur" in constat.phrase) == (Etat.NE_VA_PAS, True)


# --- Courriels et ouvrier -------------------------------------------------------------------------


def vers(settings, adresse: str) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", int(adresse.rpartition(":")[2])
    settings.DEFAULT_FROM_EMAIL = "plan@exemple.fr"


def test_un_serveur_de_courriels_qui_repond_va_et_ne_recoit_rien(settings, serveur_de_courriels):
    vers(settings, serveur_de_courriels.adresse)
    [constat] = services.serveur_de_courriels()
    assert (constat.etat, serveur_de_courriels.recus) == (Etat.VA, [])


def test_un_serveur_de_courriels_injoignable_se_dit(settings):
    with socket.create_server(("127.0.0.1", 0)) as prise:
        port = prise.getsockname()[1]
    vers(settings, f"smtp://127.0.0.1:{port}")
    [constat] = services.serveur_de_courriels()
    assert (constat.etat, "est injoignable" in constat.phrase) == (Etat.NE_VA_PAS, True)


def test_la_console_n_envoie_aucun_courriel_et_c_est_dit(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    [constat] = services.serveur_de_courriels()
    assert constat.etat is Etat.NE_VA_PAS


def test_un_courriel_qui_attend_depuis_longtemps_se_dit_avec_sa_raison(db):
    assert services.courriels_en_attente().etat is Etat.VA
    Courriel.objects.create(
        destinataire=fabriques.utilisateur("agent"),
        adresse="camille@exemple.fr",
        cle="essai",
        objet="Rappel",
        prepare_le=timezone.now() - timedelta(hours=3),
        essais=2,
        erreur="Le serveur est injoignable.",
    )
    constat = services.courriels_en_attente()
    assert (constat.etat, "Le serveur est injoignable." in constat.phrase) == (Etat.NE_VA_PAS, True)


def test_un_ouvrier_arrete_se_dit_quand_une_tache_l_attend(db):
    assert services.ouvrier().etat is Etat.VA
    attendre(timedelta(minutes=6))
    constat = services.ouvrier()
    assert (constat.etat, "restart" in constat.faire) == (Etat.NE_VA_PAS, True)


# --- Machine --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fichier", "dossier", "attendu"), [(0o644, 0o755, True), (0o640, 0o755, False)])
def test_un_fichier_de_reglages_lisible_de_tous_se_dit(tmp_path, fichier, dossier, attendu):
    reglages = tmp_path / ".env"
    reglages.write_text("SECRET_KEY=…")
    reglages.chmod(fichier)
    tmp_path.chmod(dossier)
    # Les dossiers d'essai de pytest sont fermés aux autres : on ne juge ici que ce qu'on a posé.
    ouverts = all(parent.stat().st_mode & 0o001 for parent in reglages.resolve().parents)
    assert machine.lisible_par_tous(reglages) is (attendu and ouverts)


def test_un_dossier_ferme_protege_ce_qu_il_contient(tmp_path):
    base_de_donnees = tmp_path / "ferme" / "base.sqlite3"
    base_de_donnees.parent.mkdir()
    base_de_donnees.touch(0o644)
    base_de_donnees.parent.chmod(0o750)
    assert machine.lisible_par_tous(base_de_donnees) is False


def test_sans_collectstatic_les_pages_seraient_en_erreur_et_c_est_dit(settings, tmp_path):
    constat = machine._statiques()
    assert (constat.etat, "collectstatic" in constat.faire) == (Etat.NE_VA_PAS, True)
    manifeste = Path(settings.STATIC_ROOT) / machine.MANIFESTE
    manifeste.parent.mkdir()
    manifeste.write_text(json.dumps({"paths": {"css/site.css": "css/site.123.css"}}))
    assert "manque" in machine._statiques().phrase


def test_un_disque_qui_refuse_l_ecriture_se_dit(settings):
    settings.MEDIA_ROOT = "/proc/self/fd"
    assert {c.point for c in machine.examiner() if c.etat is Etat.NE_VA_PAS} >= {"stockage"}


# --- La commande ----------------------------------------------------------------------------------


def test_la_commande_sort_en_erreur_et_rend_le_meme_constat_en_json(db):
    sortie = io.StringIO()
    with pytest.raises(SystemExit) as fin:
        call_command("diagnostic", json=True, complet=True, stdout=sortie)
    lu = json.loads(sortie.getvalue())
    assert (fin.value.code, lu["etat"]) == (1, "ne va pas")
    assert {*lu["constats"][0]} == {"point", "etat", "phrase", "faire"}
    points = {constat["point"] for constat in lu["constats"]}
    assert points >= {"base", "migrations", "horloge", "ouvrier", "disque", "PDF", "journaux des actions"}


def test_ce_qui_va_ne_demande_rien_et_ce_qui_ne_va_pas_dit_quoi_faire(db):
    for constat in examiner(complet=True):
        assert bool(constat.faire) is (constat.etat is not Etat.VA), constat.ligne
        assert constat.phrase.endswith("."), constat.ligne


def test_la_base_tombee_la_commande_dit_le_reste(tmp_path):
    """Un vrai processus, et une vraie adresse où rien n'écoute."""
    with socket.create_server(("127.0.0.1", 0)) as prise:
        port = prise.getsockname()[1]
    variables = REGLAGES_NEUTRES | {
        "DJANGO_SETTINGS_MODULE": "commande_responsable.settings",
        "DATABASE_URL": f"postgres://compte:mot-de-passe-tu@127.0.0.1:{port}/base",
    }
    fini = subprocess.run(
        [sys.executable, "manage.py", "diagnostic"],
        cwd=RACINE,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert fini.returncode == 1, fini.stderr
    assert "NE VA PAS  base : elle ne répond pas" in fini.stdout
    assert "DATABASE_URL" in fini.stdout
    assert "stockage" in fini.stdout
    assert "mot-de-passe-tu" not in fini.stdout + fini.stderr
