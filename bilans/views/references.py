"""Les dates et références d'un bilan : ce qui lui arrive après l'arrêt."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from actions.views.commun import lecture_ou_envoi
from bilans.formulaires import FormulaireDeReferences
from bilans.views.commun import trouver_le_bilan
from comptes.droits import Droit, exiger


@lecture_ou_envoi
def references(request: HttpRequest, plan: str, annee: int) -> HttpResponse:
    exiger(request.user, Droit.VALIDER)
    bilan = trouver_le_bilan(plan, annee)
    formulaire = FormulaireDeReferences(
        request.POST or None, instance=trouver_le_bilan(plan, annee), auteur=request.user
    )
    if request.method == "POST" and formulaire.enregistrer():
        messages.success(request, f"Dates et références du bilan {annee} enregistrées.")
        return redirect(bilan)
    return render(request, "bilans/references.html", {"bilan": bilan, "formulaire": formulaire})
