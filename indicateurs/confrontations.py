"""La valeur retenue d'une année face à ce que les enregistrements en disent. Pur assemblage, sans requête."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from indicateurs.comparaisons import Comparaison, ecrire_la_difference
from indicateurs.models import Indicateur, ValeurAnnuelle
from indicateurs.recalcul import Recalcul, sans_resultat


@dataclass(frozen=True)
class Confrontation:
    """`valeur` : la retenue, annotée par `avec_valeur()`, ou None."""

    indicateur: Indicateur
    annee: int
    valeur: ValeurAnnuelle | None
    recalculs: tuple[Recalcul, ...] = ()

    @property
    def retenue(self) -> Decimal | None:
        return self.valeur.valeur_retenue if self.valeur else None

    @property
    def connus(self) -> list[Recalcul]:
        """Ceux qui disent un chiffre."""
        return [recalcul for recalcul in self.recalculs if recalcul.valeur is not None]

    @property
    def recalculee(self) -> Recalcul | None:
        """Ce qu'il y a à montrer quand rien n'est retenu : le premier calcul qui dit un chiffre."""
        return next(iter(self.connus), None) if self.retenue is None else None

    @property
    def difference(self) -> Decimal | None:
        """Le plus grand écart à la valeur retenue ; sans elle, entre les calculs. Non arrondi, jamais négatif."""
        dites = [recalcul.valeur for recalcul in self.connus if recalcul.valeur is not None]
        if self.retenue is not None:
            return max((abs(dite - self.retenue) for dite in dites), default=None)
        return max(dites) - min(dites) if len(dites) > 1 else None

    @property
    def badge(self) -> str:
        """« écart 4 points » ; vide quand les sources disent le même chiffre, ou qu'il n'y en a qu'une."""
        if self.difference is None:
            return ""
        difference = ecrire_la_difference(self.indicateur, self.difference)
        return f"écart {difference}" if difference else ""

    @property
    def resume(self) -> str:
        """Ce que dit le volet fermé."""
        if self.badge:
            return self.badge
        if self.retenue is None:
            return "d'où vient ce chiffre" if self.connus else "rien n'a pu être recalculé"
        return "même chiffre recalculé" if self.connus else "rien n'a pu être recalculé"

    @property
    def sous_le_seuil(self) -> list[Recalcul]:
        return [recalcul for recalcul in self.recalculs if recalcul.sous_le_seuil]


def confronter(
    indicateur: Indicateur, annee: int, valeur: ValeurAnnuelle | None, recalculs: Mapping[int, list[Recalcul]]
) -> Confrontation:
    """`recalculs` : ceux de l'indicateur, par année ; une année sans résultat montre ses calculs, et le dit."""
    dits = recalculs.get(annee) or sans_resultat(indicateur, annee)
    return Confrontation(indicateur, annee, valeur, tuple(dits))


@dataclass(frozen=True)
class LigneDAnnee:
    """Une année de la page : la valeur face à celle d'avant, et face aux calculs."""

    annee: int
    comparaison: Comparaison
    confrontation: Confrontation

    @property
    def valeur(self) -> ValeurAnnuelle | None:
        return self.comparaison.valeur


def lignes_des_annees(
    indicateur: Indicateur, valeurs: Iterable[ValeurAnnuelle], recalculs: Mapping[int, list[Recalcul]]
) -> list[LigneDAnnee]:
    """Les années qui ont une valeur, ou un calcul qui dit un chiffre ; la plus récente d'abord."""
    par_annee = {valeur.annee: valeur for valeur in valeurs}
    calculees = {annee for annee, dits in recalculs.items() if any(dit.valeur is not None for dit in dits)}
    return [
        LigneDAnnee(
            annee,
            Comparaison(indicateur, par_annee.get(annee), par_annee.get(annee - 1)),
            confronter(indicateur, annee, par_annee.get(annee), recalculs),
        )
        for annee in sorted({*par_annee, *calculees}, reverse=True)
    ]
