from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import trigger_client_event
from django_tables2 import RequestConfig

from actions.annulation import oublier_l_annulation, proposer_l_annulation
from actions.chronologie import chronologie
from actions.fiche import FormulaireAction, FormulaireCreation
from actions.filtres import FiltreActions
from actions.formulaires import (
    FormulaireAttention,
    FormulaireDeGeste,
    FormulaireEcheance,
    FormulaireNote,
    FormulaireStatut,
)
from actions.models import Action, Plan
from actions.prochain_pas import prochain_pas
from actions.tables import TableActions
from comptes.droits import Droit, exiger, peut
from partenaires.models import Partenaire
from socle.erreurs import DemandeIllisible, Introuvable

LIGNES_PAR_PAGE = 25
lecture_ou_envoi = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def liste(request: HttpRequest) -> HttpResponse:
    """Toutes les actions, filtrées et triées par l'adresse. Un filtre absurde : 400, message à côté du champ."""
    filtre = FiltreActions(request.GET, queryset=Action.objects.all(), request=request)
    lisible = filtre.form.is_valid()
    lignes = filtre.qs.select_related("plan", "axe", "service_pilote", "pilote") if lisible else Action.objects.none()
    table = TableActions(lignes, fige=filtre.jour is not None)
    RequestConfig(request, paginate={"per_page": LIGNES_PAR_PAGE}).configure(table)
    # Sans plan, une action n'a pas où aller ; seule une liste vide a besoin de le demander.
    sans_plan = not table.paginator.count and not Plan.objects.exists()
    contexte = {"filtre": filtre, "table": table, "sans_plan": sans_plan}
    return render(request, "actions/liste.html", contexte, status=200 if lisible else 400)


@require_safe
def mes_actions(request: HttpRequest) -> HttpResponse:
    """Ce qui relève de l'utilisateur : en retard d'abord, puis par échéance ; les terminées à la fin."""
    actions = Action.objects.etat_au().au_plan().avec_retard(timezone.localdate()).qui_relevent_de(request.user)
    lignes = actions.par_urgence().select_related("plan", "pilote", "service_pilote")
    page = Paginator(lignes, LIGNES_PAR_PAGE).get_page(request.GET.get("page"))
    contexte = {"page": page, "plusieurs_plans": len({action.plan_id for action in page}) > 1}
    return render(request, "actions/miennes.html", contexte)


def _action(pk: int) -> Action:
    action = Action.objects.etat_au().select_related("plan", "axe", "service_pilote", "pilote", "suppleant")
    aujourdhui = timezone.localdate()
    trouvee = action.avec_retard(aujourdhui).avec_silence(aujourdhui).filter(pk=pk).first()
    if trouvee is None:
        raise Introuvable("Cette action n'existe pas.")
    return trouvee


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    action = _action(pk)
    contexte = {
        "action": action,
        "evenements": chronologie(action),
        "prochain_pas": prochain_pas(action),
        "participations": action.participations.select_related("partenaire"),
        "references": action.references.all(),
        # Relation inverse : les indicateurs nomment leurs actions, jamais l'inverse.
        "indicateurs": action.indicateurs.all(),
        "peut_mettre_a_jour": peut(request.user, Droit.METTRE_A_JOUR, action),
    }
    return render(request, "actions/detail.html", contexte)


@lecture_ou_envoi
def changer_statut(request: HttpRequest, pk: int) -> HttpResponse:
    """Le formulaire entier, sur sa page ; ou deux clics, sur place : htmx ne remplace alors que le bloc du statut."""
    action = _action(pk)
    exiger(request.user, Droit.METTRE_A_JOUR, action)
    formulaire = FormulaireStatut(request.POST or None, action=action)
    if formulaire.is_valid() and formulaire.enregistrer(request.user):
        proposer_l_annulation(request, formulaire.ligne)
        messages.success(request, formulaire.compte_rendu)
        return _apres_le_statut(request, action)
    if request.method == "POST" and sur_place(request):
        for phrase in formulaire.refus:
            messages.warning(request, f"Action {action.numero}, rien n'est enregistré. {phrase}")
        return _apres_le_statut(request, action)
    return render(request, "actions/geste.html", {"action": action, "formulaire": formulaire})


