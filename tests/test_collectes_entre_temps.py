"""Une collecte dans Chromium quand tout ne va pas droit : corrigée entre-temps, indisponible, sans dénominateur."""

import datetime
import re

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from comptes.droits import Role
from comptes.models import Service
from indicateurs.collectes import Collecte
from indicateurs.listes import Etat, Nature, PhaseDeDemande
from indicateurs.models import Indicateur, ValeurAnnuelle
from indicateurs.saisie import saisir
from tests import fabriques
from tests.navigateur import ETROIT, LARGE, Fenetre, cookie_de_session

pytestmark = [pytest.mark.navigateur, pytest.mark.usefixtures("groupes_des_roles")]

ANNEE = 2024
AVEC_OU_SANS = pytest.mark.parametrize("javascript", [True, False], ids=["avec script", "sans JavaScript"])


def dans(jours: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=jours)


@pytest.fixture
def achats(groupes_des_roles) -> Service:
    return fabriques.service("Achats")


@pytest.fixture
def plan(groupes_des_roles):
    return fabriques.plan(intitule="Plan d'essai")


@pytest.fixture
def consultations(plan, achats) -> Indicateur:
    return fabriques.indicateur(plan, code="consultations", intitule="Consultations lancées", service=achats)


@pytest.fixture
def part(plan, consultations, achats) -> Indicateur:
    """Un taux qui s'appuie sur les consultations."""
    return fabriques.indicateur(
        plan,
        code="part",
        intitule="Part avec clause",
        nature=Nature.PART,
        unite="%",
        denominateur=consultations,
        service=achats,
    )


@pytest.fixture
def responsable(groupes_des_roles):
    return fabriques.utilisateur(Role.RESPONSABLE, prenom="Rose", nom="Ponsable", courriel="rose@exemple.fr")


@pytest.fixture
def anne(achats):
    return fabriques.utilisateur(Role.AGENT, prenom="Anne", nom="Martin", courriel="anne@exemple.fr", service=achats)


@pytest.fixture
def chez(ouvrir_une_fenetre):
    """Une fenêtre où ce compte est connecté, sur cette page."""

    def chez(qui, chemin: str, *, javascript: bool = True, taille: dict = LARGE) -> Page:
        fenetre: Fenetre = ouvrir_une_fenetre(viewport=taille, java_script_enabled=javascript)
        fenetre.page.context.add_cookies([cookie_de_session(qui, fenetre.origine)])
        fenetre.page.goto(f"{fenetre.origine}{chemin}")
        return fenetre.page

    return chez


@pytest.fixture
def collecte(plan, responsable, anne, consultations, part) -> Collecte:
    return Collecte.objects.all().ouvrir(plan, ANNEE, auteur=responsable, avant_le=dans(30))[0]


def cellule(page: Page, indicateur: Indicateur, champ: str) -> Locator:
    return page.locator(f"#i{indicateur.pk}-{champ}")


def messages(page: Page) -> Locator:
    return page.locator(".alert")


def ligne_du_tableau(page: Page, indicateur: Indicateur) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=indicateur.intitule, exact=True))


def valeur(indicateur: Indicateur) -> ValeurAnnuelle:
    return ValeurAnnuelle.objects.avec_valeur().get(indicateur=indicateur, annee=ANNEE)


def transmettre(page: Page) -> None:
    page.get_by_role("button", name="Transmettre au responsable").click()


def test_l_agente_repond_sur_sa_page_et_ne_voit_pas_le_tableau(chez, ouvrir_une_fenetre, collecte, anne):
    page = chez(anne, "/indicateurs/")
    expect(page.get_by_role("link", name="Collectes", exact=True)).to_have_count(0)
    page.get_by_role("link", name="répondre").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Achats")
    fenetre = ouvrir_une_fenetre()
    fenetre.page.context.add_cookies([cookie_de_session(anne, fenetre.origine)])
    assert fenetre.ouvrir(collecte.get_absolute_url(), code=403) == []


