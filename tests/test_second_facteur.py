"""Mots de passe, second facteur, sessions : ce qui ouvre un compte, et ce qui le referme."""

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client

from comptes import sessions
from comptes.models import Utilisateur
from comptes.mots_de_passe import ce_qui_manque
from tests import fabriques

pytestmark = pytest.mark.django_db


def code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


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
