"""Le contenu d'un bilan se compose de l'état du plan à sa date."""

import datetime

import pytest

from actions.journaux import ChangementDeStatut
from actions.models import Action, Plan
from bilans.apercu_de_l_arret import apercu_de_l_arret
from bilans.arret import arreter, bilan_de
from bilans.contenu.composition import composer
from bilans.contenu.schema import ActionLue, Portee, lire
from bilans.controle import controler
from comptes.droits import Role
from indicateurs.listes import Nature
from publication import requetes
from tests import fabriques

pytestmark = pytest.mark.django_db

ANNEE = 2023


@pytest.fixture
def plan() -> Plan:
    return fabriques.plan(annee_debut=2022)


def passer(action: Action, statut: str, jour: datetime.date, avancement: int | None = None) -> ChangementDeStatut:
    action.refresh_from_db()
    return action.changer_statut(statut, auteur=None, version=action.version, date_effet=jour, avancement=avancement)


def lue(plan: Plan) -> ActionLue:
    (action,) = lire(composer(bilan_de(plan, ANNEE)).de(Portee.PUBLIQUE)).actions
    return action


# --- Depuis quand ---------------------------------------------------------------------------------


@pytest.fixture
def action(plan) -> Action:
    """En cours depuis le 1er mars 2023, après un premier essai en 2022."""
    action = fabriques.action(plan, statut="EN_COURS", date_effet=datetime.date(2022, 1, 5))
    passer(action, "NON_INITIEE", datetime.date(2022, 9, 1))
    passer(action, "EN_COURS", datetime.date(2023, 3, 1), 10)
    return action


def test_un_avancement_redit_dans_le_meme_statut_ne_change_pas_le_jour_ou_il_a_ete_pris(plan, action):
    passer(action, "EN_COURS", datetime.date(2023, 11, 15), 60)
    assert lue(plan).depuis == datetime.date(2023, 3, 1)


def test_un_statut_pris_apres_le_bilan_ne_compte_pas(plan, action):
    passer(action, "TERMINEE", datetime.date(2024, 2, 1))
    assert lue(plan).depuis == datetime.date(2023, 3, 1)


def test_de_deux_statuts_pris_le_meme_jour_le_dernier_saisi_compte(plan, action):
    jour = datetime.date(2023, 6, 1)
    passer(action, "EN_COURS", jour, 20)
    passer(action, "TERMINEE", jour)
    assert lue(plan).depuis == jour


def test_un_statut_quitte_et_repris_le_meme_jour_n_a_pas_ete_quitte(plan, action):
    jour = datetime.date(2023, 6, 1)
    passer(action, "TERMINEE", jour)
    passer(action, "EN_COURS", jour, 20)
    assert lue(plan).depuis == datetime.date(2023, 3, 1)


def test_une_ligne_corrigee_ne_coupe_pas_le_statut(plan, action):
    passer(action, "TERMINEE", datetime.date(2023, 6, 1)).corriger(statut="EN_COURS")
    assert lue(plan).depuis == datetime.date(2023, 3, 1)


def test_les_donnees_ouvertes_disent_le_meme_jour(plan, action):
    passer(action, "EN_COURS", datetime.date(2023, 11, 15), 60)
    assert requetes.actions(plan).get().statut_depuis == datetime.date(2023, 3, 1)


# --- Ce que l'arrêt garde -------------------------------------------------------------------------


def test_un_arret_garde_le_plan_de_cet_instant_et_pas_celui_que_la_page_avait_lu(plan):
    lu_avant = Plan.objects.get(pk=plan.pk)
    plan.intitule, plan.description = "Renommé entre-temps", "Réécrite"
    plan.save()
    version = arreter(lu_avant, ANNEE, auteur=fabriques.utilisateur(Role.RESPONSABLE), attendue=1)
    garde = version.lu(Portee.INTERNE).plan
    assert (garde.intitule, garde.description) == ("Renommé entre-temps", "Réécrite")


def test_les_reponses_que_l_arret_annonce_sont_celles_que_le_controle_ne_dit_pas_manquantes(plan):
    """Un taux sans dénominateur n'a pas encore de valeur ; un indicateur dit indisponible est une réponse."""
    fabriques.action(plan)
    total = fabriques.indicateur(plan)
    taux = fabriques.indicateur(plan, nature=Nature.PART, unite="%", denominateur=total)
    fabriques.valeur(taux, ANNEE, numerateur=2)
    perdu = fabriques.indicateur(plan)
    fabriques.valeur(perdu, ANNEE, indisponible=True, motif_indisponibilite="Pas de relevé")
    bilan = bilan_de(plan, ANNEE)
    manquantes = {point.titre: point.nombre for point in controler(bilan).signales}["Valeurs manquantes"]
    assert (apercu_de_l_arret(bilan).valeurs, manquantes) == (1, 2)
