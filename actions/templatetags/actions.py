"""Pastilles et gestes : un mot, une couleur et un pictogramme, décidés ici et nulle part ailleurs."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.template import RequestContext
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from actions.annulation import ligne_annulable
from actions.models import Action
from actions.requetes import Decompte
from actions.statuts import Statut
from comptes.droits import Droit, peut
from socle.formats import typographie
from socle.relecture import moment_relu
from socle.templatetags.icones import icone

register = template.Library()


@register.simple_tag
def badge_statut(statut: str | None) -> SafeString:
    """Le statut en toutes lettres ; « Inconnu » avant la première ligne du journal."""
    if not statut:
        return format_html('<span class="statut statut-inconnu">{}{}</span>', icone("question-circle"), "Inconnu")
    connu = Statut(statut)
    return format_html('<span class="statut statut-{}">{}{}</span>', connu, icone(connu.icone), connu.label)


@register.simple_tag
def badge_retard(en_retard: bool | None) -> SafeString:
    """« En retard », ou rien : à l'heure et sans échéance ne se signalent pas."""
    if not en_retard:
        return SafeString("")
    return format_html('<span class="retard">{}{}</span>', icone("clock-history"), "En retard")


@register.simple_tag
def badge_attention(action: Action) -> SafeString:
    """La nature du point d'attention, ou rien."""
    if not action.attention:
        return SafeString("")
    return format_html(
        '<span class="attention">{}{}</span>',
        icone("exclamation-triangle-fill"),
        action.get_attention_nature_display(),
    )


@register.simple_tag
def citer(action: Action) -> SafeString:
    """Une action citée dans une phrase : son numéro, lien vers elle, et son intitulé."""
    return format_html(
        '<a href="{}">n°\u00a0{}</a> {}', action.get_absolute_url(), action.numero, typographie(action.intitule)
    )


@register.inclusion_tag("actions/_statut_en_place.html", takes_context=True)
def statut_en_place(
    context: RequestContext, action: Action, *, fige: bool = False, sans_mot: bool = False
) -> dict[str, Any]:
    """Le statut d'une action et de quoi le changer sans quitter la page, pour qui en a le droit.

    `action` est annotée par `etat_au` et `avec_retard`. `fige` : situation passée, sans geste. `sans_mot` : le statut
    se lit déjà au-dessus (colonne).
    """
    request = context["request"]
    peut_changer = not fige and peut(request.user, Droit.METTRE_A_JOUR, action)
    htmx = getattr(request, "htmx", None)
    return {
        "action": action,
        "peut_changer": peut_changer,
        # Un point d'attention n'a que le temps de sa saisie : à une date passée, il faut dire laquelle.
        "attention_connue": not fige or moment_relu() is not None,
        "suites": Statut.suites(action.etat_statut),
        "annulable": ligne_annulable(request, action.pk) if peut_changer else None,
        "aujourdhui": timezone.localdate(),
        "suite": (htmx and htmx.current_url_abs_path) or request.get_full_path(),
        "sans_mot": sans_mot,
        "csrf_token": context.get("csrf_token"),
    }


@dataclass(frozen=True)
class Segment:
    """Une part de la barre, en pour cent de sa largeur, écrits comme le SVG les lit."""

    statut: Statut
    nombre: int
    debut: str
    largeur: str
    milieu: str


@register.inclusion_tag("actions/_barre_de_statuts.html")
def barre_de_statuts(decompte: Decompte, *, liste: str = "") -> dict[str, Any]:
    """Une barre en nombre d'actions ; chacun mène à `liste`, une adresse déjà filtrée, avec son statut. Sans `liste`,
    la barre est mince et sans nombres : des liens les disent à côté."""
    segments, debut = [], 0.0
    for statut, nombre in decompte.par_statut().items():
        largeur = 100 * nombre / decompte.total if decompte.total else 0
        if nombre:
            milieu = debut + largeur / 2
            segments.append(Segment(statut, nombre, f"{debut:.2f}%", f"{largeur:.2f}%", f"{milieu:.2f}%"))
        debut += largeur
    return {"segments": segments, "liste": liste}
