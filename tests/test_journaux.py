"""Le journal : chaque ligne dit sa demande ou sa tâche, tient sur une ligne, et ne livre aucun secret."""

import io
import json
import logging
import re

import pytest
from django.conf import settings as reglages
from django.contrib.auth.decorators import login_not_required
from django.test import Client
from django.urls import path
from django.utils.module_loading import import_string
from django_tasks import task

from commande_responsable import urls
from commande_responsable.lignes_de_journal import SUITE
from comptes.demande import EN_TETE, noter_la_tache, tache_en_cours
from tests import fabriques
from tests.test_taches import vider_la_file
from tests.visites import client_de

FORGE = "rien\n2026-01-01 00:00:00,000 ERROR comptes [-] compte administrateur créé\x1b[2J\u2028fin"
DEBUT = re.compile(r"^\d{4}-\d\d-\d\d ")


@login_not_required
def _vue_en_panne(request):
    raise RuntimeError(f"fichier illisible : {FORGE} /calendriers/SECRET.ics")


urlpatterns = [*urls.urlpatterns, path("en-panne/", _vue_en_panne)]
handler404, handler500 = urls.handler404, urls.handler500


class Journal:
    """Ce que le site écrirait sur sa sortie d'erreur, à tous les niveaux, dans une forme ou l'autre."""

    def __init__(self, forme: str) -> None:
        options = dict(reglages.LOGGING["formatters"][forme])
        fabrique = import_string(options.pop("()"))
        self.sortie = io.StringIO()
        self.poignee = logging.StreamHandler(self.sortie)
        self.poignee.setFormatter(fabrique(**{"fmt" if nom == "format" else nom: v for nom, v in options.items()}))
        for filtre in reglages.LOGGING["handlers"]["stderr"]["filters"]:
            self.poignee.addFilter(import_string(reglages.LOGGING["filters"][filtre]["()"])())

    @property
    def lignes(self) -> list[str]:
        return self.sortie.getvalue().splitlines()

    @property
    def objets(self) -> list[dict]:
        return [json.loads(ligne) for ligne in self.lignes]


@pytest.fixture
def ecrire_en():
    """Branche un journal de cette forme pour le temps de l'essai."""
    racine, poignees = logging.getLogger(), []
    niveaux = {racine: logging.INFO, logging.getLogger("acces"): logging.DEBUG}
    d_origine = {journal: journal.level for journal in niveaux}

    def brancher(forme: str) -> Journal:
        journal = Journal(forme)
        racine.addHandler(journal.poignee)
        poignees.append(journal.poignee)
        for lequel, niveau in niveaux.items():
            lequel.setLevel(niveau)
        return journal

    yield brancher
    for poignee in poignees:
        racine.removeHandler(poignee)
    for lequel, niveau in d_origine.items():
        lequel.setLevel(niveau)


def acces(journal: Journal) -> list[dict]:
    return [objet for objet in journal.objets if objet["journal"] == "acces"]


# --- Les accès ------------------------------------------------------------------------------------


def test_chaque_demande_a_sa_ligne_avec_son_numero_et_le_compte(db, ecrire_en):
    compte = fabriques.utilisateur("agent")
    journal = ecrire_en("json")
    reponse = client_de(compte).get("/mon-compte/?q=une-recherche")
    [ligne] = acces(journal)
    attendu = {
        "methode": "GET",
        "chemin": "/mon-compte/",
        "code": 200,
        "compte": compte.pk,
        "demande": reponse[EN_TETE],
        "niveau": "INFO",
    }
    assert {nom: ligne[nom] for nom in attendu} == attendu
    assert ligne["duree_ms"] >= 0
    assert "une-recherche" not in journal.sortie.getvalue()


def test_la_supervision_ne_remplit_pas_le_journal(client, ecrire_en):
    journal = ecrire_en("json")
    client.get("/sante/vivant/")
    assert [ligne["niveau"] for ligne in acces(journal)] == ["DEBUG"]


@pytest.mark.parametrize("forme", ["texte", "json"])
def test_l_adresse_d_un_calendrier_n_est_dans_aucune_ligne(db, client, ecrire_en, forme):
    journal = ecrire_en(forme)
    assert client.get("/calendriers/SECRET.ics").status_code == 404
    assert "/calendriers/…" in journal.sortie.getvalue() or "/calendriers/\\u2026" in journal.sortie.getvalue()
    assert "SECRET" not in journal.sortie.getvalue()


