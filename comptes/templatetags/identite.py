"""De quoi montrer le bouton du fournisseur d'identité."""

from django import template
from django.conf import settings

from comptes.reglages_oidc import ReglagesOidc

register = template.Library()


@register.simple_tag
def fournisseur_d_identite() -> ReglagesOidc | None:
    """Celui des réglages, s'il y en a un."""
    return settings.OIDC
