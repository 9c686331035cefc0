"""Une collecte dans Chromium, à trois comptes : ouverte, remplie, renvoyée, reprise, validée."""

import pytest
from playwright.sync_api import Page, expect

from comptes.droits import Role
from comptes.models import Utilisateur
from indicateurs.listes import Etat, Nature
from indicateurs.models import Collecte, Indicateur
from tests import fabriques
from tests.navigateur import LARGE, Fenetre, cookie_de_session

pytestmark = [pytest.mark.navigateur, pytest.mark.usefixtures("groupes_des_roles")]


@pytest.fixture
def indicateurs(groupes_des_roles) -> tuple[Indicateur, Indicateur]:
    """Un compte et le taux qui s'appuie sur lui, du même service."""
    plan, achats = fabriques.plan(intitule="Plan d'essai"), fabriques.service("Achats")
    compte = fabriques.indicateur(plan, intitule="Consultations", service=achats)
    taux = fabriques.indicateur(
        plan, intitule="Part avec clause", nature=Nature.PART, unite="%", denominateur=compte, service=achats
    )
    fabriques.valeur(compte, 2024, valeur=166)
    return compte, taux


@pytest.fixture
def ouvrir(ouvrir_une_fenetre):
    """Une fenêtre à soi, sur cette adresse ; `javascript=False` : sans script."""

    def ouvrir(qui: Utilisateur, chemin: str, *, javascript: bool = True) -> Page:
        fenetre: Fenetre = ouvrir_une_fenetre(viewport=LARGE, java_script_enabled=javascript)
        fenetre.page.context.add_cookies([cookie_de_session(qui, fenetre.origine)])
        fenetre.page.goto(f"{fenetre.origine}{chemin}")
        return fenetre.page

    return ouvrir


def message(page: Page, texte: str) -> None:
    expect(page.locator("#messages")).to_contain_text(texte)


def rangee(page: Page, etat: str, intitule: str):
    return page.locator(f'table[aria-labelledby="etat-{etat}"] tr', has_text=intitule)


@pytest.mark.parametrize("javascript", [True, False], ids=["avec script", "sans script"])
def test_de_l_ouverture_a_la_validation_a_trois_comptes(ouvrir, indicateurs, javascript):
    compte, taux = indicateurs
    responsable = fabriques.utilisateur(Role.RESPONSABLE, username="responsable")
    agent = fabriques.utilisateur(Role.AGENT, username="agent", service=compte.service, courriel="agent@exemple.fr")
    lecteur = fabriques.utilisateur(Role.LECTEUR, username="lecteur", service=compte.service)

    # Le responsable ouvre.
    chez_lui = ouvrir(responsable, "/indicateurs/", javascript=javascript)
    chez_lui.get_by_role("link", name="Collectes").click()
    chez_lui.get_by_role("link", name="Ouvrir une collecte").click()
    chez_lui.get_by_label("Année").fill("2025")
    chez_lui.get_by_label("À remettre avant le").fill("2199-12-31")
    chez_lui.get_by_role("button", name="Ouvrir la collecte").click()
    message(chez_lui, "Collecte 2025 ouverte : 1 courriel part.")
    tableau = chez_lui.url

    # L'agent le voit où il travaille, saisit, et transmet.
    chez_elle = ouvrir(agent, "/mes-actions/", javascript=javascript)
    expect(chez_elle.get_by_text("2 valeurs à donner pour la Collecte 2025")).to_be_visible()
    chez_elle.get_by_role("link", name="répondre").click()
    chez_elle.locator(f"#i{compte.pk}-valeur").fill("171")
    chez_elle.locator(f"#i{taux.pk}-numerateur").fill("60")
    chez_elle.get_by_role("button", name="Transmettre au responsable").click()
    message(chez_elle, "2 valeurs transmises. Il n'en manque aucune.")
    page_du_service = chez_elle.url

    # Un lecteur ne voit ni le tableau, ni la page du service.
    for adresse in (tableau, page_du_service):
        chez_un_autre = ouvrir(lecteur, "/", javascript=javascript)
        assert chez_un_autre.goto(adresse).status == 403

    # Le responsable renvoie l'une et valide l'autre.
    chez_lui.goto(tableau)
    rangee(chez_lui, "A_VALIDER", "Part avec clause").get_by_role("link", name="Renvoyer").click()
    chez_lui.get_by_label("Ce qui ne va pas").fill("Deux lots manquent.")
    chez_lui.get_by_role("button", name="Renvoyer au service").click()
    message(chez_lui, "Renvoyée au service : Part avec clause.")
    rangee(chez_lui, "A_VALIDER", "Consultations").get_by_role("button", name="Valider").click()
    message(chez_lui, "Validée : Consultations.")

    # L'agent reprend ; le responsable valide tout.
    chez_elle.goto(page_du_service)
    expect(chez_elle.get_by_role("heading", name="À reprendre")).to_be_visible()
    expect(chez_elle.get_by_text("Deux lots manquent.")).to_be_visible()
    chez_elle.locator(f"#i{taux.pk}-numerateur").fill("62")
    chez_elle.get_by_role("button", name="Transmettre au responsable").click()
    message(chez_elle, "1 valeur transmise. Il n'en manque aucune.")
    chez_lui.goto(tableau)
    expect(rangee(chez_lui, "A_VALIDER", "Part avec clause")).to_contain_text("62 / 171 = 36,3 %")
    chez_lui.get_by_role("button", name="Valider tout ce qui est à valider (1)").click()
    message(chez_lui, "1 valeur validée.")
    assert {v.etat for v in taux.valeurs.all()} == {Etat.VALIDEE}
    assert compte.valeurs.get(annee=2025).etat == Etat.VALIDEE
    chez_lui.get_by_role("button", name="Clore la collecte").click()
    message(chez_lui, "Collecte close")
    assert Collecte.objects.get().close_le
