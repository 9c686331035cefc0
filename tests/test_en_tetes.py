"""Les en-têtes de sécurité sont sur chaque réponse du site, et aucune page n'a besoin qu'on les relâche."""

import json
import os
import re
import subprocess
import sys
import tokenize
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings as reglages
from django.http import HttpResponse
from django.test import Client, override_settings

from scripts.etapes import REGLAGES_NEUTRES
from tests.fabriques import MOT_DE_PASSE
from tests.test_acces import TABLE, Site
from tests.test_reglages import CLE, RACINE

# Le décor de la table des accès, écrit une fois : le même ouvrier que lui.
pytestmark = pytest.mark.xdist_group("acces")
from tests.test_acces import site, site_du_fichier  # noqa: E402, F401 - des fixtures

PARTOUT = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# « no-referrer » est plus strict : la page dont l'adresse est un secret ne la dit pas même au site.
PROVENANCES = {"same-origin", "no-referrer"}
DIRECTIVES = {
    "default-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}
# Ce qu'un cache peut garder : ce qui est public, ou ce que seul le navigateur du demandeur garde, revalidé.
GARDE = re.compile(r"no-store|no-cache|max-age=|immutable")


def manques(reponse: HttpResponse) -> list[str]:
    """Ce qui n'est pas sur cette réponse, en phrases."""
    defauts = [f"{nom} : {reponse.get(nom)}" for nom, valeur in PARTOUT.items() if reponse.get(nom) != valeur]
    if reponse.get("Referrer-Policy") not in PROVENANCES:
        defauts.append(f"Referrer-Policy : {reponse.get('Referrer-Policy')}")
    csp = [directive.strip() for directive in reponse.get("Content-Security-Policy", "").split(";")]
    defauts += [f"CSP sans {directive}" for directive in sorted(DIRECTIVES - {*csp})]
    if not any(directive.startswith("form-action 'self'") for directive in csp):
        defauts.append("CSP sans form-action")
    if "unsafe-" in str(csp):
        defauts.append(f"CSP relâchée : {csp}")
    if "camera=()" not in reponse.get("Permissions-Policy", ""):
        defauts.append("Permissions-Policy absente")
    ouverte = reponse.get("Access-Control-Allow-Origin") == "*"
    if reponse.get("Cross-Origin-Resource-Policy") != ("cross-origin" if ouverte else "same-origin"):
        defauts.append(f"CORP : {reponse.get('Cross-Origin-Resource-Policy')}")
    if not GARDE.search(reponse.get("Cache-Control", "")):
        defauts.append(f"Cache-Control : {reponse.get('Cache-Control')}")
    return defauts


class EnLigne(HTMLParser):
    """Ce que la politique de sécurité du contenu refuserait : style et script dans la page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.trouves: list[str] = []
        self._script = False
        self.feed(page)

    def handle_starttag(self, balise: str, attributs: list[tuple[str, str | None]]) -> None:
        lus = dict(attributs)
        self._script = balise == "script" and "src" not in lus and "json" not in (lus.get("type") or "")
        if balise == "style":
            self.trouves.append("<style>")
        for nom, valeur in lus.items():
            if nom.startswith("on") or nom == "style" or (valeur or "").strip().lower().startswith("javascript:"):
                self.trouves.append(f"{balise} {nom}={valeur}")

    def handle_data(self, texte: str) -> None:
        if self._script and texte.strip():
            self.trouves.append(f"<script> {texte.strip()[:40]}")

    def handle_endtag(self, balise: str) -> None:
        self._script = False


# --- Toutes les pages -----------------------------------------------------------------------------


@pytest.mark.parametrize("qui", ["anonyme", "administrateur"])
def test_chaque_adresse_du_site_porte_les_en_tetes_et_rien_en_ligne(site: Site, qui):  # noqa: F811 - la fixture
    defauts, codes = [], set()
    for ligne in TABLE:
        reponse = site.clients[qui].get(site.adresse(ligne, qui))
        codes.add(reponse.status_code)
        trouves = manques(reponse)
        if reponse.get("Content-Type", "").startswith("text/html") and not reponse.streaming:
            trouves += EnLigne(reponse.content.decode()).trouves
        if qui == "administrateur" and reponse.status_code == 200 and "max-age" not in reponse["Cache-Control"]:
            trouves += [] if re.search("no-store|private", reponse["Cache-Control"]) else ["gardée par un relais"]
        defauts += [f"{ligne.nom} ({reponse.status_code}) : {trouve}" for trouve in trouves]
    assert defauts == []
    assert codes >= ({200, 302, 403, 404, 405} if qui == "administrateur" else {200, 302, 404})


def test_ce_qui_repond_avant_toute_page_porte_aussi_les_en_tetes(db, client, settings, tmp_path):
    # Ce que collectstatic aurait rassemblé.
    settings.STATIC_ROOT = tmp_path
    (tmp_path / "site.css").write_text("p {}")
    reponses = {
        "introuvable": client.get("/nulle-part/"),
        "hote": client.get("/", headers={"host": "ailleurs.exemple.fr"}),
        "csrf": Client(enforce_csrf_checks=True).post("/connexion/", {"login": "a", "password": MOT_DE_PASSE}),
        "statique": client.get("/static/site.css"),
        "feuille d'accent": client.get("/accent/0b5b82.css"),
        "barre": client.get("/recherche"),
    }
    assert [f"{nom} : {manque}" for nom, reponse in reponses.items() for manque in manques(reponse)] == []
    codes = [reponses[nom].status_code for nom in ("introuvable", "hote", "csrf", "statique", "barre")]
    assert codes == [404, 400, 403, 200, 301]


def test_une_panne_porte_les_en_tetes(site: Site, monkeypatch):  # noqa: F811 - la fixture
    monkeypatch.setattr("accueil.views.assembler", lambda *_, **__: 1 / 0)
    reponse = site.clients["administrateur"].get("/")
    assert (reponse.status_code, manques(reponse)) == (500, [])


def test_une_page_connectee_ne_se_garde_pas_sur_le_poste(site: Site):  # noqa: F811 - la fixture
    assert "no-store" in site.clients["administrateur"].get("/mon-compte/")["Cache-Control"]


@override_settings(SECURE_SSL_REDIRECT=True, SECURE_HSTS_SECONDS=365 * 24 * 3600, SECURE_HSTS_INCLUDE_SUBDOMAINS=True)
def test_en_https_le_navigateur_s_en_souvient_un_an(db, client):
    assert client.get("/connexion/").status_code == 301
    reponse = client.get("/connexion/", secure=True)
    assert reponse["Strict-Transport-Security"].startswith("max-age=31536000; includeSubDomains")


# --- Les cookies ----------------------------------------------------------------------------------


def test_aucun_cookie_ne_se_lit_d_un_script_ni_ne_suit_un_autre_site(db, client):
    client.get("/connexion/")
    jeton = client.cookies[reglages.CSRF_COOKIE_NAME]
    assert (jeton["httponly"], jeton["samesite"]) == (True, "Lax")
    assert (reglages.SESSION_COOKIE_HTTPONLY, reglages.SESSION_COOKIE_SAMESITE) == (True, "Lax")


def test_en_https_les_cookies_sont_reserves_a_cet_hote():
    """Les réglages tels que la production les lit."""

    noms = "SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"
    code = f"import json, commande_responsable.settings as s; print(json.dumps([getattr(s, n) for n in {noms}]))"
    variables = REGLAGES_NEUTRES | {"HTTPS": "1", "SECRET_KEY": CLE}
    lus = subprocess.run(
        [sys.executable, "-c", code], cwd=RACINE, env=os.environ | variables, capture_output=True, check=True
    )
    assert json.loads(lus.stdout) == ["__Host-session", "__Host-csrf", True, True]


# --- Les règles de sécurité de ruff ---------------------------------------------------------------


def test_chaque_regle_de_securite_levee_dit_pourquoi():
    """« noqa: S… » seul ne s'explique pas : un tiret et une raison le suivent."""
    muets = []
    for fichier in sorted(Path(RACINE).glob("**/*.py")):
        if {".venv", "staticfiles", "migrations"} & {*fichier.parts}:
            continue
        with tokenize.open(fichier) as source:
            for numero, ligne in enumerate(source, 1):
                trouve = re.search(r"#\s*(?:ruff:\s*)?noqa:\s*([A-Z]+\d+(?:,\s*[A-Z]+\d+)*)(.*)", ligne)
                leve_s = trouve and re.search(r"\bS\d{3}", trouve[1])
                if leve_s and not re.match(r"\s+- \S.{5,}", trouve[2]):
                    muets.append(f"{fichier.relative_to(RACINE)}:{numero}")
    assert muets == []
