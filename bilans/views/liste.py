from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from bilans.annees import annees_du_plan
from bilans.demande import lire_demande


@require_safe
def liste(request: HttpRequest) -> HttpResponse:
    """Les années du plan, chacune telle qu'elle était à sa fin, et où en est son bilan."""
    annees = annees_du_plan(lire_demande(request.GET))
    gabarit = "bilans/liste.html" if annees else "accueil/premiers_pas.html"
    return render(request, gabarit, {"annees": annees, "cadre": annees and annees.cadre})
