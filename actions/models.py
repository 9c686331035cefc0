"""Les actions du plan. Les journaux, les plans et les listes fermées ont leur propre fichier."""

from datetime import date
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from simple_history.models import HistoricalRecords

from actions.campagnes import Campagne, DemandeDActualisation
from actions.comites import Comite, Decision
from actions.creation import ActionManager
from actions.depots import DepotDeClasseur
from actions.documents import Document
from actions.etapes import Etape
from actions.gestes import GestesDAction
from actions.journaux import ChangementDeStatut, PresenceAuPlan, ReportEcheance, SaisieTardive
from actions.plans import Axe, PartenaireDuPlan, Plan
from actions.requetes import CHAMPS_PROJETES, ECRITURE_PAR_LE_JOURNAL
from actions.statuts import (
    MESSAGE_AVANCEMENT,
    Mouvement,
    PointAttention,
    Priorite,
    Statut,
    condition_avancement,
)
from actions.suivi import NoteDeSuivi, PartenaireDeLAction, ReferenceCadre
from comptes.models import Service
from partenaires.models import Partenaire
from socle.contraintes import liste_fermee
from socle.echeances import Echeance, Precision
from socle.recherche import COLONNE, ChampRecherche, Cherchable

if TYPE_CHECKING:
    from comptes.models import Utilisateur

__all__ = [
    "Action",
    "Axe",
    "Campagne",
    "ChangementDeStatut",
    "Comite",
    "Decision",
    "DemandeDActualisation",
    "DepotDeClasseur",
    "Document",
    "Etape",
    "NoteDeSuivi",
    "PartenaireDeLAction",
    "PartenaireDuPlan",
    "Plan",
    "PresenceAuPlan",
    "ReferenceCadre",
    "ReportEcheance",
    "SaisieTardive",
]


