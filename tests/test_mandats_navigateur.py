"""L'import de mandats dans Chromium, du dépôt au retrait, sans défaut à aucune page."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from comptes.droits import Role
from tests import fabriques
from tests.classeurs import xlsx
from tests.navigateur import ETROIT, LARGE, cookie_de_session
from tests.test_mandats_lecture import TITRES, B, ligne

pytestmark = [pytest.mark.navigateur, pytest.mark.usefixtures("groupes_des_roles")]


@pytest.mark.parametrize(("taille", "javascript"), [(LARGE, True), (ETROIT, True), (LARGE, False)])
def test_du_depot_au_retrait(ouvrir_une_fenetre, tmp_path: Path, taille, javascript):
    fenetre = ouvrir_une_fenetre(viewport=taille, java_script_enabled=javascript)
    page = fenetre.page
    page.context.add_cookies([cookie_de_session(fabriques.utilisateur(Role.RESPONSABLE), fenetre.origine)])
    fichier = tmp_path / "mandats.xlsx"
    fichier.write_bytes(
        xlsx([["Mandats 2023"], TITRES, ligne(), ligne(SIRET=B, CP=34000, Ville="MONTPELLIER"), ligne(Chapitre="012")])
    )

    def sans_defaut() -> None:
        if javascript:
            fenetre.deplier()
            assert [*fenetre.defauts(), *fenetre.violations_axe({}), *fenetre.debordements()] == []

    page.goto(f"{fenetre.origine}/marches/mandats/")
    sans_defaut()
    page.get_by_role("link", name="Importer des mandats").click()
    page.get_by_label("Exercice").fill("2023")
    page.get_by_label("Nom du nouveau budget").fill("Budget principal")
    page.get_by_label("Montants du nouveau budget").select_option("HT")
    page.locator("input[name=mandats]").set_input_files(fichier)
    sans_defaut()
    page.get_by_role("button", name="Lire le fichier").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Que dit chaque colonne ?")
    sans_defaut()
    page.get_by_role("button", name="Voir ce qui serait gardé").click()
    expect(page.get_by_text("2 lignes gardées")).to_be_visible()
    sans_defaut()
    page.get_by_role("button", name="Enregistrer ces totaux").click()
    expect(page.get_by_text("sont enregistrés")).to_be_visible()
    sans_defaut()
    page.get_by_role("link", name="Voir par commune").click()
    expect(page.get_by_text("Mauguio (34)")).to_be_visible()
    sans_defaut()
    page.get_by_role("button", name="Retirer cet import").click()
    expect(page.get_by_text("Aucun mandat n'a encore été importé.")).to_be_visible()
