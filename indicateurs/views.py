from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_tables2 import RequestConfig

from indicateurs.graphiques import graphique_annees
from indicateurs.models import Indicateur
from indicateurs.requetes import poser_la_derniere_valeur
from indicateurs.tables import TableIndicateurs
from socle.erreurs import Introuvable


@require_safe
def liste(request: HttpRequest) -> HttpResponse:
    """Les indicateurs et leur dernière valeur connue."""
    table = TableIndicateurs(Indicateur.objects.select_related("service"))
    RequestConfig(request, paginate={"per_page": 25}).configure(table)
    poser_la_derniere_valeur([ligne.record for ligne in table.paginated_rows])
    return render(request, "indicateurs/liste.html", {"table": table})


@require_safe
def detail(request: HttpRequest, code: str) -> HttpResponse:
    indicateurs = Indicateur.objects.select_related("service", "denominateur").prefetch_related("actions", "cibles")
    indicateur = indicateurs.filter(code=code).first()
    if indicateur is None:
        raise Introuvable("Cet indicateur n'existe pas.")
    valeurs = list(indicateur.valeurs.avec_valeur().select_related("indicateur").order_by("-annee"))
    contexte = {
        "indicateur": indicateur,
        "valeurs": valeurs,
        "graphique": graphique_annees(indicateur, valeurs),
    }
    return render(request, "indicateurs/detail.html", contexte)
