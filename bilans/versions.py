"""Ce qui est arrêté : deux contenus canoniques et leur empreinte, puis le PDF public. On ne fait qu'ajouter."""

from functools import cached_property

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from bilans.contenu.canonique import empreinte, relire
from bilans.contenu.schema import BilanLu, Portee, lire
from socle.modeles import LigneAjoutee


class VersionDeBilan(LigneAjoutee):
    """Le bilan d'une année tel qu'il a été arrêté. La page, le PDF et les écarts se font de son seul contenu.

    `contenu_interne`, `contenu_public` : le texte JSON canonique (`bilans.contenu.canonique`) du schéma nommé par
    `schema` ; aucun nom de compte n'y figure, qu'anonymiser une personne ne change donc aucune empreinte.
    """

    # Relue telle que saisie (socle.relecture), une version arrêtée plus tard n'y est pas encore.
    SAISIE_LE = "arretee_le"

    bilan = models.ForeignKey("Bilan", verbose_name="bilan", on_delete=models.PROTECT, related_name="versions")
    rang = models.PositiveSmallIntegerField("version", editable=False)
    schema = models.PositiveSmallIntegerField("schéma", editable=False)
    arretee_le = models.DateTimeField("arrêtée le", default=timezone.now, editable=False)
    auteur = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="arrêtée par",
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        editable=False,
    )
    motif = models.CharField("motif", max_length=300, blank=True, editable=False)
    contenu_interne = models.TextField("contenu interne", editable=False)
    empreinte_interne = models.CharField("empreinte interne", max_length=64, editable=False)
    contenu_public = models.TextField("contenu public", editable=False)
    empreinte_publique = models.CharField("empreinte publique", max_length=64, editable=False)

    class Meta:
        verbose_name = "version de bilan"
        verbose_name_plural = "versions de bilan"
        ordering = ["bilan", "-rang"]
        constraints = [
            models.UniqueConstraint(
                fields=["bilan", "rang"],
                name="versiondebilan_rang_unique",
                violation_error_message="Ce bilan a déjà une version de ce rang.",
            ),
            models.CheckConstraint(
                condition=Q(rang=1) | (Q(rang__gt=1) & ~Q(motif="")),
                name="versiondebilan_reprise_motivee",
                violation_error_message="Une nouvelle version dit son motif.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bilan}, version {self.rang}"

    def get_absolute_url(self) -> str:
        return reverse("bilans:version", args=[self.bilan.plan.slug, self.bilan.annee, self.rang])

    def texte(self, portee: Portee) -> str:
        """Le JSON canonique de cette portée, tel qu'enregistré."""
        return self.contenu_interne if portee is Portee.INTERNE else self.contenu_public

    def empreinte_de(self, portee: Portee) -> str:
        return self.empreinte_interne if portee is Portee.INTERNE else self.empreinte_publique

    def lu(self, portee: Portee) -> BilanLu:
        """Le contenu de cette portée, prêt à montrer. Lève SchemaInconnu."""
        return lire(relire(self.texte(portee)))

    @cached_property
    def anomalies(self) -> list[str]:
        """Ce qui ne correspond plus aux empreintes gardées, une phrase chacun ; vide si tout se vérifie."""
        faux = []
        if empreinte(self.contenu_interne) != self.empreinte_interne:
            faux.append("Le contenu interne a changé depuis l'arrêt.")
        if empreinte(self.contenu_public) != self.empreinte_publique:
            faux.append("Le contenu public a changé depuis l'arrêt.")
        pdf = getattr(self, "pdf", None)
        if pdf is not None and not pdf.intact:
            faux.append("Le PDF a changé depuis l'arrêt.")
        return faux


class PdfDeVersion(LigneAjoutee):
    """Les octets du PDF public d'une version, écrits une fois, quand le tirage est fini."""

    version = models.OneToOneField(VersionDeBilan, on_delete=models.PROTECT, related_name="pdf")
    contenu = models.BinaryField("contenu", editable=False)
    empreinte = models.CharField("empreinte", max_length=64, editable=False)
    fait_le = models.DateTimeField("fait le", default=timezone.now, editable=False)

    class Meta:
        verbose_name = "PDF de version"
        verbose_name_plural = "PDF de version"

    def __str__(self) -> str:
        return f"PDF, {self.version}"

    @property
    def octets(self) -> bytes:
        return bytes(self.contenu)

    @property
    def intact(self) -> bool:
        return empreinte(self.octets) == self.empreinte
