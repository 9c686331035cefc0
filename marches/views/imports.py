"""Les imports de DECP : déposer un fichier, voir où en est l'import, ce qu'il a lu et ce qu'il a refusé."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from comptes.droits import Droit, exiger, peut
from marches.decp.contrats import phrase_du_motif
from marches.depots import A_FAIRE, deposer, reprendre
from marches.exports import Format, exporter, format_demande
from marches.formulaire_d_import import FormulaireDImport
from marches.imports import ImportDecp
from marches.listes import EtatDImport
from marches.views.commun import LIGNES_PAR_PAGE, lecture_ou_envoi, qui_demande, sirens_de_la_collectivite
from socle.ecriture import ColonneEcrite, Sorte
from socle.erreurs import Introuvable

_COLONNES = [
    ColonneEcrite("Position", Sorte.NOMBRE, 12),
    ColonneEcrite("Motif", largeur=60),
    ColonneEcrite("Précision", largeur=60),
]


@require_safe
def imports(request: HttpRequest) -> HttpResponse:
    """Les fichiers importés, du plus récent au plus ancien."""
    exiger(request.user, Droit.CONSULTER)
    faits = ImportDecp.objects.select_related("auteur")
    page = Paginator(faits, LIGNES_PAR_PAGE).get_page(request.GET.get("page"))
    return render(request, "marches/imports.html", {"page": page})


@lecture_ou_envoi
def deposer_un_fichier(request: HttpRequest) -> HttpResponse:
    """Le formulaire de dépôt ; l'ouvrier fait le reste."""
    exiger(request.user, Droit.IMPORTER)
    formulaire = FormulaireDImport(request.POST or None, request.FILES or None, sirens=sirens_de_la_collectivite())
    if formulaire.is_valid():
        fichier = formulaire.cleaned_data["fichier"]
        return redirect(deposer(fichier, sirens=formulaire.sirens, par=qui_demande(request)))
    return render(request, "marches/deposer.html", {"formulaire": formulaire})


@require_safe
def import_decp(request: HttpRequest, import_decp: int) -> HttpResponse:
    """Où en est un import, son compte, ses refus."""
    exiger(request.user, Droit.CONSULTER)
    trouve = _trouver(import_decp)
    en_cours = trouve.etat in (EtatDImport.DEPOSE, EtatDImport.LECTURE)
    if request.headers.get("HX-Request") and not en_cours:
        # L'ouvrier a fini : la page qui l'attendait se recharge.
        return HttpResponseClientRefresh()
    if forme := format_demande(request):
        return _exporter_les_refus(request, trouve, forme)
    contexte: dict[str, Any] = {
        "fait": trouve,
        "en_cours": en_cours,
        "a_reprendre": trouve.etat in A_FAIRE and peut(request.user, Droit.IMPORTER) and trouve.morceaux.exists(),
        "exports": list(Format),
        "page": Paginator(trouve.refusees.all(), LIGNES_PAR_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "marches/import.html", contexte)


@require_POST
def reprendre_l_import(request: HttpRequest, import_decp: int) -> HttpResponse:
    """Remet en file un import arrêté en route."""
    exiger(request.user, Droit.IMPORTER)
    trouve = _trouver(import_decp)
    reprendre(trouve)
    return redirect(trouve)


def _trouver(pk: int) -> ImportDecp:
    trouve = ImportDecp.objects.select_related("auteur").filter(pk=pk).first()
    if trouve is None:
        raise Introuvable("Cet import n'existe pas.")
    return trouve


def _exporter_les_refus(request: HttpRequest, trouve: ImportDecp, forme: Format) -> HttpResponse:
    lignes = [[refus.position, phrase_du_motif(refus.motif), refus.precision] for refus in trouve.refusees.all()]
    return exporter(
        request,
        forme,
        sujet="Refus d'import",
        colonnes=_COLONNES,
        lignes=lignes,
        notes=[("Fichier", trouve.nom), ("Empreinte SHA-256", trouve.sha256)],
    )
