"""La grille de saisie dans Chromium : au clavier, coller depuis un tableur, sans JavaScript, à deux."""

from decimal import Decimal

import pytest
from playwright.sync_api import Locator, Page, expect

from comptes.droits import Role
from comptes.models import Service, Utilisateur
from indicateurs.listes import Etat, Nature
from indicateurs.models import Indicateur, ValeurAnnuelle
from tests import fabriques
from tests.navigateur import LARGE, Fenetre, cookie_de_session
from tests.test_grille_navigateur import coller, compte_rendu

pytestmark = [pytest.mark.navigateur, pytest.mark.usefixtures("groupes_des_roles")]

ANNEE = 2024
GRILLE = f"/indicateurs/saisie/{ANNEE}/"
PATIENCE = 40_000
# Dix parts qui ont chacune leurs deux nombres : un bloc de tableur de dix lignes et deux colonnes.
BLOC = [(str(20 + n), f"1 {n}00") for n in range(10)]


@pytest.fixture
def achats(groupes_des_roles) -> Service:
    return fabriques.service("Achats")


@pytest.fixture
def consultations(achats) -> Indicateur:
    plan = fabriques.plan(intitule="Plan d'essai")
    return fabriques.indicateur(plan, intitule="Consultations", service=achats)


@pytest.fixture
def part(consultations, achats) -> Indicateur:
    """Un taux qui s'appuie sur les consultations."""
    return fabriques.indicateur(
        consultations.places.get().plan,
        intitule="Part avec clause",
        nature=Nature.PART,
        unite="%",
        denominateur=consultations,
        service=achats,
    )


@pytest.fixture
def parts(groupes_des_roles) -> list[Indicateur]:
    plan = fabriques.plan(intitule="Plan d'essai")
    return [fabriques.indicateur(plan, intitule=f"Part {n}", nature=Nature.PART, unite="%") for n in range(10)]


@pytest.fixture
def responsable(groupes_des_roles) -> Utilisateur:
    return fabriques.utilisateur(Role.RESPONSABLE, username="responsable")


@pytest.fixture
def agent(achats) -> Utilisateur:
    return fabriques.utilisateur(Role.AGENT, username="agent", service=achats)


@pytest.fixture
def ouvrir(ouvrir_une_fenetre, responsable):
    """La grille chez le responsable, ou chez `qui` ; `javascript=False` : sans script."""

    def ouvrir(qui: Utilisateur = responsable, *, javascript: bool = True) -> Page:
        fenetre: Fenetre = ouvrir_une_fenetre(viewport=LARGE, java_script_enabled=javascript)
        fenetre.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        fenetre.page.context.add_cookies([cookie_de_session(qui, fenetre.origine)])
        fenetre.page.goto(f"{fenetre.origine}{GRILLE}")
        return fenetre.page

    return ouvrir


def enregistree(indicateur: Indicateur) -> ValeurAnnuelle | None:
    return ValeurAnnuelle.objects.avec_valeur().filter(indicateur=indicateur, annee=ANNEE).first()


def ligne(page: Page, indicateur: Indicateur) -> Locator:
    return page.locator(f"#ligne-{indicateur.pk}")


def cellule(page: Page, indicateur: Indicateur, champ: str) -> Locator:
    return page.locator(f"#i{indicateur.pk}-{champ}")


def refus(page: Page, indicateur: Indicateur, champ: str) -> Locator:
    return page.locator(f"#i{indicateur.pk}-{champ}-dit")


def etat(page: Page, indicateur: Indicateur) -> Locator:
    return ligne(page, indicateur).locator("[data-dit=ligne]")


def montre(page: Page, indicateur: Indicateur, quoi: str) -> Locator:
    return ligne(page, indicateur).locator(f"[data-montre={quoi}]")


# --- Au clavier ---------------------------------------------------------------------------------


def test_au_clavier_un_denominateur_puis_son_taux(ouvrir, consultations, part):
    page = ouvrir()
    cellule(page, consultations, "valeur").focus()
    page.keyboard.type("171")
    page.keyboard.press("Enter")
    # Entrée descend dans la même colonne, et la ligne quittée s'enregistre.
    expect(cellule(page, part, "valeur")).to_be_focused()
    expect(etat(page, consultations)).to_have_text("Enregistré")
    expect(montre(page, part, "denominateur")).to_contain_text("171")
    page.keyboard.press("Tab")
    page.keyboard.type("60")
    page.keyboard.press("Enter")
    expect(montre(page, part, "calcul")).to_have_text("60 / 171 = 35,1 %")
    assert enregistree(part).detail == "60 / 171 = 35,1\u00a0%"
    # Échap remet ce qui est en base.
    cellule(page, part, "numerateur").fill("faux")
    page.keyboard.press("Escape")
    expect(cellule(page, part, "numerateur")).to_have_value("60")


