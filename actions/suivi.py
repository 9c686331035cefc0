"""Ce qui s'attache à une action : partenaires, références à d'autres cadres, notes de suivi."""

import datetime
from typing import TYPE_CHECKING, Self, cast

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from simple_history.models import HistoricalRecords

from partenaires.models import Partenaire
from socle.contraintes import liste_fermee
from socle.modeles import QuerySetSuivi
from socle.recherche import COLONNE, ChampRecherche, Cherchable, QuerySetCherchable

if TYPE_CHECKING:
    from comptes.models import Utilisateur

LONGUEUR_DE_REFERENCE = 100


class RoleDePartenaire(models.TextChoices):
    PORTEUR = "PORTEUR", "Porteur"
    CONTRIBUTEUR = "CONTRIBUTEUR", "Contributeur"
    FINANCEUR = "FINANCEUR", "Financeur"


class PorteeDeNote(models.TextChoices):
    INTERNE = "INTERNE", "Interne"
    BILAN = "BILAN", "Pour le bilan"


class PartenaireDeLAction(models.Model):
    """Un partenaire d'une action, avec son rôle s'il est connu."""

    action = models.ForeignKey("actions.Action", on_delete=models.CASCADE, related_name="participations")
    partenaire = models.ForeignKey(Partenaire, on_delete=models.PROTECT, related_name="participations")
    role = models.CharField("rôle", max_length=12, choices=RoleDePartenaire, blank=True)

    objects = QuerySetSuivi.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = "partenaire de l'action"
        verbose_name_plural = "partenaires de l'action"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["action", "partenaire"],
                name="partenairedelaction_une_fois",
                violation_error_message="Ce partenaire est déjà lié à l'action.",
            ),
            liste_fermee(
                "role",
                RoleDePartenaire,
                nom="partenairedelaction_role_connu",
                message="Rôle inconnu : porteur, contributeur ou financeur.",
                facultatif=True,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.partenaire} ({self.get_role_display()})" if self.role else str(self.partenaire)


class ReferenceCadre(models.Model):
    """La place d'une action dans un autre cadre : PCAET, SPASER, ISO 9001…"""

    action = models.ForeignKey("actions.Action", on_delete=models.CASCADE, related_name="references")
    cadre = models.CharField("cadre", max_length=LONGUEUR_DE_REFERENCE)
    code = models.CharField("code", max_length=LONGUEUR_DE_REFERENCE, blank=True)

    objects = QuerySetSuivi.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = "référence à un autre cadre"
        verbose_name_plural = "références à d'autres cadres"
        ordering = ["cadre", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["action", "cadre", "code"],
                name="referencecadre_une_fois",
                violation_error_message="Cette référence est déjà donnée.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cadre} {self.code}".strip()


class NoteQuerySet(QuerySetCherchable["NoteDeSuivi"]):
    def en_vigueur(self) -> "NoteQuerySet":
        """Celles qu'aucune autre ne corrige : une note corrigée n'a rien dit, comme une ligne de journal."""
        return self.filter(~Exists(self.model._base_manager.filter(annule=OuterRef("pk"))))


class NoteDeSuivi(Cherchable, models.Model):
    """Une nouvelle d'une action, à une date : interne, ou destinée au bilan."""

    action = models.ForeignKey("actions.Action", on_delete=models.PROTECT, related_name="notes")
    date = models.DateField("date")
    texte = models.TextField("texte")
    portee = models.CharField("portée", max_length=7, choices=PorteeDeNote, default=PorteeDeNote.INTERNE)
    auteur = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="notes", null=True, editable=False
    )
    saisi_le = models.DateTimeField("saisi le", default=timezone.now, editable=False)
    annule = models.OneToOneField(
        "self",
        verbose_name="note corrigée",
        on_delete=models.PROTECT,
        related_name="correction",
        null=True,
        blank=True,
        editable=False,
    )
    recherche = ChampRecherche(sources=("texte",))

    objects = NoteQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=[COLONNE])

    class Meta:
        verbose_name = "note de suivi"
        verbose_name_plural = "notes de suivi"
        ordering = ["-date", "-pk"]
        indexes = [models.Index(fields=["action", "-date", "-id"], name="notedesuivi_par_action")]
        constraints = [
            liste_fermee(
                "portee",
                PorteeDeNote,
                nom="notedesuivi_portee_connue",
                message="Portée inconnue : interne ou pour le bilan.",
            ),
        ]

    def __str__(self) -> str:
        return self.texte[:80]

    def clean(self) -> None:
        super().clean()
        if self.date and self.date > timezone.localdate():
            raise ValidationError({"date": "Une note ne se date pas dans le futur."})

    def corriger(self, texte: str, *, auteur: "Utilisateur | None", le: datetime.date, portee: str) -> Self:
        """Écrit la note qui remplace celle-ci ; l'ancienne reste lisible. La même correction du même auteur, reçue
        deux fois, n'est écrite qu'une fois.

        Lève ValidationError : la note est déjà corrigée, rien n'est changé, date future.
        """
        note = type(self)(action=self.action, annule=self, texte=texte.strip(), auteur=auteur, date=le, portee=portee)
        with transaction.atomic():
            self.action.verrouillee()
            deja = type(self).objects.filter(annule=self).select_related("auteur").first()
            if deja and (deja.texte, deja.date, deja.portee, deja.auteur) == (note.texte, le, portee, auteur):
                return cast("Self", deja)
            if deja:
                qui = f" par {deja.auteur}" if deja.auteur else ""
                raise ValidationError(f"Cette note est déjà corrigée{qui} : « {deja} ». Corrigez plutôt celle-là.")
            if (note.texte, le, portee) == (self.texte, self.date, self.portee):
                raise ValidationError({"texte": "Rien n'est changé : il n'y a rien à corriger."})
            note.full_clean()
            note.save()
        return note
