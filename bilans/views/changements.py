from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from actions.models import Plan
from bilans.periode import FormulaireDePeriode
from socle.erreurs import Introuvable


def trouver_le_plan(slug: str) -> Plan:
    plan = Plan.objects.filter(slug=slug).first()
    if plan is None:
        raise Introuvable(f"Aucun plan ne porte le nom « {slug} ».")
    return plan


@require_safe
def changements(request: HttpRequest, plan: str) -> HttpResponse:
    """Ce qui a changé entre deux dates (`?du=&au=`), une phrase par changement ; s'imprime."""
    trouve = trouver_le_plan(plan)
    periode = FormulaireDePeriode(request.GET, plan=trouve)
    vus = periode.ce_qui_a_change() if periode.is_valid() else None
    contexte = {"plan": trouve, "periode": periode, "vus": vus}
    return render(request, "bilans/changements.html", contexte, status=200 if vus else 400)
