"""Corriger ce qui est écrit : une ligne d'un journal, une note. Rien ne s'efface : une autre ligne la remplace."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from actions.chronologie import JOURNAUX
from actions.formulaires import FormulaireDeGeste
from actions.formulaires_de_suivi import CORRECTIONS, FormulaireCorrectionDeNote
from actions.journaux import JournalDAction
from actions.models import Action, NoteDeSuivi
from actions.views.commun import lecture_ou_envoi, trouver_l_action
from comptes.droits import Droit, exiger
from socle.erreurs import Introuvable

INTROUVABLE = "Cette ligne n'existe pas dans la chronologie de l'action."


@lecture_ou_envoi
def journal(request: HttpRequest, pk: int, journal: str, ligne: int) -> HttpResponse:
    action = trouver_l_action(pk)
    # Retirer du plan est réservé : corriger un retrait aussi.
    exiger(request.user, Droit.MODIFIER_LE_PLAN if journal == "presence" else Droit.METTRE_A_JOUR, action)
    if journal not in JOURNAUX:
        raise Introuvable(INTROUVABLE)
    lignes = JOURNAUX[journal].objects.filter(action=action)
    return _corriger(request, action, lignes.filter(pk=ligne).select_related("auteur").first(), CORRECTIONS[journal])


@lecture_ou_envoi
def note(request: HttpRequest, pk: int, note: int) -> HttpResponse:
    action = trouver_l_action(pk)
    exiger(request.user, Droit.METTRE_A_JOUR, action)
    trouvee = NoteDeSuivi.objects.filter(action=action, pk=note).select_related("auteur").first()
    return _corriger(request, action, trouvee, FormulaireCorrectionDeNote)


def _corriger(
    request: HttpRequest,
    action: Action,
    ligne: JournalDAction | NoteDeSuivi | None,
    classe: Callable[..., FormulaireDeGeste],
) -> HttpResponse:
    if ligne is None:
        raise Introuvable(INTROUVABLE)
    formulaire = classe(request.POST or None, action=action, ligne=ligne)
    if formulaire.is_valid() and formulaire.enregistrer(request.user):
        messages.success(request, formulaire.compte_rendu)
        return redirect(action)
    return render(request, "actions/geste.html", {"action": action, "formulaire": formulaire})
