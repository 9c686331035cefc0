"""Importer le registre : déposer, dire ce que dit chaque colonne, voir ce qui changerait, enregistrer, défaire."""

import re

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from comptes.droits import Droit, exiger
from comptes.gestes import Lot
from marches.registre_importe.comparaison import Apercu
from marches.registre_importe.defaire import Defaisance, defaire, lots_du_registre
from marches.registre_importe.formulaires import FormulaireDeColonnes, FormulaireDeDepot
from marches.registre_importe.imports import ApercuPerime, Depot, DepotPerime, appliquer
from marches.registre_importe.lecture_des_imports import lignes_lues
from marches.views.commun import LIGNES_PAR_PAGE, lecture_ou_envoi, qui_demande
from socle.erreurs import Introuvable
from socle.formats import accorder, typographie
from socle.tableaux import FichierIllisible

EXPIRE = "Cette page a expiré : déposez le fichier de nouveau."
PERIME = "Le registre a changé depuis l'aperçu : en voici un autre, rien n'est écrit."
CLE_DES_REFUS = "refus_de_l_import_du_registre"
IMPORTS_MONTRES = 10
REFUS_GARDES = 100


@lecture_ou_envoi
def importer(request: HttpRequest) -> HttpResponse:
    """Le formulaire de dépôt, et les derniers imports ; un fichier lu mène à ses colonnes, et n'écrit rien."""
    exiger(request.user, Droit.IMPORTER)
    formulaire = FormulaireDeDepot(request.POST or None, request.FILES or None)
    if formulaire.is_valid():
        fichier = formulaire.cleaned_data["registre"]
        depot = Depot(re.sub(r"[\x00-\x1f/\\]", "", fichier.name)[:150] or "registre", fichier.read())
        try:
            return _montrer_les_colonnes(request, depot)
        except FichierIllisible as refus:
            formulaire.add_error("registre", typographie(str(refus)))
    contexte = {"formulaire": formulaire, "derniers": lots_du_registre()[:IMPORTS_MONTRES]}
    return render(request, "marches/importer_le_registre.html", contexte)


@require_POST
def colonnes(request: HttpRequest) -> HttpResponse:
    """Ce que dit chaque colonne : l'aperçu, ou le formulaire avec ce qui manque."""
    exiger(request.user, Droit.IMPORTER)
    try:
        depot = Depot.signe(request.POST.get("depot", ""))
        formulaire = FormulaireDeColonnes(request.POST, tableau=depot.ouvrir())
        if not formulaire.is_valid():
            return _montrer_les_colonnes(request, depot, formulaire)
        return _montrer_l_apercu(request, depot, formulaire.colonnes)
    except (DepotPerime, FichierIllisible):
        messages.error(request, EXPIRE)
        return redirect("marches:importer_le_registre")


@require_POST
def enregistrer(request: HttpRequest) -> HttpResponse:
    """Écrit tout ce que l'aperçu annonçait, ou le remontre."""
    exiger(request.user, Droit.IMPORTER)
    try:
        depot = Depot.signe(request.POST.get("depot", ""))
        lot = appliquer(depot, par=qui_demande(request))
    except (DepotPerime, FichierIllisible):
        messages.error(request, EXPIRE)
        return redirect("marches:importer_le_registre")
    except ApercuPerime:
        messages.warning(request, PERIME)
        return _montrer_l_apercu(request, depot, depot.colonnes or {})
    if lot is None:
        messages.info(request, f"« {depot.nom} » dit ce qui est déjà au registre : il n'y a rien à importer.")
        return redirect("marches:consultations")
    messages.success(request, f"Le registre « {depot.nom} » est importé.")
    return redirect("marches:import_du_registre", lot.pk)


@require_safe
def import_du_registre(request: HttpRequest, import_du_registre: int) -> HttpResponse:
    """Ce qu'un import a créé et changé, et de quoi le défaire."""
    exiger(request.user, Droit.CONSULTER)
    lot = _trouver(import_du_registre)
    page = Paginator(lot.lignes.order_by("pk"), LIGNES_PAR_PAGE).get_page(request.GET.get("page"))
    refus = request.session.get(CLE_DES_REFUS, {})
    contexte = {
        "lot": lot,
        "page": page,
        "lignes": lignes_lues(list(page)),
        "refus": refus.get("lignes") if refus.get("lot") == lot.pk else None,
    }
    return render(request, "marches/import_du_registre.html", contexte)


@require_POST
def defaire_l_import(request: HttpRequest, import_du_registre: int) -> HttpResponse:
    """Rend à chaque champ sa valeur d'avant ; la page de l'import dit ce qui n'a pas pu l'être."""
    exiger(request.user, Droit.IMPORTER)
    lot = _trouver(import_du_registre)
    if lot.defait_par_id is not None:
        messages.info(request, "Cet import était déjà défait : rien n'a été refait.")
        return redirect("marches:import_du_registre", lot.pk)
    resultat = defaire(lot, auteur=qui_demande(request))
    _dire(request, lot, resultat)
    return redirect("marches:import_du_registre", lot.pk)


# --- Ce qu'elles partagent ----------------------------------------------------------------------


def _trouver(pk: int) -> Lot:
    lot = lots_du_registre().filter(pk=pk).first()
    if lot is None:
        raise Introuvable("Cet import n'existe pas.")
    return lot


def _montrer_les_colonnes(
    request: HttpRequest, depot: Depot, formulaire: FormulaireDeColonnes | None = None
) -> HttpResponse:
    """Lève FichierIllisible."""
    tableau = depot.ouvrir()
    formulaire = formulaire or FormulaireDeColonnes(tableau=tableau, initial={"depot": depot.signer()})
    contexte = {"formulaire": formulaire, "nom": depot.nom, "lignes": len(tableau.lignes)}
    return render(request, "marches/colonnes_du_registre.html", contexte)


def _montrer_l_apercu(request: HttpRequest, depot: Depot, choisies: dict[str, str]) -> HttpResponse:
    apercu: Apercu = depot.etudier(choisies)
    tableau = depot.ouvrir()
    contexte = {
        "apercu": apercu,
        "nom": depot.nom,
        "signe": depot.signer(choisies, apercu.empreinte),
        "laissees": [titre for titre in tableau.titres if titre and titre not in choisies.values()],
    }
    return render(request, "marches/apercu_du_registre.html", contexte)


def _dire(request: HttpRequest, lot: Lot, resultat: Defaisance) -> None:
    rendus = accorder(resultat.defaits, "élément rendu à son état d'avant", "éléments rendus à leur état d'avant")
    if not resultat.refus:
        messages.success(request, f"Import défait : {rendus}.")
    elif resultat.defaits:
        messages.warning(request, f"Import défait en partie : {rendus} ; le reste a bougé depuis (voir la page).")
    else:
        messages.warning(request, "Rien n'a pu être défait : la page dit pourquoi.")
    lignes = [[r.objet, r.champ, r.raison] for r in resultat.refus[:REFUS_GARDES]]
    request.session[CLE_DES_REFUS] = {"lot": lot.pk, "lignes": lignes}
