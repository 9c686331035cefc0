"""Les indicateurs du plan et leur place dans chaque plan. Valeurs et objectifs : voir `valeurs.py`."""

from datetime import date
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Prefetch, Q
from django.urls import reverse
from simple_history.models import HistoricalRecords

from actions.models import Action, Plan
from comptes.models import Service
from indicateurs.cibles import Cible
from indicateurs.collectes import Collecte, DemandeDeValeur
from indicateurs.justificatifs import Justificatif
from indicateurs.listes import Etat, Nature, Sens
from indicateurs.recalcul import verifier_les_calculs
from indicateurs.valeurs import ValeurAnnuelle
from indicateurs.ventilations import Dimension, LigneDeVentilation
from marches.models import Territoire
from socle.contraintes import liste_fermee
from socle.instants import AUJOURD_HUI, Instant
from socle.modeles import LigneVersionnee, QuerySetSuivi
from socle.recherche import COLONNE, ChampRecherche, Cherchable, QuerySetCherchable

if TYPE_CHECKING:
    from comptes.models import Utilisateur
    from indicateurs.chiffres import ChiffreCle

__all__ = [
    "Cible",
    "Collecte",
    "DemandeDeValeur",
    "Dimension",
    "Indicateur",
    "IndicateurDuPlan",
    "Justificatif",
    "LigneDeVentilation",
    "ValeurAnnuelle",
]


# Les pages qui ne sont pas celle d'un indicateur (indicateurs/urls.py).
ADRESSES_PRISES = frozenset({"saisie", "collectes", "export", "import", "objectifs"})


class IndicateurQuerySet(QuerySetCherchable["Indicateur"]):
    def avec_ses_liens(self, instant: Instant = AUJOURD_HUI) -> "IndicateurQuerySet":
        """Ce que sa page nomme : service, dénominateur, taux qui s'appuient sur lui, plans, actions (dans leur état à
        cet instant)."""
        actions = Action.objects.etat_au(instant.jour, instant.saisi_au)
        places = IndicateurDuPlan.objects.select_related("plan").order_by("plan__intitule", "pk")
        return self.select_related("service", "denominateur", "territoire").prefetch_related(
            Prefetch("actions", queryset=actions), "taux", Prefetch("places", queryset=places)
        )

    def sans_reponse(self, annee: int, au: date | None = None) -> "IndicateurQuerySet":
        """Ceux qui n'ont (à la date `au`), pour cette année, ni valeur ni indisponibilité."""
        return self.filter(
            ~Exists(ValeurAnnuelle.objects.qui_repondent(au).filter(annee=annee, indicateur=OuterRef("pk")))
        )

    def de_valeur_provisoire(self, annee: int, au: date | None = None) -> "IndicateurQuerySet":
        """Ceux dont la valeur de cette année, ou son indisponibilité, n'est pas validée."""
        provisoires = ValeurAnnuelle.objects.qui_repondent(au).filter(etat=Etat.PROVISOIRE, annee=annee)
        return self.filter(Exists(provisoires.filter(indicateur=OuterRef("pk"))))


