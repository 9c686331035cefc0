"""Changer un statut sans quitter la page, dans Chromium : en deux clics, au clavier, sans JavaScript, à plusieurs."""

import datetime
import re

import pytest
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.test import RequestFactory
from playwright.sync_api import expect

from actions.models import Action
from actions.statuts import Statut
from commande_responsable.erreurs import indisponible
from commande_responsable.pannes import Panne
from comptes.droits import Role
from socle.echeances import Echeance, Precision
from tests import fabriques
from tests.fabriques import MOT_DE_PASSE
from tests.navigateur import ETROIT, LARGE, Fenetre, cookie_de_session
from tests.sur_place import (
    Clavier,
    annuler,
    bloc,
    changer,
    choisir,
    colonne,
    enregistre,
    marquer,
    message,
    pastille,
    retenir_la_relecture,
    statuts_ecrits,
    verifier_sans_rechargement,
    volet,
)

pytestmark = [pytest.mark.navigateur, pytest.mark.usefixtures("groupes_des_roles")]

# Le plus court chemin, de la page de connexion au statut enregistré : ce que le cahier des charges accorde.
APPUIS_ACCORDES = 8

PAGES = {
    "liste": "/actions/",
    "tableau de bord": "/",
    "Mes actions": "/mes-actions/",
    "page de l'action": "/actions/{pk}/",
}
depuis_chaque_page = pytest.mark.parametrize("chemin", PAGES.values(), ids=PAGES)


@pytest.fixture
def agent(groupes_des_roles):
    return fabriques.utilisateur(Role.AGENT, username="agent", service=fabriques.service("Achats"))


@pytest.fixture
def action(agent) -> Action:
    """Non initiée, à l'agent, la première à échoir ; avec elle au plan, une terminée et six en cours, autant que le
    tableau de bord en montre : elle serait la septième."""
    plan = fabriques.plan(intitule="Plan d'essai")
    for statut in [Statut.EN_COURS] * 6 + [Statut.TERMINEE]:
        fabriques.action(plan, statut=statut, service_pilote=agent.service)
    fin = Echeance(datetime.date(2099, 12, 31), Precision.ANNEE)
    return fabriques.action(plan, intitule="Auditer les fournisseurs", pilote=agent, echeance=fin)


@pytest.fixture
def ouvrir(ouvrir_une_fenetre, agent, action):
    """Ouvre cette page chez l'agent, déjà connecté ; `{pk}` y est celui de l'action."""

    def ouvrir(chemin: str, **options) -> Fenetre:
        fenetre = ouvrir_une_fenetre(**options)
        fenetre.page.context.add_cookies([cookie_de_session(agent, fenetre.origine)])
        fenetre.page.goto(f"{fenetre.origine}{chemin.format(pk=action.pk)}")
        return fenetre

    return ouvrir


# --- Deux clics ---------------------------------------------------------------------------------


@depuis_chaque_page
def test_deux_clics_changent_le_statut_la_page_reste_et_le_clavier_aussi(ouvrir, action, chemin):
    page = ouvrir(chemin).page
    adresse = page.url
    marquer(page)
    choisir(page, action, "En cours")
    expect(message(page)).to_have_text(enregistre(action, "En cours"))
    expect(annuler(page, action)).to_be_visible()
    expect(changer(page, action)).to_be_focused()
    expect(volet(page, action)).to_be_hidden()
    verifier_sans_rechargement(page)
    assert page.url == adresse
    assert statuts_ecrits(action) == ["NON_INITIEE", "EN_COURS"]


@pytest.mark.parametrize("chemin", ["/actions/", "/mes-actions/", "/actions/{pk}/"])
def test_le_statut_montre_est_le_nouveau(ouvrir, action, chemin):
    page = ouvrir(chemin, viewport=ETROIT).page
    choisir(page, action, "Terminée")
    expect(bloc(page, action).locator("> .statut")).to_have_text("Terminée")


