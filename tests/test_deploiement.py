"""Ce qu'une installation copie telle quelle : les unités systemd et les réglages de gunicorn disent vrai."""

import configparser
import http.client
import importlib.util
import os
import re
import runpy
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from django.apps import apps
from django.core.management import get_commands
from django.urls import reverse

from marches.depots import TAILLE_MAX
from scripts.etapes import REGLAGES_NEUTRES
from tests.test_reglages import variables_lues

RACINE = Path(__file__).resolve().parent.parent
SITE, OUVRIER = "commande-responsable.service", "commande-responsable-ouvrier.service"
UNITES = sorted((RACINE / "docs" / "systemd").iterdir())
# Ce qui est lancé à une heure dite, et à quelle heure.
MINUTERIES = [fichier.stem for fichier in UNITES if fichier.suffix == ".timer"]
# Ce qui distingue l'ouvrier du site ; tout le reste, durcissement compris, est commun.
PROPRE_A_CHACUN = {"Type", "ExecStart", "TimeoutStopSec"}
# Le plus grand risque accepté, en dixièmes : systemd note de 0 (enfermé) à 10. Un service ordinaire est à 9,6.
RISQUE_ACCEPTE = 15


def unite(nom: str) -> configparser.ConfigParser:
    # systemd additionne les SystemCallFilter ; ici, le dernier suffit à comparer deux unités.
    lue = configparser.ConfigParser(interpolation=None, strict=False)
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
    assert {nom for nom in site | ouvrier if site.get(nom) != ouvrier.get(nom)} == PROPRE_A_CHACUN | {"ExecReload"}


@pytest.mark.parametrize("nom", MINUTERIES)
def test_ce_qui_a_son_heure_est_une_commande_sous_les_memes_protections(nom):
    site, service = dict(unite(SITE)["Service"]), dict(unite(f"{nom}.service")["Service"])
    # Une commande finit : rien à relancer ni à attendre. La sauvegarde seule écrit ailleurs que dans donnees/.
    qui_durent = {"ExecReload", "KillMode", "Restart", "RestartSec"} | PROPRE_A_CHACUN
    propres = {cle for cle in site | service if site.get(cle) != service.get(cle)}
    assert propres - {"ReadWritePaths"} == qui_durent
    _, script, demandee, *_ = commande(f"{nom}.service")
    assert (script, demandee in get_commands()) == ("manage.py", True)
    assert unite(f"{nom}.timer")["Timer"]["Persistent"] == "true"


def test_systemd_lit_chaque_unite_sans_rien_y_redire(tmp_path):
    """`systemd-analyze verify`, là où le Python que l'unité lance existe : celui d'ici."""
    for fichier in UNITES:
        ici = fichier.read_text().replace("/srv/commande-responsable/.venv", str(RACINE / ".venv"))
        (tmp_path / fichier.name).write_text(ici)
    lu = systemd_analyze("verify", *sorted(map(str, tmp_path.iterdir())))
    assert (lu.returncode, lu.stdout + lu.stderr) == (0, "")


def test_systemd_juge_chaque_service_bien_enferme():
    services = [str(fichier) for fichier in UNITES if fichier.suffix == ".service"]
    juge = systemd_analyze("security", "--offline=true", f"--threshold={RISQUE_ACCEPTE}", "--no-pager", *services)
    assert juge.returncode == 0, juge.stdout
    assert juge.stdout.count("Overall exposure level") == len(services)


def systemd_analyze(*arguments: str) -> subprocess.CompletedProcess:
    """Le paquet Debian `systemd`, que .ci/run installe ; aucun systemd n'a besoin de tourner."""
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)


def test_gunicorn_a_fini_avant_que_systemd_ne_le_tue():
    assert reglages_de_gunicorn()["graceful_timeout"] < int(unite(SITE)["Service"]["TimeoutStopSec"])


def reglages_de_gunicorn() -> dict:
    return runpy.run_path(str(RACINE / "commande_responsable" / "gunicorn.conf.py"))


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
    with gunicorn(tmp_path, HTTPS="1", PROXYS_DE_CONFIANCE=proxys) as (serveur, port):
        vers = redirection(port, {"X-Forwarded-Proto": "https"}, serveur)
    # Pas chiffrée : renvoyée à la même adresse en https. Chiffrée : conduite à la connexion.
    assert ("/connexion/" in vers) is cru, vers
    assert serveur.returncode == 0


