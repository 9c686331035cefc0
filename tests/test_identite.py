"""Se connecter par un fournisseur d'identité : contre un vrai, sur la machine."""

import base64
import hashlib
import json

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from comptes import identite
from comptes.droits import Role
from comptes.gestes import Geste, Trace
from comptes.models import Utilisateur
from comptes.reglages_oidc import lire_les_reglages
from tests import fabriques
from tests.fournisseur_d_identite import (
    ANNONCE,
    CLES,
    CLIENT,
    INFORMATIONS,
    JETON,
    SECRET,
    SUB,
    FournisseurDEssai,
    parametre,
    partir,
)
from tests.smtp import port_libre

pytestmark = pytest.mark.django_db

RETOUR = "/connexion/fournisseur/retour/"


def entrer(client: Client, fournisseur: FournisseurDEssai, sub: str = SUB, suite: str = ""):
    """Tout le parcours ; rend la réponse au retour du fournisseur."""
    return client.get(fournisseur.accepter(partir(client, suite), sub))


def connecte(client: Client) -> int | None:
    compte = client.session.get("_auth_user_id")
    return compte and int(compte)


def texte(reponse) -> str:
    return reponse.content.decode()


@pytest.fixture
def camille(db) -> Utilisateur:
    return fabriques.utilisateur(Role.AGENT, username="camille", courriel="camille@exemple.fr", sub_oidc=SUB)


@pytest.fixture
def inconnue(db) -> Utilisateur:
    """Un compte local que le fournisseur ne connaît pas encore."""
    return fabriques.utilisateur(Role.AGENT, username="camille", courriel="camille@exemple.fr")


# --- Entrer -------------------------------------------------------------------------------------


def test_sans_reglage_rien_ne_repond_et_la_page_ne_propose_rien(client):
    assert client.post("/connexion/fournisseur/").status_code == 404
    assert client.get(f"{RETOUR}?code=x&state=y").status_code == 404
    page = client.get("/connexion/")
    assert "fournisseur" not in texte(page)
    assert "form-action 'self';" in page["Content-Security-Policy"] + ";"


def test_on_entre_dans_le_compte_qui_a_ce_sub(client, fournisseur, camille):
    reponse = entrer(client, fournisseur)
    assert (reponse.status_code, reponse.url) == (302, "/mes-actions/")
    assert connecte(client) == camille.pk
    assert Trace.objects.get().geste == Geste.CONNEXION
    assert client.get("/actions/").status_code == 200


def test_rien_du_fournisseur_ne_se_garde_en_base(client, fournisseur, camille):
    entrer(client, fournisseur)
    assert not any(modele.objects.exists() for modele in (SocialAccount, SocialApp, SocialToken))
    assert "eyJ" not in json.dumps(dict(client.session))


