"""Enregistrer une fiche au moment où quelqu'un l'aurait fait : son historique raconte alors la même chose que les
journaux."""

import datetime
from typing import TypeVar

from django.db.models import Model

from comptes.models import Utilisateur

Fiche = TypeVar("Fiche", bound=Model)


def enregistrer(
    fiche: Fiche, saisi_le: datetime.datetime, auteur: Utilisateur | None, *, sauf: frozenset[str] = frozenset()
) -> Fiche:
    """Vérifie puis enregistre ; `_history_date` et `_history_user` sont ceux que lit django-simple-history.

    `sauf` : les champs à ne pas vérifier. Lève ValidationError.
    """
    fiche.full_clean(exclude=sauf)
    fiche._history_date = saisi_le  # type: ignore[attr-defined]
    fiche._history_user = auteur  # type: ignore[attr-defined]
    fiche.save()
    return fiche