@contextmanager
def gunicorn(dossier: Path, **reglages: str) -> Iterator[tuple[subprocess.Popen, int]]:
    """Le site, lancé comme l'unité le lance ; arrêté à la sortie comme systemd l'arrêterait."""
    with socket.create_server(("127.0.0.1", 0)) as prise:
        port = prise.getsockname()[1]
    variables = REGLAGES_NEUTRES | {
        "DJANGO_SETTINGS_MODULE": "commande_responsable.settings",
        "DATABASE_URL": f"sqlite:///{dossier / 'base.sqlite3'}",
        "PORT": str(port),
    }
    lance = [sys.executable, *commande(SITE)[1:]]
    with subprocess.Popen(lance, cwd=RACINE, env=os.environ | variables | reglages) as serveur:
        try:
            yield serveur, port
        finally:
            serveur.terminate()


def test_a_l_arret_une_demande_en_cours_est_servie(tmp_path):
    """Le signal arrive au milieu d'un envoi : gunicorn finit de le servir, puis s'arrête."""
    corps = b"login=personne&password=inconnu"
    with gunicorn(tmp_path) as (serveur, port):
        redirection(port, {}, serveur)
        with socket.create_connection(("127.0.0.1", port), timeout=60) as prise:
            prise.sendall(
                b"POST /connexion/ HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\nConnection: close\r\n"
                b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n" % len(corps)
            )
            # L'application tient la demande : elle en réclame la suite.
            assert b"100 Continue" in prise.recv(200)
            serveur.terminate()
            attendre_qu_un_processus_s_arrete(serveur)
            prise.sendall(corps)
            reponse = prise.makefile("rb").read()
    # La base est vide, la page est donc celle d'une panne : elle arrive entière.
    assert reponse.startswith(b"HTTP/1.1 500")
    assert reponse.rstrip().endswith(b"</html>")
    assert serveur.returncode == 0


def attendre_qu_un_processus_s_arrete(serveur: subprocess.Popen) -> None:
    """Des deux processus du site, celui qui n'a rien à finir s'arrête aussitôt ; l'autre a reçu le même signal."""
    fin = time.monotonic() + 60
    while time.monotonic() < fin:
        if len(Path(f"/proc/{serveur.pid}/task/{serveur.pid}/children").read_text().split()) == 1:
            return
        time.sleep(0.05)
    raise AssertionError("aucun processus ne s'est arrêté")


def redirection(port: int, en_tetes: dict[str, str], serveur: subprocess.Popen) -> str:
    """Où mène l'accueil, dès que le serveur répond."""
    fin = time.monotonic() + 90
    while serveur.poll() is None and time.monotonic() < fin:
        connexion = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connexion.request("GET", "/", headers=en_tetes)
            return connexion.getresponse().getheader("Location", "")
        except ConnectionRefusedError:
            time.sleep(0.1)
        finally:
            connexion.close()
    raise AssertionError("gunicorn n'a pas démarré")


# --- Le serveur frontal ---------------------------------------------------------------------------


def test_nginx_laisse_passer_un_depot_que_l_application_accepte():
    bloc = re.search(
        r"location = (\S+) \{\s+client_max_body_size (\d+)m;", (RACINE / "docs" / "nginx.conf").read_text()
    )
    assert bloc[1] == reverse("marches:deposer")
    assert int(bloc[2]) << 20 > TAILLE_MAX


def test_nginx_ne_dit_rien_de_la_sante_et_n_ecrit_pas_l_adresse_d_un_calendrier():
    conf = (RACINE / "docs" / "nginx.conf").read_text()
    blocs = dict(re.findall(r"location (?:~ )?(\S+) \{([^}]*)\}", conf))
    assert "deny all;" in blocs[reverse("accueil:sante")]
    (secrets,) = (lieu for lieu in blocs if lieu.startswith("^") and "calendriers" in lieu)
    assert "access_log off;" in blocs[secrets]
    assert re.match(secrets, reverse("actions:calendrier", args=["x"]))
    assert reverse("account_login") in blocs
    # Un seul serveur parle à l'application, et il réécrit ce que le visiteur prétend.
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in conf


# --- L'image et son assemblage --------------------------------------------------------------------

COMPOSE = yaml.safe_load((RACINE / "compose.yaml").read_text())
DES_NOTRES = ["site", "ouvrier"]


