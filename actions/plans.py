"""Le plan et ses axes."""

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from simple_history.models import HistoricalRecords

from partenaires.models import Partenaire
from socle.contraintes import BORNES_ANNEE, LONGUEUR_D_ADRESSE, adresse_de_page, liste_fermee
from socle.modeles import LigneVersionnee, QuerySetSuivi


class LabelDePlan(models.TextChoices):
    FICHE_ACTION = "FICHE_ACTION", "Fiche action"
    PLAN = "PLAN", "Plan"

    @property
    def titre_avancement(self) -> str:
        """La page publiée, qui est une fiche action, dit « Avancement général de l'action »."""
        return "Avancement général de l'action" if self is self.FICHE_ACTION else "Avancement général du plan"


class PlanQuerySet(QuerySetSuivi["Plan"]):
    def du_plus_recent(self) -> "PlanQuerySet":
        """Le premier est celui qu'on montre quand aucun n'est demandé. Un plan à venir, qu'on prépare, vient après
        celui qui court."""
        a_venir = Case(When(annee_debut__gt=timezone.localdate().year, then=Value(1)), default=Value(0))
        return self.order_by(a_venir, F("annee_debut").desc(nulls_last=True), "pk")

    def par_defaut(self) -> "Plan | None":
        """Le plan montré quand aucun n'est demandé : le plus récent de ceux qui ont commencé, ou None."""
        return self.du_plus_recent().first()


class Plan(LigneVersionnee):
    """Ce qui a des actions, des partenaires et des indicateurs."""

    intitule = models.CharField("intitulé", max_length=300)
    slug = models.SlugField("adresse de la page", max_length=LONGUEUR_D_ADRESSE, unique=True, blank=True)
    label = models.CharField("appelé", max_length=12, choices=LabelDePlan, default=LabelDePlan.PLAN)
    description = models.TextField("description", blank=True)
    annee_debut = models.PositiveSmallIntegerField("première année", null=True, blank=True, validators=BORNES_ANNEE)
    annee_fin = models.PositiveSmallIntegerField("dernière année", null=True, blank=True, validators=BORNES_ANNEE)
    partenaires = models.ManyToManyField(
        Partenaire, verbose_name="partenaires", through="PartenaireDuPlan", related_name="plans", blank=True
    )
    affiche_avancement = models.BooleanField(
        "afficher l'avancement en %", default=False, help_text="Pour les actions en cours seulement."
    )
    source = models.ForeignKey(
        "self",
        verbose_name="repris du plan",
        on_delete=models.PROTECT,
        related_name="copies",
        null=True,
        blank=True,
        editable=False,
    )
    publie = models.BooleanField(
        "publié",
        default=False,
        help_text="Rend le plan visible sans connexion, quand les pages publiques sont ouvertes.",
    )

    CHAMPS_DES_CONTRAINTES = {"plan_annees_ordonnees": "annee_fin"}

    objects = PlanQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = "plan"
        verbose_name_plural = "plans"
        ordering = ["-annee_debut", "intitule"]
        constraints = [
            models.CheckConstraint(
                condition=Q(annee_debut__isnull=True) | Q(annee_fin__isnull=True) | Q(annee_fin__gte=F("annee_debut")),
                name="plan_annees_ordonnees",
                violation_error_message="La dernière année du plan précède la première.",
            ),
            liste_fermee("label", LabelDePlan, nom="plan_label_connu", message="Appelé « Fiche action » ou « Plan »."),
        ]

    def __str__(self) -> str:
        return self.intitule

    @property
    def titre_avancement(self) -> str:
        return LabelDePlan(self.label).titre_avancement

    def clean(self) -> None:
        super().clean()
        self.slug = self.slug or adresse_de_page(self.intitule, "intitule")


class PartenaireDuPlan(models.Model):
    """Un partenaire cité par le plan, à sa place dans la liste."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="citations")
    partenaire = models.ForeignKey(Partenaire, on_delete=models.PROTECT, related_name="citations_de_plan")
    ordre = models.PositiveSmallIntegerField("ordre", default=0)

    objects = QuerySetSuivi.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = "partenaire du plan"
        verbose_name_plural = "partenaires du plan"
        ordering = ["ordre", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "partenaire"],
                name="partenaireduplan_une_fois",
                violation_error_message="Ce partenaire est déjà cité par le plan.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.partenaire)


class Axe(LigneVersionnee):
    """Un regroupement d'actions dans un plan."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="axes")
    code = models.CharField("code", max_length=20, blank=True)
    intitule = models.CharField("intitulé", max_length=300)
    ordre = models.PositiveSmallIntegerField("ordre", default=0)

    CHAMPS_DES_CONTRAINTES = {"axe_intitule_unique": "intitule"}

    objects = QuerySetSuivi.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = "axe"
        verbose_name_plural = "axes"
        ordering = ["plan", "ordre", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "intitule"],
                name="axe_intitule_unique",
                violation_error_message="Un axe de ce plan porte déjà cet intitulé.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.intitule}".strip()
