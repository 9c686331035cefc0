"""La maison tient debout : ordre des imports, taille des fichiers et des vues, ce que les gabarits s'interdisent."""

import ast
import contextlib
import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.apps import apps

RACINE = Path(__file__).resolve().parent.parent

# --- L'ordre des imports --------------------------------------------------------------------------

# Une application importe celles qui sont à sa gauche ; le projet assemble tout et personne ne l'importe.
GAUCHE = {
    "socle": [],
    "comptes": ["socle"],
    "partenaires": ["socle", "comptes"],
    "actions": ["socle", "comptes", "partenaires"],
    "marches": ["socle", "comptes"],
    "indicateurs": ["socle", "comptes", "partenaires", "actions", "marches"],
    "bilans": ["socle", "comptes", "partenaires", "actions", "marches", "indicateurs"],
    "publication": ["socle", "comptes", "partenaires", "actions", "marches", "indicateurs", "bilans"],
    "accueil": ["socle", "comptes", "partenaires", "actions", "marches", "indicateurs", "bilans", "publication"],
}
GAUCHE["exploitation"] = [*GAUCHE]
PROJET = "commande_responsable"
APPLICATIONS = {*GAUCHE, PROJET}

RELATIONS = {"ForeignKey", "OneToOneField", "ManyToManyField"}
CIBLES_NOMMEES = {"to", "through"}
PAR_NOM = {"get_model", "get_registered_model", "import_module", "import_string", "get_app_config", "include"}


@dataclass(frozen=True)
class Lien:
    """Un endroit du code qui nomme une autre application."""

    ligne: int
    cible: str


def liens(source: str, paquet: str) -> list[Lien]:
    """Les applications du projet que nomme ce source ; `paquet` est celui du module ("actions.migrations")."""
    trouves = []
    for noeud in ast.walk(ast.parse(source)):
        for nom in _noms(noeud, paquet):
            racine = nom.partition(".")[0]
            if racine in APPLICATIONS and racine != paquet.partition(".")[0]:
                trouves.append(Lien(noeud.lineno, racine))
    return sorted(set(trouves), key=lambda lien: (lien.ligne, lien.cible))


def _noms(noeud: ast.AST, paquet: str) -> Iterator[str]:
    match noeud:
        case ast.Import():
            yield from (alias.name for alias in noeud.names)
        case ast.ImportFrom(level=0):
            yield noeud.module
        case ast.ImportFrom():
            yield from _noms_relatifs(noeud, paquet)
        case ast.Call():
            yield from _noms_donnes_a_l_appel(noeud)
        case ast.Assign(targets=[ast.Name(id="dependencies" | "run_before")]):
            yield from _noms_des_migrations(noeud.value)


def _noms_relatifs(noeud: ast.ImportFrom, paquet: str) -> Iterator[str]:
    """« from ..comptes import x » : autant de points, autant de paquets remontés, le premier étant le sien."""
    base = paquet.split(".")[: len(paquet.split(".")) - (noeud.level - 1)]
    if noeud.module:
        yield ".".join([*base, noeud.module])
    else:
        yield from (".".join([*base, alias.name]) for alias in noeud.names)


def _noms_donnes_a_l_appel(noeud: ast.Call) -> Iterator[str]:
    fonction = noeud.func.attr if isinstance(noeud.func, ast.Attribute) else getattr(noeud.func, "id", "")
    if fonction in RELATIONS or fonction in PAR_NOM:
        yield from _textes(noeud.args[:1])
    if fonction in RELATIONS:
        yield from _textes(mot.value for mot in noeud.keywords if mot.arg in CIBLES_NOMMEES)
    if fonction in PAR_NOM:
        yield from _textes(mot.value for mot in noeud.keywords if mot.arg in {"app_label", "name", "dotted_path"})


def _textes(noeuds) -> Iterator[str]:
    for noeud in noeuds:
        if isinstance(noeud, ast.Constant) and isinstance(noeud.value, str):
            yield noeud.value
        elif isinstance(noeud, ast.Tuple | ast.List):
            yield from _textes(noeud.elts[:1])


def _noms_des_migrations(valeur: ast.AST) -> Iterator[str]:
    if isinstance(valeur, ast.Tuple | ast.List):
        for element in valeur.elts:
            if isinstance(element, ast.Tuple):
                yield from _textes(element.elts[:1])


