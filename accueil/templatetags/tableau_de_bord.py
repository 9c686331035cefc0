"""Les liens du tableau de bord : tout nombre mène à la liste qu'il compte."""

from django import template

from bilans.cadre import Cadre

register = template.Library()


@register.simple_tag
def vers_les_actions(cadre: Cadre, **filtres: str) -> str:
    """{% vers_les_actions cadre statut="EN_COURS" %}"""
    return cadre.adresse_des_actions(**filtres)


@register.simple_tag
def vers_les_indicateurs(cadre: Cadre, **filtres: str | int) -> str:
    """{% vers_les_indicateurs cadre sans_valeur=2024 %}"""
    return cadre.adresse_des_indicateurs(**filtres)
