from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_tables2 import RequestConfig

from partenaires.models import Partenaire
from partenaires.tables import TablePartenaires
from socle.instants import instant_demande

# Entrées au plan et pas retirées : la page du partenaire ne montre que celles-là. Chaînes et non liste fermée : les
# actions sont à droite d'ici.
AU_PLAN = Q(actions__presence__in=["ENTREE", "RETOUR"])


@require_safe
def liste(request: HttpRequest) -> HttpResponse:
    """Les partenaires, avec le nombre d'actions au plan qui les nomment : aujourd'hui seulement, et la page le dit à qui
    demande une autre date."""
    partenaires = Partenaire.objects.annotate(nombre_d_actions=Count("actions", filter=AU_PLAN, distinct=True))
    table = TablePartenaires(partenaires)
    RequestConfig(request, paginate={"per_page": 25}).configure(table)
    return render(request, "partenaires/liste.html", {"table": table, "instant": instant_demande(request.GET)})
