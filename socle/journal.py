"""Journal bitemporel : ce qui était vrai à une date, tel qu'on le savait à une autre.

Une ligne porte une date d'effet (quand la chose est devenue vraie) et un moment de saisie (quand elle a
été enregistrée). Rien n'est modifié ni supprimé : une erreur se corrige par une ligne qui annule la
première et porte les bonnes valeurs.
"""

from datetime import date, datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils import timezone

from socle.contraintes import ContraintesAuChamp


class JournalInalterable(TypeError):
    """Tentative de modifier ou de supprimer une ligne de journal."""


class JournalQuerySet(models.QuerySet):
    """Lignes d'un journal, à ajouter et à lire seulement."""

    def connues_au(self, saisi_au: datetime) -> "JournalQuerySet":
        """Lignes saisies à ce moment et qu'aucune ligne saisie à ce moment n'annule."""
        annulations = self.model._base_manager.filter(annule=OuterRef("pk"), saisi_le__lte=saisi_au)
        return self.filter(~Exists(annulations), saisi_le__lte=saisi_au)

    def en_vigueur(self, date_effet: date | None = None, saisi_au: datetime | None = None) -> "JournalQuerySet":
        """Lignes qui comptent pour l'état à `date_effet`, tel que saisi à `saisi_au`.

        Sans `saisi_au`, tout ce qui est saisi compte. La première ligne est celle qui l'emporte :
        la plus grande (date d'effet, identifiant).
        """
        if saisi_au is None:
            annulations = self.model._base_manager.filter(annule=OuterRef("pk"))
            lignes = self.filter(~Exists(annulations))
        else:
            lignes = self.connues_au(saisi_au)
        if date_effet is not None:
            lignes = lignes.filter(date_effet__lte=date_effet)
        return lignes.order_by("-date_effet", "-pk")

    def valeur_pour(self, sujet: str, champ: str, date_effet: date, saisi_au: datetime | None) -> Subquery:
        """Sous-requête corrélée : la valeur de `champ` en vigueur pour chaque ligne de la table extérieure."""
        return Subquery(self.en_vigueur(date_effet, saisi_au).filter(**{sujet: OuterRef("pk")}).values(champ)[:1])

    def update(self, **champs: Any) -> int:
        raise JournalInalterable("Un journal ne se modifie pas : ajoutez une ligne qui corrige.")

    def delete(self):
        raise JournalInalterable("Un journal ne s'efface pas : ajoutez une ligne qui corrige.")


class LigneDeJournal(ContraintesAuChamp):
    """Base abstraite d'un journal. Le modèle concret dit sur quoi porte la ligne et ce qu'elle vaut."""

    # Champs portés par la ligne → champs de la projection sur le sujet.
    PROJECTION: ClassVar[dict[str, str]] = {}

    date_effet = models.DateField("date d'effet")
    saisi_le = models.DateTimeField("saisi le", default=timezone.now, editable=False)
    commentaire = models.TextField("commentaire", blank=True)
    annule = models.ForeignKey(
        "self",
        verbose_name="ligne corrigée",
        on_delete=models.PROTECT,
        related_name="corrections",
        null=True,
        blank=True,
        editable=False,
    )

    objects = JournalQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ["-date_effet", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["annule"],
                name="%(class)s_corrigee_une_fois",
                violation_error_message="Cette ligne du journal a déjà été corrigée.",
            ),
            models.CheckConstraint(
                condition=Q(annule__isnull=True) | ~Q(annule=models.F("id")),
                name="%(class)s_ne_s_annule_pas",
                violation_error_message="Une ligne du journal ne peut pas se corriger elle-même.",
            ),
        ]

    def save(self, *args, **kwargs) -> None:
        if not self._state.adding:
            raise JournalInalterable("Un journal ne se modifie pas : ajoutez une ligne qui corrige.")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise JournalInalterable("Un journal ne s'efface pas : ajoutez une ligne qui corrige.")

    @property
    def valeurs(self) -> dict[str, Any]:
        """Ce que la ligne affirme, par nom de champ."""
        return {champ: getattr(self, champ) for champ in self.PROJECTION}
