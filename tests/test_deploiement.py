"""Ce qu'une installation copie telle quelle : les unités systemd et les réglages de gunicorn disent vrai."""

import configparser
import http.client
import importlib.util
import os
import shlex
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import get_commands

from scripts.etapes import REGLAGES_NEUTRES

RACINE = Path(__file__).resolve().parent.parent
SITE, OUVRIER = "commande-responsable.service", "commande-responsable-ouvrier.service"
RAPPELS, HEURE = "commande-responsable-rappels.service", "commande-responsable-rappels.timer"
# Ce qui distingue l'ouvrier du site ; tout le reste, durcissement compris, est commun.
PROPRE_A_CHACUN = {"Type", "ExecStart", "TimeoutStopSec"}


def unite(nom: str) -> configparser.ConfigParser:
    lue = configparser.ConfigParser(interpolation=None)
    lue.optionxform = str
    lue.read_string((RACINE / "docs" / "systemd" / nom).read_text())
    return lue


def commande(nom: str) -> list[str]:
    return shlex.split(unite(nom)["Service"]["ExecStart"])


@pytest.mark.parametrize("nom", [SITE, OUVRIER])
def test_une_unite_lance_l_environnement_du_projet_sous_un_compte_a_elle(nom):
    service = unite(nom)["Service"]
    dossier = service["WorkingDirectory"]
    assert commande(nom)[0] == f"{dossier}/.venv/bin/python"
    assert service["User"] not in ("", "root")
    assert service["ReadWritePaths"] == f"{dossier}/donnees"
    assert service["ProtectSystem"] == "strict"
    assert unite(nom)["Install"]["WantedBy"] == "multi-user.target"


def test_les_deux_unites_ont_les_memes_reglages():
    site, ouvrier = dict(unite(SITE)["Service"]), dict(unite(OUVRIER)["Service"])
    assert {nom for nom in site | ouvrier if site.get(nom) != ouvrier.get(nom)} == PROPRE_A_CHACUN


def test_les_rappels_sont_lances_chaque_jour_ouvre_sous_les_memes_protections():
    site, rappels = dict(unite(SITE)["Service"]), dict(unite(RAPPELS)["Service"])
    # Une commande finit : rien à relancer ni à attendre.
    qui_durent = {"KillMode", "Restart", "RestartSec"} | PROPRE_A_CHACUN
    assert {nom for nom in site | rappels if site.get(nom) != rappels.get(nom)} == qui_durent
    _, script, nom = commande(RAPPELS)
    assert (script, nom in get_commands()) == ("manage.py", True)
    assert unite(HEURE)["Timer"]["Persistent"] == "true"
    assert HEURE.removesuffix(".timer") == RAPPELS.removesuffix(".service")


def test_l_unite_du_site_designe_gunicorn_et_ses_reglages():
    _, *arguments = commande(SITE)
    assert arguments[:3] == ["-m", "gunicorn", "--config"]
    assert importlib.util.find_spec("gunicorn")
    assert (RACINE / arguments[3]).is_file()


def test_l_unite_de_l_ouvrier_designe_une_commande_de_gestion():
    _, script, nom = commande(OUVRIER)
    assert (RACINE / script).is_file()
    assert nom in get_commands()


@pytest.mark.parametrize(("proxys", "cru"), [("0", False), ("1", True)])
def test_seul_un_serveur_frontal_declare_peut_dire_que_la_demande_etait_chiffree(tmp_path, proxys, cru):
    """gunicorn croit de lui-même les en-têtes venus de la machine : il ne doit pas décider à la place de Django."""
    with socket.create_server(("127.0.0.1", 0)) as prise:
        port = prise.getsockname()[1]
    variables = REGLAGES_NEUTRES | {
        "DJANGO_SETTINGS_MODULE": "commande_responsable.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'base.sqlite3'}",
        "HTTPS": "1",
        "PROXYS_DE_CONFIANCE": proxys,
        "PORT": str(port),
    }
    with subprocess.Popen([sys.executable, *commande(SITE)[1:]], cwd=RACINE, env=os.environ | variables) as serveur:
        try:
            vers = redirection(port, {"X-Forwarded-Proto": "https"}, serveur)
        finally:
            serveur.terminate()
    # Pas chiffrée : renvoyée à la même adresse en https. Chiffrée : conduite à la connexion.
    assert ("/connexion/" in vers) is cru, vers
    assert serveur.returncode == 0


def redirection(port: int, en_tetes: dict[str, str], serveur: subprocess.Popen) -> str:
    """Où mène l'accueil, dès que le serveur répond."""
    fin = time.monotonic() + 30
    while serveur.poll() is None and time.monotonic() < fin:
        connexion = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connexion.request("GET", "/", headers=en_tetes)
            return connexion.getresponse().getheader("Location", "")
        except ConnectionRefusedError:
            time.sleep(0.1)
        finally:
            connexion.close()
    raise AssertionError("gunicorn n'a pas démarré")


def test_le_readme_copie_des_fichiers_qui_existent():
    mots = (RACINE / "README.md").read_text().replace("`", " ").split()
    cites = {mot.strip("(),.;") for mot in mots if mot.startswith("docs/")}
    assert cites >= {"docs/systemd/*.service", "docs/nginx.conf"}
    assert [cite for cite in cites if not list(RACINE.glob(cite))] == []
