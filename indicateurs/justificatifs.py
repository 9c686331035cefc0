"""Ce qui prouve une valeur : un fichier ou un lien, gardé comme les documents des actions."""

from django.conf import settings
from django.db import models
from simple_history.models import HistoricalRecords

from actions.pieces import Piece
from socle.modeles import QuerySetSuivi


class JustificatifQuerySet(QuerySetSuivi["Justificatif"]):
    def presents(self) -> "JustificatifQuerySet":
        return self.filter(retire_le__isnull=True)


class Justificatif(Piece):
    """Un fichier ou un lien qui prouve une valeur annuelle. On le retire, on ne l'efface pas."""

    valeur = models.ForeignKey(
        "indicateurs.ValeurAnnuelle", on_delete=models.PROTECT, related_name="justificatifs", verbose_name="valeur"
    )
    depose_par = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="déposé par",
        on_delete=models.PROTECT,
        related_name="justificatifs",
        null=True,
        editable=False,
    )

    CHAMPS_DES_CONTRAINTES = {"justificatif_fichier_ou_lien": "lien"}

    objects = JustificatifQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta(Piece.Meta):
        verbose_name = "justificatif"
        verbose_name_plural = "justificatifs"
