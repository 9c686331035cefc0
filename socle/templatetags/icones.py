"""Les pictogrammes : un mot les accompagne toujours, donc les lecteurs d'écran les ignorent."""

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icone(nom: str) -> SafeString:
    """{% icone "pencil" %} : un pictogramme de la planche static/vendor/icones (liste : scripts/vendor.py)."""
    return format_html(
        '<svg class="icone" width="16" height="16" aria-hidden="true"><use href="{}#{}"></use></svg>',
        static("vendor/icones/icones.svg"),
        nom,
    )
