"""L'entrée de la section Marchés."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from comptes.droits import Droit, exiger, peut
from marches.rubriques import rubriques_pour


@require_safe
def accueil(request: HttpRequest) -> HttpResponse:
    exiger(request.user, Droit.CONSULTER)
    ouvertes = rubriques_pour(peut_importer=peut(request.user, Droit.IMPORTER))
    return render(request, "marches/accueil.html", {"rubriques": ouvertes})
