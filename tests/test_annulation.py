"""Défaire, dans la minute, un changement de statut ; et ce que le serveur répond à un geste fait sur place."""

import datetime
from html import unescape

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from actions import creation
from actions.models import Action, ChangementDeStatut
from actions.statuts import Statut
from comptes.droits import Role
from tests import fabriques
from tests.visites import client_de

pytestmark = pytest.mark.django_db

# Ce que htmx dit de lui, et la page d'où il parle.
SUR_PLACE = {"HTTP_HX_REQUEST": "true", "HTTP_HX_CURRENT_URL": "http://testserver/actions/?page=2"}


@pytest.fixture
def agent():
    return fabriques.utilisateur(Role.AGENT, service=fabriques.service("Achats"))


@pytest.fixture
def action(agent) -> Action:
    """En cours, avancée de 40 %, sur un plan qui montre l'avancement ; à l'agent."""
    plan = fabriques.plan(affiche_avancement=True)
    return fabriques.action(plan, pilote=agent, statut=Statut.EN_COURS, avancement=40)


@pytest.fixture
def client_agent(agent):
    return client_de(agent)


def terminer(action: Action, auteur) -> ChangementDeStatut:
    return relue(action).changer_statut(Statut.TERMINEE, auteur=auteur, version=relue(action).version)


def relue(action: Action) -> Action:
    return Action.objects.etat_au().get(pk=action.pk)


def statuts_ecrits(action: Action) -> list[str]:
    return list(ChangementDeStatut.objects.filter(action=action).order_by("pk").values_list("statut", flat=True))


def refus(action: Action, ligne: int, auteur) -> str:
    """La phrase du refus ; rien n'est alors écrit."""
    avant = statuts_ecrits(action), relue(action).version
    with pytest.raises(ValidationError) as erreur:
        action.annuler_le_changement(ligne, auteur=auteur)
    assert (statuts_ecrits(action), relue(action).version) == avant
    return " ".join(erreur.value.messages)


# --- Le geste -----------------------------------------------------------------------------------


def test_annuler_ajoute_une_ligne_qui_corrige_celle_de_l_auteur(agent, action):
    ligne = terminer(action, agent)
    retablie = action.annuler_le_changement(ligne.pk, auteur=agent)
    assert retablie.annule == ligne
    assert (retablie.auteur, retablie.commentaire) == (agent, "Changement annulé aussitôt.")
    assert statuts_ecrits(action) == ["EN_COURS", "TERMINEE", "EN_COURS"]


def test_l_etat_d_avant_revient_avancement_compris(agent, action):
    action.annuler_le_changement(terminer(action, agent).pk, auteur=agent)
    apres = relue(action)
    assert (apres.statut, apres.avancement) == (apres.etat_statut, apres.etat_avancement) == (Statut.EN_COURS, 40)


def test_a_toute_date_l_etat_est_celui_d_avant_le_changement(agent, action):
    aujourdhui = timezone.localdate()
    dates = [fabriques.FIN_2023, aujourdhui - datetime.timedelta(days=40), aujourdhui]
    avant = [Action.objects.etat_au(jour).get(pk=action.pk).etat_statut for jour in dates]
    ligne = relue(action).changer_statut(
        Statut.TERMINEE, auteur=agent, version=action.version, date_effet=aujourdhui - datetime.timedelta(days=90)
    )
    assert [Action.objects.etat_au(jour).get(pk=action.pk).etat_statut for jour in dates] != avant
    action.annuler_le_changement(ligne.pk, auteur=agent)
    assert [Action.objects.etat_au(jour).get(pk=action.pk).etat_statut for jour in dates] == avant


def test_annuler_deux_fois_n_ecrit_qu_une_ligne(agent, action):
    ligne = terminer(action, agent)
    premiere = action.annuler_le_changement(ligne.pk, auteur=agent)
    assert action.annuler_le_changement(ligne.pk, auteur=agent) == premiere
    assert len(statuts_ecrits(action)) == 3


def test_le_changement_d_un_autre_ne_s_annule_pas(agent, action):
    ligne = terminer(action, fabriques.utilisateur(Role.RESPONSABLE))
    assert "n'est pas de vous" in refus(action, ligne.pk, agent)


