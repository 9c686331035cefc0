"""Une campagne d'actualisation : demander à chaque pilote où en sont ses actions, et voir qui a répondu."""

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from simple_history.models import HistoricalRecords

from actions.plans import Plan
from socle.formats import formater_date
from socle.modeles import LigneVersionnee, QuerySetSuivi


class Campagne(LigneVersionnee):
    """« Merci d'actualiser vos actions avant le 12/03 »."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="campagnes")
    avant_le = models.DateField("à faire avant le")
    motif = models.CharField(
        "pour", max_length=100, blank=True, help_text="Ce qui se tient ce jour-là : « le COPIL », « l'audit »."
    )
    message = models.TextField("message", blank=True, help_text="Ajouté au courriel, tel quel.")
    lancee_le = models.DateTimeField("lancée le", default=timezone.now, editable=False)
    lancee_par = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="lancée par",
        on_delete=models.PROTECT,
        related_name="campagnes",
        null=True,
        editable=False,
    )
    close_le = models.DateTimeField("close le", null=True, blank=True, editable=False)

    objects = QuerySetSuivi.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = "campagne d'actualisation"
        verbose_name_plural = "campagnes d'actualisation"
        ordering = ["-lancee_le", "-pk"]

    def __str__(self) -> str:
        return f"Actualisation avant le {formater_date(self.avant_le)}"

    def get_absolute_url(self) -> str:
        return reverse("actions:campagne", args=[self.pk])


class DemandeDActualisation(models.Model):
    """Une action qu'une campagne demande d'actualiser, et à qui. Ce qui y répond se lit sur l'action, jamais ici."""

    campagne = models.ForeignKey(Campagne, on_delete=models.PROTECT, related_name="demandes")
    action = models.ForeignKey("actions.Action", on_delete=models.PROTECT, related_name="demandes")
    destinataire = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="destinataire",
        on_delete=models.PROTECT,
        related_name="demandes",
        null=True,
        blank=True,
        help_text="Vide : personne ne la pilotait quand la campagne a été lancée.",
    )

    class Meta:
        verbose_name = "demande d'actualisation"
        verbose_name_plural = "demandes d'actualisation"
        ordering = ["campagne", "action"]
        constraints = [
            models.UniqueConstraint(
                fields=["campagne", "action"],
                name="demandedactualisation_une_fois",
                violation_error_message="Cette campagne demande déjà cette action.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} → {self.destinataire or 'personne'}"
