"""Les réglages : une valeur fausse arrête le démarrage en nommant la variable, et tous sont documentés.

Chaque démarrage est un vrai `manage.py check`, dans une copie des réglages : ni le fichier `.env` du
poste ni son environnement n'y entrent.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.etapes import REGLAGES_NEUTRES

RACINE = Path(__file__).resolve().parent.parent
CLE = "une-cle-de-cinquante-caracteres-au-moins-0123456789-abc"


@pytest.fixture
def installation(tmp_path):
    """Une installation réduite à ses réglages ; les applications restent celles du projet."""
    shutil.copy(RACINE / "manage.py", tmp_path)
    shutil.copytree(RACINE / "commande_responsable", tmp_path / "commande_responsable")
    return tmp_path


def demarrer(installation: Path, **variables: str) -> subprocess.CompletedProcess:
    environnement = {"PATH": os.environ["PATH"], "PYTHONPATH": str(RACINE), **variables}
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=installation,
        env=environnement,
        capture_output=True,
        text=True,
        check=False,
    )


def variables_lues() -> set[str]:
    """Les noms que les réglages demandent à l'environnement, par `_lire(lecteur, nom)` ou `env.type(nom)`."""
    noms = set()
    sources = [(RACINE / "commande_responsable" / nom).read_text() for nom in ("settings.py", "reglages_metier.py")]
    for noeud in ast.walk(ast.parse("\n".join(sources))):
        if not isinstance(noeud, ast.Call):
            continue
        match noeud.func:
            case ast.Name(id="_lire"):
                noms.add(ast.literal_eval(noeud.args[1]))
            case ast.Attribute(value=ast.Name(id="env"), attr=lecteur) if lecteur != "read_env":
                noms.add(ast.literal_eval(noeud.args[0]))
    return noms


def variables_documentees() -> list[str]:
    return re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", (RACINE / ".env.example").read_text(), re.MULTILINE)


def test_une_cle_suffit_pour_demarrer(installation):
    resultat = demarrer(installation, SECRET_KEY=CLE)
    assert resultat.returncode == 0, resultat.stderr


@pytest.mark.parametrize(
    ("variable", "valeur"),
    [
        ("SECRET_KEY", None),
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "trop-courte"),
        ("SECRET_KEY", "a" * 60),
        ("DEBUG", "peut-être"),
        ("HTTPS", "peut-être"),
        ("DATABASE_URL", "mysql://compte@serveur/base"),
        ("DATABASE_URL", "commande_responsable.sqlite3"),
        ("DATABASE_URL", "postgres://compte@serveur:port/base"),
        ("EMAIL_URL", "courriel.exemple.fr"),
        ("EMAIL_URL", "smtp://courriel.exemple.fr:port"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "postgres://compte@serveur/"),
        ("CSRF_TRUSTED_ORIGINS", "exemple.fr"),
        ("PROXYS_DE_CONFIANCE", "un"),
        ("PROXYS_DE_CONFIANCE", "-1"),
        ("JOURS_DE_TRACES", "0"),
        ("NIVEAU_DE_JOURNAL", "bavard"),
        ("FORMAT_DES_JOURNAUX", "xml"),
        ("LICENCE_DES_DONNEES", "la-mienne"),
    ],
)
def test_une_valeur_fausse_arrete_le_demarrage_et_nomme_la_variable(installation, variable, valeur):
    variables = {"SECRET_KEY": CLE, variable: valeur}
    resultat = demarrer(installation, **{nom: v for nom, v in variables.items() if v is not None})
    assert resultat.returncode != 0
    assert f"Réglage {variable} :" in resultat.stderr.splitlines()[-1]


def test_l_exemple_documente_exactement_les_variables_lues():
    documentees = variables_documentees()
    assert sorted(documentees) == sorted(variables_lues())


def test_chaque_valeur_donnee_en_exemple_est_acceptee(installation):
    exemple = (RACINE / ".env.example").read_text()
    decommente = re.sub(r"^# (?=[A-Z][A-Z0-9_]+=)", "", exemple, flags=re.MULTILINE)
    (installation / ".env").write_text(decommente)
    resultat = demarrer(installation, SECRET_KEY=CLE)
    assert resultat.returncode == 0, resultat.stderr


def test_les_essais_fixent_tous_les_reglages_du_poste():
    assert set(REGLAGES_NEUTRES) - {"DJANGO_SETTINGS_MODULE"} == variables_lues() - {"DATABASE_URL"}
