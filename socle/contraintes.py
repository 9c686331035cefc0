"""Contraintes nommées : celles qui reviennent d'un modèle à l'autre, et le champ à côté duquel elles parlent."""

from collections.abc import Collection
from typing import ClassVar, cast

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, router
from django.db.models import Q
from django.utils.text import slugify

# Une année hors de ces bornes est une faute de frappe.
PREMIERE_ANNEE = 1990
BORNES_ANNEE = [MinValueValidator(PREMIERE_ANNEE), MaxValueValidator(2200)]
LONGUEUR_D_ADRESSE = 80


def adresse_de_page(texte: str, champ: str) -> str:
    """Le slug tiré d'un nom. ValidationError sur `champ` si ce nom n'a ni lettre ni chiffre."""
    slug = slugify(texte)[:LONGUEUR_D_ADRESSE]
    if not slug:
        raise ValidationError({champ: "Il faut au moins une lettre ou un chiffre."})
    return slug


def liste_fermee(
    champ: str, choix: type[models.TextChoices], *, nom: str, message: str, facultatif: bool = False
) -> models.CheckConstraint:
    """La base refuse ce que la liste ne contient pas. `facultatif` : la chaîne vide est admise.

    NULL passe toujours : au modèle de dire si le champ peut l'être.
    """
    valeurs = [*choix.values, ""] if facultatif else choix.values
    return models.CheckConstraint(condition=Q(**{f"{champ}__in": valeurs}), name=nom, violation_error_message=message)


def _champs_de(contrainte: models.BaseConstraint) -> set[str]:
    """Les champs qu'une contrainte regarde."""
    if isinstance(contrainte, models.UniqueConstraint):
        return {*contrainte.fields}
    if isinstance(contrainte, models.CheckConstraint):
        # Toujours un Q ici : une expression n'aurait pas de champs à dire.
        return set(cast("Q", contrainte.condition).referenced_base_fields)
    return set()


class ContraintesAuChamp(models.Model):
    """Le message d'une contrainte qui regarde plusieurs champs se lit à côté de celui qu'il faut corriger.

    Django le mettrait en tête de fiche. Il y reste quand le formulaire n'a pas ce champ.
    """

    # Nom de la contrainte → champ.
    CHAMPS_DES_CONTRAINTES: ClassVar[dict[str, str]] = {}
    _conditions_vues = False

    class Meta:
        abstract = True

    def validate_constraints(self, exclude=None) -> None:
        self._conditions_vues = self._conditions_tenues(exclude)
        try:
            super().validate_constraints(exclude)
        except ValidationError as refus:
            champs = self._champs_par_message(exclude or ())
            erreurs = dict(refus.error_dict)
            for erreur in erreurs.pop(NON_FIELD_ERRORS, []):
                erreurs.setdefault(champs.get(str(erreur.message), NON_FIELD_ERRORS), []).append(erreur)
            raise ValidationError(erreurs) from refus
        finally:
            self._conditions_vues = False

    def get_constraints(self) -> list:
        toutes = super().get_constraints()
        if not self._conditions_vues:
            return toutes
        return [
            (modele, [c for c in siennes if not isinstance(c, models.CheckConstraint)]) for modele, siennes in toutes
        ]

    def _conditions_tenues(self, exclude) -> bool:
        """Vrai si toutes les conditions tiennent, en une seule requête. Django en fait une par contrainte, pour dire
        laquelle ne tient pas."""
        # Ce que Django lui-même donne à vérifier à chaque contrainte ; django-stubs ne le connaît pas.
        valeurs = self._get_field_expression_map(meta=self._meta, exclude=exclude)  # type: ignore[attr-defined]
        conditions = [
            contrainte.condition
            for contrainte in self._meta.constraints
            if isinstance(contrainte, models.CheckConstraint) and _champs_de(contrainte) <= valeurs.keys()
        ]
        return bool(conditions) and Q(*conditions).check(valeurs, using=router.db_for_write(type(self), instance=self))

    def hors_de_cause(self, changes: Collection[str]) -> set[str]:
        """Les champs à exclure de `full_clean` quand seuls `changes` changent : tous, sauf eux et ceux qu'une
        contrainte leur lie. Le reste a été vérifié en s'enregistrant, et la base tient ses contraintes."""
        en_cause = set(changes)
        for contrainte in self._meta.constraints:
            lies = _champs_de(contrainte)
            if lies & set(changes):
                en_cause |= lies
        return {champ.name for champ in self._meta.fields} - en_cause

    def _champs_par_message(self, absents) -> dict[str, str]:
        return {
            str(contrainte.violation_error_message): champ
            for contrainte in self._meta.constraints
            if (champ := self.CHAMPS_DES_CONTRAINTES.get(contrainte.name)) and champ not in absents
        }
