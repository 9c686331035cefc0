"""Les calendriers : qui ouvre quoi, ce qu'un agenda y lit, et ce qui ne s'écrit nulle part."""

import datetime
import io
import logging
from urllib.parse import urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from icalendar import Calendar

from actions.calendriers import calendrier_du_secret
from actions.models import Action, Etape
from comptes.droits import Role
from comptes.gestes import PorteeDeJeton
from comptes.models import Jeton, Trace
from socle.echeances import Echeance
from tests import fabriques
from tests.visites import client_de, formulaire_de

pytestmark = pytest.mark.django_db

REFUS = "Ce calendrier n'existe pas.\n"


@pytest.fixture
def plan():
    return fabriques.plan(intitule="Plan d'essai")


@pytest.fixture
def agent():
    return fabriques.utilisateur(Role.AGENT, service=fabriques.service("Achats"), prenom="Alix", nom="Agent")


def creer(plan, intitule="Acheter local", echeance="31/12/2031", **champs) -> Action:
    return fabriques.action(plan, intitule=intitule, echeance=Echeance.lire(echeance) if echeance else None, **champs)


def emettre(compte, sujet="moi", *portees, **options) -> tuple[Jeton, str]:
    return Jeton.objects.emettre(compte, "Agenda", list(portees or [PorteeDeJeton.CALENDRIER]), sujet=sujet, **options)


def demander(secret: str, **en_tetes):
    return Client().get(f"/calendriers/{secret}.ics", headers=en_tetes)


def evenements(secret: str) -> list:
    reponse = demander(secret)
    assert reponse.status_code == 200
    return Calendar.from_ical(reponse.content).walk("VEVENT")


def titres(secret: str) -> list[str]:
    return [str(evenement["SUMMARY"]) for evenement in evenements(secret)]


def refuse(secret: str) -> bool:
    reponse = demander(secret)
    return (reponse.status_code, reponse.content.decode()) == (404, REFUS)


# --- Ce qu'un agenda y lit ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("echeance", "fin", "titre"),
    [
        ("14/02/2031", datetime.date(2031, 2, 14), "N° 1 : Acheter local"),
        ("T2 2031", datetime.date(2031, 6, 30), "N° 1 : Acheter local (T2 2031)"),
        ("2031", datetime.date(2031, 12, 31), "N° 1 : Acheter local (2031)"),
    ],
)
def test_une_echeance_est_un_jour_entier_le_dernier_de_sa_periode(plan, agent, echeance, fin, titre):
    creer(plan, echeance=echeance, pilote=agent)
    [evenement] = evenements(emettre(agent)[1])
    assert evenement.decoded("DTSTART") == fin
    assert evenement.decoded("DTEND") == fin + datetime.timedelta(days=1)
    assert str(evenement["SUMMARY"]) == titre
    assert str(evenement["TRANSP"]) == "TRANSPARENT"


def test_l_evenement_dit_le_statut_le_plan_et_mene_a_l_action(plan, agent, settings):
    settings.ADRESSE_DU_SITE = "https://plan.exemple.fr"
    action = creer(plan, pilote=agent, statut="EN_COURS")
    [evenement] = evenements(emettre(agent)[1])
    adresse = f"https://plan.exemple.fr{action.get_absolute_url()}"
    lignes = str(evenement["DESCRIPTION"]).split("\n")
    assert {"Statut : En cours", "Échéance : 31/12/2031", "Plan : Plan d'essai", adresse} <= set(lignes)
    assert str(evenement["URL"]) == adresse
    assert str(evenement["UID"]) == f"action-{action.pk}@plan.exemple.fr"


def test_virgules_retours_a_la_ligne_et_emojis_se_relisent_tels_quels(plan, agent):
    intitule = "Acheter, louer ; réparer \\ : 🌱 « œuvre » " + "é" * 200
    action = creer(plan, intitule=intitule, pilote=agent)
    Etape.objects.ajouter(action, intitule="Lire, puis ; signer 🌱", echeance=Echeance.lire("T1 2031"))
    secret = emettre(agent)[1]
    assert titres(secret) == [f"N° 1 : {intitule}", "Étape : Lire, puis ; signer 🌱 (n° 1) (T1 2031)"]
    assert max(len(ligne) for ligne in demander(secret).content.split(b"\r\n")) <= 75


