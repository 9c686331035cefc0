"""Photographie le site : chaque page qu'un lien donne, par qui la voit, large et étroite, puis les images du README.

`make captures ARGS="publie"` ou `"complet"` ; sans argument, les deux démonstrations. Chacune est préparée dans une
base jetable et servie par gunicorn comme en production ; les captures vont dans `captures/<démonstration>/`. Échoue
si une page ne répond pas ce qu'on attend ou si le navigateur se plaint (console, réseau, CSP, styles, graphiques).
"""

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from base64 import b64decode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import django
from django.urls import Resolver404, resolve
from etapes import RACINE, REGLAGES_NEUTRES, ecrire
from playwright.sync_api import Browser, Error, sync_playwright

from tests.resolveur import routes

if TYPE_CHECKING:
    from tests.navigateur import Fenetre

CAPTURES = RACINE / "captures"
IMAGES_DU_README = RACINE / "docs" / "captures"
POIDS_MAXIMAL = 200_000  # octets : une page du dépôt reste légère à ouvrir

DEMOS = {"publie": "preparer_demo", "complet": "preparer_demo_complet"}
# Celle dont le README montre les pages : la plus remplie.
DEMO_DU_README = "complet"
LARGEURS = {1280: 720, 375: 812}
ANONYME = "anonyme"
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]

# Ce qui n'est pas une page, ou qui se ressemble d'un modèle à l'autre dans l'administration.
SANS_CAPTURE = re.compile(r"^admin:(\w+_(history|delete|export)|jsi18n|view_on_site|logout)$|^accueil:sante$|^sante:")

# Lu dans l'attribut : le `href` d'un lien de SVG n'est pas un texte.
_LIENS = """
() => [...document.querySelectorAll("a[href]")].map(lien => new URL(lien.getAttribute("href"), document.baseURI).href)
"""
_ENVOYER_VIDE = """
() => {
  const formulaire = document.querySelector("main form[method=post]");
  formulaire.noValidate = true;
  formulaire.requestSubmit();
}
"""


@dataclass(frozen=True)
class Vue:
    """Une page à photographier. `variante` : ce qui la distingue d'une autre de la même route ; `envoyer_vide` : son
    formulaire est d'abord envoyé tel quel, pour montrer un refus."""

    route: str
    chemin: str
    variante: str = ""
    code: int = 200
    envoyer_vide: bool = False


# --- Ce qui ne dépend ni du navigateur ni du serveur --------------------------------------------


def nom_de_fichier(vue: Vue, qui: str, largeur: int) -> str:
    """`actions-liste-vide-admin-1280.png` : la route d'abord, pour que les fichiers d'une page se suivent."""
    page = "-".join(filter(None, (re.sub(r"\W+", "-", vue.route).strip("-"), vue.variante)))
    return f"{page}-{qui}-{largeur}.png"


def route_de(chemin: str) -> str | None:
    """Le nom de la route qui sert cette adresse, comme l'écrit `tests.resolveur` ; None si le site ne la sert pas."""
    try:
        trouvee = resolve(urlsplit(chemin).path)
    except Resolver404:
        return None
    return trouvee.view_name if trouvee.url_name else f"{trouvee.namespace}:{trouvee.route}"


def chemins_du_site(adresses: Iterable[str], origine: str) -> list[str]:
    """Les adresses de même origine, sans elle ni leur ancre, fichiers statiques exclus, dans l'ordre."""
    prefixe = f"{origine}/"
    chemins = [adresse.partition("#")[0].removeprefix(origine) for adresse in adresses if adresse.startswith(prefixe)]
    return [chemin for chemin in dict.fromkeys(chemins) if not chemin.startswith("/static/")]


def premieres(chemins: Iterable[str], connues: Iterable[str]) -> dict[str, str]:
    """La première adresse de chaque route encore inconnue ; ce que le site ne sert pas est passé."""
    trouvees: dict[str, str] = {}
    for chemin in chemins:
        route = route_de(chemin)
        if route is not None and route not in connues:
            trouvees.setdefault(route, chemin)
    return trouvees


def manquantes(donnees: Iterable[str]) -> list[str]:
    """Les routes du site qu'aucun lien n'a données."""
    return sorted({route.nom for route in routes()} - set(donnees))


