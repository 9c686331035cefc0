"""Les étapes d'une action : ce qui reste à faire, pour quand, et ce qui est fait."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from simple_history.models import HistoricalRecords

from socle.echeances import Echeance, Precision
from socle.modeles import LigneVersionnee, QuerySetSuivi


class EtapeQuerySet(QuerySetSuivi["Etape"]):
    def a_faire(self) -> "EtapeQuerySet":
        return self.filter(faite_le__isnull=True)

    def par_echeance(self) -> "EtapeQuerySet":
        return self.order_by(F("echeance").asc(nulls_last=True), "action", "ordre", "pk")


class Etape(LigneVersionnee):
    """Un pas vers la fin d'une action, avec son échéance quand on la connaît."""

    action = models.ForeignKey("actions.Action", on_delete=models.PROTECT, related_name="etapes")
    intitule = models.CharField("intitulé", max_length=300)
    echeance = models.DateField("échéance", null=True, blank=True)
    precision = models.CharField("précision", max_length=9, choices=Precision, null=True, blank=True)
    faite_le = models.DateField("fait le", null=True, blank=True)
    ordre = models.PositiveSmallIntegerField("ordre", default=0)
    retiree = models.BooleanField("retirée", default=False, editable=False)

    CHAMPS_DES_CONTRAINTES = {"etape_precision_coherente": "echeance"}

    objects = EtapeQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = "étape"
        verbose_name_plural = "étapes"
        ordering = ["action", "ordre", "pk"]
        indexes = [models.Index(fields=["echeance"], condition=Q(faite_le__isnull=True), name="etape_a_faire")]
        constraints = [
            models.CheckConstraint(
                condition=Q(echeance__isnull=True, precision__isnull=True)
                | Q(echeance__isnull=False, precision__isnull=False, precision__in=["JOUR", "TRIMESTRE", "ANNEE"]),
                name="etape_precision_coherente",
                violation_error_message="Une échéance a une précision : jour, trimestre ou année.",
            ),
        ]

    def __str__(self) -> str:
        return self.intitule

    def clean(self) -> None:
        super().clean()
        if self.faite_le and self.faite_le > timezone.localdate():
            raise ValidationError({"faite_le": "Une étape faite l'est aujourd'hui, ou à une date passée."})

    @property
    def valeur_echeance(self) -> Echeance | None:
        return Echeance(self.echeance, Precision(self.precision)) if self.echeance and self.precision else None
