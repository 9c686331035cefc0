"""Dans Chromium : entrer par le fournisseur d'identité, répondre à une invitation, débloquer quelqu'un."""

import os
import re
from pathlib import Path

import pytest
from axes.models import AccessAttempt
from playwright.sync_api import expect

from comptes import invitations
from comptes.droits import Role
from comptes.models import Collectivite, Courriel, Utilisateur
from tests import fabriques
from tests.fournisseur_d_identite import SUB
from tests.navigateur import ETROIT, LARGE, Fenetre, cookie_de_session
from tests.test_navigateur import juger

pytestmark = [pytest.mark.navigateur, pytest.mark.usefixtures("groupes_des_roles")]

PHRASE = "Ma phrase, longue et personnelle 7"


def regarder(fenetre: Fenetre, nom: str) -> list[str]:
    """Les défauts de la page montrée, large puis étroite."""
    defauts = []
    for largeur, taille in (("1280", LARGE), ("375", ETROIT)):
        fenetre.page.set_viewport_size(taille)
        defauts += [*fenetre.defauts(), *juger(fenetre)]
        if dossier := os.environ.get("CAPTURES_IDENTITE"):
            fenetre.page.screenshot(path=Path(dossier) / f"{nom}-{largeur}.png", full_page=True)
    fenetre.page.set_viewport_size(LARGE)
    return defauts


@pytest.fixture
def fenetre(ouvrir_une_fenetre) -> Fenetre:
    Collectivite.objects.create(nom="Collectivité d'essai")
    return ouvrir_une_fenetre()


def test_on_entre_par_le_fournisseur_et_l_on_arrive_ou_l_on_allait(fenetre, fournisseur):
    fabriques.utilisateur(Role.AGENT, username="camille", sub_oidc=SUB)
    assert fenetre.ouvrir("/indicateurs/") == []
    assert regarder(fenetre, "connexion") == []
    page = fenetre.page
    page.get_by_role("button", name="mon compte professionnel").click()
    page.wait_for_url(f"{fournisseur.adresse}/**")
    page.get_by_placeholder("sub").fill(SUB)
    page.get_by_role("button", name="Authorize").click()
    page.wait_for_url(f"{fenetre.origine}/indicateurs/")
    # Chez le fournisseur, la page n'est pas à nous.
    fenetre.oublier()
    expect(page.locator("details.compte")).to_have_text(re.compile("camille"))
    page.locator("details.compte summary").click()
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_role("heading", name="Connexion")).to_be_visible()
    assert fenetre.defauts() == []


def test_sans_compte_ou_en_annulant_on_n_entre_pas_et_on_le_lit(fenetre, fournisseur):
    page = fenetre.page
    phrases = {"Authorize": "aucun compte de ce site n'est le vôtre", "Deny": "la connexion a été annulée"}
    for bouton, phrase in phrases.items():
        page.goto(f"{fenetre.origine}/connexion/")
        page.get_by_role("button", name="mon compte professionnel").click()
        page.get_by_placeholder("sub").fill(SUB)
        page.get_by_role("button", name=bouton).click()
        expect(page.get_by_role("main")).to_contain_text(phrase)
        fenetre.oublier()
        assert regarder(fenetre, f"refus-{bouton}") == []


def test_une_invitation_se_suit_jusqu_a_la_connexion(fenetre):
    compte = fabriques.utilisateur(Role.AGENT, username="camille", prenom="Camille", courriel="camille@exemple.fr")
    compte.set_unusable_password()
    compte.save()
    invitations.inviter(compte, fabriques.utilisateur(Role.ADMINISTRATEUR))
    chemin = re.search(r"http://127\.0\.0\.1:8000(/invitation/\S+)", Courriel.objects.get().texte)[1]
    page = fenetre.page
    assert fenetre.ouvrir(chemin) == []
    assert page.url == f"{fenetre.origine}/invitation/"
    assert regarder(fenetre, "invitation") == []
    mots = page.locator('input[type="password"]')
    mots.nth(0).fill(PHRASE)
    mots.nth(1).fill(PHRASE)
    page.get_by_role("button", name="Enregistrer le mot de passe").click()
    expect(page.get_by_role("status")).to_contain_text("Votre mot de passe est enregistré")
    page.get_by_label("Identifiant").fill("camille")
    page.get_by_label("Mot de passe").fill(PHRASE)
    page.get_by_role("button", name="Se connecter", exact=True).click()
    expect(page.locator("details.compte")).to_have_text(re.compile("Camille"))
    fenetre.oublier()
    assert fenetre.ouvrir(chemin, code=404) == []
    assert regarder(fenetre, "invitation-perdue") == []


def test_l_administrateur_debloque_d_un_clic(fenetre):
    administrateur = fabriques.utilisateur(Role.ADMINISTRATEUR)
    for rang, adresse in enumerate(("192.0.2.10", "2001:db8:85a3:8d3:1319:8a2e:370:7348")):
        AccessAttempt.objects.create(
            username=f"prenom.nom-compose-{rang}", ip_address=adresse, path_info="/", failures_since_start=10
        )
    fenetre.page.context.add_cookies([cookie_de_session(administrateur, fenetre.origine)])
    assert fenetre.ouvrir("/connexions-bloquees/") == []
    assert regarder(fenetre, "blocages") == []
    fenetre.page.get_by_role("button", name="Débloquer prenom.nom-compose-0").click()
    expect(fenetre.page.get_by_role("status")).to_contain_text("débloquée")
    assert AccessAttempt.objects.get().username == "prenom.nom-compose-1"
    assert fenetre.ouvrir("/admin/comptes/utilisateur/add/") == []
    mots = fenetre.page.locator(".field-password1")
    expect(mots).to_be_hidden()
    if dossier := os.environ.get("CAPTURES_IDENTITE"):
        fenetre.page.screenshot(path=Path(dossier) / "nouveau-compte.png", full_page=True)
    fenetre.page.get_by_label("Donner un mot de passe maintenant").check()
    expect(mots).to_be_visible()
    assert not Utilisateur.objects.filter(username="camille").exists()
