"""Ce que plusieurs pages partagent."""

from typing import cast

from django.http import HttpRequest
from django.views.decorators.http import require_http_methods

from comptes.models import Siren, Utilisateur

LIGNES_PAR_PAGE = 50
lecture_ou_envoi = require_http_methods(["GET", "HEAD", "POST"])


def qui_demande(request: HttpRequest) -> Utilisateur:
    """Le compte connecté : une page de l'application n'est jamais servie sans."""
    return cast("Utilisateur", request.user)


def sirens_de_la_collectivite() -> list[str]:
    """Les SIREN sous lesquels la collectivité achète, triés."""
    return list(Siren.objects.order_by("numero").values_list("numero", flat=True))
