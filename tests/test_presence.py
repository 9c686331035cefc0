"""Retirer une action du plan et l'y remettre, par les pages ; une action retirée ne compte plus nulle part."""

import datetime

import pytest
from django.utils import timezone

from actions.models import Action, PresenceAuPlan
from socle.echeances import Echeance
from tests import fabriques

pytestmark = pytest.mark.django_db

RETRAIT = datetime.date(2025, 3, 10)


@pytest.fixture
def responsable():
    return fabriques.utilisateur("responsable")


@pytest.fixture
def partenaire():
    return fabriques.partenaire("Réseau d'essai")


@pytest.fixture
def action(responsable, partenaire) -> Action:
    return fabriques.action(
        fabriques.plan(intitule="Plan d'essai", annee_debut=2023, annee_fin=2026),
        intitule="Réaliser un audit fournisseur",
        pilote=responsable,
        partenaires=[partenaire],
        echeance=Echeance.lire("2024"),
    )


@pytest.fixture
def connecte(client, responsable):
    client.force_login(responsable)
    return client


def envoyer(client, action, geste, **champs):
    action.refresh_from_db()
    champs = {"version": action.version, "date_effet": timezone.localdate().isoformat(), **champs}
    return client.post(f"/actions/{action.pk}/{geste}/", champs)


def retirer(client, action, **champs):
    return envoyer(client, action, "retirer", **{"motif": "Reprise par l'action 4", **champs})


def sortir(action, le: datetime.date = RETRAIT) -> PresenceAuPlan:
    action.refresh_from_db()
    return action.retirer(auteur=None, version=action.version, motif="Reprise par l'action 4", date_effet=le)


def page(client, adresse: str) -> str:
    reponse = client.get(adresse)
    assert reponse.status_code == 200
    return reponse.content.decode()


def au_plan(action, le=None) -> bool:
    return Action.objects.etat_au(le).au_plan().filter(pk=action.pk).exists()


# --- Retirer --------------------------------------------------------------------------------------


def test_un_retrait_s_enregistre_avec_son_motif_sa_date_et_son_auteur(connecte, responsable, action):
    reponse = retirer(connecte, action, date_effet="10/03/2025")
    assert (reponse.status_code, reponse["Location"]) == (302, f"/actions/{action.pk}/")
    ligne = PresenceAuPlan.en_vigueur_pour(action)
    assert (ligne.mouvement, ligne.motif, ligne.date_effet, ligne.auteur) == (
        "RETRAIT",
        "Reprise par l'action 4",
        RETRAIT,
        responsable,
    )
    suite = page(connecte, reponse["Location"])
    assert "Retrait enregistré, au 10/03/2025" in suite
    assert "Remettre au plan" in suite
    assert "Retirer du plan" not in suite


def test_un_retrait_sans_motif_est_refuse_a_cote_du_champ(connecte, action):
    reponse = retirer(connecte, action, motif="  ", date_effet="10/03/2025")
    assert reponse.status_code == 200
    assert reponse.context["formulaire"].errors["motif"]
    assert "2025-03-10" in reponse.content.decode()
    assert au_plan(action)


def test_un_retrait_ne_se_date_pas_dans_le_futur(connecte, action):
    demain = timezone.localdate() + datetime.timedelta(days=1)
    reponse = retirer(connecte, action, date_effet=demain.isoformat())
    assert "futur" in reponse.context["formulaire"].errors["date_effet"][0]
    assert "Reprise par l&#x27;action 4" in reponse.content.decode()


def test_un_retrait_ne_precede_pas_l_entree_au_plan(connecte, action):
    reponse = retirer(connecte, action, date_effet="01/02/2023")
    assert "pas encore entrée au plan" in reponse.context["formulaire"].errors["date_effet"][0]


def test_une_action_deja_retiree_ne_se_retire_pas_de_nouveau(connecte, action):
    sortir(action)
    reponse = retirer(connecte, action)
    assert "déjà retirée du plan" in reponse.content.decode()
    assert PresenceAuPlan.objects.filter(action=action).count() == 2


