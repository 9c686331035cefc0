"""Réglages des essais : ceux du produit, sans les lenteurs voulues de la production."""

import os

os.environ.setdefault("SECRET_KEY", "cle-des-essais-0123456789-abcdefghijklmnopqrstuvwxyz-essais")
os.environ.setdefault("HTTPS", "0")
os.environ.setdefault("NIVEAU_DE_JOURNAL", "WARNING")

from commande_responsable.settings import *  # noqa: F403
from commande_responsable.settings import STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Le manifeste exige collectstatic : sans lui les feuilles de style seraient introuvables dans Chromium.
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
