"""Graphiques : une figure plotly entre, une <figure> accessible sort.

    graphique(figure, cle="avancement", titre="…", description="…")   # dans une vue
    {% load graphiques %}{% graphique g %}                            # dans un gabarit
    {% graphiques_ressources %}                                       # une fois par page qui en montre

Prises : `go.Bar` (groupées ou empilées, verticales ou horizontales) et `go.Scatter` (lignes, points, aires).
`layout.shapes` : des repères, traits verticaux munis d'un texte, sur un axe d'années ou de nombres. Toute autre
demande lève `GraphiqueNonPris`, qui la nomme (liste : `demandes.py`). L'unité et le nombre de décimales se disent
dans `meta={"unite": "%", "decimales": 1}`, d'une trace ou du layout.

L'axe des valeurs part de zéro, sauf `rangemode="normal"` explicite sur une courbe. Le module ne charge pas
plotly : seul l'appelant, qui construit la figure, l'importe, au moment de s'en servir.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from django.utils.safestring import SafeString, mark_safe

from .aspect import PALETTE
from .composition import composer
from .dessin import dessiner, dessiner_vide
from .etiquettes import ecrire_les_valeurs
from .lecture import lire
from .modele import Graphique, GraphiqueNonPris, Tableau
from .reprise import reprendre
from .tableau import dresser

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["PALETTE", "Graphique", "GraphiqueNonPris", "Tableau", "graphique"]

_CLE = re.compile(r"[a-z][a-z0-9-]*")


def graphique(
    figure: "Figure",
    *,
    cle: str,
    titre: str,
    description: str,
    resume: str | None = None,
    liens: Mapping[tuple[int, int], str] | None = None,
) -> Graphique:
    """Le dessin, le tableau et la reprise d'une figure.

    `titre` nomme le graphique ; `description` dit ce qu'on y voit à qui ne le voit pas ; `resume`, s'il y en a
    un, est la phrase à retenir, écrite sous le titre. `liens` : où mènent les cases du tableau, par (ligne,
    colonne), la colonne 0 étant celle des positions. Une figure sans valeur donne un dessin qui le dit.
    ValueError si `cle` n'est pas un identifiant (minuscules, chiffres, tirets) ; GraphiqueNonPris si la figure
    demande ce qui ne se dessine pas.
    """
    if not _CLE.fullmatch(cle):
        raise ValueError(f"cle={cle!r} : des minuscules ASCII, des chiffres et des tirets sont attendus.")
    lue = lire(figure)
    if lue.vide:
        svg, reprise = dessiner_vide(lue, cle, titre, description), SafeString("")
    else:
        composition = composer(lue)
        ecrites = ecrire_les_valeurs(composition)
        svg = dessiner(composition, ecrites, cle, titre, description)
        reprise = reprendre(composition, ecrites)
    return Graphique(
        cle=cle,
        titre=titre,
        description=description,
        svg=mark_safe(svg),  # noqa: S308 - svg.balise échappe tout texte et tout attribut
        tableau=replace(dresser(lue, titre), liens=liens or {}),
        json=reprise,
        resume=resume or "",
    )
