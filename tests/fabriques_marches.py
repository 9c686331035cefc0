"""Consultations et lots d'essai : ce qu'un essai ne dit pas a une valeur simple."""

import itertools
from collections.abc import Sequence
from typing import Any

from marches.consultations import Consultation, LotDeConsultation

_rang = itertools.count(1)


def consultation(*, lots: Sequence[dict[str, Any]] | None = None, **champs) -> Consultation:
    """Une consultation et ses lots, un par dictionnaire de `lots` ; sans `lots`, un seul, sans suite donnée."""
    rang = next(_rang)
    champs.setdefault("numero", f"{rang:04d}")
    champs.setdefault("objet", f"Consultation {rang}")
    nouvelle = Consultation(**champs)
    nouvelle.full_clean()
    nouvelle.save()
    for numero, de_lot in enumerate([{}] if lots is None else lots, start=1):
        lot(nouvelle, **{"numero": str(numero), **de_lot})
    return nouvelle


def lot(de: Consultation | None = None, **champs) -> LotDeConsultation:
    """Un lot de `de`, numéroté à la suite ; sans `de`, d'une consultation qui n'en a pas d'autre."""
    de = de or consultation(lots=[])
    champs.setdefault("numero", str(de.lots.count() + 1))
    nouveau = LotDeConsultation(consultation=de, **champs)
    nouveau.full_clean()
    nouveau.save()
    return nouveau
