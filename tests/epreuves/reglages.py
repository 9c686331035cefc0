"""Réglages d'une épreuve : ceux du produit, sur une base et un dossier jetables.

Lus par les processus lancés (gunicorn, ouvrier, commandes), jamais par pytest.
"""

import os
from pathlib import Path

from commande_responsable.settings import *  # noqa: F403
from commande_responsable.settings import DATABASES, STORAGES

MEDIA_ROOT = Path(os.environ["EPREUVES_FICHIERS"])
# Le manifeste exige collectstatic, qui n'apprendrait rien ici.
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_AUTOREFRESH = True
# Un serveur de courriels éteint se voit tout de suite.
EMAIL_TIMEOUT = 2
# Chaque client d'une épreuve a la même adresse et sert beaucoup.
API_DEMANDES_PAR_MINUTE = API_DEMANDES_PAR_JETON = 1_000_000

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    options = DATABASES["default"]["OPTIONS"]
    options["init_command"] += os.environ.get("EPREUVES_PRAGMAS", "")
    options["timeout"] = float(os.environ.get("EPREUVES_ATTENTE", options["timeout"]))
