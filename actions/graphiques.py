"""Les figures du plan."""

from datetime import date

from actions.requetes import Decompte
from socle.formats import formater_date_longue
from socle.graphiques import Graphique, graphique


def graphique_avancement(decompte: Decompte, le: date) -> Graphique:
    """Une barre empilée, en nombre d'actions : des parts à côté d'un chiffre clé en % se confondraient."""
    from plotly import graph_objects as go

    figure = go.Figure(
        data=[
            go.Bar(
                x=[nombre],
                y=["Actions"],
                name=statut.libelle_pluriel.capitalize(),
                orientation="h",
                marker={"color": statut.couleur},
            )
            for statut, nombre in decompte.par_statut().items()
            if decompte.total
        ],
        layout={"barmode": "stack", "xaxis": {"visible": False}, "yaxis": {"visible": False}},
    )
    return graphique(
        figure,
        cle="avancement",
        titre="Actions par statut",
        description=f"{decompte.phrase}, au {formater_date_longue(le)}.",
    )
