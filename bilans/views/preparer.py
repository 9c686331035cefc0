"""Préparer un bilan : ce qu'il faut regarder, ce qui s'y écrit."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from actions.views.commun import lecture_ou_envoi
from bilans.controle import controler
from bilans.formulaires import FormulaireDeTextes
from bilans.situation import situation_du_bilan
from bilans.views.commun import trouver_le_bilan
from comptes.droits import Droit, exiger


@lecture_ou_envoi
def preparer(request: HttpRequest, plan: str, annee: int) -> HttpResponse:
    """Ce qu'il reste à regarder avant d'arrêter, et les textes du bilan."""
    exiger(request.user, Droit.VALIDER)
    formulaire = FormulaireDeTextes(request.POST or None, instance=trouver_le_bilan(plan, annee), auteur=request.user)
    if request.method == "POST" and formulaire.enregistrer():
        messages.success(request, f"Textes du bilan {annee} enregistrés.")
        return redirect("bilans:preparer", plan, annee)
    bilan = trouver_le_bilan(plan, annee)
    contexte = {
        "bilan": bilan,
        "situation": situation_du_bilan(bilan),
        "controle": controler(bilan),
        "formulaire": formulaire,
    }
    return render(request, "bilans/preparer.html", contexte)
