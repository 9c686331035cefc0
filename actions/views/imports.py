"""Importer un classeur d'actions : le déposer, voir ce qu'il changerait, l'enregistrer ou l'abandonner."""

from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from actions.classeur.colonnes import COLONNES
from actions.classeur.formulaires import FormulaireDeChoix, FormulaireDeDepot
from actions.classeur.imports import (
    EN_COURS,
    PERIME,
    EssaiPerime,
    abandonner,
    deposer,
    enregistrer,
    reprendre,
    tache_de,
)
from actions.classeur.suivi import suivre
from actions.depot_de_fichier import nom_sur
from actions.depots import DepotDeClasseur, EtatDeDepot
from actions.models import Plan
from actions.views.commun import lecture_ou_envoi, sur_place
from comptes.droits import Droit, exiger
from comptes.models import Utilisateur
from socle.erreurs import Introuvable
from socle.formats import typographie
from socle.tableaux import FichierIllisible

LIGNES_PAR_PAGE = 50
DEPOTS_MONTRES = 10


@lecture_ou_envoi
def importer(request: HttpRequest) -> HttpResponse:
    """Le formulaire de dépôt, et les derniers dépôts ; un fichier qui ne se lit pas est refusé à côté de son champ."""
    exiger(request.user, Droit.IMPORTER)
    plan = Plan.objects.filter(slug=request.GET.get("plan", "")).first() or Plan.objects.par_defaut()
    formulaire = FormulaireDeDepot(request.POST or None, request.FILES or None, initial={"plan": plan})
    if formulaire.is_valid():
        fichier = formulaire.cleaned_data["fichier"]
        nom, par = nom_sur(fichier.name) or "classeur", cast("Utilisateur", request.user)
        try:
            return redirect(deposer(formulaire.cleaned_data["plan"], nom, fichier.read(), par=par))
        except FichierIllisible as refus:
            formulaire.add_error("fichier", typographie(str(refus)))
    derniers = DepotDeClasseur.objects.defer("contenu", "apercu").select_related("plan", "depose_par")
    contexte = {"formulaire": formulaire, "plan": plan, "derniers": derniers[:DEPOTS_MONTRES], "colonnes": COLONNES}
    return render(request, "actions/importer.html", contexte)


@require_safe
def depot(request: HttpRequest, depot: int) -> HttpResponse:
    """Où en est un dépôt, et ce que le fichier changerait."""
    exiger(request.user, Droit.IMPORTER)
    trouve = _trouver(depot)
    if sur_place(request) and trouve.etat not in EN_COURS:
        # L'ouvrier a fini : la page qui l'attendait se recharge.
        return HttpResponseClientRefresh()
    return _montrer(request, trouve)


@require_POST
def appliquer(request: HttpRequest, depot: int) -> HttpResponse:
    """Enregistre ce que l'essai annonce, ou dit ce qui manque pour le faire."""
    trouve = _le_sien(request, depot)
    if trouve.etat != EtatDeDepot.LU:
        return redirect(trouve)
    formulaire = FormulaireDeChoix(request.POST, depot=trouve)
    if not formulaire.is_valid():
        return _montrer(request, trouve, formulaire)
    try:
        fait = enregistrer(trouve, formulaire.choix, formulaire.cleaned_data["empreinte"])
    except EssaiPerime:
        messages.warning(request, PERIME)
        return redirect(trouve)
    if fait.etat == EtatDeDepot.APPLIQUE and fait.lot is not None:
        messages.success(request, f"C'est enregistré : {suivre(fait).phrase}.")
    return redirect(trouve)


@require_POST
def abandonner_le_depot(request: HttpRequest, depot: int) -> HttpResponse:
    """Renonce à l'import ; le fichier n'est pas gardé."""
    if abandonner(_le_sien(request, depot)):
        messages.info(request, "Import abandonné : rien n'est écrit, et le fichier n'est pas gardé.")
    return redirect("actions:importer")


@require_POST
def reprendre_le_depot(request: HttpRequest, depot: int) -> HttpResponse:
    """Refait l'essai, ou relance ce qui s'est arrêté en route."""
    trouve = _le_sien(request, depot)
    reprendre(trouve)
    return redirect(trouve)


# --- Ce qu'elles partagent ----------------------------------------------------------------------


def _trouver(depot: int) -> DepotDeClasseur:
    liens = ("plan", "depose_par", "lot")
    trouve = DepotDeClasseur.objects.defer("contenu").select_related(*liens).filter(pk=depot).first()
    if trouve is None:
        raise Introuvable("Ce classeur n'a pas été déposé ici.")
    return trouve


def _le_sien(request: HttpRequest, depot: int) -> DepotDeClasseur:
    exiger(request.user, Droit.IMPORTER)
    trouve = _trouver(depot)
    if trouve.depose_par != request.user:
        raise PermissionDenied(
            f"Ce classeur a été déposé par {trouve.depose_par} : vous pouvez le lire, pas l'enregistrer."
        )
    return trouve


def _montrer(
    request: HttpRequest, trouve: DepotDeClasseur, formulaire: FormulaireDeChoix | None = None
) -> HttpResponse:
    contexte: dict[str, Any] = {
        "depot": trouve,
        "suivi": suivre(trouve),
        "en_cours": trouve.etat in EN_COURS,
        "sien": trouve.depose_par == request.user,
        "tache": tache_de(trouve),
    }
    if trouve.etat == EtatDeDepot.LU:
        contexte["page"] = Paginator(trouve.essai["lignes"], LIGNES_PAR_PAGE).get_page(request.GET.get("page"))
        contexte["formulaire"] = formulaire or FormulaireDeChoix(depot=trouve)
    return render(request, "actions/depot.html", contexte)
