"""Ce que la supervision demande : le processus vit, le site peut servir, et quel point ne va pas sinon."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import override_settings
from django.utils import timezone
from django_tasks_db.models import DBTaskResult, get_date_max

from comptes.envoi import envoyer_les_courriels
from exploitation.sante import points
from tests import fabriques
from tests.visites import client_de

VIVANT, PRET = "/sante/vivant/", "/sante/pret/"
TOUT_VA = dict.fromkeys(("base", "migrations", "ouvrier", "disque"), "ok")


@pytest.fixture(autouse=True)
def disque_a_part(settings, tmp_path):
    """Le dossier des fichiers déposés est celui de l'essai."""
    settings.MEDIA_ROOT = tmp_path / "fichiers"


def attendre(depuis: timedelta, *, statut: str = "READY", commence: timedelta | None = None) -> DBTaskResult:
    """Une tâche mise en file il y a ce temps, sans heure, ou en cours depuis `commence`."""
    tache = envoyer_les_courriels.enqueue()
    ligne = DBTaskResult.objects.filter(pk=tache.id)
    maintenant = timezone.now()
    ligne.update(
        enqueued_at=maintenant - depuis,
        run_after=get_date_max(),
        status=statut,
        started_at=None if commence is None else maintenant - commence,
    )
    return ligne.get()


def points_de(client) -> tuple[int, dict[str, str]]:
    reponse = client.get(PRET)
    corps = reponse.json()
    assert corps["etat"] == ("ok" if reponse.status_code == 200 else "pas prêt")
    return reponse.status_code, corps["points"]


# --- Vivant ---------------------------------------------------------------------------------------


def test_vivant_ne_touche_ni_a_la_base_ni_a_la_session(db, django_assert_num_queries):
    connecte = client_de(fabriques.utilisateur("agent"))
    with django_assert_num_queries(0):
        reponse = connecte.get(VIVANT)
    assert (reponse.status_code, reponse.json()) == (200, {"etat": "ok"})
    assert not reponse.cookies


def test_vivant_repond_sans_base(client):
    # Sans la marque django_db, toute requête est une erreur.
    assert client.get(VIVANT).status_code == 200


@pytest.mark.parametrize("adresse", ["/sante/", VIVANT, PRET])
def test_la_supervision_demande_en_clair_depuis_la_machine(db, client, adresse):
    with override_settings(SECURE_SSL_REDIRECT=True):
        reponse = client.get(adresse)
    assert reponse.status_code == 200
    assert "no-store" in reponse["Cache-Control"]


# --- Prêt -----------------------------------------------------------------------------------------


def test_un_site_en_etat_est_pret(db, client):
    assert points_de(client) == (200, TOUT_VA)


def test_une_migration_a_appliquer_n_est_pas_prete(db, client):
    MigrationRecorder(connection).record_unapplied("comptes", "0006_courriels_confidentiels_et_comptes_anonymises")
    assert points_de(client) == (503, TOUT_VA | {"migrations": "des migrations restent à appliquer"})


def test_une_tache_que_personne_ne_prend_dit_que_l_ouvrier_manque(db, client):
    attendre(timedelta(minutes=6))
    code, lus = points_de(client)
    assert (code, lus["ouvrier"]) == (503, "des tâches attendent : l'ouvrier ne les prend pas")


def test_une_tache_qui_vient_d_etre_demandee_n_inquiete_pas(db, client):
    attendre(timedelta(minutes=1))
    assert points_de(client) == (200, TOUT_VA)


def test_une_tache_prevue_pour_plus_tard_n_attend_pas(db, client):
    tache = attendre(timedelta(days=2))
    DBTaskResult.objects.filter(pk=tache.pk).update(run_after=timezone.now() + timedelta(minutes=1))
    assert points_de(client) == (200, TOUT_VA)


def test_une_longue_tache_explique_que_les_autres_attendent(db, client):
    attendre(timedelta(hours=1), statut="RUNNING", commence=timedelta(hours=1))
    attendre(timedelta(minutes=30))
    assert points_de(client) == (200, TOUT_VA)


def test_une_tache_orpheline_n_excuse_pas_un_ouvrier_mort(db, client):
    attendre(timedelta(days=1), statut="RUNNING", commence=timedelta(hours=7))
    attendre(timedelta(minutes=30))
    assert points_de(client)[0] == 503


def test_un_disque_presque_plein_n_est_pas_pret(db, client, monkeypatch):
    monkeypatch.setattr(points, "PLACE_MINIMALE", 1 << 62)
    assert points_de(client) == (503, TOUT_VA | {"disque": "il n'y a presque plus de place"})


def test_un_dossier_ou_l_on_n_ecrit_plus_n_est_pas_pret(db, client, settings):
    # Un système de fichiers où personne n'écrit, pas même l'administrateur de la machine.
    settings.MEDIA_ROOT = "/proc/self/fd"
    assert points_de(client) == (503, TOUT_VA | {"disque": "le disque n'accepte pas d'écriture"})


def test_l_essai_d_ecriture_ne_laisse_rien(db, client, tmp_path):
    assert points_de(client)[0] == 200
    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_sans_base_pret_le_dit_et_ne_dit_rien_de_plus(client):
    with connection.cursor() as curseur:
        curseur.execute("ALTER TABLE django_migrations RENAME TO django_migrations_cachee")
    try:
        code, lus = points_de(client)
    finally:
        with connection.cursor() as curseur:
            curseur.execute("ALTER TABLE django_migrations_cachee RENAME TO django_migrations")
    perdue = "la base ne répond pas"
    assert (code, lus) == (503, {"base": perdue, "migrations": perdue, "ouvrier": perdue, "disque": "ok"})
