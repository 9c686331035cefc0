"""Ce que les gabarits des marchés se partagent."""

from dataclasses import dataclass

from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

from marches.communes import nom_de
from marches.decp.contrats import phrase_du_motif
from marches.models import Consultation, Contrat
from marches.rubriques import adresse_ou_rien, rubriques_pour

register = template.Library()


@register.simple_tag
def lien_vers_la_consultation(consultation: Consultation) -> SafeString:
    """Son numéro, qui mène à sa page."""
    return format_html('<a href="{}">{}</a>', consultation.get_absolute_url(), consultation.numero)


@register.simple_tag
def lien_vers_le_contrat(contrat: Contrat) -> str | SafeString:
    """Son identifiant, qui mène à sa page."""
    texte = contrat.identifiant or "Sans identifiant"
    adresse = adresse_ou_rien("marches:contrat", contrat.souche)
    return format_html('<a href="{}">{}</a>', adresse, texte) if adresse else texte


@dataclass(frozen=True)
class Entree:
    libelle: str
    adresse: str
    courante: bool


@register.simple_tag(takes_context=True)
def rubriques(context: Context) -> list[Entree]:
    """Les pages de la section, dans l'ordre où l'on s'en sert."""
    chemin = context["request"].path
    ouvertes = rubriques_pour(peut_importer=bool(context.get("peut_importer")))
    return [Entree(r.titre, r.adresse, chemin.startswith(r.adresse)) for r in ouvertes]


register.filter("motif_de_refus", phrase_du_motif)


@register.simple_tag
def nom_de_commune(code: str) -> str:
    """Le nom de la commune de ce code INSEE, vide si le code l'est."""
    return nom_de(code)
