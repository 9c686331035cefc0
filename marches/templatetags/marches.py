"""Ce que les gabarits des marchés se partagent."""

import datetime
from dataclasses import dataclass
from decimal import Decimal

from django import template
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from marches.calculs.catalogue import CALCULS
from marches.communes import nom_de
from marches.decp.contrats import phrase_du_motif
from marches.listes import ChampCorrige
from marches.models import Consultation, Contrat, CorrectionDeContrat, ResultatDeCalcul
from marches.ouverture import Liste, ecrire_le_nombre, nombre_de
from marches.reponses import Reponse
from marches.rubriques import adresse_ou_rien, rubriques_pour
from socle.formats import ABSENT, formater_date, formater_montant

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


@register.simple_tag
def vers_les_enregistrements(resultat: ResultatDeCalcul, liste: str, motif: str = "") -> str | SafeString:
    """{% vers_les_enregistrements resultat "numerateur" %} : le nombre, lien vers sa liste ; 0 n'en a pas.

    Ne lit pas les listes du résultat, que les pages laissent en base.
    """
    calcul, demandee = CALCULS.get(resultat.code), Liste(liste)
    nombre = nombre_de(resultat, demandee, motif)
    if calcul is None or nombre is None:
        return ABSENT
    ecrit = ecrire_le_nombre(calcul, demandee, nombre)
    if not nombre:
        return ecrit
    adresse = reverse("marches:resultat", args=[resultat.pk, demandee.value])
    return format_html(
        '<a class="nombre-lie" href="{}{}">{}<span class="visually-hidden"> : voir les enregistrements</span></a>',
        adresse,
        f"?motif={motif}" if motif else "",
        ecrit,
    )


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


@register.simple_tag
def geste_de_correction(champ: ChampCorrige) -> str:
    """Le verbe du lien qui mène à cette correction."""
    return {
        ChampCorrige.DATE: "Corriger la date",
        ChampCorrige.MONTANT: "Corriger ou confirmer le montant",
        ChampCorrige.ENVIRONNEMENT: "Renseigner l'environnement",
        ChampCorrige.SOCIAL: "Renseigner le social",
        ChampCorrige.DOUBLON: "C'est un doublon",
        ChampCorrige.DISTINCT: "C'est un contrat distinct",
    }[champ]


@register.simple_tag
def valeur_corrigee(correction: CorrectionDeContrat) -> str:
    """La valeur donnée, en clair ; vide pour un doublon ou un contrat distinct, qui n'en montrent pas."""
    match correction.champ:
        case ChampCorrige.DATE:
            return formater_date(datetime.date.fromisoformat(correction.valeur))
        case ChampCorrige.MONTANT:
            return formater_montant(Decimal(correction.valeur))
        case ChampCorrige.ENVIRONNEMENT | ChampCorrige.SOCIAL:
            return str(Reponse(correction.valeur).label)
    return ""
