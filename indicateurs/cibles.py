"""Les objectifs d'un indicateur : année, valeur, qui les fixe, où c'est écrit."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from simple_history.models import HistoricalRecords

from indicateurs.listes import Nature, OrigineDeCible, Sens
from indicateurs.references import ObjectifDeReference
from socle.contraintes import BORNES_ANNEE, liste_fermee
from socle.formats import formater_valeur
from socle.modeles import LigneVersionnee, QuerySetSuivi

if TYPE_CHECKING:
    from indicateurs.models import Indicateur

# La préférence locale est contraire à l'égalité de traitement des candidats : code de la commande publique, art. L3.
AVERTISSEMENT = (
    "Cet indicateur est neutre : il s'observe, il ne se vise pas. Viser une part d'achats locaux serait une "
    "préférence locale, contraire à l'égalité de traitement des candidats (code de la commande publique, article L3)."
)

# Quand une année a plusieurs objectifs, celui du plan passe devant l'obligation, puis l'objectif national.
_RANG_DE_L_ORIGINE = {origine: rang for rang, origine in enumerate(OrigineDeCible.values)}


class CibleQuerySet(QuerySetSuivi["Cible"]):
    def reprendre(self, objectif: ObjectifDeReference, indicateur: "Indicateur") -> "Cible":
        """Donne à l'indicateur cet objectif de référence. Demandé deux fois : rien de plus.

        Lève ValidationError si l'indicateur n'est pas une part, est neutre, ou a déjà, pour cette année et de cette
        origine, un autre objectif.
        """
        if indicateur.nature != Nature.PART:
            raise ValidationError({"indicateur": "Cet objectif est un pourcentage : choisissez une part."})
        voulue = self.model(indicateur=indicateur, **objectif.champs)
        if voulue.avertissement:
            raise ValidationError({"indicateur": voulue.avertissement})
        with transaction.atomic():
            indicateur.verrouillee()
            deja = self.filter(indicateur=indicateur, annee=objectif.annee, origine=objectif.origine).first()
            if deja is not None and (deja.valeur, deja.reference) == (voulue.valeur, voulue.reference):
                return deja
            voulue.full_clean()
            voulue.save()
        return voulue


class Cible(LigneVersionnee):
    """Un objectif d'un indicateur pour une année, avec qui le fixe et où c'est écrit."""

    indicateur = models.ForeignKey("indicateurs.Indicateur", on_delete=models.PROTECT, related_name="cibles")
    annee = models.PositiveSmallIntegerField("année", validators=BORNES_ANNEE)
    valeur = models.DecimalField("valeur", max_digits=18, decimal_places=6)
    origine = models.CharField("origine", max_length=17, choices=OrigineDeCible, default=OrigineDeCible.PLAN)
    reference = models.CharField("référence", max_length=300, blank=True)
    active = models.BooleanField("active", default=True)

    CHAMPS_DES_CONTRAINTES = {"cible_une_par_origine": "annee", "cible_positive": "valeur"}

    objects = CibleQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = "objectif"
        verbose_name_plural = "objectifs"
        ordering = ["indicateur", "annee"]
        constraints = [
            models.UniqueConstraint(
                fields=["indicateur", "annee", "origine"],
                name="cible_une_par_origine",
                violation_error_message="Cet indicateur a déjà un objectif de cette origine pour cette année.",
            ),
            liste_fermee(
                "origine",
                OrigineDeCible,
                nom="cible_origine_connue",
                message="Origine inconnue : plan, obligation ou objectif national.",
            ),
            models.CheckConstraint(
                condition=Q(valeur__gte=0),
                name="cible_positive",
                violation_error_message="Un objectif ne peut pas être négatif.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.indicateur} ({self.annee})"

    @property
    def affichage(self) -> str:
        return formater_valeur(self.valeur, self.indicateur.unite, None)

    def clean(self) -> None:
        super().clean()
        if (
            self.indicateur_id
            and self.valeur is not None
            and self.indicateur.nature == Nature.PART
            and self.valeur > 100
        ):
            raise ValidationError({"valeur": "Une part se donne de 0 à 100 %."})

    @property
    def avertissement(self) -> str:
        """Pourquoi cet objectif est discutable, à dire à qui le fixe ; vide s'il ne l'est pas."""
        return AVERTISSEMENT if self.indicateur.sens == Sens.NEUTRE else ""

    @property
    def vigueur(self) -> str:
        """« actif », « échu » (il ne vaut plus, son année est passée) ou « inactif »."""
        if self.active:
            return "actif"
        return "échu" if self.annee < timezone.localdate().year else "inactif"


def cible_visee(cibles: Iterable[Cible], annee: int) -> Cible | None:
    """L'objectif actif de l'année, sinon celui de la prochaine année qui en a un."""
    visees = [cible for cible in cibles if cible.active and cible.annee >= annee]
    return min(visees, key=lambda cible: (cible.annee, _RANG_DE_L_ORIGINE[cible.origine]), default=None)


def derniere_cible(cibles: Iterable[Cible], annee: int) -> Cible | None:
    """Le dernier objectif actif dont l'année est passée : on le doit encore."""
    passees = [cible for cible in cibles if cible.active and cible.annee < annee]
    return max(passees, key=lambda cible: (cible.annee, -_RANG_DE_L_ORIGINE[cible.origine]), default=None)
