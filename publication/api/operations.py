"""Déclarer une opération de lecture : son nom de route, sa réponse, ses erreurs, et ce que le document en dit."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from ninja import NinjaAPI, Path

from publication.api import schemas
from publication.api.routes import PORTEES, ROUTES

F = TypeVar("F", bound=Callable[..., Any])

SLUG = "^[-a-zA-Z0-9_]{1,80}$"
Slug = Annotated[str, Path(pattern=SLUG, description="L'adresse du plan.", examples=["commande-publique-responsable"])]
Code = Annotated[
    str, Path(pattern=SLUG, description="Le code de l'indicateur.", examples=["consultations-finalisees"])
]
Cle = Annotated[schemas.Cle, Path(description="L'identifiant de l'action.", examples=[1])]
Annee = Annotated[schemas.AnneeDemandee, Path(description="L'année du bilan.", examples=[2023])]


def lire(api: NinjaAPI, nom: str, reponse: Any, resume: str) -> Callable[[F], F]:
    """Déclare la route `nom` (publication.api.routes). HEAD se lit comme GET."""
    erreurs = [404, 422, 429, *([401, 403] if nom in PORTEES else [])]
    return api.api_operation(
        ["GET", "HEAD"],
        f"/{ROUTES[nom]}",
        response={200: reponse} | dict.fromkeys(sorted(erreurs), schemas.Erreur),
        by_alias=True,
        url_name=nom,
        operation_id=nom,
        summary=resume,
        tags=["Interne" if nom in PORTEES else "Public"],
    )
