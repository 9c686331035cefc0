"""Ce que le site sait des années d'un classeur, lu en trois requêtes, et ce qu'il en saurait après."""

import copy
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from indicateurs.comparaisons import Comparaison
from indicateurs.feuille_de_saisie import indicateurs_a_saisir
from indicateurs.models import Indicateur, LigneDeVentilation, ValeurAnnuelle
from indicateurs.saisie import CHIFFRES, completer
from socle.formats import plier


class Releve:
    """`poser` y met les valeurs qu'un import donnerait ; `apres` les montre, `avant` ce qui est en base."""

    def __init__(self, annees: Iterable[int]) -> None:
        annees = set(annees)
        self.indicateurs = {indicateur.pk: indicateur for indicateur in indicateurs_a_saisir()}
        self.par_code = {plier(i.code): i for i in self.indicateurs.values()}
        self.par_intitule: defaultdict[str, list[Indicateur]] = defaultdict(list)
        self.taux: defaultdict[int, list[Indicateur]] = defaultdict(list)
        for indicateur in self.indicateurs.values():
            self.par_intitule[plier(indicateur.intitule)].append(indicateur)
            if indicateur.denominateur_id:
                self.taux[indicateur.denominateur_id].append(indicateur)
        self._avant: dict[tuple[int, int], ValeurAnnuelle] = {}
        self._apres: dict[tuple[int, int], ValeurAnnuelle] = {}
        precedentes = {annee - 1 for annee in annees}
        for valeur in ValeurAnnuelle.objects.avec_valeur().filter(annee__in=annees | precedentes):
            valeur.indicateur = self.indicateurs[valeur.indicateur_id]
            self._avant[valeur.indicateur_id, valeur.annee] = valeur
        self.ventilees: defaultdict[int, list[tuple[str, Decimal]]] = defaultdict(list)
        totaux = LigneDeVentilation.objects.filter(valeur__annee__in=annees).order_by()
        for pk, nom, somme in totaux.values_list("valeur", "dimension__nom").annotate(somme=Sum("nombre")):
            self.ventilees[pk].append((nom, somme))

    # --- Lire ----------------------------------------------------------------------------------

    def avant(self, indicateur: Indicateur, annee: int) -> ValeurAnnuelle | None:
        return self._avant.get((indicateur.pk, annee))

    def apres(self, indicateur: Indicateur, annee: int) -> ValeurAnnuelle | None:
        return self._apres.get((indicateur.pk, annee)) or self.avant(indicateur, annee)

    def _a_un_autre_chiffre(self, indicateur: Indicateur, annee: int) -> bool:
        apres, avant = self._apres.get((indicateur.pk, annee)), self.avant(indicateur, annee)
        return apres is not None and any(
            getattr(apres, champ) != getattr(avant, champ, None) for champ in (*CHIFFRES, "indisponible")
        )

    def partagee(self, indicateur: Indicateur, annee: int) -> ValeurAnnuelle | None:
        """La valeur qui lui sert de dénominateur, telle qu'elle serait."""
        if indicateur.denominateur_id is None:
            return None
        return self.apres(self.indicateurs[indicateur.denominateur_id], annee)

    def comparaison(self, indicateur: Indicateur, annee: int) -> Comparaison:
        """Telle qu'elle serait."""
        courante, precedente = self.apres(indicateur, annee), self.apres(indicateur, annee - 1)
        retenues = [self._retenir(copy.copy(valeur)) if valeur else None for valeur in (courante, precedente)]
        return Comparaison(indicateur, *retenues)

    def empreinte(self, indicateurs: Iterable[int], annees: Iterable[int]) -> str:
        """Change dès que change un de ces indicateurs ou de leurs valeurs, celles d'un dénominateur et des taux qui
        s'appuient sur eux comprises."""
        series = set(indicateurs)
        series |= {pk for cle in indicateurs if (pk := self.indicateurs[cle].denominateur_id)}
        series |= {taux.pk for cle in list(series) for taux in self.taux[cle]}
        etat = [
            (pk, self.indicateurs[pk].version, [(a, v.version) for a in annees if (v := self._avant.get((pk, a)))])
            for pk in sorted(series)
        ]
        return hashlib.sha256(repr(etat).encode()).hexdigest()

    # --- Projeter ------------------------------------------------------------------------------

    def donner(self, indicateur: Indicateur, annee: int, champs: Mapping[str, Any]) -> ValeurAnnuelle:
        """La valeur que ces champs feraient, sans la poser."""
        avant = self.avant(indicateur, annee)
        valeur = copy.copy(avant) if avant else ValeurAnnuelle(indicateur=indicateur, annee=annee)
        for champ, donne in completer(champs).items():
            setattr(valeur, champ, donne)
        return self._retenir(valeur)

    def poser(self, valeur: ValeurAnnuelle) -> None:
        self._apres[valeur.indicateur_id, valeur.annee] = valeur

    def recalculer(self) -> None:
        """Toutes posées, chacune prend le dénominateur qu'elle aurait."""
        for valeur in self._apres.values():
            self._retenir(valeur)

    def taux_appuyes(self, indicateur: Indicateur, annee: int) -> list[ValeurAnnuelle]:
        """Ceux dont le classeur ne change pas lui-même le chiffre."""
        lus = [
            self.avant(taux, annee) for taux in self.taux[indicateur.pk] if not self._a_un_autre_chiffre(taux, annee)
        ]
        return [v for v in lus if v is not None and v.numerateur is not None and v.denominateur is None]

    def sur(self, taux: ValeurAnnuelle, denominateur: Decimal | None) -> ValeurAnnuelle:
        """Le même taux, rapporté à ce dénominateur."""
        return self._rapporter(copy.copy(taux), denominateur)

    def _retenir(self, valeur: ValeurAnnuelle) -> ValeurAnnuelle:
        denominateur = valeur.denominateur
        if denominateur is None and (partagee := self.partagee(valeur.indicateur, valeur.annee)):
            denominateur = partagee.valeur
        return self._rapporter(valeur, denominateur)

    @staticmethod
    def _rapporter(valeur: ValeurAnnuelle, denominateur: Decimal | None) -> ValeurAnnuelle:
        valeur.denominateur_retenu, valeur.valeur_retenue = denominateur, valeur.valeur
        if valeur.numerateur is not None and valeur.valeur is None and denominateur:
            valeur.valeur_retenue = 100 * valeur.numerateur / denominateur
        return valeur
