"""Changer plusieurs actions : choisir quoi, voir ce qui changera, l'appliquer."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from actions.en_nombre import ApercuPerime, Examen, a_examiner, appliquer, examiner
from actions.formulaires_en_nombre import Apercu, Choix, FormulaireEnNombre
from actions.views.commun import lecture_ou_envoi, qui_demande
from comptes.droits import Droit, exiger
from socle.erreurs import DemandeIllisible
from socle.formats import accorder

LIGNES_MONTREES = 100
# Le même nom pour le champ caché du formulaire et pour la valeur signée de l'aperçu.
CHAMP_DU_CHOIX = "choix"


@lecture_ou_envoi
def en_nombre(request: HttpRequest) -> HttpResponse:
    """Ce qu'on change (lecture), puis ce qui changera (envoi) : rien ne s'écrit ici."""
    exiger(request.user, Droit.MODIFIER_EN_NOMBRE)
    choix = Choix(request.POST.get(CHAMP_DU_CHOIX, request.GET.urlencode()))
    actions = choix.actions(request)
    if not actions.exists():
        messages.warning(request, "Aucune action n'est choisie : cochez-en dans la liste, ou changez de filtre.")
        return redirect(reverse("actions:liste") + choix.liste)
    formulaire = FormulaireEnNombre(_saisie(request), utilisateur=qui_demande(request))
    if "corriger" not in request.POST and formulaire.is_valid():
        examen = examiner(list(a_examiner(actions)), formulaire.demande, qui_demande(request))
        return montrer_l_apercu(request, choix, formulaire, examen)
    contexte = {"formulaire": formulaire, "choix": choix, "nombre": actions.count(), "quelques": actions[:5]}
    return render(request, "actions/en_nombre.html", contexte)


def _saisie(request: HttpRequest) -> dict[str, Any] | None:
    return dict(request.POST.items()) if request.method == "POST" else None


def montrer_l_apercu(
    request: HttpRequest, choix: Choix, formulaire: FormulaireEnNombre, examen: Examen
) -> HttpResponse:
    saisie = {nom: formulaire.data[nom] for nom in formulaire.fields if nom in formulaire.data}
    apercu = Apercu(choix.requete, saisie, examen.versions, qui_demande(request).pk, timezone.now())
    contexte = {
        "examen": examen,
        "demande": formulaire.demande,
        "choix": choix,
        "saisie": saisie,
        "jeton": apercu.signe(),
        "montrees": LIGNES_MONTREES,
    }
    return render(request, "actions/en_nombre_apercu.html", contexte)


@require_POST
def appliquer_en_nombre(request: HttpRequest) -> HttpResponse:
    """Applique ce que l'aperçu annonçait ; si quelque chose a bougé, rien n'est écrit et l'aperçu est refait."""
    exiger(request.user, Droit.MODIFIER_EN_NOMBRE)
    apercu = Apercu.lire(request.POST.get("jeton", ""), qui_demande(request))
    formulaire = FormulaireEnNombre(apercu.saisie, utilisateur=qui_demande(request))
    if not formulaire.is_valid() or not apercu.versions:
        raise DemandeIllisible("Ce changement ne peut plus se faire tel quel : refaites-le depuis la liste.")
    try:
        lot, fait = appliquer(formulaire.demande, apercu.versions, qui_demande(request), prepare_le=apercu.prepare_le)
    except ApercuPerime:
        messages.warning(request, "Rien n'est écrit : des actions ont bougé depuis l'aperçu. Le voici remis à jour.")
        choix = Choix(apercu.choix)
        actions = list(a_examiner(choix.actions(request)))
        return montrer_l_apercu(
            request, choix, formulaire, examiner(actions, formulaire.demande, qui_demande(request))
        )
    if fait:
        messages.success(request, f"{accorder(len(apercu.versions), 'action changée', 'actions changées')}.")
    else:
        messages.info(request, "C'était déjà fait : rien n'a été changé de plus.")
    return redirect("actions:lot", lot.pk)
