"""Ouvrir une page dans Chromium et relever tout ce qui n'y va pas : console, CSP, réseau, styles, axe, largeur.

`Fenetre` est un onglet dont chaque visite rend la liste de ses défauts, en phrases ; vide, la page est bonne.
"""

import contextlib
from collections.abc import Mapping
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings
from django.test import Client
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response
from playwright.sync_api import TimeoutError as DelaiDepasse

from comptes.models import Utilisateur

ETROIT = {"width": 375, "height": 812}
LARGE = {"width": 1280, "height": 900}

REGLES_AXE = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# La CSP refuse en silence pour qui regarde l'écran : chaque refus est noté avant que la page ne commence.
_NOTER_LA_CSP = """
addEventListener("securitypolicyviolation", refus => {
  (window.refusDeLaCsp ||= []).push(`${refus.effectiveDirective} ${refus.blockedURI} ${refus.sample}`);
});
"""

# Une feuille introuvable ou vide laisse une page sans défaut pour axe : la présence de règles est vérifiée d'abord.
_FEUILLES_ABSENTES = """
() => [...document.querySelectorAll('link[rel="stylesheet"]')]
  .filter(lien => !lien.sheet || !lien.sheet.cssRules.length).map(lien => lien.href)
"""

_OUVRIR_LES_BLOCS_REPLIES = "() => document.querySelectorAll('details').forEach(bloc => { bloc.open = true; })"

_GRAPHIQUES_NON_REPRIS = """
() => [...document.querySelectorAll("[data-graphique]")]
  .filter(bloc => document.getElementById(bloc.dataset.graphique + "-donnees"))
  .filter(bloc => bloc.dataset.repris !== "oui" || !bloc.querySelector(".js-plotly-plot .main-svg"))
  .map(bloc => bloc.dataset.graphique)
"""

# preload : axe recopierait les feuilles de style dans la page, ce que la CSP refuse.
_AXE = """
async regles => (await axe.run({
  resultTypes: ["violations"], runOnly: {type: "tag", values: regles}, preload: false
})).violations.map(v => ({regle: v.id, aide: v.help, ou: v.nodes.map(n => n.target.join(" ") + " " + n.html)}))
"""

# Ce qui dépasse : nommé, pour ne pas avoir à le chercher.
_DEBORDE = """
() => {
  if (document.documentElement.scrollWidth <= innerWidth) { return []; }
  return [...document.querySelectorAll("body *")]
    .filter(element => element.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 5).map(element => element.outerHTML.slice(0, 120));
}
"""


def cookie_de_session(compte: Utilisateur, adresse: str) -> dict:
    """De quoi ouvrir un navigateur déjà connecté, sans passer par la page de connexion."""
    client = Client()
    client.force_login(compte, backend="comptes.authentification.BackendDesRoles")
    return {
        "name": settings.SESSION_COOKIE_NAME,
        "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
        "url": adresse,
    }


