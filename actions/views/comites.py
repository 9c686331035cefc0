"""Les comités de pilotage : leur liste, leur fiche à imprimer, leur relevé de décisions."""

from collections.abc import Callable
from typing import cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from actions.comites import Comite, Decision
from actions.fiche_de_comite import fiche_de_comite
from actions.formulaires_de_comite import FormulaireComite, FormulaireDecision
from actions.models import Plan
from actions.views.commun import lecture_ou_envoi
from actions.views.etapes import nombre_envoye
from comptes.droits import Droit, exiger
from comptes.models import Utilisateur
from socle.erreurs import Introuvable
from socle.modeles import ConflitDeVersion


def trouver_le_plan(request: HttpRequest) -> Plan | None:
    """Le plan demandé (`?plan=`), ou celui par défaut ; None tant qu'il n'y en a aucun."""
    slug = request.GET.get("plan")
    if not slug:
        return Plan.objects.par_defaut()
    plan = Plan.objects.filter(slug=slug).first()
    if plan is None:
        raise Introuvable("Ce plan n'existe pas.")
    return plan


def trouver_le_comite(pk: int) -> Comite:
    comite = Comite.objects.filter(pk=pk).select_related("plan").first()
    if comite is None:
        raise Introuvable("Ce comité n'existe pas.")
    return comite


def trouver_la_decision(comite: Comite, pk: int) -> Decision:
    decision = Decision.objects.filter(comite=comite, pk=pk).select_related("action").first()
    if decision is None:
        raise Introuvable("Cette décision n'existe pas.")
    return decision


def vers_le_releve(comite: Comite) -> HttpResponse:
    return redirect(f"{comite.get_absolute_url()}#releve")


# --- Comités ------------------------------------------------------------------------------------


@require_safe
def liste(request: HttpRequest) -> HttpResponse:
    """Ceux d'un plan : à venir d'abord, puis les tenus, le dernier en tête."""
    plan, aujourdhui = trouver_le_plan(request), timezone.localdate()
    comites = Comite.objects.filter(plan=plan).avec_decisions()
    contexte = {
        "plan": plan,
        "plans": Plan.objects.order_by("intitule"),
        "a_venir": comites.a_venir(aujourdhui),
        "passes": comites.passes(aujourdhui),
    }
    return render(request, "actions/comites.html", contexte)


@lecture_ou_envoi
def creer(request: HttpRequest) -> HttpResponse:
    exiger(request.user, Droit.MODIFIER_LE_PLAN)
    plan = trouver_le_plan(request)
    if plan is None:
        raise Introuvable("Il n'y a pas encore de plan : créez-le d'abord dans l'administration.")
    formulaire = FormulaireComite(request.POST or None, plan=plan, auteur=request.user)
    comite = formulaire.enregistrer() if request.method == "POST" else None
    if comite:
        messages.success(request, f"{comite} enregistré.")
        return redirect(comite)
    return render(request, "actions/comite_modifier.html", {"plan": plan, "formulaire": formulaire})


@require_safe
def fiche(request: HttpRequest, comite: int) -> HttpResponse:
    """La fiche, à l'écran et sur le papier ; `?fiche=entiere` n'y coupe rien."""
    trouve = trouver_le_comite(comite)
    contexte = {
        "comite": trouve,
        "fiche": fiche_de_comite(trouve, entiere=request.GET.get("fiche") == "entiere"),
        "formulaire": FormulaireDecision(comite=trouve),
    }
    return render(request, "actions/comite.html", contexte)


@lecture_ou_envoi
def modifier(request: HttpRequest, comite: int) -> HttpResponse:
    exiger(request.user, Droit.MODIFIER_LE_PLAN)
    trouve = trouver_le_comite(comite)
    formulaire = FormulaireComite(request.POST or None, instance=trouve, plan=trouve.plan, auteur=request.user)
    if request.method == "POST" and formulaire.enregistrer():
        messages.success(request, "Comité enregistré.")
        return redirect(trouve)
    contexte = {"comite": trouver_le_comite(comite), "plan": trouve.plan, "formulaire": formulaire}
    return render(request, "actions/comite_modifier.html", contexte)


# --- Relevé de décisions ------------------------------------------------------------------------


@lecture_ou_envoi
def ajouter(request: HttpRequest, comite: int) -> HttpResponse:
    exiger(request.user, Droit.MODIFIER_LE_PLAN)
    trouve = trouver_le_comite(comite)
    formulaire = FormulaireDecision(request.POST or None, comite=trouve)
    if formulaire.is_valid() and formulaire.enregistrer(cast("Utilisateur", request.user)):
        messages.success(request, "Décision ajoutée au relevé.")
        return vers_le_releve(trouve)
    return render(request, "actions/decision.html", {"comite": trouve, "formulaire": formulaire})


@lecture_ou_envoi
def reprendre(request: HttpRequest, comite: int, decision: int) -> HttpResponse:
    exiger(request.user, Droit.MODIFIER_LE_PLAN)
    trouve = trouver_le_comite(comite)
    formulaire = FormulaireDecision(
        request.POST or None, comite=trouve, decision=trouver_la_decision(trouve, decision)
    )
    if formulaire.is_valid() and formulaire.enregistrer(cast("Utilisateur", request.user)):
        messages.success(request, "Décision enregistrée.")
        return vers_le_releve(trouve)
    return render(request, "actions/decision.html", {"comite": trouve, "formulaire": formulaire})


def d_un_clic(request: HttpRequest, comite: int, decision: int, geste: Callable, compte_rendu: str) -> HttpResponse:
    """Un bouton du relevé : le geste, sa confirmation ou son refus, et retour au relevé."""
    exiger(request.user, Droit.MODIFIER_LE_PLAN)
    trouve = trouver_le_comite(comite)
    try:
        geste(trouver_la_decision(trouve, decision), version=nombre_envoye(request, "version"))
    except ConflitDeVersion:
        messages.warning(request, "Cette décision vient d'être changée par quelqu'un : relisez-la, puis recommencez.")
    except ValidationError as refus:
        messages.warning(request, " ".join(refus.messages))
    else:
        messages.success(request, compte_rendu)
    return vers_le_releve(trouve)


@require_POST
def retirer(request: HttpRequest, comite: int, decision: int) -> HttpResponse:
    return d_un_clic(request, comite, decision, Decision.retirer, "Décision retirée : elle reste au relevé, barrée.")


@require_POST
def remettre(request: HttpRequest, comite: int, decision: int) -> HttpResponse:
    return d_un_clic(request, comite, decision, Decision.remettre, "Décision remise au relevé.")
