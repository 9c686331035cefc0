"""Répondre au public : la même réponse à tous, qu'un cache garde, et qui se revalide sans se renvoyer.

Rien n'est rendu avec la requête : ni session, ni jeton CSRF, ni nom de qui lit.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, quote_etag
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from bilans.contenu.canonique import empreinte
from comptes.models import Collectivite
from publication.acces import PHRASE, plans_publies
from publication.licences import licence

# Une minute, puis rien ne se remontre sans l'avoir redemandé : ce qu'on cesse de publier disparaît vite des caches, et
# l'étiquette fait qu'une page inchangée ne se renvoie pas. Un refus ne dure pas davantage.
CACHE = "public, max-age=60, must-revalidate"

HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Fichier:
    """Ce qui s'enregistre plutôt qu'il ne se lit à l'écran. `nom` : proposé à qui l'enregistre."""

    nom: str
    type: str
    contenu: bytes
    empreinte: str = ""
    modifie_le: datetime | None = None


Vue = Callable[..., HttpResponse]


def page_publique(vue: Vue) -> Vue:
    """Une vue ouverte à tous, en lecture. Tout ce qu'elle ne trouve pas est le même 404, sans le menu du site."""

    @wraps(vue)
    def ouverte(request: HttpRequest, *args: Any, **parametres: Any) -> HttpResponse:
        try:
            return vue(request, *args, **parametres)
        except Http404:
            return refus(request)

    # Sans session, un jeton CSRF n'a rien à protéger ; un envoi reçoit 405.
    return cast("Vue", csrf_exempt(login_not_required(require_safe(ouverte))))


def page(request: HttpRequest, gabarit: str, contexte: Mapping[str, Any]) -> HttpResponse:
    """La page de ce gabarit, avec ce que toutes les pages publiques montrent."""
    corps = render_to_string(gabarit, {**_commun(request), **contexte}).encode()
    return repondre(request, corps, HTML)


def fichier(request: HttpRequest, a_rendre: Fichier, **en_tetes: str) -> HttpResponse:
    """Un fichier, que le site d'un autre peut lire aussi (CORS)."""
    return repondre(
        request,
        a_rendre.contenu,
        a_rendre.type,
        etiquette=a_rendre.empreinte,
        modifie_le=a_rendre.modifie_le,
        **{
            "Content-Disposition": f'inline; filename="{a_rendre.nom}"',
            "Access-Control-Allow-Origin": "*",
            **en_tetes,
        },
    )


def repondre(
    request: HttpRequest,
    corps: bytes,
    type_de_contenu: str,
    *,
    etiquette: str = "",
    modifie_le: datetime | None = None,
    **en_tetes: str,
) -> HttpResponse:
    """200 avec son étiquette et son temps de cache, ou 304 si le visiteur a déjà ces octets. `etiquette` : ce qui les
    identifie ; vide, leur empreinte. `modifie_le` est dit, et ne décide de rien : une version arrêtée avant la visite
    peut n'être publiée qu'après."""
    etag = quote_etag(etiquette or empreinte(corps))
    reponse = HttpResponse(corps, content_type=type_de_contenu, headers={"Cache-Control": CACHE, **en_tetes})
    reponse["ETag"] = etag
    if modifie_le is not None:
        reponse["Last-Modified"] = http_date(modifie_le.timestamp())
    return cast("HttpResponse", get_conditional_response(request, etag, None, reponse))


def refus(request: HttpRequest) -> HttpResponse:
    """Le 404 des pages publiques : le même, que ce qu'on demande n'existe pas ou ne soit pas public."""
    contexte = {**_commun(request), "phrase": PHRASE, "des_plans": plans_publies().exists()}
    corps = render_to_string("publication/introuvable.html", contexte)
    return HttpResponse(corps, status=404, content_type=HTML, headers={"Cache-Control": CACHE})


def adresse_entiere(chemin: str) -> str:
    """L'adresse que porte un lien lu hors du site : `ADRESSE_DU_SITE`, jamais l'hôte que le visiteur annonce."""
    return f"{settings.ADRESSE_DU_SITE}{chemin}"


def _commun(request: HttpRequest) -> dict[str, Any]:
    return {
        "collectivite": Collectivite.objects.first(),
        "canonique": adresse_entiere(request.path),
        "licence": licence(),
    }
