"""L'empreinte d'un enregistrement : le même contenu, republié dans un autre ordre, donne la même."""

import hashlib
import json
import re
from decimal import Decimal
from typing import Any

from marches.decp.textes import CHIFFRES_AU_PLUS, ecrire


def _nombre(valeur: Any) -> Any:
    """30000 et 30000.0 sont le même nombre ; ce qu'un nombre JSON ne dirait pas exactement devient un texte."""
    if not isinstance(valeur, Decimal):
        return str(valeur)
    if not valeur.is_finite() or abs(valeur.adjusted()) > CHIFFRES_AU_PLUS:
        return str(valeur)
    if valeur == valeur.to_integral_value():
        return int(valeur)
    flottant = float(valeur)
    return flottant if Decimal(repr(flottant)) == valeur else ecrire(valeur)


_ECRIRE = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_nombre).encode


# Ce que laisse dans le texte un flottant qui ne s'écrit pas comme le nombre décimal égal.
_FLOTTANTS = re.compile(r"[0-9]\.0[,}\]]|[0-9]e[+-]|NaN|Infinity|[0-9]\.0$")


def _sans_flottants(valeur: Any) -> Any:
    if isinstance(valeur, float):
        return Decimal(repr(valeur))
    if isinstance(valeur, list):
        return [_sans_flottants(element) for element in valeur]
    if isinstance(valeur, dict):
        return {cle: _sans_flottants(dedans) for cle, dedans in valeur.items()}
    return valeur


def canonique(contenu: Any) -> str:
    """Le contenu en JSON : clés triées, nombres canoniques. C'est ce qui se garde d'un enregistrement."""
    ecrit = _ECRIRE(contenu)
    return _ECRIRE(_sans_flottants(contenu)) if _FLOTTANTS.search(ecrit) else ecrit


def empreinte(contenu: Any) -> str:
    """sha256 du contenu canonique, en hexadécimal."""
    return hashlib.sha256(canonique(contenu).encode("utf-8", "surrogatepass")).hexdigest()
