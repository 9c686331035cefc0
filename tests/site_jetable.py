"""Un site à part, avec sa base et ses documents, que les commandes prennent, détruisent et remettent en vrai.

Son schéma est celui de la base des essais, recopié : le migrer coûterait vingt secondes à chaque fichier. Sa base est
du moteur en cours ; sur PostgreSQL, une base de plus sur le serveur jetable.
"""

import os
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

import psycopg2
import pytest
from django.conf import settings
from django.db import connection

from exploitation.sauvegarde.base import Lecteur
from exploitation.sauvegarde.moteur_postgresql import _lecteur
from exploitation.sauvegarde.moteur_sqlite import lecteur

RACINE = Path(__file__).resolve().parent.parent
ATTENTE = 180


def sur_postgresql() -> bool:
    return settings.DATABASES["default"]["ENGINE"].endswith("postgresql")


@dataclass(frozen=True)
class SiteJetable:
    """`dossier/donnees/` est ce que serait donnees/ ; `url` : sa DATABASE_URL."""

    dossier: Path
    url: str
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def donnees(self) -> Path:
        return self.dossier / "donnees"

    @property
    def fichiers(self) -> Path:
        return self.donnees / "fichiers"

    def avec(self, **variables: str) -> "SiteJetable":
        return replace(self, variables=self.variables | variables)

    # --- Commandes ---------------------------------------------------------------------------------

    @property
    def environnement(self) -> dict[str, str]:
        return os.environ | {
            "DJANGO_SETTINGS_MODULE": "tests.reglages_jetables",
            "SECRET_KEY": "cle-des-essais-0123456789-abcdefghijklmnopqrstuvwxyz-essais",
            "HTTPS": "0",
            "NIVEAU_DE_JOURNAL": "ERROR",
            "DATABASE_URL": self.url,
            "DOSSIER_DES_FICHIERS": str(self.fichiers),
            **self.variables,
        }

    def lancer(self, *arguments: str) -> subprocess.Popen:
        """Une commande dans son propre groupe de processus, pour la tuer avec ce qu'elle a lancé."""
        return subprocess.Popen(
            [sys.executable, "-W", "ignore::ResourceWarning", "manage.py", *map(str, arguments)],
            cwd=RACINE,
            env=self.environnement,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def manage(self, *arguments: str, entree: str = "", code: int = 0) -> str:
        """Lance la commande jusqu'au bout et rend ce qu'elle a dit ; `code` : celui qu'on attend."""
        processus = self.lancer(*arguments)
        dit, _ = processus.communicate(entree, timeout=ATTENTE)
        assert processus.returncode == code, dit
        return dit

    def executer(self, programme: str) -> None:
        """Exécute ce Python dans le site."""
        self.manage("shell", "--no-imports", "-c", programme)

    # --- Contenu -----------------------------------------------------------------------------------

    @contextmanager
    def base(self) -> Iterator:
        """Une connexion du pilote, hors de Django."""
        if self.url.startswith("sqlite"):
            with closing(sqlite3.connect(self.chemin, timeout=20)) as ouverte:
                yield ouverte
        else:
            with closing(psycopg2.connect(self.url)) as ouverte:
                yield ouverte

    @property
    def chemin(self) -> Path:
        return Path(self.url.removeprefix("sqlite:///"))

    @contextmanager
    def lecteur(self) -> Iterator[Lecteur]:
        if self.url.startswith("sqlite"):
            with lecteur(self.chemin) as lu:
                yield lu
        else:
            with self.base() as ouverte, ouverte.cursor() as curseur:
                yield _lecteur(curseur)

    def schema(self) -> dict[str, set[str]]:
        """Les colonnes de chaque table."""
        with self.lecteur() as lu:
            return lu.tables

    def contenu(self, colonnes: dict[str, list[str]] | None = None) -> dict[str, list[str]]:
        """Les lignes de chaque table telles que le pilote les lit, dans un ordre qui ne dépend que d'elles.

        `colonnes` : les seules tables à lire, et ce qu'on en lit. Une connexion pour toutes : PostgreSQL est lent à
        en ouvrir.
        """
        with self.lecteur() as lu:
            voulues = {table: sorted(noms) for table, noms in lu.tables.items()} if colonnes is None else colonnes
            return {table: _lignes(lu, table, voulues[table]) for table in sorted(voulues)}

    def documents(self) -> dict[str, bytes]:
        return {
            str(chemin.relative_to(self.fichiers)): chemin.read_bytes()
            for chemin in sorted(self.fichiers.rglob("*"))
            if chemin.is_file()
        }

    def detruire(self) -> None:
        """Ni base, ni documents : ce qui reste d'une machine après un incendie, une fois réinstallée."""
        shutil.rmtree(self.fichiers)
        if self.url.startswith("sqlite"):
            for reste in self.donnees.glob("base.sqlite3*"):
                reste.unlink()
        else:
            with self.base() as ouverte, ouverte.cursor() as curseur:
                curseur.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
                ouverte.commit()


def _lignes(lu: Lecteur, table: str, colonnes: list[str]) -> list[str]:
    noms = ", ".join(f'"{colonne}"' for colonne in colonnes)
    lues = lu.lire(f'SELECT {noms} FROM "{table}"')  # noqa: S608 - des noms lus en base
    return sorted(repr(_comparable(ligne)) for ligne in lues)


def _comparable(ligne: tuple) -> tuple:
    return tuple(bytes(valeur) if isinstance(valeur, memoryview) else valeur for valeur in ligne)


# --- Créer, copier ---------------------------------------------------------------------------------


@contextmanager
def base_vide(dossier: Path, *, modele: str = "") -> Iterator[str]:
    """L'adresse d'une base du moteur en cours, effacée à la fin ; `modele` : celle qu'on recopie."""
    (dossier / "donnees").mkdir(parents=True, exist_ok=True)
    if not sur_postgresql():
        chemin = dossier / "donnees" / "base.sqlite3"
        if modele:
            with closing(sqlite3.connect(modele)) as source, closing(sqlite3.connect(chemin)) as copie:
                source.backup(copie)
                copie.execute("PRAGMA journal_mode=WAL")
        yield f"sqlite:///{chemin}"
        return
    with base_postgresql(modele) as url:
        yield url


@contextmanager
def base_postgresql(modele: str = "") -> Iterator[str]:
    """Une base de plus sur le serveur des essais."""
    reglages = settings.DATABASES["default"]
    nom, serveur = (
        f"jetable_{secrets.token_hex(6)}",
        {
            "host": reglages["HOST"],
            "port": reglages["PORT"],
            "user": reglages["USER"],
            "password": reglages["PASSWORD"],
        },
    )
    with closing(psycopg2.connect(dbname="postgres", **serveur)) as admin:
        admin.autocommit = True
        with admin.cursor() as curseur:
            curseur.execute(f"CREATE DATABASE {nom}" + (f' TEMPLATE "{modele}"' if modele else ""))
        acces = f"{quote(serveur['user'])}:{quote(serveur['password'])}@{serveur['host']}:{serveur['port']}"
        try:
            yield f"postgres://{acces}/{nom}"
        finally:
            with admin.cursor() as curseur:
                curseur.execute(f"DROP DATABASE {nom} WITH (FORCE)")


def nom_de_la_base(url: str) -> str:
    """Ce que `base_vide(modele=…)` attend : un chemin SQLite, ou le nom d'une base du serveur."""
    return url.removeprefix("sqlite:///") if url.startswith("sqlite") else url.rpartition("/")[2]


@pytest.fixture(scope="module")
def site_rempli(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[SiteJetable]:
    """Un site avec de tout ; on n'y touche pas, on en prend une copie (`site`)."""
    dossier = tmp_path_factory.mktemp("site_rempli")
    with django_db_blocker.unblock():
        # PostgreSQL ne recopie une base que si personne n'y est connecté.
        connection.close()
        modele = str(connection.settings_dict["NAME"])
    with base_vide(dossier, modele=modele) as url:
        rempli = SiteJetable(dossier, url)
        rempli.fichiers.mkdir()
        rempli.executer("from tests.remplissage import remplir; remplir()")
        yield rempli


@pytest.fixture
def site(db, site_rempli, tmp_path) -> Iterator[SiteJetable]:
    """Une copie du site rempli, à soi. `db` fait créer la base des essais, dont le schéma se recopie."""
    shutil.copytree(site_rempli.fichiers, tmp_path / "donnees" / "fichiers")
    with base_vide(tmp_path, modele=nom_de_la_base(site_rempli.url)) as url:
        yield SiteJetable(tmp_path, url)


def attendre(condition, processus: subprocess.Popen | None = None) -> None:
    """Tourne jusqu'à ce que la condition soit vraie ; le processus ne doit pas finir avant."""
    limite = time.monotonic() + ATTENTE
    while not condition():
        assert time.monotonic() < limite, "rien n'est venu à temps"
        assert processus is None or processus.poll() is None, processus.communicate()[0]


def tuer(processus: subprocess.Popen) -> None:
    """kill -9, de la commande et de ce qu'elle a lancé."""
    os.killpg(processus.pid, signal.SIGKILL)
    processus.communicate()
