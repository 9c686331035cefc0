"""Inviter quelqu'un à choisir son mot de passe : du formulaire d'administration à la connexion."""

import logging
import re
from datetime import timedelta

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from commande_responsable.journalisation import SansSecret
from comptes import invitations
from comptes.droits import Role
from comptes.envoi import envoyer_ce_qui_attend
from comptes.gestes import Geste, Trace
from comptes.models import Courriel, Utilisateur
from tests import fabriques
from tests.visites import client_de, formulaire_de

pytestmark = pytest.mark.django_db

PHRASE = "Ma phrase, longue et personnelle 7"
NOUVEAU = {"new_password1": PHRASE, "new_password2": PHRASE}
COURRIEL = "camille@exemple.fr"


@pytest.fixture
def administrateur():
    return fabriques.utilisateur(Role.ADMINISTRATEUR, prenom="Ada", nom="Roy")


@pytest.fixture
def bureau(administrateur) -> Client:
    return client_de(administrateur)


@pytest.fixture
def camille() -> Utilisateur:
    compte = fabriques.utilisateur(Role.AGENT, username="camille", courriel=COURRIEL)
    compte.set_unusable_password()
    compte.save()
    return compte


@pytest.fixture
def lien(administrateur, camille) -> str:
    return inviter(administrateur, camille)


def inviter(administrateur: Utilisateur, compte: Utilisateur) -> str:
    """Invite ; rend l'adresse, sans l'origine, que porte le courriel."""
    assert invitations.inviter(compte, administrateur)
    return lien_du(Courriel.objects.latest("pk").texte)


def lien_du(texte: str) -> str:
    return re.search(r"http://127\.0\.0\.1:8000(/invitation/\S+)", texte)[1]


def suivre(lien: str) -> Client:
    client = Client()
    assert client.get(lien).url == "/invitation/"
    return client


def creer(bureau: Client, **champs: str):
    page = formulaire_de(bureau.get("/admin/comptes/utilisateur/add/"))
    return bureau.post("/admin/comptes/utilisateur/add/", page | {"username": "camille"} | champs, follow=True)


# --- De bout en bout ----------------------------------------------------------------------------


def test_un_compte_cree_est_invite_recoit_un_lien_et_choisit_son_mot_de_passe(
    bureau, administrateur, serveur_de_courriels
):
    reponse = creer(bureau, courriel=COURRIEL)
    assert f"Une invitation part à {COURRIEL}." in reponse.content.decode()
    assert not Utilisateur.objects.get(username="camille").has_usable_password()
    envoyer_ce_qui_attend()
    (recu,) = serveur_de_courriels.a(COURRIEL)
    texte = recu.get_body(("plain",)).get_content()
    assert "Ada Roy vous a ouvert un compte" in texte
    assert "pendant 7 jours" in texte.replace("\u00a0", " ").replace("\u202f", " ")
    client = suivre(lien_du(texte))
    assert "camille" in client.get("/invitation/").content.decode()
    assert client.post("/invitation/", NOUVEAU).url == "/connexion/"
    assert client.post("/connexion/", {"login": "camille", "password": PHRASE}).status_code == 302
    traces = Trace.objects.filter(geste=Geste.INVITATION).order_by("pk")
    assert [trace.utilisateur.username for trace in traces] == [administrateur.username, "camille"]


def test_le_lien_ne_reste_ni_dans_la_boite_d_envoi_ni_a_l_ecran_de_l_administrateur(
    bureau, camille, lien, serveur_de_courriels
):
    courriel = Courriel.objects.get()
    fiche = f"/admin/comptes/courriel/{courriel.pk}/change/"
    assert "/invitation/" not in bureau.get(fiche).content.decode()
    envoyer_ce_qui_attend()
    courriel.refresh_from_db()
    assert (courriel.texte, courriel.html) == ("", "")


def test_sans_courriel_on_n_invite_pas_et_rien_n_est_perdu(bureau):
    page = creer(bureau, nom="Roy").content.decode()
    assert "Il faut un courriel pour inviter cette personne." in page
    assert 'value="Roy"' in page
    assert not Utilisateur.objects.filter(username="camille").exists()


@pytest.mark.parametrize(("choix", "utilisable"), [("true", True), ("false", False)])
def test_on_peut_encore_donner_un_mot_de_passe_ou_n_en_donner_aucun(bureau, choix, utilisable):
    mots = {"password1": PHRASE, "password2": PHRASE} if utilisable else {}
    creer(bureau, usable_password=choix, **mots)
    assert Utilisateur.objects.get(username="camille").has_usable_password() is utilisable
    assert not Courriel.objects.exists()


# --- La page ------------------------------------------------------------------------------------


def test_suivre_le_lien_ne_l_use_pas_et_ne_le_laisse_dans_aucune_adresse(lien):
    client = suivre(lien)
    reponse = suivre(lien).get(lien)
    assert reponse["Referrer-Policy"] == "no-referrer"
    jeton = lien.split("/")[2]
    assert jeton not in client.get("/invitation/").content.decode()


def test_un_mot_de_passe_faible_est_refuse_avec_la_raison(lien, camille):
    client = suivre(lien)
    page = client.post("/invitation/", {"new_password1": "court", "new_password2": "court"})
    assert page.status_code == 200
    assert page.context["form"].errors
    assert not Utilisateur.objects.get(pk=camille.pk).has_usable_password()


