"""La grille de rattrapage dans Chromium : coller depuis un tableur, au clavier, sans JavaScript, à deux."""

import pytest
from playwright.sync_api import Locator, Page, expect

from actions.models import Action
from actions.statuts import Priorite, Statut
from comptes.droits import Role
from comptes.models import Utilisateur
from socle.echeances import Echeance
from tests import fabriques
from tests.navigateur import LARGE, Fenetre, cookie_de_session

pytestmark = [pytest.mark.navigateur, pytest.mark.usefixtures("groupes_des_roles")]

GRILLE = "/actions/grille/"
# Douze lignes s'enregistrent l'une après l'autre : une machine chargée y met plus que l'attente ordinaire.
PATIENCE = 40_000
LIGNES = 12
# Un bloc de tableur, une ligne par action : pilote, service, échéance ; trois précisions d'échéance à tour de rôle.
PERSONNES = ("Camille Martin", "camille.martin", "camille@exemple.fr")
ECHEANCES = ("T2 2027", "2027", "31/12/2026")
BLOC = [(PERSONNES[n % 3], "Achats", ECHEANCES[n % 3]) for n in range(LIGNES)]


@pytest.fixture
def pilote(groupes_des_roles) -> Utilisateur:
    return fabriques.utilisateur(
        username="camille.martin", prenom="Camille", nom="Martin", courriel="camille@exemple.fr"
    )


@pytest.fixture
def actions(pilote) -> list[Action]:
    """Le premier jour : douze actions sans pilote, sans service, sans échéance."""
    fabriques.service("Achats")
    plan = fabriques.plan(intitule="Plan d'essai")
    return [fabriques.action(plan, statut=Statut.NON_INITIEE) for _ in range(LIGNES)]


@pytest.fixture
def responsable(groupes_des_roles) -> Utilisateur:
    return fabriques.utilisateur(Role.RESPONSABLE, username="responsable")


@pytest.fixture
def ouvrir_la_grille(ouvrir_une_fenetre, responsable, actions):
    """La grille chez le responsable ; `javascript=False` : sans script."""

    def ouvrir(*, javascript: bool = True) -> Fenetre:
        fenetre = ouvrir_une_fenetre(viewport=LARGE, java_script_enabled=javascript)
        fenetre.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        fenetre.page.context.add_cookies([cookie_de_session(responsable, fenetre.origine)])
        fenetre.page.goto(f"{fenetre.origine}{GRILLE}")
        return fenetre

    return ouvrir


def relue(action: Action) -> Action:
    return Action.objects.get(pk=action.pk)


def cellule(page: Page, action: Action, champ: str) -> Locator:
    return page.locator(f"#a{action.pk}-{champ}")


def refus(page: Page, action: Action, champ: str) -> Locator:
    return page.locator(f"#a{action.pk}-{champ}-dit")


def etat(page: Page, action: Action) -> Locator:
    return page.locator(f"#ligne-{action.pk} [data-dit=ligne]")


def compte_rendu(page: Page) -> Locator:
    return page.locator("[data-compte-rendu]")


def choisir(page: Page, action: Action, champ: str, choix: str) -> None:
    """Comme au clavier : on est dans la liste quand on choisit."""
    cellule(page, action, champ).focus()
    cellule(page, action, champ).select_option(choix)


def copier(page: Page, bloc: list[tuple[str, ...]]) -> None:
    """Comme un tableur : dans le presse-papiers du système."""
    page.evaluate("texte => navigator.clipboard.writeText(texte)", "\r\n".join("\t".join(ligne) for ligne in bloc))


def coller(page: Page, bloc: list[tuple[str, ...]], sur: Locator) -> None:
    copier(page, bloc)
    sur.focus()
    page.keyboard.press("Control+V")


def sont_remplies(actions: list[Action], pilote: Utilisateur) -> bool:
    """Ces actions, les premières, ont ce que le bloc leur donne."""
    lues = [(a.pilote, str(a.service_pilote), a.valeur_echeance) for a in map(relue, actions)]
    return lues == [(pilote, service, Echeance.lire(echeance)) for _, service, echeance in BLOC[: len(actions)]]


