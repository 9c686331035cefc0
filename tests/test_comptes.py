"""Comptes, collectivité, jetons, traces : qui entre, avec quoi, et ce qu'il en reste."""

import datetime
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth import authenticate
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Droit, Role, peut
from comptes.gestes import Geste, PorteeDeJeton
from comptes.models import Collectivite, Jeton, Service, Siren, Trace, Utilisateur
from comptes.signals import tracer_echec
from tests import fabriques

pytestmark = pytest.mark.django_db

PAGE_DE_CONNEXION = "account_login"


def connecter(client, identifiant, mot_de_passe=fabriques.MOT_DE_PASSE):
    return client.post(reverse(PAGE_DE_CONNEXION), {"login": identifiant, "password": mot_de_passe})


def connecte(client) -> str | None:
    """L'identifiant du compte de la session, ou None."""
    numero = client.session.get("_auth_user_id")
    return Utilisateur.objects.get(pk=numero).username if numero else None


# --- Entrer ---------------------------------------------------------------------------------------


def test_l_identifiant_et_le_mot_de_passe_connectent(client):
    fabriques.utilisateur(username="camille")
    assert connecter(client, "camille").status_code == 302
    assert connecte(client) == "camille"


@pytest.mark.parametrize(
    ("identifiant", "mot_de_passe"),
    [
        ("camille", "un-autre-mot-de-passe"),
        ("inconnu", fabriques.MOT_DE_PASSE),
        ("camille@exemple.fr", fabriques.MOT_DE_PASSE),
        ("", ""),
    ],
    ids=["mauvais mot de passe", "compte inconnu", "courriel", "vide"],
)
def test_rien_d_autre_ne_connecte(client, identifiant, mot_de_passe):
    fabriques.utilisateur(username="camille", courriel="camille@exemple.fr")
    assert connecter(client, identifiant, mot_de_passe).status_code == 200
    assert connecte(client) is None


def test_un_compte_inactif_n_entre_pas(client):
    fabriques.utilisateur(username="camille", is_active=False)
    connecter(client, "camille")
    assert connecte(client) is None


def test_un_compte_desactive_perd_sa_session(client):
    compte = fabriques.utilisateur(username="camille")
    client.force_login(compte)
    compte.is_active = False
    compte.save()
    reponse = client.get(reverse("accueil:tableau_de_bord"))
    assert reponse.status_code == 302
    assert reponse.url.startswith(reverse(PAGE_DE_CONNEXION))


def test_le_moteur_d_authentification_lit_l_identifiant():
    fabriques.utilisateur(username="camille")
    demande = RequestFactory().post("/")
    assert authenticate(demande, username="camille", password=fabriques.MOT_DE_PASSE).username == "camille"


# --- Comptes --------------------------------------------------------------------------------------


def test_le_courriel_est_facultatif_et_deux_comptes_peuvent_n_en_pas_avoir():
    assert {fabriques.utilisateur().courriel, fabriques.utilisateur().courriel} == {""}


def test_le_courriel_est_unique_sans_regarder_la_casse():
    fabriques.utilisateur(courriel="Camille@exemple.fr")
    with pytest.raises(ValidationError, match="déjà ce courriel"):
        fabriques.utilisateur(courriel="camille@EXEMPLE.fr")


def test_un_identifiant_est_unique_et_le_dit_en_francais():
    fabriques.utilisateur(username="camille")
    with pytest.raises(ValidationError, match="déjà pris"):
        fabriques.utilisateur(username="camille")


def test_deux_comptes_peuvent_n_avoir_pas_d_identifiant_unique():
    assert {fabriques.utilisateur().sub_oidc, fabriques.utilisateur(sub_oidc="").sub_oidc} == {None}


def test_l_identifiant_unique_ne_sert_qu_une_fois():
    fabriques.utilisateur(sub_oidc="abc-123")
    with pytest.raises(ValidationError) as refus:
        fabriques.utilisateur(sub_oidc="abc-123")
    assert "sub_oidc" in refus.value.message_dict


def test_la_base_refuse_deux_fois_le_meme_identifiant_unique():
    comptes = [Utilisateur(username=nom, password="!", sub_oidc="abc") for nom in "ab"]
    with pytest.raises(IntegrityError):
        Utilisateur.objects.bulk_create(comptes)


