"""Se connecter par le fournisseur d'identité : l'aller, le retour, et ce qui se dit quand il échoue."""

import functools
import logging
from collections.abc import Callable
from contextlib import suppress

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import get_next_redirect_url, perform_login
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from comptes.fournisseur import NOM_INTERNE, DemandePerdue, Dialogue, FournisseurMuet, Identite, ReponseIrrecevable
from comptes.identite import Refus, compte_de, marquer

Vue = Callable[..., HttpResponse]
RETOUR_ANNULE = "access_denied"

journal = logging.getLogger(__name__)


def va_chez_le_fournisseur(vue: Vue) -> Vue:
    """La page dont un bouton mène au fournisseur : la CSP (form-action) refuserait la redirection de cet envoi. Elle
    ne s'ouvre qu'à cette origine, et sur cette seule page."""

    @functools.wraps(vue)
    def ouverte(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        reponse = vue(request, *args, **kwargs)
        if settings.OIDC is not None:
            # Ce que fait csp.decorators.csp_update, dont le réglage se fige au chargement.
            reponse._csp_update = {"form-action": [settings.OIDC.origine]}  # type: ignore[attr-defined]
        return reponse

    return ouverte


def _si_reglee(vue: Vue) -> Vue:
    """Sans fournisseur dans les réglages, l'adresse n'existe pas. Ce qui échoue se dit sur une page."""

    @login_not_required
    @never_cache
    @functools.wraps(vue)
    def reglee(request: HttpRequest) -> HttpResponse:
        if settings.OIDC is None:
            raise Http404
        try:
            return vue(request)
        except Refus as refus:
            return _page(request, 403, "Connexion refusée", str(refus))
        except DemandePerdue:
            phrase = "Cette connexion a déjà servi, ou elle a commencé il y a trop longtemps. Recommencez."
            return _page(request, 400, "Connexion à recommencer", phrase)
        except FournisseurMuet as erreur:
            journal.warning("Fournisseur d'identité : il ne répond pas. %s", erreur)
            phrase = "Le fournisseur d'identité ne répond pas. Réessayez dans quelques minutes."
            return _page(request, 503, "Connexion impossible pour le moment", phrase)
        except ReponseIrrecevable as erreur:
            journal.error("Fournisseur d'identité : réponse refusée. %s", erreur)
            phrase = "La réponse du fournisseur d'identité n'a pas pu être vérifiée. Prévenez l'administrateur."
            return _page(request, 502, "Connexion refusée", phrase)

    return reglee


def _page(request: HttpRequest, code: int, titre: str, phrase: str) -> HttpResponse:
    return render(request, "identite/refus.html", {"titre": titre, "phrase": phrase}, status=code)


@_si_reglee
def partir(request: HttpRequest) -> HttpResponse:
    """Par POST : une page d'ailleurs ne doit pas pouvoir connecter quelqu'un à son insu."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if request.user.is_authenticated:
        return redirect(settings.LOGIN_REDIRECT_URL)
    return Dialogue(request).partir(get_next_redirect_url(request))


@_si_reglee
def revenir(request: HttpRequest) -> HttpResponse:
    """Où le fournisseur renvoie le navigateur."""
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    dialogue = Dialogue(request)
    if request.GET.get("error") == RETOUR_ANNULE:
        # Des fournisseurs oublient alors de rendre le state ; sans lui, on ne fait ici que le dire.
        with suppress(DemandePerdue):
            dialogue.reprendre()
        messages.info(request, "Vous n'avez pas été connecté : la connexion a été annulée.")
        return redirect("account_login")
    note = dialogue.reprendre()
    if "code" not in request.GET:
        raise ReponseIrrecevable(f"retour sans code, erreur {request.GET.get('error', '')[:100]!r}")
    return _connecter(request, dialogue.identite(note), note.get("next"))


def _connecter(request: HttpRequest, identite: Identite, suite: str | None) -> HttpResponse:
    compte = compte_de(identite)
    if request.user.is_authenticated:
        logout(request)
    # Pas celui d'axes, que Django prendrait d'abord et qui ne sait pas relire un compte.
    compte.backend = "comptes.authentification.BackendDesRoles"
    marquer(request, compte)
    record_authentication(request, compte, "socialaccount", provider=NOM_INTERNE, uid=identite.sub)
    return perform_login(request, compte, redirect_url=suite)