def directions_interdites() -> list[str]:
    """Une phrase par lien qui va dans une autre direction que celle de la maison."""
    fautes = []
    for application in sorted(APPLICATIONS):
        permises = APPLICATIONS if application == PROJET else GAUCHE[application]
        for fichier in sorted((RACINE / application).rglob("*.py")):
            chemin = fichier.relative_to(RACINE)
            for lien in liens(fichier.read_text(encoding="utf-8"), ".".join(chemin.parent.parts)):
                if lien.cible not in permises:
                    fautes.append(f"{chemin}:{lien.ligne} : {application} ne doit pas connaître {lien.cible}")
    return fautes


def test_chaque_application_ne_connait_que_celles_de_sa_gauche():
    fautes = directions_interdites()
    assert not fautes, "\n" + "\n".join(fautes)


def test_chaque_application_installee_a_sa_place_dans_l_ordre():
    installees = {config.name for config in apps.get_app_configs() if (RACINE / config.name).is_dir()}
    assert installees <= set(GAUCHE)
    assert {"socle", "comptes", "partenaires", "actions", "indicateurs", "accueil"} <= installees


def test_l_ordre_n_a_pas_de_boucle():
    vues: set[str] = set()
    for application in ["socle", "comptes", "partenaires", "actions", "marches"]:
        assert set(GAUCHE[application]) <= vues
        vues.add(application)
    assert all(application not in GAUCHE[gauche] for application in GAUCHE for gauche in GAUCHE[application])


SOURCES = {
    "import comptes.models": {"comptes"},
    "import os, actions as a": {"actions"},
    "from comptes.models import Service": {"comptes"},
    "from ..comptes import models": {"comptes"},
    "from .. import comptes": {"comptes"},
    "from . import models": set(),
    "from .models import Plan": set(),
    "def f():\n    from accueil.views import page": {"accueil"},
    "if TYPE_CHECKING:\n    from accueil.views import page": {"accueil"},
    "try:\n    import bilans\nexcept ImportError:\n    pass": {"bilans"},
    "x = models.ForeignKey('comptes.Service', on_delete=1)": {"comptes"},
    "x = ForeignKey(to='comptes.service', on_delete=1)": {"comptes"},
    "x = models.OneToOneField('comptes.Service', on_delete=1)": {"comptes"},
    "x = models.ManyToManyField('Local', through='accueil.Lien')": {"accueil"},
    "x = models.ForeignKey('self', on_delete=1)": set(),
    "x = models.ForeignKey('Plan', on_delete=1)": set(),
    "x = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=1)": set(),
    "apps.get_model('accueil', 'Chose')": {"accueil"},
    "apps.get_model('accueil.Chose')": {"accueil"},
    "apps.get_model(app_label='accueil', model_name='Chose')": {"accueil"},
    "apps.get_model('auth', 'Group')": set(),
    "import_module('accueil.views')": {"accueil"},
    "importlib.import_module(name='accueil.views')": {"accueil"},
    "import_string('accueil.views.page')": {"accueil"},
    "include('accueil.urls')": {"accueil"},
    "class Migration:\n    dependencies = [('comptes', '0001'), ('auth', '0001')]": {"comptes"},
    "class Migration:\n    run_before = [('accueil', '0001')]": {"accueil"},
    "class Migration:\n    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]": set(),
    "import commande_responsable.settings": {"commande_responsable"},
    "import comptes_rendus": set(),
    "x = 'comptes.Service'": set(),
    "# import comptes": set(),
}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.replace("\n", " ")[:60])
def test_le_verificateur_voit_chaque_facon_de_nommer_une_application(source):
    assert {lien.cible for lien in liens(source, "partenaires")} == SOURCES[source]


def test_un_import_relatif_se_compte_depuis_son_paquet():
    assert liens("from ..models import Plan", "actions.migrations") == []
    assert liens("from ...comptes import models", "actions.migrations") == [Lien(1, "comptes")]


def test_le_verificateur_donne_la_ligne():
    assert liens("x = 1\n\nimport accueil\n", "socle") == [Lien(3, "accueil")]


