"""Se connecter, se tromper, changer de mot de passe, et les pages d'erreur."""

import re

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django_tasks_db.models import DBTaskResult

from comptes.envoi import envoyer_ce_qui_attend
from comptes.gestes import Geste, Trace
from comptes.models import Collectivite, Courriel, Service, Utilisateur
from comptes.mots_de_passe import envoyer_un_lien
from tests import fabriques

pytestmark = pytest.mark.django_db


def se_connecter(client, compte, mot_de_passe=fabriques.MOT_DE_PASSE, **champs):
    return client.post("/connexion/", {"login": compte, "password": mot_de_passe, **champs})


def texte(reponse) -> str:
    return reponse.content.decode().replace("&#x27;", "'")


@pytest.mark.parametrize(
    ("role", "page"),
    [("agent", "/mes-actions/"), ("responsable", "/"), ("administrateur", "/"), ("lecteur", "/")],
)
def test_l_identifiant_et_le_mot_de_passe_ouvrent_la_page_de_son_role(client, role, page):
    fabriques.utilisateur(role, username="camille")
    assert client.get("/").url == "/connexion/"
    reponse = se_connecter(client, "camille")
    assert (reponse.status_code, reponse.url) == (302, page)
    assert Trace.objects.get().geste == Geste.CONNEXION


def test_la_page_demandee_est_retrouvee_apres_la_connexion(client):
    fabriques.utilisateur("agent", username="camille")
    assert client.get("/actions/?statut=EN_COURS").url == "/connexion/?next=/actions/%3Fstatut%3DEN_COURS"
    assert se_connecter(client, "camille", next="/actions/?statut=EN_COURS").url == "/actions/?statut=EN_COURS"


def test_la_connexion_ne_mene_jamais_hors_du_site(client):
    fabriques.utilisateur("lecteur", username="camille")
    assert se_connecter(client, "camille", next="https://ailleurs.example/").url == "/"


def test_un_mauvais_mot_de_passe_est_dit_en_francais_et_trace(client):
    fabriques.utilisateur("agent", username="camille")
    reponse = se_connecter(client, "camille", "faux")
    assert reponse.status_code == 200
    assert "mot de passe" in texte(reponse)
    assert Trace.objects.get().geste == Geste.ECHEC


def test_dix_essais_rates_demandent_d_attendre(client, settings):
    fabriques.utilisateur("agent", username="camille")
    for _ in range(settings.AXES_FAILURE_LIMIT):
        reponse = se_connecter(client, "camille", "faux")
    assert reponse.status_code == 429
    assert "Trop d'essais" in texte(reponse)
    assert se_connecter(client, "camille").status_code == 429


def test_un_compte_desactive_ne_se_connecte_pas(client):
    fabriques.utilisateur("agent", username="camille", is_active=False)
    assert se_connecter(client, "camille").status_code == 200


def test_se_deconnecter_ferme_la_session(client):
    client.force_login(fabriques.utilisateur("agent"))
    client.post("/deconnexion/")
    assert client.get("/").status_code == 302


def test_sans_aucun_compte_la_connexion_dit_comment_creer_le_premier(client):
    assert "createsuperuser" in texte(client.get("/connexion/"))
    fabriques.utilisateur("administrateur")
    assert "createsuperuser" not in texte(client.get("/connexion/"))


def test_l_inscription_libre_n_existe_pas(client):
    assert client.get("/inscription/").status_code == 404
    assert client.get("/signup/").status_code == 404


NOUVEAU = "Une phrase longue et personnelle 7"


def demander(client, adresse: str):
    """Ce que la page répond à un mot de passe oublié, une fois l'ouvrier passé."""
    reponse = client.post("/mot-de-passe/oublie/", {"email": adresse})
    for tache in DBTaskResult.objects.filter(task_path=envoyer_un_lien.module_path):
        envoyer_un_lien.func(*tache.args_kwargs["args"])
        tache.delete()
    envoyer_ce_qui_attend()
    return reponse.status_code, reponse.url, reponse.content, set(reponse.headers), set(reponse.cookies)


