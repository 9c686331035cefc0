"""Ce que plusieurs pages partagent : trouver l'action, montrer un geste, revenir d'où l'on venait."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods
from django_htmx.http import trigger_client_event

from actions.formulaires import FormulaireDeGeste
from actions.models import Action
from comptes.droits import Droit, exiger
from comptes.models import Utilisateur
from socle.erreurs import Introuvable
from socle.instants import AUJOURD_HUI, Instant

LIGNES_PAR_PAGE = 25
PAS_ENCORE = "Cette action n'était pas encore saisie à ce moment-là, ou n'existe pas."
lecture_ou_envoi = require_http_methods(["GET", "HEAD", "POST"])


def qui_demande(request: HttpRequest) -> Utilisateur:
    """Le compte connecté : une page de l'application n'est jamais servie sans."""
    return cast("Utilisateur", request.user)


def trouver_l_action(pk: int, instant: Instant = AUJOURD_HUI) -> Action:
    liens = ("plan", "axe", "service_pilote", "pilote", "suppleant", "source__plan")
    action = Action.objects.etat_au(instant.jour, instant.saisi_au).select_related(*liens)
    trouvee = action.avec_retard(instant.le).avec_silence(instant.le).filter(pk=pk).first()
    if trouvee is None:
        raise Introuvable("Cette action n'existe pas." if instant.saisi_au is None else PAS_ENCORE)
    return trouvee


def sur_place(request: HttpRequest) -> bool:
    """Vrai si htmx attend un morceau de page à poser dans la page montrée."""
    return bool(getattr(request, "htmx", False))


def revenir(request: HttpRequest, action: Action, ancre: str) -> HttpResponse:
    """À la page d'où l'on venait (`suite`), à cette ancre ; à défaut, ou si elle mène hors du site, à l'action."""
    suite = request.POST.get("suite") or request.GET.get("suite") or ""
    if url_has_allowed_host_and_scheme(suite, {request.get_host()}, require_https=request.is_secure()):
        return redirect(f"{iri_to_uri(suite).partition('#')[0]}#{ancre}")
    return redirect(action)


def apres_le_statut(request: HttpRequest, action: Action) -> HttpResponse:
    """Sur place, le bloc du statut tel qu'il est maintenant ; sinon la page d'où l'on venait, à la même ligne."""
    if not sur_place(request):
        return revenir(request, action, f"statut-{action.pk}")
    reponse = render(request, "actions/_statut_change.html", {"action": trouver_l_action(action.pk)})
    # Après la pose : les pages qui comptent les statuts se relisent, sans reprendre le clavier.
    return trigger_client_event(reponse, "statut-change", after="settle")


def geste_sur(
    request: HttpRequest, pk: int, classe: type[FormulaireDeGeste], droit: Droit = Droit.METTRE_A_JOUR
) -> HttpResponse:
    """Un geste sur une action, pour qui en a le droit : son formulaire, puis retour d'où l'on vient."""
    action = trouver_l_action(pk)
    exiger(request.user, droit, action)
    formulaire = classe(request.POST or None, action=action)
    if formulaire.is_valid() and formulaire.enregistrer(request.user):
        messages.success(request, formulaire.compte_rendu)
        return revenir(request, action, f"action-{action.pk}")
    return render(request, "actions/geste.html", {"action": action, "formulaire": formulaire})