def test_au_tableau_de_bord_l_action_change_de_colonne_et_chaque_nombre_suit(ouvrir, action):
    page = ouvrir("/").page
    marquer(page)
    expect(page.locator(".phrase")).to_have_text("1 action sur 8 terminée, 6 en cours, 1 non initiée.")
    expect(colonne(page, "non initiées")).to_contain_text(action.intitule)

    choisir(page, action, "En cours")
    expect(colonne(page, "en cours")).to_contain_text(action.intitule)
    expect(colonne(page, "non initiées")).not_to_contain_text(action.intitule)
    expect(page.locator(".phrase")).to_have_text("1 action sur 8 terminée, 7 en cours, 0 non initiée.")
    expect(page.locator(".colonne h3 .nombre")).to_have_text(["1", "7", "0"])
    expect(page.locator(".bloc-avancement .barre text")).to_have_text(["1", "7"])
    expect(page.locator(".depuis")).to_contain_text("+1 en cours")
    expect(changer(page, action)).to_be_focused()
    verifier_sans_rechargement(page)


def test_au_tableau_de_bord_relu_le_graphique_est_repris_par_plotly(ouvrir, action):
    fenetre = ouvrir("/")
    assert fenetre.defauts() == []
    choisir(fenetre.page, action, "En cours")
    expect(colonne(fenetre.page, "en cours")).to_contain_text(action.intitule)
    assert fenetre.defauts() == []


def test_la_page_de_l_action_raconte_aussitot_le_changement(ouvrir, action):
    page = ouvrir("/actions/{pk}/").page
    marquer(page)
    choisir(page, action, "En cours")
    vie = page.get_by_role("region", name="Chronologie").locator(".evenement-statut")
    expect(vie).to_contain_text(["Statut : En cours", "Statut : Non initiée"])
    expect(vie.first).to_contain_text("par agent")
    expect(changer(page, action)).to_be_focused()
    verifier_sans_rechargement(page)


def test_un_double_clic_sur_un_statut_n_ecrit_qu_une_ligne(ouvrir, action):
    page = ouvrir("/actions/").page
    changer(page, action).click()
    volet(page, action).get_by_role("button", name="En cours").dblclick()
    expect(message(page)).to_have_text(enregistre(action, "En cours"))
    assert statuts_ecrits(action) == ["NON_INITIEE", "EN_COURS"]


def test_un_volet_ouvert_pendant_que_le_tableau_de_bord_se_relit_reste_ouvert(ouvrir, action):
    page = ouvrir("/").page
    laisser_arriver = retenir_la_relecture(page)
    choisir(page, action, "En cours")
    expect(page.locator("[data-lue]")).to_be_visible()
    terminee = Action.objects.get(statut=Statut.TERMINEE)
    changer(page, terminee).click()
    laisser_arriver()
    expect(colonne(page, "en cours")).to_contain_text(action.intitule)
    expect(volet(page, terminee).get_by_role("button").first).to_be_focused()


def test_une_ligne_qui_sort_du_filtre_reste_avec_son_annulation_jusqu_au_rechargement(ouvrir, action):
    page = ouvrir("/actions/?statut=EN_COURS").page
    lignes = page.locator("tbody tr")
    expect(lignes).to_have_count(6)
    en_cours = Action.objects.get(numero=1)
    choisir(page, en_cours, "Terminée")
    expect(pastille(lignes.first)).to_have_text("Terminée")
    expect(annuler(page, en_cours)).to_be_visible()
    expect(lignes).to_have_count(6)
    page.reload()
    expect(lignes).to_have_count(5)


# --- Se reprendre -------------------------------------------------------------------------------


@depuis_chaque_page
def test_annuler_sur_place_remet_le_statut_d_avant(ouvrir, action, chemin):
    page = ouvrir(chemin).page
    marquer(page)
    choisir(page, action, "Terminée")
    annuler(page, action).click()
    expect(message(page)).to_have_text(f"Changement annulé : l'action {action.numero} est de nouveau « Non initiée ».")
    expect(annuler(page, action)).to_have_count(0)
    expect(changer(page, action)).to_be_focused()
    verifier_sans_rechargement(page)
    assert statuts_ecrits(action) == ["NON_INITIEE", "TERMINEE", "NON_INITIEE"]


