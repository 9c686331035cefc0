"""Le PDF d'un bilan : ses octets s'ils sont gardés ou vite faits, sinon de quoi le préparer et suivre où il en est."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from actions.views.commun import lecture_ou_envoi
from bilans.arret import bilan_de, derniere_version
from bilans.bilan import Bilan
from bilans.cadre import cadrer
from bilans.contenu.composition import composer
from bilans.contenu.schema import Portee, lire
from bilans.demande import Demande
from bilans.fiche_de_bilan import version_arretee
from bilans.impression import demander, dernier_tirage, reprendre, se_dessine_sur_place
from bilans.rendu_pdf import ImpressionImpossible, imprimer
from bilans.taches import A_FAIRE
from bilans.tirages import Tirage
from bilans.versions import PdfDeVersion, VersionDeBilan
from bilans.views.commun import remettre
from comptes.droits import Droit, exiger, peut
from comptes.models import Utilisateur
from socle.erreurs import Introuvable


@lecture_ou_envoi
def pdf(request: HttpRequest, plan: str, annee: int) -> HttpResponseBase:
    """Celui de la dernière version arrêtée ; sans elle, ou si le bilan est rouvert, celui du brouillon."""
    exiger(request.user, Droit.CONSULTER)
    bilan = _bilan(plan, annee)
    version = derniere_version(bilan) if bilan.rouvert_le is None else None
    if version is not None:
        return _de_version(request, version)
    if request.method == "POST":
        return redirect(demander(bilan, par=cast("Utilisateur", request.user)))
    if not se_dessine_sur_place(bilan):
        return _a_preparer(request, bilan, None)
    try:
        octets = imprimer(lire(composer(bilan).de(Portee.PUBLIQUE)))
    except ImpressionImpossible as refus:
        return _a_preparer(request, bilan, None, refus)
    return _fichier(request, octets, bilan)


@lecture_ou_envoi
def pdf_de_version(request: HttpRequest, plan: str, annee: int, rang: int) -> HttpResponseBase:
    """Les octets gardés à l'arrêt, les mêmes pour toujours."""
    exiger(request.user, Droit.CONSULTER)
    return _de_version(request, version_arretee(plan, annee, rang))


@lecture_ou_envoi
def tirage(request: HttpRequest, tirage: int) -> HttpResponse:
    """Où en est un document ; un envoi relance celui qui s'est arrêté."""
    exiger(request.user, Droit.CONSULTER)
    trouve = _trouver(tirage)
    if request.method == "POST":
        return redirect(reprendre(trouve))
    if request.headers.get("HX-Request") and trouve.etat not in A_FAIRE:
        # L'ouvrier a fini : la page qui l'attendait se recharge.
        return HttpResponseClientRefresh()
    contexte = {"tirage": trouve, "bilan": trouve.bilan, "en_cours": trouve.etat in A_FAIRE}
    return render(request, "bilans/tirage.html", contexte)


@require_safe
def fichier_de_tirage(request: HttpRequest, tirage: int) -> HttpResponseBase:
    """Le document fini ; sinon la page qui dit où il en est."""
    exiger(request.user, Droit.CONSULTER)
    trouve = _trouver(tirage)
    if trouve.version is not None:
        return _de_version(request, trouve.version)
    if not trouve.contenu:
        return redirect(trouve)
    return _fichier(request, bytes(trouve.contenu), trouve.bilan)


def _de_version(request: HttpRequest, version: VersionDeBilan) -> HttpResponseBase:
    bilan = version.bilan
    garde = PdfDeVersion.objects.filter(version=version).first()
    if garde is None:
        if request.method == "POST":
            return redirect(demander(bilan, version, par=cast("Utilisateur", request.user)))
        return _a_preparer(request, bilan, version)
    return _fichier(request, garde.octets, bilan, version, {"ETag": f'"{garde.empreinte}"'})


def _a_preparer(
    request: HttpRequest, bilan: Bilan, version: VersionDeBilan | None, refus: ImpressionImpossible | None = None
) -> HttpResponse:
    contexte = {
        "bilan": bilan,
        "version": version,
        "dernier": dernier_tirage(bilan, version),
        "refus": refus,
        "demandable": bilan.pk is not None or peut(request.user, Droit.VALIDER),
    }
    return render(request, "bilans/pdf_a_preparer.html", contexte, status=503 if refus else 200)


def _fichier(
    request: HttpRequest,
    octets: bytes,
    bilan: Bilan,
    version: VersionDeBilan | None = None,
    entetes: dict[str, str] | None = None,
) -> HttpResponseBase:
    """Le PDF s'ouvre dans le navigateur, sous le nom qu'il aura si on l'enregistre."""
    nom = nom_du_document(bilan, version)
    disposition = {"Content-Disposition": content_disposition_header(False, nom) or ""}
    reponse = HttpResponse(octets, content_type="application/pdf", headers=disposition | (entetes or {}))
    return remettre(request, reponse, f"Bilan {bilan.annee}", nom)


def nom_du_document(bilan: Bilan, version: VersionDeBilan | None) -> str:
    """« Bilan 2023 - Développer une commande publique responsable.pdf », sans signe qu'un disque refuse."""
    intitule = " ".join("".join(" " if c in '\\/:*?"<>|' else c for c in bilan.plan.intitule).split())
    precision = " (brouillon)" if version is None else f" (version {version.rang})" if version.rang > 1 else ""
    return f"Bilan {bilan.annee} - {intitule[:120].strip()}{precision}.pdf"


def _bilan(slug: str, annee: int) -> Bilan:
    """Celui de cette année, qu'on y ait déjà écrit ou non. Lève Introuvable."""
    bilan = Bilan.objects.select_related("plan").filter(plan__slug=slug, annee=annee).first()
    if bilan is not None:
        return bilan
    cadre = cadrer(Demande(plan=slug, annee=annee, au=None))
    if cadre is None:
        raise Introuvable("Il n'y a encore aucun plan.")
    return bilan_de(cadre.plan, annee)


def _trouver(pk: int) -> Tirage:
    trouve = Tirage.objects.select_related("bilan__plan", "version__bilan__plan").filter(pk=pk).first()
    if trouve is None:
        raise Introuvable("Ce document n'existe pas, ou plus : les brouillons ne se gardent pas. Redemandez-le.")
    return trouve
