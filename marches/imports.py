"""Les imports de DECP : le fichier, son compte, ce qu'il a fallu refuser. Et la génération, qui rend un import
visible d'un seul coup."""

from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from marches.listes import EtatDImport
from socle.contraintes import liste_fermee

COMPTES = ("lus", "retenus", "autres_acheteurs", "doublons", "refuses", "mis_a_jour", "marches")


class Generation(models.Model):
    """Le numéro de l'état visible des contrats, sur une seule ligne.

    Un import, une correction écrivent leurs lignes d'avance, pour la génération suivante, par petites transactions ;
    en avancer le numéro les montre toutes à la fois. Un import tué avant n'a rien montré.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    numero = models.PositiveBigIntegerField("numéro", default=0)

    class Meta:
        verbose_name = "génération des contrats"
        verbose_name_plural = "générations des contrats"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(id=1),
                name="generation_unique",
                violation_error_message="Il n'y a qu'un état des contrats.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.numero)


class ImportDecp(models.Model):
    """Un fichier de DECP importé, ou refusé, ou interrompu."""

    nom = models.CharField("fichier", max_length=200)
    sha256 = models.CharField("empreinte SHA-256", max_length=64, blank=True, editable=False)
    taille = models.PositiveBigIntegerField("taille en octets", default=0, editable=False)
    format = models.CharField("format", max_length=10, blank=True, editable=False)
    # Les SIREN retenus ; vide : tous les acheteurs.
    sirens = models.JSONField("SIREN retenus", default=list, blank=True)
    auteur = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="auteur",
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
    )
    commence_le = models.DateTimeField("commencé le", default=timezone.now, editable=False)
    applique_le = models.DateTimeField("importé le", null=True, blank=True, editable=False)
    etat = models.CharField("état", max_length=10, choices=EtatDImport, default=EtatDImport.DEPOSE, editable=False)
    octets_lus = models.PositiveBigIntegerField("octets lus", default=0, editable=False)
    message = models.TextField("message", blank=True, editable=False)
    lus = models.PositiveIntegerField("lus", default=0, editable=False)
    retenus = models.PositiveIntegerField("retenus", default=0, editable=False)
    autres_acheteurs = models.PositiveIntegerField("d'autres acheteurs", default=0, editable=False)
    doublons = models.PositiveIntegerField("déjà connus", default=0, editable=False)
    refuses = models.PositiveIntegerField("refusés", default=0, editable=False)
    mis_a_jour = models.PositiveIntegerField("mises à jour", default=0, editable=False)
    marches = models.PositiveIntegerField("contrats touchés", default=0, editable=False)

    class Meta:
        verbose_name = "import de DECP"
        verbose_name_plural = "imports de DECP"
        ordering = ["-commence_le", "-pk"]
        constraints = [
            liste_fermee("etat", EtatDImport, nom="importdecp_etat_connu", message="État d'import inconnu."),
        ]

    def __str__(self) -> str:
        return self.nom

    def get_absolute_url(self) -> str:
        return reverse("marches:import_decp", args=[self.pk])

    @property
    def comptes(self) -> dict[str, int]:
        """Le compte rendu : lus = retenus + autres_acheteurs + doublons + refuses."""
        return {nom: getattr(self, nom) for nom in COMPTES}

    @property
    def compte_rendu(self) -> dict[str, Any]:
        """Ce que `importer_decp --json` dit de ce fichier."""
        return {"fichier": self.nom, "sha256": self.sha256, "format": self.format, **self.comptes}


class MorceauDeFichier(models.Model):
    """Un fichier déposé attend en base, par morceaux : le site et son ouvrier n'ont pas à partager de disque."""

    import_decp = models.ForeignKey(ImportDecp, on_delete=models.CASCADE, related_name="morceaux")
    rang = models.PositiveIntegerField("rang")
    octets = models.BinaryField("octets")

    class Meta:
        verbose_name = "morceau de fichier"
        verbose_name_plural = "morceaux de fichier"
        ordering = ["rang"]
        constraints = [
            models.UniqueConstraint(
                fields=["import_decp", "rang"],
                name="morceaudefichier_unique",
                violation_error_message="Ce morceau est déjà là.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.import_decp} ({self.rang})"


class RefusDecp(models.Model):
    """Un enregistrement refusé : sa place dans le fichier, à partir de 1, et pourquoi."""

    import_decp = models.ForeignKey(ImportDecp, on_delete=models.CASCADE, related_name="refusees")
    position = models.PositiveIntegerField("position")
    motif = models.CharField("motif", max_length=20)
    precision = models.CharField("précision", max_length=500, blank=True)

    class Meta:
        verbose_name = "enregistrement refusé"
        verbose_name_plural = "enregistrements refusés"
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.position} : {self.motif}"
