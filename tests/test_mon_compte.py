"""La page de son compte : ce que le site sait de soi, et s'il doit rappeler ce qui attend."""

import re
from html import unescape

import pytest
from django.urls import reverse

from comptes.courriels import DESINSCRIPTION
from comptes.droits import Role
from comptes.models import Utilisateur
from tests import fabriques
from tests.visites import client_de

pytestmark = pytest.mark.django_db


@pytest.fixture
def anne():
    service = fabriques.service("Achats")
    champs = {"prenom": "Anne", "nom": "Martin", "courriel": "anne@exemple.fr"}
    return fabriques.utilisateur(Role.AGENT, service=service, **champs)


def page(reponse) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", reponse.content.decode())).replace("\u00a0", " "))


def choisir(compte, **envoi):
    return client_de(compte).post(DESINSCRIPTION, envoi, follow=True)


def veut_des_rappels(compte) -> bool:
    return Utilisateur.objects.get(pk=compte.pk).rappels


def test_l_adresse_que_portent_les_courriels_est_celle_de_la_page():
    assert reverse("accueil:mon_compte") == DESINSCRIPTION


def test_la_page_dit_qui_l_on_est_et_ce_qu_on_peut(anne):
    vue = page(client_de(anne).get(DESINSCRIPTION))
    for attendu in ("Nom Anne Martin", "Service Achats", "Courriel anne@exemple.fr", "Rôle Contributeur"):
        assert attendu in vue


def test_on_ne_veut_plus_de_rappels_puis_on_en_veut(anne):
    assert "vous ne recevrez plus de rappels" in page(choisir(anne, rappels="non"))
    assert not veut_des_rappels(anne)
    assert "vous recevrez les rappels" in page(choisir(anne, rappels="oui"))
    assert veut_des_rappels(anne)


def test_le_meme_choix_deux_fois_n_ecrit_qu_une_fois(anne):
    for _ in range(2):
        choisir(anne, rappels="non")
    assert anne.history.count() == 2


@pytest.mark.parametrize("envoi", [{}, {"rappels": "peut-être"}])
def test_un_envoi_qui_ne_dit_rien_ne_change_rien(envoi, anne):
    reponse = client_de(anne).post(DESINSCRIPTION, envoi)
    assert reponse.status_code == 200
    assert reponse.context["formulaire"].errors["rappels"]
    assert veut_des_rappels(anne)


def test_on_ne_choisit_que_pour_soi(anne):
    autre = fabriques.utilisateur()
    choisir(autre, rappels="non", pk=str(anne.pk), username=anne.username)
    assert (veut_des_rappels(anne), veut_des_rappels(autre)) == (True, False)


def test_sans_adresse_la_page_le_dit():
    assert "n'a pas d'adresse de courriel" in page(client_de(fabriques.utilisateur()).get(DESINSCRIPTION))


def test_chaque_page_y_mene(anne):
    assert f'href="{DESINSCRIPTION}"' in client_de(anne).get(reverse("actions:liste")).content.decode()