def test_les_etapes_a_faire_y_sont_les_faites_et_les_retirees_non(plan, agent):
    action = creer(plan, echeance="", pilote=agent)
    for intitule in ("Rédiger", "Faite", "Retirée"):
        Etape.objects.ajouter(action, intitule=intitule, echeance=Echeance.lire("2031"))
    Etape.objects.ajouter(action, intitule="Sans échéance")
    Etape.objects.get(intitule="Faite").faire(version=1)
    Etape.objects.get(intitule="Retirée").retirer(version=1)
    assert titres(emettre(agent)[1]) == ["Étape : Rédiger (n° 1) (2031)"]


def test_une_action_terminee_ou_retiree_s_en_va_avec_ses_etapes(plan, agent):
    secret = emettre(agent)[1]
    terminee, retiree = creer(plan, pilote=agent), creer(plan, pilote=agent)
    for action in (terminee, retiree):
        Etape.objects.ajouter(action, intitule="Rédiger", echeance=Echeance.lire("2031"))
    assert len(titres(secret)) == 4
    terminee.changer_statut("TERMINEE", auteur=None, version=Action.objects.get(pk=terminee.pk).version)
    retiree.retirer(auteur=None, version=Action.objects.get(pk=retiree.pk).version, motif="Doublon.")
    assert titres(secret) == []


def test_l_identifiant_reste_et_la_sequence_avance_quand_l_echeance_bouge(plan, agent):
    action, secret = creer(plan, pilote=agent), emettre(agent)[1]
    [avant] = evenements(secret)
    version = Action.objects.get(pk=action.pk).version
    action.reporter_echeance(Echeance.lire("2032"), auteur=agent, version=version, motif="Marché relancé.")
    [apres] = evenements(secret)
    assert avant["UID"] == apres["UID"]
    assert apres["SEQUENCE"] > avant["SEQUENCE"]
    assert apres.decoded("LAST-MODIFIED") >= avant.decoded("LAST-MODIFIED")
    assert apres.decoded("DTSTART") == datetime.date(2032, 12, 31)


def test_le_calendrier_se_nomme_et_dit_quand_le_relire(plan, agent):
    calendrier = Calendar.from_ical(demander(emettre(agent, f"plan:{plan.pk}")[1]).content)
    assert str(calendrier["X-WR-CALNAME"]) == "Échéances : Plan d'essai"
    assert str(calendrier["X-PUBLISHED-TTL"]) == "PT6H"
    assert calendrier.decoded("REFRESH-INTERVAL") == datetime.timedelta(hours=6)


# --- Deux jetons ne se croisent pas -------------------------------------------------------------


def test_le_jeton_de_l_un_ne_montre_rien_de_l_autre(plan, agent):
    autre = fabriques.utilisateur(Role.AGENT, service=fabriques.service("Voirie"))
    creer(plan, "Celle d'Alix", pilote=agent)
    creer(plan, "Celle de l'autre", pilote=autre)
    assert titres(emettre(agent)[1]) == ["N° 1 : Celle d'Alix"]
    assert titres(emettre(autre)[1]) == ["N° 2 : Celle de l'autre"]


def test_moi_dit_ce_que_l_on_pilote_supplee_ou_que_son_service_pilote(plan, agent):
    autre = fabriques.utilisateur(Role.AGENT)
    creer(plan, "Pilotée", pilote=agent)
    creer(plan, "Suppléée", pilote=autre, suppleant=agent)
    creer(plan, "Du service", service_pilote=agent.service)
    creer(plan, "D'autrui", pilote=autre)
    assert titres(emettre(agent)[1]) == ["N° 1 : Pilotée", "N° 2 : Suppléée", "N° 3 : Du service"]


def test_le_jeton_d_un_plan_ne_montre_pas_l_autre(plan, agent):
    autre = fabriques.plan(intitule="Autre plan")
    creer(plan, "Du premier")
    action = creer(autre, "Du second")
    Etape.objects.ajouter(action, intitule="Rédiger", echeance=Echeance.lire("2031"))
    assert titres(emettre(agent, f"plan:{plan.pk}")[1]) == ["N° 1 : Du premier"]
    assert titres(emettre(agent, f"plan:{autre.pk}")[1]) == ["N° 1 : Du second", "Étape : Rédiger (n° 1) (2031)"]


@pytest.mark.parametrize("sujet", ["", "plan:", "plan:999999", "plan:1x", "plan:²", "service:1", "moi "])
def test_un_sujet_qui_ne_dit_rien_n_ouvre_rien(agent, sujet):
    assert refuse(emettre(agent, sujet)[1])


def test_un_jeton_de_l_api_n_ouvre_pas_de_calendrier_et_l_inverse_non_plus(agent):
    _, secret = emettre(agent, "moi", PorteeDeJeton.API)
    assert refuse(secret)
    assert not emettre(agent)[0].permet(PorteeDeJeton.API, timezone.now())


