import base64

from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from bilans.contenu.schema import Portee
from bilans.fiche_de_bilan import FicheDeBilan, fiche_de_l_annee, fiche_de_version, version_arretee
from bilans.views.commun import remettre
from socle.erreurs import DemandeIllisible, Introuvable


@require_safe
def bilan(request: HttpRequest, plan: str, annee: int) -> HttpResponse:
    """Le bilan de l'année : sa dernière version arrêtée, sinon son brouillon."""
    return _montrer(request, fiche_de_l_annee(plan, annee, lire_portee(request.GET)))


@require_safe
def version(request: HttpRequest, plan: str, annee: int, rang: int) -> HttpResponse:
    """Une version arrêtée, la dernière ou une ancienne."""
    return _montrer(request, fiche_de_version(plan, annee, rang, lire_portee(request.GET)))


def _montrer(request: HttpRequest, fiche: FicheDeBilan) -> HttpResponse:
    contexte = {"fiche": fiche, "bilan": fiche.bilan, "page": fiche.page, "empreinte": fiche.empreinte}
    return render(request, "bilans/bilan.html", contexte)


@require_safe
def contenu_arrete(request: HttpRequest, plan: str, annee: int, rang: int, portee: str) -> HttpResponseBase:
    """Les octets du JSON canonique, tels qu'enregistrés : leur empreinte est l'ETag, et `Repr-Digest` (RFC 9530)."""
    if portee not in [connue.value for connue in Portee]:
        raise Introuvable(f"« {portee} » n'est pas une portée : demandez interne.json ou public.json.")
    version, demandee = version_arretee(plan, annee, rang), Portee(portee)
    empreinte = version.empreinte_de(demandee)
    nom = f"bilan-{plan}-{annee}-version-{rang}-{portee}.json"
    entetes = {
        "Content-Disposition": f'attachment; filename="{nom}"',
        "ETag": f'"{empreinte}"',
        "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(empreinte)).decode()}:",
    }
    reponse = HttpResponse(version.texte(demandee).encode(), content_type="application/json", headers=entetes)
    return remettre(request, reponse, f"Bilan {annee}", nom)


def lire_portee(parametres: QueryDict, par_defaut: Portee = Portee.INTERNE) -> Portee:
    """Lève DemandeIllisible (400)."""
    texte = parametres.get("portee", par_defaut.value)
    try:
        return Portee(texte)
    except ValueError as erreur:
        raise DemandeIllisible(f"« {texte} » n'est pas une portée : demandez « interne » ou « public ».") from erreur
