"""« Annuler », proposé une minute à qui vient de changer un statut.

Ce qui peut être annulé est gardé dans la session : aucune page ne fait de requête pour savoir s'il faut le proposer.
"""

from datetime import datetime

from django.http import HttpRequest
from django.utils import timezone

from actions.gestes import DELAI_D_ANNULATION
from actions.journaux import ChangementDeStatut

_CLE = "statut_annulable"


def proposer_l_annulation(request: HttpRequest, ligne: ChangementDeStatut) -> None:
    """Retient que `ligne`, que l'utilisateur vient d'écrire, peut être défaite pendant une minute."""
    jusqu_a = ligne.saisi_le + DELAI_D_ANNULATION
    request.session[_CLE] = {"action": ligne.action_id, "ligne": ligne.pk, "jusqu_a": jusqu_a.isoformat()}


def oublier_l_annulation(request: HttpRequest) -> None:
    request.session.pop(_CLE, None)


def action_annulable(request: HttpRequest) -> int | None:
    """La dernière action dont l'utilisateur a changé le statut, si c'était il y a moins d'une minute."""
    retenu = request.session.get(_CLE)
    if not retenu or datetime.fromisoformat(retenu["jusqu_a"]) < timezone.now():
        return None
    return retenu["action"]


def ligne_annulable(request: HttpRequest, action_id: int) -> int | None:
    """La ligne à défaire si c'est cette action-là."""
    return request.session[_CLE]["ligne"] if action_annulable(request) == action_id else None
