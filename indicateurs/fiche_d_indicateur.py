"""Ce que la page d'un indicateur montre : de quoi, depuis quand, par rapport à quoi, d'après qui."""

from dataclasses import dataclass
from itertools import groupby

from django.db.models import Prefetch
from django.utils import timezone

from indicateurs.chiffres import ChiffreCle, annee_a_saisir, chiffre_de
from indicateurs.comparaisons import Comparaison, comparaisons
from indicateurs.cumuls import Cumul, cumul_de
from indicateurs.graphiques import graphique_annees, graphique_ventilation
from indicateurs.models import Cible, Indicateur, Justificatif, LigneDeVentilation
from socle.graphiques import Graphique


@dataclass(frozen=True)
class FicheDIndicateur:
    """`lignes` : de la plus récente à la plus ancienne ; `ventilations` : une par dimension dont on se sert ;
    `cumul` : l'année en cours à ce jour, None si aucun registre ne la donne."""

    indicateur: Indicateur
    chiffre: ChiffreCle
    lignes: list[Comparaison]
    cibles: list[Cible]
    annee_a_saisir: int | None
    graphique: Graphique | None
    ventilations: list[Graphique]
    cumul: Cumul | None


def assembler(indicateur: Indicateur) -> FicheDIndicateur:
    """Quatre requêtes, quel que soit le nombre d'années. `indicateur` : lu par `avec_ses_liens`."""
    aujourdhui = timezone.localdate()
    presents = Prefetch("justificatifs", Justificatif.objects.presents(), to_attr="pieces")
    annotees = indicateur.valeurs.avec_valeur().select_related("indicateur__denominateur").prefetch_related(presents)
    valeurs = list(annotees.order_by("-annee"))
    cibles = list(indicateur.cibles.select_related("indicateur").order_by("-annee", "origine"))
    return FicheDIndicateur(
        indicateur=indicateur,
        chiffre=chiffre_de(indicateur, valeurs, cibles, reference=aujourdhui.year),
        lignes=comparaisons(indicateur, valeurs),
        cibles=cibles,
        annee_a_saisir=annee_a_saisir(valeurs, aujourdhui.year),
        graphique=graphique_annees(indicateur, valeurs, cibles) if valeurs or cibles else None,
        ventilations=_ventilations(indicateur),
        cumul=cumul_de(indicateur, aujourdhui),
    )


def _ventilations(indicateur: Indicateur) -> list[Graphique]:
    lignes = LigneDeVentilation.objects.filter(dimension__indicateur=indicateur).select_related("dimension", "valeur")
    ordonnees = lignes.order_by("dimension__nom", "dimension", "ordre", "modalite", "valeur__annee")
    return [
        graphique_ventilation(indicateur, dimension, list(siennes))
        for dimension, siennes in groupby(ordonnees, key=lambda ligne: ligne.dimension)
    ]