def test_sa_propre_application_n_est_pas_un_lien():
    assert liens("import actions.models\nfrom actions import statuts", "actions.management.commands") == []


# --- Ce que la maison contient --------------------------------------------------------------------

ATTENDUS = [
    "commande_responsable/settings.py",
    "commande_responsable/urls.py",
    "commande_responsable/wsgi.py",
    "socle",
    "comptes",
    "partenaires",
    "actions",
    "indicateurs",
    "accueil",
    "templates",
    "static",
    "fixtures/partenaires.json",
    "fixtures/plan.json",
    "fixtures/indicateurs_2023.json",
    "tests/donnees/fiche_action_2023.txt",
    "docs/architecture.md",
    "scripts",
    ".ci/run",
    ".env.example",
    "Makefile",
    "manage.py",
    "pyproject.toml",
    "uv.lock",
    "README.md",
]


@pytest.mark.parametrize("chemin", ATTENDUS)
def test_ce_qui_est_demande_est_la(chemin):
    assert (RACINE / chemin).exists()


def test_le_socle_n_a_pas_de_table():
    assert list(apps.get_app_config("socle").get_models()) == []


def fichiers_python() -> list[Path]:
    dossiers = [RACINE / application for application in APPLICATIONS] + [RACINE / "scripts"]
    return [
        RACINE / "manage.py",
        *sorted(f for d in dossiers for f in d.rglob("*.py") if "migrations" not in f.parts),
    ]


def test_aucun_module_fourre_tout():
    assert [f for f in fichiers_python() if f.stem in {"utils", "helpers", "misc", "outils", "divers"}] == []


