"""Les mandats, réduits à ce dont la part locale a besoin : un total par tiers et par commune.

Aucune ligne de mandat n'est gardée, aucun nom de personne : sans SIRET, un tiers n'est plus qu'un montant en un lieu.
"""

from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.models import Count, Exists, OuterRef, Q, Sum
from django.urls import reverse
from django.utils import timezone

from comptes.gestes import Geste
from comptes.models import Utilisateur
from comptes.traces import tracer
from marches.listes import Base
from socle.contraintes import BORNES_ANNEE, ContraintesAuChamp, liste_fermee
from socle.modeles import LigneVersionnee, QuerySetSuivi


class BudgetDeMandats(LigneVersionnee):
    """Un budget, principal ou annexe, et ce que comptent ses montants (une régie assujettie à la TVA compte hors
    taxes)."""

    code = models.SlugField("code", max_length=60, unique=True)
    nom = models.CharField("nom", max_length=200)
    siren = models.CharField(
        "SIREN", max_length=9, blank=True, validators=[RegexValidator(r"^\d{9}$", "Un SIREN compte neuf chiffres.")]
    )
    base = models.CharField("montants", max_length=3, choices=Base)

    objects = QuerySetSuivi.as_manager()

    class Meta:
        verbose_name = "budget"
        verbose_name_plural = "budgets"
        ordering = ["nom"]
        constraints = [
            liste_fermee(
                "base", Base, nom="budgetdemandats_base_connue", message="Les montants sont hors taxes ou TTC."
            ),
        ]

    def __str__(self) -> str:
        return self.nom


def lignes_de_comptes(comptes: dict[str, Any], cle: str) -> list[tuple[str, int, Decimal]]:
    """Par motif ou par chapitre : combien de lignes, et leur montant en euros."""
    return [(dit, nombre, Decimal(montant)) for dit, (nombre, montant) in comptes.get(cle, {}).items()]


class ImportDeMandatsQuerySet(models.QuerySet["ImportDeMandats"]):
    def en_vigueur(self) -> "ImportDeMandatsQuerySet":
        """Pour chaque budget et chaque année : le dernier import qui n'a pas été retiré."""
        plus_recent = ImportDeMandats.objects.filter(
            budget=OuterRef("budget"),
            annee=OuterRef("annee"),
            retire_le__isnull=True,
            pk__gt=OuterRef("pk"),
        )
        return self.filter(retire_le__isnull=True).filter(~Exists(plus_recent))

    def avec_totaux(self) -> "ImportDeMandatsQuerySet":
        """Ajoute `montant` (en euros, dans la base du budget), `mandats`, et `tiers`, ceux qui ont un SIRET."""
        return self.annotate(
            montant=Sum("totaux__montant"),
            mandats=Sum("totaux__nombre"),
            tiers=Count("totaux", filter=~Q(totaux__siret="")),
        )


class ImportDeMandats(models.Model):
    """Un export comptable lu et totalisé. Le suivant, du même budget et de la même année, le remplace ; retiré, il
    lui rend sa place."""

    budget = models.ForeignKey(BudgetDeMandats, on_delete=models.PROTECT, related_name="imports")
    annee = models.PositiveSmallIntegerField("année", validators=BORNES_ANNEE)
    # [{"nom", "sha256", "taille"}], taille en octets.
    fichiers = models.JSONField("fichiers", default=list, blank=True)
    # {"lues", "gardees", "exclues": {motif: [nombre, montant]}, "chapitres": {code: [nombre, montant]}, "colonne",
    # "signalements": [phrase]} ; les montants sont des textes, en euros.
    comptes = models.JSONField("comptes", default=dict, blank=True)
    auteur = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    importe_le = models.DateTimeField("importé le", default=timezone.now, editable=False)
    retire_le = models.DateTimeField("retiré le", null=True, blank=True, editable=False)
    retire_par = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )

    objects = ImportDeMandatsQuerySet.as_manager()

    class Meta:
        verbose_name = "import de mandats"
        verbose_name_plural = "imports de mandats"
        ordering = ["-annee", "budget", "-pk"]

    def __str__(self) -> str:
        return f"{self.budget} {self.annee}"

    def get_absolute_url(self) -> str:
        return reverse("marches:import_de_mandats", args=[self.pk])

    @property
    def exclues(self) -> list[tuple[str, int, Decimal]]:
        return lignes_de_comptes(self.comptes, "exclues")

    @property
    def chapitres(self) -> list[tuple[str, int, Decimal]]:
        return lignes_de_comptes(self.comptes, "chapitres")

    @property
    def en_vigueur(self) -> bool:
        return ImportDeMandats.objects.en_vigueur().filter(pk=self.pk).exists()

    def autres(self) -> ImportDeMandatsQuerySet:
        """Les autres imports du même budget et de la même année, du plus récent au plus ancien."""
        memes = ImportDeMandats.objects.filter(budget=self.budget_id, annee=self.annee)
        return memes.exclude(pk=self.pk).select_related("auteur").order_by("-pk")

    def retirer(self, *, par: Utilisateur) -> bool:
        """Rend sa place au précédent, s'il y en a un. Faux, et rien n'est écrit, s'il l'était déjà."""
        with transaction.atomic():
            verrou = ImportDeMandats.objects.select_for_update(no_key=True).filter(retire_le__isnull=True)
            if not verrou.filter(pk=self.pk).exists():
                return False
            self.retire_le, self.retire_par = timezone.now(), par
            self.save(update_fields=["retire_le", "retire_par"])
            details = {"retire": True, "fichiers": [fichier["nom"] for fichier in self.fichiers]}
            tracer(Geste.IMPORT, par, f"Mandats {self}", details=details)
        return True


class TotalDeMandats(ContraintesAuChamp):
    """Ce qui a été mandaté à un tiers dans l'année, net des annulations, dans la base du budget."""

    import_de_mandats = models.ForeignKey(ImportDeMandats, on_delete=models.CASCADE, related_name="totaux")
    siret = models.CharField("SIRET", max_length=14, blank=True)
    nom = models.CharField("nom", max_length=300, blank=True)
    code_postal = models.CharField("code postal", max_length=5, blank=True)
    commune = models.CharField("code INSEE de la commune", max_length=5, blank=True)
    nombre = models.PositiveIntegerField("mandats")
    montant = models.DecimalField("montant", max_digits=18, decimal_places=2)

    CHAMPS_DES_CONTRAINTES: ClassVar[dict[str, str]] = {"totaldemandats_sans_personne": "nom"}

    class Meta:
        verbose_name = "total de mandats"
        verbose_name_plural = "totaux de mandats"
        ordering = ["-montant", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(siret="") | Q(nom=""),
                name="totaldemandats_sans_personne",
                violation_error_message="Sans SIRET, un tiers n'a pas de nom ici : ce peut être une personne.",
            ),
        ]

    def __str__(self) -> str:
        return self.nom or self.code_postal or "Tiers sans adresse"
