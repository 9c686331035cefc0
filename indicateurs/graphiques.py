"""Les figures des indicateurs."""

from collections.abc import Sequence

from indicateurs.models import Indicateur, ValeurAnnuelle
from socle.formats import accorder
from socle.graphiques import Graphique, graphique


def graphique_annees(indicateur: Indicateur, valeurs: Sequence[ValeurAnnuelle]) -> Graphique:
    """Une barre par année ; une année sans valeur, entre deux autres, reste vide. Une part déduite se lit à une
    décimale, une valeur saisie telle quelle."""
    from plotly import graph_objects as go

    deduite = any(valeur.numerateur is not None for valeur in valeurs)
    connues = {valeur.annee: valeur.valeur_retenue for valeur in valeurs if valeur.valeur_retenue is not None}
    annees = range(min(connues), max(connues) + 1) if connues else ()
    figure = go.Figure(
        data=[
            go.Bar(
                x=[str(annee) for annee in annees],
                y=[connues.get(annee) for annee in annees],
                name=indicateur.intitule,
                meta={"unite": indicateur.unite, "decimales": 1 if deduite else None},
            )
        ]
    )
    return graphique(
        figure,
        cle="annees",
        titre="Valeurs par année",
        description=f"{indicateur.intitule} : {accorder(len(connues), 'année renseignée', 'années renseignées')}.",
    )
