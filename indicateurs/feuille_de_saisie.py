"""Ce que des lignes de saisie ont besoin de connaître, lu une fois pour toutes : deux requêtes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from comptes.droits import Droit, peut
from comptes.models import Utilisateur
from indicateurs.models import Indicateur, ValeurAnnuelle


class Feuille:
    """Les valeurs d'une année et de celle d'avant : celles de ces indicateurs, de leurs dénominateurs et des taux qui
    s'appuient sur eux. `auteur` : qui saisit."""

    def __init__(self, indicateurs: Iterable[Indicateur], annee: int, auteur: Utilisateur) -> None:
        self.annee, self.auteur = annee, auteur
        self.peut_valider = peut(auteur, Droit.VALIDER)
        indicateurs = list(indicateurs)
        self._taux: defaultdict[int, list[Indicateur]] = defaultdict(list)
        for taux in indicateurs_a_saisir().filter(denominateur__in=indicateurs).order_by("intitule", "pk"):
            self._taux[taux.denominateur_id].append(taux)
        series = {indicateur.pk for indicateur in indicateurs}
        series |= {indicateur.denominateur_id for indicateur in indicateurs if indicateur.denominateur_id}
        series |= {taux.pk for tous in self._taux.values() for taux in tous}
        self._valeurs: dict[tuple[int, int], ValeurAnnuelle] = {}
        self._lire(series, (annee - 1, annee))

    @property
    def annee_d_avant(self) -> int:
        return self.annee - 1

    def _lire(self, series: Iterable[int], annees: Iterable[int]) -> None:
        lues = ValeurAnnuelle.objects.avec_valeur().filter(indicateur__in=series, annee__in=annees)
        for valeur in lues.select_related("indicateur"):
            self._valeurs[valeur.indicateur_id, valeur.annee] = valeur

    def relire(self, indicateur: Indicateur) -> None:
        """Après une écriture, la sienne ou celle d'un autre : cette valeur, et les taux qui s'appuient sur elle."""
        self._lire([indicateur.pk, *(taux.pk for taux in self.taux(indicateur))], [self.annee])

    def valeur(self, indicateur: Indicateur) -> ValeurAnnuelle | None:
        return self._valeurs.get((indicateur.pk, self.annee))

    def precedente(self, indicateur: Indicateur) -> ValeurAnnuelle | None:
        return self._valeurs.get((indicateur.pk, self.annee - 1))

    def partagee(self, indicateur: Indicateur) -> ValeurAnnuelle | None:
        """La valeur qui lui sert de dénominateur."""
        if indicateur.denominateur_id is None:
            return None
        return self._valeurs.get((indicateur.denominateur_id, self.annee))

    def taux(self, indicateur: Indicateur) -> list[Indicateur]:
        """Les taux qui le prennent pour dénominateur."""
        return self._taux[indicateur.pk]


def indicateurs_a_saisir():
    """Avec ce que leurs lignes nomment."""
    return Indicateur.objects.select_related("service", "denominateur")


def dans_l_ordre_de_saisie(indicateurs: Sequence[Indicateur]) -> list[Indicateur]:
    """Un dénominateur d'abord, puis les taux qui s'appuient sur lui ; chaque groupe à la place de son premier."""
    presents = {indicateur.pk: indicateur for indicateur in indicateurs}
    groupes: dict[int, list[Indicateur]] = {}
    for indicateur in indicateurs:
        partage = indicateur.denominateur_id
        tete = partage if partage in presents else indicateur.pk
        suite = groupes.setdefault(tete, [])
        if tete != indicateur.pk:
            suite.append(indicateur)
    return [indicateur for tete, suite in groupes.items() for indicateur in (presents[tete], *suite)]
