"""Ce qui a changé d'un contenu à l'autre : depuis l'arrêt, ou d'une version à la suivante."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from bilans.comparaison_de_versions import comparaison_demandee
from bilans.views.commun import trouver_le_bilan
from bilans.views.page import lire_portee


@require_safe
def ecarts(request: HttpRequest, plan: str, annee: int) -> HttpResponse:
    """De la dernière version arrêtée à l'état d'aujourd'hui ; `?de=1&a=2` : d'une version à une autre."""
    bilan, portee = trouver_le_bilan(plan, annee), lire_portee(request.GET)
    comparaison = comparaison_demandee(bilan, portee, de=request.GET.get("de", ""), a=request.GET.get("a", ""))
    return render(request, "bilans/ecarts.html", {"bilan": bilan, "comparaison": comparaison})
