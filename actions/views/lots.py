"""Les lots : ce qui a été changé d'un seul geste, et de quoi le défaire."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from actions.champs import champs_permis
from actions.lecture_des_lots import a_lire, actions_du_lot, lire_le_lot, lots_du_plan, peut_defaire
from actions.lots import Defaisance, defaire
from actions.views.commun import LIGNES_PAR_PAGE, qui_demande
from comptes.droits import Droit, exiger
from comptes.gestes import Lot
from socle.erreurs import Introuvable
from socle.formats import accorder

# Ce que la dernière défaisance a refusé : la session le garde, pour le dire après la redirection et le redire ensuite.
CLE_DES_REFUS = "refus_du_lot"
REFUS_GARDES = 200


@require_safe
def liste(request: HttpRequest) -> HttpResponse:
    """Tous les lots, du plus récent au plus ancien."""
    page = Paginator(lots_du_plan(), LIGNES_PAR_PAGE).get_page(request.GET.get("page"))
    return render(request, "actions/lots.html", {"page": page})


@require_safe
def detail(request: HttpRequest, lot: int) -> HttpResponse:
    """Ce qu'un lot a changé, action par action ; défait, ce qui a été rendu et ce qui ne l'a pas été."""
    trouve = _trouver(lot)
    page = Paginator(a_lire(actions_du_lot(trouve)), LIGNES_PAR_PAGE).get_page(request.GET.get("page"))
    refus = request.session.get(CLE_DES_REFUS, {})
    contexte = {
        "lot": trouve,
        "page": page,
        "actions": lire_le_lot(trouve, list(page)),
        "peut_defaire": trouve.defait_par is None
        and peut_defaire(qui_demande(request), trouve, champs_permis(qui_demande(request))),
        "refus": refus if refus.get("lot") == trouve.pk else None,
    }
    return render(request, "actions/lot.html", contexte)


@require_POST
def defaire_le_lot(request: HttpRequest, lot: int) -> HttpResponse:
    """Rend à chaque champ sa valeur d'avant ; la page du lot dit ce qui n'a pas pu l'être, et pourquoi."""
    trouve = _trouver(lot)
    exiger(request.user, Droit.MODIFIER_EN_NOMBRE)
    if not peut_defaire(qui_demande(request), trouve, champs_permis(qui_demande(request))):
        raise PermissionDenied("Ce lot se défait par son auteur, sur ses actions, ou par un responsable du plan.")
    deja = trouve.defait_par is not None
    resultat = defaire(trouve, auteur=qui_demande(request))
    if deja:
        messages.info(request, "Ce lot était déjà défait : rien n'a été refait.")
    else:
        _dire(request, trouve, resultat)
    return redirect("actions:lot", trouve.pk)


def _trouver(lot: int) -> Lot:
    trouve = lots_du_plan().filter(pk=lot).first()
    if trouve is None:
        raise Introuvable("Ce lot n'existe pas.")
    return trouve


def _dire(request: HttpRequest, lot: Lot, resultat: Defaisance) -> None:
    rendus = accorder(resultat.defaits, "champ rendu à sa valeur d'avant", "champs rendus à leur valeur d'avant")
    if not resultat.refus:
        messages.success(request, f"Lot défait : {rendus}.")
    elif resultat.defaits:
        messages.warning(request, f"Lot défait en partie : {rendus}, {len(resultat.refus)} refusés (voir la page).")
    else:
        messages.warning(request, "Rien n'a pu être défait : la page dit pourquoi, champ par champ.")
    request.session[CLE_DES_REFUS] = _a_garder(lot, resultat)


def _a_garder(lot: Lot, resultat: Defaisance) -> dict[str, Any]:
    lignes = [
        {"action": refus.action.pk, "nom": str(refus.action), "champ": refus.libelle, "raison": refus.raison}
        for refus in resultat.refus[:REFUS_GARDES]
    ]
    return {"lot": lot.pk, "lignes": lignes, "reste": max(0, len(resultat.refus) - REFUS_GARDES)}
