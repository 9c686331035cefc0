from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from bilans.cadre import cadrer
from bilans.choix_de_deux_annees import FormulaireDeDeuxAnnees
from bilans.demande import Demande
from socle.erreurs import Introuvable


@require_safe
def comparer(request: HttpRequest, plan: str) -> HttpResponse:
    """Deux années du plan côte à côte (`?de=2023&a=2024`)."""
    cadre = cadrer(Demande(plan=plan, annee=None, au=None))
    if cadre is None:
        raise Introuvable("Il n'y a encore aucun plan.")
    choix = FormulaireDeDeuxAnnees(request.GET, cadre=cadre)
    vues = choix.comparer() if choix.possible and choix.is_valid() else None
    contexte = {"plan": cadre.plan, "choix": choix, "vues": vues, "graphique_des_statuts": vues and vues.graphique()}
    return render(request, "bilans/comparer.html", contexte, status=200 if vues or not choix.possible else 400)
