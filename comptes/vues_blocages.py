"""La page des connexions bloquées, pour l'administrateur."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from comptes import blocages
from comptes.droits import Droit, exiger
from comptes.models import Utilisateur


@require_http_methods(["GET", "HEAD"])
def liste(request: HttpRequest) -> HttpResponse:
    exiger(request.user, Droit.ADMINISTRER)
    return render(request, "identite/blocages.html", {"blocages": blocages.en_cours()})


@require_POST
def debloquer(request: HttpRequest) -> HttpResponse:
    exiger(request.user, Droit.ADMINISTRER)
    identifiant, adresse = request.POST.get("identifiant", ""), request.POST.get("adresse", "")
    if blocages.debloquer(cast(Utilisateur, request.user), identifiant, adresse):
        messages.success(request, "La connexion est débloquée.")
    else:
        messages.info(request, "Cette connexion n'était plus bloquée.")
    return redirect("blocages")
