"""Les campagnes d'actualisation : lancer, suivre, relancer, clore, et répondre."""

from typing import cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from actions.annulation import action_annulable
from actions.campagnes import Campagne, DemandeDActualisation
from actions.formulaire_de_campagne import FormulaireDeCampagne
from actions.models import Plan
from actions.reponses import reponses
from actions.suivi_de_campagne import tableau
from actions.views.commun import LIGNES_PAR_PAGE, lecture_ou_envoi
from comptes.droits import Droit, exiger
from comptes.models import Utilisateur
from socle.erreurs import Introuvable
from socle.formats import accorder


@require_safe
def liste(request: HttpRequest) -> HttpResponse:
    """Toutes les campagnes, de la plus récente à la plus ancienne."""
    exiger(request.user, Droit.MODIFIER_LE_PLAN)
    campagnes = Campagne.objects.select_related("plan", "lancee_par")
    page = Paginator(campagnes, LIGNES_PAR_PAGE).get_page(request.GET.get("page"))
    DemandeDActualisation.objects.annoncer(list(page))
    return render(request, "actions/campagnes.html", {"page": page})


@lecture_ou_envoi
def lancer(request: HttpRequest) -> HttpResponse:
    """La demande, puis à qui elle ira ; rien ne part avant « Envoyer les demandes »."""
    exiger(request.user, Droit.MODIFIER_LE_PLAN)
    plan = Plan.objects.filter(slug=request.GET.get("plan", "")).first() or Plan.objects.par_defaut()
    formulaire = FormulaireDeCampagne(request.POST or None, initial={"plan": plan})
    etape = request.POST.get("etape", "")
    if etape == "modifier" or not formulaire.is_valid():
        return render(request, "actions/campagne_lancer.html", {"formulaire": formulaire, "plan": plan})
    if etape == "envoyer" and (reponse := _envoyer(request, formulaire)):
        return reponse
    return render(request, "actions/campagne_apercu.html", {"formulaire": formulaire})


def _envoyer(request: HttpRequest, formulaire: FormulaireDeCampagne) -> HttpResponse | None:
    """Lance ce que l'aperçu a montré, et mène au tableau ; None s'il n'est plus à jour : la page le refait."""
    if request.POST.get("empreinte") != formulaire.empreinte:
        messages.warning(request, "Rien n'est parti : des actions ont bougé depuis l'aperçu. Le voici remis à jour.")
        return None
    campagne, preparation = formulaire.lancer(cast("Utilisateur", request.user))
    if preparation is None:
        messages.info(request, "Cette campagne est déjà lancée : rien n'est parti de plus.")
    else:
        demandees = accorder(len(formulaire.actions), "action demandée", "actions demandées")
        messages.success(request, f"Campagne lancée : {demandees}, {preparation.compte_rendu}.")
    return redirect(campagne)


@require_safe
def detail(request: HttpRequest, campagne: int) -> HttpResponse:
    """Qui a répondu."""
    exiger(request.user, Droit.MODIFIER_LE_PLAN)
    return render(request, "actions/campagne.html", {"tableau": tableau(_trouver(campagne))})


@require_POST
def relancer(request: HttpRequest, campagne: int) -> HttpResponse:
    """Écrire à ceux qui n'ont pas répondu, une fois par jour."""
    exiger(request.user, Droit.MODIFIER_LE_PLAN)
    trouvee = _trouver(campagne)
    try:
        preparation = trouvee.relancer()
    except ValidationError as refus:
        messages.warning(request, " ".join(refus.messages))
    else:
        dire = messages.success if preparation.courriels else messages.info
        dire(request, preparation.compte_rendu_de_relance("cette campagne"))
    return redirect(trouvee)


@require_POST
def clore(request: HttpRequest, campagne: int) -> HttpResponse:
    """Ne plus rien demander ; le tableau reste."""
    exiger(request.user, Droit.MODIFIER_LE_PLAN)
    trouvee = _trouver(campagne)
    trouvee.clore()
    messages.success(request, "Campagne close : plus rien n'est demandé, et les réponses restent lisibles.")
    return redirect(trouvee)


@require_POST
def rouvrir(request: HttpRequest, campagne: int) -> HttpResponse:
    exiger(request.user, Droit.MODIFIER_LE_PLAN)
    trouvee = _trouver(campagne)
    trouvee.rouvrir()
    messages.success(request, "Campagne rouverte : ce qui n'a pas de réponse est de nouveau demandé.")
    return redirect(trouvee)


@require_safe
def repondre(request: HttpRequest, campagne: int) -> HttpResponse:
    """Les actions demandées à l'utilisateur, chacune avec de quoi en donner des nouvelles."""
    exiger(request.user, Droit.METTRE_A_JOUR)
    trouvee = _trouver(campagne)
    siennes = reponses(trouvee, cast("Utilisateur", request.user), request.GET.get("page"), LIGNES_PAR_PAGE)
    contexte = {"campagne": trouvee, "reponses": siennes, "en_vue": action_annulable(request)}
    return render(request, "actions/campagne_repondre.html", contexte)


def _trouver(campagne: int) -> Campagne:
    trouvee = Campagne.objects.select_related("plan", "lancee_par").filter(pk=campagne).first()
    if trouvee is None:
        raise Introuvable("Cette campagne n'existe pas.")
    return trouvee
