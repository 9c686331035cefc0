"""De SQLite à PostgreSQL : la même base, relue ligne à ligne des deux côtés.

Dans l'étape PostgreSQL, le départ est un SQLite rempli pour l'occasion, l'arrivée une base de plus sur le serveur
jetable. Dans l'étape SQLite, il n'y a pas de serveur : on y éprouve ce qui se refuse avant de le joindre.
"""

import json
from collections.abc import Iterator

import pytest

from exploitation.sauvegarde.erreurs import TransfertImpossible
from exploitation.sauvegarde.transfert import lire_l_adresse
from tests.site_jetable import SiteJetable, attendre, base_postgresql, site, site_rempli, sur_postgresql, tuer

__all__ = ["site", "site_rempli"]

pytestmark = pytest.mark.xdist_group("sauvegarde")

# Le schéma d'après les modèles, sans rejouer les migrations : dix fois moins long. Leurs noms se notent quand même.
CREER = """
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
call_command("migrate", run_syncdb=True, verbosity=0)
enregistreur = MigrationRecorder(connection)
enregistreur.ensure_schema()
from exploitation.sauvegarde.base import migrations_connues
settings.MIGRATION_MODULES = {}
for application, nom in migrations_connues():
    enregistreur.record_applied(application, nom)
from tests.remplissage import remplir
remplir()
"""


@pytest.fixture(scope="module")
def depart_sqlite(tmp_path_factory) -> SiteJetable:
    dossier = tmp_path_factory.mktemp("depart")
    (dossier / "donnees" / "fichiers").mkdir(parents=True)
    depart = SiteJetable(dossier, f"sqlite:///{dossier}/donnees/base.sqlite3")
    depart.avec(SANS_MIGRATIONS="1").executer(CREER)
    return depart


@pytest.fixture
def arrivee(db, tmp_path) -> Iterator[SiteJetable]:
    with base_postgresql() as url:
        yield SiteJetable(tmp_path, url)


def test_l_adresse_d_arrivee_se_lit_sans_se_montrer():
    assert lire_l_adresse("postgres://u:p@h:5/b")["NAME"] == "b"
    for mauvaise in (
        "mysql://u:secret@h/b",
        "postgres://u:secret@h:cinq/b",
        "postgres://u:secret@h/",
        "n'importe quoi",
    ):
        with pytest.raises(TransfertImpossible) as refus:
            lire_l_adresse(mauvaise)
        assert "secret" not in str(refus.value)


def test_sans_serveur_ou_deja_sur_postgresql_le_transfert_se_refuse_et_ne_touche_a_rien(site):
    avant = site.contenu()
    nulle_part = "postgres://u:secret@127.0.0.1:1/b"
    dit = site.avec(DATABASE_URL_ARRIVEE=nulle_part).manage("transferer", code=1)
    assert ("déjà sur PostgreSQL" if sur_postgresql() else "ne répond pas") in dit
    assert "secret" not in dit
    assert site.contenu() == avant


# --- Sur le serveur jetable ------------------------------------------------------------------------


# Chaque site dit ce que l'ORM y lit, sans passer par la comparaison que fait la commande.
DIRE = """
import hashlib, json
from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
tout = {}
for modele in apps.get_models(include_auto_created=True):
    champs = [champ.attname for champ in modele._meta.local_concrete_fields]
    lues = modele._base_manager.order_by("pk").values(*champs)
    tout[modele._meta.db_table] = [
        json.dumps({n: bytes(v).hex() if isinstance(v, (bytes, memoryview)) else v for n, v in ligne.items()},
                   cls=DjangoJSONEncoder, sort_keys=True)
        for ligne in lues
    ]
print(json.dumps(tout))
"""
NULS = "SELECT count(*) FROM comptes_lignedelot WHERE {} = 'null'"


def dit_par_l_orm(site: SiteJetable) -> dict[str, list[str]]:
    return json.loads(site.manage("shell", "--no-imports", "-c", DIRE))


def _travaille(base) -> bool:
    """Une autre connexion a commencé à écrire. PostgreSQL fige cette vue pour toute une transaction."""
    base.rollback()
    with base.cursor() as curseur:
        curseur.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_xid IS NOT NULL"
        )
        return curseur.fetchone()[0] > 0


def _verifier_ce_que_l_orm_ne_dit_pas(arrivee: SiteJetable, depart: SiteJetable) -> None:
    """« Nul » en JSON n'est pas l'absence de valeur ; le numéro d'une ligne effacée ne ressert pas."""
    with arrivee.base() as vers, depart.base() as de:
        curseur, source = vers.cursor(), de.cursor()
        curseur.execute(NULS.format("avant::text"))
        source.execute(NULS.format("avant"))
        assert curseur.fetchone() == source.fetchone() == (1,)
        curseur.execute("SELECT nextval(pg_get_serial_sequence('comptes_lot', 'id')) - max(id) FROM comptes_lot")
        assert curseur.fetchone()[0] == 2


if sur_postgresql():

    def test_le_transfert_rend_la_meme_base(arrivee, depart_sqlite):
        avant = dit_par_l_orm(depart_sqlite)
        vers = depart_sqlite.avec(DATABASE_URL_ARRIVEE=arrivee.url)

        # Tué en pleine copie, il ne laisse rien ; relancé, il repart d'une base vide.
        processus = vers.lancer("transferer")
        with arrivee.base() as base:
            attendre(lambda: _travaille(base), processus)
        tuer(processus)
        assert arrivee.schema() == {}

        dit = vers.manage("transferer")
        assert "identiques champ par champ" in dit
        assert arrivee.url.split(":")[2].partition("@")[0] not in dit
        apres = dit_par_l_orm(arrivee)
        traces = [
            json.loads(trace)["objet"] for trace in set(apres.pop("comptes_trace")) - set(avant["comptes_trace"])
        ]
        assert traces == ["Transfert de SQLite vers PostgreSQL"]
        assert apres == {table: lignes for table, lignes in avant.items() if table != "comptes_trace"}
        _verifier_ce_que_l_orm_ne_dit_pas(arrivee, depart_sqlite)

        refus = vers.manage("transferer", code=1)
        assert "n'est pas vide" in refus
        assert dit_par_l_orm(depart_sqlite) == avant

    def test_une_ligne_que_postgresql_refuse_se_nomme_et_rien_n_est_ecrit(arrivee, depart_sqlite, tmp_path):
        copie = SiteJetable(tmp_path, f"sqlite:///{tmp_path}/base.sqlite3")
        with depart_sqlite.base() as source, copie.base() as base:
            source.backup(base)
            base.execute("UPDATE comptes_siren SET libelle = ?", ["x" * 201])
            base.commit()
        dit = copie.avec(DATABASE_URL_ARRIVEE=arrivee.url).manage("transferer", code=1)
        assert "PostgreSQL refuse la ligne 1 de comptes_siren" in dit
        assert arrivee.schema() == {}
