"""Les liens du tableau de bord : tout nombre mène à la liste qu'il compte."""

from django import template
from django.urls import reverse
from django.utils.http import urlencode

from accueil.cadre import Cadre

register = template.Library()


@register.simple_tag
def vers_les_actions(cadre: Cadre, **filtres: str) -> str:
    """L'adresse de la liste des actions du plan montré, à la même date, avec ces filtres de plus."""
    demande = {"plan": cadre.plan.slug, **{nom: valeur for nom, valeur in filtres.items() if valeur}}
    if cadre.jour:
        demande["au"] = cadre.jour.isoformat()
    return f"{reverse('actions:liste')}?{urlencode(demande)}"
