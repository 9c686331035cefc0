"""Tous les essais, sur chaque base et dans Chromium ; `--rapide` s'en tient à SQLite sans navigateur.

Les autres arguments vont à pytest (`make test ARGS="-k journal"`). Une étape sans aucun essai est un
échec : elle ne vérifie plus rien. Avec des arguments, qui filtrent, elle est seulement « vide ».
"""

import sys
import tempfile

from etapes import RACINE, Etape, Issue, ecrire, lancer, ligne

AUCUN_ESSAI = 5  # code de sortie de pytest
CHOIX = "not navigateur and not fumee"
# Deux ouvriers ; un fichier dont le décor coûte cher reste chez un seul (marque xdist_group).
A_DEUX = ["-n", "2", "--dist", "loadgroup"]
# Deux visites du site entier durent la moitié du tout : l'ouvrier qui a fini prend à l'autre ce qui lui reste.
SANS_ATTENTE = ["--dist", "worksteal"]
POSTGRES = [str(RACINE / "scripts" / "postgres_ephemere.sh")]


def etapes(sqlite: str, options: list[str], rapide: bool) -> list[Etape]:
    """Les étapes dans l'ordre ; `sqlite` est l'adresse d'une base dont le dossier est jetable."""
    pytest = [sys.executable, "-m", "pytest", "--durations=10", *options]
    sur_sqlite = {"DATABASE_URL": sqlite}
    sans_navigateur = Etape("sans navigateur, SQLite", [*pytest, "-m", CHOIX, *A_DEUX], sur_sqlite)
    if rapide:
        return [sans_navigateur]
    return [
        sans_navigateur,
        # Ce qui ne touche pas la base vient d'être essayé.
        Etape("sans navigateur, PostgreSQL", [*POSTGRES, *pytest, "-m", f"{CHOIX} and not sans_base", *A_DEUX]),
        Etape("navigateur, PostgreSQL", [*POSTGRES, *pytest, "-m", "navigateur", "-n", "2", *SANS_ATTENTE]),
        Etape("court chemin dans le navigateur, SQLite", [*pytest, "-m", "fumee"], sur_sqlite),
    ]


def verdict(issue: Issue, filtre: bool) -> str:
    """« réussi », « échec », ou « vide » quand le filtre demandé n'a rien laissé à cette étape."""
    if issue.code == AUCUN_ESSAI:
        return "vide" if filtre else "échec"
    return "réussi" if issue.code == 0 else "échec"


def main() -> int:
    options = sys.argv[1:]
    rapide = "--rapide" in options
    if rapide:
        options.remove("--rapide")

    issues: list[Issue] = []
    with tempfile.TemporaryDirectory(prefix="essais.") as dossier:
        for etape in etapes(f"sqlite:///{dossier}/essais.sqlite3", options, rapide):
            ecrire(f"\n=== {etape.nom} ===")
            issues.append(lancer(etape))

    verdicts = [verdict(issue, filtre=bool(options)) for issue in issues]
    ecrire("\nEssais :")
    for issue, mot in zip(issues, verdicts, strict=True):
        precision = " (aucun essai)" if issue.code == AUCUN_ESSAI else ""
        ecrire(ligne(issue, mot) + precision)
    return 0 if "échec" not in verdicts and "réussi" in verdicts else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nEssais interrompus.")
