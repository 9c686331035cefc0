"""« Situation au … » : le choix, le bandeau, et l'instant que les liens d'une page gardent."""

from typing import Any

from django import template
from django.template.context import RequestContext
from django.utils.http import urlencode

from socle.instants import AU, SAISI_AU, FormulaireDInstant, Instant

register = template.Library()

# Ce qui ne suit pas d'un instant à l'autre : le rang d'une page, et l'année, qui en est un autre.
_LAISSES = frozenset({AU, SAISI_AU, "annee", "page", "csrfmiddlewaretoken"})


@register.inclusion_tag("socle/_instant.html", takes_context=True)
def choix_de_l_instant(context: RequestContext, **reste: str) -> dict[str, Any]:
    """Le formulaire de la page montrée ; ce que l'adresse demande d'autre y reste. `reste` : ce qui s'y ajoute, que la
    page a choisi d'elle-même (`plan=…`)."""
    demande = context["request"].GET.copy()
    pose = any(demande.get(nom) for nom in (AU, SAISI_AU))
    demande.update({nom: valeur for nom, valeur in reste.items() if nom not in demande})
    autres = ((nom, valeur) for nom in demande if nom not in _LAISSES for valeur in demande.getlist(nom) if valeur)
    return {"formulaire": FormulaireDInstant(demande if pose else None), "autres": list(autres)}


@register.inclusion_tag("socle/_bandeau_de_l_instant.html", takes_context=True)
def bandeau_de_l_instant(
    context: RequestContext, instant: Instant | None, ignorance: str = "", precision: str = "", **reste: str
) -> dict[str, Any]:
    """Ce que la page montre, dit tout net ; rien aujourd'hui. `ignorance` : « Rien n'est connu avant le… » ; `reste` :
    ce que le lien d'aujourd'hui redit, que la page a choisi d'elle-même (`plan=…`)."""
    demande = context["request"].GET.copy()
    for nom in _LAISSES:
        demande.pop(nom, None)
    demande.update({nom: valeur for nom, valeur in reste.items() if nom not in demande})
    aujourdhui = f"{context['request'].path}{'?' if demande else ''}{demande.urlencode()}"
    return {"instant": instant, "ignorance": ignorance, "precision": precision, "aujourdhui": aujourdhui}


@register.simple_tag
def a_l_instant(instant: Instant | None, suite: bool = False) -> str:
    """« ?au=2024-12-31 », à la fin d'une adresse ; vide aujourd'hui. `suite` : l'adresse a déjà des paramètres."""
    if not instant or not instant.passe:
        return ""
    return f"{'&' if suite else '?'}{urlencode(instant.parametres)}"
