"""La page de son propre compte."""

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accueil.formulaire_de_compte import FormulaireDeRappels
from comptes.models import Utilisateur


@require_http_methods(["GET", "HEAD", "POST"])
def mon_compte(request: HttpRequest) -> HttpResponse:
    """Ce que le site sait de l'utilisateur, et s'il veut des rappels."""
    compte = cast("Utilisateur", request.user)
    formulaire = FormulaireDeRappels(
        request.POST if request.method == "POST" else None, initial={"rappels": "oui" if compte.rappels else "non"}
    )
    if formulaire.is_valid():
        compte.choisir_les_rappels(formulaire.cleaned_data["rappels"])
        suite = "vous recevrez les rappels." if compte.rappels else "vous ne recevrez plus de rappels."
        messages.success(request, f"C'est noté : {suite}")
        return redirect("accueil:mon_compte")
    contexte = {"compte": compte, "formulaire": formulaire, "api_ouverte": settings.API}
    return render(request, "accueil/mon_compte.html", contexte)
