"""Réaffecter les actions de quelqu'un : choisir, voir, écrire."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from actions.en_nombre import ApercuPerime, Examen, a_examiner, appliquer, examiner
from actions.formulaire_de_reaffectation import FormulaireDeReaffectation
from actions.formulaires_en_nombre import Apercu
from actions.reaffectation import Reaffectation, actions_de
from actions.views.commun import lecture_ou_envoi, qui_demande
from actions.views.en_nombre import LIGNES_MONTREES
from comptes.droits import Droit, exiger
from socle.formats import accorder


@lecture_ou_envoi
def reaffecter(request: HttpRequest) -> HttpResponse:
    """Le formulaire, puis l'aperçu qu'il demande (tous deux dans l'adresse) ; l'envoi écrit cet aperçu."""
    exiger(request.user, Droit.MODIFIER_LE_PLAN)
    formulaire = FormulaireDeReaffectation(
        request.GET if "nouveau" in request.GET else None, initial=request.GET.dict()
    )
    contexte: dict[str, Any] = {"formulaire": formulaire}
    if formulaire.is_valid():
        voulue, examen = formulaire.reaffectation(qui_demande(request)), Examen()
        if request.method == "POST" and (reponse := _ecrire(request, voulue)):
            return reponse
        actions = actions_de(voulue.ancien, voulue.geste, toutes=formulaire.cleaned_data["toutes"])
        examen = examiner(list(a_examiner(actions)), voulue, qui_demande(request))
        choix = request.GET.urlencode()
        apercu = Apercu(choix, {}, examen.versions, qui_demande(request).pk, timezone.now())
        contexte |= {"examen": examen, "reaffectation": voulue, "jeton": apercu.signe(), "montrees": LIGNES_MONTREES}
    return render(request, "actions/reaffecter.html", contexte)


def _ecrire(request: HttpRequest, voulue: Reaffectation) -> HttpResponse | None:
    """Écrit l'aperçu envoyé, et renvoie au lot ; None s'il n'est plus à jour : la page le refait."""
    apercu = Apercu.lire(request.POST.get("jeton", ""), qui_demande(request), request.GET.urlencode())
    try:
        lot, fait = appliquer(voulue, apercu.versions, qui_demande(request), prepare_le=apercu.prepare_le)
    except ApercuPerime:
        messages.warning(request, "Rien n'est écrit : des actions ont bougé depuis l'aperçu. Le voici remis à jour.")
        return None
    if fait:
        confiees = accorder(len(apercu.versions), "action confiée", "actions confiées")
        messages.success(request, f"{confiees} à {voulue.nouveau}. {_prevenu(voulue)}")
    else:
        messages.info(request, "C'était déjà fait : rien n'a été changé de plus.")
    return redirect("actions:lot", lot.pk)


def _prevenu(voulue: Reaffectation) -> str:
    if voulue.nouveau.joignable:
        return f"Un courriel part à {voulue.nouveau.courriel}."
    return "Son compte n'a pas d'adresse de courriel : prévenez cette personne vous-même."
