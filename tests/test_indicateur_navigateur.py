"""Le graphique d'un indicateur dans Chromium : repères de rupture et paliers, avec et sans JavaScript."""

import pytest
from playwright.sync_api import Page, expect

from comptes.droits import Role
from comptes.models import Utilisateur
from indicateurs.listes import Nature, OrigineDeCible, Sens
from indicateurs.models import Indicateur
from tests import fabriques
from tests.navigateur import ETROIT, LARGE, cookie_de_session

pytestmark = [pytest.mark.navigateur, pytest.mark.usefixtures("groupes_des_roles")]

# La place, en pixels de l'écran, du trait, des barres 2022 et 2023 et de la zone où ils sont dessinés.
_TRAIT_REPRIS = "() => document.querySelector('.js-plotly-plot .shapelayer path').getBoundingClientRect().toJSON()"
_BARRES_REPRISES = """
() => [...document.querySelectorAll('.js-plotly-plot .barlayer .point path')]
  .map(barre => barre.getBoundingClientRect().toJSON()).filter(place => place.height > 0)
"""
_PALIERS_REPRIS = "() => [...document.querySelectorAll('.js-plotly-plot path.js-line')].map(l => l.getAttribute('d'))"


@pytest.fixture
def lecteur(groupes_des_roles) -> Utilisateur:
    return fabriques.utilisateur(Role.LECTEUR, username="lecteur")


@pytest.fixture
def part(groupes_des_roles) -> Indicateur:
    """Trois années dont une rompue, deux objectifs du plan et une obligation."""
    part = fabriques.indicateur(
        code="part", intitule="Part avec clause", nature=Nature.PART, unite="%", sens=Sens.HAUSSE
    )
    fabriques.valeur(part, 2022, valeur=30)
    fabriques.valeur(part, 2023, valeur=50, rupture="Le seuil a changé")
    fabriques.valeur(part, 2024, valeur=52)
    fabriques.cible(part, 2024, 60)
    fabriques.cible(part, 2026, 80)
    fabriques.cible(part, 2026, 100, origine=OrigineDeCible.OBLIGATION)
    return part


@pytest.fixture
def ouvrir(ouvrir_une_fenetre, lecteur, part):
    def ouvrir(taille: dict = LARGE, *, javascript: bool = True) -> Page:
        fenetre = ouvrir_une_fenetre(viewport=taille, java_script_enabled=javascript)
        fenetre.page.context.add_cookies([cookie_de_session(lecteur, fenetre.origine)])
        fenetre.page.goto(f"{fenetre.origine}{part.get_absolute_url()}")
        if javascript:
            expect(fenetre.page.locator("[data-graphique=annees][data-repris=oui]")).to_be_visible()
        return fenetre.page

    return ouvrir


@pytest.mark.parametrize("taille", [LARGE, ETROIT], ids=["large", "etroit"])
def test_la_rupture_se_voit_entre_les_deux_barres_du_graphique_repris(ouvrir, taille):
    page = ouvrir(taille)
    trait, barres = page.evaluate(_TRAIT_REPRIS), page.evaluate(_BARRES_REPRISES)
    assert barres[0]["right"] < trait["left"] < barres[1]["left"]
    assert trait["height"] > barres[1]["height"]
    expect(page.locator(".js-plotly-plot .annotation-text")).to_have_text("Rupture")


def test_les_objectifs_repris_montent_par_paliers_sans_depasser_leurs_annees(ouvrir):
    paliers = ouvrir().evaluate(_PALIERS_REPRIS)
    # M départ, H tout droit, V jusqu'au suivant ; l'obligation, seule, n'a qu'un point.
    [palier] = [chemin for chemin in paliers if "H" in chemin or "L" in chemin]
    points = [tuple(map(float, morceau.split(","))) for morceau in _coins(palier)]
    assert len(points) == 3
    (x0, y0), (x1, y1), (x2, y2) = points
    assert y0 == y1
    assert x1 == x2
    assert x0 < x1
    assert y2 < y1


def _coins(chemin: str) -> list[str]:
    """« M1,2H5V9 » ou « M1,2L5,2L5,9 » : ses trois coins « x,y »."""
    coins: list[str] = []
    for commande in chemin.replace("M", " M").replace("L", " L").replace("H", " H").replace("V", " V").split():
        x, y = coins[-1].split(",") if coins else ("", "")
        lettre, reste = commande[0], commande[1:]
        coins.append({"H": f"{reste},{y}", "V": f"{x},{reste}"}.get(lettre, reste))
    return coins


@pytest.mark.parametrize("taille", [LARGE, ETROIT], ids=["large", "etroit"])
def test_sans_javascript_la_rupture_et_les_paliers_sont_la_et_le_tableau_les_dit(ouvrir, taille):
    page = ouvrir(taille, javascript=False)
    trait = page.locator("path.repere").bounding_box()
    barres = [page.locator("rect.barre").nth(n).bounding_box() for n in range(2)]
    assert barres[0]["x"] + barres[0]["width"] < trait["x"] < barres[1]["x"]
    expect(page.locator("text.texte-repere")).to_have_text("Rupture")
    expect(page.locator("path.ligne")).to_have_count(1)
    expect(page.locator(".point")).to_have_count(3)
    expect(page.locator(".rupture")).to_contain_text("Le seuil a changé")
    donnees = page.locator("[data-graphique=annees] details")
    donnees.locator("summary").click()
    expect(donnees.get_by_role("rowheader", name="2023 (rupture)")).to_be_visible()


def test_la_page_ne_deborde_pas_a_375_pixels(ouvrir):
    page = ouvrir(ETROIT)
    assert page.evaluate("document.documentElement.scrollWidth") <= ETROIT["width"]
