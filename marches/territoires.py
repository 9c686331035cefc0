"""Les territoires auxquels on compare le lieu des fournisseurs : des communes, des départements."""

import re

from django.core.exceptions import ValidationError
from django.db import models
from simple_history.models import HistoricalRecords

from socle.modeles import LigneVersionnee, QuerySetSuivi


def valider_les_codes_de_commune(codes: object) -> None:
    """Lève ValidationError si ce n'est pas une liste de codes INSEE de commune, cinq caractères chacun."""
    _valider(codes, r"\d[\dAB]\d{3}", "Un code INSEE de commune compte cinq caractères, comme 34154")


def valider_les_codes_de_departement(codes: object) -> None:
    """Lève ValidationError si ce n'est pas une liste de codes de département : 34, 2A, 974."""
    _valider(codes, r"\d{2}|2[AB]|97\d", "Un code de département s'écrit 34, 2A ou 974")


def _valider(codes: object, forme: str, phrase: str) -> None:
    if not isinstance(codes, list) or not all(isinstance(c, str) for c in codes):
        raise ValidationError('Écrivez une liste de codes entre guillemets : ["34154", "34344"].')
    if refuses := [c for c in codes if not re.fullmatch(forme, c)]:
        raise ValidationError(f"{phrase} ; à corriger : {', '.join(refuses)}.")


class Territoire(LigneVersionnee):
    """Un ensemble de communes, de départements, ou des deux."""

    code = models.SlugField("code", max_length=60, unique=True)
    nom = models.CharField("nom", max_length=200)
    communes = models.JSONField(
        "communes", default=list, blank=True, validators=[valider_les_codes_de_commune], help_text="Codes INSEE."
    )
    departements = models.JSONField(
        "départements", default=list, blank=True, validators=[valider_les_codes_de_departement]
    )
    source = models.CharField("source", max_length=300, blank=True)

    objects = QuerySetSuivi.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = "territoire"
        verbose_name_plural = "territoires"
        ordering = ["nom"]

    def __str__(self) -> str:
        return self.nom

    def clean(self) -> None:
        super().clean()
        if not self.communes and not self.departements:
            raise ValidationError("Un territoire a au moins une commune ou un département.")
