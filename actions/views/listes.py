"""Les listes : toutes les actions, les siennes, celles d'un partenaire."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_tables2 import RequestConfig

from actions.annulation import action_annulable
from actions.classeur.export import Format
from actions.filtres import FiltreActions
from actions.mes_actions import mes_actions as assembler_mes_actions
from actions.models import Action, Plan
from actions.reponses import attentes
from actions.tables import TableActions
from actions.views.commun import LIGNES_PAR_PAGE, qui_demande
from comptes.droits import Droit, peut
from partenaires.models import Partenaire
from socle.erreurs import Introuvable


@require_safe
def liste(request: HttpRequest) -> HttpResponse:
    """Toutes les actions, filtrées et triées par l'adresse. Un filtre absurde : 400, message à côté du champ."""
    filtre = FiltreActions(request.GET, queryset=Action.objects.all(), request=request)
    lisible = filtre.form.is_valid()
    lignes = filtre.qs.select_related("plan", "axe", "service_pilote", "pilote") if lisible else Action.objects.none()
    fige = filtre.jour is not None
    choisir_pour = (
        qui_demande(request) if lisible and not fige and peut(request.user, Droit.MODIFIER_EN_NOMBRE) else None
    )
    table = TableActions(lignes, fige=fige, choisir_pour=choisir_pour)
    RequestConfig(request, paginate={"per_page": LIGNES_PAR_PAGE}).configure(table)
    # Sans plan, une action n'a pas où aller ; seule une liste vide a besoin de le demander.
    sans_plan = not table.paginator.count and not Plan.objects.exists()
    contexte = {"filtre": filtre, "table": table, "sans_plan": sans_plan, "exports": Format}
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
