from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from actions.debuts import ignorance_du_plan
from bilans.annees import annees_du_plan
from bilans.demande import lire_demande
from socle.relecture import tel_que_saisi


@require_safe
@tel_que_saisi
def liste(request: HttpRequest) -> HttpResponse:
    """Les années du plan, chacune telle qu'elle était à sa fin, et où en est son bilan."""
    demande = lire_demande(request.GET)
    annees = annees_du_plan(demande)
    if annees is None and demande.saisi_au:
        contexte = {"instant": demande.instant, "ignorance": ignorance_du_plan(demande.plan)}
        return render(request, "accueil/rien_de_saisi.html", contexte)
    gabarit = "bilans/liste.html" if annees else "accueil/premiers_pas.html"
    return render(request, gabarit, {"annees": annees, "cadre": annees and annees.cadre})
