"""Filtres d'affichage : les formats de `socle.formats`, pour les gabarits.

None, et une variable qui n'existe pas, s'affichent « — » ; un texte là où il faut un nombre est une erreur
du gabarit et se voit.
"""

import datetime
from decimal import Decimal
from typing import Literal

from django import template

from socle import formats

register = template.Library()

# Django passe "" au filtre quand la variable n'existe pas.
Nombre = Decimal | int | float | Literal[""] | None
Jour = datetime.date | Literal[""] | None


@register.filter
def nombre(valeur: Nombre, decimales: int | None = None) -> str:
    """{{ valeur|nombre }} ou {{ valeur|nombre:1 }}."""
    return formats.formater_nombre(None if valeur == "" else valeur, decimales)


@register.filter
def pourcentage(valeur: Nombre, decimales: int | None = None) -> str:
    """{{ part|pourcentage:1 }} ; la part est en points, de 0 à 100."""
    return formats.formater_pourcentage(None if valeur == "" else valeur, decimales)


@register.filter
def montant(valeur: Nombre, decimales: int = 2) -> str:
    """{{ budget|montant }} avec les centimes, {{ budget|montant:0 }} sans ; en euros."""
    return formats.formater_montant(None if valeur == "" else valeur, decimales)


@register.filter
def date_fr(jour: Jour) -> str:
    """{{ jour|date_fr }} : « 31/12/2026 »."""
    return formats.formater_date(jour or None)


@register.filter
def date_longue(jour: Jour) -> str:
    """{{ jour|date_longue }} : « 31 décembre 2026 »."""
    return formats.formater_date_longue(jour or None)


@register.filter
def moment(instant: datetime.datetime | Literal[""] | None) -> str:
    """{{ saisi_le|moment }} : « 31/12/2026 à 14:05 », à l'heure de Paris."""
    return formats.formater_moment(instant or None)


@register.filter(is_safe=True)
def typographie(texte: str | None) -> str:
    """{{ action.intitule|typographie }} ; à ne poser que sur du texte, pas sur du HTML déjà fait."""
    return formats.ABSENT if texte is None else formats.typographie(str(texte))


@register.simple_tag(name="accorder")
def balise_accorder(n: Nombre, singulier: str, pluriel: str | None = None) -> str:
    """{% accorder n "action" %} ou {% accorder n "journal" "journaux" %}."""
    return formats.accorder(None if n == "" else n, singulier, pluriel)


@register.filter(name="accorder")
def filtre_accorder(n: Nombre, mots: str) -> str:
    """{{ n|accorder:"action" }} ou {{ n|accorder:"journal,journaux" }}."""
    singulier, _, pluriel = mots.partition(",")
    return formats.accorder(None if n == "" else n, singulier, pluriel or None)