def variantes(qui: str, adresses: dict[str, str]) -> list[Vue]:
    """Ce qu'aucun lien ne montre, ou pas sous ce jour : filtres, refus, erreurs. `adresses` : une par route."""
    statut = adresses.get("actions:statut", f"{adresses.get('actions:detail', '/actions/1/')}statut/")
    # Une décision s'ajoute depuis la fiche du comité : sa page n'est montrée que si l'envoi est refusé.
    comite = adresses.get("actions:comite")
    decision = [Vue("actions:decision_ajouter", f"{comite}decisions/ajouter/", "refusee", envoyer_vide=True)]
    return {
        "admin": [
            Vue("accueil:tableau_de_bord", "/?annee=2023", "annee-2023"),
            Vue("accueil:tableau_de_bord", "/?annee=bientot", "annee-illisible", 400),
            Vue("actions:liste", "/actions/?statut=EN_COURS", "en-cours"),
            Vue("actions:liste", "/actions/?q=introuvable", "vide"),
            Vue("actions:liste", "/actions/?page=2", "page-2"),
            Vue("actions:liste", "/actions/?statut=PRESQUE&au=hier", "filtre-refuse", 400),
            Vue("actions:creer", "/actions/creer/", "refusee", envoyer_vide=True),
            Vue("actions:detail", "/actions/999999/", "introuvable", 404),
            *(decision if comite else []),
        ],
        "agent": [Vue("actions:creer", "/actions/creer/", "interdit", 403)],
        "lecteur": [Vue("actions:statut", statut, "interdit", 403)],
        ANONYME: [
            Vue("account_login", "/connexion/", "refusee", envoyer_vide=True),
            Vue("introuvable", "/nulle-part/", code=404),
        ],
    }.get(qui, [])


def pages_de(qui: str, adresses: dict[str, str]) -> list[Vue]:
    """Les pages d'un rôle qui ne parcourt pas le site : ses écrans de tous les jours, puis ses variantes."""
    if qui == ANONYME:
        chemins = ["/connexion/", "/mot-de-passe/oublie/"]
    else:
        chemins = ["/", "/mes-actions/", "/actions/", adresses.get("actions:detail", "")]
    vues = [Vue(route, chemin) for route, chemin in premieres(filter(None, chemins), ()).items()]
    return vues + variantes(qui, adresses)


# --- Le site photographié -----------------------------------------------------------------------


def reglages(dossier: Path, port: int) -> dict[str, str]:
    """Tous les réglages du site : ni le poste ni le fichier .env ne changent ce qui est photographié."""
    return REGLAGES_NEUTRES | {
        "DJANGO_SETTINGS_MODULE": "commande_responsable.settings",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "DATABASE_URL": f"sqlite:///{dossier / 'captures.sqlite3'}",
        # Les refus photographiés exprès n'ont pas à encombrer l'écran ; une panne s'y lit.
        "NIVEAU_DE_JOURNAL": "ERROR",
        "DEMO_MOT_DE_PASSE": secrets.token_urlsafe(16),
        "PORT": str(port),
    }


def port_libre() -> int:
    with socket.create_server(("127.0.0.1", 0)) as prise:
        return prise.getsockname()[1]


@contextmanager
def site(demo: str) -> Iterator[tuple[str, str]]:
    """La démonstration, servie le temps du bloc : son adresse et le mot de passe de ses comptes."""
    port = port_libre()
    with tempfile.TemporaryDirectory(prefix="captures.") as dossier:
        variables = os.environ | reglages(Path(dossier), port)
        for commande in (["migrate", "--verbosity", "0"], [DEMOS[demo]]):
            subprocess.run(  # noqa: S603 - commandes écrites dans le projet
                [sys.executable, "manage.py", *commande],
                cwd=RACINE,
                env=variables,
                check=True,
                stdout=subprocess.DEVNULL,
            )
        serveur = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--config", "commande_responsable/gunicorn.conf.py"],
            cwd=RACINE,
            env=variables,
        )
        try:
            origine = f"http://127.0.0.1:{port}"
            attendre(f"{origine}/sante/", serveur)
            yield origine, variables["DEMO_MOT_DE_PASSE"]
        finally:
            serveur.send_signal(signal.SIGTERM)
            serveur.wait()


def attendre(adresse: str, serveur: subprocess.Popen, delai: float = 30) -> None:
    """Rend la main quand le site répond. TimeoutError s'il ne démarre pas."""
    fin = time.monotonic() + delai
    while time.monotonic() < fin and serveur.poll() is None:
        try:
            urllib.request.urlopen(adresse, timeout=5).close()  # noqa: S310 - 127.0.0.1
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"Le serveur ne répond pas à {adresse}.")


# --- Les prises de vue --------------------------------------------------------------------------


