"""Ce que les épreuves partagent : un modèle de base prêt à servir, copié pour chaque épreuve.

Le moteur est celui de l'étape en cours (`make test` en passe deux). Le modèle part de la base d'essai, déjà migrée.
"""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.epreuves.postgres import COMPTE, Postgres, binaire
from tests.epreuves.site import Site

MODELE = "modele"
# La longue charge prend la démonstration complète.
DEMONSTRATION = os.environ.get("EPREUVE_DEMONSTRATION", "preparer_demo")


def verser(depuis: str, vers: str) -> None:
    """Le contenu d'une base PostgreSQL dans une autre, vide."""
    copie = subprocess.run(
        [binaire("pg_dump"), "--no-owner", "--no-privileges", depuis], check=True, capture_output=True
    )
    options = ["-q", "-X", "-v", "ON_ERROR_STOP=1", vers]
    subprocess.run([binaire("psql"), *options], input=copie.stdout, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def dossier_des_epreuves() -> Iterator[Path]:
    """Hors du dossier de pytest, que le compte postgres ne peut pas traverser."""
    with tempfile.TemporaryDirectory(prefix="epreuves.", ignore_cleanup_errors=True) as dossier:
        Path(dossier).chmod(0o711)
        yield Path(dossier)


@pytest.fixture(scope="session")
def postgres(dossier_des_epreuves) -> Iterator[Postgres]:
    serveur = Postgres(dossier_des_epreuves / "postgres")
    yield serveur
    serveur.arreter("immediate")


@pytest.fixture(scope="session")
def copier_la_base_d_essai(django_db_setup, django_db_blocker, dossier_des_epreuves, request) -> Callable[[], str]:
    """Pose dans une base à part le schéma et les lignes d'une base neuve ; rend l'adresse."""

    def sqlite() -> str:
        chemin = dossier_des_epreuves / f"{MODELE}.sqlite3"
        with django_db_blocker.unblock():
            connection.ensure_connection()
            vers = sqlite3.connect(chemin)
            connection.connection.backup(vers)
            vers.close()
        return f"sqlite:///{chemin}"

    def postgresql() -> str:
        serveur = request.getfixturevalue("postgres")
        serveur.executer(f"CREATE DATABASE {MODELE}")
        base = connection.settings_dict
        depuis = f"postgres://{base['USER']}:{base['PASSWORD']}@{base['HOST']}:{base['PORT']}/{base['NAME']}"
        verser(depuis, serveur.adresse(MODELE))
        return serveur.adresse(MODELE)

    return sqlite if connection.vendor == "sqlite" else postgresql


@pytest.fixture(scope="session")
def modele(copier_la_base_d_essai, dossier_des_epreuves) -> str:
    """L'adresse d'une base de démonstration, que rien n'ouvre : elle se copie."""
    adresse = copier_la_base_d_essai()
    Site(adresse, dossier_des_epreuves / "preparation").gerer(DEMONSTRATION)
    if adresse.startswith("sqlite"):
        chemin = adresse.removeprefix("sqlite:///")
        ferme = sqlite3.connect(chemin)
        ferme.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ferme.close()
    return adresse


@pytest.fixture
def copier_vers(modele, request) -> Callable[[Postgres], str]:
    """Copie le modèle dans un autre serveur PostgreSQL ; rend l'adresse de la copie."""

    def copier(serveur: Postgres) -> str:
        serveur.executer(f"CREATE DATABASE {MODELE}")
        verser(request.getfixturevalue("postgres").adresse(MODELE), serveur.adresse(MODELE))
        return serveur.adresse(MODELE)

    return copier


@pytest.fixture
def monter(modele, dossier_des_epreuves, tmp_path, request) -> Iterator[Callable[..., Site]]:
    """Fabrique de sites, chacun sur sa copie du modèle. Ne démarre rien ; arrête tout à la fin."""
    montes: list[Site] = []

    def un_site(dossier: Path | None = None, **variables: str) -> Site:
        if modele.startswith("sqlite"):
            chemin = (dossier or tmp_path) / f"site{len(montes)}.sqlite3"
            shutil.copy(modele.removeprefix("sqlite:///"), chemin)
            base = f"sqlite:///{chemin}"
        else:
            nom = f"site_{request.node.name.partition('[')[0][-30:]}_{len(montes)}".lower()
            serveur = request.getfixturevalue("postgres")
            serveur.executer(f'CREATE DATABASE "{nom}" TEMPLATE {MODELE} OWNER {COMPTE}')
            base = serveur.adresse(nom)
        montes.append(Site(base, dossier or tmp_path, **variables))
        return montes[-1]

    yield un_site
    for site in montes:
        site.tuer()


@pytest.fixture
def site(monter) -> Site:
    """Un site qui répond."""
    monte = monter()
    monte.demarrer()
    return monte
