"""Les jetons d'API de chacun : les créer, les voir, les révoquer."""

from collections.abc import Callable
from functools import wraps
from typing import cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accueil.formulaire_de_jeton import FormulaireDeJeton
from comptes.gestes import Jeton
from comptes.jetons_d_api import PORTEES, est_de_l_api, jetons_de, secret_de
from comptes.models import Utilisateur
from socle.erreurs import Introuvable

# Le jeton qu'on vient de créer : il se montre une fois. La session ne garde pas le secret, mais l'aléa dont la clé du
# site le tire.
CLE_DU_NOUVEAU = "jeton_cree"


def si_l_api_est_ouverte(vue: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(vue)
    def ouverte(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not settings.API:
            raise Introuvable("L'API n'est pas ouverte sur ce site.")
        return vue(request, *args, **kwargs)

    return ouverte


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@si_l_api_est_ouverte
def jetons(request: HttpRequest) -> HttpResponse:
    """Les siens, et de quoi en créer un ; après la création, son secret, une seule fois."""
    utilisateur = cast("Utilisateur", request.user)
    formulaire = FormulaireDeJeton(request.POST or None)
    if formulaire.is_valid():
        jeton = formulaire.enregistrer(utilisateur)
        request.session[CLE_DU_NOUVEAU] = {"jeton": jeton.pk, "alea": formulaire.cleaned_data["alea"]}
        return redirect("accueil:jetons")
    siens = jetons_de(utilisateur)
    contexte = {
        "formulaire": formulaire,
        "jetons": [
            (jeton, [libelle for portee, libelle in PORTEES.items() if portee in jeton.portees]) for jeton in siens
        ],
        "nouveau": _nouveau(request, utilisateur, siens),
        "adresse_de_l_api": f"{settings.ADRESSE_DU_SITE}/api/v1/",
    }
    return render(request, "accueil/jetons.html", contexte)


def _nouveau(request: HttpRequest, utilisateur: Utilisateur, siens: list[Jeton]) -> dict[str, object] | None:
    """Le jeton qu'on vient de créer et son secret, oublié aussitôt ; None s'il n'y en a pas, ou s'il est révoqué."""
    retenu = request.session.pop(CLE_DU_NOUVEAU, {}) if request.method == "GET" else {}
    jeton = next((jeton for jeton in siens if jeton.pk == retenu.get("jeton")), None)
    return {"jeton": jeton, "secret": secret_de(utilisateur, retenu["alea"])} if jeton else None


@require_POST
@si_l_api_est_ouverte
def revoquer(request: HttpRequest, jeton: int) -> HttpResponse:
    """Sans retour. Demandé deux fois : rien de plus."""
    trouve = Jeton.objects.filter(pk=jeton, utilisateur=cast("Utilisateur", request.user)).first()
    if trouve is None or not est_de_l_api(trouve):
        raise Introuvable("Ce jeton n'existe pas.")
    trouve.revoquer()
    messages.success(request, f"Jeton « {trouve} » révoqué : il n'ouvre plus rien.")
    return redirect("accueil:jetons")