# --- Coller -------------------------------------------------------------------------------------


def test_douze_lignes_de_trois_colonnes_collees_s_enregistrent(ouvrir_la_grille, actions, pilote):
    page = ouvrir_la_grille().page
    coller(page, BLOC, cellule(page, actions[0], "pilote"))
    expect(compte_rendu(page)).to_have_text("36 cellules collées. 12 lignes enregistrées.", timeout=PATIENCE)
    assert sont_remplies(actions, pilote)
    # Rien n'a rechargé la page, et elle montre ce qui est en base : le nom, pas ce qui a été tapé.
    for action in actions:
        expect(cellule(page, action, "pilote")).to_have_value("Camille Martin")
        expect(etat(page, action)).to_have_text("Enregistré")
    page.reload()
    expect(cellule(page, actions[11], "echeance")).to_have_value("31/12/2026")


def test_une_cellule_refusee_garde_sa_saisie_et_laisse_passer_les_autres(ouvrir_la_grille, actions, pilote):
    bloc = [*BLOC]
    bloc[4] = ("Camille Martin", "Achats", "bientôt")
    page = ouvrir_la_grille().page
    coller(page, bloc, cellule(page, actions[0], "pilote"))
    expect(compte_rendu(page)).to_have_text(
        "36 cellules collées. 11 lignes enregistrées ; 1 ligne refusée : action 5.", timeout=PATIENCE
    )
    expect(cellule(page, actions[4], "echeance")).to_have_value("bientôt")
    expect(refus(page, actions[4], "echeance")).to_contain_text("« bientôt »")
    assert relue(actions[4]).pilote is None
    assert sont_remplies([*actions[:4]], pilote)
    cellule(page, actions[4], "echeance").fill("2027")
    page.keyboard.press("Enter")
    expect(etat(page, actions[4])).to_have_text("Enregistré")
    expect(refus(page, actions[4], "echeance")).to_be_empty()
    assert (relue(actions[4]).pilote, relue(actions[4]).valeur_echeance) == (pilote, Echeance.lire("2027"))


def test_les_titres_du_tableur_disent_ou_va_chaque_colonne(ouvrir_la_grille, actions, pilote):
    bloc = [("Échéance", "pilote"), ("2027", "Camille Martin"), ("T2 2027", "")]
    page = ouvrir_la_grille().page
    coller(page, bloc, cellule(page, actions[0], "pilote"))
    expect(compte_rendu(page)).to_have_text("3 cellules collées. 1 case vide n'a rien effacé. 2 lignes enregistrées.")
    assert (relue(actions[0]).pilote, relue(actions[0]).valeur_echeance) == (pilote, Echeance.lire("2027"))
    assert (relue(actions[1]).pilote, relue(actions[1]).valeur_echeance) == (None, Echeance.lire("T2 2027"))


def test_un_bloc_plus_long_que_la_page_dit_ce_qui_n_est_pas_colle(ouvrir_la_grille, actions, pilote):
    page = ouvrir_la_grille().page
    coller(page, [("Camille Martin",)] * 3, cellule(page, actions[10], "pilote"))
    expect(compte_rendu(page)).to_have_text(
        "2 cellules collées. La page s'arrête avant la fin du bloc : 1 ligne de trop, la dernière, pas collée. "
        "2 lignes enregistrées."
    )
    assert [relue(action).pilote for action in actions[9:]] == [None, pilote, pilote]


# --- Au clavier ---------------------------------------------------------------------------------


def test_une_ligne_s_enregistre_quand_on_la_quitte_au_clavier(ouvrir_la_grille, actions, pilote):
    page = ouvrir_la_grille().page
    cellule(page, actions[0], "pilote").focus()
    page.keyboard.type("Camille Martin")
    page.keyboard.press("Tab")
    page.keyboard.type("achats")
    page.keyboard.press("Tab")
    page.keyboard.type("2027")
    assert relue(actions[0]).pilote is None
    page.keyboard.press("Enter")
    expect(cellule(page, actions[1], "echeance")).to_be_focused()
    expect(etat(page, actions[0])).to_have_text("Enregistré")
    assert (relue(actions[0]).pilote, str(relue(actions[0]).service_pilote)) == (pilote, "Achats")
    # Échap remet ce qui est en base.
    page.keyboard.type("faux")
    page.keyboard.press("Escape")
    expect(cellule(page, actions[1], "echeance")).to_have_value("")


