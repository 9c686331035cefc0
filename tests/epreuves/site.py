"""Le site tel qu'en production : gunicorn à deux processus, sur une base jetable que l'épreuve malmène."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import requests

from scripts.etapes import RACINE, REGLAGES_NEUTRES
from tests.smtp import port_libre

MOT_DE_PASSE = "epreuve-epreuve-2026"
PATIENCE = 60.0


def attendre(condition: Callable[[], object], quoi: str, patience: float = PATIENCE) -> None:
    """Sonde jusqu'à ce que ce soit vrai ; l'épreuve échoue en disant `quoi` si cela n'arrive pas."""
    fin = time.monotonic() + patience
    while not condition():
        if time.monotonic() > fin:
            raise AssertionError(f"{quoi} : pas au bout de {patience:.0f} s")
        time.sleep(0.05)


class Site:
    """`base` : une adresse pour DATABASE_URL ; `dossier` : fichiers déposés et journal. Rien ne tourne encore."""

    def __init__(self, base: str, dossier: Path, **variables: str) -> None:
        self.base, self.dossier, self.port = base, dossier, port_libre()
        self.fichiers = dossier / "fichiers"
        self.fichiers.mkdir(parents=True, exist_ok=True)
        self.variables = variables
        self.serveur: subprocess.Popen | None = None

    @property
    def adresse(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def moteur(self) -> str:
        return self.base.partition(":")[0]

    @property
    def journal(self) -> str:
        """Ce que le serveur a écrit sur sa sortie d'erreur depuis le début."""
        return (self.dossier / "serveur.log").read_text(encoding="utf-8", errors="replace")

    def environnement(self) -> dict[str, str]:
        return (
            os.environ
            | REGLAGES_NEUTRES
            | {
                "DJANGO_SETTINGS_MODULE": "tests.epreuves.reglages",
                "DATABASE_URL": self.base,
                "EPREUVES_FICHIERS": str(self.fichiers),
                "PORT": str(self.port),
                "WEB_CONCURRENCY": "2",
                "ADRESSE_DU_SITE": self.adresse,
                "DEMO_MOT_DE_PASSE": MOT_DE_PASSE,
                "API": "1",
            }
            | self.variables
        )

    # --- Le serveur -------------------------------------------------------------------------------

    def demarrer(self, *prefixe: str) -> None:
        """Lance gunicorn dans son groupe de processus et attend qu'il réponde. `prefixe` : une commande qui le lance
        (faketime)."""
        commande = [*prefixe, sys.executable, "-m", "gunicorn", "--config", "commande_responsable/gunicorn.conf.py"]
        with open(self.dossier / "serveur.log", "ab") as sortie:
            self.serveur = subprocess.Popen(
                commande, cwd=RACINE, env=self.environnement(), stdout=sortie, stderr=sortie, start_new_session=True
            )
        attendre(self.repond, "gunicorn répond")

    def repond(self) -> bool:
        if self.serveur is None or self.serveur.poll() is not None:
            raise AssertionError(f"gunicorn s'est arrêté :\n{self.journal}")
        try:
            return self.sante() is not None
        except requests.ConnectionError:
            return False

    def sante(self) -> int:
        return requests.get(f"{self.adresse}/sante/", timeout=30).status_code

    def tuer(self) -> None:
        """kill -9 de tout le groupe : le maître et ses processus, au milieu de ce qu'ils faisaient."""
        if self.serveur is not None:
            os.killpg(self.serveur.pid, signal.SIGKILL)
            self.serveur.wait(timeout=30)
            self.serveur = None

    def arreter(self) -> None:
        if self.serveur is not None:
            self.serveur.terminate()
            try:
                self.serveur.wait(timeout=40)
            except subprocess.TimeoutExpired:
                self.tuer()
            self.serveur = None

    def processus(self) -> list[int]:
        """Ceux de gunicorn, le maître d'abord."""
        assert self.serveur is not None
        enfants = Path(f"/proc/{self.serveur.pid}/task/{self.serveur.pid}/children").read_text().split()
        return [self.serveur.pid, *map(int, enfants)]

    # --- La base ------------------------------------------------------------------------------------

    def gerer(self, *arguments: str, verifier: bool = True) -> subprocess.CompletedProcess:
        """Une commande de gestion, sur cette base."""
        resultat = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=RACINE,
            env=self.environnement(),
            capture_output=True,
            text=True,
            timeout=120,
        )
        if verifier and resultat.returncode:
            raise AssertionError(f"manage.py {' '.join(arguments)} :\n{resultat.stdout}\n{resultat.stderr}")
        return resultat

    def lire(self, requete: str, *parametres: object) -> list[tuple]:
        """Lu par le pilote, à côté de Django : ce qui est vraiment dans la base. `?` attend un paramètre."""
        if self.moteur == "sqlite":
            connexion = sqlite3.connect(self.base.removeprefix("sqlite:///"), timeout=30)
        else:
            connexion = psycopg2.connect(self.base)
        try:
            curseur = connexion.cursor()
            if self.moteur == "sqlite":
                curseur.execute(requete, parametres)
            else:
                # Sans paramètre, le « % » d'un LIKE reste un « % ».
                curseur.execute(requete.replace("?", "%s"), parametres or None)
            lignes = curseur.fetchall()
            curseur.close()
            return lignes
        finally:
            connexion.close()

    @contextmanager
    def ouvrir(self) -> Iterator[sqlite3.Connection]:
        """Une autre connexion à la base SQLite, dont l'épreuve tient les transactions."""
        connexion = sqlite3.connect(self.base.removeprefix("sqlite:///"), isolation_level=None, timeout=30)
        try:
            yield connexion
        finally:
            connexion.close()

    def un(self, requete: str, *parametres: object):
        """La première colonne de la première ligne."""
        return self.lire(requete, *parametres)[0][0]
