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


def ligne_annulable(request: HttpRequest, action_id: int) -> int | None:
    """La ligne à défaire si cette action est la dernière que l'utilisateur a changée, il y a moins d'une minute."""
    retenu = request.session.get(_CLE)
    if not retenu or retenu["action"] != action_id or datetime.fromisoformat(retenu["jusqu_a"]) < timezone.now():
        return None
    return retenu["ligne"]
