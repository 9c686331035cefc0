"""La page de recherche."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accueil.recherche import chercher


@require_safe
def recherche(request: HttpRequest) -> HttpResponse:
    """Tout ce qui répond à `?q=` ; sans demande, de quoi en écrire une."""
    return render(request, "accueil/recherche.html", {"recherche": chercher(request.GET.get("q", ""), request.user)})