def test_le_mot_de_passe_oublie_envoie_un_lien_qui_ne_sert_qu_une_fois(client, serveur_de_courriels):
    compte = fabriques.utilisateur("agent", username="camille", courriel="camille@exemple.fr")
    client.force_login(compte)
    demander(Client(), "Camille@exemple.fr")
    (recu,) = serveur_de_courriels.a("camille@exemple.fr")
    assert recu["Subject"] == "Choisir un nouveau mot de passe"
    corps = recu.get_body(("plain",)).get_content()
    assert "Quelqu'un a demandé un nouveau mot de passe pour votre compte" in corps
    assert (Courriel.objects.get().texte, Courriel.objects.get().html) == ("", "")
    lien = re.search(r"http://127\.0\.0\.1:8000(/\S+)", corps)[1]
    ailleurs = Client()
    formulaire = ailleurs.get(lien, follow=True)
    ailleurs.post(formulaire.request["PATH_INFO"], {"password1": NOUVEAU, "password2": NOUVEAU})
    assert client.get("/actions/").status_code == 302
    assert "déjà servi" in texte(Client().get(lien, follow=True))
    assert se_connecter(Client(), "camille", NOUVEAU).status_code == 302


@pytest.mark.parametrize("serveur", ["serveur_de_courriels", "serveur_absent"])
def test_le_mot_de_passe_oublie_ne_dit_ni_si_le_compte_existe_ni_si_le_courriel_part(client, request, serveur):
    request.getfixturevalue(serveur)
    fabriques.utilisateur("agent", courriel="camille@exemple.fr")
    connue, inconnue = (demander(Client(), adresse) for adresse in ("camille@exemple.fr", "inconnu@exemple.fr"))
    assert connue == inconnue
    assert connue[:2] == (302, "/mot-de-passe/oublie/envoye/")
    assert Courriel.objects.get().en_attente is (serveur == "serveur_absent")


def test_un_compte_desactive_ne_recoit_pas_de_lien(client, serveur_de_courriels):
    fabriques.utilisateur("agent", courriel="camille@exemple.fr", is_active=False)
    demander(client, "camille@exemple.fr")
    assert serveur_de_courriels.recus == []


def test_un_compte_desactive_est_dehors_a_la_demande_suivante_et_garde_ce_qu_il_tapait(client):
    compte = fabriques.utilisateur("agent")
    client.force_login(compte)
    compte.is_active = False
    compte.save()
    reponse = client.post("/mon-compte/", {"rappels": "tapé"})
    assert reponse.status_code == 403
    assert "tapé" in texte(reponse)
    assert client.get("/actions/").url.startswith("/connexion/")


def test_un_role_retire_ne_vaut_plus_a_la_demande_suivante(client):
    fabriques.plan()
    compte = fabriques.utilisateur("responsable")
    client.force_login(compte)
    assert client.get("/actions/creer/").status_code == 200
    compte.groups.clear()
    assert client.get("/actions/creer/").status_code == 403
    assert client.get("/actions/").status_code == 403


def test_changer_de_mot_de_passe_garde_la_session(client):
    client.force_login(fabriques.utilisateur("agent"))
    nouveau = "Une phrase longue et personnelle 7"
    champs = {"oldpassword": fabriques.MOT_DE_PASSE, "password1": nouveau, "password2": nouveau}
    assert client.post("/compte/mot-de-passe/", champs).status_code == 302
    assert client.get("/actions/").status_code == 200


def test_un_mot_de_passe_trop_court_est_refuse(client):
    client.force_login(fabriques.utilisateur("agent"))
    champs = {"oldpassword": fabriques.MOT_DE_PASSE, "password1": "court", "password2": "court"}
    reponse = client.post("/compte/mot-de-passe/", champs)
    assert "12" in str(reponse.context["form"].errors)


# --- Santé --------------------------------------------------------------------------------------