def test_un_autre_denominateur_rafraichit_le_taux_affiche_sur_sa_ligne_sans_toucher_a_sa_saisie(
    ouvrir, consultations, part
):
    fabriques.valeur(consultations, ANNEE, valeur=166)
    fabriques.valeur(part, ANNEE, numerateur=42)
    page = ouvrir()
    cellule(page, part, "remarque").fill("En cours d'écriture")
    page.evaluate("document.activeElement.blur()")
    expect(etat(page, part)).to_have_text("Enregistré")
    cellule(page, consultations, "valeur").fill("171")
    page.keyboard.press("Enter")
    expect(etat(page, consultations)).to_have_text("Enregistré")
    expect(montre(page, part, "calcul")).to_have_text("42 / 171 = 24,6 %")
    expect(ligne(page, consultations).locator("[data-dit=deplaces]")).to_contain_text("42 / 166 = 25,3 %")
    expect(cellule(page, part, "remarque")).to_have_value("En cours d'écriture")


def test_une_valeur_validee_demande_son_motif_et_l_enregistre(ouvrir, consultations, part):
    fabriques.valeur(consultations, ANNEE, valeur=166)
    fabriques.valeur(part, ANNEE, numerateur=42, etat=Etat.VALIDEE)
    page = ouvrir()
    motif = cellule(page, consultations, "motif")
    expect(motif).to_be_hidden()
    cellule(page, consultations, "valeur").fill("171")
    # Un taux validé s'appuie dessus : le motif se montre dès qu'on y touche.
    expect(motif).to_be_visible()
    page.keyboard.press("Enter")
    expect(refus(page, consultations, "motif")).to_contain_text("ne change pas sans motif")
    expect(ligne(page, consultations).locator("[data-dit=deplaces]")).to_contain_text("42 / 171 = 24,6 % (validée)")
    expect(cellule(page, consultations, "valeur")).to_have_value("171")
    assert enregistree(consultations).valeur == 166
    motif.fill("Cinq consultations retrouvées.")
    page.keyboard.press("Enter")
    expect(etat(page, consultations)).to_have_text("Enregistré")
    assert enregistree(consultations).valeur == 171
    assert enregistree(consultations).history.first().history_change_reason == "Cinq consultations retrouvées."


def test_un_ecart_etonnant_demande_une_remarque_sans_rien_bloquer(ouvrir, consultations, part):
    fabriques.valeur(consultations, ANNEE - 1, valeur=100)
    page = ouvrir()
    cellule(page, consultations, "valeur").fill("200")
    page.keyboard.press("Enter")
    expect(montre(page, consultations, "etonnement")).to_contain_text("dites pourquoi en remarque")
    assert enregistree(consultations).valeur == 200
    cellule(page, consultations, "remarque").fill("Deux ans en un.")
    page.keyboard.press("Enter")
    expect(montre(page, consultations, "etonnement")).to_be_empty()
    assert enregistree(consultations).remarque == "Deux ans en un."


# --- Coller -------------------------------------------------------------------------------------


def test_dix_lignes_de_deux_colonnes_collees_s_enregistrent(ouvrir, parts):
    page = ouvrir()
    coller(page, BLOC, cellule(page, parts[0], "numerateur"))
    expect(compte_rendu(page)).to_have_text("20 cellules collées. 10 lignes enregistrées.", timeout=PATIENCE)
    lues = [(enregistree(part).numerateur, enregistree(part).denominateur) for part in parts]
    assert lues == [(Decimal(20 + n), Decimal(1000 + 100 * n)) for n in range(10)]
    expect(montre(page, parts[9], "calcul")).to_have_text("29 / 1 900 = 1,5 %")


def test_un_nombre_illisible_d_un_bloc_garde_sa_saisie_et_laisse_passer_les_autres(ouvrir, parts):
    bloc = [*BLOC]
    bloc[4] = ("beaucoup", "100")
    page = ouvrir()
    coller(page, bloc, cellule(page, parts[0], "numerateur"))
    expect(compte_rendu(page)).to_have_text(
        "20 cellules collées. 9 lignes enregistrées ; 1 ligne refusée : « Part 4 ».", timeout=PATIENCE
    )
    expect(cellule(page, parts[4], "numerateur")).to_have_value("beaucoup")
    expect(refus(page, parts[4], "numerateur")).to_contain_text("n'est pas un nombre")
    assert enregistree(parts[4]) is None


