"""Le comité de pilotage : sa date, et le relevé de ce qu'il a décidé, action par action."""

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from simple_history.models import HistoricalRecords

from actions.plans import Plan
from socle.formats import formater_date
from socle.modeles import LigneVersionnee, QuerySetSuivi


class Comite(LigneVersionnee):
    """Une réunion du comité de pilotage d'un plan."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="comites")
    date = models.DateField("date")
    lieu = models.CharField("lieu", max_length=200, blank=True)

    CHAMPS_DES_CONTRAINTES = {"comite_un_par_jour": "date"}

    objects = QuerySetSuivi.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = "comité de pilotage"
        verbose_name_plural = "comités de pilotage"
        ordering = ["-date", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "date"],
                name="comite_un_par_jour",
                violation_error_message="Un comité de ce plan se tient déjà ce jour-là.",
            ),
        ]

    def __str__(self) -> str:
        return f"Comité de pilotage du {formater_date(self.date)}"

    def get_absolute_url(self) -> str:
        return reverse("actions:comite", args=[self.pk])


class Decision(LigneVersionnee):
    """Ce que le comité a décidé, d'une action ou de l'ensemble du plan (`action` vide)."""

    comite = models.ForeignKey(Comite, on_delete=models.PROTECT, related_name="decisions")
    action = models.ForeignKey(
        "actions.Action",
        verbose_name="action",
        on_delete=models.PROTECT,
        related_name="decisions",
        null=True,
        blank=True,
    )
    texte = models.TextField("décision")
    auteur = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, editable=False
    )
    saisi_le = models.DateTimeField("saisi le", default=timezone.now, editable=False)
    retiree = models.BooleanField("retirée", default=False, editable=False)

    objects = QuerySetSuivi.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = "décision"
        verbose_name_plural = "décisions"
        ordering = ["comite", "pk"]

    def __str__(self) -> str:
        return self.texte[:80]
