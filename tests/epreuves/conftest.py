"""Ce que les épreuves partagent : un modèle de base prêt à servir, copié pour chaque épreuve.

Le moteur est celui de l'étape en cours (`make test` en passe deux). Le modèle part de la base d'essai, déjà migrée.
"""

import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.epreuves.postgres import COMPTE, Postgres, binaire
from tests.epreuves.site import Site

MODELE = "modele"
DEMONSTRATION = "preparer_demo"


@pytest.fixture(scope="session")
def dossier_des_epreuves(tmp_path_factory) -> Path:
    """Le compte postgres doit pouvoir y entrer."""
    dossier = tmp_path_factory.mktemp("epreuves")
    for parent in (dossier, *dossier.parents):
        if parent.owner() == dossier.owner() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    return dossier


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
        # Sans « TRANSACTION » autour : ce que le serveur n'a pas (un droit d'un autre compte) n'arrête rien.
        copie = subprocess.run(
            [binaire("pg_dump"), "--no-owner", "--no-privileges", depuis], check=True, capture_output=True
        )
        options = ["-q", "-X", "-v", "ON_ERROR_STOP=1", serveur.adresse(MODELE)]
        subprocess.run([binaire("psql"), *options], input=copie.stdout, check=True, stdout=subprocess.DEVNULL)
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
        site.arreter()


@pytest.fixture
def site(monter) -> Site:
    """Un site qui répond."""
    monte = monter()
    monte.demarrer()
    return monte
