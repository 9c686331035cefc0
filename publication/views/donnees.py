"""Les données ouvertes d'un plan : la page qui les présente, et chaque fichier."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from publication.acces import bilans_publies, plan_publie
from publication.fichiers import FICHIERS, DonneesDuPlan
from publication.presentation import presenter
from publication.reponses import Fichier, page, page_publique
from publication.reponses import fichier as rendre


@page_publique
def donnees(request: HttpRequest, plan: str) -> HttpResponse:
    publie = plan_publie(plan)
    contexte = {"presentation": presenter(DonneesDuPlan(publie)), "bilans": bilans_publies(publie)}
    return page(request, "publication/donnees.html", {**contexte, "api_ouverte": settings.API})


@page_publique
def fichier(request: HttpRequest, plan: str, nom: str) -> HttpResponse:
    demande = FICHIERS[nom]
    octets = demande.ecrire(DonneesDuPlan(plan_publie(plan)))
    return rendre(request, Fichier(f"{plan}-{nom}", demande.type, octets))
