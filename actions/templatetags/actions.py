"""Pastilles : un mot et une couleur, décidés ici et nulle part ailleurs."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from actions.statuts import Statut

register = template.Library()


@register.simple_tag
def badge_statut(statut: str | None) -> SafeString:
    """Le statut en toutes lettres ; « Inconnu » avant la première ligne du journal."""
    if not statut:
        return format_html('<span class="statut statut-inconnu">{}</span>', "Inconnu")
    return format_html('<span class="statut statut-{}">{}</span>', statut, Statut(statut).label)


@register.simple_tag
def badge_retard(en_retard: bool | None) -> SafeString:
    """« En retard », ou rien : à l'heure et sans échéance ne se signalent pas."""
    return format_html('<span class="retard">{}</span>', "En retard") if en_retard else SafeString("")
