"""La demande en cours : son numéro, le même dans les journaux et sur les pages d'erreur, et d'où elle vient."""

import secrets
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from comptes.provenance import adresse_du_client

EN_TETE = "X-Numero-De-Demande"


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


class NumeroDeDemande:
    """Numérote chaque demande, et le dit dans la réponse."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        demande = Demande(secrets.token_hex(8), adresse_du_client(request))
        jeton = _en_cours.set(demande)
        try:
            reponse = self.get_response(request)
        finally:
            _en_cours.reset(jeton)
        reponse[EN_TETE] = demande.numero
        return reponse
