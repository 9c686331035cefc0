"""Les graphiques d'un bilan, dessinés de son contenu comme ceux du tableau de bord et des indicateurs."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from actions.requetes import Decompte
from bilans.contenu.schema import IndicateurLu
from bilans.evolution import figure_des_statuts
from indicateurs.graphiques import PartDeVentilation, graphique_annees, graphique_ventilation
from socle.graphiques import Graphique, graphique


def graphique_des_statuts(decomptes: Mapping[date, Decompte]) -> Graphique:
    """Une barre par fin de période. Chaque jalon se dit par sa date : « à ce jour » ne le serait plus demain."""
    dessin = graphique(
        figure_des_statuts(decomptes),
        cle="evolution",
        titre="Évolution des statuts",
        description="Nombre d'actions du plan par statut, à la fin de chaque période.",
    )
    return replace(dessin, tableau=replace(dessin.tableau, entetes=("Date", *dessin.tableau.entetes[1:])))


def graphiques_de_l_indicateur(indicateur: IndicateurLu) -> tuple[list[Graphique], list[Graphique]]:
    """Ses valeurs par année avec ses objectifs, puis une figure par dimension ; sans chiffre, rien à dessiner."""
    valeurs = indicateur.valeurs
    if not indicateur.objectifs and all(valeur.valeur_retenue is None for valeur in valeurs):
        return [], []
    par_annee = graphique_annees(indicateur, valeurs, indicateur.objectifs, cle=f"annees-{indicateur.cle}")
    dimensions = dict.fromkeys(dimension for valeur in valeurs for dimension in valeur.ventilation)
    return [par_annee], [
        graphique_ventilation(
            indicateur,
            dimension,
            [
                PartDeVentilation(valeur.annee, modalite, nombre)
                for valeur in valeurs
                for modalite, nombre in valeur.ventilation.get(dimension, {}).items()
            ],
            cle=f"ventilation-{indicateur.cle}-{rang}",
        )
        for rang, dimension in enumerate(dimensions, start=1)
    ]
