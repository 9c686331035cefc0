"""Les essais ratés : ce qui bloque, ce qui ne bloque pas, comment on débloque."""

import datetime

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from axes.models import AccessAttempt, AccessLog
from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from comptes import blocages
from comptes.droits import Role
from comptes.gestes import Geste, Trace
from tests import fabriques
from tests.visites import client_de

pytestmark = pytest.mark.django_db

BUREAU, AILLEURS = "192.0.2.10", "198.51.100.7"
NOUVEAU = "une phrase longue et personnelle de huit mots"


@pytest.fixture
def camille():
    return fabriques.utilisateur(Role.AGENT, username="camille", courriel="camille@exemple.fr")


def essayer(depuis: str = BUREAU, compte: str = "camille", mot: str = "faux") -> int:
    return Client().post("/connexion/", {"login": compte, "password": mot}, REMOTE_ADDR=depuis).status_code


def bloquer(fois: int = 10, depuis: str = BUREAU) -> list[int]:
    return [essayer(depuis) for _ in range(fois)]


def deja_rates(fois: int, compte: str = "camille", depuis: str = AILLEURS) -> None:
    """Des échecs qu'on n'a pas le temps de taper un à un."""
    AccessAttempt.objects.create(
        username=compte, ip_address=depuis, path_info="/connexion/", failures_since_start=fois
    )


def gestes(geste: Geste) -> list[Trace]:
    return list(Trace.objects.filter(geste=geste).order_by("pk"))


# --- Ce qui bloque ------------------------------------------------------------------------------


def test_le_dixieme_echec_bloque_ce_compte_depuis_cette_adresse_et_se_trace_une_fois(camille):
    assert bloquer(12) == [200] * 9 + [429] * 3
    assert essayer(mot=fabriques.MOT_DE_PASSE) == 429
    assert essayer(AILLEURS, mot=fabriques.MOT_DE_PASSE) == 302
    (trace,) = gestes(Geste.BLOCAGE)
    assert (trace.objet, trace.details["adresse"], trace.adresse) == ("Compte camille", BUREAU, BUREAU)


def test_la_page_qui_bloque_dit_quoi_faire(camille):
    bloquer(9)
    page = Client().post("/connexion/", {"login": "camille", "password": "faux"}, REMOTE_ADDR=BUREAU)
    for conseil in ("quart d&#x27;heure", "Mot de passe oublié", "administrateur"):
        assert conseil in page.content.decode()


def test_insister_ne_prolonge_pas_l_attente(camille):
    bloquer()
    (avant,) = blocages.en_cours()
    essayer()
    assert blocages.en_cours() == [avant]
    AccessAttempt.objects.update(attempt_time=timezone.now() - datetime.timedelta(minutes=16))
    assert blocages.en_cours() == []
    assert essayer(mot=fabriques.MOT_DE_PASSE) == 302


def test_un_compte_essaye_de_partout_ne_s_ouvre_plus_que_d_ou_il_s_est_deja_connecte(camille):
    assert essayer(BUREAU, mot=fabriques.MOT_DE_PASSE) == 302
    for rang in range(9):
        deja_rates(5, depuis=f"203.0.113.{rang}")
    for rang in range(5):
        essayer(f"203.0.113.{100 + rang}")
    assert essayer(AILLEURS, mot=fabriques.MOT_DE_PASSE) == 429
    assert essayer(BUREAU, mot=fabriques.MOT_DE_PASSE) == 302
    (trace,) = gestes(Geste.BLOCAGE)
    assert (trace.objet, trace.details["échecs"]) == ("Compte camille", blocages.ECHECS_PAR_COMPTE)


def test_une_adresse_qui_essaie_tous_les_comptes_ne_sert_plus_que_ceux_qui_y_sont_connus(camille):
    fabriques.utilisateur(Role.AGENT, username="dominique")
    assert essayer(BUREAU, mot=fabriques.MOT_DE_PASSE) == 302
    for rang in range(20):
        deja_rates(5, compte=f"essai-{rang}", depuis=BUREAU)
    assert essayer(BUREAU, "dominique", fabriques.MOT_DE_PASSE) == 429
    assert essayer(BUREAU, mot=fabriques.MOT_DE_PASSE) == 302
    assert essayer(AILLEURS, "dominique", fabriques.MOT_DE_PASSE) == 302


