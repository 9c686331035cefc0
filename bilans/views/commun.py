"""Ce que les pages d'un bilan partagent : le trouver, et dire un refus."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response

from bilans.arret import bilan_de
from bilans.bilan import Bilan
from bilans.cadre import cadrer
from bilans.demande import Demande
from comptes.traces import tracer_un_export
from socle.erreurs import Introuvable
from socle.modeles import ConflitDeVersion

ENTRE_TEMPS = "Ce bilan a changé entre-temps : rien n'a été fait. Relisez où il en est, puis recommencez."


def trouver_le_bilan(plan: str, annee: int) -> Bilan:
    """Le bilan de cette année, pas encore enregistré si rien n'y est écrit. Lève Introuvable : plan ou année inconnus,
    année à venir comprise."""
    cadre = cadrer(Demande(plan=plan, annee=annee, au=None))
    if cadre is None:
        raise Introuvable("Il n'y a encore aucun plan.")
    return bilan_de(cadre.plan, annee)


def remettre(request: HttpRequest, reponse: HttpResponse, objet: str, nom: str) -> HttpResponseBase:
    """Le fichier et la trace de sa remise ; rien de plus que 304 à qui l'a déjà (son `ETag`, s'il en porte un)."""
    rendue = get_conditional_response(request, etag=reponse.get("ETag"), response=reponse) or reponse
    if rendue.status_code == 200:
        tracer_un_export(request, objet, fichier=nom)
    return rendue


def tenter(request: HttpRequest, geste: Callable[[], object], compte_rendu: str) -> bool:
    """Fait le geste et le dit ; faux, avec la raison, s'il est refusé ou si le bilan a changé entre-temps."""
    try:
        geste()
    except ConflitDeVersion:
        messages.warning(request, ENTRE_TEMPS)
    except ValidationError as refus:
        messages.error(request, " ".join(refus.messages))
    else:
        messages.success(request, compte_rendu)
        return True
    return False
