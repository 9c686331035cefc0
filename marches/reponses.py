"""Oui, non, ou on ne sait pas : ce que dit un enregistrement d'une considération, d'un lieu."""

from collections.abc import Iterable

from django.db import models


class Reponse(models.TextChoices):
    """Non renseigné n'est jamais non."""

    OUI = "OUI", "Oui"
    NON = "NON", "Non"
    INCONNU = "INCONNU", "Non renseigné"


def au_moins_un(reponses: Iterable[Reponse | str]) -> Reponse:
    """Oui si l'une dit oui, non si toutes disent non ; sinon, et de rien, on ne sait pas."""
    dites = set(reponses)
    if Reponse.OUI in dites:
        return Reponse.OUI
    return Reponse.NON if dites == {Reponse.NON} else Reponse.INCONNU


def tous(reponses: Iterable[Reponse | str]) -> Reponse:
    """Oui si toutes disent oui, non si l'une dit non ; sinon, et de rien, on ne sait pas."""
    dites = set(reponses)
    if Reponse.NON in dites:
        return Reponse.NON
    return Reponse.OUI if dites == {Reponse.OUI} else Reponse.INCONNU