def test_choisir_deconnecte_qui_l_etait_sous_un_autre_nom(lien, bureau):
    bureau.get(lien)
    assert bureau.post("/invitation/", NOUVEAU).url == "/connexion/"
    assert bureau.get("/actions/").status_code == 302


def _deja_utilise(lien: str, camille: Utilisateur, administrateur: Utilisateur) -> str:
    suivre(lien).post("/invitation/", NOUVEAU)
    return lien


def _desactive(lien: str, camille: Utilisateur, administrateur: Utilisateur) -> str:
    camille.is_active = False
    camille.save()
    return lien


def _autre_courriel(lien: str, camille: Utilisateur, administrateur: Utilisateur) -> str:
    camille.courriel = "ailleurs@exemple.fr"
    camille.save()
    return lien


def _invite_de_nouveau(lien: str, camille: Utilisateur, administrateur: Utilisateur) -> str:
    inviter(administrateur, camille)
    return lien


def _falsifie(lien: str, camille: Utilisateur, administrateur: Utilisateur) -> str:
    return lien[:-2] + ("A/" if lien[-2] != "A" else "B/")


def _mot_de_passe_donne(lien: str, camille: Utilisateur, administrateur: Utilisateur) -> str:
    camille.set_password(PHRASE)
    camille.save()
    return lien


SANS_VALEUR = [_deja_utilise, _desactive, _autre_courriel, _invite_de_nouveau, _falsifie, _mot_de_passe_donne]


@pytest.mark.parametrize("perdre", SANS_VALEUR, ids=lambda perdre: perdre.__name__.strip("_"))
def test_un_lien_qui_ne_vaut_plus_donne_toujours_la_meme_page(lien, camille, administrateur, perdre):
    temoin = suivre("/invitation/n-importe-quoi/").get("/invitation/")
    # Relu : enregistrer celui d'avant l'invitation rendrait son mot de passe d'alors, et annulerait tout seul.
    camille.refresh_from_db()
    client = suivre(perdre(lien, camille, administrateur))
    avant = Utilisateur.objects.get(pk=camille.pk).password
    lue, envoyee = client.get("/invitation/"), client.post("/invitation/", NOUVEAU)
    assert {reponse.status_code for reponse in (temoin, lue, envoyee)} == {404}
    assert temoin.content == lue.content == envoyee.content
    assert "demandez à l'administrateur du site de vous inviter" in lue.content.decode()
    assert Utilisateur.objects.get(pk=camille.pk).password == avant


def test_un_lien_perime_ne_vaut_plus(lien, monkeypatch):
    client = suivre(lien)
    dans_huit_jours = (timezone.now() + timedelta(days=8)).timestamp()
    monkeypatch.setattr(signing.time, "time", lambda: dans_huit_jours)
    assert invitations.compte_invite(lien.split("/")[2]) is None
    monkeypatch.undo()
    assert client.get("/invitation/").status_code == 200


def test_une_page_ouverte_avant_l_annulation_ne_sert_plus(lien, camille):
    client = suivre(lien)
    assert client.get("/invitation/").status_code == 200
    camille.refresh_from_db()
    _desactive(lien, camille, camille)
    assert client.post("/invitation/", NOUVEAU).status_code == 404


# --- Renvoyer -----------------------------------------------------------------------------------


def test_l_administration_invite_de_nouveau_et_dit_qui_elle_a_laisse(bureau, camille, administrateur):
    envoi = {"action": "inviter", "_selected_action": [camille.pk, administrateur.pk]}
    page = bureau.post("/admin/comptes/utilisateur/", envoi, follow=True).content.decode()
    assert "1\u00a0invitation part" in page
    assert "Ada Roy : il n&#x27;a pas de courriel" in page
    assert Courriel.objects.get().destinataire == camille


def test_changer_le_courriel_d_un_invite_previent_que_l_invitation_ne_vaut_plus(bureau, camille, lien):
    fiche = f"/admin/comptes/utilisateur/{camille.pk}/change/"
    champs = formulaire_de(bureau.get(fiche)) | {"courriel": "ailleurs@exemple.fr"}
    assert "ne vaut plus" in bureau.post(fiche, champs, follow=True).content.decode()


def test_qui_se_connecte_par_le_fournisseur_n_est_pas_invite(camille, administrateur):
    camille.sub_oidc = "personne-1"
    camille.save()
    assert not invitations.inviter(camille, administrateur)
    assert not Courriel.objects.exists()


# --- Les journaux -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "adresse",
    [
        "/invitation/SECRET:1:2/",
        "/mot-de-passe/nouveau/1-SECRET/",
        "/connexion/fournisseur/retour/?code=SECRET&state=SECRET",
        "/calendriers/SECRET.ics",
    ],
)
def test_aucun_journal_n_ecrit_une_adresse_qui_vaut_un_secret(adresse):
    ligne = logging.LogRecord("django.request", logging.WARNING, "", 0, "Not Found: %s", (adresse,), None)
    assert SansSecret().filter(ligne)
    assert "SECRET" not in ligne.getMessage()
    assert adresse.split("SECRET")[0].split("?")[0].rstrip("1-") in ligne.getMessage()
