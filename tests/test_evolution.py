"""L'évolution des statuts : à quelles dates elle se lit, comment elles se disent, où mènent ses nombres."""

import datetime
import re

import pytest
from django.utils import timezone

from actions.models import Plan
from bilans.cadre import cadrer
from bilans.demande import Demande
from bilans.evolution import JALONS_AU_PLUS, graphique_evolution, jalons
from comptes.droits import Role
from socle.graphiques import Graphique
from tests import fabriques
from tests.visites import client_de

JOUR = datetime.timedelta(days=1)


def le(texte: str) -> datetime.date:
    return datetime.date.fromisoformat(texte)


def dates(debut: str | None, fin: str) -> list[str]:
    return [jour.isoformat() for jour in jalons(debut and le(debut), le(fin))]


# --- Les dates ------------------------------------------------------------------------------------


def test_une_histoire_courte_se_lit_par_trimestre():
    assert dates("2025-02-15", "2025-11-10") == ["2025-03-31", "2025-06-30", "2025-09-30", "2025-11-10"]


def test_une_histoire_longue_se_lit_par_annee():
    assert dates("2022-05-01", "2025-11-10") == ["2022-12-31", "2023-12-31", "2024-12-31", "2025-11-10"]


def test_une_histoire_devient_longue_a_six_cents_jours():
    debut = le("2024-01-15")
    assert len(jalons(debut, debut + 599 * JOUR)) == 7
    assert jalons(debut, debut + 600 * JOUR) == [le("2024-12-31"), debut + 600 * JOUR]


def test_il_n_y_a_que_dix_dates_au_plus_les_dernieres():
    lues = dates("2000-01-01", "2025-11-10")
    assert len(lues) == JALONS_AU_PLUS == 10
    assert (lues[0], lues[-2:]) == ("2016-12-31", ["2024-12-31", "2025-11-10"])


@pytest.mark.parametrize("debut", [None, "2025-11-11"])
def test_avant_le_debut_il_n_y_a_rien(debut):
    assert dates(debut, "2025-11-10") == []


def test_le_premier_jour_a_deja_sa_date():
    assert dates("2025-11-10", "2025-11-10") == ["2025-11-10"]


@pytest.mark.parametrize("fin", ["2023-12-31", "2025-12-31"])
def test_une_fin_de_periode_montree_ne_se_repete_pas(fin):
    assert dates("2023-12-31", fin).count(fin) == 1
    assert dates("2023-12-31", fin)[0] == "2023-12-31"


# --- Le dessin, son tableau et ses liens ----------------------------------------------------------

MAINTENANT = datetime.datetime(2026, 6, 15, 9, 0, tzinfo=datetime.UTC)


@pytest.fixture
def plan(db, monkeypatch) -> Plan:
    """Deux actions depuis le 31/12/2023 ; l'une est terminée le 01/03/2025, l'autre retirée le 01/02/2026."""
    monkeypatch.setattr(timezone, "now", lambda: MAINTENANT)
    plan = fabriques.plan(intitule="Plan d'essai")
    terminee, retiree = fabriques.action(plan), fabriques.action(plan)
    terminee.changer_statut("TERMINEE", auteur=None, version=terminee.version, date_effet=le("2025-03-01"))
    retiree.retirer(auteur=None, version=retiree.version, motif="Doublon", date_effet=le("2026-02-01"))
    return plan


def evolution(plan: Plan, **demande) -> Graphique:
    champs = {"plan": plan.slug, "annee": None, "au": None} | demande
    return graphique_evolution(cadrer(Demande(**champs)))


def cases(graphique: Graphique) -> list[list[str]]:
    return [[case for case, _ in ligne] for ligne in graphique.tableau.cases]


def test_chaque_date_compte_les_actions_d_alors(plan):
    assert cases(evolution(plan)) == [
        ["fin 2023", "0", "0", "2"],
        ["fin 2024", "0", "0", "2"],
        ["fin 2025", "1", "0", "1"],
        ["à ce jour", "1", "0", "0"],
    ]


def test_a_une_date_passee_l_evolution_s_arrete_a_elle(plan):
    assert [ligne[0] for ligne in cases(evolution(plan, annee=2025))] == ["fin 2023", "fin 2024", "fin 2025"]


@pytest.mark.parametrize(
    ("au", "dit"),
    [("2024-07-14", "14/07/2024"), ("2024-12-30", "30/12/2024"), ("2024-07-31", "fin 07/2024")],
)
def test_une_fin_de_trimestre_se_dit_par_son_mois_et_un_autre_jour_par_sa_date(plan, au, dit):
    libelles = [ligne[0] for ligne in cases(evolution(plan, au=le(au)))]
    assert libelles[:3] == ["fin 2023", "fin 03/2024", "fin 06/2024"]
    assert libelles[-1] == dit


def test_chaque_nombre_mene_a_la_liste_de_son_statut_a_sa_date(plan):
    liens = [[lien for _, lien in ligne] for ligne in evolution(plan).tableau.cases]
    assert liens[2] == [
        "",
        f"/actions/?plan={plan.slug}&statut=TERMINEE&au=2025-12-31",
        f"/actions/?plan={plan.slug}&statut=EN_COURS&au=2025-12-31",
        f"/actions/?plan={plan.slug}&statut=NON_INITIEE&au=2025-12-31",
    ]
    assert all(lien and "au=2026-06-15" in lien for lien in liens[3][1:])


def test_l_evolution_se_lit_en_une_requete(plan, django_assert_num_queries):
    cadre = cadrer(Demande(plan.slug, None, None))
    with django_assert_num_queries(1):
        graphique_evolution(cadre)


def test_un_plan_sans_action_n_a_pas_d_evolution(db):
    assert evolution(fabriques.plan()).tableau.cases == []


def test_le_tableau_de_bord_montre_l_evolution_et_son_tableau(plan):
    texte = client_de(fabriques.utilisateur(Role.LECTEUR)).get("/").content.decode()
    bloc = texte.partition('class="bloc-evolution"')[2].partition("</section>")[0]
    assert re.findall(r'<th scope="row">(.*?)</th>', bloc) == ["fin 2023", "fin 2024", "fin 2025", "à ce jour"]


def test_un_plan_sans_action_ne_montre_pas_d_evolution(db):
    fabriques.plan()
    assert "bloc-evolution" not in client_de(fabriques.utilisateur(Role.LECTEUR)).get("/").content.decode()


def test_une_base_sans_plan_n_a_pas_de_cadre(db):
    assert cadrer(Demande("", None, None)) is None