def test_au_tableau_de_bord_annuler_remet_chaque_nombre(ouvrir, action):
    page = ouvrir("/").page
    choisir(page, action, "Terminée")
    expect(colonne(page, "terminées")).to_contain_text(action.intitule)
    annuler(page, action).click()
    expect(colonne(page, "non initiées")).to_contain_text(action.intitule)
    expect(page.locator(".phrase")).to_have_text("1 action sur 8 terminée, 6 en cours, 1 non initiée.")
    expect(page.locator(".colonne h3 .nombre")).to_have_text(["1", "6", "1"])


def test_annuler_pendant_que_le_tableau_de_bord_se_relit_n_y_laisse_pas_l_ancienne_situation(ouvrir, action):
    page = ouvrir("/").page
    laisser_arriver = retenir_la_relecture(page)
    choisir(page, action, "Terminée")
    expect(page.locator("[data-lue]")).to_be_visible()
    annuler(page, action).click()
    expect(message(page)).to_contain_text("Changement annulé")
    laisser_arriver()
    expect(annuler(page, action)).to_have_count(0)
    expect(colonne(page, "non initiées")).to_contain_text(action.intitule)
    expect(page.locator(".colonne h3 .nombre")).to_have_text(["1", "6", "1"])
    expect(changer(page, action)).to_be_focused()


def test_la_chronologie_garde_le_changement_annule_et_dit_qu_il_l_est(ouvrir, action):
    page = ouvrir("/actions/{pk}/").page
    choisir(page, action, "Terminée")
    annuler(page, action).click()
    vie = page.get_by_role("region", name="Chronologie").locator(".evenement-statut")
    expect(vie).to_contain_text(
        [
            re.compile(r"Statut\s: Non initiée\s*\(correction\)\s*Changement annulé aussitôt."),
            re.compile(r"Statut\s: Terminée\s*\(ligne corrigée\)"),
            "Effet au 31/12/2023",
        ]
    )


def test_passe_la_minute_le_bouton_annuler_n_est_plus_la(ouvrir, action):
    page = ouvrir("/actions/").page
    choisir(page, action, "En cours")
    expect(annuler(page, action)).to_be_visible()
    avancer = "(bloc, secondes) => bloc.getAnimations().forEach(a => { a.currentTime = 1000 * secondes; })"
    bouton = bloc(page, action).locator(".annulation button")
    bloc(page, action).locator(".annulation").evaluate(avancer, 59)
    expect(bouton).to_be_visible()
    bloc(page, action).locator(".annulation").evaluate(avancer, 60)
    expect(bouton).to_be_hidden()


# --- Sans JavaScript ----------------------------------------------------------------------------


@depuis_chaque_page
def test_sans_javascript_chaque_envoi_ramene_a_la_meme_ligne_de_la_meme_page(ouvrir, action, chemin):
    page = ouvrir(chemin, java_script_enabled=False).page
    ligne = f"{page.url}#statut-{action.pk}"
    choisir(page, action, "En cours")
    expect(message(page)).to_have_text(enregistre(action, "En cours"))
    expect(page).to_have_url(ligne)
    expect(bloc(page, action)).to_be_in_viewport()

    annuler(page, action).click()
    expect(message(page)).to_contain_text("Changement annulé")
    expect(page).to_have_url(ligne)
    expect(annuler(page, action)).to_have_count(0)
    assert statuts_ecrits(action) == ["NON_INITIEE", "EN_COURS", "NON_INITIEE"]


def test_sans_javascript_le_formulaire_entier_ramene_a_la_ligne_d_ou_l_on_vient(ouvrir, action):
    page = ouvrir("/actions/?q=fournisseurs", java_script_enabled=False).page
    ligne = f"{page.url}#statut-{action.pk}"
    changer(page, action).click()
    volet(page, action).get_by_role("link", name="Avec une date ou un commentaire").click()
    page.get_by_label("En cours").check()
    page.get_by_role("button", name="Enregistrer le statut").click()
    expect(page).to_have_url(ligne)
    expect(bloc(page, action).locator("> .statut")).to_have_text("En cours")