def test_aucun_fichier_ne_depasse_quatre_cents_lignes():
    longs = {
        str(fichier.relative_to(RACINE)): lignes
        for fichier in fichiers_python()
        if (lignes := len(fichier.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert longs == {}


def fonctions_longues(source: str, maximum: int = 25) -> dict[str, int]:
    """Nom et nombre de lignes, docstring et décorateurs à part, des fonctions plus longues que `maximum`."""
    longues = {}
    for noeud in ast.walk(ast.parse(source)):
        if isinstance(noeud, ast.FunctionDef | ast.AsyncFunctionDef):
            lignes = noeud.end_lineno - noeud.lineno + 1
            if ast.get_docstring(noeud) is not None:
                lignes -= noeud.body[0].end_lineno - noeud.body[0].lineno + 1
            if lignes > maximum:
                longues[noeud.name] = lignes
    return longues


def test_aucune_vue_ne_depasse_vingt_cinq_lignes():
    vues = [f for f in fichiers_python() if f.name.startswith("views") or "views" in f.parts]
    assert vues
    longues = {
        f"{fichier.relative_to(RACINE)} : {nom}": lignes
        for fichier in vues
        for nom, lignes in fonctions_longues(fichier.read_text(encoding="utf-8")).items()
    }
    assert longues == {}


def test_la_longueur_d_une_vue_compte_les_methodes_et_pas_la_docstring():
    corps = "\n".join(f"        x = {n}" for n in range(25))
    source = f'class Vue:\n    def get(self):\n        """Dit pourquoi."""\n{corps}\n'
    assert fonctions_longues(source) == {"get": 26}
    assert fonctions_longues(source, maximum=26) == {}


# --- Gabarits -------------------------------------------------------------------------------------

_STYLE = re.compile(r"(?<![\w-])style\s*=", re.IGNORECASE)
_GESTIONNAIRE = re.compile(r"(?<![\w.-])on[a-z]{3,}\s*=\s*[\"'{]", re.IGNORECASE)
_SCRIPT = re.compile(r"<script\b([^>]*)>", re.IGNORECASE)


def dans_le_gabarit(texte: str) -> list[str]:
    """Ce que la politique de sécurité du contenu bloquerait : style, gestionnaire ou script dans la page."""
    texte = re.sub(r"\{#.*?#\}|\{% comment.*?%\}.*?\{% endcomment %\}", "", texte, flags=re.DOTALL)
    fautes = [trouve.group() for motif in (_STYLE, _GESTIONNAIRE) for trouve in motif.finditer(texte)]
    if "<style" in texte.lower():
        fautes.append("<style>")
    for script in _SCRIPT.finditer(texte):
        attributs = script.group(1)
        if not re.search(r"\bsrc\s*=", attributs) and 'type="application/json"' not in attributs:
            fautes.append(script.group())
    return fautes


def gabarits() -> list[Path]:
    return sorted({*(RACINE / "templates").rglob("*.*"), *RACINE.glob("*/templates/**/*.*")})


def test_aucun_gabarit_n_a_de_style_ni_de_script_dans_la_page():
    assert gabarits()
    fautes = {
        str(gabarit.relative_to(RACINE)): trouvees
        for gabarit in gabarits()
        if gabarit.suffix in {".html", ".svg"} and (trouvees := dans_le_gabarit(gabarit.read_text(encoding="utf-8")))
    }
    assert fautes == {}


@pytest.mark.parametrize(
    "texte",
    [
        '<p style="color: red">',
        "<p STYLE='color: red'>",
        '<a onclick="f()">',
        '<body onload = "f()">',
        "<img onerror='f()'>",
        "<script>f()</script>",
        '<script type="module">f()</script>',
        "<style>p {}</style>",
    ],
)
def test_le_verificateur_voit_ce_que_la_page_s_interdit(texte):
    assert dans_le_gabarit(texte)


@pytest.mark.parametrize(
    "texte",
    [
        '<script src="{% static "js/x.js" %}" defer></script>',
        '<script type="application/json" id="donnees">{}</script>',
        '<link rel="stylesheet" href="/x.css">',
        '<div data-style="x" class="bouton-style">',
        "<p>La mention = oui</p>",
        '{# un style="" en commentaire #}',
        '{% include "x.html" with mention="oui" %}',
    ],
)
def test_le_verificateur_laisse_passer_le_reste(texte):
    assert dans_le_gabarit(texte) == []


# --- Rien de la machine de personne ---------------------------------------------------------------

# Coupés, pour que ce fichier ne se dénonce pas lui-même.
_CHEMIN = re.compile("/wo" + r"rk/|/ro" + r"ot/|/ho" + r"me/[a-z]|/Use" + r"rs/[A-Za-z]|[A-Z]:\\Use" + "rs")
_REGISTRE = re.compile(r"(?i)(index[-_]url|registry|extra-index)\s*[=:]\s*\"?(?!\"?https://pypi\.org/)[\"']?http")
IGNORES = {"__pycache__", "node_modules", "vendor"}
IGNORES_A_LA_RACINE = {"donnees", "staticfiles", "captures"}


def textes_du_projet() -> Iterator[tuple[str, str]]:
    """Chaque fichier du projet qui se lit comme du texte ; ni caches, ni environnement, ni bibliothèques."""
    for chemin, dossiers, fichiers in os.walk(RACINE):
        ignores = IGNORES_A_LA_RACINE | IGNORES if Path(chemin) == RACINE else IGNORES
        dossiers[:] = [d for d in dossiers if d == ".ci" or not (d.startswith(".") or d in ignores)]
        for fichier in (Path(chemin, nom) for nom in fichiers if nom != ".env"):
            with contextlib.suppress(UnicodeDecodeError):
                yield str(fichier.relative_to(RACINE)), fichier.read_text(encoding="utf-8")


def test_aucun_fichier_ne_nomme_un_chemin_d_une_machine():
    assert {nom: trouve.group() for nom, texte in textes_du_projet() if (trouve := _CHEMIN.search(texte))} == {}


def test_aucun_fichier_ne_nomme_un_registre_local():
    assert {nom: trouve.group() for nom, texte in textes_du_projet() if (trouve := _REGISTRE.search(texte))} == {}


def test_chaque_dependance_verrouillee_vient_de_pypi():
    paquets = tomllib.loads((RACINE / "uv.lock").read_text(encoding="utf-8"))["package"]
    sources = {str(paquet["source"]) for paquet in paquets}
    assert sources <= {"{'registry': 'https://pypi.org/simple'}", "{'virtual': '.'}"}
    adresses = {
        f["url"].split("/")[2] for p in paquets for f in [*p.get("wheels", []), *filter(None, [p.get("sdist")])]
    }
    assert adresses == {"files.pythonhosted.org"}
