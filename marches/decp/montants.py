"""Les nombres d'un enregistrement : montants en euros hors taxes, durées en mois ; et les montants qui ne se croient
pas."""

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from django.db import models

from marches.decp.textes import CHIFFRES_AU_PLUS, est_une_absence, scalaire

CENTIME = Decimal("0.01")
# Dix-huit chiffres avant la virgule : le plus absurde des montants publiés (1e17) se garde et se signale.
MONTANT_AU_PLUS = Decimal(10) ** 18
DUREE_AU_PLUS = 9_999
_HORS_NOMBRE = re.compile(r"[\s\u00a0\u202f'’€]|(?i:eur(?:os?)?|ht)\.?$")
_NOMBRE = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?")
_MILLIERS = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+|[+-]?[0-9]{1,3}(?:\.[0-9]{3}){2,}")


class DrapeauDeMontant(models.TextChoices):
    """Pourquoi un montant ne se compte pas dans une somme (le contrat reste dans les nombres)."""

    ABSENT = "absent", "Montant absent"
    NUL_OU_NEGATIF = "nul_ou_negatif", "Montant nul ou négatif"
    SYMBOLIQUE = "symbolique", "Montant symbolique (moins de 100 €)"
    QUE_DES_NEUF = "que_des_neuf", "Montant fait de neufs (999 999)"
    SENTINELLE = "sentinelle", "Montant mis à la place d'un montant trop grand (12 311 111 111 €)"
    SUITE = "suite_123456789", "Montant qui commence par 123456789"
    PLUS_D_UN_MILLIARD = "plus_d_un_milliard", "Montant de plus d'un milliard d'euros"
    CHIFFRES_REPETES = "chiffres_repetes", "Plus de cent millions d'euros, et un même chiffre plus de six fois"


def drapeau_du_montant(montant: Decimal | None) -> str:
    """Le code de ce qui rend ce montant incroyable, « » si rien (règles : guide du MINEF, format tabulaire de
    decp.info).

    Le premier qui convient, dans l'ordre : absent, nul ou négatif, moins de 100 €, six chiffres 9 ou plus, la
    sentinelle du format tabulaire, 123456789…, plus d'un milliard, plus de cent millions avec un chiffre non nul plus
    de six fois.
    """
    if montant is None or not montant.is_finite():
        return DrapeauDeMontant.ABSENT.value
    if montant <= 0:
        return DrapeauDeMontant.NUL_OU_NEGATIF.value
    if montant < 100:
        return DrapeauDeMontant.SYMBOLIQUE.value
    if montant.adjusted() > CHIFFRES_AU_PLUS:
        return DrapeauDeMontant.PLUS_D_UN_MILLIARD.value
    chiffres = str(int(montant))
    if len(chiffres) >= 6 and set(chiffres) == {"9"}:
        return DrapeauDeMontant.QUE_DES_NEUF.value
    if chiffres == "12311111111":
        return DrapeauDeMontant.SENTINELLE.value
    if chiffres.startswith("123456789"):
        return DrapeauDeMontant.SUITE.value
    if montant > 1_000_000_000:
        return DrapeauDeMontant.PLUS_D_UN_MILLIARD.value
    if montant > 100_000_000 and any(chiffres.count(chiffre) > 6 for chiffre in "123456789"):
        return DrapeauDeMontant.CHIFFRES_REPETES.value
    return ""


@lru_cache(maxsize=16384)
def _nombre_ecrit(texte: str) -> Decimal | None:
    """Un nombre écrit à la main : « 30000.00 », « 30 000,00 € », « 1.234.567,89 ». Ambigu (« 30,000 ») : rien."""
    nu = _HORS_NOMBRE.sub("", _HORS_NOMBRE.sub("", texte))
    if _MILLIERS.fullmatch(nu):
        # Deux séparateurs pareils ne sont que des milliers ; un seul suivi de trois chiffres peut être l'un ou
        # l'autre.
        if nu.count(",") == 1:
            return None
        nu = nu.replace(",", "").replace(".", "")
    elif "," in nu:
        a_la_francaise = nu.rfind(",") > nu.rfind(".")
        nu = nu.replace(".", "").replace(",", ".") if a_la_francaise else nu.replace(",", "")
    return Decimal(nu) if _NOMBRE.fullmatch(nu) else None


def lire_le_nombre(valeur: Any) -> Decimal | None:
    """Un nombre fini, d'un ordre de grandeur qui se manie ; None sinon (NaN, 1e400, booléen, liste, texte)."""
    if isinstance(valeur, bool) or valeur is None:
        return None
    if isinstance(valeur, int):
        return Decimal(valeur) if valeur.bit_length() < 200 else None
    if isinstance(valeur, Decimal):
        nombre = valeur
    elif isinstance(valeur, float):
        nombre = Decimal(repr(valeur))
    elif isinstance(valeur, str) and len(valeur) <= 60:
        ecrit = _nombre_ecrit(valeur)
        if ecrit is None:
            return None
        nombre = ecrit
    else:
        return None
    if not nombre.is_finite() or nombre.adjusted() > CHIFFRES_AU_PLUS:
        return None
    return nombre if nombre.adjusted() >= -CHIFFRES_AU_PLUS else Decimal(0)


def lire_le_montant(valeur: Any) -> tuple[Decimal | None, bool]:
    """Le montant en euros hors taxes, au centime (demi au-dessus), et si la source en donnait un."""
    nombre = lire_le_nombre(_premier(valeur))
    if nombre is None or abs(nombre) >= MONTANT_AU_PLUS:
        return None, _donne(valeur)
    try:
        return nombre.quantize(CENTIME, rounding=ROUND_HALF_UP), True
    except InvalidOperation:
        return None, True


def lire_l_entier(valeur: Any, au_plus: int = DUREE_AU_PLUS) -> int | None:
    """Un entier de 0 à `au_plus` (« 36 », 36, 36.0) ; None pour tout le reste (« NC », 1,5, -1)."""
    if type(valeur) is int:
        return valeur if 0 <= valeur <= au_plus else None
    if valeur is None or valeur == "":
        return None
    nombre = lire_le_nombre(_premier(valeur))
    if nombre is None or not 0 <= nombre <= au_plus or nombre != nombre.to_integral_value():
        return None
    return int(nombre)


def _premier(valeur: Any) -> Any:
    return valeur[0] if isinstance(valeur, list) and valeur else valeur


def _donne(valeur: Any) -> bool:
    if valeur is None or valeur == [] or valeur == {}:
        return False
    if isinstance(valeur, Decimal) and valeur.is_nan():
        return False
    return not est_une_absence((scalaire(valeur) or "illisible")[:20])
