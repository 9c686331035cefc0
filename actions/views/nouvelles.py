"""« Rien de nouveau » : dire en un clic qu'une action suit son cours."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from actions.views.commun import qui_demande, revenir, sur_place, trouver_l_action
from comptes.droits import Droit, exiger


@require_POST
def rien_de_nouveau(request: HttpRequest, pk: int) -> HttpResponse:
    """Une note datée d'aujourd'hui. Sur place, le bouton devient la phrase qui le dit ; sinon, retour à la page."""
    action = trouver_l_action(pk)
    exiger(request.user, Droit.METTRE_A_JOUR, action)
    action.dire_rien_de_nouveau(auteur=qui_demande(request))
    messages.success(request, f"C'est noté : rien de nouveau sur l'action {action.numero} aujourd'hui.")
    if not sur_place(request):
        return revenir(request, action, f"action-{action.pk}")
    reponse = render(request, "actions/_nouvelle_donnee.html", {"action": action})
    # Après la pose : la page qui range les actions selon leurs nouvelles se relit.
    return trigger_client_event(reponse, "nouvelle-donnee", after="settle")
