"""Les dates d'un enregistrement : une date croyable, ou rien."""

import datetime
import re
from functools import lru_cache
from typing import Any

from marches.decp.textes import est_une_absence, scalaire

PREMIERE_ANNEE = 2005
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@lru_cache(maxsize=16384)
def _date(texte: str, aujourd_hui: datetime.date) -> datetime.date | None:
    if not _ISO.fullmatch(texte):
        return None
    try:
        date = datetime.date.fromisoformat(texte)
    except ValueError:
        return None
    return date if date.year >= PREMIERE_ANNEE and date <= aujourd_hui else None


def lire_la_date(valeur: Any, aujourd_hui: datetime.date) -> tuple[datetime.date | None, bool]:
    """La date, et si la source en donnait une : les dix premiers caractères (le fuseau qui suit est ignoré), une date
    du calendrier, de 2005 à aujourd'hui compris. `(None, True)` : donnée mais incroyable ; `(None, False)` : non
    renseignée.
    """
    if isinstance(valeur, str):
        texte = valeur.strip()
    elif valeur is None:
        return None, False
    else:
        texte = scalaire(valeur) or "illisible"
    date = _date(texte[:10], aujourd_hui)
    return date, date is not None or not est_une_absence(texte[:20])
