"""Les enregistrements derrière un nombre : à l'écran, et dans un fichier."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from comptes.droits import Droit, exiger
from marches.exports import Format, exporter, format_demande
from marches.models import ResultatDeCalcul
from marches.ouverture import Ouverture, ouvrir
from marches.views.commun import LIGNES_PAR_PAGE
from socle.ecriture import ColonneEcrite
from socle.erreurs import Introuvable
from socle.formats import formater_moment


@require_safe
def resultat(request: HttpRequest, resultat: int, liste: str) -> HttpResponse:
    ouverture = _trouver(request, resultat, liste)
    page = Paginator(ouverture.cles, LIGNES_PAR_PAGE).get_page(request.GET.get("page"))
    lignes = [ligne.montrer(ouverture.colonnes) for ligne in ouverture.lignes(list(page.object_list))]
    contexte = {"ouverture": ouverture, "page": page, "lignes": lignes, "exports": Format}
    return render(request, "marches/resultat.html", contexte)


@require_safe
def resultat_export(request: HttpRequest, resultat: int, liste: str) -> HttpResponse:
    """La même liste, entière."""
    forme, ouverture = format_demande(request) or Format.XLSX, _trouver(request, resultat, liste)
    return exporter(
        request,
        forme,
        sujet=f"{ouverture.calcul.code} {ouverture.resultat.fin.year} {ouverture.liste.value}".replace("_", " "),
        colonnes=[ColonneEcrite(c.titre, c.sorte, c.largeur) for c in ouverture.colonnes],
        lignes=[[c.lire(ligne) for c in ouverture.colonnes] for ligne in ouverture.lignes(ouverture.cles)],
        notes=_notes(ouverture),
    )


def _notes(ouverture: Ouverture) -> list[tuple[str, str]]:
    return [
        ("Calcul", f"{ouverture.calcul.libelle}, version {ouverture.resultat.version}"),
        ("Définition", ouverture.calcul.definition),
        ("Liste", f"{ouverture.intitule} : {ouverture.nombre_ecrit}"),
        ("Période", ouverture.periode),
        ("Acheteurs", ouverture.acheteurs),
        ("Territoire", str(ouverture.resultat.territoire or "aucun")),
        ("Calculé le", formater_moment(ouverture.resultat.calcule_le)),
    ]


def _trouver(request: HttpRequest, cle: int, liste: str) -> Ouverture:
    exiger(request.user, Droit.CONSULTER)
    garde = ResultatDeCalcul.objects.select_related("territoire").filter(pk=cle).first()
    ouverture = ouvrir(garde, liste, request.GET.get("motif", "")) if garde else None
    if ouverture is None:
        raise Introuvable("Ce calcul n'a pas gardé cette liste.")
    return ouverture