class Action(Cherchable, GestesDAction):
    """Une ligne du plan.

    Statut, avancement, échéance et présence sont une projection, pour aujourd'hui, des trois journaux :
    seule la méthode d'écriture d'un journal les change. NULL = rien au journal, donc inconnu.
    """

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="actions")
    axe = models.ForeignKey(Axe, on_delete=models.PROTECT, related_name="actions", null=True, blank=True)
    numero = models.PositiveIntegerField("numéro", help_text="Rang de l'action dans le plan.")
    intitule = models.CharField("intitulé", max_length=500)
    description = models.TextField("description", blank=True)
    pilote = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="pilote",
        on_delete=models.PROTECT,
        related_name="actions_pilotees",
        null=True,
        blank=True,
    )
    suppleant = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="suppléant·e",
        on_delete=models.PROTECT,
        related_name="actions_suppleees",
        null=True,
        blank=True,
    )
    service_pilote = models.ForeignKey(
        Service,
        verbose_name="service pilote",
        on_delete=models.PROTECT,
        related_name="actions",
        null=True,
        blank=True,
    )
    elu_referent = models.CharField("élu·e référent·e", max_length=200, blank=True)
    priorite = models.CharField("priorité", max_length=8, choices=Priorite, blank=True)
    date_debut = models.DateField("date de début", null=True, blank=True)
    budget_previsionnel = models.DecimalField(
        "budget prévisionnel (€)",
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    budget_realise = models.DecimalField(
        "budget réalisé (€)",
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    partenaires = models.ManyToManyField(
        Partenaire,
        verbose_name="partenaires",
        through="PartenaireDeLAction",
        related_name="actions",
        blank=True,
    )
    attention_nature = models.CharField("point d'attention", max_length=13, choices=PointAttention, blank=True)
    attention = models.CharField("en une phrase", max_length=300, blank=True)
    visible_du_public = models.BooleanField(
        "visible du public", default=True, help_text="Dans les pages publiques, quand le plan est publié."
    )
    source = models.ForeignKey(
        "self",
        verbose_name="reprise de l'action",
        on_delete=models.PROTECT,
        related_name="copies",
        null=True,
        blank=True,
        editable=False,
    )
    recherche = ChampRecherche(sources=("intitule", "description", "attention"))

    statut = models.CharField("statut", max_length=12, choices=Statut, null=True, editable=False)
    avancement = models.PositiveSmallIntegerField("avancement (%)", null=True, editable=False)
    echeance = models.DateField("échéance", null=True, editable=False)
    echeance_precision = models.CharField("précision", max_length=9, choices=Precision, null=True, editable=False)
    presence = models.CharField("présence au plan", max_length=7, choices=Mouvement, null=True, editable=False)

    CHAMPS_DES_CONTRAINTES = {
        "action_numero_unique": "numero",
        "action_point_attention_complet": "attention",
        "action_suppleant_distinct": "suppleant",
    }

    # Annotés par ActionQuerySet.etat_au(), avec_retard(), avec_silence() et avec_urgence().
    etat_statut: str | None
    etat_avancement: int | None
    etat_echeance: date | None
    etat_precision: str | None
    etat_presence: str | None
    est_en_retard: bool | None
    sans_nouvelle: bool
    urgence: int

    objects = ActionManager()
    history = HistoricalRecords(excluded_fields=sorted({*CHAMPS_PROJETES, COLONNE}))

    class Meta:
        verbose_name = "action"
        verbose_name_plural = "actions"
        ordering = ["plan", "numero"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "numero"],
                name="action_numero_unique",
                violation_error_message="Une action du plan porte déjà ce numéro.",
            ),
            liste_fermee(
                "statut",
                Statut,
                nom="action_statut_connu",
                message="Statut inconnu : terminée, en cours ou non initiée.",
            ),
            models.CheckConstraint(
                condition=condition_avancement(),
                name="action_avancement_coherent",
                violation_error_message=MESSAGE_AVANCEMENT,
            ),
            models.CheckConstraint(
                condition=Q(attention="", attention_nature="") | (~Q(attention="") & ~Q(attention_nature="")),
                name="action_point_attention_complet",
                violation_error_message="Un point d'attention a une nature et une phrase, ou ni l'une ni l'autre.",
            ),
            liste_fermee(
                "attention_nature",
                PointAttention,
                nom="action_nature_attention_connue",
                message="Nature de point d'attention inconnue.",
                facultatif=True,
            ),
            liste_fermee(
                "priorite",
                Priorite,
                nom="action_priorite_connue",
                message="Priorité inconnue : haute, normale ou basse.",
                facultatif=True,
            ),
            models.CheckConstraint(
                condition=Q(pilote__isnull=True) | Q(suppleant__isnull=True) | ~Q(pilote=F("suppleant")),
                name="action_suppleant_distinct",
                violation_error_message="Le ou la suppléant·e est une autre personne que le ou la pilote.",
            ),
            models.CheckConstraint(
                condition=(Q(budget_previsionnel__isnull=True) | Q(budget_previsionnel__gte=0))
                & (Q(budget_realise__isnull=True) | Q(budget_realise__gte=0)),
                name="action_budget_positif",
                violation_error_message="Un budget ne peut pas être négatif.",
            ),
        ]
        indexes = [
            models.Index(fields=["plan", "statut"], name="action_par_statut"),
            models.Index(fields=["service_pilote", "statut"], name="action_par_service"),
        ]

    def __str__(self) -> str:
        return f"{self.numero}. {self.intitule}"

    def clean(self) -> None:
        super().clean()
        if self.axe is not None and self.plan_id and self.axe.plan_id != self.plan_id:
            raise ValidationError({"axe": "Cet axe appartient à un autre plan."})

    def save(self, *args, **kwargs) -> None:
        """Enregistre les champs propres de l'action. Les champs projetés n'en sont jamais : voir les journaux."""
        if self._state.adding:
            for champ in CHAMPS_PROJETES:
                setattr(self, champ, None)
        elif kwargs.get("update_fields") is None:
            kwargs["update_fields"] = [
                champ.name
                for champ in self._meta.concrete_fields
                if not champ.primary_key and champ.name not in CHAMPS_PROJETES
            ]
        elif CHAMPS_PROJETES & set(kwargs["update_fields"]):
            raise TypeError(ECRITURE_PAR_LE_JOURNAL)
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("actions:detail", args=[self.pk])

    @property
    def adresse_du_statut(self) -> str:
        return reverse("actions:statut", args=[self.pk])

    # --- Lecture -------------------------------------------------------------------------------

    def releve_de(self, utilisateur: "Utilisateur") -> bool:
        """Il la pilote ou en est suppléant, ou son service la pilote."""
        if utilisateur.pk in (self.pilote_id, self.suppleant_id):
            return True
        return self.service_pilote_id is not None and self.service_pilote_id == utilisateur.service_id

    @property
    def valeur_echeance(self) -> Echeance | None:
        """L'échéance d'aujourd'hui, ou celle de l'état annoté par `etat_au`."""
        fin = getattr(self, "etat_echeance", self.echeance)
        precision = getattr(self, "etat_precision", self.echeance_precision)
        return Echeance(fin, Precision(precision)) if fin and precision else None

    # --- Écriture ------------------------------------------------------------------------------

    def ecrire_projection(self, **champs) -> None:
        """Réservé aux journaux : recopie l'état d'aujourd'hui et avance la version, sans toucher au reste."""
        models.QuerySet(type(self)).filter(pk=self.pk).update(**champs, version=F("version") + 1)