def test_la_demande_porte_state_nonce_et_pkce_mais_pas_le_secret(client, fournisseur, camille):
    page = partir(client)
    assert parametre(page, "code_challenge_method") == "S256"
    assert SECRET not in page
    client.get(fournisseur.accepter(page, SUB))
    echange = next(demande for demande in fournisseur.demandes if demande.chemin == JETON)
    empreinte = hashlib.sha256(echange.champs["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(empreinte).decode().rstrip("=") == parametre(page, "code_challenge")
    assert echange.champs["client_secret"] == SECRET
    assert len(parametre(page, "state")) >= 16
    assert len(parametre(page, "nonce")) >= 32


def test_l_adresse_ne_change_ni_la_portee_ni_les_parametres(client, fournisseur):
    page = client.post("/connexion/fournisseur/?scope=offline_access&auth_params=prompt%3Dnone")["Location"]
    assert set(parametre(page, "scope").split()) == {"openid", "profile", "email"}
    assert "prompt" not in page


def test_on_revient_ou_l_on_allait_jamais_ailleurs(fournisseur, camille):
    assert entrer(Client(), fournisseur, suite="/indicateurs/").url == "/indicateurs/"
    assert entrer(Client(), fournisseur, suite="https://ailleurs.example/").url == "/mes-actions/"


def test_un_lien_ne_connecte_personne(client, fournisseur):
    assert client.get("/connexion/fournisseur/").status_code == 405
    assert Client(enforce_csrf_checks=True).post("/connexion/fournisseur/").status_code == 403
    assert fournisseur.demandes == []


def test_qui_est_deja_connecte_ne_repart_pas(client, fournisseur, camille):
    client.force_login(camille)
    assert partir(client) == "/"
    assert fournisseur.demandes == []


def test_seule_la_page_de_connexion_laisse_aller_chez_le_fournisseur(client, fournisseur, camille):
    assert f"form-action 'self' {fournisseur.adresse}" in client.get("/connexion/")["Content-Security-Policy"]
    entrer(client, fournisseur)
    assert fournisseur.adresse not in client.get("/actions/")["Content-Security-Policy"]


def test_se_deconnecter_ferme_la_session(client, fournisseur, camille):
    entrer(client, fournisseur)
    client.post("/deconnexion/")
    assert connecte(client) is None
    assert identite.PAR_LE_FOURNISSEUR not in client.session


def test_la_marque_du_fournisseur_ne_vaut_que_pour_le_compte_reconnu(client, rf, fournisseur, camille):
    entrer(client, fournisseur)
    demande = rf.get("/")
    demande.session = client.session
    assert identite.par_le_fournisseur(demande, camille)
    assert not identite.par_le_fournisseur(demande, fabriques.utilisateur())


# --- Ne pas entrer ------------------------------------------------------------------------------


def test_sans_compte_on_n_entre_pas_et_la_page_dit_quoi_faire(client, fournisseur):
    fournisseur.connaitre(SUB, email="camille@exemple.fr", email_verified=True)
    reponse = entrer(client, fournisseur)
    assert reponse.status_code == 403
    assert "Demandez à l&#x27;administrateur de le créer" in texte(reponse)
    assert (trace := Trace.objects.get()).geste == Geste.ECHEC
    assert trace.identifiant == "camille@exemple.fr"
    assert not Utilisateur.objects.exists()


def test_un_compte_desactive_n_entre_pas(client, fournisseur, camille):
    camille.is_active = False
    camille.save()
    reponse = entrer(client, fournisseur)
    assert reponse.status_code == 403
    assert "plus actif" in texte(reponse)
    assert connecte(client) is None


def test_annuler_ramene_a_la_page_de_connexion(client, fournisseur, camille):
    reponse = client.get(fournisseur.annuler(partir(client)), follow=True)
    assert reponse.redirect_chain == [("/connexion/", 302)]
    assert "a été annulée" in texte(reponse)


def test_un_retour_ne_sert_qu_une_fois_et_dans_sa_seule_session(client, fournisseur, camille):
    retour = fournisseur.accepter(partir(client), SUB)
    assert Client().get(retour).status_code == 400
    assert client.get(retour).status_code == 302
    client.post("/deconnexion/")
    rejoue = client.get(retour)
    assert rejoue.status_code == 400
    assert "Recommencez" in texte(rejoue)
    assert client.get(RETOUR).status_code == 400
    assert connecte(client) is None


def test_un_fournisseur_eteint_se_dit(client, fournisseur, camille, settings):
    page = partir(client)
    retour = fournisseur.accepter(page, SUB)
    fournisseur.en_panne = True
    assert client.get(retour).status_code == 503
    assert client.post("/connexion/fournisseur/").status_code == 503
    fournisseur.port = port_libre()
    settings.OIDC = fournisseur.reglages()
    reponse = client.post("/connexion/fournisseur/")
    assert reponse.status_code == 503
    assert "ne répond pas" in texte(reponse)


def signer(jeton: str, change: dict | None = None, **options) -> str:
    """Le contenu de ce jeton, changé, signé par qui n'est pas le fournisseur."""
    return jwt.encode(jwt.decode(jeton, options={"verify_signature": False}) | (change or {}), **options)


AUTRE_CLE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CLE_ANNONCEE = {"keys": [jwt.algorithms.RSAAlgorithm.to_jwk(AUTRE_CLE.public_key(), as_dict=True)]}


def signe_par_lui(**change) -> dict:
    """Un jeton bien signé, par une clé que le fournisseur annonce, mais qui ne dit pas ce qu'il faut."""
    return {
        CLES: lambda _: CLE_ANNONCEE,
        JETON: lambda j: j | {"id_token": signer(j["id_token"], change, key=AUTRE_CLE, algorithm="RS256")},
    }


FAUX = {
    "annonce-illisible": {ANNONCE: "<p>Maintenance</p>"},
    "annonce-liste": {ANNONCE: lambda _: []},
    "annonce-incomplete": {ANNONCE: lambda _: {}},
    "autre-emetteur": {ANNONCE: lambda a: a | {"issuer": "https://ailleurs.example"}},
    "page-ailleurs": {ANNONCE: lambda a: a | {"authorization_endpoint": "https://ailleurs.example/"}},
    "adresse-en-clair": {ANNONCE: lambda a: a | {"token_endpoint": "http://ailleurs.example/"}},
    "echange-illisible": {JETON: "<p>Maintenance</p>"},
    "sans-jeton": {JETON: lambda j: {"access_token": j["access_token"]}},
    "jeton-nombre": {JETON: lambda j: j | {"id_token": 12}},
    "sans-signature": {JETON: lambda j: j | {"id_token": signer(j["id_token"], key=None, algorithm="none")}},
    "autre-cle": {JETON: lambda j: j | {"id_token": signer(j["id_token"], key=AUTRE_CLE, algorithm="RS256")}},
    "cle-partagee": {JETON: lambda j: j | {"id_token": signer(j["id_token"], key=SECRET * 3, algorithm="HS256")}},
    "cles-illisibles": {CLES: lambda _: {"keys": "non"}},
    "sans-cle": {CLES: lambda _: {"keys": []}},
    "autre-nonce": signe_par_lui(nonce="autre"),
    "perime": signe_par_lui(exp=1_000_000_000),
    "pour-une-autre-application": signe_par_lui(aud="autre"),
    "demande-par-une-autre": signe_par_lui(aud=[CLIENT, "autre"], azp="autre"),
    "signe-par-un-autre": signe_par_lui(iss="https://ailleurs.example"),
    "sub-trop-long": signe_par_lui(sub="é" * 300) | {INFORMATIONS: lambda i: i | {"sub": "é" * 300}},
    "autre-personne": {INFORMATIONS: lambda i: i | {"sub": "personne-2"}},
    "informations-illisibles": {INFORMATIONS: "<p>Maintenance</p>"},
    "informations-liste": {INFORMATIONS: lambda _: [1]},
}


def test_un_jeton_signe_par_une_cle_annoncee_se_lit(client, fournisseur, camille):
    fournisseur.fausser = signe_par_lui()
    assert entrer(client, fournisseur).status_code == 302


@pytest.mark.parametrize("fausse", FAUX.values(), ids=FAUX)
def test_une_reponse_fausse_ou_illisible_ne_connecte_personne(client, fournisseur, camille, fausse):
    page = "" if ANNONCE in fausse else partir(client)
    fournisseur.fausser = fausse
    reponse = client.get(fournisseur.accepter(page, SUB)) if page else client.post("/connexion/fournisseur/")
    assert reponse.status_code == 502
    assert "n&#x27;a pas pu être vérifiée" in texte(reponse)
    assert connecte(client) is None


# --- Les groupes --------------------------------------------------------------------------------


@pytest.fixture
def avec_groupes(fournisseur, settings) -> FournisseurDEssai:
    settings.OIDC = fournisseur.reglages(groupes={"achats": Role.RESPONSABLE, "/agents": Role.AGENT})
    return fournisseur


def test_les_groupes_donnent_les_roles_a_chaque_connexion(client, avec_groupes, camille):
    avec_groupes.connaitre(SUB, groups=["achats", "cantine"])
    assert entrer(client, avec_groupes).status_code == 302
    assert Utilisateur.objects.get().roles == {Role.RESPONSABLE}
    trace = Trace.objects.get(geste=Geste.DROITS)
    assert (trace.details["avant"], trace.details["apres"]) == (["Contributeur"], ["Responsable du plan"])
    avec_groupes.connaitre(SUB, groups=["achats", "/agents"])
    entrer(Client(), avec_groupes)
    assert Utilisateur.objects.get().roles == {Role.RESPONSABLE, Role.AGENT}


def test_sorti_de_tous_ses_groupes_on_n_entre_plus_et_les_sessions_ouvertes_n_ouvrent_rien(avec_groupes, camille):
    ouverte = Client()
    avec_groupes.connaitre(SUB, groups=["achats"])
    entrer(ouverte, avec_groupes)
    avec_groupes.connaitre(SUB, groups=["cantine"])
    reponse = entrer(Client(), avec_groupes)
    assert reponse.status_code == 403
    assert "aucun de vos groupes" in texte(reponse)
    assert Utilisateur.objects.get().roles == frozenset()
    assert ouverte.get("/actions/").status_code == 403


@pytest.mark.parametrize("groupes", [None, "cantine", {"a": 1}, [["achats"]], 12])
def test_des_groupes_mal_ecrits_n_ouvrent_rien(client, avec_groupes, camille, groupes):
    avec_groupes.connaitre(SUB, groups=groupes)
    assert entrer(client, avec_groupes).status_code in (403, 502)
    assert connecte(client) is None


# --- Rattacher, créer ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verifie", "reglage", "entre"), [(True, True, True), (False, True, False), (True, False, False)]
)
def test_un_courriel_ne_rattache_que_verifie_et_si_le_reglage_le_permet(
    client, fournisseur, inconnue, settings, verifie, reglage, entre
):
    settings.OIDC = fournisseur.reglages(rattacher_par_courriel=reglage)
    fournisseur.connaitre(SUB, email="Camille@exemple.fr", email_verified=verifie)
    assert entrer(client, fournisseur).status_code == (302 if entre else 403)
    assert Utilisateur.objects.get().sub_oidc == (SUB if entre else None)
    assert Trace.objects.filter(geste=Geste.COMPTE).exists() is entre


def test_un_compte_deja_rattache_ne_change_pas_de_personne(client, fournisseur, camille, settings):
    settings.OIDC = fournisseur.reglages(rattacher_par_courriel=True)
    fournisseur.connaitre("personne-2", email=camille.courriel, email_verified=True)
    assert entrer(client, fournisseur, "personne-2").status_code == 403
    assert Utilisateur.objects.get().sub_oidc == SUB


def test_un_compte_se_cree_avec_ses_roles_et_sans_mot_de_passe(client, fournisseur, settings):
    settings.OIDC = fournisseur.reglages(creer_les_comptes=True, groupes={"achats": Role.AGENT})
    dit = {
        "preferred_username": "dominique",
        "given_name": "Dominique",
        "family_name": "Roy\u0000",
        "groups": ["achats"],
    }
    fournisseur.connaitre(SUB, email="d.roy@exemple.fr", **dit)
    assert entrer(client, fournisseur).status_code == 302
    compte = Utilisateur.objects.get()
    assert (compte.username, str(compte), compte.sub_oidc) == ("dominique", "Dominique Roy", SUB)
    assert compte.roles == {Role.AGENT}
    assert not compte.has_usable_password()
    assert Trace.objects.filter(geste=Geste.COMPTE, utilisateur=compte).exists()


@pytest.mark.parametrize("dit", [{"preferred_username": "camille"}, {"email": "camille@exemple.fr"}, {"email": "<b>"}])
def test_un_compte_deja_pris_ne_se_cree_pas_deux_fois(client, fournisseur, inconnue, settings, dit):
    settings.OIDC = fournisseur.reglages(creer_les_comptes=True)
    fournisseur.connaitre(SUB, **dit)
    reponse = entrer(client, fournisseur)
    assert reponse.status_code == 403
    assert "rattacher votre compte" in texte(reponse)
    assert Utilisateur.objects.get() == inconnue


def test_hors_de_tout_groupe_aucun_compte_ne_se_cree(client, fournisseur, settings):
    settings.OIDC = fournisseur.reglages(creer_les_comptes=True, groupes={"achats": Role.AGENT})
    assert entrer(client, fournisseur).status_code == 403
    assert not Utilisateur.objects.exists()


# --- Les réglages -------------------------------------------------------------------------------

VIDES = {"serveur": "", "client": "", "secret": "", "nom": "", "champ": "", "groupes": ""}
COMPLETS = VIDES | {"serveur": "https://connexion.exemple.fr/realms/site/", "client": CLIENT, "secret": SECRET}


def lire(creer: bool = False, **textes: str):
    return lire_les_reglages(**(COMPLETS | textes), creer=creer, rattacher=False)


@pytest.mark.parametrize(
    ("textes", "nomme"),
    [
        ({"serveur": ""}, "OIDC_SERVEUR"),
        ({"client": ""}, "OIDC_CLIENT"),
        ({"secret": " "}, "OIDC_SECRET"),
        ({**VIDES, "groupes": "achats=agent"}, "OIDC_SERVEUR"),
        ({"serveur": "http://connexion.exemple.fr"}, "OIDC_SERVEUR"),
        ({"serveur": "connexion.exemple.fr"}, "OIDC_SERVEUR"),
        ({"serveur": "https://compte:secret@connexion.exemple.fr"}, "OIDC_SERVEUR"),
        ({"serveur": "https://connexion.exemple.fr; script-src *"}, "OIDC_SERVEUR"),
        ({"groupes": "achats"}, "OIDC_GROUPES"),
        ({"groupes": "achats=chef"}, "OIDC_GROUPES"),
        ({"groupes": "achats=agent,achats=responsable"}, "OIDC_GROUPES"),
        ({"champ": "roles"}, "OIDC_CHAMP_DES_GROUPES"),
    ],
)
def test_un_reglage_incomplet_ou_incoherent_arrete_le_demarrage_en_se_nommant(textes, nomme):
    with pytest.raises(ImproperlyConfigured, match=nomme) as erreur:
        lire(**textes)
    assert SECRET not in str(erreur.value)


def test_des_reglages_complets_se_lisent():
    lus = lire(groupes="a=b=agent, /direction/achats=responsable")
    assert lus.serveur == "https://connexion.exemple.fr/realms/site"
    assert lus.origine == "https://connexion.exemple.fr"
    assert lus.groupes == {"a=b": Role.AGENT, "/direction/achats": Role.RESPONSABLE}
    assert SECRET not in repr(lus)
    assert lire(serveur="http://127.0.0.1:8080/realms/site").origine == "http://127.0.0.1:8080"


def test_sans_rien_il_n_y_a_pas_de_fournisseur():
    assert lire_les_reglages(**VIDES, creer=False, rattacher=False) is None
    with pytest.raises(ImproperlyConfigured, match="OIDC_SERVEUR"):
        lire_les_reglages(**VIDES, creer=True, rattacher=False)