# --- Au clavier ---------------------------------------------------------------------------------


def test_au_clavier_seul_huit_appuis_menent_de_la_connexion_au_statut_enregistre(ouvrir_une_fenetre, agent, action):
    fenetre = ouvrir_une_fenetre()
    page, clavier = fenetre.page, Clavier(fenetre.page, APPUIS_ACCORDES)
    page.goto(f"{fenetre.origine}/connexion/")
    expect(page.get_by_label("Identifiant")).to_be_focused()
    page.keyboard.type(agent.username)
    clavier.appuyer("Tab")
    page.keyboard.type(MOT_DE_PASSE)
    clavier.appuyer("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mes actions")
    # Tant que la page se charge, Chromium ramène le clavier à l'ancre qu'on a suivie.
    page.wait_for_load_state()
    clavier.appuyer("Tab")
    clavier.appuyer("Enter")
    expect(page.locator("#contenu")).to_be_focused()
    clavier.appuyer("Tab")
    expect(page.get_by_role("link", name=action.intitule)).to_be_focused()
    clavier.appuyer("Tab")
    clavier.appuyer("Enter")
    expect(volet(page, action).get_by_role("button", name="En cours")).to_be_focused()
    clavier.appuyer("Enter")

    expect(message(page)).to_have_text(enregistre(action, "En cours"))
    expect(changer(page, action)).to_be_focused()
    assert statuts_ecrits(action) == ["NON_INITIEE", "EN_COURS"]


def test_au_clavier_l_annulation_est_a_un_appui_du_changement(ouvrir, action):
    page = ouvrir("/actions/").page
    choisir(page, action, "En cours")
    expect(changer(page, action)).to_be_focused()
    page.keyboard.press("Tab")
    expect(annuler(page, action)).to_be_focused()
    page.keyboard.press("Enter")
    expect(message(page)).to_contain_text("Changement annulé")
    expect(changer(page, action)).to_be_focused()


