"""La demande en cours : son numéro, le même dans les journaux et sur les pages d'erreur, et d'où elle vient."""

import logging
import secrets
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.utils.encoding import escape_uri_path

from comptes.provenance import adresse_du_client

EN_TETE = "X-Numero-De-Demande"
# La supervision repasse chaque minute, et plus : ses demandes ne s'écrivent qu'au niveau DEBUG.
SUPERVISION = "/sante/"

journal = logging.getLogger("acces")


@dataclass(frozen=True)
class Demande:
    """`numero` : seize chiffres hexadécimaux, tirés ici (un visiteur ne choisit pas ce qu'écrit le journal) ;
    `adresse` : celle du visiteur, vide si elle est inconnue."""

    numero: str = ""
    adresse: str = ""


_AUCUNE = Demande()
_en_cours: ContextVar[Demande] = ContextVar("demande_en_cours", default=_AUCUNE)


def demande_en_cours() -> Demande:
    """Celle que ce fil d'exécution est en train de servir ; vide hors d'une page (commande, ouvrier)."""
    return _en_cours.get()


_tache: ContextVar[str] = ContextVar("tache_en_cours", default="")


def tache_en_cours() -> str:
    """L'identifiant de la tâche que l'ouvrier exécute ; vide dans le site."""
    return _tache.get()


def noter_la_tache(identifiant: str) -> None:
    """Ce que l'ouvrier exécute désormais ; vide entre deux tâches."""
    _tache.set(identifiant)


class NumeroDeDemande:
    """Numérote chaque demande, le dit dans la réponse, et écrit une ligne au journal des accès."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        demande = Demande(secrets.token_hex(8), adresse_du_client(request))
        # Pour ce que Django écrit une fois la réponse rendue : la demande n'est alors plus en cours.
        request.numero_de_demande = demande.numero  # type: ignore[attr-defined]
        jeton, debut = _en_cours.set(demande), time.perf_counter()
        try:
            reponse = self.get_response(request)
            _noter(request, reponse, round((time.perf_counter() - debut) * 1000))
        finally:
            _en_cours.reset(jeton)
        reponse[EN_TETE] = demande.numero
        return reponse


def _noter(request: HttpRequest, reponse: HttpResponse, duree_ms: int) -> None:
    """Méthode, chemin, code, durée, compte. Ni paramètres (une recherche, un jeton) ni adresse du visiteur : la trace
    la garde pour les gestes qui comptent."""
    niveau = logging.DEBUG if request.path.startswith(SUPERVISION) else logging.INFO
    if not journal.isEnabledFor(niveau):
        return
    # Ce que la page a lu du compte, sans le demander à la base pour le seul journal.
    compte = getattr(getattr(request, "_cached_user", None), "pk", None)
    faits = {
        "methode": request.method,
        "chemin": escape_uri_path(request.path),
        "code": reponse.status_code,
        "duree_ms": duree_ms,
        "compte": compte,
    }
    journal.log(
        niveau,
        "%(methode)s %(chemin)s %(code)s en %(duree_ms)s ms, compte %(compte)s",
        faits | {"compte": compte or "-"},
        extra=faits,
    )
