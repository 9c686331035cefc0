"""La grille du registre : toute la page par un formulaire ordinaire, ou ligne par ligne pour le script."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from comptes.droits import Droit, exiger
from marches.grille_du_registre import GrilleDuRegistre
from marches.ligne_de_registre import COLONNES, LigneDeRegistre, lots_de_la_grille
from marches.recalculs import en_un_seul_recalcul
from marches.views.commun import lecture_ou_envoi, qui_demande
from socle.erreurs import Introuvable
from socle.grilles import compte_rendu


@lecture_ou_envoi
def grille_des_consultations(request: HttpRequest) -> HttpResponse:
    """Montre les lots à remplir ; enregistre chaque ligne envoyée pour elle-même."""
    exiger(request.user, Droit.SAISIR_UNE_DONNEE)
    grille = GrilleDuRegistre.demandee(request.GET, qui_demande(request))
    if request.method != "POST":
        return _montrer(request, grille, grille.lignes)
    lignes = grille.envoyees(request.POST, request.POST.getlist("lignes"))
    with en_un_seul_recalcul():
        for ligne in lignes:
            ligne.enregistrer()
    refusees = any(ligne.refusee for ligne in lignes)
    dire = messages.warning if refusees else messages.success
    dire(request, f"{compte_rendu(lignes)}.")
    return _montrer(request, grille, lignes) if refusees else redirect(grille.adresse)


@require_POST
def ligne_du_registre(request: HttpRequest, lot_du_registre: int) -> HttpResponse:
    """Une seule ligne ; sur place, la ligne telle qu'elle est maintenant, avec ses refus."""
    lot = lots_de_la_grille().filter(pk=lot_du_registre).first()
    exiger(request.user, Droit.SAISIR_UNE_DONNEE)
    if lot is None:
        raise Introuvable("Ce lot n'est pas au registre.")
    exiger(request.user, Droit.SAISIR_UNE_DONNEE, lot.consultation)
    grille = GrilleDuRegistre.demandee({}, qui_demande(request))
    [ligne] = grille.envoyees(request.POST, [str(lot.pk)])
    ligne.enregistrer()
    if getattr(request, "htmx", False):
        return render(request, "marches/_ligne_de_registre.html", {"ligne": ligne})
    if ligne.refusee:
        return _montrer(request, grille, [ligne])
    return redirect(f"{grille.adresse}#ligne-{lot.pk}")


def _montrer(request: HttpRequest, grille: GrilleDuRegistre, lignes: list[LigneDeRegistre]) -> HttpResponse:
    contexte = {"grille": grille, "lignes": lignes, "colonnes": COLONNES}
    return render(request, "marches/grille_des_consultations.html", contexte)
