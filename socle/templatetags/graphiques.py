"""Poser un graphique dans un gabarit, et ne charger de quoi l'animer que sur les pages qui en ont un."""

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from socle.graphiques import Graphique

register = template.Library()


@register.inclusion_tag("socle/_graphique.html")
def graphique(g: Graphique) -> dict[str, Graphique]:
    """La <figure> complète de `g`."""
    return {"g": g}


@register.simple_tag
def graphiques_ressources() -> SafeString:
    """Les feuilles et scripts des graphiques ; à poser une fois, dans la tête de la page.

    L'identifiant et la classe du <link> disent à plotly que ses styles sont déjà là : sans eux il les
    injecterait, ce que la CSP interdit.
    """
    return format_html(
        '<link id="plotly.js-style-global" class="no-inline-styles" rel="stylesheet" href="{}">\n'
        '<script defer src="{}"></script>\n<script defer src="{}"></script>\n<script defer src="{}"></script>',
        static("vendor/plotly/plotly.css"),
        static("vendor/plotly/plotly-basic.min.js"),
        static("vendor/plotly/plotly-fr.js"),
        static("js/graphiques.js"),
    )