class Fenetre:
    """Un onglet à l'écoute. `origine` : l'adresse du site essayé, la seule que la page ait le droit de joindre."""

    def __init__(self, contexte: BrowserContext, origine: str) -> None:
        contexte.add_init_script(_NOTER_LA_CSP)
        self.origine = origine
        self.page: Page = contexte.new_page()
        # Un élément absent se dit vite ; une machine lente a encore de la marge.
        self.page.set_default_timeout(10_000)
        self.oublier()
        self.page.on("console", lambda message: self._console.append(message))
        self.page.on("pageerror", lambda erreur: self._bruits.append(f"erreur de script : {erreur}"))
        self.page.on("request", self._verifier_la_destination)
        self.page.on("requestfailed", self._noter_l_echec)
        self.page.on("response", lambda reponse: self._reponses.append(reponse))

    def oublier(self) -> None:
        """Repart de zéro : ce qui a été signalé jusqu'ici ne compte plus."""
        self._bruits: list[str] = []
        self._reponses: list[Response] = []
        self._console: list[ConsoleMessage] = []

    def _verifier_la_destination(self, requete: Request) -> None:
        adresse = urlsplit(requete.url)
        if adresse.scheme in ("http", "https", "ws", "wss") and not requete.url.startswith(f"{self.origine}/"):
            self._bruits.append(f"requête hors du site : {requete.url}")

    def _noter_l_echec(self, requete: Request) -> None:
        # Abandonnée parce qu'on a quitté la page (double clic, lien suivi avant la fin) : ce n'est pas une panne.
        if requete.failure != "net::ERR_ABORTED":
            self._bruits.append(f"requête échouée : {requete.url} ({requete.failure})")

    def ouvrir(self, chemin: str, code: int = 200) -> list[str]:
        """Ouvre la page et rend ses défauts. `code` : la réponse attendue, qui peut être une erreur."""
        self.oublier()
        reponse = self.page.goto(f"{self.origine}{chemin}", wait_until="load")
        if reponse is None or reponse.status != code:
            return [f"réponse {reponse and reponse.status} au lieu de {code}"]
        return self.defauts()

    def defauts(self) -> list[str]:
        """Ce que la page montrée a de faux, et tout ce que le navigateur a signalé depuis `oublier`."""
        return [*self._styles(), *self._graphiques(), *self._refus_de_la_csp(), *self.bruits()]

    def bruits(self) -> list[str]:
        """Ce que le navigateur a signalé, d'une page à l'autre, depuis `oublier`."""
        pages_en_erreur = {r.url for r in self._reponses if r.status >= 400 and r.request.is_navigation_request()}
        return [
            *self._bruits,
            *(
                f"réponse {reponse.status} : {reponse.url}"
                for reponse in self._reponses
                if reponse.status >= 400 and not reponse.request.is_navigation_request()
            ),
            *(
                f"console ({message.type}) : {message.text}"
                for message in self._console
                if message.type in ("error", "warning") and not _annonce_une_page(message, pages_en_erreur)
            ),
        ]

    def _refus_de_la_csp(self) -> list[str]:
        return [f"refus de la CSP : {refus}" for refus in self.page.evaluate("() => window.refusDeLaCsp || []")]

    def _styles(self) -> list[str]:
        return [f"feuille de style absente ou vide : {lien}" for lien in self.page.evaluate(_FEUILLES_ABSENTES)]

    def _graphiques(self) -> list[str]:
        """plotly ne reprend que ce qu'on voit : chaque graphique est montré, puis attendu à son propre signal."""
        for bloc in self.page.locator("[data-graphique]").all():
            bloc.scroll_into_view_if_needed()
            if self.page.locator(f"#{bloc.get_attribute('data-graphique')}-donnees").count():
                # Le délai passé, la phrase rendue plus bas nomme le graphique.
                with contextlib.suppress(DelaiDepasse):
                    bloc.and_(self.page.locator('[data-repris="oui"]')).wait_for()
        return [f"graphique que plotly n'a pas repris : {cle}" for cle in self.page.evaluate(_GRAPHIQUES_NON_REPRIS)]

    def deplier(self) -> None:
        """Ouvre les blocs repliés : axe et la largeur ne jugent que ce qui est visible."""
        self.page.evaluate(_OUVRIR_LES_BLOCS_REPLIES)

    def violations_axe(self, tolere: Mapping[str, str]) -> list[str]:
        """Les règles d'accessibilité enfreintes, une phrase chacune, avec les endroits.

        `tolere` : pour une règle, ce qui se lit dans l'élément qu'on ne sait pas mieux écrire.
        """
        self.page.evaluate(AXE_SCRIPT)
        phrases = []
        for violation in self.page.evaluate(_AXE, REGLES_AXE):
            regle = violation["regle"]
            endroits = [ou[:200] for ou in violation["ou"] if regle not in tolere or tolere[regle] not in ou]
            if endroits:
                phrases.append(f"axe {regle} : {violation['aide']} — {' ; '.join(endroits[:4])}")
        return phrases

    def debordements(self) -> list[str]:
        """Les éléments qui obligent à défiler de côté."""
        return [f"dépasse la largeur : {morceau}" for morceau in self.page.evaluate(_DEBORDE)]


def _annonce_une_page(message: ConsoleMessage, pages_en_erreur: set[str]) -> bool:
    """Chromium écrit en console le code d'une page d'erreur : l'essai vérifie ce code, ce n'est pas un défaut."""
    return message.location.get("url") in pages_en_erreur and message.text.startswith("Failed to load resource")