class Reportage:
    """Les captures d'une démonstration et ce qu'on y a trouvé à redire."""

    def __init__(self, demo: str, origine: str, mot_de_passe: str, navigateur: Browser) -> None:
        self.demo, self.origine, self.mot_de_passe, self.navigateur = demo, origine, mot_de_passe, navigateur
        self.dossier = CAPTURES / demo
        shutil.rmtree(self.dossier, ignore_errors=True)
        self.dossier.mkdir(parents=True)
        self.adresses: dict[str, str] = {}
        self.fautes: list[str] = []
        # Ni page ni faute : un fichier à télécharger, une adresse qui renvoie à une autre.
        self.sans_page: dict[str, str] = {}
        self.prises = 0
        self._sessions: dict[str, Any] = {}

    def fenetre(self, qui: str, largeur: int) -> "Fenetre":
        from tests.navigateur import Fenetre

        contexte = self.navigateur.new_context(
            viewport={"width": largeur, "height": LARGEURS[largeur]},
            locale="fr-FR",
            timezone_id="Europe/Paris",
            reduced_motion="reduce",
            storage_state=self._sessions.get(qui),
        )
        fenetre = Fenetre(contexte, self.origine)
        if qui != ANONYME and qui not in self._sessions:
            self._se_connecter(fenetre, qui)
            self._sessions[qui] = contexte.storage_state()
        return fenetre

    def _se_connecter(self, fenetre: "Fenetre", qui: str) -> None:
        fenetre.page.goto(f"{self.origine}/connexion/")
        fenetre.page.get_by_label("Identifiant").fill(qui)
        fenetre.page.get_by_label("Mot de passe").fill(self.mot_de_passe)
        with fenetre.page.expect_navigation(url=lambda adresse: "/connexion/" not in adresse):
            fenetre.page.get_by_role("button", name="Se connecter").click()

    def prendre(self, fenetre: "Fenetre", vue: Vue, qui: str) -> None:
        """Ouvre la page, note ses défauts, la photographie en entier."""
        assert fenetre.page.viewport_size is not None  # noqa: S101 - chaque contexte en a une
        largeur = fenetre.page.viewport_size["width"]
        try:
            defauts = fenetre.ouvrir(vue.chemin, vue.code)
            if urlsplit(fenetre.page.url).path != urlsplit(vue.chemin).path:
                self.sans_page[vue.chemin] = f"renvoie à {urlsplit(fenetre.page.url).path}"
                return
            if vue.envoyer_vide:
                with fenetre.page.expect_navigation():
                    fenetre.page.evaluate(_ENVOYER_VIDE)
                defauts += fenetre.defauts()
            photographier(fenetre, self.dossier / nom_de_fichier(vue, qui, largeur))
        except Error as erreur:
            if "Download is starting" in erreur.message:
                self.sans_page[vue.chemin] = "télécharge un fichier"
                return
            defauts = [erreur.message.splitlines()[0]]
        self.prises += 1
        self.fautes += [f"{vue.chemin} ({qui}, {largeur}) : {defaut}" for defaut in defauts]

    def parcourir(self, qui: str, largeur: int) -> list[Vue]:
        """Suit les liens depuis l'accueil, une adresse par route, en photographiant ; rend ce qui a été vu."""
        fenetre = self.fenetre(qui, largeur)
        self.adresses |= premieres(["/"], self.adresses)
        a_voir = [Vue(route, chemin) for route, chemin in self.adresses.items()]
        for vue in a_voir:  # la liste s'allonge pendant le parcours
            self.prendre(fenetre, vue, qui)
            chemins = chemins_du_site(fenetre.page.evaluate(_LIENS), self.origine)
            self.fautes += [f"{vue.chemin} : lien vers {c}, inconnu du site" for c in chemins if route_de(c) is None]
            nouvelles = premieres(chemins, self.adresses)
            self.adresses |= nouvelles
            a_voir += [Vue(route, c) for route, c in nouvelles.items() if not SANS_CAPTURE.match(route)]
        fenetre.page.context.close()
        return a_voir

    def photographier(self, qui: str, largeur: int, vues: Iterable[Vue]) -> None:
        fenetre = self.fenetre(qui, largeur)
        for vue in vues:
            self.prendre(fenetre, vue, qui)
        fenetre.page.context.close()

    def tout(self) -> None:
        large, etroit = LARGEURS
        vues = self.parcourir("admin", large)
        self.photographier("admin", etroit, vues)
        for largeur in LARGEURS:
            self.photographier("admin", largeur, variantes("admin", self.adresses))
            for qui in ("responsable", "agent", "lecteur", ANONYME):
                self.photographier(qui, largeur, pages_de(qui, self.adresses))
        # Ce que la page de connexion donne n'est lié par aucune page de l'administrateur.
        fenetre = self.fenetre(ANONYME, large)
        fenetre.ouvrir("/connexion/")
        chemins = chemins_du_site(fenetre.page.evaluate(_LIENS), self.origine)
        self.adresses |= premieres(["/connexion/", *chemins], self.adresses)
        fenetre.page.context.close()

    def images_du_readme(self) -> None:
        """Ce que montre un écran, sans défiler, de quatre pages parlantes."""
        IMAGES_DU_README.mkdir(parents=True, exist_ok=True)
        large, etroit = LARGEURS
        action = self.adresses.get("actions:detail", "/actions/")
        for nom, chemin, largeur in (
            ("tableau-de-bord", "/", large),
            ("tableau-de-bord-telephone", "/", etroit),
            ("actions", "/actions/", large),
            ("action-telephone", action, etroit),
        ):
            fenetre = self.fenetre("responsable", largeur)
            self.fautes += [f"{nom}.webp : {defaut}" for defaut in fenetre.ouvrir(chemin)]
            image = ecran_en_webp(fenetre)
            fenetre.page.context.close()
            (IMAGES_DU_README / f"{nom}.webp").write_bytes(image)
            if len(image) > POIDS_MAXIMAL:
                self.fautes.append(f"{nom}.webp : {len(image) // 1000} Ko, {POIDS_MAXIMAL // 1000} au plus")

    def compte_rendu(self) -> str:
        oubliees = manquantes(self.adresses)
        du_site = [nom for nom in oubliees if not nom.startswith("admin:")]
        d_administration = [nom.removeprefix("admin:") for nom in oubliees if nom.startswith("admin:")]
        lignes = [f"{self.demo} : {self.prises} captures, {len(self.adresses)} routes données par un lien."]
        lignes += [f"  sans page : {chemin} {raison}" for chemin, raison in self.sans_page.items()]
        lignes += [f"  routes qu'aucun lien ne donne : {len(oubliees)}"]
        lignes += [f"    site ({len(du_site)}) : {', '.join(du_site)}"]
        lignes += [f"    administration ({len(d_administration)}) : {', '.join(d_administration)}"]
        lignes += [f"  FAUTE {faute}" for faute in self.fautes]
        return "\n".join(lignes)


