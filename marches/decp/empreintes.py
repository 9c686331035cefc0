"""L'empreinte d'un enregistrement : le même contenu, republié dans un autre ordre, donne la même."""

import hashlib
import json
from decimal import Decimal
from typing import Any

from marches.decp.textes import CHIFFRES_AU_PLUS


def _nombre(valeur: Any) -> Any:
    """30000 et 30000.0 sont le même nombre ; ce qu'un nombre JSON ne dirait pas exactement devient un texte."""
    if not isinstance(valeur, Decimal):
        return str(valeur)
    if not valeur.is_finite() or abs(valeur.adjusted()) > CHIFFRES_AU_PLUS:
        return str(valeur)
    if valeur == valeur.to_integral_value():
        return int(valeur)
    flottant = float(valeur)
    return flottant if Decimal(repr(flottant)) == valeur else str(valeur.normalize())


_ECRIRE = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_nombre).encode


def canonique(contenu: Any) -> str:
    """Le contenu en JSON : clés triées, nombres canoniques. C'est ce qui se garde d'un enregistrement."""
    return _ECRIRE(contenu)


def empreinte(contenu: Any) -> str:
    """sha256 du contenu canonique, en hexadécimal."""
    return hashlib.sha256(canonique(contenu).encode("utf-8", "surrogatepass")).hexdigest()