def test_toute_ligne_d_une_demande_refusee_porte_son_numero(db, client, ecrire_en):
    """Celle de Django aussi, qui s'écrit après la réponse."""
    journal = ecrire_en("json")
    reponse = client.get("/nulle-part/")
    journaux = {objet["journal"]: objet.get("demande") for objet in journal.objets}
    assert journaux == dict.fromkeys(("acces", "django.request"), reponse[EN_TETE])


# --- Ce qu'un visiteur ne forge pas ---------------------------------------------------------------


def test_une_adresse_ne_forge_pas_de_ligne(db, client, ecrire_en):
    journal = ecrire_en("texte")
    client.get("/nulle-part%0A2026-01-01%2000:00:00,000%20ERROR%20faux%1B[2J/")
    assert len(journal.lignes) == 2
    assert all(DEBUT.match(ligne) and "ERROR faux" not in ligne.split("[")[0] for ligne in journal.lignes)


@pytest.mark.parametrize("forme", ["texte", "json"])
def test_un_message_tient_sur_une_ligne(ecrire_en, forme):
    journal = ecrire_en(forme)
    logging.getLogger("essai").warning("Reçu : %s", FORGE)
    [ligne] = journal.lignes
    assert "\x1b" not in ligne


@pytest.mark.urls(__name__)
def test_une_trace_d_execution_reste_en_retrait_et_sans_secret(db, ecrire_en):
    journal = ecrire_en("texte")
    assert Client(raise_request_exception=False).get("/en-panne/").status_code == 500
    suite = [ligne for ligne in journal.lignes if not DEBUT.match(ligne)]
    assert any("RuntimeError" in ligne for ligne in suite)
    assert all(ligne.startswith(SUITE) for ligne in suite)
    assert "SECRET" not in journal.sortie.getvalue()


@pytest.mark.urls(__name__)
def test_en_json_une_trace_d_execution_est_dans_son_objet_sans_ce_que_django_y_joint(db, ecrire_en):
    journal = ecrire_en("json")
    reponse = Client(raise_request_exception=False).get("/en-panne/")
    [panne] = [objet for objet in journal.objets if "exception" in objet]
    assert "RuntimeError" in panne["exception"]
    assert panne["demande"] == reponse[EN_TETE]
    assert {*panne} == {"moment", "niveau", "journal", "message", "demande", "exception"}
    assert "SECRET" not in journal.sortie.getvalue()


# --- Le numéro, à l'écran -------------------------------------------------------------------------


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(("adresse", "code"), [("/en-panne/", 500), ("/nulle-part/", 404)])
def test_la_page_d_erreur_montre_le_numero_du_journal(db, adresse, code):
    reponse = Client(raise_request_exception=False).get(adresse)
    assert reponse.status_code == code
    assert (
        f"administrateur\N{NO-BREAK SPACE}: <code>{reponse[EN_TETE]}</code>".replace("\N{NO-BREAK SPACE}", "&nbsp;")
        in reponse.content.decode()
    )


@pytest.mark.urls(__name__)
def test_une_panne_rend_le_texte_tape(db):
    reponse = Client(raise_request_exception=False).post(
        "/en-panne/", {"texte": "Dix minutes de frappe.", "password1": "secret-tape"}
    )
    assert "Dix minutes de frappe." in reponse.content.decode()
    assert "secret-tape" not in reponse.content.decode()


def test_un_visiteur_ne_choisit_pas_le_numero(client):
    reponse = client.get("/sante/vivant/", headers={EN_TETE: "choisi-par-moi", "X-Request-ID": "choisi-par-moi"})
    assert re.fullmatch("[0-9a-f]{16}", reponse[EN_TETE])


# --- L'ouvrier ------------------------------------------------------------------------------------


@task()
def dire_bonjour() -> None:
    # Les essais n'écrivent que les erreurs.
    logging.getLogger("essai").error("bonjour de la tâche")


def test_hors_d_une_tache_et_d_une_demande_une_ligne_n_a_pas_d_origine(ecrire_en):
    journal = ecrire_en("texte")
    logging.getLogger("essai").warning("au repos")
    noter_la_tache("abc")
    try:
        logging.getLogger("essai").warning("au travail")
    finally:
        noter_la_tache("")
    assert [re.search(r"\[(.*?)\]", ligne)[1] for ligne in journal.lignes] == ["-", "tâche abc"]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_les_lignes_d_une_tache_portent_son_identifiant(capfd):
    """Un vrai ouvrier, ce qu'il écrit lu sur sa sortie d'erreur."""
    resultat = dire_bonjour.enqueue()
    vider_la_file()
    [bonjour] = [ligne for ligne in capfd.readouterr().err.splitlines() if "bonjour de la tâche" in ligne]
    assert f"[tâche {resultat.id}]" in bonjour
    assert tache_en_cours() == ""
