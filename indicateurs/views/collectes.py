"""Les collectes : ouvrir, suivre, valider ou renvoyer ; et, pour un service, répondre sur une seule page."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from actions.views.commun import LIGNES_PAR_PAGE, lecture_ou_envoi, qui_demande
from actions.views.etapes import nombre_envoye
from comptes.droits import Droit, exiger, peut
from indicateurs.collectes import Collecte, annoncer
from indicateurs.demandes_de_valeur import DemandeDeValeur
from indicateurs.formulaire_de_collecte import FormulaireDeCollecte, FormulaireDeRenvoi
from indicateurs.ligne_de_saisie import COLONNES
from indicateurs.listes import EtatDeDemande
from indicateurs.reponse_a_une_collecte import ReponseDeService
from indicateurs.suivi_de_collecte import tableau
from indicateurs.views.saisie import a_revoir, enregistrer_les_lignes
from socle.erreurs import Introuvable
from socle.formats import accorder
from socle.modeles import ConflitDeVersion

PLUS_A_VALIDER = "elle n'est plus à valider"
CHANGEE = "« {} » a changé depuis que vous l'avez sous les yeux : rien n'est validé, regardez-la de nouveau."


@require_safe
def liste(request: HttpRequest) -> HttpResponse:
    """Toutes les collectes, de la plus récente à la plus ancienne."""
    exiger(request.user, Droit.VALIDER)
    collectes = Collecte.objects.select_related("plan", "ouverte_par")
    page = Paginator(collectes, LIGNES_PAR_PAGE).get_page(request.GET.get("page"))
    annoncer(list(page))
    return render(request, "indicateurs/collectes.html", {"page": page})


@lecture_ou_envoi
def ouvrir(request: HttpRequest) -> HttpResponse:
    exiger(request.user, Droit.VALIDER)
    formulaire = FormulaireDeCollecte(request.POST or None)
    ouverte = formulaire.ouvrir(qui_demande(request)) if formulaire.is_valid() else None
    if ouverte is None:
        return render(request, "indicateurs/collecte_ouvrir.html", {"formulaire": formulaire})
    collecte, preparation = ouverte
    if preparation is None:
        messages.info(request, "Cette collecte est déjà ouverte : rien n'est parti de plus.")
    else:
        messages.success(request, f"{collecte} ouverte : {preparation.compte_rendu}.")
    return redirect(collecte)


@require_safe
def detail(request: HttpRequest, collecte: int) -> HttpResponse:
    """Où en est chaque ligne."""
    exiger(request.user, Droit.VALIDER)
    return render(request, "indicateurs/collecte.html", {"tableau": tableau(_trouver(collecte))})


@require_POST
def relancer(request: HttpRequest, collecte: int) -> HttpResponse:
    exiger(request.user, Droit.VALIDER)
    trouvee = _trouver(collecte)
    try:
        preparation = trouvee.relancer()
    except ValidationError as refus:
        messages.warning(request, " ".join(refus.messages))
    else:
        dire = messages.success if preparation.courriels else messages.info
        dire(request, preparation.compte_rendu_de_relance("cette collecte"))
    return redirect(trouvee)


@require_POST
def clore(request: HttpRequest, collecte: int) -> HttpResponse:
    exiger(request.user, Droit.VALIDER)
    trouvee = _trouver(collecte)
    trouvee.clore()
    messages.success(request, "Collecte close : plus rien n'est demandé, et ce qui est reçu reste.")
    return redirect(trouvee)


@require_POST
def rouvrir(request: HttpRequest, collecte: int) -> HttpResponse:
    exiger(request.user, Droit.VALIDER)
    trouvee = _trouver(collecte)
    trouvee.rouvrir()
    messages.success(request, "Collecte ouverte : ce qui manque est demandé.")
    return redirect(trouvee)


@require_POST
def valider(request: HttpRequest, collecte: int, demande: int) -> HttpResponse:
    """Valide une ligne, telle que la page la montrait."""
    exiger(request.user, Droit.VALIDER)
    trouvee = _demande(collecte, demande)
    vue = nombre_envoye(request, "version"), request.POST.get("chiffre")
    if refus := _essayer(trouvee, qui_demande(request), *vue):
        messages.warning(request, refus)
    else:
        messages.success(request, f"Validée : {trouvee.indicateur}.")
    return redirect(trouvee.collecte)


@require_POST
def valider_tout(request: HttpRequest, collecte: int) -> HttpResponse:
    """Valide chaque ligne transmise que la page montrait ; chacune pour elle-même."""
    exiger(request.user, Droit.VALIDER)
    trouvee = _trouver(collecte)
    lignes = {str(ligne.demande.pk): ligne for ligne in tableau(trouvee).lignes}
    faites = 0
    for cle, _, vue in (lue.partition(":") for lue in request.POST.getlist("lignes")):
        version, _, chiffre = vue.partition(":")
        if cle not in lignes or not version.isdecimal():
            continue
        ligne = lignes[cle]
        if ligne.etat in (EtatDeDemande.A_VALIDER, EtatDeDemande.VALIDEE):
            refus = _essayer(ligne.demande, qui_demande(request), int(version[:9]), chiffre)
        else:
            refus = f"{PLUS_A_VALIDER} ({ligne.etat.label.lower()})."
        faites += not refus
        if refus:
            messages.warning(request, f"{ligne.indicateur} : {refus}")
    if faites:
        messages.success(request, f"{accorder(faites, 'valeur validée', 'valeurs validées')}.")
    return redirect(trouvee)


def _essayer(demande: DemandeDeValeur, auteur: Any, version: int, chiffre: str | None) -> str:
    """La phrase du refus ; vide si la ligne est validée."""
    try:
        demande.valider(auteur, version=version, chiffre=chiffre)
    except ConflitDeVersion:
        return CHANGEE.format(demande.indicateur)
    except ValidationError as refus:
        return " ".join(refus.messages)
    return ""


@lecture_ou_envoi
def renvoyer(request: HttpRequest, collecte: int, demande: int) -> HttpResponse:
    exiger(request.user, Droit.VALIDER)
    trouvee = _demande(collecte, demande)
    formulaire = FormulaireDeRenvoi(request.POST if request.method == "POST" else None, demande=trouvee)
    if formulaire.is_valid() and formulaire.renvoyer(qui_demande(request)):
        messages.success(request, f"Renvoyée au service : {trouvee.indicateur}.")
        return redirect(trouvee.collecte)
    return render(request, "indicateurs/collecte_renvoyer.html", {"demande": trouvee, "formulaire": formulaire})


@lecture_ou_envoi
def repondre(request: HttpRequest, collecte: int) -> HttpResponse:
    """La page d'un service : ses lignes, à saisir ; puis à transmettre d'un geste."""
    exiger(request.user, Droit.SAISIR_UNE_DONNEE)
    trouvee, auteur = _trouver(collecte), qui_demande(request)
    if auteur.service is None and "service" not in request.GET and peut(auteur, Droit.VALIDER):
        # Le lien d'un courriel, ouvert par qui mène la collecte : son tableau mène à chaque service.
        return redirect(trouvee)
    page = ReponseDeService.demandee(trouvee, request.GET, auteur)
    if request.method != "POST":
        return _montrer(request, page, page.lignes)
    lignes = page.envoyees(request.POST, request.POST.getlist("lignes"))
    if lignes:
        enregistrer_les_lignes(request, lignes)
    if a_revoir(lignes):
        return _montrer(request, page, lignes)
    if "transmettre" in request.POST:
        _transmettre(request, page)
    return redirect(page.adresse)


def _transmettre(request: HttpRequest, page: ReponseDeService) -> None:
    """Close pendant la saisie, la collecte ne reçoit plus rien : ce qui est tapé, lui, est enregistré."""
    try:
        faites = page.transmettre()
    except ValidationError as refus:
        messages.warning(request, f"Rien n'est transmis. {' '.join(refus.messages)}")
    else:
        dire = messages.success if faites else messages.info
        dire(request, page.compte_rendu(faites))


def _montrer(request: HttpRequest, page: ReponseDeService, lignes: list) -> HttpResponse:
    contexte = {"reponse": page, "lignes": lignes, "colonnes": COLONNES}
    return render(request, "indicateurs/collecte_repondre.html", contexte)


def _trouver(collecte: int) -> Collecte:
    trouvee = Collecte.objects.select_related("plan", "ouverte_par").filter(pk=collecte).first()
    if trouvee is None:
        raise Introuvable("Cette collecte n'existe pas.")
    return trouvee


def _demande(collecte: int, demande: int) -> DemandeDeValeur:
    # `collecte__pk` et non `collecte` : Django rend vide un numéro plus grand que la colonne, au lieu de le demander.
    liens = ("collecte__plan", "indicateur__service", "indicateur__denominateur")
    trouvee = DemandeDeValeur.objects.select_related(*liens).filter(collecte__pk=collecte, pk=demande).first()
    if trouvee is None:
        raise Introuvable("Cette collecte ne demande pas cet indicateur.")
    return trouvee
