"""La fiche d'une action : la lire, la modifier, en créer une."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from actions.debuts import ignorance
from actions.fiche import FormulaireAction, FormulaireCreation
from actions.models import Plan
from actions.prochain_pas import prochain_pas
from actions.vie import vie_de_l_action
from actions.views.commun import lecture_ou_envoi, trouver_l_action
from comptes.droits import Droit, exiger, peut
from socle.erreurs import Introuvable
from socle.instants import instant_demande
from socle.relecture import tel_que_saisi


@require_safe
@tel_que_saisi
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """La fiche d'une action et sa vie, aujourd'hui ou à l'instant demandé : rien ne s'y change alors."""
    instant = instant_demande(request.GET)
    action, entiere = trouver_l_action(pk, instant), request.GET.get("chronologie") == "entiere"
    contexte = {
        "action": action,
        "instant": instant,
        "ignorance": ignorance(instant, action=action),
        # À une date passée, ce qui n'a que le temps de sa saisie ne se montre que si l'on dit laquelle.
        "un_temps_connu": not instant.passe or instant.saisi_au is not None,
        "vie": vie_de_l_action(action, request.user, entiere=entiere, instant=instant),
        "prochain_pas": None if instant.passe else prochain_pas(action),
        "participations": action.participations.select_related("partenaire"),
        "references": action.references.all(),
        "copies": action.copies.select_related("plan"),
        # Relation inverse : les indicateurs nomment leurs actions, jamais l'inverse.
        "indicateurs": action.indicateurs.all(),
        "peut_mettre_a_jour": not instant.passe and peut(request.user, Droit.METTRE_A_JOUR, action),
    }
    return render(request, "actions/detail.html", contexte)


@lecture_ou_envoi
def modifier(request: HttpRequest, pk: int) -> HttpResponse:
    action = trouver_l_action(pk)
    exiger(request.user, Droit.MODIFIER_LE_PLAN, action)
    formulaire = FormulaireAction(request.POST or None, instance=action, plan=action.plan, auteur=request.user)
    if request.method == "POST" and formulaire.enregistrer():
        messages.success(request, "Action enregistrée.")
        return redirect(action)
    return render(request, "actions/fiche.html", {"action": action, "formulaire": formulaire})


@lecture_ou_envoi
def creer(request: HttpRequest) -> HttpResponse:
    """Nouvelle action dans le plan demandé (`?plan=`), ou dans le plan par défaut."""
    exiger(request.user, Droit.MODIFIER_LE_PLAN)
    slug = request.GET.get("plan")
    plan = Plan.objects.filter(slug=slug).first() if slug else Plan.objects.par_defaut()
    if plan is None:
        raise Introuvable("Ce plan n'existe pas : créez-le d'abord dans l'administration.")
    formulaire = FormulaireCreation(request.POST or None, plan=plan, auteur=request.user)
    action = formulaire.enregistrer() if request.method == "POST" else None
    if action:
        messages.success(request, f"Action {action.numero} enregistrée.")
        return redirect(action)
    return render(request, "actions/fiche.html", {"plan": plan, "formulaire": formulaire})
