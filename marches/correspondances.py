"""Ce que chaque colonne d'un export veut dire, retenu d'une fois sur l'autre."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from marches.listes import SorteDeFichier
from socle.contraintes import liste_fermee


class CorrespondanceDeColonnes(models.Model):
    """Pour les en-têtes que résume `signature` : `colonnes`, le rôle de chacune (« montant_ht » → « Montant HT »)."""

    sorte = models.CharField("sorte de fichier", max_length=8, choices=SorteDeFichier)
    signature = models.CharField("signature des en-têtes", max_length=64)
    colonnes = models.JSONField("colonnes", default=dict)
    par = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True)
    le = models.DateTimeField("le", default=timezone.now, editable=False)

    class Meta:
        verbose_name = "correspondance de colonnes"
        verbose_name_plural = "correspondances de colonnes"
        constraints = [
            liste_fermee(
                "sorte",
                SorteDeFichier,
                nom="correspondancedecolonnes_sorte_connue",
                message="Sorte de fichier inconnue.",
            ),
            models.UniqueConstraint(
                fields=["sorte", "signature"],
                name="correspondancedecolonnes_unique",
                violation_error_message="Ces en-têtes ont déjà leur correspondance.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_sorte_display()} {self.signature[:8]}"