def test_la_sante_repond_sans_connexion(client):
    reponse = client.get("/sante/")
    assert (reponse.status_code, reponse.json()) == (200, {"etat": "ok"})


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_la_sante_est_mauvaise_quand_la_base_ne_repond_pas(client):
    # Une base sans table : la requête échoue pour de bon.
    with connection.cursor() as curseur:
        curseur.execute("ALTER TABLE django_migrations RENAME TO django_migrations_cachee")
    try:
        assert client.get("/sante/").status_code == 503
    finally:
        with connection.cursor() as curseur:
            curseur.execute("ALTER TABLE django_migrations_cachee RENAME TO django_migrations")


# --- Pages d'erreur -----------------------------------------------------------------------------


def test_une_page_inconnue_est_dite_en_francais(client):
    client.force_login(fabriques.utilisateur("agent"))
    reponse = client.get("/nulle-part/")
    assert reponse.status_code == 404
    assert "Cette page n'existe pas" in texte(reponse)


def test_une_panne_donne_une_page_en_francais_sans_base_de_donnees(client, monkeypatch):
    monkeypatch.setattr("accueil.views.assembler", lambda demande: 1 / 0)
    client.force_login(fabriques.utilisateur("agent"))
    client.raise_request_exception = False
    reponse = client.get("/")
    assert reponse.status_code == 500
    assert "n'a pas été enregistré" in texte(reponse)


def test_un_mot_de_passe_n_est_jamais_reaffiche_par_une_page_d_erreur():
    client = Client(enforce_csrf_checks=True)
    reponse = client.post("/connexion/", {"login": "camille", "password": "tres-secret"})
    assert reponse.status_code == 403
    assert "tres-secret" not in texte(reponse)
    assert "camille" in texte(reponse)


# --- Démonstration ------------------------------------------------------------------------------


@pytest.fixture
def mot_de_passe(monkeypatch) -> str:
    monkeypatch.setenv("DEMO_MOT_DE_PASSE", "mot-de-passe-de-demo")
    return "mot-de-passe-de-demo"


def test_la_demonstration_ouvre_un_compte_par_role(client, mot_de_passe):
    call_command("preparer_demo", verbosity=0)
    roles = {compte.username: {str(role) for role in compte.roles} for compte in Utilisateur.objects.all()}
    assert roles == {
        "lecteur": {"lecteur"},
        "agent": {"agent"},
        "responsable": {"responsable"},
        "admin": {"administrateur"},
    }
    for compte in roles:
        assert se_connecter(Client(), compte, mot_de_passe).status_code == 302


def test_sans_mot_de_passe_choisi_la_demonstration_en_tire_un_et_l_affiche(monkeypatch, capsys):
    monkeypatch.delenv("DEMO_MOT_DE_PASSE", raising=False)
    call_command("preparer_demo")
    affiche = re.search(r"mot de passe : (\S+)", capsys.readouterr().out)[1]
    assert Utilisateur.objects.get(username="agent").check_password(affiche)


def test_la_demonstration_se_relance_sans_rien_perdre(mot_de_passe):
    call_command("preparer_demo", verbosity=0)
    from actions.models import Action

    action = Action.objects.get(numero=1)
    action.service_pilote = None
    action.save()
    call_command("preparer_demo", verbosity=0)
    action.refresh_from_db()
    assert action.service_pilote is None


def test_la_demonstration_dit_ce_qui_est_invente(client, mot_de_passe):
    call_command("preparer_demo", verbosity=0)
    se_connecter(client, "agent", mot_de_passe)
    assert "données de démonstration" in texte(client.get("/"))


@pytest.mark.parametrize(
    "existant",
    [
        fabriques.service,
        fabriques.partenaire,
        fabriques.plan,
        fabriques.indicateur,
        fabriques.utilisateur,
        lambda: Collectivite.objects.create(nom="Une vraie collectivité"),
    ],
)
def test_la_demonstration_refuse_une_base_qui_sert(existant, mot_de_passe):
    existant()
    services = Service.objects.count()
    with pytest.raises(CommandError, match="rien n'a été fait"):
        call_command("preparer_demo", verbosity=0)
    assert not Utilisateur.objects.filter(username="admin").exists()
    assert Service.objects.count() == services
