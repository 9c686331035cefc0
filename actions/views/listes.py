"""Les listes : toutes les actions, les siennes, celles d'un partenaire."""

from typing import Any

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_tables2 import RequestConfig

from actions.annulation import action_annulable
from actions.classeur.export import Format
from actions.debuts import ignorance
from actions.filtres import FiltreActions
from actions.mes_actions import mes_actions as assembler_mes_actions
from actions.models import Action, PartenaireDeLAction, Plan
from actions.reponses import attentes
from actions.requetes import ActionQuerySet
from actions.tables import TableActions
from actions.views.commun import LIGNES_PAR_PAGE, qui_demande
from comptes.droits import Droit, peut
from partenaires.models import Partenaire
from socle.erreurs import Introuvable
from socle.instants import instant_demande
from socle.relecture import tel_que_saisi

PAS_ENCORE = "Ce partenaire n'était pas encore saisi à ce moment-là, ou n'existe pas."


@require_safe
@tel_que_saisi
def liste(request: HttpRequest) -> HttpResponse:
    """Toutes les actions, filtrées et triées par l'adresse. Un filtre absurde : 400, message à côté du champ."""
    filtre = FiltreActions(request.GET, queryset=Action.objects.all(), request=request)
    lisible, instant = filtre.form.is_valid(), filtre.instant
    lignes = filtre.qs.select_related("plan", "axe", "service_pilote", "pilote") if lisible else Action.objects.none()
    a_changer = lisible and not instant.passe and peut(request.user, Droit.MODIFIER_EN_NOMBRE)
    table = TableActions(lignes, instant=instant, choisir_pour=qui_demande(request) if a_changer else None)
    RequestConfig(request, paginate={"per_page": LIGNES_PAR_PAGE}).configure(table)
    contexte = {
        "filtre": filtre,
        "table": table,
        "instant": instant,
        "ignorance": ignorance(instant, plan=filtre.form.cleaned_data.get("plan")),
        # Sans plan, une action n'a pas où aller ; seule une liste vide a besoin de le demander.
        "sans_plan": not instant.passe and not table.paginator.count and not Plan.objects.exists(),
        "exports": Format,
    }
    return render(request, "actions/liste.html", contexte, status=200 if lisible else 400)


@require_safe
def mes_actions(request: HttpRequest) -> HttpResponse:
    """Ce qui relève de l'utilisateur, le plus pressant d'abord, et les files de travail."""
    en_vue = action_annulable(request)
    miennes = assembler_mes_actions(request.user, request.GET.get("page"), LIGNES_PAR_PAGE, en_vue)
    # Celle dont on vient de changer le statut reste sous les yeux, avec de quoi se reprendre.
    deplier = any(action.pk == en_vue for action in miennes.terminees)
    contexte = {"miennes": miennes, "deplier": deplier, "attentes": attentes(request.user)}
    return render(request, "actions/miennes.html", contexte)


@require_safe
@tel_que_saisi
def partenaire(request: HttpRequest, slug: str) -> HttpResponse:
    """Un partenaire, ses actions au plan à l'instant demandé et ses conventions."""
    instant = instant_demande(request.GET)
    trouve = Partenaire.objects.filter(slug=slug).prefetch_related("conventions", "plans").first()
    if trouve is None:
        raise Introuvable("Ce partenaire n'existe pas." if instant.saisi_au is None else PAS_ENCORE)
    actions = Action.objects.filter(participations__partenaire=trouve).etat_au(instant.jour, instant.saisi_au)
    decompte = actions.decompte()
    contexte = {
        "partenaire": trouve,
        "instant": instant,
        "ignorance": ignorance(instant),
        "decompte": decompte,
        "participations": _participations(trouve, actions.au_plan()),
        "reste": decompte.total > LIGNES_PAR_PAGE,
        "retirees": actions.retirees().count(),
    }
    return render(request, "actions/partenaire.html", contexte)


def _participations(partenaire: Partenaire, actions: ActionQuerySet) -> list[PartenaireDeLAction]:
    """Les premières, dans l'ordre des plans ; chacune avec son action, dans l'état déjà annoté."""
    lues: Any = actions.annotate(role=F("participations__role")).select_related("plan").order_by("plan", "numero")
    return [
        PartenaireDeLAction(action=action, partenaire=partenaire, role=action.role)
        for action in lues[:LIGNES_PAR_PAGE]
    ]
