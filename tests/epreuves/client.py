"""Quelqu'un devant son navigateur : il se connecte par la page, remplit les formulaires, lit ce qu'on lui répond."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from tests.epreuves.site import MOT_DE_PASSE, Site

_JETON = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_VERSION = re.compile(r'name="version" value="(\d+)"')
_DATE = re.compile(r'name="date_effet" value="([^"]+)"')
_COCHE = re.compile(r'value="(\w+)"[^>]*\bchecked')
STATUTS = ("TERMINEE", "EN_COURS", "NON_INITIEE")


@dataclass(frozen=True)
class Formulaire:
    """Ce qu'une page montrait : de quoi l'envoyer."""

    adresse: str
    champs: dict[str, str]
    statut: str


class Client:
    """Une personne et sa session."""

    def __init__(self, site: Site, identifiant: str = "responsable", *, delai: float = 60) -> None:
        self.site, self.delai = site, delai
        self.session = requests.Session()
        # Comme derrière nginx, qui ouvre une connexion par demande : gardée, elle peut se fermer à l'instant où l'on
        # s'en ressert, et un programme, à la différence d'un navigateur, n'y revient pas.
        self.session.headers["Connection"] = "close"
        self.identifiant = identifiant

    def aller(self, chemin: str, **options) -> requests.Response:
        return self.session.get(f"{self.site.adresse}{chemin}", timeout=self.delai, **options)

    def envoyer(self, chemin: str, champs: dict, **options) -> requests.Response:
        """Sans suivre la redirection : c'est elle qui dit que c'est enregistré."""
        options.setdefault("allow_redirects", False)
        return self.session.post(f"{self.site.adresse}{chemin}", data=champs, timeout=self.delai, **options)

    def se_connecter(self) -> "Client":
        page = self.aller("/connexion/")
        reponse = self.envoyer(
            "/connexion/",
            {"csrfmiddlewaretoken": jeton(page), "login": self.identifiant, "password": MOT_DE_PASSE},
        )
        assert reponse.status_code == 302, (reponse.status_code, reponse.text[:2000])
        return self

    # --- Changer un statut --------------------------------------------------------------------------

    def lire_le_statut(self, action: int) -> Formulaire | None:
        """Le formulaire du statut ; None si la page n'a pas pu être servie (503)."""
        page = self.aller(f"/actions/{action}/statut/")
        if page.status_code != 200:
            assert page.status_code == 503, (page.status_code, page.text[:2000])
            return None
        return self.formulaire_de(page)

    @staticmethod
    def formulaire_de(page: requests.Response) -> Formulaire:
        version, date, coche = _VERSION.search(page.text), _DATE.search(page.text), _COCHE.search(page.text)
        assert version is not None, page.text
        assert date is not None, page.text
        champs = {"csrfmiddlewaretoken": jeton(page), "version": version[1], "date_effet": date[1]}
        return Formulaire(urlsplit(page.url).path, champs, coche[1] if coche else "")

    def changer_le_statut(self, action: int, commentaire: str) -> requests.Response | None:
        """Passe l'action à un autre statut, en disant `commentaire` ; None si la page n'a pas pu être lue."""
        formulaire = self.lire_le_statut(action)
        return None if formulaire is None else self.envoyer_le_statut(formulaire, commentaire)

    def envoyer_le_statut(self, formulaire: Formulaire, commentaire: str) -> requests.Response:
        suivant = STATUTS[(STATUTS.index(formulaire.statut) + 1) % 3] if formulaire.statut else STATUTS[0]
        return self.envoyer(formulaire.adresse, {**formulaire.champs, "statut": suivant, "commentaire": commentaire})


def jeton(page: requests.Response) -> str:
    trouve = _JETON.search(page.text)
    assert trouve is not None, (page.status_code, page.url, page.text[:2000])
    return trouve[1]