def test_deux_envois_du_meme_retrait_n_en_font_qu_un(connecte, action):
    version = action.version
    assert retirer(connecte, action, version=version).status_code == 302
    assert retirer(connecte, action, version=version).status_code == 302
    assert PresenceAuPlan.objects.filter(action=action, mouvement="RETRAIT").count() == 1


def test_un_retrait_saisi_apres_un_retour_demande_ou_il_va(connecte, responsable, action):
    sortir(action, datetime.date(2025, 3, 10))
    action.refresh_from_db()
    retour = action.remettre(auteur=responsable, version=action.version, date_effet=datetime.date(2025, 6, 1))
    demande = retirer(connecte, action, date_effet="01/02/2025")
    assert "Insérer avant le changement du 10/03/2025 (Retirée du plan)" in demande.content.decode()
    premier = PresenceAuPlan.objects.get(action=action, mouvement="RETRAIT")
    assert retirer(connecte, action, date_effet="01/02/2025", insere_avant=premier.pk).status_code == 302
    assert not au_plan(action, datetime.date(2025, 2, 15))
    assert PresenceAuPlan.en_vigueur_pour(action) == retour


def test_un_conflit_garde_le_motif_tape(connecte, action):
    lue = action.version
    action.signaler("AUTRE", "Le budget est à décider.", version=lue)
    reponse = retirer(connecte, action, version=lue, motif="Fusionnée avec une autre")
    assert "modifiée pendant votre saisie" in reponse.content.decode()
    assert "Fusionnée avec une autre" in reponse.content.decode()
    assert au_plan(action)


# --- Ce qu'on n'y voit plus, ce qui reste ---------------------------------------------------------


LISTES = ("/actions/", "/mes-actions/", "/partenaires/reseau-dessai/", "/")


def adresse_de(action) -> str:
    return f'href="/actions/{action.pk}/"'


@pytest.mark.parametrize("liste", LISTES)
def test_une_action_retiree_quitte_les_listes(connecte, action, liste):
    assert adresse_de(action) in page(connecte, liste)
    sortir(action)
    assert adresse_de(action) not in page(connecte, liste)


def test_elle_ne_compte_plus_parmi_celles_de_ses_partenaires(connecte, action, partenaire):
    def compte() -> int:
        return connecte.get("/partenaires/").context["table"].data[0].nombre_d_actions

    assert compte() == 1
    sortir(action)
    assert compte() == 0


def test_elle_se_retrouve_parmi_les_retirees_et_a_sa_page(connecte, action):
    sortir(action)
    assert adresse_de(action) in page(connecte, "/actions/?presence=retirees")
    detail = page(connecte, f"/actions/{action.pk}/")
    assert "elle ne compte plus dans les totaux" in detail
    assert "Reprise par l&#x27;action 4" in detail


def test_la_situation_d_avant_le_retrait_la_montre_encore(connecte, action):
    sortir(action)
    avant, apres = (page(connecte, f"/actions/?au=2025-03-{jour}") for jour in ("01", "10"))
    assert f'href="/actions/{action.pk}/?au=2025-03-01"' in avant
    assert f"/actions/{action.pk}/" not in apres


# --- Remettre -------------------------------------------------------------------------------------


def test_un_retour_rend_a_l_action_sa_place_son_statut_et_son_echeance(connecte, action):
    sortir(action)
    assert envoyer(connecte, action, "remettre", date_effet="01/06/2025").status_code == 302
    action.refresh_from_db()
    assert (action.presence, action.statut, action.numero) == ("RETOUR", "NON_INITIEE", 1)
    assert str(action.valeur_echeance) == "2024"
    assert [au_plan(action, datetime.date(2025, mois, 15)) for mois in (2, 4, 6)] == [True, False, True]


def test_une_action_au_plan_n_a_pas_a_y_revenir(connecte, action):
    reponse = envoyer(connecte, action, "remettre")
    assert "déjà au plan" in reponse.content.decode()
    assert PresenceAuPlan.objects.filter(action=action).count() == 1


def test_celui_qui_ne_modifie_pas_le_plan_n_a_pas_le_lien(client, action):
    agent = fabriques.utilisateur("agent")
    action.pilote = agent
    action.save()
    client.force_login(agent)
    assert "Retirer du plan" not in page(client, f"/actions/{action.pk}/")
    assert retirer(client, action).status_code == 403