@require_POST
def annuler_statut(request: HttpRequest, pk: int) -> HttpResponse:
    """Défait, dans la minute, le changement de statut que l'on vient de faire."""
    action = _action(pk)
    exiger(request.user, Droit.METTRE_A_JOUR, action)
    ligne = request.POST.get("ligne", "")
    if not (ligne.isascii() and ligne.isdigit() and len(ligne) < 19):
        raise DemandeIllisible("On ne sait pas quel changement annuler.")
    try:
        retablie = action.annuler_le_changement(int(ligne), auteur=request.user)
    except ValidationError as refus:
        messages.warning(request, f"Action {action.numero}. {' '.join(refus.messages)}")
    else:
        messages.success(request, f"Changement annulé : l'action {action.numero} est de nouveau « {retablie} ».")
    oublier_l_annulation(request)
    return _apres_le_statut(request, action)


def sur_place(request: HttpRequest) -> bool:
    """Vrai si htmx attend un morceau de page à poser dans la page montrée."""
    return bool(getattr(request, "htmx", False))


def _apres_le_statut(request: HttpRequest, action: Action) -> HttpResponse:
    """Sur place, le bloc du statut tel qu'il est maintenant ; sinon la page d'où l'on venait, à la même ligne."""
    if not sur_place(request):
        suite = request.POST.get("suite") or request.GET.get("suite") or ""
        if url_has_allowed_host_and_scheme(suite, {request.get_host()}, require_https=request.is_secure()):
            return redirect(f"{iri_to_uri(suite).partition('#')[0]}#statut-{action.pk}")
        return redirect(action)
    reponse = render(request, "actions/_statut_change.html", {"action": _action(action.pk)})
    # Après la pose : les pages qui comptent les statuts se relisent, sans reprendre le clavier.
    return trigger_client_event(reponse, "statut-change", after="settle")


@lecture_ou_envoi
def reporter_echeance(request: HttpRequest, pk: int) -> HttpResponse:
    return _geste(request, pk, FormulaireEcheance)


@lecture_ou_envoi
def signaler(request: HttpRequest, pk: int) -> HttpResponse:
    return _geste(request, pk, FormulaireAttention)


@lecture_ou_envoi
def noter(request: HttpRequest, pk: int) -> HttpResponse:
    return _geste(request, pk, FormulaireNote)


def _geste(request: HttpRequest, pk: int, classe: type[FormulaireDeGeste]) -> HttpResponse:
    """Un geste sur une action : son formulaire, puis retour à l'action."""
    action = _action(pk)
    exiger(request.user, Droit.METTRE_A_JOUR, action)
    formulaire = classe(request.POST or None, action=action)
    if formulaire.is_valid() and formulaire.enregistrer(request.user):
        messages.success(request, formulaire.compte_rendu)
        return redirect(action)
    return render(request, "actions/geste.html", {"action": action, "formulaire": formulaire})


@lecture_ou_envoi
def modifier(request: HttpRequest, pk: int) -> HttpResponse:
    action = _action(pk)
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


@require_safe
def partenaire(request: HttpRequest, slug: str) -> HttpResponse:
    """Un partenaire, ses actions au plan aujourd'hui et ses conventions."""
    trouve = Partenaire.objects.filter(slug=slug).prefetch_related("conventions", "plans").first()
    if trouve is None:
        raise Introuvable("Ce partenaire n'existe pas.")
    actions = Action.objects.filter(partenaires=trouve).etat_au()
    decompte = actions.decompte()
    participations = trouve.participations.filter(action__in=actions.au_plan().values("pk"))
    contexte = {
        "partenaire": trouve,
        "decompte": decompte,
        "participations": participations.select_related("action__plan").order_by("action__plan", "action__numero")[
            :LIGNES_PAR_PAGE
        ],
        "reste": decompte.total > LIGNES_PAR_PAGE,
        "retirees": actions.retirees().count(),
    }
    return render(request, "actions/partenaire.html", contexte)
