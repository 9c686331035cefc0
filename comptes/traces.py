"""Tracer un geste : la seule voie d'écriture de la trace."""

import ipaddress
from typing import TYPE_CHECKING, Any

from comptes.demande import demande_en_cours
from comptes.gestes import Geste, Trace

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from comptes.models import Utilisateur


def tracer(
    geste: Geste,
    utilisateur: "Utilisateur | AnonymousUser | None" = None,
    objet: str = "",
    *,
    identifiant: str = "",
    details: dict[str, Any] | None = None,
) -> Trace:
    """Ajoute une ligne à la trace, dans la transaction de l'appelant.

    `utilisateur` : qui fait le geste, None hors connexion ; `objet` : sur quoi, coupé à 200 caractères ;
    `identifiant` : ce qui a été tapé à la connexion ; `details` : de quoi l'expliquer, sans secret.
    L'adresse et le numéro viennent de la demande en cours.
    """
    demande = demande_en_cours()
    connu = utilisateur if utilisateur is not None and utilisateur.is_authenticated else None
    return Trace.objects.create(
        geste=geste,
        utilisateur=connu,
        objet=objet[:200],
        identifiant=identifiant[:150].replace("\x00", ""),
        details=details or {},
        adresse=_adresse(demande.adresse),
        demande=demande.numero,
    )


def _adresse(texte: str) -> str | None:
    try:
        return str(ipaddress.ip_address(texte))
    except ValueError:
        return None