def test_un_jeton_de_calendrier_n_ouvre_aucune_autre_page(agent):
    secret = emettre(agent)[1]
    for adresse in ("/", "/actions/", "/calendriers/"):
        en_tetes = {"Authorization": f"Bearer {secret}"}
        reponse = Client().get(f"{adresse}?jeton={secret}", headers=en_tetes)
        assert (reponse.status_code, urlsplit(reponse.url).path) == (302, "/connexion/")


# --- Le droit est celui d'aujourd'hui -----------------------------------------------------------


def test_revoque_expire_inconnu_inactif_ou_sans_role_se_refusent_sans_detail(agent):
    jeton, secret = emettre(agent)
    assert titres(secret) == []
    hier = timezone.now() - datetime.timedelta(days=1)
    assert refuse(emettre(agent, expire_le=hier)[1])
    assert refuse("inconnu")
    agent.is_active = False
    agent.save()
    assert refuse(secret)
    agent.is_active = True
    agent.save()
    assert not refuse(secret)
    agent.groups.clear()
    assert refuse(secret)
    agent.groups.set(fabriques.utilisateur(Role.LECTEUR).groups.all())
    assert not refuse(secret)
    jeton.revoquer()
    assert refuse(secret)


def test_une_action_confiee_a_un_autre_quitte_le_calendrier(plan, agent):
    action, secret = creer(plan, pilote=agent), emettre(agent)[1]
    assert len(titres(secret)) == 1
    action.pilote = fabriques.utilisateur(Role.AGENT)
    action.save(update_fields=["pilote"])
    assert titres(secret) == []


# --- La réponse ---------------------------------------------------------------------------------


def test_la_reponse_ne_depend_d_aucune_session_et_n_en_ouvre_pas(plan, agent):
    creer(plan, pilote=agent)
    secret = emettre(agent)[1]
    autre = client_de(fabriques.utilisateur(Role.ADMINISTRATEUR))
    reponses = [demander(secret), autre.get(f"/calendriers/{secret}.ics")]
    assert reponses[0].content == reponses[1].content
    for reponse in reponses:
        assert not reponse.cookies
        assert "Cookie" not in reponse.get("Vary", "")
        assert reponse["Content-Type"] == "text/calendar; charset=utf-8"
        assert "private" in reponse["Cache-Control"]


def test_un_agenda_a_jour_ne_recoit_rien_de_nouveau(plan, agent):
    action, secret = creer(plan, pilote=agent), emettre(agent)[1]
    etiquette = demander(secret)["ETag"]
    inchange = demander(secret, if_none_match=etiquette)
    assert (inchange.status_code, inchange.content) == (304, b"")
    action.signaler("AUTRE", "À voir.", version=Action.objects.get(pk=action.pk).version)
    assert demander(secret, if_none_match=etiquette).status_code == 200


# --- Demander, révoquer -------------------------------------------------------------------------


def creer_par_la_page(site, **champs) -> str:
    """L'adresse que la page montre après la création."""
    reponse = site.post("/calendriers/", formulaire_de(site.get("/calendriers/")) | champs, follow=True)
    assert reponse.redirect_chain == [("/calendriers/", 302)]
    return reponse.context["nouveau"]["adresse"]


def test_rien_ne_repond_tant_qu_on_n_a_rien_demande(agent):
    page = client_de(agent).get("/calendriers/")
    assert "aucun calendrier" in page.content.decode()
    assert not Jeton.objects.exists()


def test_l_adresse_montree_repond_et_ne_se_remontre_pas(plan, agent):
    creer(plan, pilote=agent)
    site = client_de(agent)
    adresse = creer_par_la_page(site, sujet="moi", nom="Téléphone")
    assert adresse.startswith("http://127.0.0.1:8000/calendriers/")
    assert titres(urlsplit(adresse).path.removeprefix("/calendriers/").removesuffix(".ics")) == [
        "N° 1 : Acheter local"
    ]
    page = site.get("/calendriers/").content.decode()
    assert "Téléphone" in page
    assert adresse not in page


def test_un_plan_se_choisit(plan, agent):
    creer(plan)
    adresse = creer_par_la_page(client_de(agent), sujet=f"plan:{plan.pk}")
    assert Jeton.objects.get().sujet == f"plan:{plan.pk}"
    assert titres(urlsplit(adresse).path.split("/")[-1].removesuffix(".ics")) == ["N° 1 : Acheter local"]