def test_la_ligne_d_une_autre_action_ne_s_annule_pas_depuis_celle_ci(agent, action):
    autre = fabriques.action(action.plan, pilote=agent)
    terminer(action, agent)
    assert "n'est pas de vous" in refus(action, terminer(autre, agent).pk, agent)


def test_passe_la_minute_rien_ne_s_annule(agent, action):
    il_y_a_deux_minutes = timezone.now() - datetime.timedelta(minutes=2)
    # Le moment de saisie ne recule jamais : il faut une action dont le journal est encore vide.
    ancienne = Action.objects.create(plan=action.plan, numero=99, intitule="Ancienne", pilote=agent)
    communs = {"date_effet": fabriques.FIN_2023, "auteur": agent, "saisi_le": il_y_a_deux_minutes}
    for statut in (Statut.EN_COURS, Statut.TERMINEE):
        ligne = ChangementDeStatut.ecrire(
            ancienne, statut=statut, avancement=creation.avancement_a_ecrire(statut, None), **communs
        )
    assert "La minute est passée" in refus(ancienne, ligne.pk, agent)


def test_un_statut_rechange_depuis_ne_s_annule_pas(agent, action):
    ligne = terminer(action, agent)
    relue(action).changer_statut(Statut.NON_INITIEE, auteur=agent, version=relue(action).version)
    assert "Le statut a changé depuis" in refus(action, ligne.pk, agent)


def test_le_premier_statut_d_une_action_ne_s_annule_pas(agent):
    """Il n'y a pas d'état d'avant à remettre."""
    nouvelle = fabriques.action(auteur=agent)
    premiere = ChangementDeStatut.objects.get(action=nouvelle)
    assert "Le statut a changé depuis" in refus(nouvelle, premiere.pk, agent)


# --- Sur place : ce que htmx reçoit -------------------------------------------------------------


def envoyer(client, action, geste="statut", **champs):
    champs = {"statut": "TERMINEE", "date_effet": timezone.localdate().isoformat(), "commentaire": "", **champs}
    champs.setdefault("version", relue(action).version)
    entetes = champs.pop("entetes", SUR_PLACE)
    return client.post(f"/actions/{action.pk}/{geste}/", champs, **entetes)


def texte(reponse) -> str:
    return unescape(reponse.content.decode()).replace("\u00a0", " ")


def annulable(client, action) -> int:
    """La ligne que le bloc du statut propose d'annuler."""
    envoyer(client, action)
    return ChangementDeStatut.objects.filter(action=action).latest("pk").pk


def test_sur_place_la_reponse_est_le_seul_bloc_du_statut(client_agent, action):
    page = texte(envoyer(client_agent, action))
    assert page.count(f'id="statut-{action.pk}"') == 1
    assert 'class="statut statut-TERMINEE"' in page
    assert f'action="/actions/{action.pk}/statut/annuler/"' in page
    assert "<html" not in page


def test_sur_place_le_bloc_rendu_ramene_lui_aussi_a_la_page_montree(client_agent, action):
    assert texte(envoyer(client_agent, action)).count('name="suite" value="/actions/?page=2"') == 2


def test_sur_place_le_message_est_pose_dans_sa_zone(client_agent, action):
    _, zone = texte(envoyer(client_agent, action)).split('<div id="messages" hx-swap-oob="innerHTML">')
    assert f"Statut enregistré : Terminée, au {timezone.localdate():%d/%m/%Y} (action {action.numero})." in zone


@pytest.mark.parametrize("geste", ["statut", "statut/annuler"])
def test_sur_place_la_page_apprend_que_le_statut_a_change(client_agent, action, geste):
    ligne = annulable(client_agent, action)
    reponse = envoyer(client_agent, action, geste, statut="NON_INITIEE", ligne=ligne)
    assert reponse["HX-Trigger-After-Settle"] == '{"statut-change": {}}'


def test_sur_place_annuler_rend_le_bloc_d_avant_sans_plus_proposer_d_annuler(client_agent, action):
    page = texte(envoyer(client_agent, action, "statut/annuler", ligne=annulable(client_agent, action)))
    assert "Changement annulé : l'action 1 est de nouveau « En cours, 40 % »." in page
    assert 'class="statut statut-EN_COURS"' in page
    assert "statut/annuler/" not in page


