"""Ce que tous les essais partagent : rigueur de l'exécution, réseau fermé, Chromium de la machine."""

import gc
import io
import ipaddress
import os
import shutil
import socket
import threading

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis

from tests.fournisseur_d_identite import fournisseur, processus_fournisseur
from tests.smtp import serveur_absent, serveur_de_courriels, serveur_muet

__all__ = ["fournisseur", "processus_fournisseur", "serveur_absent", "serveur_de_courriels", "serveur_muet"]

# --- Déroulement --------------------------------------------------------------------------------

# Deux exécutions donnent le même résultat ; « long » cherche au hasard, à lancer de temps en temps.
_communs = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
hypothesis.register_profile("rapide", derandomize=True, max_examples=50, **_communs)
hypothesis.register_profile("ci", hypothesis.get_profile("rapide"))
hypothesis.register_profile("long", max_examples=1000, print_blob=True, **_communs)
hypothesis.load_profile(os.environ.get("HYPOTHESIS_PROFIL", "rapide"))


def pytest_collection_finish():
    """Le ramasse-miettes reparcourait sans cesse le code chargé, qui ne bouge plus : le quart du temps des essais."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Marque ce qui ne touche pas la base : le rejouer sur un second moteur n'apprendrait rien."""
    from django.test import TransactionTestCase

    for item in items:
        classe = getattr(item, "cls", None)
        sans_base = not (
            {"db", "transactional_db", "live_server", "django_db_setup"} & {*item.fixturenames}
            or item.get_closest_marker("django_db")
            or (classe is not None and issubclass(classe, TransactionTestCase))
        )
        if sans_base:
            item.add_marker("sans_base")
        _refuser_un_groupe_qui_efface(item)


def _refuser_un_groupe_qui_efface(item):
    """Un essai à transactions réelles efface la base ; pytest-django le garde pour la fin, sauf si un groupe de xdist
    l'emmène avec des essais ordinaires : tous ceux d'après ne trouveraient plus les rôles."""
    base = item.get_closest_marker("django_db")
    if base is not None and base.kwargs.get("transaction") and item.get_closest_marker("xdist_group"):
        raise pytest.UsageError(f"{item.nodeid} : un essai à transactions réelles ne va pas dans un groupe de xdist.")


def pytest_report_header():
    """La base utilisée, sans le mot de passe : la même suite tourne sur deux moteurs."""
    from django.conf import settings

    base = settings.DATABASES["default"]
    adresse = f" sur {base['HOST']}:{base['PORT']}" if base["HOST"] else ""
    return f"base de données : {base['ENGINE'].rpartition('.')[2]}{adresse}"


def _sauts_interdits() -> bool:
    """En intégration continue un essai sauté est un essai perdu : rien ne le signalerait."""
    return any(os.environ.get(nom, "0") not in ("", "0", "false") for nom in ("CI", "ESSAIS_SANS_SAUT"))


def _refuser_le_saut(rapport):
    """Change en échec le rapport d'un essai (ou d'un fichier) sauté ou attendu en échec."""
    if _sauts_interdits() and (rapport.skipped or hasattr(rapport, "wasxfail")):
        raison = getattr(rapport, "wasxfail", None) or rapport.longrepr
        if isinstance(raison, tuple):  # (fichier, ligne, motif)
            raison = raison[2]
        # Les fichiers réels ne sont pas dans le projet : là où ils manquent, rien ne peut les remplacer.
        if "DECP_REELLES" in raison:
            return rapport
        rapport.outcome = "failed"
        rapport.longrepr = f"Essai sauté ou attendu en échec, ce qui est refusé ici : {raison}"
        vars(rapport).pop("wasxfail", None)
    return rapport


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport():
    return _refuser_le_saut((yield))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report():
    return _refuser_le_saut((yield))


# --- Réseau -------------------------------------------------------------------------------------


class ReseauInterdit(Exception):
    """Un essai a voulu joindre autre chose que la machine. Pas une OSError : le produit les rattrape."""


def _est_locale(prise: socket.socket, adresse) -> bool:
    if prise.family not in (socket.AF_INET, socket.AF_INET6):
        return True
    hote = adresse[0]
    try:
        return hote == "localhost" or ipaddress.ip_address(hote).is_loopback
    except ValueError:  # un nom de domaine
        return False


@pytest.fixture(scope="session", autouse=True)
def reseau_local_seulement():
    """Ferme le réseau au code Python ; Chromium a sa propre règle, plus bas."""

    def garder(nom):
        d_origine = getattr(socket.socket, nom)

        def gardee(prise, *arguments):
            # L'adresse est le dernier argument de connect, connect_ex et sendto.
            if not _est_locale(prise, arguments[-1]):
                raise ReseauInterdit(f"Connexion à {arguments[-1]} refusée pendant les essais.")
            return d_origine(prise, *arguments)

        return gardee

    with pytest.MonkeyPatch.context() as remplacement:
        for nom in ("connect", "connect_ex", "sendto"):
            remplacement.setattr(socket.socket, nom, garder(nom))
        yield


# --- Navigateur ---------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def base_url():
    """Remplace celle de pytest-playwright 0.10, que pytest 9.2 refuse par un avertissement ; aucune adresse."""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """Le Chromium de la machine, muet sur le réseau ; absent, il fait échouer les essais."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("Chromium est introuvable. Sur Debian : apt install chromium.", pytrace=False)
    # L'interface synchrone de Playwright occupe une boucle asyncio, où Django refuserait la base.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    return {
        **browser_type_launch_args,
        "executable_path": chromium,
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
        ],
    }


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "locale": "fr-FR", "timezone_id": "Europe/Paris"}


@pytest.fixture
def groupes_des_roles(transactional_db):
    """Les groupes qu'une migration avait posés, et que l'essai d'avant a effacés avec toute la base.

    `serialized_rollback` ne les remettrait pas : dans la boucle de Playwright, Django ouvre une autre connexion que
    celle qui a préparé la base, et elle n'en a pas gardé le contenu.
    """
    from django.contrib.auth.models import Group

    from comptes.droits import Role

    for role in Role:
        Group.objects.get_or_create(name=role)


@pytest.fixture
def demo(groupes_des_roles, monkeypatch):
    """Le site de `make demo` : le plan publié, et un compte par rôle."""
    from django.core.management import call_command

    from tests.fabriques import MOT_DE_PASSE

    monkeypatch.setenv("DEMO_MOT_DE_PASSE", MOT_DE_PASSE)
    call_command("preparer_demo", stdout=io.StringIO())


@pytest.fixture
def serveur_au_repos(transactional_db):
    """Vide la base une fois la dernière réponse partie : une page quittée en route tient encore ses lignes, et
    PostgreSQL verrait les deux s'attendre l'un l'autre."""
    yield
    for fil in threading.enumerate():
        if "process_request_thread" in fil.name:
            fil.join(timeout=10)


# `serveur_au_repos` vient d'abord : il s'achève après que les navigateurs se sont fermés.
@pytest.fixture
def ouvrir_une_fenetre(serveur_au_repos, new_context, live_server):
    """Fabrique de fenêtres, chacune dans son navigateur. Ce que l'une d'elles a signalé fait échouer l'essai."""
    from tests.navigateur import Fenetre

    fenetres = []

    def ouvrir(**options):
        fenetres.append(Fenetre(new_context(**options), live_server.url))
        return fenetres[-1]

    yield ouvrir
    assert [bruit for fenetre in fenetres for bruit in fenetre.bruits()] == []
