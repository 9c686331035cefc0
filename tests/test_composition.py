"""Le contenu d'un bilan se compose de l'état du plan à sa date."""

import datetime

import pytest

from actions.journaux import ChangementDeStatut
from actions.models import Action, Plan
from bilans.arret import bilan_de
from bilans.contenu.composition import composer
from bilans.contenu.schema import ActionLue, Portee, lire
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
    passer(action, "TERMINEE", jour)
    passer(action, "EN_COURS", jour, 20)
    assert lue(plan).depuis == jour


def test_une_ligne_corrigee_ne_coupe_pas_le_statut(plan, action):
    passer(action, "TERMINEE", datetime.date(2023, 6, 1)).corriger(statut="EN_COURS")
    assert lue(plan).depuis == datetime.date(2023, 3, 1)


def test_les_donnees_ouvertes_disent_le_meme_jour(plan, action):
    passer(action, "EN_COURS", datetime.date(2023, 11, 15), 60)
    assert requetes.actions(plan).get().statut_depuis == datetime.date(2023, 3, 1)
