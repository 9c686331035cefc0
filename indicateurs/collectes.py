"""Une collecte : demander à chaque service les valeurs d'une année, les recevoir, les valider ou les renvoyer."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from simple_history.models import HistoricalRecords

from actions.plans import Plan
from indicateurs.listes import PhaseDeDemande
from socle.contraintes import BORNES_ANNEE, liste_fermee
from socle.modeles import LigneVersionnee, QuerySetSuivi

if TYPE_CHECKING:
    from comptes.models import Utilisateur


class CollecteQuerySet(QuerySetSuivi["Collecte"]):
    def ouvertes(self) -> "CollecteQuerySet":
        return self.filter(close_le__isnull=True)


class Collecte(LigneVersionnee):
    """« Collecte 2024 » : les valeurs d'une année des indicateurs d'un plan, demandées à qui les produit."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="collectes")
    annee = models.PositiveSmallIntegerField("année", validators=BORNES_ANNEE)
    avant_le = models.DateField("à remettre avant le")
    message = models.TextField("message", blank=True, help_text="Ajouté au courriel, tel quel.")
    ouverte_le = models.DateTimeField("ouverte le", default=timezone.now, editable=False)
    ouverte_par = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="ouverte par",
        on_delete=models.PROTECT,
        related_name="collectes",
        null=True,
        editable=False,
    )
    close_le = models.DateTimeField("close le", null=True, blank=True, editable=False)

    CHAMPS_DES_CONTRAINTES = {"collecte_une_par_annee": "annee"}

    objects = CollecteQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = "collecte"
        verbose_name_plural = "collectes"
        ordering = ["-annee", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "annee"],
                name="collecte_une_par_annee",
                violation_error_message="Ce plan a déjà une collecte pour cette année : rouvrez-la.",
            ),
        ]

    def __str__(self) -> str:
        return f"Collecte {self.annee}"

    def get_absolute_url(self) -> str:
        return reverse("indicateurs:collecte", args=[self.pk])


class DemandeDeValeur(LigneVersionnee):
    """Un indicateur dont une collecte demande la valeur. La valeur, son état et ses refus se lisent sur la valeur."""

    collecte = models.ForeignKey(Collecte, on_delete=models.PROTECT, related_name="demandes")
    indicateur = models.ForeignKey("indicateurs.Indicateur", on_delete=models.PROTECT, related_name="demandes")
    phase = models.CharField("phase", max_length=9, choices=PhaseDeDemande, default=PhaseDeDemande.OUVERTE)
    motif_de_renvoi = models.CharField("motif du renvoi", max_length=500, blank=True)

    CHAMPS_DES_CONTRAINTES = {"demandedevaleur_renvoi_motive": "motif_de_renvoi"}

    objects = QuerySetSuivi.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = "demande de valeur"
        verbose_name_plural = "demandes de valeur"
        ordering = ["collecte", "indicateur"]
        constraints = [
            models.UniqueConstraint(
                fields=["collecte", "indicateur"],
                name="demandedevaleur_une_fois",
                violation_error_message="Cette collecte demande déjà cet indicateur.",
            ),
            liste_fermee(
                "phase", PhaseDeDemande, nom="demandedevaleur_phase_connue", message="Phase de demande inconnue."
            ),
            models.CheckConstraint(
                condition=(Q(phase="RENVOYEE") & ~Q(motif_de_renvoi=""))
                | (~Q(phase="RENVOYEE") & Q(motif_de_renvoi="")),
                name="demandedevaleur_renvoi_motive",
                violation_error_message="Un renvoi dit son motif, et lui seul.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.indicateur} → {self.collecte}"

    def releve_de(self, utilisateur: "Utilisateur") -> bool:
        """Attendue du service qui produit l'indicateur aujourd'hui."""
        return self.indicateur.releve_de(utilisateur)
