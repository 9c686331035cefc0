"""Les mandats tenus : par budget et par année, puis par tiers et par commune."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from comptes.droits import Droit, exiger, peut
from marches.communes import nom_de
from marches.exports import Format, exporter, format_demande
from marches.mandats.imports import retirer as retirer_l_import
from marches.mandats.tableau import imports_en_vigueur, par_commune, par_tiers
from marches.models import ImportDeMandats
from marches.views.commun import LIGNES_PAR_PAGE, qui_demande
from socle.ecriture import ColonneEcrite, Sorte
from socle.erreurs import Introuvable

_COLONNES = [
    ColonneEcrite("SIRET", largeur=16),
    ColonneEcrite("Tiers", largeur=40),
    ColonneEcrite("Code postal", largeur=12),
    ColonneEcrite("Commune"),
    ColonneEcrite("Code INSEE", largeur=12),
    ColonneEcrite("Mandats", Sorte.ENTIER, 10),
    ColonneEcrite("Montant", Sorte.NOMBRE, 16),
]


@require_safe
def mandats(request: HttpRequest) -> HttpResponse:
    """Ce que le site tient, budget par budget."""
    exiger(request.user, Droit.CONSULTER)
    contexte = {"imports": imports_en_vigueur(), "peut_importer": peut(request.user, Droit.IMPORTER)}
    return render(request, "marches/mandats.html", contexte)


@require_safe
def import_de_mandats(request: HttpRequest, mandats: int) -> HttpResponse:
    """Un budget et une année, par tiers ou par commune ; ou, dans un fichier, tous ses totaux."""
    exiger(request.user, Droit.CONSULTER)
    fait = _trouver(mandats)
    if forme := format_demande(request):
        return exporter(
            request, forme, sujet="Mandats", colonnes=_COLONNES, lignes=_lignes(fait), filtres=_cadre(fait)
        )
    par_lieu = request.GET.get("par") == "commune"
    lignes = par_commune(fait) if par_lieu else par_tiers(fait)
    contexte = {
        "fait": fait,
        "par_lieu": par_lieu,
        "page": Paginator(lignes, LIGNES_PAR_PAGE).get_page(request.GET.get("page")),
        "autres": fait.autres(),
        "peut_importer": peut(request.user, Droit.IMPORTER),
        "exports": Format,
    }
    return render(request, "marches/import_de_mandats.html", contexte)


@require_POST
def retirer(request: HttpRequest, mandats: int) -> HttpResponse:
    """Retire un import ; le précédent du même budget et de la même année reprend sa place."""
    exiger(request.user, Droit.IMPORTER)
    fait = _trouver(mandats)
    if retirer_l_import(fait, par=qui_demande(request)):
        messages.success(request, f"L'import {fait} est retiré : ses totaux ne comptent plus.")
    return redirect("marches:mandats")


# --- Ce qu'elles partagent ----------------------------------------------------------------------


def _trouver(pk: int) -> ImportDeMandats:
    fait = ImportDeMandats.objects.avec_totaux().select_related("budget", "auteur", "retire_par").filter(pk=pk).first()
    if fait is None:
        raise Introuvable("Cet import de mandats n'existe pas.")
    return fait


def _cadre(fait: ImportDeMandats) -> list[tuple[str, str]]:
    return [
        ("Budget", fait.budget.nom),
        ("Exercice", str(fait.annee)),
        ("Montants", fait.budget.get_base_display().lower()),
    ]


def _lignes(fait: ImportDeMandats) -> list[list[Any]]:
    return [
        [t.siret, t.nom, t.code_postal, nom_de(t.commune), t.commune, t.nombre, t.montant] for t in fait.totaux.all()
    ]
