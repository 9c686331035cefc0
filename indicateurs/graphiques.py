"""Les figures des indicateurs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from indicateurs.listes import OrigineDeCible
from indicateurs.models import Cible, Indicateur, ValeurAnnuelle
from socle.formats import accorder
from socle.graphiques import Graphique, graphique

if TYPE_CHECKING:
    from plotly.graph_objects import Scatter

# Un losange pour l'objectif du plan ; la forme, pas seulement la couleur, dit de qui vient un objectif.
LEGENDES = {
    OrigineDeCible.PLAN: ("Objectif", "diamond"),
    OrigineDeCible.OBLIGATION: ("Obligation", "triangle-up"),
    OrigineDeCible.OBJECTIF_NATIONAL: ("Objectif national", "square"),
}


def graphique_annees(
    indicateur: Indicateur, valeurs: Sequence[ValeurAnnuelle], cibles: Sequence[Cible] = ()
) -> Graphique:
    """Une barre par année, un point par objectif actif, jamais relié : un objectif n'est pas une trajectoire.

    Une année sans valeur, entre deux autres, reste vide. Une part déduite se lit à une décimale, une valeur saisie
    telle quelle.
    """
    from plotly import graph_objects as go

    deduite = any(valeur.numerateur is not None for valeur in valeurs)
    connues = {valeur.annee: valeur.valeur_retenue for valeur in valeurs if valeur.valeur_retenue is not None}
    points = _points(indicateur, [cible for cible in cibles if cible.active])
    bornes = [*connues, *(annee for point in points for annee in point.x)]
    annees = list(range(min(bornes), max(bornes) + 1)) if bornes else []
    barres = go.Bar(
        x=annees,
        y=[connues.get(annee) for annee in annees],
        name="Valeur" if points else indicateur.intitule,
        meta={"unite": indicateur.unite, "decimales": 1 if deduite else None},
    )
    objectifs = accorder(sum(len(point.x) for point in points), "objectif")
    return graphique(
        go.Figure(data=[barres, *points], layout={"bargap": 0.2}),
        cle="annees",
        titre="Valeurs et objectifs par année" if points else "Valeurs par année",
        description=f"{indicateur.intitule} : {accorder(len(connues), 'année renseignée', 'années renseignées')}"
        + (f", {objectifs}." if points else "."),
    )


def _points(indicateur: Indicateur, cibles: Sequence[Cible]) -> "list[Scatter]":
    """Une série par origine qui a un objectif."""
    from plotly import graph_objects as go

    series: list[Any] = []
    for origine, (nom, symbole) in LEGENDES.items():
        siennes = sorted((cible for cible in cibles if cible.origine == origine), key=lambda cible: cible.annee)
        if siennes:
            serie = go.Scatter(
                x=[cible.annee for cible in siennes],
                y=[cible.valeur for cible in siennes],
                name=nom,
                mode="markers",
                marker={"symbol": symbole, "size": 11},
                meta={"unite": indicateur.unite},
            )
            series.append(serie)
    return series
