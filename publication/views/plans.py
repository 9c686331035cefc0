"""Les plans publiés, et ce que le public voit de chacun aujourd'hui."""

from django.http import HttpRequest, HttpResponse

from publication.acces import introuvable, plan_publie, plans_publies
from publication.fil import ecrire_le_fil
from publication.plan_public import lire_le_plan
from publication.reponses import Fichier, fichier, page, page_publique, refus


@page_publique
def plans(request: HttpRequest) -> HttpResponse:
    """Les plans publiés ; sans aucun, cette page n'existe pas."""
    publies = list(plans_publies())
    if not publies:
        raise introuvable()
    return page(request, "publication/plans.html", {"plans": publies})


@page_publique
def plan(request: HttpRequest, plan: str) -> HttpResponse:
    return page(request, "publication/plan.html", {"lu": lire_le_plan(plan_publie(plan))})


@page_publique
def fil(request: HttpRequest, plan: str) -> HttpResponse:
    octets = ecrire_le_fil(plan_publie(plan))
    return fichier(request, Fichier("fil.atom", "application/atom+xml; charset=utf-8", octets))


@page_publique
def introuvable_ici(request: HttpRequest, reste: str) -> HttpResponse:
    """Toute autre adresse sous /public/ : le même refus, sans le menu du site."""
    return refus(request)
