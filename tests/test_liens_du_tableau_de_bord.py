"""Tout nombre qui se lit dans un lien est celui que la liste atteinte annonce."""

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from actions.models import Action, Plan, PresenceAuPlan
from actions.statuts import Mouvement
from comptes.droits import Role
from indicateurs.models import ValeurAnnuelle
from socle.echeances import Echeance
from tests import fabriques
from tests.decor import plan_garni
from tests.visites import client_de

# Le décor s'écrit une fois : tout le fichier va au même ouvrier.
pytestmark = pytest.mark.xdist_group("liens")

MAINTENANT = datetime.datetime(2026, 11, 2, 9, 0, tzinfo=datetime.UTC)
AUJOURD_HUI = MAINTENANT.date()
LISTES = ("/actions/", "/indicateurs/")
DATES = ["", "annee=2024", "au=2026-03-01"]


# --- Lire une page et suivre ses liens ------------------------------------------------------------


@dataclass
class Lien:
    """`zone` : la classe « bloc-… » où il se trouve, vide ailleurs. `rangee` : en tête d'une ligne de tableau."""

    adresse: str
    zone: str
    rangee: bool
    textes: list[str] = field(default_factory=list)

    @property
    def texte(self) -> str:
        return " ".join("".join(self.textes).split())

    @property
    def nombre(self) -> int | None:
        """Le premier nombre qu'on y lit ; celui d'un intitulé, en tête de ligne, n'en est pas un."""
        trouve = None if self.rangee else re.search(r"\d+", self.texte)
        return int(trouve[0]) if trouve else None


