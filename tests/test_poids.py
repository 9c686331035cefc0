"""Ce que pèse une page, si elle bouge en se chargeant, ce qu'il en reste sans JavaScript et sur le papier."""

import functools
import gzip
import itertools
import json
import re
from urllib.parse import urlsplit

import brotli
import pytest
from playwright.sync_api import Browser, Page, expect

from actions.models import Action
from comptes.droits import Role
from comptes.models import Utilisateur
from tests.decor import Decor, plan_garni
from tests.navigateur import ETROIT, LARGE, Fenetre, cookie_de_session

pytestmark = [pytest.mark.navigateur, pytest.mark.usefixtures("groupes_des_roles")]

TABLEAU_DE_BORD, LISTE, ACTION, COMITE, INDICATEUR = (
    "accueil:tableau_de_bord",
    "actions:liste",
    "actions:detail",
    "actions:comite",
    "indicateurs:detail",
)


@pytest.fixture
def garni(live_server) -> Decor:
    """Soixante actions remplies, dix indicateurs sur cinq ans : dix secondes, d'où des essais qui en lisent plusieurs
    pages (`subtests`)."""
    return plan_garni(60)


@pytest.fixture
def ouvrir_chez(ouvrir_une_fenetre):
    """La fenêtre de quelqu'un, déjà connecté, sur cette page."""

    def ouvrir(compte: Utilisateur, chemin: str | None = None, **options) -> Fenetre:
        fenetre = ouvrir_une_fenetre(**options)
        fenetre.page.context.add_cookies([cookie_de_session(compte, fenetre.origine)])
        if chemin is not None:
            fenetre.page.goto(f"{fenetre.origine}{chemin}")
        return fenetre

    return ouvrir


# --- Peser --------------------------------------------------------------------------------------

# En octets, première visite, cache vide.
SANS_PLOTLY = 100_000
AVEC_PLOTLY = 450_000
PART_DE_PLOTLY = ("plotly-basic.min.js", "plotly-fr.js", "plotly.css", "graphiques.js")


@functools.cache
def en_brotli(corps: bytes) -> int:
    return len(brotli.compress(corps))


def poids(adresse: str, corps: bytes) -> int:
    """Ce qui voyage en production : les fichiers sont servis en brotli par WhiteNoise, les pages en gzip par nginx."""
    if urlsplit(adresse).path.startswith("/static/"):
        return min(en_brotli(corps), len(corps))
    return len(gzip.compress(corps, compresslevel=6))


def test_une_premiere_visite_pese_moins_que_ce_qui_est_accorde(ouvrir_chez, garni, subtests):
    for nom in (TABLEAU_DE_BORD, LISTE, ACTION):
        with subtests.test(nom):
            _peser(ouvrir_chez, garni, nom)


def _peser(ouvrir_chez, garni, nom) -> None:
    fenetre = ouvrir_chez(garni.comptes[Role.RESPONSABLE])
    reponses = []
    fenetre.page.on("response", lambda reponse: reponses.append(reponse))
    fenetre.page.goto(f"{fenetre.origine}{garni.adresse(nom)}", wait_until="networkidle")
    poids_par_adresse = {reponse.url: poids(reponse.url, reponse.body()) for reponse in reponses}
    de_plotly = sum(octets for url, octets in poids_par_adresse.items() if url.endswith(PART_DE_PLOTLY))
    total = sum(poids_par_adresse.values())
    assert (de_plotly > 0) == (nom == TABLEAU_DE_BORD), "plotly n'est chargé que par une page qui a un graphique"
    assert total - de_plotly <= SANS_PLOTLY, poids_par_adresse
    assert total <= AVEC_PLOTLY, poids_par_adresse


# --- Ne pas bouger ------------------------------------------------------------------------------


def decalages(browser: Browser, page: Page, faire) -> list[str]:
    """Les décalages que Chromium a comptés pendant `faire` : la part de l'écran qui a bougé, et ce qui a bougé."""
    browser.start_tracing(page=page, categories=["loading", "devtools.timeline"])
    faire()
    trace = json.loads(browser.stop_tracing())
    decalages = [evenement["args"]["data"] for evenement in trace["traceEvents"] if evenement["name"] == "LayoutShift"]
    return [
        f"{decalage['score']:.4f} : "
        + " ; ".join(
            f"{bouge.get('debug_name')} {bouge['old_rect']} -> {bouge['new_rect']}"
            for bouge in decalage["impacted_nodes"]
        )
        for decalage in decalages
        if not decalage.get("had_recent_input")
    ]


def test_rien_ne_bouge_pendant_que_la_page_se_charge(browser, ouvrir_chez, garni, subtests):
    for nom, taille in itertools.product([TABLEAU_DE_BORD, INDICATEUR], [ETROIT, LARGE]):
        with subtests.test(nom, largeur=taille["width"]):
            fenetre = ouvrir_chez(garni.comptes[Role.RESPONSABLE], viewport=taille)
            # Attend aussi que plotly ait repris chaque graphique.
            assert decalages(browser, fenetre.page, functools.partial(fenetre.ouvrir, garni.adresse(nom))) == []
            assert fenetre.page.locator('[data-repris="oui"]').count() >= 1


def test_un_decalage_se_verrait(browser, ouvrir_chez, garni):
    fenetre = ouvrir_chez(garni.comptes[Role.LECTEUR], garni.adresse(LISTE))
    pousser = """async () => {
      await new Promise(requestAnimationFrame);
      document.querySelector("main").insertAdjacentHTML("beforebegin", "<p>De quoi</p>".repeat(5));
      await new Promise(suite => requestAnimationFrame(() => requestAnimationFrame(suite)));
    }"""
    assert decalages(browser, fenetre.page, lambda: fenetre.page.evaluate(pousser)) != []


