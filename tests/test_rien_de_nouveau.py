"""« Rien de nouveau » : une nouvelle en un clic, une fois par jour et par personne."""

import datetime

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from actions.models import Action, NoteDeSuivi
from actions.requetes import Urgence
from actions.suivi import PorteeDeNote
from comptes.droits import Role
from socle.echeances import Echeance
from tests import fabriques
from tests.navigateur import cookie_de_session
from tests.sur_place import marquer, message, verifier_sans_rechargement
from tests.visites import client_de

EN_RETARD = Echeance.lire("2024")


@pytest.fixture
def agent(db):
    return fabriques.utilisateur(Role.AGENT)


@pytest.fixture
def action(agent) -> Action:
    """En cours, sans échéance ; on n'en a rien dit depuis 2023."""
    return fabriques.action(statut="EN_COURS", pilote=agent, intitule="Auditer les fournisseurs")


def silencieuse(action: Action) -> bool:
    return Action.objects.etat_au().avec_silence(timezone.localdate()).get(pk=action.pk).sans_nouvelle


def adresse(action: Action) -> str:
    return f"/actions/{action.pk}/rien-de-nouveau/"


def groupe_de(qui, action: Action) -> Urgence:
    return next(
        groupe.urgence
        for groupe in client_de(qui).get("/mes-actions/").context["miennes"].groupes
        if action in groupe.actions
    )


# --- Le geste -------------------------------------------------------------------------------------


def test_c_est_une_note_interne_datee_d_aujourd_hui_et_signee(action, agent):
    note = action.dire_rien_de_nouveau(auteur=agent)
    assert (note.texte, note.date, note.auteur, note.portee) == (
        "Rien de nouveau.",
        timezone.localdate(),
        agent,
        PorteeDeNote.INTERNE,
    )


def test_elle_compte_comme_une_nouvelle(action, agent):
    assert silencieuse(action)
    action.dire_rien_de_nouveau(auteur=agent)
    assert not silencieuse(action)


def test_dite_deux_fois_le_meme_jour_elle_n_est_ecrite_qu_une_fois(action, agent):
    assert action.dire_rien_de_nouveau(auteur=agent) == action.dire_rien_de_nouveau(auteur=agent)


def test_deux_personnes_la_disent_chacune(action, agent):
    action.dire_rien_de_nouveau(auteur=agent)
    action.dire_rien_de_nouveau(auteur=fabriques.utilisateur(Role.RESPONSABLE))
    assert action.notes.count() == 2


def test_le_lendemain_elle_se_redit(action, agent):
    hier = timezone.localdate() - datetime.timedelta(days=1)
    action.noter("Rien de nouveau.", auteur=agent, le=hier)
    action.dire_rien_de_nouveau(auteur=agent)
    assert action.notes.count() == 2


def test_la_version_de_l_action_ne_bouge_pas(action, agent):
    """Sinon le formulaire ouvert à côté serait refusé pour une note."""
    action.dire_rien_de_nouveau(auteur=agent)
    assert Action.objects.get(pk=action.pk).version == action.version


# --- Depuis « Mes actions » -----------------------------------------------------------------------


def test_apres_le_clic_la_page_revient_a_l_action_sortie_de_sans_nouvelle_et_le_dit(action, agent):
    client = client_de(agent)
    assert groupe_de(agent, action) is Urgence.SILENCE
    reponse = client.post(adresse(action), {"suite": "/mes-actions/?page=1"})
    assert (reponse.status_code, reponse["Location"]) == (302, f"/mes-actions/?page=1#action-{action.pk}")
    assert groupe_de(agent, action) is Urgence.RESTE
    page = client.get("/mes-actions/").content.decode()
    assert f"rien de nouveau sur l&#x27;action {action.numero} aujourd&#x27;hui" in page
    assert f'<li id="action-{action.pk}">' in page


@pytest.mark.parametrize("suite", ["", "https://ailleurs.exemple/", "//ailleurs.exemple/"])
def test_une_suite_hors_du_site_ramene_a_l_action(action, agent, suite):
    reponse = client_de(agent).post(adresse(action), {"suite": suite})
    assert reponse["Location"] == f"/actions/{action.pk}/"


def test_le_bouton_est_propose_sans_nouvelle_et_en_retard_pas_quand_tout_suit_son_cours(action, agent):
    en_retard = fabriques.action(action.plan, statut="EN_COURS", pilote=agent, echeance=EN_RETARD)
    suivie = fabriques.action(action.plan, statut="EN_COURS", pilote=agent, date_effet=timezone.localdate())
    page = client_de(agent).get("/mes-actions/").content.decode()
    assert [adresse(une) in page for une in (action, en_retard, suivie)] == [True, True, False]


def test_une_action_en_retard_garde_sa_place_et_dit_qu_on_en_a_parle(action, agent):
    en_retard = fabriques.action(action.plan, statut="EN_COURS", pilote=agent, echeance=EN_RETARD)
    en_retard.dire_rien_de_nouveau(auteur=agent)
    page = client_de(agent).get("/mes-actions/").content.decode()
    assert groupe_de(agent, en_retard) is Urgence.RETARD
    assert adresse(en_retard) not in page
    assert "Nouvelle notée aujourd’hui" in page


def test_sur_place_le_bouton_devient_la_phrase_qui_le_dit_et_la_page_est_prevenue(action, agent):
    reponse = client_de(agent).post(adresse(action), headers={"HX-Request": "true"})
    page = reponse.content.decode()
    assert reponse.status_code == 200
    assert f'id="nouvelle-{action.pk}"' in page
    assert "<form" not in page
    assert 'id="messages" hx-swap-oob="innerHTML"' in page
    assert reponse["HX-Trigger-After-Settle"] == '{"nouvelle-donnee": {}}'


@pytest.mark.parametrize("role", [Role.LECTEUR, Role.AGENT])
def test_qui_ne_peut_pas_mettre_l_action_a_jour_n_ecrit_rien(action, role):
    assert client_de(fabriques.utilisateur(role)).post(adresse(action)).status_code == 403
    assert not NoteDeSuivi.objects.exists()


# --- Dans Chromium --------------------------------------------------------------------------------


@pytest.mark.navigateur
@pytest.mark.parametrize("javascript", [True, False], ids=["sur place", "sans JavaScript"])
def test_un_clic_suffit_et_la_page_se_range(groupes_des_roles, ouvrir_une_fenetre, action, agent, javascript):
    fenetre = ouvrir_une_fenetre(java_script_enabled=javascript)
    page = fenetre.page
    page.context.add_cookies([cookie_de_session(agent, fenetre.origine)])
    page.goto(f"{fenetre.origine}/mes-actions/")
    expect(page.get_by_role("heading", name="Sans nouvelle")).to_be_visible()
    if javascript:
        marquer(page)
    page.get_by_role("button", name="Rien de nouveau").click()
    expect(message(page)).to_contain_text("C'est noté")
    expect(page.get_by_role("heading", name="Sans nouvelle")).to_have_count(0)
    expect(page.get_by_role("heading", name="Le reste")).to_be_visible()
    if javascript:
        verifier_sans_rechargement(page)
    assert action.notes.count() == 1
