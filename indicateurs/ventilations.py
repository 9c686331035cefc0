"""La ventilation d'une valeur : selon une dimension nommée, des nombres qui en font le total."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from socle.formats import FormatInvalide, formater_nombre, lire_nombre
from socle.modeles import LigneVersionnee, QuerySetSuivi

if TYPE_CHECKING:
    from indicateurs.valeurs import ValeurAnnuelle

# Par dimension, le nombre de chaque modalité : {« par nature » : {« Travaux » : 41, « Services » : 125}}.
Ventilation = Mapping["Dimension", Mapping[str, Decimal]]


class Dimension(LigneVersionnee):
    """Selon quoi les valeurs d'un indicateur se répartissent : « par nature d'achat »."""

    indicateur = models.ForeignKey("indicateurs.Indicateur", on_delete=models.PROTECT, related_name="dimensions")
    nom = models.CharField("nom", max_length=80, help_text="« par nature d'achat », « par commune »…")

    CHAMPS_DES_CONTRAINTES = {"dimension_une_fois": "nom"}

    objects = QuerySetSuivi.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = "dimension"
        verbose_name_plural = "dimensions"
        ordering = ["indicateur", "nom"]
        constraints = [
            models.UniqueConstraint(
                fields=["indicateur", "nom"],
                name="dimension_une_fois",
                violation_error_message="Cet indicateur a déjà cette dimension.",
            ),
        ]

    def __str__(self) -> str:
        return self.nom


class LigneDeVentilationQuerySet(QuerySetSuivi["LigneDeVentilation"]):
    def remplacer(self, valeur: "ValeurAnnuelle", ventilation: Ventilation) -> None:
        """Donne à la valeur ces nombres, pour les dimensions citées. Ce qui ne change pas n'est pas réécrit ; une
        dimension vide n'a plus de lignes. Appelée par `ValeurAnnuelle.enregistrer` seulement."""
        for dimension, nombres in ventilation.items():
            gardees = {ligne.modalite: ligne for ligne in self.filter(valeur=valeur, dimension=dimension)}
            for modalite, ligne in gardees.items():
                if modalite not in nombres:
                    ligne.delete()
            for ordre, (modalite, nombre) in enumerate(nombres.items()):
                ligne = gardees.get(modalite) or self.model(valeur=valeur, dimension=dimension, modalite=modalite)
                if (ligne.pk, ligne.nombre, ligne.ordre) != (ligne.pk or 0, nombre, ordre):
                    ligne.nombre, ligne.ordre = nombre, ordre
                    ligne.full_clean()
                    ligne.save()


class LigneDeVentilation(models.Model):
    """Une modalité et son nombre. Leur somme, par dimension, est la valeur (le numérateur, pour une part)."""

    valeur = models.ForeignKey("indicateurs.ValeurAnnuelle", on_delete=models.CASCADE, related_name="ventilation")
    dimension = models.ForeignKey(Dimension, on_delete=models.PROTECT, related_name="lignes")
    modalite = models.CharField("modalité", max_length=80)
    nombre = models.DecimalField("nombre", max_digits=18, decimal_places=6)
    ordre = models.PositiveSmallIntegerField("ordre", default=0)

    objects = LigneDeVentilationQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        verbose_name = "ligne de ventilation"
        verbose_name_plural = "lignes de ventilation"
        ordering = ["dimension", "ordre", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["valeur", "dimension", "modalite"],
                name="lignedeventilation_une_fois",
                violation_error_message="Cette modalité est déjà donnée.",
            ),
            models.CheckConstraint(
                condition=Q(nombre__gte=0),
                name="lignedeventilation_positive",
                violation_error_message="Un nombre ventilé ne peut pas être négatif.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.modalite} : {formater_nombre(self.nombre)}"


def ecrire_la_ventilation(valeur: "ValeurAnnuelle", dimension: Dimension) -> str:
    """Telle qu'on la tape : « Travaux : 41 », une ligne par modalité."""
    lignes = LigneDeVentilation.objects.filter(valeur=valeur, dimension=dimension)
    return "\n".join(f"{ligne.modalite} : {formater_nombre(ligne.nombre)}" for ligne in lignes)


def lire_la_ventilation(texte: str) -> dict[str, Decimal]:
    """L'inverse de `ecrire_la_ventilation`. Lève FormatInvalide, qui cite la ligne en cause."""
    nombres: dict[str, Decimal] = {}
    for ligne in filter(str.strip, texte.splitlines()):
        modalite, _, nombre = (morceau.strip() for morceau in ligne.rpartition(":"))
        if not modalite:
            raise FormatInvalide.pour(ligne, "une modalité et son nombre", "« Travaux : 41 »")
        if modalite in nombres:
            raise FormatInvalide.pour(ligne, "une nouvelle modalité", "chaque modalité une seule fois")
        nombres[modalite] = lire_nombre(nombre)
    return nombres


def verifier_les_totaux(valeur: "ValeurAnnuelle") -> None:
    """Lève ValidationError, sur `ventilation`, si une dimension ne fait pas le total de la valeur. Une requête."""
    totaux = LigneDeVentilation.objects.filter(valeur=valeur).order_by().values_list("dimension__nom")
    for nom, somme in totaux.annotate(somme=models.Sum("nombre")):
        if somme != valeur.a_ventiler:
            attendu = formater_nombre(valeur.a_ventiler)
            raise ValidationError(
                {"ventilation": f"La ventilation « {nom} » totalise {formater_nombre(somme)}, il faut {attendu}."}
            )
