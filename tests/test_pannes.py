"""Une panne de la machine se reconnaît, se dit, et ne se confond pas avec une erreur de programmation.

Les vraies pannes, sous un vrai gunicorn, sont dans `tests/epreuves/`.
"""

import contextlib
import errno
import sqlite3
from html import unescape

import psycopg2
import pytest
from django.core.files.base import ContentFile, File
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.test import RequestFactory

from commande_responsable.erreurs import indisponible, panne
from commande_responsable.pannes import Panne, SuivreLesEcritures, panne_de, rien_n_est_enregistre
from comptes.models import Service
from socle.stockage import FichiersEntiers
from tests import fabriques
from tests.smtp import port_libre


def levee(faire, classe: type[Exception] = OperationalError) -> Exception:
    """L'erreur de Django pour ce que le pilote lève."""
    try:
        faire()
    except (sqlite3.Error, psycopg2.Error) as pilote:
        erreur = classe("une phrase du pilote")
        erreur.__cause__ = pilote
        return erreur
    raise AssertionError("rien n'a été levé")


# --- Reconnaître --------------------------------------------------------------------------------


@pytest.fixture
def base(tmp_path):
    chemin = tmp_path / "base.sqlite3"
    ouverte = sqlite3.connect(chemin, timeout=0, isolation_level=None)
    ouverte.execute("CREATE TABLE mot (texte TEXT)")
    yield ouverte
    ouverte.close()


def ecrire(base: sqlite3.Connection, texte: str = "mot") -> None:
    base.execute("INSERT INTO mot VALUES (?)", [texte])


def test_une_base_sqlite_verrouillee_est_une_panne(base, tmp_path):
    autre = sqlite3.connect(tmp_path / "base.sqlite3", timeout=0, isolation_level=None)
    autre.execute("BEGIN IMMEDIATE")
    assert panne_de(levee(lambda: ecrire(base))) is Panne.OCCUPEE
    autre.close()


def test_une_base_sqlite_ouverte_en_lecture_est_une_panne(base, tmp_path):
    lecture = sqlite3.connect(f"file:{tmp_path / 'base.sqlite3'}?mode=ro", uri=True)
    assert panne_de(levee(lambda: ecrire(lecture))) is Panne.LECTURE_SEULE
    lecture.close()


def test_une_base_sqlite_qui_ne_peut_plus_grandir_est_une_panne(base):
    base.execute("PRAGMA max_page_count = 2")
    assert panne_de(levee(lambda: ecrire(base, "x" * 10_000))) is Panne.DISQUE_PLEIN


def test_un_fichier_qui_n_est_pas_une_base_est_une_panne(tmp_path):
    (tmp_path / "faux").write_bytes(b"pas une base" * 500)
    fausse = sqlite3.connect(tmp_path / "faux")
    assert panne_de(levee(lambda: fausse.execute("SELECT * FROM mot"), DatabaseError)) is Panne.BASE
    fausse.close()


def test_un_postgresql_eteint_est_une_panne():
    adresse = f"postgres://x:y@127.0.0.1:{port_libre()}/rien"
    assert panne_de(levee(lambda: psycopg2.connect(adresse))) is Panne.BASE


@pytest.mark.parametrize("ordre", ["SELECT * FROM absente", "SELECT colonne FROM mot", "SELEC 1"])
def test_du_sql_faux_reste_une_erreur_de_programmation(base, ordre):
    assert panne_de(levee(lambda: base.execute(ordre))) is None


def test_la_panne_se_retrouve_sous_l_erreur_qu_elle_entraine(base):
    base.execute("PRAGMA query_only = 1")
    suite = transaction.TransactionManagementError("la transaction est fermée")
    suite.__context__ = levee(lambda: ecrire(base))
    assert panne_de(suite) is Panne.LECTURE_SEULE


@pytest.mark.parametrize(
    ("erreur", "attendue"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), Panne.DISQUE_PLEIN),
        (OSError(errno.EFBIG, "File too large"), Panne.DISQUE_PLEIN),
        (OSError(errno.EROFS, "Read-only file system"), Panne.DISQUE),
        (FileNotFoundError(errno.ENOENT, "absent"), None),
        (KeyError("nom"), None),
        (OperationalError("sans pilote"), None),
        (InterfaceError("sans pilote"), None),
        (None, None),
    ],
)
def test_un_disque_plein_est_une_panne_et_le_reste_une_erreur(erreur, attendue):
    assert panne_de(erreur) is attendue