def test_une_adresse_oubliee_depuis_trois_mois_n_est_plus_connue(camille):
    essayer(BUREAU, mot=fabriques.MOT_DE_PASSE)
    # La trace ne se modifie pas : ce n'est que par l'ordre direct à la base qu'un essai la vieillit.
    models.QuerySet(Trace).update(le=timezone.now() - blocages.MEMOIRE_DES_ADRESSES - datetime.timedelta(days=1))
    deja_rates(blocages.ECHECS_PAR_COMPTE)
    assert essayer(BUREAU, mot=fabriques.MOT_DE_PASSE) == 429


def test_axes_ne_garde_ni_mot_de_passe_ni_journal_des_connexions(camille):
    champs = {"login": "camille", "password": "tres-secret-1", "oldpassword": "x", "next": "/actions/"}
    Client().post("/connexion/?password=tres-secret-1", champs)
    Client().post("/connexion/", champs)
    essayer(mot=fabriques.MOT_DE_PASSE)
    ecrit = " ".join(str(valeur) for ligne in AccessAttempt.objects.values_list() for valeur in ligne)
    assert "camille" in ecrit
    assert "tres-secret-1" not in ecrit
    assert not AccessLog.objects.exists()


def test_les_essais_perimes_s_effacent():
    deja_rates(1)
    assert blocages.oublier_les_essais(timezone.now() - datetime.timedelta(days=1)) == 0
    assert blocages.oublier_les_essais(timezone.now() + datetime.timedelta(seconds=1)) == 1


# --- Débloquer ----------------------------------------------------------------------------------


def test_l_administrateur_voit_ce_qui_est_bloque_et_debloque(camille):
    bloquer()
    administrateur = fabriques.utilisateur(Role.ADMINISTRATEUR)
    site = client_de(administrateur)
    page = site.get("/connexions-bloquees/").content.decode()
    assert all(mot in page for mot in ("camille", BUREAU, "Jusqu'à"))
    reponse = site.post("/connexions-bloquees/debloquer/", {"identifiant": "camille", "adresse": BUREAU}, follow=True)
    assert "débloquée" in reponse.content.decode()
    assert "Aucune connexion" in reponse.content.decode()
    assert essayer(mot=fabriques.MOT_DE_PASSE) == 302
    (trace,) = gestes(Geste.DEBLOCAGE)
    assert (trace.utilisateur, trace.objet) == (administrateur, "Compte camille")


@pytest.mark.parametrize("champs", [{"identifiant": "camille", "adresse": AILLEURS}, {}, {"adresse": "\x00"}])
def test_debloquer_ce_qui_ne_l_est_pas_ne_change_rien(camille, champs):
    bloquer()
    reponse = client_de(fabriques.utilisateur(Role.ADMINISTRATEUR)).post("/connexions-bloquees/debloquer/", champs)
    assert reponse.status_code == 302
    assert len(blocages.en_cours()) == 1
    assert gestes(Geste.DEBLOCAGE) == []


def test_un_nouveau_mot_de_passe_recu_par_courriel_debloque(camille):
    bloquer()
    client = Client()
    cle = default_token_generator.make_token(camille)
    lien = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(camille), "key": cle})
    formulaire = client.get(lien, follow=True)
    client.post(formulaire.request["PATH_INFO"], {"password1": NOUVEAU, "password2": NOUVEAU})
    assert essayer(mot=NOUVEAU) == 302
    assert len(gestes(Geste.DEBLOCAGE)) == 1


def test_l_administration_brute_des_essais_n_existe_pas():
    site = client_de(fabriques.utilisateur(Role.ADMINISTRATEUR))
    assert site.get("/admin/axes/accessattempt/").status_code == 404
    assert "Connexions bloquées" in site.get("/admin/comptes/utilisateur/").content.decode()
