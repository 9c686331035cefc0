"""Où en est un indicateur face à son objectif. Une seule fonction en décide, et dit comment."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from indicateurs.cibles import Cible, cible_visee, derniere_cible
from indicateurs.comparaisons import Comparaison, ecrire_l_ecart
from indicateurs.listes import Appreciation, Sens
from socle.formats import formater_valeur


@dataclass(frozen=True)
class Jugement:
    """`phrase` : comment il a été décidé ; `cible` : l'objectif regardé, None s'il n'y en a pas."""

    appreciation: Appreciation
    phrase: str
    cible: Cible | None = None

    @property
    def face_a_un_objectif(self) -> bool:
        """Vrai s'il y avait un objectif à regarder ; sinon une carte n'a rien à en dire."""
        return self.cible is not None


def apprecier(comparaison: Comparaison, cibles: Iterable[Cible]) -> Jugement:
    """Juge une valeur, face à celle de l'année d'avant, sur l'objectif qui vaut pour son année.

    - pas de chiffre : non renseigné ;
    - sens neutre, ou aucun objectif actif : sans objectif ;
    - l'objectif est atteint, ou dépassé dans le bon sens : atteint ;
    - son année est là ou passée : à surveiller ;
    - à venir : en bonne voie si le rythme de la dernière année, tenu, y mène ; à surveiller sinon, ou si ce rythme ne
      se connaît pas (première année, rupture de série).
    """
    valeur, indicateur = comparaison.valeur, comparaison.indicateur
    if valeur is None or valeur.valeur_retenue is None:
        return Jugement(Appreciation.NON_RENSEIGNE, "Aucun chiffre n'est connu pour cette année.")
    if indicateur.sens == Sens.NEUTRE:
        return Jugement(Appreciation.SANS_OBJECTIF, "Indicateur d'observation : ni hausse ni baisse n'est un progrès.")
    cibles = list(cibles)
    cible = cible_visee(cibles, valeur.annee) or derniere_cible(cibles, valeur.annee)
    if cible is None:
        return Jugement(Appreciation.SANS_OBJECTIF, "Aucun objectif actif n'est fixé.")
    return _juger(comparaison, valeur.valeur_retenue, valeur.annee, cible)


def _juger(comparaison: Comparaison, atteint: Decimal, annee: int, cible: Cible) -> Jugement:
    indicateur, voulu = comparaison.indicateur, cible.valeur
    objectif = f"l'objectif {cible.annee} ({formater_valeur(voulu, indicateur.unite)})"
    if _satisfait(indicateur.sens, atteint, voulu):
        return Jugement(Appreciation.ATTEINT, f"La valeur {annee} atteint {objectif}.", cible)
    ecart = ecrire_l_ecart(indicateur, atteint - voulu)
    if cible.annee <= annee:
        return Jugement(Appreciation.A_SURVEILLER, f"La valeur {annee} n'atteint pas {objectif} : {ecart}.", cible)
    if comparaison.ecart is None:
        raison = "série rompue" if comparaison.rupture else f"{annee - 1} n'est pas connu"
        phrase = f"Rien ne dit si {objectif} sera atteint ({raison}) : {ecart} à ce jour."
        return Jugement(Appreciation.A_SURVEILLER, phrase, cible)
    prevu = atteint + comparaison.ecart * (cible.annee - annee)
    rythme = f"au rythme de {annee} ({ecrire_l_ecart(indicateur, comparaison.ecart)} en un an)"
    if _satisfait(indicateur.sens, prevu, voulu):
        return Jugement(Appreciation.EN_BONNE_VOIE, f"{rythme.capitalize()}, {objectif} sera atteint.", cible)
    return Jugement(Appreciation.A_SURVEILLER, f"{rythme.capitalize()}, {objectif} ne sera pas atteint.", cible)


def _satisfait(sens: str, atteint: Decimal, voulu: Decimal) -> bool:
    return atteint >= voulu if sens == Sens.HAUSSE else atteint <= voulu
