"""Les statuts d'un plan au fil du temps."""

from collections.abc import Mapping
from datetime import date, timedelta

from django.utils import timezone

from actions.requetes import Decompte
from actions.situation import decomptes_aux
from actions.statuts import Statut
from bilans.cadre import Cadre
from bilans.demande import fin_de_l_annee
from socle.formats import formater_date
from socle.graphiques import Graphique, graphique

JALONS_AU_PLUS = 10
# Une histoire plus courte, lue à la fin des années, tiendrait en une barre ou deux.
COURTE_HISTOIRE = timedelta(days=600)


def jalons(debut: date | None, le: date) -> list[date]:
    """Les fins d'année de `debut` à `le`, puis `le` ; les fins de trimestre quand l'histoire est courte."""
    if debut is None or debut > le:
        return []
    mois_de_fin = (3, 6, 9, 12) if le - debut < COURTE_HISTOIRE else (12,)
    fins = (_fin_du_mois(annee, mois) for annee in range(debut.year, le.year + 1) for mois in mois_de_fin)
    return [*(fin for fin in fins if debut <= fin < le), le][-JALONS_AU_PLUS:]


def _fin_du_mois(annee: int, mois: int) -> date:
    return date(annee + mois // 12, mois % 12 + 1, 1) - timedelta(days=1)


def graphique_evolution(cadre: Cadre) -> Graphique:
    """Une barre par jalon, empilée par statut, en nombre d'actions ; chaque nombre du tableau mène à sa liste."""
    decomptes = decomptes_aux(cadre.plan, jalons(cadre.debut, cadre.le))
    return graphique(
        figure_des_statuts(decomptes, aujourd_hui=timezone.localdate()),
        cle="evolution",
        titre="Évolution des statuts",
        description="Nombre d'actions du plan par statut, à la fin de chaque période et à la date montrée.",
        liens=_liens(cadre, decomptes),
    )


def figure_des_statuts(decomptes: Mapping[date, Decompte], *, aujourd_hui: date | None = None):
    """`aujourd_hui` : le jalon qui se dit « à ce jour » ; None quand la figure doit rester la même demain."""
    from plotly import graph_objects as go

    return go.Figure(
        data=[
            go.Bar(
                x=[_libelle(jour, aujourd_hui) for jour in decomptes],
                y=[decompte.par_statut()[statut] for decompte in decomptes.values()],
                name=statut.libelle_pluriel.capitalize(),
                marker={"color": statut.couleur},
            )
            for statut in Statut
        ],
        layout={"barmode": "stack", "height": 180},
    )


def _libelle(jour: date, aujourd_hui: date | None) -> str:
    """« fin 2024 », « fin 06/2025 », « à ce jour » ; sinon la date."""
    if jour == aujourd_hui:
        return "à ce jour"
    if jour == fin_de_l_annee(jour.year):
        return f"fin {jour.year}"
    return f"fin {jour:%m/%Y}" if jour == _fin_du_mois(jour.year, jour.month) else formater_date(jour)


def _liens(cadre: Cadre, decomptes: dict[date, Decompte]) -> dict[tuple[int, int], str]:
    return {
        (ligne, colonne): cadre.adresse_des_actions(statut=statut, au=jour.isoformat())
        for ligne, jour in enumerate(decomptes)
        for colonne, statut in enumerate(Statut, start=1)
    }
