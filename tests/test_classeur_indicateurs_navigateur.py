"""Le classeur des indicateurs dans Chromium : l'emporter, le modifier, le choisir dans la page, l'enregistrer."""

from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import expect

from comptes.droits import Role
from indicateurs.listes import Etat, Nature
from indicateurs.models import Indicateur, ValeurAnnuelle
from tests import fabriques
from tests.navigateur import ETROIT, LARGE, cookie_de_session
from tests.test_classeur_indicateurs import modifier

pytestmark = [pytest.mark.navigateur, pytest.mark.usefixtures("groupes_des_roles")]


@pytest.fixture
def consultations(groupes_des_roles) -> Indicateur:
    indicateur = fabriques.indicateur(code="consultations", intitule="Consultations", unite="consultations")
    fabriques.valeur(indicateur, 2023, valeur=Decimal(166))
    return indicateur


@pytest.fixture
def part(consultations) -> Indicateur:
    champs = {"intitule": "Part avec clause", "nature": Nature.PART, "unite": "%", "denominateur": consultations}
    indicateur = fabriques.indicateur(code="part", **champs)
    fabriques.valeur(indicateur, 2023, numerateur=Decimal(42), etat=Etat.VALIDEE)
    return indicateur


def enregistree(indicateur: Indicateur, annee: int) -> ValeurAnnuelle | None:
    return ValeurAnnuelle.objects.avec_valeur().filter(indicateur=indicateur, annee=annee).first()


@pytest.mark.parametrize(("taille", "javascript"), [(LARGE, True), (ETROIT, True), (LARGE, False)])
def test_l_aller_retour_entier(ouvrir_une_fenetre, consultations, part, tmp_path: Path, taille, javascript):
    fenetre = ouvrir_une_fenetre(viewport=taille, java_script_enabled=javascript)
    page, responsable = fenetre.page, fabriques.utilisateur(Role.RESPONSABLE)
    page.context.add_cookies([cookie_de_session(responsable, fenetre.origine)])
    page.goto(f"{fenetre.origine}/indicateurs/")
    with page.expect_download() as telechargement:
        page.get_by_role("link", name="classeur Excel (.xlsx)").click()
    exporte = tmp_path / "valeurs.xlsx"
    telechargement.value.save_as(exporte)
    exporte.write_bytes(
        modifier(
            exporte.read_bytes(),
            {("consultations", "2023 valeur"): 171, ("consultations", "2023 remarque"): "Cinq retrouvées."},
        )
    )

    page.get_by_role("link", name="Importer un classeur").click()
    page.locator("input[type=file]").set_input_files(exporte)
    page.get_by_role("button", name="Voir ce que le classeur changerait").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Aperçu de « valeurs.xlsx »")
    expect(page.get_by_text("42 / 166 = 25,3 % → 42 / 171 = 24,6 % (validée)")).to_be_visible()
    if javascript:
        assert [*fenetre.defauts(), *fenetre.violations_axe({}), *fenetre.debordements()] == []
    page.get_by_role("button", name="Enregistrer 1 valeur").click()
    expect(page.get_by_text("Une valeur validée ne change pas sans motif. Concerne")).to_be_visible()
    assert enregistree(consultations, 2023).valeur == 166

    page.get_by_label("Motif du changement").fill("Cinq consultations retrouvées.")
    page.get_by_role("button", name="Enregistrer 1 valeur").click()
    expect(page.get_by_text("Import de « valeurs.xlsx » : 1 valeur enregistrée.")).to_be_visible()
    expect(page.get_by_text("Un taux a bougé.")).to_be_visible()
    assert (enregistree(consultations, 2023).valeur, enregistree(part, 2023).denominateur_retenu) == (171, 171)
