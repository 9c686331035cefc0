"""Demander une page comme le ferait un navigateur sans JavaScript : ses formulaires, ses comptes, ce qu'elle écrit."""

import re
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from comptes.models import Utilisateur

# Ce que toute demande peut écrire : la session, et la trace du passage.
TABLES_DE_PASSAGE = ("django_session", "comptes_trace", "axes_")
_ECRITURE = re.compile(r'(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM) "(\w+)"')


def client_de(compte: Utilisateur | None, **options: Any) -> Client:
    """Un navigateur connecté à ce compte comme la page de connexion le ferait. Une panne y est une réponse 500."""
    client = Client(raise_request_exception=False, **options)
    if compte is not None:
        client.force_login(compte, backend="comptes.authentification.BackendDesRoles")
    return client


# --- Formulaires --------------------------------------------------------------------------------


class LecteurDeFormulaires(HTMLParser):
    """Ce qu'un navigateur enverrait de chaque formulaire d'une page, sans y toucher : (adresse, champs)."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.formulaires: list[tuple[str, dict[str, list[str]]]] = []
        self._champs: dict[str, list[str]] = {}
        self._options: list[tuple[str, bool]] = []
        self._liste: dict[str, str | None] = {}
        self._texte: list[str] | None = None
        self.feed(page)

    def handle_starttag(self, balise: str, attributs: list[tuple[str, str | None]]) -> None:
        lus = dict(attributs)
        match balise:
            case "form":
                self._champs = {}
                if (lus.get("method") or "").lower() == "post":
                    self.formulaires.append((lus.get("action") or "", self._champs))
            case "select":
                self._liste, self._options = lus, []
            case "option":
                self._options.append((lus.get("value") or "", "selected" in lus))
            case "textarea":
                self._texte = []
                self._liste = lus
            case "input":
                self._saisie(lus)

    def handle_data(self, donnees: str) -> None:
        if self._texte is not None:
            self._texte.append(donnees)

    def handle_endtag(self, balise: str) -> None:
        match balise:
            case "form":
                self._champs = {}
            case "textarea":
                # Le saut de ligne qui suit la balise ouvrante n'est pas du texte.
                self._ajouter(self._liste, "".join(self._texte or []).removeprefix("\r").removeprefix("\n"))
                self._texte = None
            case "select":
                choisies = [valeur for valeur, choisie in self._options if choisie]
                if not choisies and "multiple" not in self._liste:
                    choisies = [valeur for valeur, _ in self._options[:1]]
                for valeur in choisies:
                    self._ajouter(self._liste, valeur)

    def _saisie(self, lus: dict[str, str | None]) -> None:
        genre = lus.get("type") or "text"
        if genre in ("checkbox", "radio"):
            if "checked" in lus:
                self._ajouter(lus, lus.get("value") or "on")
        elif genre not in ("submit", "button", "file", "reset", "image"):
            self._ajouter(lus, lus.get("value") or "")

    def _ajouter(self, lus: dict[str, str | None], valeur: str) -> None:
        nom = lus.get("name")
        if nom and nom != "csrfmiddlewaretoken" and "disabled" not in lus:
            self._champs.setdefault(nom, []).append(valeur)


def formulaire_de(reponse: HttpResponse) -> dict[str, Any]:
    """Les champs du plus grand formulaire de la page, la déconnexion mise à part ; {} si elle n'en a pas."""
    if not reponse.headers.get("Content-Type", "").startswith("text/html"):
        return {}
    deconnexions = (reverse("account_logout"), reverse("admin:logout"))
    formulaires = LecteurDeFormulaires(reponse.content.decode()).formulaires
    return max((champs for adresse, champs in formulaires if adresse not in deconnexions), key=len, default={})


# --- Ce qu'une demande écrit --------------------------------------------------------------------


@contextmanager
def sans_lendemain():
    """La base, à la sortie, est comme à l'entrée. Rend les requêtes faites entre-temps."""
    with transaction.atomic(), CaptureQueriesContext(connection) as requetes:
        yield requetes
        transaction.set_rollback(True)


def tables_ecrites(requetes: CaptureQueriesContext) -> set[str]:
    """Les tables où ces requêtes ont écrit, celles du passage mises à part."""
    tables = {trouve[1] for requete in requetes if (trouve := _ECRITURE.match(requete["sql"]))}
    return {table for table in tables if not table.startswith(TABLES_DE_PASSAGE)}


def photo() -> dict[str, list[tuple]]:
    """Toutes les lignes de toutes les tables, celles du passage mises à part."""
    return {
        modele._meta.db_table: list(modele._base_manager.order_by("pk").values_list())
        for modele in apps.get_models(include_auto_created=True)
        if not modele._meta.db_table.startswith(TABLES_DE_PASSAGE)
    }
