"""Les étapes d'une action : ce qui reste à faire, pour quand, et ce qui est fait."""

from datetime import date
from typing import TYPE_CHECKING, Any, Self

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import BooleanField, Case, F, Q, Value, When
from django.utils import timezone
from simple_history.models import HistoricalRecords
from simple_history.utils import bulk_update_with_history

from socle.echeances import Echeance, Precision
from socle.modeles import LigneVersionnee, QuerySetSuivi

if TYPE_CHECKING:
    from actions.models import Action


class EtapeQuerySet(QuerySetSuivi["Etape"]):
    def en_place(self) -> "EtapeQuerySet":
        """Celles qu'on n'a pas retirées, faites ou non."""
        return self.filter(retiree=False)

    def a_faire(self) -> "EtapeQuerySet":
        return self.en_place().filter(faite_le__isnull=True)

    def en_retard(self, le: date) -> "EtapeQuerySet":
        """À faire, et dont l'échéance est passée à cette date."""
        return self.filter(condition_de_retard(le))

    def avec_retard(self, le: date) -> "EtapeQuerySet":
        """Annote `est_en_retard`."""
        retard = Case(When(condition_de_retard(le), then=Value(True)), default=Value(False))
        return self.annotate(est_en_retard=models.ExpressionWrapper(retard, output_field=BooleanField()))

    def par_echeance(self) -> "EtapeQuerySet":
        return self.order_by(F("echeance").asc(nulls_last=True), "action", "ordre", "pk")

    def ajouter(self, action: "Action", *, intitule: str, echeance: Echeance | None = None) -> "Etape":
        """Une étape de plus, à la fin de la liste. La même, reçue deux fois, n'est écrite qu'une fois.

        Lève ValidationError.
        """
        with transaction.atomic():
            action.verrouillee()
            sur_l_action = self.filter(action=action).en_place()
            etape = self.model(action=action, intitule=intitule.strip(), **colonnes(echeance))
            deja = sur_l_action.filter(intitule=etape.intitule, faite_le=None, **colonnes(echeance)).first()
            if deja:
                return deja
            etape.ordre = (sur_l_action.aggregate(dernier=models.Max("ordre"))["dernier"] or 0) + 1
            etape.full_clean()
            etape.save()
        return etape


def condition_de_retard(le: date) -> Q:
    """La seule définition du retard d'une étape, en SQL. Un trimestre, une année ne passent qu'à leur fin."""
    return Q(echeance__lt=le, faite_le__isnull=True, retiree=False)


def colonnes(echeance: Echeance | None) -> dict[str, Any]:
    """L'échéance telle que la table la garde."""
    return {
        "echeance": echeance.fin if echeance else None,
        "precision": echeance.precision if echeance else None,
    }


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

    # --- Écriture ------------------------------------------------------------------------------

    def decrire(self, *, version: int, intitule: str, echeance: Echeance | None, faite_le: date | None) -> Self:
        """Change ce que l'étape dit. Mêmes erreurs que `faire`."""
        return self.changer_sous_verrou(version, intitule=intitule.strip(), faite_le=faite_le, **colonnes(echeance))

    def faire(self, *, version: int, le: date | None = None) -> Self:
        """L'étape est faite, aujourd'hui si l'on ne dit pas quand. Demandé deux fois : rien de plus.

        Lève ConflitDeVersion si quelqu'un d'autre l'a changée depuis, ValidationError ; rien n'est alors écrit.
        """
        return self.changer_sous_verrou(version, faite_le=le or timezone.localdate())

    def retirer(self, *, version: int) -> Self:
        """L'étape ne compte plus ; elle reste lisible et peut revenir. Mêmes erreurs que `faire`."""
        return self.changer_sous_verrou(version, retiree=True)

    def remettre(self, *, version: int) -> Self:
        """Fait revenir une étape retirée. Mêmes erreurs que `faire`."""
        return self.changer_sous_verrou(version, retiree=False)

    def placer(self, rang: int) -> None:
        """Met l'étape à ce rang (le premier est 1) parmi celles qui ne sont pas retirées.

        Le rang est celui où aller : demandé deux fois, il n'y a rien de plus à faire. La version n'avance pas :
        l'ordre ne dit rien de l'étape, et qui la modifie pendant ce temps n'a pas à s'en soucier.
        """
        with transaction.atomic():
            self.action.verrouillee()
            autres = list(type(self).objects.filter(action=self.action_id).en_place())
            if self not in autres:
                return
            autres.remove(self)
            autres.insert(max(rang, 1) - 1, type(self).objects.get(pk=self.pk))
            deplacees = [etape for place, etape in enumerate(autres, start=1) if etape.ordre != place]
            for place, etape in enumerate(autres, start=1):
                etape.ordre = place
            bulk_update_with_history(deplacees, type(self), ["ordre"])
