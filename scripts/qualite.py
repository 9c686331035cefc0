"""Ce qui se vérifie sans lancer les essais ; `--corriger` remet en forme au lieu de vérifier."""

import secrets
import sys
import tempfile
from pathlib import Path

from etapes import RACINE, Etape, ecrire, lancer, ligne

PYTHON = sys.executable


def outil(nom: str) -> str:
    """Le chemin d'un outil de l'environnement, que celui-ci soit activé ou non."""
    return str(Path(PYTHON).parent / nom)


def gabarits() -> list[str]:
    """Les gabarits du projet, ceux des applications compris."""
    trouves = [*RACINE.glob("templates/**/*.html"), *RACINE.glob("*/templates/**/*.html")]
    return sorted(str(chemin.relative_to(RACINE)) for chemin in trouves)


def djade(*options: str) -> list[str]:
    return [outil("djade"), "--target-version", "5.2", *options, *gabarits()]


def verifications(dossier: str) -> list[Etape]:
    """Les vérifications, sous des réglages de production : HTTPS, vraie clé, nom de domaine."""
    production = {
        "DJANGO_SETTINGS_MODULE": "commande_responsable.settings",
        "DATABASE_URL": f"sqlite:///{dossier}/qualite.sqlite3",
        "HTTPS": "1",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": "plan.exemple.fr",
    }
    manage = [PYTHON, "-W", "ignore::ResourceWarning", "manage.py"]
    return [
        Etape("format (ruff format)", [outil("ruff"), "format", "--check", "."]),
        Etape("style (ruff check)", [outil("ruff"), "check", "."]),
        Etape("gabarits (djade)", djade("--check")),
        Etape("types (mypy)", [PYTHON, "-m", "mypy", "."], {"DATABASE_URL": production["DATABASE_URL"]}),
        Etape("migrations à jour", [*manage, "makemigrations", "--check", "--dry-run"], production),
        Etape(
            "réglages de production (check --deploy)",
            [*manage, "check", "--deploy", "--fail-level", "WARNING"],
            production,
        ),
        Etape("verrou des dépendances (uv lock)", [outil("uv"), "lock", "--check"]),
    ]


def corrections() -> list[Etape]:
    return [
        Etape("style (ruff check --fix)", [outil("ruff"), "check", "--fix", "."]),
        Etape("format (ruff format)", [outil("ruff"), "format", "."]),
        Etape("gabarits (djade)", djade()),
    ]


def main() -> int:
    corriger = "--corriger" in sys.argv[1:]
    echecs = 0
    with tempfile.TemporaryDirectory(prefix="qualite.") as dossier:
        for etape in corrections() if corriger else verifications(dossier):
            issue = lancer(etape, capturer=True)
            if issue.code != 0:
                echecs += 1
                ecrire(issue.sortie.rstrip())
            ecrire(ligne(issue, "échec" if issue.code else "réussi"))
    if echecs:
        ecrire(f"\nQualité : {echecs} vérification{'s' if echecs > 1 else ''} en échec.")
    else:
        ecrire("\nQualité : tout est en ordre.")
    return 1 if echecs else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nVérifications interrompues.")
