"""Répondre à une invitation : choisir son mot de passe, sans être connecté."""

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import SetPasswordForm
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from comptes.invitations import accepter, compte_invite

# Le jeton passe de l'adresse à la session : aucune page ouverte ensuite ne le montre, ni au journal ni à un Referer.
DANS_LA_SESSION = "invitation"


@login_not_required
@never_cache
@require_safe
def ouvrir(request: HttpRequest, jeton_d_invitation: str) -> HttpResponse:
    """Le lien du courriel. Le suivre n'use pas l'invitation : les messageries ouvrent les liens avant leur lecteur."""
    request.session[DANS_LA_SESSION] = jeton_d_invitation
    reponse = redirect("invitation_choisir")
    reponse["Referrer-Policy"] = "no-referrer"
    return reponse


@login_not_required
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@transaction.atomic
def choisir(request: HttpRequest) -> HttpResponse:
    compte = compte_invite(request.session.get(DANS_LA_SESSION, ""), verrouiller=request.method == "POST")
    if compte is None:
        return render(request, "identite/invitation_perdue.html", status=404)
    formulaire = SetPasswordForm(compte, request.POST or None)
    if request.method == "POST" and formulaire.is_valid():
        accepter(compte, formulaire.cleaned_data["new_password1"])
        # Qui était connecté sous un autre nom ne l'est plus ; la session, avec le jeton, repart de zéro.
        logout(request)
        messages.success(request, "Votre mot de passe est enregistré. Connectez-vous avec votre identifiant.")
        return redirect("account_login")
    return render(request, "identite/invitation.html", {"form": formulaire, "compte": compte})
