"""Ce que les gabarits des indicateurs demandent : qui peut saisir, et la pastille d'une appréciation."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from comptes.droits import Droit, peut
from indicateurs.appreciation import Jugement
from indicateurs.lignes_de_collecte import Attente, attentes
from indicateurs.listes import Appreciation
from indicateurs.models import Indicateur
from socle.templatetags.icones import icone

register = template.Library()

# Le mot dit l'état ; le pictogramme et la couleur (site.css) l'accompagnent.
PICTOGRAMMES = {
    Appreciation.ATTEINT: "check-circle-fill",
    Appreciation.EN_BONNE_VOIE: "arrow-right",
    Appreciation.A_SURVEILLER: "exclamation-triangle-fill",
    Appreciation.SANS_OBJECTIF: "circle",
    Appreciation.NON_RENSEIGNE: "question-circle",
}


@register.filter
def peut_saisir(utilisateur, indicateur: Indicateur) -> bool:
    """{% if user|peut_saisir:indicateur %} : son service le produit, ou il tient tout le plan."""
    return peut(utilisateur, Droit.SAISIR_UNE_DONNEE, indicateur)


@register.filter
def peut_retenir(utilisateur) -> bool:
    """{% if user|peut_retenir %} : qui valide les valeurs retient celles que les calculs donnent."""
    return peut(utilisateur, Droit.VALIDER)


@register.inclusion_tag("indicateurs/_valeurs_demandees.html")
def valeurs_demandees(utilisateur) -> dict[str, list[Attente]]:
    """{% valeurs_demandees user %} : une ligne par collecte ouverte où son service doit encore une valeur."""
    return {"attentes": attentes(utilisateur)}


@register.simple_tag
def badge_appreciation(jugement: Jugement) -> SafeString:
    """Où en est l'indicateur face à son objectif, en toutes lettres."""
    appreciation = jugement.appreciation
    return format_html(
        '<span class="statut appreciation-{}">{}{}</span>',
        appreciation.value,
        icone(PICTOGRAMMES[appreciation]),
        appreciation.label,
    )
