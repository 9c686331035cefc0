from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from actions.models import Plan
from actions.views.commun import lecture_ou_envoi, qui_demande
from comptes.droits import Droit, exiger
from publication.ouverture import FormulaireDOuverture, ce_qui_parait
from socle.erreurs import Introuvable


@lecture_ou_envoi
def ouverture(request: HttpRequest, plan: str) -> HttpResponse:
    """Ce que le public voit de ce plan (son slug), et de quoi l'ouvrir ou le fermer."""
    exiger(request.user, Droit.VALIDER)
    trouve = Plan.objects.filter(slug=plan).first()
    if trouve is None:
        raise Introuvable("Ce plan n'existe pas.")
    formulaire = FormulaireDOuverture(request.POST or None, plan=trouve)
    if formulaire.is_valid() and formulaire.enregistrer(qui_demande(request)):
        ouvertes = "ouvertes" if formulaire.plan.publie else "fermées"
        messages.success(request, f"Pages publiques du plan {ouvertes}.")
        return redirect("ouverture:plan", plan)
    contexte = {"plan": trouve, "formulaire": formulaire, "parait": ce_qui_parait(trouve)}
    return render(request, "publication/ouverture.html", contexte)
