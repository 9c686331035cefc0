"""Le comité de pilotage : sa date, et le relevé de ce qu'il a décidé, action par action."""

import datetime
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone
from simple_history.models import HistoricalRecords

from actions.plans import Plan
from socle.formats import formater_date
from socle.modeles import LigneVersionnee, QuerySetSuivi

if TYPE_CHECKING:
    from actions.models import Action
    from comptes.models import Utilisateur


class ComiteQuerySet(QuerySetSuivi["Comite"]):
    def a_venir(self, le: datetime.date) -> "ComiteQuerySet":
        """Ceux de ce jour et d'après, le prochain d'abord."""
        return self.filter(date__gte=le).order_by("date", "pk")

    def passes(self, le: datetime.date) -> "ComiteQuerySet":
        """Ceux d'avant ce jour, le dernier d'abord."""
        return self.filter(date__lt=le).order_by("-date", "-pk")

    def avec_decisions(self) -> "ComiteQuerySet":
        """Annote `nombre_de_decisions` : celles qui ne sont pas retirées."""
        return self.annotate(nombre_de_decisions=Count("decisions", filter=Q(decisions__retiree=False)))


class Comite(LigneVersionnee):
    """Une réunion du comité de pilotage d'un plan."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="comites")
    date = models.DateField("date")
    lieu = models.CharField("lieu", max_length=200, blank=True)

    CHAMPS_DES_CONTRAINTES = {"comite_un_par_jour": "date"}

    objects = ComiteQuerySet.as_manager()
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


class DecisionQuerySet(QuerySetSuivi["Decision"]):
    def en_place(self) -> "DecisionQuerySet":
        return self.filter(retiree=False)

    def relever(
        self, comite: Comite, *, texte: str, auteur: "Utilisateur | None", action: "Action | None" = None
    ) -> "Decision":
        """Une décision de plus au relevé, sur une action ou sur tout le plan. La même, reçue deux fois, n'est écrite
        qu'une fois.

        Lève ValidationError.
        """
        decision = self.model(comite=comite, action=action, texte=texte.strip(), auteur=auteur)
        with transaction.atomic():
            comite.verrouillee()
            deja = self.filter(comite=comite, action=action, texte=decision.texte).en_place().first()
            if deja:
                return deja
            decision.full_clean()
            decision.save()
        return decision


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

    objects = DecisionQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = "décision"
        verbose_name_plural = "décisions"
        ordering = ["comite", "pk"]

    def __str__(self) -> str:
        return self.texte[:80]

    def clean(self) -> None:
        super().clean()
        if self.action is not None and self.action.plan_id != self.comite.plan_id:
            raise ValidationError({"action": "Cette action appartient à un autre plan."})

    # --- Écriture ------------------------------------------------------------------------------

    def reprendre(self, *, version: int, texte: str, action: "Action | None") -> Self:
        """Change ce que la décision dit, ou sur quoi elle porte. Demandé deux fois : rien de plus.

        Lève ConflitDeVersion si quelqu'un d'autre l'a changée depuis, ValidationError ; rien n'est alors écrit.
        """
        return self.changer_sous_verrou(version, texte=texte.strip(), action=action)

    def retirer(self, *, version: int) -> Self:
        """La décision reste au relevé, barrée, et peut revenir. Mêmes erreurs que `reprendre`."""
        return self.changer_sous_verrou(version, retiree=True)

    def remettre(self, *, version: int) -> Self:
        """Fait revenir une décision retirée. Mêmes erreurs que `reprendre`."""
        return self.changer_sous_verrou(version, retiree=False)
