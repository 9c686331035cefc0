"""Ce que la documentation cite existe : commandes, cibles de make, unités, fichiers, réglages."""

import re

import pytest
from django.core.management import get_commands, load_command_class

from scripts.etapes import RACINE
from tests.test_reglages import variables_lues

DOCUMENTS = sorted([RACINE / "README.md", RACINE / "SECURITY.md", *(RACINE / "docs").glob("*.md")])
AUTRES = [
    RACINE / ".env.example",
    RACINE / "compose.yaml",
    RACINE / "Dockerfile",
    *(RACINE / "docs" / "systemd").iterdir(),
]
# Ce qui se règle sans que settings.py le lise : gunicorn, make, les essais, les secrets des conteneurs, le transfert.
RECONNUS = {
    *("PORT", "WEB_CONCURRENCY", "DEMO_MOT_DE_PASSE", "POSTGRES_PASSWORD", "DATABASE_URL_ARRIVEE", "ESSAIS_SANS_SAUT"),
    *("EPREUVE_DEMONSTRATION", "EPREUVE_ACTIONS", "EPREUVE_UTILISATEURS", "EPREUVE_DUREE"),
    *("HYPOTHESIS_PROFIL", "DECP_REELLES", "COMPTE", "FICHIER", "ARCHIVE", "DOSSIER", "ARGS"),
}
par_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda chemin: chemin.name)


def code_de(texte: str) -> str:
    """Ce que le document montre comme du code, entre apostrophes inverses ou en bloc."""
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", texte, re.DOTALL))


@pytest.mark.parametrize("document", [*DOCUMENTS, *AUTRES], ids=lambda chemin: chemin.name)
def test_chaque_commande_citee_existe(document):
    texte = document.read_text()
    citees = set(re.findall(r"manage\.py[\"', ]+([a-z][a-z_]+)", texte))
    assert citees - set(get_commands()) == set()


@par_document
def test_chaque_option_citee_existe(document):
    """« manage.py X --option » : l'option est de cette commande, ou de toutes."""
    fautes = []
    for nom, reste in re.findall(r"manage\.py ([a-z][a-z_]+)((?: [^`\n|]*)?)", code_de(document.read_text())):
        application = get_commands().get(nom)
        if application is None:
            continue
        commande = load_command_class(application, nom) if isinstance(application, str) else application
        permises = {
            option for action in commande.create_parser("manage.py", nom)._actions for option in action.option_strings
        }
        fautes += [
            f"{nom} {option}" for option in re.findall(r"(?<!\w)--[a-z][a-z-]*", reste) if option not in permises
        ]
    assert fautes == []


@par_document
def test_chaque_cible_de_make_citee_existe(document):
    cibles = set(re.findall(r"^([a-z-]+):", (RACINE / "Makefile").read_text(), re.MULTILINE))
    # « apt install git make nginx » ne demande rien à make.
    code = re.sub(r"^apt .*$", "", code_de(document.read_text()), flags=re.MULTILINE)
    citees = set(re.findall(r"\bmake ([a-z][a-z-]*)\b", code))
    assert citees - cibles == set()


@par_document
def test_chaque_unite_citee_existe(document):
    unites = {fichier.name for fichier in (RACINE / "docs" / "systemd").iterdir()}
    citees = set(re.findall(r"commande-responsable[\w-]*\.(?:service|timer)", document.read_text()))
    assert citees - unites == set()


@par_document
def test_chaque_lien_mene_a_un_fichier(document):
    liens = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text())
    assert [lien for lien in liens if "://" not in lien and not (document.parent / lien).exists()] == []


@par_document
def test_chaque_reglage_cite_est_lu(document):
    """Un mot en capitales, donné comme du code et avec un souligné, est un réglage que le site lit."""
    code = code_de(document.read_text())
    cites = set(re.findall(r"`([A-Z][A-Z0-9_]*_[A-Z0-9_]*)(?:=[^`]*)?`", code))
    assert cites - variables_lues() - RECONNUS == set()


@par_document
def test_chaque_fichier_cite_existe(document):
    cites = set(
        re.findall(
            r"`((?:comptes|actions|marches|indicateurs|bilans|socle|tests|scripts|static)/[\w./-]+\.\w+)`",
            document.read_text(),
        )
    )
    assert [cite for cite in sorted(cites) if not (RACINE / cite).exists()] == []


def test_chaque_commande_du_projet_dit_ce_qu_elle_fait():
    """Les commandes du projet, hors celles que « make demo » lance seul, sont dans une documentation."""
    documentees = "\n".join(document.read_text() for document in DOCUMENTS)
    siennes = {fichier.stem for fichier in RACINE.glob("*/management/commands/[a-z]*.py")}
    assert [nom for nom in sorted(siennes) if nom not in documentees and not nom.startswith("preparer_demo")] == []
    for nom in siennes:
        assert load_command_class(get_commands()[nom], nom).help, nom
