"""Un document qui se prépare en arrière-plan : où il en est, puis ses octets."""

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from socle.contraintes import liste_fermee


class EtatDeTirage(models.TextChoices):
    DEMANDE = "DEMANDE", "En attente"
    EN_COURS = "EN_COURS", "En préparation"
    PRET = "PRET", "Prêt"
    ECHEC = "ECHEC", "Échec"


class Tirage(models.Model):
    """Le PDF d'un bilan, demandé par quelqu'un et fait par l'ouvrier.

    `version` : celle dont c'est le document ; None pour un brouillon. `contenu` reste vide quand le PDF d'une version
    arrêtée est rangé avec elle (`PdfDeVersion`). `progression` : de 0 à 100.
    """

    bilan = models.ForeignKey("Bilan", on_delete=models.PROTECT, related_name="tirages")
    version = models.ForeignKey(
        "VersionDeBilan", on_delete=models.PROTECT, related_name="tirages", null=True, blank=True
    )
    etat = models.CharField("état", max_length=8, choices=EtatDeTirage, default=EtatDeTirage.DEMANDE)
    progression = models.PositiveSmallIntegerField("progression (%)", default=0)
    message = models.TextField("message", blank=True)
    contenu = models.BinaryField("contenu", null=True, editable=False)
    demande_par = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True)
    demande_le = models.DateTimeField("demandé le", default=timezone.now, editable=False)
    fini_le = models.DateTimeField("fini le", null=True, editable=False)

    class Meta:
        verbose_name = "tirage"
        verbose_name_plural = "tirages"
        ordering = ["-demande_le", "-pk"]
        constraints = [
            liste_fermee("etat", EtatDeTirage, nom="tirage_etat_connu", message="État de tirage inconnu."),
            models.CheckConstraint(
                condition=models.Q(progression__lte=100),
                name="tirage_progression_bornee",
                violation_error_message="Une progression va de 0 à 100.",
            ),
        ]

    def __str__(self) -> str:
        return f"PDF, {self.bilan}"

    def get_absolute_url(self) -> str:
        return reverse("bilans:tirage", args=[self.pk])
