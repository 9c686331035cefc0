"""Importer des mandats : déposer, dire les colonnes, vérifier, enregistrer. Rien ne s'écrit avant la fin."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from comptes.droits import Droit, exiger
from marches.mandats.formulaires import FormulaireDeColonnes, FormulaireDeDepot
from marches.mandats.imports import (
    SORTES,
    Cadre,
    Depot,
    DepotPerime,
    Essai,
    EssaiPerime,
    FichierDepose,
    appliquer,
    import_en_vigueur,
)
from marches.mandats.lecture import chapitres_des_achats
from marches.models import BudgetDeMandats, ImportDeMandats
from marches.views.commun import lecture_ou_envoi, qui_demande
from socle.formats import typographie
from socle.tableaux import FichierIllisible

EXPIRE = "Cette page a expiré : déposez le fichier de nouveau. Rien n'est écrit."
PERIME = "Ces mandats ont été importés ou retirés entre-temps : déposez le fichier de nouveau. Rien n'est écrit."


@lecture_ou_envoi
def importer(request: HttpRequest) -> HttpResponse:
    """Le formulaire de dépôt ; un fichier lu mène au choix de ses colonnes."""
    exiger(request.user, Droit.IMPORTER)
    formulaire = FormulaireDeDepot(request.POST or None, request.FILES or None)
    if formulaire.is_valid() and (depot := _lire(formulaire)):
        return _montrer_les_colonnes(request, depot)
    contexte = {"formulaire": formulaire, "chapitres": chapitres_des_achats()}
    return render(request, "marches/importer_mandats.html", contexte)


@require_POST
def colonnes(request: HttpRequest) -> HttpResponse:
    """Ce que les colonnes choisies donneraient, ou le choix de nouveau, avec ce qui lui manque."""
    exiger(request.user, Droit.IMPORTER)
    try:
        depot = Depot.signe(request.POST.get("depot", ""))
    except DepotPerime:
        messages.error(request, EXPIRE)
        return redirect("marches:importer_mandats")
    formulaire = FormulaireDeColonnes(request.POST, depot=depot)
    if not formulaire.is_valid():
        return _montrer_les_colonnes(request, depot, formulaire)
    try:
        return _montrer_l_essai(request, depot.essayer(formulaire.correspondances, formulaire.budgets))
    except FichierIllisible as refus:
        formulaire.add_error(None, typographie(str(refus)))
        return _montrer_les_colonnes(request, depot, formulaire)


@require_POST
def enregistrer(request: HttpRequest) -> HttpResponse:
    """Écrit les totaux que l'aperçu annonçait, ou dit pourquoi il ne le peut plus."""
    exiger(request.user, Droit.IMPORTER)
    try:
        fait = appliquer(Essai.signe(request.POST.get("essai", "")), par=qui_demande(request))
    except DepotPerime:
        messages.error(request, EXPIRE)
        return redirect("marches:importer_mandats")
    except EssaiPerime:
        messages.warning(request, PERIME)
        return redirect("marches:importer_mandats")
    messages.success(request, f"Les mandats {fait} sont enregistrés.")
    return redirect(fait)


# --- Ce qu'elles partagent ----------------------------------------------------------------------


def _lire(formulaire: FormulaireDeDepot) -> Depot | None:
    """Les fichiers lus ; None, et l'erreur à côté de son champ, si l'un ne se lit pas."""
    lus = []
    for champ, sorte in zip(("mandats", "tiers"), SORTES, strict=True):
        if fichier := formulaire.cleaned_data[champ]:
            try:
                lus.append(FichierDepose.lire(fichier.name or "fichier", fichier.read(), sorte))
            except FichierIllisible as refus:
                formulaire.add_error(champ, typographie(str(refus)))
    if formulaire.errors:
        return None
    try:
        depot = Depot(formulaire.cadre, tuple(lus)).dans_l_ordre()
        depot.signer()
    except FichierIllisible as refus:
        formulaire.add_error("mandats", typographie(str(refus)))
        return None
    return depot


def _budget(cadre: Cadre) -> Any:
    """Le budget, ou celui qu'on créerait."""
    connu = BudgetDeMandats.objects.filter(pk=cadre.budget).first() if cadre.budget else None
    return connu or BudgetDeMandats(nom=cadre.nouveau, base=cadre.base)


def _montrer_les_colonnes(
    request: HttpRequest, depot: Depot, formulaire: FormulaireDeColonnes | None = None
) -> HttpResponse:
    signe = depot.signer()
    formulaire = formulaire or FormulaireDeColonnes(depot=Depot.signe(signe), initial={"depot": signe})
    contexte = {"formulaire": formulaire, "depot": depot, "budget": _budget(depot.cadre)}
    return render(request, "marches/colonnes_de_mandats.html", contexte)


def _montrer_l_essai(request: HttpRequest, essai: Essai) -> HttpResponse:
    remplace = ImportDeMandats.objects.none()
    if en_vigueur := import_en_vigueur(essai.cadre):
        remplace = ImportDeMandats.objects.avec_totaux().select_related("auteur").filter(pk=en_vigueur.pk)
    contexte = {
        "essai": essai,
        "signe": essai.signer(),
        "budget": _budget(essai.cadre),
        "remplace": remplace.first(),
        "chapitres": chapitres_des_achats(),
    }
    return render(request, "marches/apercu_de_mandats.html", contexte)
