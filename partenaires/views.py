from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_tables2 import RequestConfig

from partenaires.models import Partenaire
from partenaires.tables import TablePartenaires


@require_safe
def liste(request: HttpRequest) -> HttpResponse:
    """Les partenaires, avec le nombre d'actions qui les nomment."""
    partenaires = Partenaire.objects.annotate(nombre_d_actions=Count("actions", distinct=True))
    table = TablePartenaires(partenaires)
    RequestConfig(request, paginate={"per_page": 25}).configure(table)
    return render(request, "partenaires/liste.html", {"table": table})
