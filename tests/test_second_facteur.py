"""Mots de passe, second facteur, sessions : ce qui ouvre un compte, et ce qui le referme."""

import time
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client

from actions import calendriers
from comptes import second_facteur, sessions
from comptes.gestes import Geste, Trace
from comptes.models import Utilisateur
from comptes.mots_de_passe import ce_qui_manque
from tests import fabriques
from tests.fournisseur_d_identite import SUB
from tests.test_identite import entrer
from tests.visites import client_de

pytestmark = pytest.mark.django_db


def code(secret: str, pas: int = 0) -> str:
    """Le code de maintenant, ou celui d'une demi-minute voisine."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + pas))


@pytest.mark.parametrize("bon", ["Abcdefgh12!?", "Abcdefghijkl12", "le chat dort sur un grand canapé bleu"])
def test_les_trois_formes_de_la_cnil_sont_acceptees(bon):
    assert ce_qui_manque(bon) == ""


@pytest.mark.parametrize(
    ("faible", "manque"),
    [
        ("Abc1!", "7 caractères"),
        ("abcdefgh12!?", "une majuscule"),
        ("Abcdefghijk12", "un signe, ou 1 caractère"),
        ("a a a a a a a a a a a", "une majuscule, un chiffre"),
    ],
)
def test_ce_qui_manque_a_un_mot_de_passe_est_dit(faible, manque):
    assert ce_qui_manque(faible).replace("\xa0", " ").replace("\u202f", " ") == manque


def poser(client) -> str:
    """Pose le second facteur du compte connecté, par les pages. Rend son secret."""
    client.post("/compte/confirmer/", {"password": fabriques.MOT_DE_PASSE})
    secret = client.get("/compte/second-facteur/poser/").context["form"].secret
    assert client.post("/compte/second-facteur/poser/", {"code": code(secret)}).status_code == 302
    return secret


@pytest.fixture
def secret() -> str:
    """Celui du second facteur de camille, posé par les pages."""
    return poser(client_de(fabriques.utilisateur("agent", username="camille")))


@pytest.fixture
def devant_le_code(secret) -> Client:
    return au_code(Client())


def au_code(client: Client) -> Client:
    assert client.post("/connexion/", {"login": "camille", "password": fabriques.MOT_DE_PASSE}).url == (
        "/connexion/code/"
    )
    return client


def test_une_fois_pose_le_code_est_demande_et_ne_sert_qu_une_fois():
    fabriques.utilisateur("agent", username="camille")
    client = Client()
    client.force_login(Utilisateur.objects.get())
    secret = poser(client)
    assert secret not in str(Authenticator.objects.get(type="totp").data)
    identifiants = {"login": "camille", "password": fabriques.MOT_DE_PASSE}
    du_jour = code(secret)
    for attendu in (302, 200):
        client = Client()
        assert client.post("/connexion/", identifiants).url == "/connexion/code/"
        assert client.post("/connexion/code/", {"code": du_jour}).status_code == attendu
    secours = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()[0]
    assert client.post("/connexion/code/", {"code": secours}).status_code == 302


def test_au_dixieme_code_faux_le_bon_est_refuse_aussi_et_chacun_est_trace(devant_le_code, secret):
    for _ in range(second_facteur.ESSAIS):
        assert devant_le_code.post("/connexion/code/", {"code": "000000x"}).status_code == 200
    reponse = devant_le_code.post("/connexion/code/", {"code": code(secret)})
    assert "Trop de codes faux" in reponse.content.decode()
    traces = Trace.objects.filter(geste=Geste.ECHEC, objet=second_facteur.OBJET_D_UN_ECHEC, identifiant="camille")
    assert traces.count() == second_facteur.ESSAIS


def test_l_administrateur_retire_le_second_facteur_de_qui_a_perdu_son_telephone(secret):
    bureau = client_de(fabriques.utilisateur("administrateur", username="ada"))
    camille = Utilisateur.objects.get(username="camille")
    choix = {"action": "retirer_le_second_facteur", "_selected_action": [camille.pk]}
    page = bureau.post("/admin/comptes/utilisateur/", choix, follow=True)
    assert "1\xa0second facteur retiré" in page.content.decode().replace("&nbsp;", "\xa0")
    assert not Authenticator.objects.exists()
    trace = Trace.objects.filter(geste=Geste.SECOND_FACTEUR).latest("pk")
    assert (trace.utilisateur.username, trace.details["fait"]) == ("ada", "retiré par l'administrateur")
    identifiants = {"login": "camille", "password": fabriques.MOT_DE_PASSE}
    assert Client().post("/connexion/", identifiants).url == "/mes-actions/"


# --- La clé du site change ----------------------------------------------------------------------


@pytest.fixture
def cle_changee(secret, settings) -> str:
    """Rend celle d'avant ; la nouvelle sert déjà."""
    ancienne, settings.SECRET_KEY = settings.SECRET_KEY, "une-nouvelle-cle-de-site-bien-assez-longue-pour-cet-essai"
    settings.SECRET_KEY_FALLBACKS = [ancienne]
    return ancienne


