"""Lire un réglage dans l'environnement ou dans `.env` : illisible, il arrête le démarrage et se nomme."""

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvError

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env()
env.read_env(str(BASE_DIR / ".env"), recurse=False)


def lire(lecteur, nom: str, *args, **options):
    """Lit une variable ; toute erreur devient un arrêt qui la nomme."""
    try:
        return lecteur(nom, *args, **options)
    except (EnvError, ValueError) as erreur:
        raise ImproperlyConfigured(f"Réglage {nom} : {erreur}") from erreur