def test_une_valeur_corrigee_pendant_que_la_responsable_la_regarde_n_est_pas_validee(
    chez, collecte, consultations, responsable, anne
):
    saisir(consultations, ANNEE, {"valeur": 171}, auteur=anne, version=0)
    chef = chez(responsable, collecte.get_absolute_url())
    saisir(consultations, ANNEE, {"valeur": 175}, auteur=anne, version=1)
    ligne_du_tableau(chef, consultations).get_by_role("button", name="Valider").click()
    expect(messages(chef)).to_contain_text("a changé depuis que vous l'avez sous les yeux")
    expect(ligne_du_tableau(chef, consultations)).to_contain_text("175")
    assert valeur(consultations).etat == Etat.PROVISOIRE


@AVEC_OU_SANS
def test_dire_indisponible_ferme_la_ligne_et_montre_son_motif(
    chez, collecte, consultations, part, responsable, anne, javascript
):
    agente = chez(anne, collecte.adresse_de_reponse, javascript=javascript)
    cellule(agente, consultations, "motif_indisponibilite").fill("Logiciel en panne")
    transmettre(agente)
    expect(messages(agente).filter(has_text="Il en manque 1")).to_be_visible()
    expect(cellule(agente, consultations, "valeur")).to_have_count(0)
    expect(agente.locator("main")).to_contain_text(re.compile("Consultations lancées.*Logiciel en panne"))
    chef = chez(responsable, collecte.get_absolute_url(), javascript=javascript)
    expect(ligne_du_tableau(chef, consultations)).to_contain_text("Logiciel en panne")
    expect(ligne_du_tableau(chef, consultations).get_by_role("button", name="Valider")).to_have_count(0)


def test_un_taux_sans_son_denominateur_dit_lequel_manque(chez, collecte, part, responsable, anne):
    saisir(part, ANNEE, {"numerateur": 60}, auteur=anne, version=0)
    chef = chez(responsable, collecte.get_absolute_url())
    ligne_du_tableau(chef, part).get_by_role("button", name="Valider").click()
    expect(messages(chef)).to_contain_text(f"Il manque la valeur {ANNEE} de « Consultations lancées »")
    assert valeur(part).etat == Etat.PROVISOIRE


def test_au_telephone_l_agente_transmet(chez, collecte, consultations, anne):
    page = chez(anne, collecte.adresse_de_reponse, taille=ETROIT)
    cellule(page, consultations, "valeur").fill("171")
    transmettre(page)
    expect(messages(page).filter(has_text="1 valeur transmise")).to_contain_text("Il en manque 1.")


def test_un_renvoi_ecrit_sur_une_valeur_corrigee_entre_temps_garde_son_motif_et_ne_renvoie_rien(
    chez, collecte, consultations, responsable, anne
):
    saisir(consultations, ANNEE, {"valeur": 171}, auteur=anne, version=0)
    chef = chez(responsable, collecte.get_absolute_url())
    ligne_du_tableau(chef, consultations).get_by_role("link", name="Renvoyer").click()
    chef.get_by_label("Ce qui ne va pas").fill("Quatre manquent.")
    saisir(consultations, ANNEE, {"valeur": 175}, auteur=anne, version=1)
    collecte.demandes.get(indicateur=consultations).transmettre(anne)
    chef.get_by_role("button", name="Renvoyer au service").click()
    expect(chef.locator("main")).to_contain_text("La valeur a changé entre-temps (175) : rien n'est renvoyé.")
    expect(chef.get_by_label("Ce qui ne va pas")).to_have_value("Quatre manquent.")
    assert collecte.demandes.get(indicateur=consultations).phase == PhaseDeDemande.TRANSMISE
    # Renvoyée en connaissance de cause.
    chef.get_by_role("button", name="Renvoyer au service").click()
    expect(ligne_du_tableau(chef, consultations)).to_contain_text("Quatre manquent.")
    assert collecte.demandes.get(indicateur=consultations).phase == PhaseDeDemande.RENVOYEE
