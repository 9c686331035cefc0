"""Ce que rend un calcul : un chiffre, ce dont il est fait, et les enregistrements derrière chacun."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

DECIMALES_D_UNE_PART = 4
CENTIMES = 2


@dataclass(frozen=True)
class Resultat:
    """Le résultat d'un calcul.

    `valeur` : un nombre entier pour un compte ; pour une part, 0 à 100, quatre décimales, la moitié arrondie vers le
    haut, None quand le dénominateur est 0 ; donnée même si la part renseignée est faible. `numerateur`,
    `denominateur` : des nombres d'enregistrements, ou des euros (au centime) quand la part est en montant ; un compte
    n'a pas de dénominateur (None). `inconnus` : le nombre d'enregistrements retenus qui ne disent ni oui ni non ;
    jamais des euros. `exclus` : pour chaque motif, le nombre d'enregistrements que le calcul écarte. `couverture` :
    la part renseignée, 0 à 100, en nombre, ou en montant pour les parts en montant ; None si rien n'est retenu.
    `ids_*` : les enregistrements derrière chaque nombre, triés.
    """

    code: str
    valeur: int | Decimal | None
    numerateur: int | Decimal | None
    denominateur: int | Decimal | None
    inconnus: int = 0
    exclus: dict[str, int] = field(default_factory=dict)
    couverture: Decimal | None = None
    ids_numerateur: tuple[int, ...] = ()
    ids_denominateur: tuple[int, ...] = ()
    ids_inconnus: tuple[int, ...] = ()
    ids_exclus: dict[str, list[int]] = field(default_factory=dict)

    def en_json(self) -> dict[str, Any]:
        """L'objet du contrat `calculer_indicateurs --json` : `code, valeur, numerateur, denominateur, inconnus,
        exclus, couverture`.
        """
        return {
            "code": self.code,
            "valeur": en_nombre(self.valeur),
            "numerateur": en_nombre(self.numerateur),
            "denominateur": en_nombre(self.denominateur),
            "inconnus": self.inconnus,
            "exclus": self.exclus,
            "couverture": en_nombre(self.couverture),
        }


def en_nombre(valeur: int | Decimal | None) -> int | float | None:
    """Un nombre JSON qui s'écrit avec les décimales du résultat, jamais entre guillemets."""
    return float(valeur) if isinstance(valeur, Decimal) else valeur


def arrondir(valeur: Fraction, decimales: int) -> Decimal:
    """La moitié s'éloigne de zéro, depuis la fraction exacte : un tiers de montant ne perd rien avant l'arrondi."""
    entier = int(abs(valeur) * 10**decimales + Fraction(1, 2))
    return Decimal(entier if valeur >= 0 else -entier).scaleb(-decimales)


def part(numerateur: Fraction | Decimal | int, denominateur: Fraction | Decimal | int) -> Decimal | None:
    """Une part de 0 à 100, à quatre décimales ; None quand il n'y a rien à diviser."""
    if not denominateur:
        return None
    return arrondir(Fraction(numerateur) * 100 / Fraction(denominateur), DECIMALES_D_UNE_PART)


def centimes(valeur: Fraction | Decimal | int) -> Decimal:
    """Une somme en euros, au centime."""
    return arrondir(Fraction(valeur), CENTIMES)


def trier(ids: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(ids))


def compte(
    code: str, ids: Iterable[int], exclus: Mapping[str, list[int]], sources: Iterable[int] | None = None
) -> Resultat:
    """Un nombre d'enregistrements. `sources` : les enregistrements dont ceux-ci sont faits, s'il y en a davantage."""
    retenus = trier(ids)
    return Resultat(
        code=code,
        valeur=len(retenus),
        numerateur=len(retenus),
        denominateur=None,
        exclus={motif: len(ecartes) for motif, ecartes in exclus.items()},
        couverture=part(len(retenus), len(retenus)),
        ids_numerateur=retenus,
        ids_denominateur=retenus if sources is None else trier(sources),
        ids_exclus={motif: sorted(ecartes) for motif, ecartes in exclus.items()},
    )


def part_en_nombre(
    code: str, oui: Iterable[int], non: Iterable[int], inconnus: Iterable[int], exclus: Mapping[str, list[int]]
) -> Resultat:
    """oui ÷ (oui + non) ; part renseignée : (oui + non) ÷ (oui + non + inconnus)."""
    ids_oui, ids_non, ids_inconnus = trier(oui), trier(non), trier(inconnus)
    connus = len(ids_oui) + len(ids_non)
    return Resultat(
        code=code,
        valeur=part(len(ids_oui), connus),
        numerateur=len(ids_oui),
        denominateur=connus,
        inconnus=len(ids_inconnus),
        exclus={motif: len(ecartes) for motif, ecartes in exclus.items()},
        couverture=part(connus, connus + len(ids_inconnus)),
        ids_numerateur=ids_oui,
        ids_denominateur=trier((*ids_oui, *ids_non)),
        ids_inconnus=ids_inconnus,
        ids_exclus={motif: sorted(ecartes) for motif, ecartes in exclus.items()},
    )


@dataclass(frozen=True, slots=True)
class Pesee:
    """Un enregistrement pesé en euros : `part` de 0 à 1 va au numérateur ; None, on ne sait pas."""

    id: int
    montant: Decimal
    part: Fraction | None


def part_en_montant(
    code: str, pesees: Iterable[Pesee], exclus: Mapping[str, list[int]], *, couverture_en_nombre: bool = False
) -> Resultat:
    """Σ montant × part ÷ Σ montant, sur ce dont on sait la part ; part renseignée en montant, sauf demande contraire.

    None si le rapport n'est pas une part : des annulations peuvent rendre une somme de mandats négative.
    """
    toutes = list(pesees)
    connues = [pesee for pesee in toutes if pesee.part is not None]
    numerateur = sum((Fraction(p.montant) * p.part for p in connues if p.part is not None), Fraction(0))
    denominateur = sum((Fraction(p.montant) for p in connues), Fraction(0))
    total = sum((Fraction(p.montant) for p in toutes), Fraction(0))
    return Resultat(
        code=code,
        valeur=part(numerateur, denominateur) if 0 <= numerateur <= denominateur else None,
        numerateur=centimes(numerateur),
        denominateur=centimes(denominateur),
        inconnus=len(toutes) - len(connues),
        exclus={motif: len(ecartes) for motif, ecartes in exclus.items()},
        couverture=part(len(connues), len(toutes)) if couverture_en_nombre else part(denominateur, total),
        ids_numerateur=trier(p.id for p in connues if p.part),
        ids_denominateur=trier(p.id for p in connues),
        ids_inconnus=trier(p.id for p in toutes if p.part is None),
        ids_exclus={motif: sorted(ecartes) for motif, ecartes in exclus.items()},
    )
