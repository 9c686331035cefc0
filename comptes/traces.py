"""Tracer un geste : la seule voie d'écriture de la trace."""

import ipaddress
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.http import HttpRequest

from comptes.demande import demande_en_cours
from comptes.gestes import Geste, Trace

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from comptes.models import Utilisateur

journal = logging.getLogger(__name__)


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
    trace = Trace.objects.create(
        geste=geste,
        utilisateur=connu,
        objet=objet.replace("\x00", "")[:200],
        identifiant=identifiant[:150].replace("\x00", ""),
        details=details or {},
        adresse=_adresse(demande.adresse),
        demande=demande.numero,
    )
    # Le journal du serveur en garde un double que l'application ne peut pas retoucher : ni nom, ni ce qui a été tapé,
    # car personne n'y viendrait l'effacer.
    transaction.on_commit(partial(journal.info, "Trace n° %s : %s, compte n° %s", trace.pk, geste, connu and connu.pk))
    return trace


def tracer_un_export(request: HttpRequest, objet: str, **details: Any) -> Trace | None:
    """La trace d'un fichier qu'on emporte. Un HEAD n'emporte rien : None."""
    if request.method == "HEAD":
        return None
    return tracer(Geste.EXPORT, request.user, objet, details=details)


def _adresse(texte: str) -> str | None:
    try:
        return str(ipaddress.ip_address(texte))
    except ValueError:
        return None
