"""Les gestes datés sur une action : statut, échéance, point d'attention, note."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from actions.annulation import oublier_l_annulation, proposer_l_annulation
from actions.formulaires import FormulaireAttention, FormulaireEcheance, FormulaireNote, FormulaireStatut
from actions.views.commun import apres_le_statut, geste_sur, lecture_ou_envoi, sur_place, trouver_l_action
from comptes.droits import Droit, exiger
from socle.erreurs import DemandeIllisible


@lecture_ou_envoi
def changer_statut(request: HttpRequest, pk: int) -> HttpResponse:
    """Le formulaire entier, sur sa page ; ou deux clics, sur place : htmx ne remplace alors que le bloc du statut."""
    action = trouver_l_action(pk)
    exiger(request.user, Droit.METTRE_A_JOUR, action)
    formulaire = FormulaireStatut(request.POST or None, action=action)
    if formulaire.is_valid() and formulaire.enregistrer(request.user):
        proposer_l_annulation(request, formulaire.ligne)
        messages.success(request, formulaire.compte_rendu)
        return apres_le_statut(request, action)
    if request.method == "POST" and sur_place(request):
        for phrase in formulaire.refus:
            messages.warning(request, f"Action {action.numero}, rien n'est enregistré. {phrase}")
        return apres_le_statut(request, action)
    return render(request, "actions/geste.html", {"action": action, "formulaire": formulaire})


@require_POST
def annuler_statut(request: HttpRequest, pk: int) -> HttpResponse:
    """Défait, dans la minute, le changement de statut que l'on vient de faire."""
    action = trouver_l_action(pk)
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
    return apres_le_statut(request, action)


@lecture_ou_envoi
def reporter_echeance(request: HttpRequest, pk: int) -> HttpResponse:
    return geste_sur(request, pk, FormulaireEcheance)


@lecture_ou_envoi
def signaler(request: HttpRequest, pk: int) -> HttpResponse:
    return geste_sur(request, pk, FormulaireAttention)


@lecture_ou_envoi
def noter(request: HttpRequest, pk: int) -> HttpResponse:
    return geste_sur(request, pk, FormulaireNote)
