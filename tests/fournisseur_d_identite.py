"""Un vrai fournisseur d'identité, dans son processus, derrière un relais qui note et peut fausser."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests
from django.test import Client

from comptes.reglages_oidc import ReglagesOidc
from tests.smtp import port_libre

HOTE = "localhost"
SUB = "personne-1"
CLIENT = "site"
SECRET = "secret-du-site"
ANNONCE, CLES = "/.well-known/openid-configuration", "/jwks"
JETON, INFORMATIONS = "/oauth2/token", "/userinfo"


@dataclass(frozen=True)
class Demande:
    """Ce que le fournisseur a reçu : `champs`, du formulaire ou de l'adresse."""

    methode: str
    chemin: str
    champs: dict[str, str]


@dataclass
class FournisseurDEssai:
    """`fausser` : par chemin, ce qui change l'objet JSON de sa réponse, ou le texte qui la remplace."""

    port: int
    demandes: list[Demande] = field(default_factory=list)
    fausser: dict[str, Callable[[dict], Any] | str] = field(default_factory=dict)
    en_panne: bool = False

    @property
    def adresse(self) -> str:
        return f"http://{HOTE}:{self.port}"

    def reglages(self, **autres) -> ReglagesOidc:
        return ReglagesOidc(serveur=self.adresse, client=CLIENT, secret=SECRET, **autres)

    def connaitre(self, sub: str, **dit: Any) -> None:
        """Enregistre, ou change, ce qu'il dit de cette personne."""
        requests.put(f"{self.adresse}/users/{sub}", json=dit, timeout=5).raise_for_status()

    def accepter(self, page: str, sub: str) -> str:
        """La personne se connecte sur sa page ; rend l'adresse, sans l'origine, où il la renvoie."""
        return self._repondre(page, {"sub": sub})

    def annuler(self, page: str) -> str:
        return self._repondre(page, {"action": "deny"})

    def _repondre(self, page: str, formulaire: dict[str, str]) -> str:
        reponse = requests.post(page, data=formulaire, allow_redirects=False, timeout=5)
        retour = urlsplit(reponse.headers["Location"])
        return f"{retour.path}?{retour.query}"


def parametre(adresse: str, nom: str) -> str:
    return parse_qs(urlsplit(adresse).query)[nom][0]


def partir(client: Client, suite: str = "") -> str:
    """Clique sur le bouton ; rend l'adresse de la page du fournisseur."""
    return client.post("/connexion/fournisseur/", {"next": suite} if suite else {})["Location"]


# --- Le processus, et le relais devant lui --------------------------------------------------------


@pytest.fixture(scope="session")
def processus_fournisseur() -> Iterator[str]:
    """L'adresse d'un fournisseur lancé à part, pour tous les essais ; un sub inconnu y est quelqu'un sans nom."""
    port = port_libre()
    commande = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", "true"]
    with subprocess.Popen(commande, stderr=subprocess.PIPE, text=True) as processus:
        try:
            lignes = iter(processus.stderr)
            if not any("running on" in ligne for ligne in lignes):
                pytest.fail(f"Le fournisseur d'identité ne démarre pas (code {processus.wait()}).", pytrace=False)
            # Ce qu'il dit ensuite ne doit pas remplir le tuyau.
            lecteur = threading.Thread(target=lambda: [*lignes])
            lecteur.start()
            yield f"http://127.0.0.1:{port}"
        finally:
            processus.terminate()
        lecteur.join(timeout=10)


@contextmanager
def relayer(processus: str) -> Iterator[FournisseurDEssai]:
    class Relais(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _relayer(self, processus, essai)

        do_POST = do_PUT = do_GET

        def log_message(self, *arguments) -> None:
            """Rien sur la sortie des essais."""

    serveur = ThreadingHTTPServer((HOTE, 0), Relais)
    essai = FournisseurDEssai(serveur.server_port)
    fil = threading.Thread(target=serveur.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    fil.start()
    try:
        yield essai
    finally:
        serveur.shutdown()
        serveur.server_close()
        fil.join(timeout=5)


def _relayer(demande: BaseHTTPRequestHandler, processus: str, essai: FournisseurDEssai) -> None:
    corps = demande.rfile.read(int(demande.headers.get("Content-Length") or 0))
    chemin, _, requete = demande.path.partition("?")
    essai.demandes.append(Demande(demande.command, chemin, dict(parse_qsl(corps.decode() or requete))))
    # L'hôte du relais : c'est lui que le fournisseur annonce comme sien.
    reponse = requests.request(
        demande.command,
        f"{processus}{demande.path}",
        data=corps,
        headers=dict(demande.headers),
        allow_redirects=False,
        timeout=5,
    )
    code, octets = reponse.status_code, reponse.content
    if chemin in essai.fausser:
        faux = essai.fausser[chemin]
        octets = (faux if isinstance(faux, str) else json.dumps(faux(reponse.json()))).encode()
    if essai.en_panne:
        code, octets = 500, b"En panne."
    demande.send_response(code)
    for nom in ("Content-Type", "Location", "WWW-Authenticate"):
        if nom in reponse.headers:
            demande.send_header(nom, reponse.headers[nom])
    demande.send_header("Content-Length", str(len(octets)))
    demande.end_headers()
    demande.wfile.write(octets)


@pytest.fixture
def fournisseur(settings, processus_fournisseur) -> Iterator[FournisseurDEssai]:
    """Un fournisseur que le site connaît, sans groupes ni création de compte."""
    with relayer(processus_fournisseur) as essai:
        essai.connaitre(SUB)
        essai.demandes.clear()
        settings.OIDC = essai.reglages()
        yield essai
