"""Des valeurs aux coordonnées, et les graduations qui permettent de revenir des unes aux autres."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from . import ecriture

# Au-delà, une graduation écrite en entier mangerait le dessin.
_ECHELLES = (
    (Decimal("1e16"), Decimal("1e15"), "× 10¹⁵"),
    (Decimal("1e10"), Decimal("1e9"), "Md"),
    (Decimal("1e7"), Decimal("1e6"), "M"),
)
_PAS_DE_MOIS = (1, 2, 3, 6)
_PAS_DE_JOURS = (1, 2, 5, 10, 15)


@dataclass(frozen=True)
class Echelle:
    """Une correspondance affine : `de`..`a` sur l'axe (jamais égaux), `px_de`..`px_a` sur le dessin."""

    de: Decimal
    a: Decimal
    px_de: float
    px_a: float

    def px(self, v: Decimal | float) -> float:
        """La coordonnée de `v`. Le rapport se calcule en décimal : un très grand nombre n'y perd rien."""
        part = (Decimal(v) - self.de) / (self.a - self.de)
        return self.px_de + float(part) * (self.px_a - self.px_de)

    def inverse(self, px: float) -> Decimal:
        """La valeur qui se trouve à la coordonnée `px`, même hors des bornes."""
        part = Decimal(px - self.px_de) / Decimal(self.px_a - self.px_de)
        return self.de + part * (self.a - self.de)


@dataclass(frozen=True)
class Graduation:
    """Un trait d'axe : sa valeur sur l'axe et ce qui s'écrit en face."""

    position: Decimal
    texte: str


def pas_rond(etendue: Decimal, nombre: int = 5, entier: bool = False) -> Decimal:
    """Le plus petit 1, 2 ou 5 × 10ⁿ qui partage `etendue` (positive) en `nombre` parts au plus."""
    brut = etendue / nombre
    puissance = Decimal(1).scaleb(brut.adjusted())
    pas = next(m * puissance for m in (1, 2, 5, 10) if m * puissance >= brut)
    return max(pas, Decimal(1)) if entier else pas


def _plancher(v: Decimal, pas: Decimal) -> Decimal:
    """Le plus grand multiple de `pas` inférieur ou égal à `v`."""
    return (v / pas).to_integral_value(rounding="ROUND_FLOOR") * pas


def _plafond(v: Decimal, pas: Decimal) -> Decimal:
    return (v / pas).to_integral_value(rounding="ROUND_CEILING") * pas


def etendue_ronde(
    valeurs: Iterable[Decimal],
    depuis_zero: bool,
    bornes: tuple[Decimal, Decimal] | None = None,
) -> tuple[Decimal, Decimal, Decimal]:
    """(début, fin, pas) d'un axe qui contient toutes les valeurs et finit sur des graduations.

    `valeurs` n'est pas vide. Des valeurs toutes nulles donnent 0..1 ; une seule valeur loin de zéro, quand
    l'axe ne part pas de zéro, s'entoure d'un peu de place. `bornes` est une étendue minimale.
    """
    liste = list(valeurs)
    entier = all(v == v.to_integral_value() for v in liste)
    liste += bornes or ()
    mini, maxi = min(liste), max(liste)
    if depuis_zero:
        mini, maxi = min(mini, Decimal(0)), max(maxi, Decimal(0))
    if mini == maxi:
        demi = abs(mini) / 10 or Decimal(1)
        mini, maxi = (Decimal(0), Decimal(1)) if not mini else (mini - demi, maxi + demi)
    pas = pas_rond(maxi - mini, entier=entier)
    return _plancher(mini, pas), _plafond(maxi, pas), pas


def graduations_de_valeurs(de: Decimal, a: Decimal, pas: Decimal, unite: str) -> list[Graduation]:
    """Les graduations de `de` à `a` ; au-delà de dix millions, en millions (M) ou milliards (Md)."""
    plus_grand = max(abs(de), abs(a))
    diviseur, suffixe = next(((d, s) for seuil, d, s in _ECHELLES if plus_grand >= seuil), (Decimal(1), ""))
    decimales = max(0, -int((pas / diviseur).normalize().as_tuple().exponent))
    graduations = []
    for i in range(int((a - de) / pas) + 1):
        v = de + i * pas
        texte = ecriture.nombre(v / diviseur, decimales if v else 0)
        suite = " ".join(m for m in (suffixe if v else "", unite if ecriture.unite_courte(unite) else "") if m)
        graduations.append(Graduation(v, f"{texte} {suite}" if suite else texte))
    return graduations


def graduations_de_nombres(de: Decimal, a: Decimal, nombre: int, annees: bool) -> list[Graduation]:
    """Les nombres ronds compris entre `de` et `a` ; une année s'écrit sans séparateur."""
    pas = pas_rond(a - de, nombre, entier=annees)
    depart = _plafond(de, pas)
    decimales = max(0, -int(pas.normalize().as_tuple().exponent))
    positions = (depart + i * pas for i in range(int((a - depart) / pas) + 1))
    return [Graduation(p, str(int(p)) if annees else ecriture.nombre(p, decimales)) for p in positions]


def graduations_de_dates(de: float, a: float, nombre: int) -> list[Graduation]:
    """Des jours, des premiers du mois ou des premiers janvier entre deux positions, `nombre` au plus."""
    debut, fin = ecriture.jour_en_date(de), ecriture.jour_en_date(a)
    for pas in _PAS_DE_JOURS:
        if (a - de) / pas < nombre:
            premier = int(-(-de // 1))
            jours = [ecriture.jour_en_date(j) for j in range(premier, int(a) + 1, pas)]
            return [_graduation(j, ecriture.date(j)) for j in jours]
    for pas in _PAS_DE_MOIS:
        mois = [m for m in _mois_entre(debut, fin) if (m.month - 1) % pas == 0]
        if len(mois) <= nombre and mois:
            return [_graduation(m, ecriture.mois(m)) for m in mois]
    annees = graduations_de_nombres(Decimal(debut.year), Decimal(fin.year + 1), nombre, annees=True)
    premiers = [datetime.datetime(int(g.position), 1, 1) for g in annees if 1 <= g.position <= 9999]  # noqa: DTZ001
    return [_graduation(j, str(j.year)) for j in premiers if debut <= j <= fin]


def _graduation(instant: datetime.datetime, texte: str) -> Graduation:
    return Graduation(Decimal(ecriture.date_en_jour(instant)), texte)


def _mois_entre(debut: datetime.datetime, fin: datetime.datetime) -> list[datetime.datetime]:
    """Les premiers du mois entre deux instants, compris."""
    rangs = range(debut.year * 12 + debut.month - 1, fin.year * 12 + fin.month)
    premiers = (datetime.datetime(r // 12, r % 12 + 1, 1) for r in rangs)  # noqa: DTZ001 - axe sans fuseau
    return [p for p in premiers if debut <= p <= fin]