def test_ce_qui_n_a_pas_de_cellule_sur_sa_ligne_n_est_pas_colle_et_se_dit(ouvrir, consultations, part):
    page = ouvrir()
    coller(page, [("171", "", ""), ("", "60", "171")], cellule(page, consultations, "valeur"))
    expect(compte_rendu(page)).to_have_text(
        "2 cellules collées. 1 case vide n'a rien effacé. 1 case ne se remplit pas sur sa ligne, pas collée. "
        "2 lignes enregistrées.",
        timeout=PATIENCE,
    )
    assert enregistree(part).detail == "60 / 171 = 35,1\u00a0%"


# --- Sans JavaScript, à plusieurs ---------------------------------------------------------------


def test_sans_javascript_toute_la_page_s_enregistre_et_un_refus_garde_les_autres(ouvrir, consultations, part):
    page = ouvrir(javascript=False)
    cellule(page, consultations, "valeur").fill("171")
    cellule(page, part, "numerateur").fill("soixante")
    page.get_by_role("button", name="Enregistrer les lignes").click()
    expect(page.get_by_role("status").first).to_contain_text("1 ligne enregistrée, 1 refusée.")
    expect(cellule(page, part, "numerateur")).to_have_value("soixante")
    cellule(page, part, "numerateur").fill("60")
    page.get_by_role("button", name="Enregistrer les lignes").click()
    expect(page.get_by_role("status").first).to_contain_text("1 ligne enregistrée.")
    assert enregistree(part).detail == "60 / 171 = 35,1\u00a0%"


def test_deux_personnes_sur_une_ligne_la_seconde_voit_ce_qui_est_enregistre_et_garde_sa_saisie(
    ouvrir, consultations, part, agent
):
    premiere, seconde = ouvrir(), ouvrir(agent)
    cellule(premiere, consultations, "valeur").fill("166")
    premiere.keyboard.press("Enter")
    expect(etat(premiere, consultations)).to_have_text("Enregistré")
    cellule(seconde, consultations, "valeur").fill("171")
    seconde.keyboard.press("Enter")
    expect(refus(seconde, consultations, "valeur")).to_have_text("Enregistré entre-temps : 166")
    expect(cellule(seconde, consultations, "valeur")).to_have_value("171")
    assert enregistree(consultations).valeur == 166
    # La sienne s'enregistre en connaissance de cause.
    ligne(seconde, consultations).get_by_role("button", name="Enregistrer").click()
    expect(etat(seconde, consultations)).to_have_text("Enregistré")
    assert enregistree(consultations).valeur == 171


def test_vider_un_denominateur_propre_rend_la_ligne_au_denominateur_partage(ouvrir, consultations, part):
    fabriques.valeur(consultations, ANNEE, valeur=171)
    fabriques.valeur(part, ANNEE, numerateur=60, denominateur=61)
    page = ouvrir()
    expect(cellule(page, part, "denominateur")).to_have_value("61")
    cellule(page, part, "denominateur").fill("")
    cellule(page, consultations, "remarque").focus()
    expect(etat(page, part)).to_have_text("Enregistré")
    expect(montre(page, part, "denominateur")).to_contain_text("171")
    expect(montre(page, part, "calcul")).to_have_text("60 / 171 = 35,1 %")
    expect(cellule(page, part, "denominateur")).to_have_count(0)


def test_chez_l_agent_le_clavier_saute_les_lignes_qu_il_ne_fait_que_lire(ouvrir, consultations, part, agent):
    ailleurs = fabriques.indicateur(consultations.places.get().plan, intitule="D'un autre service")
    apres = fabriques.indicateur(
        consultations.places.get().plan, intitule="Après", service=Service.objects.get(nom="Achats")
    )
    page = ouvrir(agent)
    page.get_by_role("link", name="Tous les services").click()
    expect(cellule(page, ailleurs, "valeur")).to_have_count(0)
    cellule(page, part, "valeur").focus()
    page.keyboard.press("Enter")
    expect(cellule(page, apres, "valeur")).to_be_focused()
    coller(page, [("171",), ("25",), ("3",), ("4",)], cellule(page, consultations, "valeur"))
    expect(compte_rendu(page)).to_have_text(
        "3 cellules collées. 1 case ne se remplit pas sur sa ligne, pas collée. 3 lignes enregistrées.",
        timeout=PATIENCE,
    )
    assert (enregistree(ailleurs), enregistree(apres).valeur) == (None, 4)
