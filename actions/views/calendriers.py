"""Les calendriers de chacun, et l'adresse que son agenda relit."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.shortcuts import redirect, render
from django.utils.cache import get_conditional_response
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_POST, require_safe

from actions.calendriers import (
    adresse_du_calendrier,
    calendrier_du_secret,
    en_ical,
    etiquette,
    evenements,
    jetons_de,
    secret_de,
)
from actions.formulaire_de_calendrier import FormulaireCalendrier
from actions.views.commun import lecture_ou_envoi
from comptes.gestes import Jeton, PorteeDeJeton
from comptes.models import Utilisateur
from socle.erreurs import Introuvable

# Le calendrier qu'on vient de créer : son adresse se montre une fois. La session ne garde pas le secret, mais l'aléa
# dont la clé du site le tire.
CLE_DU_NOUVEAU = "calendrier_cree"


@never_cache
@lecture_ou_envoi
def calendriers(request: HttpRequest) -> HttpResponse:
    """Les siens, et de quoi en créer un ; après la création, son adresse, une seule fois."""
    utilisateur = cast("Utilisateur", request.user)
    formulaire = FormulaireCalendrier(request.POST or None)
    if formulaire.is_valid():
        jeton = formulaire.enregistrer(utilisateur)
        request.session[CLE_DU_NOUVEAU] = {"jeton": jeton.pk, "alea": formulaire.cleaned_data["alea"]}
        return redirect("actions:calendriers")
    jetons = jetons_de(utilisateur)
    contexte = {
        "formulaire": formulaire,
        "jetons": [
            (jeton, formulaire.sujets.get(jeton.sujet, "Rien : ce qu'il montrait n'existe plus")) for jeton in jetons
        ],
        "nouveau": _nouveau(request, utilisateur, jetons),
    }
    return render(request, "actions/calendriers.html", contexte)


def _nouveau(request: HttpRequest, utilisateur: Utilisateur, jetons: list[Jeton]) -> dict[str, object] | None:
    """Le jeton qu'on vient de créer et son adresse, oubliés aussitôt ; None s'il n'y en a pas, ou s'il est révoqué."""
    retenu = request.session.pop(CLE_DU_NOUVEAU, {}) if request.method == "GET" else {}
    jeton = next((jeton for jeton in jetons if jeton.pk == retenu.get("jeton")), None)
    if jeton is None:
        return None
    return {"jeton": jeton, "adresse": adresse_du_calendrier(secret_de(utilisateur, retenu["alea"]))}


@require_POST
def revoquer(request: HttpRequest, jeton: int) -> HttpResponse:
    """Sans retour. Demandé deux fois : rien de plus."""
    trouve = Jeton.objects.filter(pk=jeton, utilisateur=cast("Utilisateur", request.user)).first()
    if trouve is None or PorteeDeJeton.CALENDRIER not in trouve.portees:
        raise Introuvable("Ce calendrier n'existe pas.")
    trouve.revoquer()
    messages.success(request, f"Calendrier « {trouve} » révoqué : son adresse ne répond plus.")
    return redirect("actions:calendriers")


@require_safe
@login_not_required
@cache_control(private=True, no_cache=True)
def flux(request: HttpRequest, secret: str) -> HttpResponse:
    """Ce que l'agenda relit, sans session. Tout refus est le même 404 : il ne dit pas si l'adresse a existé."""
    calendrier = calendrier_du_secret(secret)
    if calendrier is None:
        return HttpResponseNotFound("Ce calendrier n'existe pas.\n", content_type="text/plain; charset=utf-8")
    lus = evenements(calendrier)
    empreinte = etiquette(calendrier, lus)
    inchange = get_conditional_response(request, etag=empreinte)
    if inchange is not None:
        return cast("HttpResponse", inchange)
    reponse = HttpResponse(en_ical(calendrier, lus), content_type="text/calendar; charset=utf-8")
    reponse["ETag"] = empreinte
    reponse["Content-Disposition"] = 'inline; filename="echeances.ics"'
    return reponse
