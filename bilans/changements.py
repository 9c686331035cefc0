"""Ce qui a changé dans un plan entre deux dates, une phrase par changement."""

from dataclasses import dataclass
from datetime import date

from django.db import models

from actions.models import Plan


class NatureDeChangement(models.TextChoices):
    STATUT = "STATUT", "Statuts"
    ENTREE = "ENTREE", "Entrées au plan"
    SORTIE = "SORTIE", "Sorties du plan"
    ECHEANCE = "ECHEANCE", "Échéances"
    NOTE = "NOTE", "Notes"
    VALEUR = "VALEUR", "Valeurs"


@dataclass(frozen=True)
class Changement:
    """Un changement, en une phrase sans nom de personne. `numero` : celui de l'action ; None pour une valeur."""

    nature: NatureDeChangement
    numero: int | None
    phrase: str
    adresse: str = ""


def changements(plan: Plan, depuis: date, jusqu_au: date) -> list[Changement]:
    """Après `depuis` et jusqu'à `jusqu_au` compris, par nature puis dans l'ordre du plan."""
    return []
