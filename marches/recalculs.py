"""Refaire les calculs du registre quand il change : après la transaction, et une fois pour toute une page."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import transaction

from marches.calculs.catalogue import Source
from marches.calculs.conservation import recalculer

# Ce qui attend la fin du bloc `en_un_seul_recalcul` ; None hors d'un tel bloc.
_en_attente: ContextVar[list[bool] | None] = ContextVar("_en_attente", default=None)


def registre_change() -> None:
    """À appeler dans la transaction qui écrit au registre : ses calculs se referont si elle aboutit."""
    transaction.on_commit(_refaire)


@contextmanager
def en_un_seul_recalcul() -> Iterator[None]:
    """Plusieurs écritures, chacune dans sa transaction, et un seul recalcul à la fin, s'il en faut un."""
    attente: list[bool] = []
    jeton = _en_attente.set(attente)
    try:
        yield
    finally:
        _en_attente.reset(jeton)
        if attente:
            recalculer(sources=[Source.REGISTRE])


def _refaire() -> None:
    attente = _en_attente.get()
    if attente is None:
        recalculer(sources=[Source.REGISTRE])
    else:
        attente.append(True)
