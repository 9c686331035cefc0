from django import template

from comptes.droits import Droit, peut
from indicateurs.models import Indicateur

register = template.Library()


@register.filter
def peut_saisir(utilisateur, indicateur: Indicateur) -> bool:
    """{% if user|peut_saisir:indicateur %} : son service le produit, ou il tient tout le plan."""
    return peut(utilisateur, Droit.SAISIR_UNE_DONNEE, indicateur)
