"""La grille de rattrapage : toute la page par un formulaire ordinaire, ou ligne par ligne pour le script."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from actions.grille import Grille
from actions.ligne_de_grille import COLONNES, LigneDeGrille
from actions.views.commun import lecture_ou_envoi, qui_demande, sur_place, trouver_l_action
from comptes.droits import Droit, exiger
from socle.grilles import compte_rendu


@lecture_ou_envoi
def grille(request: HttpRequest) -> HttpResponse:
    """Montre les actions d'un plan ; enregistre chaque ligne envoyée pour elle-même."""
    exiger(request.user, Droit.MODIFIER_LE_PLAN)
    demandee = Grille.demandee(request.GET)
    if request.method != "POST":
        return _montrer(request, demandee, demandee.lignes)
    lignes = demandee.envoyees(request.POST, request.POST.getlist("lignes"))
    for ligne in lignes:
        ligne.enregistrer(qui_demande(request))
    refusees = any(ligne.refusee for ligne in lignes)
    dire = messages.warning if refusees else messages.success
    dire(request, f"{compte_rendu(lignes)}.")
    return _montrer(request, demandee, lignes) if refusees else redirect(demandee.adresse)


@require_POST
def enregistrer_la_ligne(request: HttpRequest, pk: int) -> HttpResponse:
    """Une seule ligne ; sur place, la ligne telle qu'elle est maintenant, avec ses refus."""
    exiger(request.user, Droit.MODIFIER_LE_PLAN)
    demandee = Grille.demandee({"plan": trouver_l_action(pk).plan.slug})
    [ligne] = demandee.envoyees(request.POST, [str(pk)])
    ligne.enregistrer(qui_demande(request))
    if sur_place(request):
        return render(request, "actions/_ligne_de_grille.html", {"ligne": ligne})
    if ligne.refusee:
        return _montrer(request, demandee, [ligne])
    return redirect(f"{demandee.adresse}#ligne-{pk}")


def _montrer(request: HttpRequest, demandee: Grille, lignes: list[LigneDeGrille]) -> HttpResponse:
    contexte = {"grille": demandee, "lignes": lignes, "colonnes": COLONNES}
    return render(request, "actions/grille.html", contexte)
