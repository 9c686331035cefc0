"""Ce que les calculs ont donné, gardé avec les enregistrements comptés."""

from decimal import Decimal

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from marches.territoires import Territoire


class ResultatDeCalcul(models.Model):
    """Un calcul, sur une période, pour un périmètre d'acheteurs et, s'il en demande un, un territoire.

    On n'en modifie aucun : des données changées donnent une autre empreinte, donc une autre ligne. Une valeur retenue
    garde le sien. `listes` : {"numerateur": [clés], "denominateur": […], "inconnus": […], "exclus": {motif: […]}},
    clés de Contrat, de Consultation ou de TotalDeMandats selon la source du calcul.
    """

    code = models.CharField("calcul", max_length=60)
    version = models.PositiveSmallIntegerField("version du calcul", default=1)
    debut = models.DateField("du")
    fin = models.DateField("au")
    # Un SIREN, ou plusieurs, triés et joints par « + ».
    perimetre = models.CharField("acheteurs", max_length=300)
    territoire = models.ForeignKey(
        Territoire, on_delete=models.PROTECT, related_name="resultats", null=True, blank=True
    )
    empreinte = models.CharField("empreinte des données", max_length=64)
    valeur = models.DecimalField("valeur", max_digits=24, decimal_places=6, null=True, blank=True)
    numerateur = models.DecimalField("numérateur", max_digits=24, decimal_places=6, null=True, blank=True)
    denominateur = models.DecimalField("dénominateur", max_digits=24, decimal_places=6, null=True, blank=True)
    inconnus = models.PositiveIntegerField("non renseignés", default=0)
    exclus = models.JSONField("exclus", default=dict, blank=True)
    couverture = models.DecimalField("part renseignée", max_digits=7, decimal_places=4, null=True, blank=True)
    listes = models.JSONField("enregistrements", default=dict, blank=True, encoder=DjangoJSONEncoder)
    calcule_le = models.DateTimeField("calculé le", default=timezone.now, editable=False)

    class Meta:
        verbose_name = "résultat de calcul"
        verbose_name_plural = "résultats de calcul"
        ordering = ["-calcule_le", "-pk"]
        constraints = [
            # Deux contraintes : SQLite tient deux NULL pour différents.
            models.UniqueConstraint(
                fields=["code", "version", "debut", "fin", "perimetre", "territoire", "empreinte"],
                name="resultatdecalcul_unique",
                violation_error_message="Ce résultat est déjà gardé.",
            ),
            models.UniqueConstraint(
                fields=["code", "version", "debut", "fin", "perimetre", "empreinte"],
                condition=models.Q(territoire__isnull=True),
                name="resultatdecalcul_unique_sans_territoire",
                violation_error_message="Ce résultat est déjà gardé.",
            ),
        ]
        indexes = [models.Index(fields=["code", "perimetre", "fin"], name="resultatdecalcul_lecture")]

    def __str__(self) -> str:
        return f"{self.code}, du {self.debut} au {self.fin}"

    @property
    def sous_le_seuil(self) -> bool:
        """Moins de 80 % renseignés : le chiffre se montre avec un avertissement."""
        return self.couverture is not None and self.couverture < Decimal(80)