class Indicateur(Cherchable, LigneVersionnee):
    """Ce qu'on mesure chaque année, et comment."""

    code = models.SlugField("code", max_length=80, unique=True, help_text="Sert aussi d'adresse à sa page.")
    intitule = models.CharField("intitulé", max_length=300)
    definition = models.TextField("définition", blank=True)
    mode_de_calcul = models.TextField("mode de calcul", blank=True)
    nature = models.CharField("nature", max_length=7, choices=Nature)
    unite = models.CharField("unité", max_length=40, blank=True)
    decimales = models.PositiveSmallIntegerField(
        "décimales du chiffre clé", default=0, validators=[MaxValueValidator(6)]
    )
    sens = models.CharField("sens", max_length=6, choices=Sens, default=Sens.NEUTRE)
    source = models.CharField("source", max_length=300, blank=True)
    service = models.ForeignKey(
        Service,
        verbose_name="service producteur",
        on_delete=models.PROTECT,
        related_name="indicateurs",
        null=True,
        blank=True,
    )
    denominateur = models.ForeignKey(
        "self",
        verbose_name="dénominateur",
        on_delete=models.PROTECT,
        related_name="taux",
        null=True,
        blank=True,
        help_text="Un compte ou un montant dont la valeur de la même année sert de dénominateur.",
    )
    # Codes de `marches.calculs` ; l'ordre est celui de la page.
    calculs = models.JSONField(
        "calculs sur les registres",
        default=list,
        blank=True,
        help_text="Ce que les enregistrements permettent de recalculer.",
    )
    territoire = models.ForeignKey(
        Territoire,
        verbose_name="territoire des calculs",
        on_delete=models.PROTECT,
        related_name="indicateurs",
        null=True,
        blank=True,
        help_text="Pour une part locale : où le fournisseur doit se trouver.",
    )
    actions = models.ManyToManyField(Action, verbose_name="actions", related_name="indicateurs", blank=True)
    recherche = ChampRecherche(sources=("code", "intitule", "definition"))

    CHAMPS_DES_CONTRAINTES = {
        "indicateur_denominateur_de_part": "denominateur",
        "indicateur_denominateur_autre": "denominateur",
    }

    # Posé par indicateurs.requetes.poser_les_chiffres().
    chiffre: "ChiffreCle"

    objects = IndicateurQuerySet.as_manager()
    history = HistoricalRecords(m2m_fields=[actions], excluded_fields=[COLONNE])

    class Meta:
        verbose_name = "indicateur"
        verbose_name_plural = "indicateurs"
        ordering = ["intitule"]
        constraints = [
            liste_fermee(
                "nature",
                Nature,
                nom="indicateur_nature_connue",
                message="Nature inconnue : compte, part ou montant.",
            ),
            liste_fermee(
                "sens", Sens, nom="indicateur_sens_connu", message="Sens inconnu : hausse, baisse ou neutre."
            ),
            models.CheckConstraint(
                condition=Q(denominateur__isnull=True) | Q(nature="PART"),
                name="indicateur_denominateur_de_part",
                violation_error_message="Seule une part a un dénominateur.",
            ),
            models.CheckConstraint(
                condition=Q(denominateur__isnull=True) | ~Q(denominateur=F("id")),
                name="indicateur_denominateur_autre",
                violation_error_message="Un indicateur ne peut pas être son propre dénominateur.",
            ),
            models.CheckConstraint(
                condition=Q(decimales__lte=6),
                name="indicateur_decimales_bornees",
                violation_error_message="Six décimales au plus.",
            ),
        ]

    def __str__(self) -> str:
        return self.intitule

    def clean(self) -> None:
        """Règles qui regardent un autre indicateur. Un dénominateur n'est jamais une part, et seule une part a un
        dénominateur : il ne peut donc pas y avoir de boucle."""
        super().clean()
        if self.code in ADRESSES_PRISES:
            raise ValidationError({"code": f"« {self.code} » est l'adresse d'une autre page : prenez-en un autre."})
        if self.denominateur is not None and self.denominateur.nature == Nature.PART:
            raise ValidationError(
                {"denominateur": "Un dénominateur est un compte ou un montant : une part formerait une boucle."}
            )
        if self.pk and self.nature == Nature.PART and self.taux.exists():
            raise ValidationError(
                {"nature": "D'autres indicateurs l'ont pour dénominateur : il reste un compte ou un montant."}
            )
        verifier_les_calculs(self)
        if not self._state.adding:
            self._rejuger_les_valeurs()

    def _rejuger_les_valeurs(self) -> None:
        """Une autre nature ou un autre dénominateur rejuge les valeurs : aucune part validée ne bouge en silence."""
        avant = type(self).objects.get(pk=self.pk)
        if avant.nature != self.nature:
            champ = "nature"
        elif avant.denominateur != self.denominateur:
            champ = "denominateur"
        else:
            return
        for valeur in self.valeurs.order_by("annee"):
            if valeur.etat == Etat.VALIDEE and valeur.numerateur is not None and valeur.denominateur is None:
                raise ValidationError(
                    {
                        champ: f"La part {valeur.annee} est validée et se calcule avec ce dénominateur : repassez-la "
                        "en provisoire, avec son motif, avant d'en changer."
                    }
                )
            valeur.indicateur = self
            try:
                valeur.clean()
            except ValidationError as refus:
                raise ValidationError(
                    {champ: f"La valeur {valeur.annee} s'y oppose. {' '.join(refus.messages)}"}
                ) from refus

    def get_absolute_url(self) -> str:
        return reverse("indicateurs:detail", args=[self.code])

    def releve_de(self, utilisateur: "Utilisateur") -> bool:
        """Son service le produit."""
        return self.service_id is not None and self.service_id == utilisateur.service_id


class IndicateurDuPlanQuerySet(QuerySetSuivi):
    def avec_reponse(self, annee: int, au: date | None = None) -> "IndicateurDuPlanQuerySet":
        """Annote `a_repondu` : l'indicateur a (à cette date), pour cette année, une valeur ou une indisponibilité."""
        reponses = ValeurAnnuelle.objects.qui_repondent(au).filter(annee=annee, indicateur=OuterRef("indicateur"))
        return self.annotate(a_repondu=Exists(reponses))


class IndicateurDuPlan(models.Model):
    """La place d'un indicateur dans un plan."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="places_d_indicateur")
    indicateur = models.ForeignKey(Indicateur, on_delete=models.PROTECT, related_name="places")
    ordre = models.PositiveSmallIntegerField("ordre", default=0)
    chiffre_cle = models.BooleanField(
        "chiffre clé", default=False, help_text="Montré en grand sur le tableau de bord."
    )

    # Annoté par avec_reponse().
    a_repondu: bool

    objects = IndicateurDuPlanQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = "indicateur du plan"
        verbose_name_plural = "indicateurs du plan"
        ordering = ["ordre", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "indicateur"],
                name="indicateurduplan_une_fois",
                violation_error_message="Cet indicateur est déjà dans le plan.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.indicateur)