@pytest.mark.parametrize("sujet", ["", "plan:999999", "tout"])
def test_un_sujet_inconnu_se_refuse_et_le_nom_reste(agent, sujet):
    site = client_de(agent)
    reponse = site.post("/calendriers/", formulaire_de(site.get("/calendriers/")) | {"sujet": sujet, "nom": "Mon tel"})
    assert reponse.context["formulaire"].errors["sujet"]
    assert 'value="Mon tel"' in reponse.content.decode()
    assert not Jeton.objects.exists()


def test_le_double_clic_ne_cree_qu_un_calendrier_et_montre_son_adresse(agent):
    site = client_de(agent)
    envoi = formulaire_de(site.get("/calendriers/")) | {"sujet": "moi"}
    adresses = {site.post("/calendriers/", envoi, follow=True).context["nouveau"]["adresse"] for _ in range(2)}
    assert len(adresses) == Jeton.objects.count() == 1


def test_le_meme_envoi_d_un_autre_compte_fait_un_autre_calendrier(agent):
    envoi = {"sujet": "moi", "alea": "un-alea-recopie-de-la-page"}
    for compte in (agent, fabriques.utilisateur(Role.AGENT)):
        client_de(compte).post("/calendriers/", envoi)
    assert len({(jeton.utilisateur, jeton.empreinte) for jeton in Jeton.objects.all()}) == 2


def test_renvoyer_le_formulaire_d_un_calendrier_revoque_ne_le_ranime_pas(agent):
    site = client_de(agent)
    envoi = formulaire_de(site.get("/calendriers/")) | {"sujet": "moi"}
    site.post("/calendriers/", envoi)
    site.post(f"/calendriers/{Jeton.objects.get().pk}/revoquer/")
    reponse = site.post("/calendriers/", envoi, follow=True)
    assert reponse.context["nouveau"] is None
    assert Jeton.objects.get().revoque_le


def test_revoquer_coupe_l_adresse_et_ne_se_fait_que_sur_les_siens(agent):
    jeton, secret = emettre(agent)
    autre = client_de(fabriques.utilisateur(Role.ADMINISTRATEUR))
    assert autre.post(f"/calendriers/{jeton.pk}/revoquer/").status_code == 404
    assert not refuse(secret)
    site = client_de(agent)
    for _ in range(2):
        assert site.post(f"/calendriers/{jeton.pk}/revoquer/").status_code == 302
    assert refuse(secret)
    assert "aucun calendrier" in site.get("/calendriers/").content.decode()


def test_un_jeton_de_l_api_ne_se_revoque_pas_d_ici(agent):
    jeton = emettre(agent, "", PorteeDeJeton.API)[0]
    assert client_de(agent).post(f"/calendriers/{jeton.pk}/revoquer/").status_code == 404
    assert Jeton.objects.get().revoque_le is None


def test_le_menu_du_compte_y_mene(agent):
    assert 'href="/calendriers/"' in client_de(agent).get("/actions/").content.decode()


# --- Le secret ne s'écrit nulle part ------------------------------------------------------------


def test_la_base_et_la_session_ne_gardent_pas_le_secret(agent):
    site = client_de(agent)
    reponse = site.post("/calendriers/", formulaire_de(site.get("/calendriers/")) | {"sujet": "moi"})
    sessions = [session.get_decoded() for session in Session.objects.all()]
    adresse = site.get(reponse.url).context["nouveau"]["adresse"]
    secret = adresse.rpartition("/")[2].removesuffix(".ics")
    assert calendrier_du_secret(secret)
    ecrits = [sessions, list(Jeton.objects.values()), list(Trace.objects.values())]
    assert secret not in repr(ecrits)


@pytest.fixture
def journal():
    """Ce que le serveur écrit dans son journal, avertissements compris."""
    racine = logging.getLogger()
    [du_site] = [sortie for sortie in racine.handlers if sortie.get_name() == "stderr"]
    ecrit, niveau = io.StringIO(), racine.level
    d_avant = du_site.setStream(ecrit)
    racine.setLevel(logging.WARNING)
    yield ecrit
    racine.setLevel(niveau)
    du_site.setStream(d_avant)


@pytest.mark.parametrize("demande", ["refus", "envoi", "panne"])
def test_le_journal_du_serveur_ne_dit_pas_le_secret(agent, journal, monkeypatch, demande):
    secret = emettre(agent)[1]
    site = Client(raise_request_exception=False)
    if demande == "refus":
        agent.groups.clear()
    if demande == "panne":
        monkeypatch.setattr("actions.views.calendriers.en_ical", lambda calendrier, lus: 1 / 0)
    (site.post if demande == "envoi" else site.get)(f"/calendriers/{secret}.ics")
    assert "/calendriers/….ics" in journal.getvalue()
    assert secret not in journal.getvalue()