def test_echap_ferme_le_volet_et_rend_le_clavier(ouvrir, action):
    page = ouvrir("/mes-actions/").page
    changer(page, action).press("Enter")
    expect(volet(page, action).get_by_role("button").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(volet(page, action)).to_be_hidden()
    expect(changer(page, action)).to_be_focused()
    assert statuts_ecrits(action) == ["NON_INITIEE"]


def test_un_clic_ailleurs_ferme_le_volet(ouvrir, action):
    page = ouvrir("/mes-actions/").page
    changer(page, action).click()
    expect(volet(page, action)).to_be_visible()
    page.get_by_role("heading", level=1).click()
    expect(volet(page, action)).to_be_hidden()


def test_un_seul_volet_est_ouvert_a_la_fois(ouvrir, action):
    page = ouvrir("/mes-actions/").page
    ouverts = page.locator("details[data-choix][open], details[data-repli][open]")
    changer(page, Action.objects.filter(statut=Statut.EN_COURS).first()).click()
    expect(ouverts).to_have_count(1)
    # Au clavier, sans le clic qui ferme les autres.
    changer(page, action).press("Enter")
    expect(volet(page, action)).to_be_visible()
    expect(ouverts).to_have_count(1)
    page.locator("details.compte summary").press("Enter")
    expect(page.get_by_role("button", name="Se déconnecter")).to_be_visible()
    expect(ouverts).to_have_count(1)


@depuis_chaque_page
def test_sur_un_telephone_le_volet_tient_dans_l_ecran(ouvrir, action, chemin):
    page = ouvrir(chemin, viewport=ETROIT).page
    changer(page, action).click()
    place = volet(page, action).bounding_box()
    assert place["x"] >= 0
    assert place["x"] + place["width"] <= ETROIT["width"]


@pytest.mark.parametrize("taille", [ETROIT, LARGE], ids=["téléphone", "écran large"])
def test_au_tableau_de_bord_chaque_crayon_est_sur_la_ligne_de_son_action(ouvrir, taille):
    page = ouvrir("/", viewport=taille).page
    lignes = page.locator(".colonne li").all()
    assert len(lignes) == 8
    for ligne in lignes:
        action, crayon = ligne.bounding_box(), ligne.locator("summary").bounding_box()
        assert 0 <= crayon["y"] - action["y"] < 12
        assert crayon["x"] + crayon["width"] <= action["x"] + action["width"] + 1


# --- À plusieurs, et quand le site refuse -------------------------------------------------------


@pytest.mark.parametrize("chemin", ["/actions/", "/"], ids=["liste", "tableau de bord"])
def test_le_second_voit_ce_qui_est_enregistre_et_n_ecrase_rien(ouvrir, action, chemin):
    page = ouvrir(chemin).page
    collegue = fabriques.utilisateur(Role.RESPONSABLE)
    action.changer_statut(Statut.TERMINEE, auteur=collegue, version=action.version)
    choisir(page, action, "En cours")
    expect(message(page)).to_contain_text(f"Action {action.numero}, rien n'est enregistré.")
    expect(message(page)).to_contain_text("est maintenant « Terminée »")
    expect(changer(page, action)).to_be_focused()
    expect(annuler(page, action)).to_have_count(0)
    assert statuts_ecrits(action) == ["NON_INITIEE", "TERMINEE"]

    # Prévenu, il peut le faire quand même : les choix sont ceux d'une action terminée.
    choisir(page, action, "En cours")
    expect(message(page)).to_have_text(enregistre(action, "En cours"))


def perdre_le_droit(agent) -> None:
    agent.groups.set([Group.objects.get(name=Role.LECTEUR)])


def perdre_la_session(agent) -> None:
    Session.objects.all().delete()


@pytest.mark.parametrize("chemin", ["/actions/", "/"], ids=["liste", "tableau de bord"])
@pytest.mark.parametrize("perdre", [perdre_le_droit, perdre_la_session], ids=["droit perdu", "session expirée"])
def test_un_refus_se_dit_et_rien_ne_disparait(ouvrir, agent, action, chemin, perdre):
    fenetre = ouvrir(chemin)
    page = fenetre.page
    marquer(page)
    perdre(agent)
    choisir(page, action, "En cours")
    expect(message(page)).to_contain_text("Rien n'est enregistré")
    expect(message(page).get_by_role("link", name="Recharger la page")).to_have_attribute("href", page.url)
    expect(volet(page, action).get_by_role("button", name="En cours")).to_be_visible()
    verifier_sans_rechargement(page)
    assert statuts_ecrits(action) == ["NON_INITIEE"]
    # Le navigateur a signalé ce refus, et rien d'autre.
    assert [bruit for bruit in fenetre.bruits() if "403" not in bruit] == []
    fenetre.oublier()


def test_si_le_site_ne_repond_pas_la_page_le_dit_et_rien_ne_disparait(ouvrir, action):
    fenetre = ouvrir("/actions/")
    page = fenetre.page
    page.context.set_offline(True)
    choisir(page, action, "En cours")
    expect(message(page)).to_contain_text("Rien n'est enregistré : le site ne répond pas.")
    expect(volet(page, action).get_by_role("button", name="En cours")).to_be_visible()
    fenetre.oublier()


def test_une_panne_de_la_machine_dit_sur_place_ce_qu_il_est_advenu_du_geste(ouvrir, action):
    """La phrase est celle de la page de panne, que htmx ne pose pas."""
    fenetre = ouvrir("/actions/")
    page = indisponible(RequestFactory().post("/"), Panne.OCCUPEE).content.decode()
    fenetre.page.route("**/statut/", lambda route: route.fulfill(status=503, content_type="text/html", body=page))
    choisir(fenetre.page, action, "En cours")
    expect(message(fenetre.page)).to_contain_text("La base de données est occupée par une autre écriture.")
    expect(message(fenetre.page)).to_contain_text("Rien de votre envoi n'a été enregistré.")
    assert statuts_ecrits(action) == ["NON_INITIEE"]
    # Le navigateur note la réponse 503 : c'est elle qu'on voulait.
    fenetre.oublier()
