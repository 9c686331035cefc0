"""Les questions que les pages posent aux indicateurs."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from actions.models import Plan
from indicateurs.chiffres import ChiffreCle, chiffre_de
from indicateurs.models import Cible, Indicateur, IndicateurDuPlan, ValeurAnnuelle
from indicateurs.recalcul import recalculs_de
from indicateurs.valeurs import ValeurQuerySet
from socle.instants import AUJOURD_HUI, Instant

Ligne = TypeVar("Ligne", ValeurAnnuelle, Cible)


@dataclass(frozen=True)
class Completude:
    """Combien d'indicateurs d'un plan, chiffres clés ou non, ont répondu pour une année : une valeur, ou dite
    indisponible."""

    annee: int
    renseignees: int
    total: int

    @property
    def manquantes(self) -> int:
        """Le nombre de lignes de la liste des indicateurs filtrée par ce plan et cette année."""
        return self.total - self.renseignees


@dataclass(frozen=True)
class ChiffresDuPlan:
    """Les chiffres clés d'un plan, dans son ordre, et ce qui reste à saisir."""

    chiffres: list[ChiffreCle]
    completude: Completude


def chiffres_du_plan(
    plan: Plan, *, annee: int | None = None, au: date | None = None, reference: int, fige: bool = False
) -> ChiffresDuPlan:
    """Trois requêtes : les places, les valeurs de toutes les années, les objectifs ; deux de plus si un chiffre se
    recalcule sur les registres.

    Chaque chiffre est celui de `annee`, sinon le dernier connu (à la date `au`). La complétude est celle de
    `reference`, telle que connue à cette date. `fige` : rien ne se saisit ni ne se recalcule, comme avec `au`.
    """
    places = list(IndicateurDuPlan.objects.filter(plan=plan).avec_reponse(reference, au).select_related("indicateur"))
    return ChiffresDuPlan(
        chiffres=_chiffres(
            [place.indicateur for place in places if place.chiffre_cle],
            valeurs_connues(au),
            annee=annee,
            reference=reference,
            fige=fige or au is not None,
        ),
        completude=Completude(reference, sum(place.a_repondu for place in places), len(places)),
    )


def valeurs_connues(au: date | None) -> ValeurQuerySet:
    """Celles qu'on connaissait à cette date, des années commencées ; toutes sans date."""
    valeurs = ValeurAnnuelle.objects.avec_valeur(au)
    return valeurs if au is None else valeurs.connues_au(au).filter(annee__lte=au.year)


def poser_les_chiffres(indicateurs: Sequence[Indicateur], instant: Instant = AUJOURD_HUI) -> None:
    """Pose `chiffre` (le dernier connu, et ce qui le situe) sur chaque indicateur, en deux requêtes, quatre s'il s'en
    recalcule."""
    valeurs = valeurs_connues(instant.jour)
    for chiffre in _chiffres(indicateurs, valeurs, reference=instant.le.year, fige=instant.passe):
        chiffre.indicateur.chiffre = chiffre


def _chiffres(
    indicateurs: Sequence[Indicateur],
    valeurs: ValeurQuerySet,
    *,
    annee: int | None = None,
    fige: bool = False,
    reference: int,
) -> list[ChiffreCle]:
    ids = [indicateur.pk for indicateur in indicateurs]
    par_indicateur = _ranger(valeurs.filter(indicateur__in=ids).select_related("indicateur"))
    cibles = _ranger(Cible.objects.filter(indicateur__in=ids, active=True))
    recalculs = {} if fige else recalculs_de(indicateurs)
    return [
        chiffre_de(
            indicateur,
            par_indicateur[indicateur.pk],
            cibles[indicateur.pk],
            annee=annee,
            reference=reference,
            fige=fige,
            recalculs=recalculs.get(indicateur.pk),
        )
        for indicateur in indicateurs
    ]


def _ranger(lignes: Iterable[Ligne]) -> defaultdict[int, list[Ligne]]:
    par_indicateur: defaultdict[int, list[Ligne]] = defaultdict(list)
    for ligne in lignes:
        par_indicateur[ligne.indicateur_id].append(ligne)
    return par_indicateur