def test_un_compte_se_nomme_par_son_nom_ou_son_identifiant():
    assert str(fabriques.utilisateur(prenom="Camille", nom="Roux")) == "Camille Roux"
    assert str(fabriques.utilisateur(username="croux")) == "croux"


def test_un_compte_sans_mot_de_passe_ne_se_connecte_pas(client):
    Utilisateur.objects.create_user("camille", role=Role.AGENT)
    connecter(client, "camille", "")
    assert connecte(client) is None


def test_createsuperuser_donne_un_administrateur(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", fabriques.MOT_DE_PASSE)
    call_command("createsuperuser", username="racine", interactive=False, verbosity=0)
    compte = Utilisateur.objects.get(username="racine")
    assert compte.roles == {Role.ADMINISTRATEUR}
    assert peut(compte, Droit.ADMINISTRER)
    assert compte.check_password(fabriques.MOT_DE_PASSE)


def test_createsuperuser_refuse_un_identifiant_pris(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", fabriques.MOT_DE_PASSE)
    fabriques.utilisateur(username="racine")
    with pytest.raises(CommandError, match="identifiant"):
        call_command("createsuperuser", username="racine", interactive=False, verbosity=0)


def test_le_mot_de_passe_n_est_pas_dans_l_historique():
    compte = fabriques.utilisateur()
    assert not {"password", "last_login"} & {champ.name for champ in compte.history.model._meta.fields}


def test_une_connexion_n_ajoute_pas_de_ligne_a_l_historique(client):
    compte = fabriques.utilisateur(username="camille")
    connecter(client, "camille")
    assert compte.history.count() == 1
    compte.refresh_from_db()
    assert compte.last_login is not None


def test_un_service_qui_a_des_agents_ne_se_supprime_pas():
    service = fabriques.service()
    fabriques.utilisateur(service=service)
    with pytest.raises(ProtectedError):
        service.delete()


def test_un_service_peut_etre_desactive():
    service = fabriques.service("Achats")
    service.actif = False
    service.save()
    assert Service.objects.get(nom="Achats").actif is False


# --- Collectivité ---------------------------------------------------------------------------------


def test_une_installation_n_a_qu_une_collectivite():
    Collectivite.objects.create(nom="Agglomération")
    with pytest.raises(IntegrityError), transaction.atomic():
        Collectivite.objects.create(nom="Seconde")
    seconde = Collectivite(id=2, nom="Seconde")
    with pytest.raises(ValidationError, match="une seule collectivité"):
        seconde.full_clean()


@pytest.mark.parametrize("numero", ["12345678", "1234567890", "12345678a"])
def test_un_siren_compte_neuf_chiffres(numero):
    siren = Siren(collectivite=Collectivite.objects.create(nom="x"), numero=numero)
    with pytest.raises(ValidationError) as refus:
        siren.full_clean()
    assert "numero" in refus.value.message_dict


@pytest.mark.parametrize("couleur", ["rouge", "#12345", "#12345g", "#0b5b82;x"])
def test_une_couleur_s_ecrit_en_hexadecimal(couleur):
    with pytest.raises(ValidationError) as refus:
        Collectivite(nom="x", couleur=couleur).full_clean()
    assert "couleur" in refus.value.message_dict


# --- Jetons ---------------------------------------------------------------------------------------

MIDI = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)


@pytest.fixture
def compte():
    return fabriques.utilisateur()


def emettre(compte, **options):
    return Jeton.objects.emettre(compte, "Calendrier", [PorteeDeJeton.CALENDRIER], **options)


def valable(jeton, le=MIDI) -> bool:
    """La liste et la fiche disent la même chose."""
    en_liste = Jeton.objects.valables(le).filter(pk=jeton.pk).exists()
    assert jeton.permet(PorteeDeJeton.CALENDRIER, le) is en_liste
    return en_liste


def test_le_secret_d_un_jeton_n_est_garde_nulle_part(compte):
    jeton, secret = emettre(compte)
    en_base = Jeton.objects.filter(pk=jeton.pk).values_list().get()
    assert secret not in " ".join(str(valeur) for valeur in en_base)
    assert Jeton.objects.get(empreinte=Jeton.empreinte_de(secret)) == jeton
    assert secret not in str(jeton)


def test_deux_jetons_ont_des_secrets_differents(compte):
    assert emettre(compte)[1] != emettre(compte)[1]


def test_un_jeton_ne_permet_que_ses_portees(compte):
    jeton, _ = emettre(compte)
    assert jeton.permet(PorteeDeJeton.CALENDRIER, MIDI)
    assert not jeton.permet(PorteeDeJeton.API, MIDI)


@pytest.mark.parametrize("portees", [[], ["tout"], [PorteeDeJeton.API, "tout"]], ids=str)
def test_une_portee_inconnue_ou_absente_est_refusee(compte, portees):
    with pytest.raises(ValidationError) as refus:
        Jeton.objects.emettre(compte, "x", portees)
    assert "portees" in refus.value.message_dict
    assert not Jeton.objects.exists()


def test_un_jeton_n_est_plus_valable_a_l_instant_ou_il_expire(compte):
    jeton, _ = emettre(compte, expire_le=MIDI)
    assert valable(jeton, MIDI - datetime.timedelta(microseconds=1))
    assert not valable(jeton, MIDI)


def test_un_jeton_revoque_ne_revient_pas(compte):
    jeton, _ = emettre(compte)
    assert valable(jeton)
    jeton.revoquer()
    premiere_fois = jeton.revoque_le
    jeton.revoquer()
    assert jeton.revoque_le == premiere_fois
    assert not valable(Jeton.objects.get())


def test_le_jeton_d_un_compte_desactive_n_est_plus_valable(compte):
    jeton, _ = emettre(compte)
    compte.is_active = False
    compte.save()
    assert not valable(Jeton.objects.get(pk=jeton.pk))


# --- Traces ---------------------------------------------------------------------------------------


def traces() -> list[tuple]:
    return [(trace.geste, trace.utilisateur, trace.identifiant) for trace in Trace.objects.order_by("pk")]


def test_une_connexion_puis_une_deconnexion_laissent_chacune_une_trace(client):
    compte = fabriques.utilisateur(username="camille")
    connecter(client, "camille")
    client.post(reverse("account_logout"))
    assert connecte(client) is None
    assert traces() == [(Geste.CONNEXION, compte, ""), (Geste.DECONNEXION, compte, "")]


def test_un_echec_laisse_l_identifiant_essaye_et_jamais_le_mot_de_passe(client):
    connecter(client, "camille", "mon-secret-tape-ici")
    assert traces() == [(Geste.ECHEC, None, "camille")]
    assert "mon-secret" not in str(Trace.objects.values().get())


def test_un_identifiant_demesure_ou_nul_ne_casse_ni_la_page_ni_la_trace(client):
    assert connecter(client, "x" * 5000 + "\x00").status_code == 200
    assert traces() == []  # le formulaire l'a refusé avant tout essai
    tracer_echec(sender=None, credentials={"username": "\x00" + "x" * 5000})
    assert traces() == [(Geste.ECHEC, None, "x" * 149)]


def test_une_trace_est_datee_du_moment():
    avant = timezone.now()
    trace = Trace.objects.create(geste=Geste.EXPORT, objet="actions")
    assert avant <= trace.le <= timezone.now()


def test_un_compte_qui_a_laisse_une_trace_ne_se_supprime_pas(client):
    compte = fabriques.utilisateur(username="camille")
    connecter(client, "camille")
    with pytest.raises(ProtectedError):
        compte.delete()


# --- Groupes --------------------------------------------------------------------------------------

migration = import_module("comptes.migrations.0002_groupes_des_roles")


def test_la_migration_cree_un_groupe_par_role():
    assert set(Group.objects.values_list("name", flat=True)) == set(Role.values)


def test_la_migration_des_groupes_se_defait_et_se_refait():
    compte = fabriques.utilisateur(role=Role.AGENT)
    autre = Group.objects.create(name="comptabilité")
    migration.retirer(apps, None)
    assert list(Group.objects.all()) == [autre]
    assert Utilisateur.objects.get(pk=compte.pk).roles == frozenset()
    migration.creer(apps, None)
    migration.creer(apps, None)
    assert Group.objects.count() == len(Role) + 1
    assert migration.Migration.operations[0].reversible
