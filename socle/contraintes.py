"""Contraintes nommées qui reviennent d'un modèle à l'autre."""

from django.db import models
from django.db.models import Q


def liste_fermee(
    champ: str, choix: type[models.TextChoices], *, nom: str, message: str, facultatif: bool = False
) -> models.CheckConstraint:
    """La base refuse ce que la liste ne contient pas. `facultatif` : la chaîne vide est admise.

    NULL passe toujours : au modèle de dire si le champ peut l'être.
    """
    valeurs = [*choix.values, ""] if facultatif else choix.values
    return models.CheckConstraint(condition=Q(**{f"{champ}__in": valeurs}), name=nom, violation_error_message=message)