def photographier(fenetre: "Fenetre", fichier: Path) -> None:
    # Chaque graphique a été montré pour que plotly le reprenne : retour en haut.
    fenetre.page.evaluate("() => scrollTo(0, 0)")
    fenetre.page.screenshot(path=fichier, full_page=True, animations="disabled")


def ecran_en_webp(fenetre: "Fenetre") -> bytes:
    """Ce qu'on voit sans défiler. Moitié moins lourd qu'en PNG ; Playwright ne sait pas l'écrire, Chromium si."""
    fenetre.page.evaluate("() => scrollTo(0, 0)")
    chromium = fenetre.page.context.new_cdp_session(fenetre.page)
    return b64decode(chromium.send("Page.captureScreenshot", {"format": "webp", "quality": 75})["data"])


def main(demos: list[str]) -> int:
    inconnues = set(demos) - set(DEMOS)
    chromium = shutil.which("chromium")
    if inconnues or chromium is None:
        ecrire(f"Démonstrations : {', '.join(DEMOS)}." if inconnues else "Chromium est introuvable.")
        return 2
    debut, fautes = time.monotonic(), 0
    with tempfile.TemporaryDirectory(prefix="captures.") as dossier:
        # Le résolveur et Fenetre lisent les réglages ; la base de ce processus reste vide.
        os.environ.update(reglages(Path(dossier), 0))
        django.setup()
        subprocess.run(
            [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"], cwd=RACINE, check=True
        )
        with sync_playwright() as playwright:
            navigateur = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM)
            for demo in demos or DEMOS:
                with site(demo) as (origine, mot_de_passe):
                    reportage = Reportage(demo, origine, mot_de_passe, navigateur)
                    reportage.tout()
                    if demo == DEMO_DU_README:
                        reportage.images_du_readme()
                ecrire(reportage.compte_rendu())
                fautes += len(reportage.fautes)
    ecrire(f"Captures : {time.monotonic() - debut:.0f} s, {fautes} faute{'s' if fautes > 1 else ''}.")
    return 1 if fautes else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("\nCaptures interrompues.")