def test_hadolint_n_a_rien_a_redire_a_l_image():
    hadolint = Path(sys.executable).parent / "hadolint"
    lu = subprocess.run(
        [hadolint, "--no-color", "Dockerfile"], cwd=RACINE, capture_output=True, text=True, check=False
    )
    assert (lu.returncode, lu.stdout) == (0, "")


def test_l_image_ne_tourne_pas_sous_root_et_se_dit_non_construite():
    lignes = (RACINE / "Dockerfile").read_text().splitlines()
    dernier = lignes[max(n for n, ligne in enumerate(lignes) if ligne.startswith("FROM ")) :]
    assert next(ligne for ligne in dernier if ligne.startswith("USER ")) not in ("USER root", "USER 0")
    assert any(ligne.startswith("HEALTHCHECK ") for ligne in dernier)
    for fichier in ("Dockerfile", "compose.yaml"):
        assert "en intégration continue" in (RACINE / fichier).read_text().splitlines()[0]


def test_l_image_recoit_chaque_application_et_rien_de_prive():
    """`.dockerignore` écarte tout, puis rouvre ce que le site lit."""
    regles = (RACINE / ".dockerignore").read_text().split("\n")
    ouverts = {regle.removeprefix("!") for regle in regles if regle.startswith("!")}
    assert "*" in regles
    assert {config.name for config in apps.get_app_configs() if (RACINE / config.name).is_dir()} <= ouverts
    assert {"commande_responsable", "templates", "static", "fixtures", "uv.lock", "deploiement/entree.sh"} <= ouverts
    assert [ouvert for ouvert in ouverts if not (RACINE / ouvert).exists()] == []
    assert not ouverts & {".env", "donnees", "deploiement", "deploiement/secrets", "tests", ".git"}


@pytest.mark.parametrize("nom", DES_NOTRES)
def test_un_conteneur_du_site_n_a_aucun_pouvoir_de_trop(nom):
    service = COMPOSE["services"][nom]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["depends_on"] == {"base": {"condition": "service_healthy"}}
    assert not service.get("privileged")
    # Seul le site est joignable, et de la machine seulement : le HTTPS est au serveur frontal.
    assert service.get("ports", []) == (["127.0.0.1:8000:8000"] if nom == "site" else [])


def test_chaque_nom_de_l_assemblage_est_defini():
    services = COMPOSE["services"]
    assert set(COMPOSE) == {"name", "x-application", "services", "networks", "volumes", "secrets"}
    cites = {sorte: {nom for s in services.values() for nom in s.get(sorte, [])} for sorte in ("secrets", "networks")}
    nommes = {volume.partition(":")[0] for s in services.values() for volume in s["volumes"]}
    assert cites == {sorte: set(COMPOSE[sorte]) for sorte in cites}
    assert nommes == set(COMPOSE["volumes"])


def test_un_secret_est_un_fichier_jamais_une_variable():
    secrets = {"SECRET_KEY", "DATABASE_URL", "EMAIL_URL"}
    assert secrets <= variables_lues()
    for nom in DES_NOTRES:
        assert set(COMPOSE["services"][nom]["secrets"]) == secrets
        assert "environment" not in COMPOSE["services"][nom]
    for nom, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"deploiement/secrets/{nom}"}
    ignores = (RACINE / ".gitignore").read_text().splitlines()
    assert {"/deploiement/secrets/", "/deploiement/reglages.env"} <= set(ignores)


def test_l_entree_du_conteneur_lit_les_secrets_et_cede_sa_place(tmp_path):
    (tmp_path / "SECRET_KEY").write_text("une clé 'à' \"garder\" $HOME\n")
    (tmp_path / "pas-un-reglage").write_text("non")
    ecrit = "import os; print(os.getpid(), os.environ['SECRET_KEY'])"
    with subprocess.Popen(
        ["sh", "deploiement/entree.sh", sys.executable, "-c", ecrit],
        cwd=RACINE,
        env=os.environ | {"SECRETS": str(tmp_path), "SECRET_KEY": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as entree:
        sortie, erreurs = entree.communicate(timeout=30)
    # Le même processus : c'est lui que l'arrêt préviendra.
    assert sortie == f"{entree.pid} une clé 'à' \"garder\" $HOME\n"
    assert "pas-un-reglage" in erreurs