# --- Sans JavaScript ----------------------------------------------------------------------------


@pytest.fixture
def sans_javascript(ouvrir_chez, demo) -> Page:
    """Le tableau de bord du plan publié."""
    return ouvrir_chez(Utilisateur.objects.get(username="lecteur"), "/", java_script_enabled=False).page


def test_sans_javascript_le_dessin_de_l_evolution_porte_ses_nombres(sans_javascript):
    dessin = sans_javascript.locator('[data-graphique="evolution"] svg')
    expect(dessin).to_be_visible()
    expect(dessin.locator(".legende")).to_have_text(["Terminées", "En cours", "Non initiées"])
    for serie, nombre in enumerate(("4", "5", "3")):
        a_ce_jour = dessin.locator(f'.valeur[data-serie="{serie}"]').last
        expect(a_ce_jour).to_be_visible()
        expect(a_ce_jour).to_have_text(nombre)


def test_sans_javascript_le_tableau_de_l_evolution_s_ouvre_et_porte_les_memes_nombres(sans_javascript):
    evolution = sans_javascript.locator('[data-graphique="evolution"]')
    evolution.get_by_text("Voir les données").click()
    expect(evolution.get_by_role("columnheader")).to_contain_text(["Terminées", "En cours", "Non initiées"])
    expect(evolution.get_by_role("row", name="à ce jour").get_by_role("cell")).to_have_text(["4", "5", "3"])
    expect(evolution.get_by_role("row", name="fin 2023").get_by_role("cell")).to_have_text(["4", "5", "3"])


def test_sans_javascript_les_chiffres_cles_se_lisent(sans_javascript):
    chiffres = sans_javascript.get_by_role("region", name="Chiffres clés").locator(".grand")
    expect(chiffres).to_contain_text(["166", "53 %", "25 %"])
    for chiffre in chiffres.all():
        expect(chiffre).to_be_visible()


# --- Imprimer -----------------------------------------------------------------------------------

# En points CSS, à 96 par pouce : une feuille A4 moins ses marges.
A4 = {"width": 718, "height": 1047}
MARGES = dict.fromkeys(("top", "right", "bottom", "left"), "1cm")

# Ce qui serait coupé par le bord de la feuille, ou caché dans un cadre qui défile : le papier ne défile pas.
_COUPES = """
() => [...document.querySelectorAll("body *")].filter(element => {
  const style = getComputedStyle(element);
  const cadre = element.getBoundingClientRect();
  const invisible = cadre.width <= 1 || cadre.height <= 1 || style.visibility === "hidden";
  if (invisible || element.closest("svg")) { return false; }
  const defile = !["visible", "clip"].includes(style.overflowX) && element.scrollWidth > element.clientWidth + 1;
  return defile || cadre.right > innerWidth + 1;
}).map(element => element.outerHTML.slice(0, 120))
"""


# Pour chaque page : combien de feuilles au plus, ce qui s'y lit, ce qui ne s'y lit pas.
IMPRESSIONS = {
    TABLEAU_DE_BORD: (2, (), ()),
    LISTE: (2, (), ()),
    ACTION: (
        3,
        ("Étape 0", "Compte rendu 0", "Décision", "Note"),
        ("Ajouter une étape", "Ajouter un document", "Modifier", "Retirer", "Corriger", "Voir toute"),
    ),
    COMITE: (
        4,
        ("Ce qui a changé", "En retard", "Relevé de décisions", "Décision 0."),
        ("Ajouter la décision", "Retirer", "Modifier", "Imprimer"),
    ),
}


def imprimer(page: Page) -> tuple[str, int]:
    """Ce qui se lit sur le papier, et sur combien de feuilles ; rien n'y est coupé."""
    page.set_viewport_size(A4)
    page.emulate_media(media="print")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= A4["width"]
    assert page.evaluate(_COUPES) == []
    pdf = page.pdf(format="A4", margin=MARGES)
    assert pdf.startswith(b"%PDF-")
    return re.sub(r"\s", " ", page.locator("body").inner_text()), len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


@pytest.mark.parametrize(
    ("chemin", "attendus", "accordees"),
    [
        ("/", ["4 actions sur 12 terminées", "166", "53 %", "25 %", "Ademe"], 2),
        ("/actions/", ["12 actions", "Maintenir la Certification ISO 9001", "Non initiée"], 1),
        ("/actions/{pk}/", ["Où en est-on", "Chronologie", "Effet au 31/12/2023"], 1),
    ],
    ids=["tableau de bord", "liste", "action"],
)
def test_le_plan_publie_s_imprime_en_entier_sur_a4(ouvrir_chez, demo, chemin, attendus, accordees):
    adresse = chemin.format(pk=Action.objects.get(numero=10).pk)
    imprime, feuilles = imprimer(ouvrir_chez(Utilisateur.objects.get(username="lecteur"), adresse).page)
    assert [texte for texte in attendus if texte not in imprime] == []
    assert [ecran for ecran in ("Se déconnecter", "Filtrer les actions") if ecran in imprime] == []
    assert 1 <= feuilles <= accordees


def test_un_plan_garni_s_imprime_sans_rien_couper_ni_ce_qui_se_clique(ouvrir_chez, garni, subtests):
    for nom, (accordees, attendus, tus) in IMPRESSIONS.items():
        with subtests.test(nom):
            imprime, feuilles = imprimer(ouvrir_chez(garni.comptes[Role.RESPONSABLE], garni.adresse(nom)).page)
            assert 1 <= feuilles <= accordees
            assert [texte for texte in attendus if texte not in imprime] == []
            assert [geste for geste in tus if geste in imprime] == []
