"""La grille de saisie d'une année : toute la page par un formulaire ordinaire, ou ligne par ligne pour le script."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from actions.views.commun import lecture_ou_envoi, qui_demande, sur_place
from comptes.droits import Droit, exiger
from indicateurs.feuille_de_saisie import indicateurs_a_saisir
from indicateurs.grille_de_saisie import GrilleDeSaisie
from indicateurs.ligne_de_saisie import COLONNES, LigneDeSaisie
from socle.erreurs import Introuvable
from socle.grilles import compte_rendu


@lecture_ou_envoi
def saisie(request: HttpRequest, annee: int) -> HttpResponse:
    """Montre les indicateurs d'un plan ; enregistre chaque ligne envoyée pour elle-même."""
    exiger(request.user, Droit.SAISIR_UNE_DONNEE)
    grille = GrilleDeSaisie.demandee(annee, request.GET, qui_demande(request))
    if request.method != "POST":
        return _montrer(request, grille, grille.lignes)
    lignes = grille.envoyees(request.POST, request.POST.getlist("lignes"))
    enregistrer_les_lignes(request, lignes)
    return _montrer(request, grille, lignes) if a_revoir(lignes) else redirect(grille.adresse)


@require_POST
def enregistrer_la_ligne(request: HttpRequest, annee: int, code: str) -> HttpResponse:
    """Une seule ligne ; sur place, la ligne telle qu'elle est maintenant, puis celles des taux qu'elle a touchés."""
    indicateur = indicateurs_a_saisir().filter(code=code).first()
    if indicateur is None:
        raise Introuvable("Cet indicateur n'existe pas.")
    exiger(request.user, Droit.SAISIR_UNE_DONNEE, indicateur)
    grille = GrilleDeSaisie.demandee(annee, {}, qui_demande(request))
    [ligne] = grille.envoyees(request.POST, [str(indicateur.pk)])
    ligne.enregistrer()
    if sur_place(request):
        return render(request, "indicateurs/_lignes_de_saisie.html", {"lignes": [ligne, *ligne.touchees]})
    if ligne.refusee:
        return _montrer(request, grille, [ligne])
    return redirect(f"{grille.adresse}#ligne-{indicateur.pk}")


def enregistrer_les_lignes(request: HttpRequest, lignes: list[LigneDeSaisie]) -> None:
    """Chacune pour elle-même, dans l'ordre : un dénominateur avant ses taux. Un message dit l'issue."""
    for ligne in lignes:
        ligne.enregistrer()
    dire = messages.warning if any(ligne.refusee for ligne in lignes) else messages.success
    dire(request, f"{compte_rendu(lignes)}.")
    for ligne in lignes:
        if ligne.etat == "enregistree":
            for deplace in ligne.deplaces:
                messages.info(request, f"Un taux a bougé. {deplace}")


def a_revoir(lignes: list[LigneDeSaisie]) -> bool:
    """Une ligne est refusée : la page se remontre avec ce qui a été tapé, au lieu de se relire."""
    return any(ligne.refusee for ligne in lignes)


def _montrer(request: HttpRequest, grille: GrilleDeSaisie, lignes: list[LigneDeSaisie]) -> HttpResponse:
    contexte = {"grille": grille, "lignes": lignes, "colonnes": COLONNES}
    return render(request, "indicateurs/saisie.html", contexte)
