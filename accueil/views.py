import re

from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe

from accueil.tableau_de_bord import assembler
from actions.annulation import action_annulable
from actions.debuts import ignorance_du_plan
from bilans.demande import lire_demande
from socle.couleurs import BLANC, melanger
from socle.erreurs import Introuvable
from socle.relecture import tel_que_saisi


@require_safe
@tel_que_saisi
def tableau_de_bord(request: HttpRequest) -> HttpResponse:
    """La situation du plan : aujourd'hui, à la fin d'une année (`annee`) ou à une date (`au`), telle qu'on la sait ou
    telle que saisie à un moment (`saisi_au`)."""
    demande = lire_demande(request.GET)
    tableau = assembler(demande, en_vue=action_annulable(request))
    if tableau is None and demande.saisi_au:
        contexte = {"instant": demande.instant, "ignorance": ignorance_du_plan(demande.plan)}
        return render(request, "accueil/rien_de_saisi.html", contexte)
    gabarit = "accueil/tableau_de_bord.html" if tableau else "accueil/premiers_pas.html"
    return render(request, gabarit, {"tableau": tableau, "cadre": tableau and tableau.cadre})


@require_safe
@login_not_required
@cache_control(max_age=365 * 24 * 3600, immutable=True)
def accent(request: HttpRequest, couleur: str) -> HttpResponse:
    """La feuille de style d'une couleur d'accent : l'adresse dit tout, elle se garde donc un an."""
    if not re.fullmatch("[0-9a-fA-F]{6}", couleur):
        raise Introuvable("Cette couleur n'existe pas.")
    teinte = f"#{couleur}"
    nuances = {"teinte": teinte, "foncee": melanger(teinte, "#000000", 0.3), "pale": melanger(teinte, BLANC, 0.92)}
    # Sans la requête : la feuille est la même pour tous, et les pages publiques la demandent sans cookie.
    return render(None, "accueil/accent.css", nuances, content_type="text/css; charset=utf-8")


@require_safe
@never_cache
@login_not_required
def sante(request: HttpRequest) -> JsonResponse:
    """200 seulement quand la base répond ; 503 sinon. Pour la supervision, sans connexion."""
    try:
        with connection.cursor() as curseur:
            curseur.execute("SELECT COUNT(*) FROM django_migrations")
    except Error:
        return JsonResponse({"etat": "base de données injoignable"}, status=503)
    return JsonResponse({"etat": "ok"})
