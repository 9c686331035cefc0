"""Ceux du produit, pour les commandes lancées en vrais sous-processus : leurs documents vont où l'essai le dit."""

import os
from pathlib import Path

from commande_responsable.settings import *  # noqa: F403

MEDIA_ROOT = Path(os.environ["DOSSIER_DES_FICHIERS"])
# Préparer un site d'essai crée des comptes : pas la peine d'y passer une seconde chacun.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


class _Sans(dict):
    """Aucune migration : les tables se créent d'après les modèles."""

    def __contains__(self, application: object) -> bool:
        return True

    def __missing__(self, application: str) -> None:
        return None


if os.environ.get("SANS_MIGRATIONS"):
    MIGRATION_MODULES = _Sans()
