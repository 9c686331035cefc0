"""Les gestes sur un plan entier."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from actions.duplication import apercu
from actions.formulaire_de_duplication import FormulaireDeDuplication
from actions.models import Plan
from actions.views.commun import lecture_ou_envoi, qui_demande
from comptes.droits import Droit, exiger
from socle.erreurs import Introuvable


@lecture_ou_envoi
def dupliquer(request: HttpRequest, plan: str) -> HttpResponse:
    """Repartir de ce plan (son slug) pour la période suivante, puis aller aux actions du nouveau."""
    exiger(request.user, Droit.IMPORTER)
    source = Plan.objects.filter(slug=plan).first()
    if source is None:
        raise Introuvable("Ce plan n'existe pas.")
    formulaire = FormulaireDeDuplication(request.POST or None, source=source)
    if formulaire.is_valid() and formulaire.enregistrer(qui_demande(request)):
        messages.success(request, formulaire.compte_rendu)
        return redirect(f"{reverse('actions:liste')}?plan={formulaire.plan.slug}")
    contexte = {"plan": source, "formulaire": formulaire, "apercu": apercu(source), "copies": source.copies.all()}
    return render(request, "actions/dupliquer.html", contexte)
