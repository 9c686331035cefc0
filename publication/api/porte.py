"""Ce que chaque demande traverse : l'API est-elle ouverte, la lit-on, qui demande, combien de fois.

Une session ne compte pas : seul l'en-tête « Authorization: Bearer » ouvre les adresses internes, et les autres
répondent la même chose à tous.
"""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from comptes.gestes import Jeton
from comptes.jetons_d_api import jeton_du_secret
from comptes.provenance import adresse_du_client
from publication.api import erreurs
from publication.api.limites import attente, groupe
from publication.api.routes import PORTEES
from publication.reponses import repondre as en_cache

Vue = Callable[..., HttpResponse]


def ouverte(vue: Vue) -> Vue:
    """404 si l'API est fermée, 405 si l'on n'y lit pas. Ni session, ni jeton CSRF : rien ne s'y écrit."""

    @wraps(vue)
    def ouvrir(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not settings.API:
            return erreurs.erreur(404, erreurs.FERMEE)
        if request.method not in ("GET", "HEAD"):
            return erreurs.methode_refusee()
        return vue(request, *args, **kwargs)

    return csrf_exempt(login_not_required(ouvrir))


@ouverte
def porte(request: HttpRequest, nom: str, **parametres: str) -> HttpResponse:
    """La réponse de cette adresse. Elle se compte avant d'être calculée, celles qu'on refuse comprises."""
    jeton = _jeton(request) if nom in PORTEES else None
    secondes = (
        attente(f"jeton:{jeton.pk}", settings.API_DEMANDES_PAR_JETON)
        if jeton
        else attente(f"adresse:{groupe(adresse_du_client(request))}", settings.API_DEMANDES_PAR_MINUTE)
    )
    if secondes is not None:
        return _habiller(request, nom, erreurs.trop_de_demandes(secondes))
    if nom in PORTEES and (refus := _refus(request, nom, jeton)) is not None:
        return _habiller(request, nom, refus)
    # Importé à la première demande : un site sans API ne paie ni django-ninja ni pydantic.
    from publication.api.service import repondre

    return _habiller(request, nom, repondre(request, nom, parametres))


@ouverte
def inconnue(request: HttpRequest, reste: str) -> HttpResponse:
    return pour_tous(erreurs.erreur(404, erreurs.INCONNUE))


def _jeton(request: HttpRequest) -> Jeton | None:
    """Celui de l'en-tête, jamais de l'adresse, qui se garde dans les journaux ; None s'il n'ouvre rien."""
    genre, _, secret = request.headers.get("Authorization", "").partition(" ")
    if genre.lower() != "bearer" or not secret.strip():
        return None
    return jeton_du_secret(secret.strip(), timezone.now())


def _refus(request: HttpRequest, nom: str, jeton: Jeton | None) -> HttpResponse | None:
    if jeton is None:
        phrase = erreurs.JETON_REFUSE if "Authorization" in request.headers else erreurs.SANS_JETON
        return erreurs.sans_droit(phrase)
    portee = PORTEES[nom]
    if not jeton.permet(portee, timezone.now()):
        return erreurs.erreur(403, f"Ce jeton n'a pas la portée « {portee.value} ».")
    return None


def _habiller(request: HttpRequest, nom: str, reponse: HttpResponse) -> HttpResponse:
    if nom in PORTEES:
        reponse["Cache-Control"] = "no-store"
        return reponse
    return gardable(request, reponse)


def gardable(request: HttpRequest, reponse: HttpResponse) -> HttpResponse:
    """Une réponse publique, gardée et revalidée comme une page publique (`publication.reponses`). Une erreur ne se
    garde pas."""
    if reponse.status_code != 200:
        return pour_tous(reponse)
    return pour_tous(en_cache(request, reponse.content, reponse["Content-Type"]))


def pour_tous(reponse: HttpResponse) -> HttpResponse:
    """Une page d'un autre site peut lire la réponse (CORS) ; sans identifiants, qu'on n'y lit pas."""
    reponse["Access-Control-Allow-Origin"] = "*"
    reponse.headers.setdefault("Cache-Control", "no-cache")
    return reponse
