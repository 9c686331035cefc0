"""Un classeur déposé pour être importé : ce qu'on en a lu, où en est la lecture, ce qu'il a changé."""

from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.urls import reverse
from django.utils import timezone

from actions.plans import Plan
from comptes.gestes import Lot
from socle.contraintes import liste_fermee


class EtatDeDepot(models.TextChoices):
    DEPOSE = "DEPOSE", "En attente de lecture"
    LECTURE = "LECTURE", "Lecture en cours"
    LU = "LU", "Lu : à vérifier"
    REFUSE = "REFUSE", "Illisible"
    APPLICATION = "APPLICATION", "Enregistrement en cours"
    APPLIQUE = "APPLIQUE", "Enregistré"
    ABANDONNE = "ABANDONNE", "Abandonné"


class DepotDeClasseur(models.Model):
    """Le fichier reste en base le temps de l'import : le site et son ouvrier n'ont pas à partager de disque."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="depots")
    nom = models.CharField("fichier", max_length=200)
    contenu = models.BinaryField("contenu", null=True, editable=False)
    depose_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="déposé par", on_delete=models.PROTECT, related_name="depots"
    )
    depose_le = models.DateTimeField("déposé le", default=timezone.now, editable=False)
    etat = models.CharField("état", max_length=11, choices=EtatDeDepot, default=EtatDeDepot.DEPOSE, editable=False)
    fait = models.PositiveIntegerField("lignes faites", default=0, editable=False)
    total = models.PositiveIntegerField("lignes à faire", default=0, editable=False)
    apercu = models.JSONField("aperçu", null=True, encoder=DjangoJSONEncoder, editable=False)
    message = models.TextField("message", blank=True, editable=False)
    lot = models.OneToOneField(
        Lot, verbose_name="lot", on_delete=models.PROTECT, related_name="depot", null=True, editable=False
    )

    class Meta:
        verbose_name = "classeur déposé"
        verbose_name_plural = "classeurs déposés"
        ordering = ["-depose_le", "-pk"]
        constraints = [
            liste_fermee("etat", EtatDeDepot, nom="depotdeclasseur_etat_connu", message="État de dépôt inconnu."),
        ]

    def __str__(self) -> str:
        return self.nom

    def get_absolute_url(self) -> str:
        return reverse("actions:depot", args=[self.pk])

    @property
    def octets(self) -> bytes:
        """Le fichier ; vide une fois le dépôt fini."""
        return bytes(self.contenu or b"")

    @property
    def essai(self) -> dict[str, Any]:
        """Ce que le fichier changerait (`actions.classeur.apercu`) ; vide tant qu'il n'est pas lu."""
        return self.apercu or {}