def test_un_statut_se_change_avec_sa_date_d_effet(ouvrir_la_grille, actions):
    page = ouvrir_la_grille().page
    choisir(page, actions[2], "statut", "En cours")
    cellule(page, actions[2], "date_effet").fill("01/02/2026")
    page.locator(f"#ligne-{actions[2].pk}").get_by_role("button", name="Enregistrer").click()
    expect(etat(page, actions[2])).to_have_text("Enregistré")
    ligne = relue(actions[2]).changementdestatuts.order_by("-pk").first()
    assert (ligne.statut, f"{ligne.date_effet:%d/%m/%Y}") == (Statut.EN_COURS, "01/02/2026")


# --- Sans JavaScript, à plusieurs ---------------------------------------------------------------


def test_sans_javascript_toute_la_page_s_enregistre_et_un_refus_garde_les_autres(ouvrir_la_grille, actions, pilote):
    page = ouvrir_la_grille(javascript=False).page
    for action, ligne in zip(actions, BLOC, strict=True):
        for champ, texte in zip(("pilote", "service_pilote", "echeance"), ligne, strict=True):
            cellule(page, action, champ).fill(texte)
    cellule(page, actions[3], "echeance").fill("bientôt")
    page.get_by_role("button", name="Enregistrer les lignes").click()
    expect(page.get_by_role("status").first).to_contain_text("11 lignes enregistrées, 1 refusée.")
    expect(cellule(page, actions[3], "echeance")).to_have_value("bientôt")
    assert relue(actions[3]).pilote is None
    cellule(page, actions[3], "echeance").fill(BLOC[3][2])
    page.get_by_role("button", name="Enregistrer les lignes").click()
    expect(page.get_by_role("status").first).to_contain_text("1 ligne enregistrée.")
    assert sont_remplies(actions, pilote)


def test_deux_personnes_sur_une_ligne_la_seconde_voit_ce_qui_est_enregistre_et_garde_sa_saisie(
    ouvrir_la_grille, actions
):
    premiere, seconde = ouvrir_la_grille().page, ouvrir_la_grille().page
    choisir(premiere, actions[0], "priorite", "Basse")
    cellule(premiere, actions[1], "pilote").focus()
    expect(etat(premiere, actions[0])).to_have_text("Enregistré")
    choisir(seconde, actions[0], "priorite", "Haute")
    cellule(seconde, actions[1], "pilote").focus()
    expect(refus(seconde, actions[0], "priorite")).to_have_text("Enregistré entre-temps : Basse")
    expect(cellule(seconde, actions[0], "priorite")).to_have_value(Priorite.HAUTE)
    assert relue(actions[0]).priorite == Priorite.BASSE
    # La sienne s'enregistre en connaissance de cause.
    seconde.locator(f"#ligne-{actions[0].pk}").get_by_role("button", name="Enregistrer").click()
    expect(etat(seconde, actions[0])).to_have_text("Enregistré")
    assert relue(actions[0]).priorite == Priorite.HAUTE


def test_une_session_perdue_garde_la_saisie_et_le_dit(ouvrir_la_grille, actions, responsable):
    fenetre = ouvrir_la_grille()
    page = fenetre.page
    responsable.groups.clear()
    cellule(page, actions[0], "echeance").fill("2027")
    cellule(page, actions[1], "pilote").focus()
    expect(etat(page, actions[0])).to_contain_text("Votre saisie est gardée.")
    expect(cellule(page, actions[0], "echeance")).to_have_value("2027")
    assert relue(actions[0]).valeur_echeance is None
    # Ce refus est l'objet de l'essai.
    fenetre.oublier()
