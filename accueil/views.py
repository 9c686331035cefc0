from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accueil.demande import lire_demande
from accueil.tableau_de_bord import assembler


@require_safe
def tableau_de_bord(request: HttpRequest) -> HttpResponse:
    """La situation du plan : aujourd'hui, à la fin d'une année (`annee`) ou à une date (`au`)."""
    tableau = assembler(lire_demande(request.GET))
    gabarit = "accueil/tableau_de_bord.html" if tableau else "accueil/premiers_pas.html"
    return render(request, gabarit, {"tableau": tableau})


@require_safe
@never_cache
@login_not_required
def sante(request: HttpRequest) -> JsonResponse:
    """200 seulement quand la base répond ; 503 sinon. Pour la supervision, sans connexion."""
    try:
        with connection.cursor() as curseur:
            curseur.execute("SELECT COUNT(*) FROM django_migrations")
    except DatabaseError:
        return JsonResponse({"etat": "base de données injoignable"}, status=503)
    return JsonResponse({"etat": "ok"})
