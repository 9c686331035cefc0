"""L'API elle-même, avec django-ninja : ses opérations, et ce qu'elle répond quand une demande ne va pas.

Ce module n'est importé qu'à la première demande servie (voir `publication.api.porte`).
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern
from ninja import NinjaAPI
from ninja.errors import ValidationError

from publication.api import interne, publique
from publication.api.erreurs import erreur
from publication.api.routes import ROUTES
from socle.erreurs import Introuvable

PLUSIEURS = "Ce paramètre n'est attendu qu'une fois."
INCONNU = "Ce paramètre n'existe pas ici."

api = NinjaAPI(
    title="Commande publique responsable",
    version="1.0.0",
    docs_url=None,
    openapi_url=None,
    urls_namespace="api-v1",
)
publique.ajouter(api)
interne.ajouter(api)


@cache
def _vues() -> Mapping[str, Any]:
    """Par nom de route, la vue de django-ninja."""
    return {
        motif.name: motif.callback for motif in api.urls[0] if isinstance(motif, URLPattern) and motif.name in ROUTES
    }


def repondre(request: HttpRequest, nom: str, parametres: Mapping[str, str]) -> HttpResponse:
    """La réponse de cette opération. Un paramètre inconnu ou répété se refuse : une faute de frappe dans un filtre
    rendrait toute la liste."""
    from publication.api.document import filtres_de

    connus = filtres_de(nom)
    refuses = {champ: INCONNU for champ in request.GET if champ not in connus}
    refuses |= {champ: PLUSIEURS for champ, valeurs in request.GET.lists() if champ in connus and len(valeurs) > 1}
    if refuses:
        return _illisible(refuses)
    return cast("HttpResponse", _vues()[nom](request, **parametres))


def _illisible(parametres: Mapping[str, str]) -> HttpResponse:
    return erreur(422, "La demande n'est pas compréhensible : voir « parametres ».", parametres)


# --- Erreurs ----------------------------------------------------------------------------------------


@api.exception_handler(Http404)
def _introuvable(request: HttpRequest, exception: Exception) -> HttpResponse:
    phrase = str(exception) if isinstance(exception, Introuvable) else "Ceci n'existe pas, ou n'est pas public."
    return erreur(404, phrase)


@api.exception_handler(BadRequest)
def _malvenue(request: HttpRequest, exception: Exception) -> HttpResponse:
    return erreur(400, str(exception))


@api.exception_handler(ValidationError)
def _invalide(request: HttpRequest, exception: ValidationError) -> HttpResponse:
    return _illisible({str(faute["loc"][-1]): _phrase(faute) for faute in exception.errors})


@api.exception_handler(Exception)
def _panne(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django note la panne et répond (`commande_responsable.erreurs.panne`) : rien n'en sort ici, même en mise au
    point."""
    raise exception


def _phrase(faute: Mapping[str, Any]) -> str:
    """Une faute de pydantic, en français."""
    contexte = faute.get("ctx", {})
    match faute["type"]:
        case "greater_than_equal":
            return f"{contexte['ge']} au moins."
        case "less_than_equal":
            return f"{contexte['le']} au plus."
        case "literal_error":
            return f"Une de ces valeurs : {contexte['expected'].replace(' or ', ', ')}."
        case "string_too_long":
            return f"{contexte['max_length']} signes au plus."
        case "string_pattern_mismatch":
            return "Un signe qui n'a pas sa place ici."
        case "value_error" | "int_parsing" | "int_type":
            return "Un entier, écrit en chiffres."
    return "Cette valeur n'est pas comprise."
