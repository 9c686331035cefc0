"""Une collecte : demander à chaque service les valeurs d'une année, les recevoir, les valider ou les renvoyer.

Ce qui est demandé est gardé ici ; ce qui y répond se lit sur la valeur (`indicateurs.lignes_de_collecte`).
"""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from simple_history.models import HistoricalRecords
from simple_history.utils import bulk_create_with_history

from actions.plans import Plan
from comptes.courriels import Courriel, Lettre, Preparation
from comptes.envoi import envoyer_des_que_possible
from indicateurs.demandes_de_valeur import CLOSE, DemandeDeValeur
from socle.contraintes import BORNES_ANNEE
from socle.formats import formater_date
from socle.modeles import LigneFermable, QuerySetSuivi

if TYPE_CHECKING:
    from comptes.models import Utilisateur

__all__ = ["Collecte", "DemandeDeValeur"]


class CollecteQuerySet(QuerySetSuivi["Collecte"]):
    def ouvertes(self) -> "CollecteQuerySet":
        return self.filter(close_le__isnull=True)

    def ouvrir(
        self, plan: Plan, annee: int, *, auteur: "Utilisateur", avant_le: date, message: str = ""
    ) -> "tuple[Collecte, Preparation | None]":
        """Demande aux services la valeur de l'année de chaque indicateur du plan, et leur écrit, d'un trait.

        La même demande du même auteur le même jour (double clic) rend la collecte déjà ouverte, et None. Lève
        ValidationError : date passée, année à venir, plan sans indicateur, collecte déjà faite pour cette année.
        """
        collecte = self.model(plan=plan, annee=annee, avant_le=avant_le, message=message.strip(), ouverte_par=auteur)
        with transaction.atomic():
            plan.verrouillee()
            deja = self.filter(plan=plan, annee=annee, avant_le=avant_le, message=collecte.message, ouverte_par=auteur)
            if (meme := deja.ouvertes().filter(ouverte_le__date=timezone.localdate()).first()) is not None:
                return meme, None
            collecte.full_clean()
            if avant_le < timezone.localdate():
                raise ValidationError({"avant_le": "Cette date est passée : choisissez-en une à venir."})
            collecte.save()
            if not collecte.completer():
                raise ValidationError({"plan": "Ce plan n'a pas d'indicateur : il n'y a rien à demander."})
            preparation = collecte.ecrire()
        return collecte, preparation


class Collecte(LigneFermable):
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

    CHAMPS_DES_CONTRAINTES = {"collecte_une_par_annee": "annee"}

    # Posés par annoncer().
    demandees: int
    recues: int

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

    @property
    def echeance(self) -> str:
        return f"le {formater_date(self.avant_le)}"

    @property
    def adresse_de_reponse(self) -> str:
        return reverse("indicateurs:collecte_repondre", args=[self.pk])

    @property
    def cle(self) -> str:
        """Par quoi commence la clé de ses courriels."""
        return f"collecte-{self.pk}-"

    def clean(self) -> None:
        super().clean()
        if self.annee and self.annee > timezone.localdate().year:
            raise ValidationError({"annee": f"L'année {self.annee} est à venir : aucune valeur n'y est attendue."})

    # --- Écriture ------------------------------------------------------------------------------

    def completer(self) -> int:
        """Demande les indicateurs du plan qui ne le sont pas encore ; rend combien le sont en tout."""
        demandes = set(self.demandes.values_list("indicateur", flat=True))
        manquants = [
            DemandeDeValeur(collecte=self, indicateur_id=indicateur)
            for indicateur in self.plan.places_d_indicateur.values_list("indicateur", flat=True)
            if indicateur not in demandes
        ]
        if manquants:
            bulk_create_with_history(manquants, DemandeDeValeur)
        return len(demandes) + len(manquants)

    def ecrire(self, *, relance: bool = False) -> Preparation:
        """Écrit à chaque membre des services qui doivent encore une valeur, une fois par jour et par personne."""
        from indicateurs.lignes_de_collecte import demandeurs

        jour = timezone.localdate().isoformat()
        preparation = Courriel.objects.preparer_tous(
            Lettre(
                personne,
                f"{self.cle}{personne.pk}-{jour}",
                "courriels/collecte",
                {"collecte": self, "demandeur": demandeur, "nombre": len(demandeur.dues), "relance": relance},
            )
            for demandeur in demandeurs(self)
            for personne in demandeur.personnes
        )
        if preparation.courriels:
            envoyer_des_que_possible()
        return preparation

    def relancer(self) -> Preparation:
        """Écrit de nouveau à qui doit encore une valeur. Lève ValidationError si la collecte est close."""
        with transaction.atomic():
            if self.verrouillee().close_le:
                raise ValidationError(CLOSE)
            return self.ecrire(relance=True)

    def rouvrir(self) -> None:
        """Demande de nouveau, et demande aussi les indicateurs que le plan a pris depuis."""
        with transaction.atomic():
            super().rouvrir()
            self.completer()


def annoncer(collectes: Sequence[Collecte]) -> None:
    """Pose `demandees` et `recues` (des nombres) sur chacune, en deux requêtes."""
    from indicateurs.lignes_de_collecte import lignes_de

    par_collecte: dict[int, list] = {}
    for ligne in lignes_de(DemandeDeValeur.objects.filter(collecte__in=list(collectes))):
        par_collecte.setdefault(ligne.demande.collecte_id, []).append(ligne)
    for collecte in collectes:
        siennes = par_collecte.get(collecte.pk, [])
        vars(collecte).update(demandees=len(siennes), recues=sum(not ligne.due for ligne in siennes))
