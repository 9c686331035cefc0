"""Ce qu'une figure a le droit de demander : tout le reste est refusé, par son nom.

La liste est fermée dans ce sens-là parce que plotly connaît des milliers d'attributs : en ignorer un seul en
silence ferait dessiner au serveur autre chose que ce que l'appelant a écrit.
"""

from collections.abc import Mapping
from typing import Any

from .modele import GraphiqueNonPris

COMMUNS = {"type", "x", "y", "name", "meta", "xaxis", "yaxis", "orientation"}
TRACES = {
    "bar": COMMUNS | {"marker"},
    "scatter": COMMUNS | {"mode", "line", "marker", "fill", "stackgroup", "connectgaps"},
}
MARQUEUR = {"bar": {"color", "pattern"}, "scatter": {"color", "symbol", "size"}}
LIGNE = {"color", "dash", "width", "shape"}
# Compris, mais sans effet : nombres, marges et bulles suivent nos propres règles.
SANS_EFFET = {"template", "separators", "margin", "autosize", "hovermode"}
MISE_EN_PAGE = SANS_EFFET | {
    "barmode",
    "bargap",
    "xaxis",
    "yaxis",
    "showlegend",
    "meta",
    "width",
    "height",
    "shapes",
}
# Un repère : un trait vertical de haut en bas, et son texte.
REPERE = {"type", "x0", "x1", "y0", "y1", "yref", "label", "line"}
# Les graduations sont choisies ici ; un axe garde les siennes s'il en donne le nombre ou le format.
AXE = {"title", "type", "visible", "autorange", "tickformat", "dtick", "tick0", "nticks", "automargin"} | {
    "fixedrange",
    "anchor",
}
AXE_DES_VALEURS = AXE | {"range", "rangemode"}

# attribut: valeurs comprises
VALEURS = {
    "barmode": ("group", "stack", "relative"),
    "fill": ("none", "tozeroy"),
    "line.shape": ("linear", "hv"),
    "rangemode": ("normal", "tozero"),
    "xaxis": ("x",),
    "yaxis": ("y",),
    "connectgaps": (False,),
}


def n_accepter(attributs: Mapping, connus: set[str], ou: str) -> None:
    """GraphiqueNonPris au premier attribut de `attributs` hors de `connus`."""
    inconnus = sorted(set(attributs) - connus)
    if inconnus:
        raise GraphiqueNonPris(f"{ou} : « {inconnus[0]} » n'est pas pris en charge par le dessin du serveur.")


def parmi(attributs: Mapping, nom: str, defaut: Any, ou: str, cle: str = "") -> Any:
    """La valeur de `nom`, refusée si elle n'est pas de celles que l'on dessine."""
    valeur = attributs.get(nom, defaut)
    admises = VALEURS[cle or nom]
    if valeur not in admises and valeur != defaut:
        liste = ", ".join(map(str, admises))
        raise GraphiqueNonPris(f"{ou} : {cle or nom}={valeur!r} n'est pas pris en charge ({liste}).")
    return valeur


def trace_admise(trace: Mapping, ou: str) -> None:
    """Refuse le genre de la trace, puis le premier de ses attributs que l'on ne dessinerait pas."""
    genre = trace.get("type", "scatter")
    if genre not in TRACES:
        raise GraphiqueNonPris(f"{ou} : une trace « {genre} » n'est pas prise en charge (barres ou courbes).")
    n_accepter(trace, TRACES[genre], ou)
    n_accepter(trace.get("marker", {}), MARQUEUR[genre], f"{ou}, marker")
    n_accepter(trace.get("line", {}), LIGNE, f"{ou}, line")
    n_accepter(trace.get("marker", {}).get("pattern", {}), {"shape"}, f"{ou}, marker.pattern")
    for nom in ("xaxis", "yaxis", "connectgaps", "fill"):
        parmi(trace, nom, VALEURS[nom][0], ou)
    parmi(trace.get("line", {}), "shape", "linear", ou, "line.shape")


def repere_admis(forme: Mapping) -> None:
    """Refuse une forme qui ne serait pas un repère : un trait vertical qui traverse le tracé, avec un texte."""
    n_accepter(forme, REPERE, "layout.shapes")
    n_accepter(forme.get("label", {}), {"text"}, "layout.shapes, label")
    n_accepter(forme.get("line", {}), {"dash"}, "layout.shapes, line")
    traverse = (forme.get("y0"), forme.get("y1"), forme.get("yref")) == (0, 1, "paper")
    place = isinstance(forme.get("x0"), int | float) and forme["x0"] == forme.get("x1")
    if forme.get("type") != "line" or not place or not traverse:
        raise GraphiqueNonPris("layout.shapes : seul un trait vertical, de y=0 à y=1 (yref='paper'), est dessiné.")
    if forme.get("line", {}).get("dash") != "dash":
        raise GraphiqueNonPris("layout.shapes : un repère est tireté (line.dash='dash').")
    if not forme.get("label", {}).get("text"):
        raise GraphiqueNonPris("layout.shapes : un repère sans texte ne se comprend pas.")


def mise_en_page_admise(layout: Mapping) -> None:
    """Refuse le premier attribut du `layout` que l'on ne dessinerait pas."""
    n_accepter(layout, MISE_EN_PAGE, "layout")
    parmi(layout, "barmode", "group", "layout")
