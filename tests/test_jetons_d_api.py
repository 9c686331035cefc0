"""Les jetons d'API : qui les crée, ce qu'ils ouvrent, ce qui les ferme, et leurs pages."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Role
from comptes.gestes import PorteeDeJeton
from comptes.jetons_d_api import Duree, jeton_du_secret, jetons_de, ouvrir, secret_de
from comptes.models import Jeton
from tests import fabriques
from tests.visites import client_de, formulaire_de

pytestmark = pytest.mark.django_db

PAGE = "/mon-compte/jetons/"
ALEA = "un-alea-d-essai-0123456789"


@pytest.fixture
def lecteur():
    return fabriques.utilisateur(Role.LECTEUR)


def emettre(compte, *portees, **options) -> str:
    options.setdefault("expire_le", timezone.now() + timedelta(days=1))
    return Jeton.objects.emettre(compte, "Essai", list(portees or [PorteeDeJeton.API]), **options)[1]


def ouvre(secret: str) -> bool:
    return jeton_du_secret(secret, timezone.now()) is not None


def statut(secret: str, adresse: str = "plans", **en_tetes) -> int:
    en_tetes.setdefault("Authorization", f"Bearer {secret}")
    return Client().get(f"/api/v1/interne/{adresse}", headers=en_tetes).status_code


# --- Ce qu'un jeton ouvre -------------------------------------------------------------------------


def test_un_jeton_de_l_api_ouvre_les_adresses_internes(lecteur):
    assert statut(emettre(lecteur)) == 200


@pytest.mark.parametrize(
    "portee", [PorteeDeJeton.API_ACTIONS, PorteeDeJeton.API_INDICATEURS, PorteeDeJeton.API_BILANS]
)
def test_une_portee_n_ouvre_que_sa_part(lecteur, portee):
    plan = fabriques.plan()
    secret = emettre(lecteur, portee)
    codes = {
        PorteeDeJeton.API_ACTIONS: statut(secret, f"plans/{plan.slug}/actions"),
        PorteeDeJeton.API_INDICATEURS: statut(secret, f"plans/{plan.slug}/valeurs"),
        PorteeDeJeton.API_BILANS: statut(secret, f"plans/{plan.slug}/bilans"),
    }
    assert codes == {part: 200 if part is portee else 403 for part in codes}


def test_la_portee_entiere_vaut_pour_chaque_part_et_pas_pour_un_calendrier(lecteur):
    jeton = Jeton.objects.emettre(lecteur, "Essai", [PorteeDeJeton.API])[0]
    permises = {portee for portee in PorteeDeJeton if jeton.permet(portee, timezone.now())}
    assert permises == set(PorteeDeJeton) - {PorteeDeJeton.CALENDRIER}


def test_une_part_ne_vaut_pas_la_portee_entiere(lecteur):
    jeton = Jeton.objects.emettre(lecteur, "Essai", [PorteeDeJeton.API_ACTIONS])[0]
    assert not jeton.permet(PorteeDeJeton.API, timezone.now())


def test_un_jeton_de_calendrier_n_ouvre_pas_l_api(lecteur):
    assert statut(emettre(lecteur, PorteeDeJeton.CALENDRIER, sujet="moi")) == 401


# --- Ce qui le ferme ------------------------------------------------------------------------------


def test_un_role_retire_ferme_aussitot_le_jeton_et_le_rouvre_s_il_est_rendu(lecteur):
    secret = emettre(lecteur)
    lecteur.groups.clear()
    assert statut(secret) == 401
    lecteur.groups.set(fabriques.utilisateur(Role.AGENT).groups.all())
    assert statut(secret) == 200


def test_un_compte_desactive_ferme_ses_jetons(lecteur):
    secret = emettre(lecteur)
    lecteur.is_active = False
    lecteur.save()
    assert statut(secret) == 401


def test_un_jeton_revoque_ou_expire_ne_s_ouvre_plus(lecteur):
    revoque = emettre(lecteur)
    Jeton.objects.get().revoquer()
    assert statut(revoque) == 401
    assert statut(emettre(lecteur, expire_le=timezone.now() - timedelta(seconds=1))) == 401


def test_un_jeton_sans_fin_n_ouvre_rien(lecteur):
    assert not ouvre(emettre(lecteur, expire_le=None))


@pytest.mark.parametrize("valeur", ["", "Bearer", "Bearer ", "Basic {secret}", "{secret}", "Bearer {secret}x"])
def test_seul_un_en_tete_bearer_entier_ouvre(lecteur, valeur):
    secret = emettre(lecteur)
    assert statut(secret, Authorization=valeur.format(secret=secret)) == 401


def test_le_jeton_ne_se_donne_pas_dans_l_adresse(lecteur):
    secret = emettre(lecteur)
    for nom in ("token", "access_token", "jeton", "Authorization"):
        assert Client().get("/api/v1/interne/plans", {nom: secret}).status_code == 401


def test_une_session_n_ouvre_pas_l_api():
    reponse = client_de(fabriques.utilisateur(Role.ADMINISTRATEUR)).get("/api/v1/interne/plans")
    assert reponse.status_code == 401
    assert reponse["WWW-Authenticate"].startswith("Bearer")
    assert "jeton" in reponse.json()["erreur"]


def test_le_refus_dit_la_portee_qui_manque(lecteur):
    plan, secret = fabriques.plan(), emettre(lecteur, PorteeDeJeton.API_BILANS)
    reponse = Client().get(f"/api/v1/interne/plans/{plan.slug}", headers={"Authorization": f"Bearer {secret}"})
    assert (reponse.status_code, reponse.json()) == (403, {"erreur": "Ce jeton n'a pas la portée « api:actions »."})


# --- L'écriture -----------------------------------------------------------------------------------


def test_le_secret_n_est_garde_nulle_part(lecteur):
    jeton = ouvrir(lecteur, nom="Essai", portees=["api"], duree=Duree.UN_MOIS, alea=ALEA)
    secret = secret_de(lecteur, ALEA)
    assert ouvre(secret)
    assert secret not in str(Jeton.objects.filter(pk=jeton.pk).values().get())
    assert jeton.empreinte == Jeton.empreinte_de(secret)


def test_le_meme_envoi_deux_fois_donne_un_seul_jeton(lecteur):
    deux = [ouvrir(lecteur, nom="Essai", portees=["api"], duree=Duree.UN_AN, alea=ALEA) for _ in range(2)]
    assert deux[0] == deux[1]
    assert Jeton.objects.count() == 1


def test_le_meme_alea_chez_un_autre_donne_un_autre_secret(lecteur):
    assert secret_de(lecteur, ALEA) != secret_de(fabriques.utilisateur(Role.LECTEUR), ALEA)


@pytest.mark.parametrize("duree", list(Duree))
def test_un_jeton_expire_dans_l_annee(lecteur, duree):
    jeton = ouvrir(lecteur, nom="Essai", portees=["api"], duree=duree, alea=ALEA)
    assert timedelta(0) < jeton.expire_le - jeton.cree_le <= timedelta(days=366)


def test_une_portee_inventee_est_refusee(lecteur):
    with pytest.raises(ValidationError):
        ouvrir(lecteur, nom="Essai", portees=["api:tout"], duree=Duree.UN_MOIS, alea=ALEA)


# --- Les pages ------------------------------------------------------------------------------------


def creer(client, **envoi):
    formulaire = formulaire_de(client.get(PAGE))
    donnees = {"nom": "Entrepôt", "portees": ["api:actions"], "duree": "90"} | envoi
    return client.post(PAGE, formulaire | donnees)


def test_le_jeton_cree_se_montre_une_seule_fois(lecteur):
    client = client_de(lecteur)
    assert creer(client).status_code == 302
    premiere, seconde = client.get(PAGE), client.get(PAGE)
    secret = premiere.context["nouveau"]["secret"]
    assert secret in premiere.content.decode()
    assert secret not in seconde.content.decode()
    assert "Entrepôt" in seconde.content.decode()
    assert statut(secret) == 200
    assert "no-store" in premiere["Cache-Control"]


def test_la_session_ne_garde_pas_le_secret(lecteur):
    client = client_de(lecteur)
    creer(client)
    [alea] = [donnees["jeton_cree"]["alea"] for donnees in map(Session.get_decoded, Session.objects.all())]
    assert "cpr_" not in alea
    assert ouvre(secret_de(lecteur, alea))
    assert not ouvre(alea)


@pytest.mark.parametrize(
    ("champ", "valeur"),
    [("nom", ""), ("nom", "x" * 61), ("portees", []), ("portees", ["calendrier"]), ("duree", ""), ("duree", "3650")],
)
def test_une_saisie_refusee_le_dit_au_champ_et_garde_le_reste(lecteur, champ, valeur):
    reponse = creer(client_de(lecteur), **{champ: valeur})
    assert reponse.status_code == 200
    assert list(reponse.context["formulaire"].errors) == [champ]
    if champ != "nom":
        assert 'value="Entrepôt"' in reponse.content.decode()
    assert not Jeton.objects.exists()


def test_on_revoque_les_siens_et_pas_ceux_d_un_autre(lecteur):
    secret = emettre(lecteur)
    adresse = reverse("accueil:jeton_revoquer", args=[Jeton.objects.get().pk])
    assert client_de(fabriques.utilisateur(Role.ADMINISTRATEUR)).post(adresse).status_code == 404
    assert ouvre(secret)
    client = client_de(lecteur)
    for _ in range(2):
        assert client.post(adresse).status_code == 302
    assert not ouvre(secret)
    assert jetons_de(lecteur) == []


def test_la_page_des_jetons_ne_montre_ni_ne_revoque_un_calendrier(lecteur):
    calendrier, _ = Jeton.objects.emettre(lecteur, "Agenda", [PorteeDeJeton.CALENDRIER], sujet="moi")
    client = client_de(lecteur)
    assert "Agenda" not in client.get(PAGE).content.decode()
    assert client.post(reverse("accueil:jeton_revoquer", args=[calendrier.pk])).status_code == 404


def test_mon_compte_mene_aux_jetons_quand_l_api_est_ouverte(lecteur, settings):
    client = client_de(lecteur)
    assert f'href="{PAGE}"' in client.get("/mon-compte/").content.decode()
    settings.API = False
    assert PAGE not in client.get("/mon-compte/").content.decode()
    assert client.get(PAGE).status_code == 404
