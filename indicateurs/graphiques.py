"""Les figures des indicateurs."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from indicateurs.listes import Nature, OrigineDeCible
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


class Mesure(Protocol):
    """Ce qui se mesure : un indicateur de la base, ou celui d'un bilan arrêté."""

    intitule: Any
    unite: Any
    nature: Any


class Releve(Protocol):
    """Une valeur annuelle, de la base ou d'un bilan arrêté."""

    @property
    def annee(self) -> Any: ...
    @property
    def numerateur(self) -> Any: ...
    @property
    def valeur_retenue(self) -> Any: ...
    @property
    def rupture(self) -> Any: ...


class Objectif(Protocol):
    """Un objectif annuel, de la base ou d'un bilan arrêté."""

    @property
    def annee(self) -> Any: ...
    @property
    def valeur(self) -> Any: ...
    @property
    def origine(self) -> Any: ...
    @property
    def active(self) -> Any: ...


@dataclass(frozen=True)
class PartDeVentilation:
    """Le nombre d'une modalité, une année."""

    annee: int
    modalite: str
    nombre: Decimal


def graphique_annees(
    indicateur: Mesure, valeurs: Sequence[Releve], cibles: Sequence[Objectif] = (), *, cle: str = "annees"
) -> Graphique:
    """Une barre par année ; par origine, les objectifs actifs en points et en paliers : un objectif n'est pas une
    trajectoire, rien ne s'interpole. Un trait coupe la série avant une année de rupture.

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
        go.Figure(data=[barres, *points], layout={"bargap": 0.2, "shapes": _ruptures(valeurs, annees)}),
        cle=cle,
        titre="Valeurs et objectifs par année" if points else "Valeurs par année",
        description=f"{indicateur.intitule} : {accorder(len(connues), 'année renseignée', 'années renseignées')}"
        + (f", {objectifs}." if points else "."),
    )


def _ruptures(valeurs: Sequence[Releve], annees: Sequence[int]) -> list[dict[str, Any]]:
    """Un repère entre l'année de rupture et celle d'avant ; rien hors des années montrées (`annees`, sans trou)."""
    rompues = [valeur.annee for valeur in valeurs if valeur.rupture and valeur.annee in annees[1:]]
    return [
        {"type": "line", "x0": annee - 0.5, "x1": annee - 0.5, "y0": 0, "y1": 1, "yref": "paper"}
        | {"line": {"dash": "dash"}, "label": {"text": "Rupture"}}
        for annee in sorted(rompues)
    ]


def graphique_ventilation(
    indicateur: Mesure, dimension: str, lignes: Sequence[PartDeVentilation], *, cle: str
) -> Graphique:
    """Une barre empilée par année, une part par modalité. `lignes` : celles d'une dimension."""
    from plotly import graph_objects as go

    annees = [ligne.annee for ligne in lignes]
    # Dans l'ordre où elles se donnent ; une modalité qu'une année n'a pas y reste vide.
    modalites = dict.fromkeys(ligne.modalite for ligne in lignes)
    nombres = {(ligne.modalite, ligne.annee): ligne.nombre for ligne in lignes}
    suite = list(range(min(annees), max(annees) + 1))
    # Les lignes d'une part totalisent son numérateur, qui n'est pas en pour cent.
    unite = "" if indicateur.nature == Nature.PART else indicateur.unite
    barres = [
        go.Bar(x=suite, y=[nombres.get((modalite, annee)) for annee in suite], name=modalite, meta={"unite": unite})
        for modalite in modalites
    ]
    return graphique(
        go.Figure(data=barres, layout={"barmode": "stack", "bargap": 0.2}),
        cle=cle,
        titre=f"Ventilation {dimension}",
        description=f"{indicateur.intitule}, {dimension} : {accorder(len(modalites), 'modalité')}.",
    )


def _points(indicateur: Mesure, cibles: Sequence[Objectif]) -> "list[Scatter]":
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
                mode="lines+markers",
                # Un palier : l'objectif d'une année vaut jusqu'au suivant.
                line={"shape": "hv", "dash": "dot", "width": 1.5},
                marker={"symbol": symbole, "size": 11},
                meta={"unite": indicateur.unite},
            )
            series.append(serie)
    return series
