"""Champs de formulaire qui lisent les formats français et disent, à côté du champ, ce qu'ils attendaient.

Ce qui a été tapé est réaffiché tel quel quand on ne sait pas le lire : on corrige, on ne retape pas.
"""

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

from socle.echeances import Echeance
from socle.formats import (
    CHIFFRES_MAX,
    DECIMALES_MAX,
    FINE,
    INSECABLE,
    MOINS,
    FormatInvalide,
    formater_nombre,
    lire_date,
    lire_nombre,
    lire_pourcentage,
    signe_de_controle,
)


def refuser_les_signes_de_controle(texte: Any) -> None:
    """Un texte ne porte aucun signe de contrôle, hormis la tabulation et la fin de ligne ; ValidationError sinon."""
    if isinstance(texte, str) and (signe := signe_de_controle(texte)):
        raise ValidationError(f"Ce texte contient {signe}{INSECABLE}: effacez-le.", code="signe_de_controle")


def refuser_ce_qui_sort_de_la_ligne(texte: Any) -> None:
    """De même, et ni tabulation ni fin de ligne : ce texte tient sur une ligne."""
    if isinstance(texte, str) and (signe := signe_de_controle(texte, une_ligne=True)):
        raise ValidationError(f"Ce texte contient {signe}{INSECABLE}: effacez-le.", code="signe_de_controle")


def surveiller_les_textes() -> None:
    """Donne cette règle à tout champ de texte, du formulaire ou du modèle, des bibliothèques comme du projet.

    Un champ n'a pas à la demander, donc aucun ne l'oublie. Une adresse, un courriel, une adresse de page ont d'autres
    règles d'office : elle s'y ajoute.
    """
    longs: tuple[Any, ...] = (forms.CharField, forms.EmailField, forms.URLField, models.TextField)
    courts: tuple[Any, ...] = (models.CharField, models.EmailField, models.URLField)
    for classe in longs:
        _ajouter(classe, refuser_les_signes_de_controle)
    for classe in courts:
        _ajouter(classe, refuser_ce_qui_sort_de_la_ligne)


def _ajouter(classe: Any, regle: Callable[[Any], None]) -> None:
    if regle not in classe.default_validators:
        classe.default_validators = [*classe.default_validators, regle]


# Le plus grand numéro qu'une clé de nos tables sait porter.
CLE_MAX = 2**63 - 1


class ChampPlusieurs(forms.ModelMultipleChoiceField):
    """Des fiches à cocher. Un numéro plus grand que la colonne est un choix inconnu : Django le demanderait à la base,
    qui ne sait pas l'écrire."""

    def clean(self, value: Any) -> Any:
        for cle in value if isinstance(value, list | tuple) else ():
            if _trop_grand(cle):
                raise ValidationError(self.error_messages["invalid_choice"], "invalid_choice", {"value": cle})
        return super().clean(value)


def _trop_grand(cle: Any) -> bool:
    try:
        return abs(int(cle)) > CLE_MAX
    except (TypeError, ValueError):
        return False


class ChampLu(forms.Field):
    """Base des champs lus par `socle` : même vide, mêmes erreurs, même comparaison.

    `lire` reçoit le texte sans ses espaces de bord et lève FormatInvalide ; vide rend None.
    """

    lire: Callable[[str], Any]

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = value.strip()
        if value in self.empty_values:
            return None
        if not isinstance(value, str):  # valeur initiale d'un champ désactivé
            return value
        try:
            return self.lire(value)
        except FormatInvalide as erreur:
            raise ValidationError(str(erreur), code="invalid") from erreur

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare ce qui se lit, pas ce qui s'écrit : « 1 234,50 » n'a pas changé 1234.5."""
        if self.disabled:
            return False
        try:
            return bool(self.to_python(initial) != self.to_python(data))
        except ValidationError:
            return True


class ChampNombre(ChampLu, forms.DecimalField):
    """Un Decimal de 12 chiffres avant la virgule et 6 après au plus, comme la colonne qui le reçoit.

    La valeur de départ s'écrit sans séparateur de milliers : un chiffre ajouté à « 1 234 » donnerait
    « 1 2345 », qui se refuse.
    """

    widget = forms.TextInput
    lire = staticmethod(lire_nombre)

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_digits", CHIFFRES_MAX)
        options.setdefault("decimal_places", DECIMALES_MAX)
        super().__init__(**options)

    def to_python(self, value: Any) -> Any:
        lu = super().to_python(value)
        return Decimal(str(lu)) if isinstance(lu, (int, float)) else lu

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, (Decimal, int, float)):
            return formater_nombre(value).replace(FINE, "").replace(MOINS, "-")
        return value

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), "inputmode": "decimal"}


class ChampPourcentage(ChampNombre):
    """Un pourcentage en points : « 25 », « 25 % » et « 25,5 % » se lisent."""

    lire = staticmethod(lire_pourcentage)


class SaisieDate(forms.DateInput):
    """`<input type="date">`, dont la valeur est toujours ISO.

    Un navigateur efface d'un tel champ un texte qui n'est pas une date : dans ce cas, et dans ce cas
    seulement, le champ devient un champ de texte, pour que la faute reste visible.
    """

    input_type = "date"

    def format_value(self, value: Any) -> str | None:
        if isinstance(value, str):
            try:
                value = lire_date(value)
            except FormatInvalide:
                return value or None
        if isinstance(value, datetime.date):
            return value.isoformat()
        return None

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        contexte = super().get_context(name, value, attrs)
        affichee = contexte["widget"]["value"]
        if affichee:
            try:
                lire_date(affichee)
            except FormatInvalide:
                contexte["widget"]["type"] = "text"
        return contexte


class ChampDate(ChampLu, forms.DateField):
    """Une date ; accepte « 31/12/2026 » et l'ISO que le navigateur envoie."""

    widget = SaisieDate
    lire = staticmethod(lire_date)


class ChampEcheance(ChampLu):
    """Une Echeance, ou None quand rien n'est écrit."""

    widget = forms.TextInput
    lire = staticmethod(Echeance.lire)

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", "Une date, un trimestre (T2 2026) ou une année (2026)")
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        return str(value) if isinstance(value, Echeance) else value
