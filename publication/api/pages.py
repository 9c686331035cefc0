"""Une liste page à page : combien il y en a, et l'adresse de la suivante et de la précédente."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest

from publication.api.schemas import Pagination
from socle.erreurs import Introuvable


@dataclass(frozen=True)
class Demande:
    """La page voulue, et l'adresse d'où elle est demandée, avec ses filtres."""

    page: int
    taille: int
    adresse: str
    filtres: dict[str, str]

    @classmethod
    def de(cls, request: HttpRequest, filtre: Pagination) -> "Demande":
        return cls(filtre.page, filtre.taille, f"{settings.ADRESSE_DU_SITE}{request.path}", request.GET.dict())

    def lien(self, page: int) -> str:
        return f"{self.adresse}?{urlencode(self.filtres | {'page': page, 'taille': self.taille})}"


def page(
    request: HttpRequest, filtre: Pagination, objets: QuerySet | Sequence[Any], ecrire: Callable[[Any], Any]
) -> dict[str, Any]:
    """Lève Introuvable si la liste n'a pas cette page ; vide, elle a quand même la première."""
    demande = Demande.de(request, filtre)
    total = len(objets) if isinstance(objets, Sequence) else objets.count()
    pages = max(1, ceil(total / demande.taille))
    if demande.page > pages:
        raise Introuvable(f"La liste n'a pas de page {demande.page} : elle en a {pages}.")
    debut = (demande.page - 1) * demande.taille
    return {
        "total": total,
        "page": demande.page,
        "taille": demande.taille,
        "pages": pages,
        "precedente": demande.lien(demande.page - 1) if demande.page > 1 else None,
        "suivante": demande.lien(demande.page + 1) if demande.page < pages else None,
        "resultats": [ecrire(objet) for objet in objets[debut : debut + demande.taille]],
    }
