"""Réglages des essais : ceux du produit, sans les lenteurs voulues de la production."""

import os

# Imposés : le .env d'un poste ne doit pas changer le résultat d'un essai.
os.environ["SECRET_KEY"] = "cle-des-essais-0123456789-abcdefghijklmnopqrstuvwxyz-essais"
os.environ["HTTPS"] = "0"
os.environ["NIVEAU_DE_JOURNAL"] = "ERROR"

from commande_responsable.settings import *  # noqa: F403
from commande_responsable.settings import DATABASES, STORAGES

# L'API est fermée par défaut : les tables d'adresses la voient ouverte, et ses limites ne les arrêtent pas.
API = True
API_DEMANDES_PAR_MINUTE = API_DEMANDES_PAR_JETON = 1_000_000
# Une session notée en cours de mesure ferait une écriture de plus, selon la vitesse de la machine.
MINUTES_D_INACTIVITE = 1_000_000

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Le manifeste exige collectstatic : sans lui les feuilles de style seraient introuvables dans Chromium.
STORAGES = STORAGES | {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    # Les fichiers déposés par un essai ne restent pas sur le poste.
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
}
# Chaque client d'essai relirait tout le dossier de collectstatic, quand il existe.
WHITENOISE_AUTOREFRESH = True

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Un vrai fichier : en mémoire, SQLite ne verrouille pas comme en production.
    DATABASES["default"]["TEST"] = {"NAME": f"{DATABASES['default']['NAME']}-essais"}