def test_sur_place_un_envoi_refuse_se_dit_et_n_ecrit_rien(client_agent, action):
    demain = timezone.localdate() + datetime.timedelta(days=1)
    page = texte(envoyer(client_agent, action, date_effet=demain.isoformat()))
    assert "Action 1, rien n'est enregistré. La date d'effet est dans le futur" in page
    assert 'class="alert alert-warning"' in page
    assert 'class="statut statut-EN_COURS"' in page
    assert statuts_ecrits(action) == ["EN_COURS"]


def test_sur_place_un_conflit_dit_ce_qui_est_enregistre(client_agent, action):
    lue = relue(action).version
    terminer(action, fabriques.utilisateur(Role.RESPONSABLE))
    page = texte(envoyer(client_agent, action, statut="NON_INITIEE", version=lue))
    assert "Quelqu'un l'a modifiée entre-temps : elle est maintenant « Terminée »." in page
    assert statuts_ecrits(action) == ["EN_COURS", "TERMINEE"]


def test_une_lecture_sur_place_sans_session_recharge_la_page(client, action):
    reponse = client.get("/", **SUR_PLACE)
    assert (reponse.status_code, reponse["HX-Refresh"], reponse.content) == (200, "true", b"")


def test_un_envoi_sur_place_sans_session_est_refuse(client, action):
    assert envoyer(client, action, version=1).status_code == 403
    assert statuts_ecrits(action) == ["EN_COURS"]


# --- Sans JavaScript : où l'on revient ----------------------------------------------------------


@pytest.mark.parametrize("geste", ["statut", "statut/annuler"])
def test_sans_htmx_l_envoi_ramene_a_la_meme_ligne_de_la_page_d_ou_l_on_vient(client_agent, action, geste):
    ligne = annulable(client_agent, action)
    champs = {"statut": "NON_INITIEE", "ligne": ligne, "suite": "/actions/?statut=EN_COURS&page=2#plus-bas"}
    reponse = envoyer(client_agent, action, geste, entetes={}, **champs)
    assert (reponse.status_code, reponse.url) == (302, f"/actions/?statut=EN_COURS&page=2#statut-{action.pk}")


@pytest.mark.parametrize(
    "ailleurs", ["https://ailleurs.example/", "//ailleurs.example/", "javascript:alert(1)", r"/\ailleurs.example", ""]
)
def test_sans_htmx_on_ne_sort_jamais_du_site(client_agent, action, ailleurs):
    reponse = envoyer(client_agent, action, suite=ailleurs, entetes={})
    assert (reponse.status_code, reponse.url) == (302, action.get_absolute_url())


def test_l_annulation_n_est_proposee_que_sur_la_derniere_action_changee(client_agent, agent, action):
    autre = fabriques.action(action.plan, pilote=agent)
    for changee in (action, autre):
        envoyer(client_agent, changee)
    liste = texte(client_agent.get("/mes-actions/"))
    assert f"/actions/{autre.pk}/statut/annuler/" in liste
    assert f"/actions/{action.pk}/statut/annuler/" not in liste


def test_passe_la_minute_l_annulation_n_est_plus_proposee(client_agent, action):
    annulable(client_agent, action)
    session = client_agent.session
    passee = timezone.now() - datetime.timedelta(seconds=1)
    session["statut_annulable"] = session["statut_annulable"] | {"jusqu_a": passee.isoformat()}
    session.save()
    assert "statut/annuler/" not in texte(client_agent.get("/mes-actions/"))


def test_l_action_que_l_on_vient_de_changer_reste_au_tableau_de_bord(client_agent, agent, action):
    for _ in range(5):
        fabriques.action(action.plan, pilote=agent, statut=Statut.EN_COURS)
    derniere = fabriques.action(action.plan, pilote=agent, statut=Statut.NON_INITIEE)
    envoyer(client_agent, derniere, statut="EN_COURS")
    assert f'id="statut-{derniere.pk}"' in texte(client_agent.get("/"))
    assert f'id="statut-{derniere.pk}"' not in texte(client_de(agent).get("/"))
