"""Un PostgreSQL à soi, que l'épreuve arrête, tue et relance. Celui des autres essais n'en sait rien."""

import os
import secrets
import shutil
import subprocess
from pathlib import Path

import psycopg2

from tests.smtp import port_libre

COMPTE = "epreuves"


def binaire(nom: str) -> str:
    """Debian range les binaires par version, hors du PATH : on prend la plus récente."""
    trouves = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{nom}"), key=lambda chemin: int(chemin.parts[-3]))
    chemin = str(trouves[-1]) if trouves else shutil.which(nom)
    if chemin is None:
        raise RuntimeError(f"{nom} est introuvable. Sur Debian ou Ubuntu : apt install postgresql.")
    return chemin


def comme_postgres(*commande: str, **options) -> subprocess.CompletedProcess:
    """initdb et le serveur refusent root : sous root, tout passe par le compte du paquet Debian."""
    if os.getuid() == 0:
        commande = ("runuser", "-u", "postgres", "--", *commande)
    # Le serveur survit à pg_ctl et hériterait de ses sorties : lues, elles ne se fermeraient jamais.
    resultat = subprocess.run(
        commande, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd="/", **options
    )
    if resultat.returncode:
        raise RuntimeError(f"{commande} : {resultat.stderr}")
    return resultat


class Postgres:
    """`dossier` : vide, au compte postgres quand l'épreuve tourne sous root. `synchronous_commit` reste celui de
    production : une écriture répondue est dans le journal du serveur, qui peut mourir."""

    def __init__(self, dossier: Path, **reglages: str) -> None:
        self.dossier, self.port = dossier / "donnees", port_libre()
        self.mot_de_passe = secrets.token_hex(16)
        # Sans fsync : c'est PostgreSQL qu'on tue, pas la machine. Peu de journaux : un petit disque doit suffire.
        self.reglages = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "off",
            "shared_buffers": "32MB",
            **reglages,
        }
        dossier.mkdir(parents=True, exist_ok=True)
        secret = dossier / "mot_de_passe"
        secret.write_text(self.mot_de_passe)
        if os.getuid() == 0:
            shutil.chown(dossier, "postgres")
            shutil.chown(secret, "postgres")
        options = ["-U", COMPTE, f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"]
        comme_postgres(binaire("initdb"), "-D", str(self.dossier), *options, "--no-sync", "--wal-segsize=1")
        self.demarrer()

    def adresse(self, base: str) -> str:
        return f"postgres://{COMPTE}:{self.mot_de_passe}@127.0.0.1:{self.port}/{base}"

    def demarrer(self) -> None:
        reglages = " ".join(f"-c {nom}={valeur}" for nom, valeur in self.reglages.items())
        journal = str(self.dossier.parent / "journal")
        self._piloter("start", "-w", "-t", "60", "-l", journal, "-o", reglages)

    def arreter(self, mode: str = "fast") -> None:
        """`fast` coupe les connexions ; `immediate` vaut une panne : le serveur se répare au redémarrage."""
        if (self.dossier / "postmaster.pid").exists():
            self._piloter("stop", "-m", mode)

    def _piloter(self, verbe: str, *options: str) -> None:
        comme_postgres(binaire("pg_ctl"), verbe, "-s", "-D", str(self.dossier), *options)

    def couper(self, base: str) -> None:
        """Ferme, du côté du serveur, toutes les connexions à cette base."""
        self.executer("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", base)

    def executer(self, ordre: str, *parametres: object) -> list[tuple]:
        connexion = psycopg2.connect(self.adresse("postgres"))
        try:
            connexion.autocommit = True
            with connexion.cursor() as curseur:
                curseur.execute(ordre, parametres or None)
                return curseur.fetchall() if curseur.description else []
        finally:
            connexion.close()
