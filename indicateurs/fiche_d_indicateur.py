"""Ce que la page d'un indicateur montre : de quoi, depuis quand, par rapport à quoi, d'après qui."""

from dataclasses import dataclass
from itertools import groupby

from django.db.models import Prefetch

from indicateurs.chiffres import ChiffreCle, annee_a_saisir, chiffre_de
from indicateurs.comparaisons import Comparaison, comparaisons
from indicateurs.confrontations import LigneDAnnee, lignes_des_annees
from indicateurs.cumuls import Cumul, cumul_de
from indicateurs.graphiques import PartDeVentilation, graphique_annees, graphique_ventilation
from indicateurs.models import Cible, Indicateur, Justificatif, LigneDeVentilation, ValeurAnnuelle
from indicateurs.recalcul import calculs_de, est_locale, recalculs_de
from indicateurs.requetes import valeurs_connues
from marches.calculs.catalogue import Calcul
from socle.graphiques import Graphique
from socle.instants import AUJOURD_HUI, Instant


@dataclass(frozen=True)
class FicheDIndicateur:
    """`lignes` : les valeurs, de la plus récente à la plus ancienne ; `annees` : elles et les années qui n'ont qu'un
    calcul ; `ventilations` : une par dimension dont on se sert ;
    `cumul` : l'année en cours à ce jour, None si aucun registre ne la donne."""

    indicateur: Indicateur
    chiffre: ChiffreCle
    lignes: list[Comparaison]
    annees: list[LigneDAnnee]
    cibles: list[Cible]
    annee_a_saisir: int | None
    graphique: Graphique | None
    ventilations: list[Graphique]
    cumul: Cumul | None

    @property
    def calculs(self) -> list[Calcul]:
        return calculs_de(self.indicateur)

    @property
    def locale(self) -> bool:
        """Une part locale s'observe, elle ne se vise pas."""
        return any(est_locale(calcul) for calcul in self.calculs)


def assembler(indicateur: Indicateur, instant: Instant = AUJOURD_HUI) -> FicheDIndicateur:
    """Quatre requêtes, deux de plus pour les calculs, quel que soit le nombre d'années. `indicateur` : lu par
    `avec_ses_liens`. À un instant passé, ni calcul ni saisie : un résultat est d'aujourd'hui."""
    presents = Prefetch("justificatifs", Justificatif.objects.presents(), to_attr="pieces")
    annotees = valeurs_connues(instant.jour).filter(indicateur=indicateur).prefetch_related(presents)
    annotees = annotees.select_related("indicateur__denominateur", "resultat").defer("resultat__listes")
    valeurs = list(annotees.order_by("-annee"))
    cibles = list(indicateur.cibles.select_related("indicateur").order_by("-annee", "origine"))
    recalculs = {} if instant.passe else recalculs_de([indicateur]).get(indicateur.pk, {})
    annee = instant.le.year
    return FicheDIndicateur(
        indicateur=indicateur,
        chiffre=chiffre_de(indicateur, valeurs, cibles, reference=annee, recalculs=recalculs, fige=instant.passe),
        lignes=comparaisons(indicateur, valeurs),
        annees=lignes_des_annees(indicateur, valeurs, recalculs),
        cibles=cibles,
        annee_a_saisir=None if instant.passe else annee_a_saisir(valeurs, annee),
        graphique=graphique_annees(indicateur, valeurs, cibles) if valeurs or cibles else None,
        ventilations=_ventilations(indicateur, valeurs),
        cumul=None if instant.passe else cumul_de(indicateur, instant.le),
    )


def _ventilations(indicateur: Indicateur, valeurs: list[ValeurAnnuelle]) -> list[Graphique]:
    lignes = LigneDeVentilation.objects.filter(dimension__indicateur=indicateur).select_related("dimension", "valeur")
    ordonnees = lignes.order_by("dimension__nom", "dimension", "ordre", "modalite", "valeur__annee")
    connues = {valeur.pk for valeur in valeurs}
    montrees = [ligne for ligne in ordonnees if ligne.valeur_id in connues]
    return [
        graphique_ventilation(
            indicateur,
            str(dimension),
            [PartDeVentilation(ligne.valeur.annee, ligne.modalite, ligne.nombre) for ligne in siennes],
            cle=f"ventilation-{dimension.pk}",
        )
        for dimension, siennes in groupby(montrees, key=lambda ligne: ligne.dimension)
    ]