class LecteurDeLiens(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.liens: list[Lien] = []
        self._zone, self._rangee, self._ouvert = "", False, False
        self.feed(page)

    def handle_starttag(self, balise: str, attributs: list[tuple[str, str | None]]) -> None:
        lus = dict(attributs)
        if balise == "section" and (lus.get("class") or "").startswith("bloc-"):
            self._zone = lus["class"] or ""
        if balise == "th":
            self._rangee = True
        if balise == "a":
            self._ouvert = True
            self.liens.append(Lien(lus.get("href") or "", self._zone, self._rangee))

    def handle_endtag(self, balise: str) -> None:
        if balise == "th":
            self._rangee = False
        if balise == "a":
            self._ouvert = False

    def handle_data(self, donnees: str) -> None:
        if self._ouvert:
            self.liens[-1].textes.append(donnees)


def liens_vers_les_listes(client: Client, adresse: str) -> list[Lien]:
    reponse = client.get(adresse)
    assert reponse.status_code == 200
    contenu = reponse.content.decode().partition("<main")[2]
    return [lien for lien in LecteurDeLiens(contenu).liens if urlsplit(lien.adresse).path in LISTES]


def lignes_annoncees(client: Client, adresse: str) -> int:
    """« N actions » ou « N indicateurs », en tête de la liste ; aucune ligne quand elle n'annonce rien."""
    reponse = client.get(adresse)
    assert reponse.status_code == 200, adresse
    annonce = re.search(r'compte-lignes">\s*(?:<p>)?([\d\s]+)(?:action|indicateur)', reponse.content.decode())
    return int(re.sub(r"\s", "", annonce[1])) if annonce else 0


def ecarts(client: Client, liens: list[Lien]) -> list[str]:
    """Les liens dont la liste n'annonce pas le nombre."""
    a_suivre = [lien for lien in liens if lien.nombre is not None]
    lignes = {adresse: lignes_annoncees(client, adresse) for adresse in {lien.adresse for lien in a_suivre}}
    return [
        f"{lien.texte} → {lignes[lien.adresse]} : {lien.adresse}"
        for lien in a_suivre
        if lien.nombre != lignes[lien.adresse]
    ]


# --- Un plan où tout se compte --------------------------------------------------------------------


@pytest.fixture(scope="module")
def site_du_fichier(django_db_setup, django_db_blocker) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as horloge, django_db_blocker.unblock(), transaction.atomic():
        horloge.setattr(timezone, "now", lambda: MAINTENANT)
        _completer(plan_garni(60).plan)
        yield
        transaction.set_rollback(True)


def _completer(plan: Plan) -> None:
    """Ce que le plan garni n'a pas : sans axe ni service, sans statut, changée et retirée cette année, ailleurs."""
    fabriques.action(plan, intitule="Sans rien", date_effet=datetime.date(2023, 12, 31))
    fabriques.action(plan, statut="TERMINEE", date_effet=AUJOURD_HUI, echeance=Echeance.lire("2026"))
    sans_statut = Action.objects.create(plan=plan, numero=900, intitule="Sans statut")
    PresenceAuPlan.ecrire(sans_statut, date_effet=datetime.date(2024, 3, 1), mouvement=Mouvement.ENTREE)
    changee, retiree = plan.actions.etat_au().au_plan().de_statut("NON_INITIEE").order_by("numero")[:2]
    changee.changer_statut("TERMINEE", auteur=None, version=changee.version, date_effet=datetime.date(2026, 2, 1))
    retiree.retirer(auteur=None, version=retiree.version, motif="Doublon", date_effet=datetime.date(2026, 5, 1))
    fabriques.action(fabriques.plan(intitule="Un autre plan", annee_debut=2020), statut="EN_COURS")
    # La complétude de chaque année montrée a de quoi se compter.
    for annee in (2023, 2024, 2025):
        ValeurAnnuelle.objects.filter(annee=annee, numerateur__isnull=False).order_by("pk").last().delete()


@pytest.fixture
def lecteur(site_du_fichier, db) -> Client:
    return client_de(fabriques.utilisateur(Role.LECTEUR))


@pytest.fixture(params=DATES, ids=lambda requete: requete or "aujourd'hui")
def liens(request, lecteur) -> list[Lien]:
    return liens_vers_les_listes(lecteur, f"/?plan=plan-garni&{request.param}")


# --- Le tableau de bord ---------------------------------------------------------------------------


def test_chaque_nombre_du_tableau_de_bord_est_celui_de_sa_liste(lecteur, liens):
    assert ecarts(lecteur, liens) == []


def test_trente_liens_au_moins_portent_un_nombre_dans_chaque_bloc(liens):
    nombres = [lien for lien in liens if lien.nombre is not None]
    assert len(nombres) >= 30
    assert sum(lien.nombre > 0 for lien in nombres) >= 30
    attendus = {f"bloc-{nom}" for nom in ("avancement", "direction", "actions", "evolution", "groupes")}
    assert {lien.zone for lien in nombres} == attendus


def test_chaque_sorte_de_filtre_est_suivie(liens):
    demandes = " ".join(lien.adresse for lien in liens if lien.nombre is not None)
    for filtre in (
        *("statut=TERMINEE", "statut=EN_COURS", "statut=NON_INITIEE", "statut=null", "depuis=", "sans_valeur="),
        *("retard=oui", "retard=inconnu", "nouvelles=aucune", "axe=null", "service=null"),
    ):
        assert filtre in demandes, filtre


def test_les_points_d_attention_ne_se_comptent_qu_aujourd_hui(lecteur):
    """Ils n'ont pas d'histoire : en montrer à une date passée serait en inventer une."""

    def demandes(date: str) -> str:
        return " ".join(lien.adresse for lien in liens_vers_les_listes(lecteur, f"/?plan=plan-garni{date}"))

    assert "attention=oui" in demandes("")
    assert "attention=ARBITRAGE" in demandes("")
    assert "attention=" not in demandes("&annee=2024") + demandes("&au=2026-03-01")


def test_un_groupe_mene_a_autant_d_actions_que_ses_statuts_en_comptent(lecteur):
    liens = liens_vers_les_listes(lecteur, "/?plan=plan-garni&annee=2024")
    groupes = [lien for lien in liens if lien.zone == "bloc-groupes"]
    tetes = [lien for lien in groupes if lien.rangee]
    assert len(tetes) >= 9
    for tete in tetes:
        par_statut = [lien.nombre for lien in groupes if lien.adresse.startswith(f"{tete.adresse}&statut=")]
        sans_statut = lignes_annoncees(lecteur, f"{tete.adresse}&statut=null")
        assert lignes_annoncees(lecteur, tete.adresse) == sum(par_statut) + sans_statut


def test_un_nombre_qui_n_est_pas_celui_de_sa_liste_se_verrait(lecteur):
    nombre = lignes_annoncees(lecteur, "/actions/?statut=EN_COURS")
    faux, juste = (Lien("/actions/?statut=EN_COURS", "", False, [f"{n} en cours"]) for n in (nombre + 1, nombre))
    assert ecarts(lecteur, [faux, juste]) == [f"{nombre + 1} en cours → {nombre} : /actions/?statut=EN_COURS"]


# --- Les bilans -----------------------------------------------------------------------------------


@pytest.mark.parametrize("requete", DATES)
def test_chaque_nombre_des_bilans_est_celui_de_sa_liste(lecteur, requete):
    liens = liens_vers_les_listes(lecteur, f"/bilans/?plan=plan-garni&{requete}")
    nombres = [lien.nombre for lien in liens if lien.nombre]
    assert len(nombres) >= 7
    assert any("sans_valeur" in lien.adresse for lien in liens)
    assert ecarts(lecteur, liens) == []