def test_un_second_facteur_pose_sous_l_ancienne_cle_vaut_encore_puis_passe_sous_la_nouvelle(
    secret, cle_changee, settings
):
    assert au_code(Client()).post("/connexion/code/", {"code": code(secret)}).status_code == 302
    settings.SECRET_KEY_FALLBACKS = []
    assert au_code(Client()).post("/connexion/code/", {"code": code(secret, 1)}).status_code == 302
    secours = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()[0]
    assert au_code(Client()).post("/connexion/code/", {"code": secours}).status_code == 302


def test_une_cle_perdue_se_dit_et_n_ouvre_rien(secret, cle_changee, settings):
    settings.SECRET_KEY_FALLBACKS = []
    reponse = au_code(Client()).post("/connexion/code/", {"code": code(secret)})
    assert "ne se lit plus" in reponse.content.decode()
    client = client_de(Utilisateur.objects.get())
    client.post("/compte/confirmer/", {"password": fabriques.MOT_DE_PASSE})
    reponse = client.get("/compte/second-facteur/codes/")
    assert (reponse.status_code, "ne se lit plus" in reponse.content.decode()) == (403, True)


def test_un_lien_de_calendrier_survit_au_changement_de_cle(client, settings):
    compte = fabriques.utilisateur("agent")
    jeton = calendriers.ouvrir(compte, sujet=calendriers.MOI, nom="Agenda", alea="alea")
    adresse = urlsplit(calendriers.adresse_du_calendrier(calendriers.secret_de(compte, "alea"))).path
    settings.SECRET_KEY = "une-nouvelle-cle-de-site-bien-assez-longue-pour-cet-essai"
    assert client.get(adresse).status_code == 200
    jeton.revoquer()
    assert client.get(adresse).status_code == 404


# --- L'exiger -----------------------------------------------------------------------------------


def test_qui_vient_du_fournisseur_d_identite_l_a_donne_la_bas(client, fournisseur, settings):
    settings.SECOND_FACTEUR_EXIGE = ["agent"]
    compte = fabriques.utilisateur("agent", username="camille", sub_oidc=SUB)
    entrer(client, fournisseur)
    assert client.get("/actions/").status_code == 200
    assert client_de(compte).get("/actions/").url == "/compte/second-facteur/poser/"


def test_un_role_qui_l_exige_mene_a_la_page_qui_le_pose_sans_perdre_un_envoi(client, settings):
    settings.SECOND_FACTEUR_EXIGE = ["agent"]
    client.force_login(fabriques.utilisateur("agent"))
    assert client.get("/actions/").url == "/compte/second-facteur/poser/"
    reponse = client.post("/mon-compte/", {"rappels": "tapé"})
    assert reponse.status_code == 403
    assert "tapé" in reponse.content.decode()


def test_une_session_inactive_se_ferme_et_garde_ce_qui_etait_tape(client, settings):
    client.force_login(fabriques.utilisateur("agent"))
    session = client.session
    session[sessions.VUE] = int(time.time()) - 60 * settings.MINUTES_D_INACTIVITE - 1
    session.save()
    reponse = client.post("/mon-compte/", {"rappels": "tapé"})
    assert reponse.status_code == 403
    assert "tapé" in reponse.content.decode()
    assert client.get("/mon-compte/").status_code == 302


def test_fermer_les_autres_sessions_ne_garde_que_la_sienne():
    compte = fabriques.utilisateur("agent")
    ici, ailleurs = Client(), Client()
    ici.force_login(compte)
    ailleurs.force_login(compte)
    ici.post("/compte/sessions/")
    assert ici.get("/mon-compte/").status_code == 200
    assert ailleurs.get("/mon-compte/").status_code == 302