# --- Dire ----------------------------------------------------------------------------------------


def test_une_erreur_de_programmation_reste_un_500():
    try:
        raise KeyError("nom")
    except KeyError:
        assert panne(RequestFactory().get("/")).status_code == 500


def test_la_page_de_panne_redit_ce_qui_etait_tape_sans_les_secrets():
    tapes = {"texte": "<b>Deux</b>\nlignes", "password": "secret-1", "version": "4"}
    envoi = RequestFactory().post("/", {**tapes, "fichier": ContentFile(b"x", name="note.txt")})
    reponse = indisponible(envoi, Panne.DISQUE_PLEIN)
    page = unescape(reponse.content.decode())
    assert reponse.status_code == 503
    assert "Le disque du serveur est plein. Rien de votre envoi n'a été enregistré." in page
    assert "&lt;b&gt;Deux&lt;/b&gt;<br>lignes" in reponse.content.decode()
    assert "note.txt" in page
    assert "secret-1" not in page


def test_la_page_de_panne_ne_touche_pas_la_base():
    """Sans la marque django_db, une requête ferait échouer l'essai."""
    assert indisponible(RequestFactory().get("/"), Panne.BASE).status_code == 503


def test_l_api_dit_la_panne_en_json():
    reponse = indisponible(RequestFactory().get("/api/v1/plans"), Panne.BASE)
    assert reponse["Content-Type"] == "application/json"
    assert b"La base de donn\xc3\xa9es ne r\xc3\xa9pond pas." in reponse.content


# --- Ce qu'il est advenu de l'envoi ---------------------------------------------------------------


def apres(vue) -> bool:
    """Ce que dirait une page de panne une fois `vue` passée."""
    dit = []

    def repondre(request):
        with contextlib.suppress(DatabaseError):
            vue()
        dit.append(rien_n_est_enregistre())

    SuivreLesEcritures(repondre)(RequestFactory().post("/"))
    return dit[0]


def renommer(pk: int, nom: str) -> None:
    service = Service.objects.get(pk=pk)
    service.nom = nom
    service.save()


def tomber() -> None:
    with connection.cursor() as curseur:
        curseur.execute("SELECT colonne FROM une_table_absente")


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_on_sait_si_un_envoi_interrompu_a_ete_enregistre():
    pk = fabriques.service("Achats").pk

    def dans_la_transaction():
        with transaction.atomic():
            renommer(pk, "Marchés")
            tomber()

    def une_fois_validee():
        with transaction.atomic():
            renommer(pk, "Commande publique")
        tomber()

    def sans_suite():
        renommer(pk, "Achats responsables")

    assert apres(tomber) is True
    assert apres(dans_la_transaction) is True
    assert Service.objects.get(pk=pk).nom == "Achats"
    assert apres(une_fois_validee) is False
    assert apres(sans_suite) is False


# --- Les fichiers ---------------------------------------------------------------------------------


class DisquePlein(File):
    """Un envoi dont le troisième morceau ne tient plus sur le disque."""

    def chunks(self, chunk_size=None):
        yield b"un"
        yield b"deux"
        raise OSError(errno.ENOSPC, "No space left on device")


def test_un_fichier_qui_ne_tient_pas_ne_laisse_rien(tmp_path):
    depot = FichiersEntiers(location=tmp_path)
    with pytest.raises(OSError, match="No space"):
        depot.save("documents/2024/note", DisquePlein(None, name="note"))
    assert [chemin for chemin in tmp_path.rglob("*") if chemin.is_file()] == []


def test_un_fichier_entier_a_son_nom_et_son_contenu(tmp_path):
    depot = FichiersEntiers(location=tmp_path)
    nom = depot.save("documents/2024/note", ContentFile(b"trois mots seulement"))
    assert nom == "documents/2024/note"
    assert [chemin.name for chemin in tmp_path.rglob("*") if chemin.is_file()] == ["note"]
    assert (tmp_path / nom).read_bytes() == b"trois mots seulement"
