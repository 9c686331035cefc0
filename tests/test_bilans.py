"""La page des bilans : les années d'un plan, chacune telle qu'elle était à sa fin."""

import datetime
import re

import pytest
from django.test import Client
from django.utils import timezone

from actions.models import Action, ChangementDeStatut, Plan, PresenceAuPlan
from bilans.annees import annees_du_plan
from bilans.arret import rouvrir
from bilans.demande import Demande
from comptes.droits import Role
from tests import fabriques
from tests.fabriques_bilans import bilan_arrete, bilan_publie
from tests.visites import client_de

pytestmark = pytest.mark.django_db

MAINTENANT = datetime.datetime(2026, 6, 15, 9, 0, tzinfo=datetime.UTC)
AUJOURD_HUI = MAINTENANT.date()


@pytest.fixture(autouse=True)
def horloge(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: MAINTENANT)


@pytest.fixture
def lecteur() -> Client:
    return client_de(fabriques.utilisateur(Role.LECTEUR))


@pytest.fixture
def plan() -> Plan:
    """Un plan de 2022 dont le journal commence le 30/06/2023, avec deux indicateurs."""
    plan = fabriques.plan(intitule="Plan d'essai", annee_debut=2022)
    for statut in ("TERMINEE", "EN_COURS", "NON_INITIEE"):
        fabriques.action(plan, statut=statut, date_effet=datetime.date(2023, 6, 30))
    for code in ("un", "deux"):
        fabriques.indicateur(plan, code=code)
    return plan


def page(client: Client, adresse: str = "/bilans/", attendu: int = 200) -> str:
    reponse = client.get(adresse)
    assert reponse.status_code == attendu
    return reponse.content.decode().replace("&#x27;", "'").replace("&amp;", "&")


def rangees(texte: str) -> list[list[str]]:
    """Les lignes du tableau, ce qui s'y lit case par case."""
    corps = texte.partition("<tbody>")[2].partition("</tbody>")[0]
    return [
        [
            " ".join(re.sub(r"<[^>]+>", " ", case).split())
            for case in re.findall(r"<t[hd].*?>(.*?)</t[hd]>", ligne, re.S)
        ]
        for ligne in corps.split("</tr>")[:-1]
    ]


def annees(plan: Plan, annee: int | None = None, au: datetime.date | None = None):
    return annees_du_plan(Demande(plan.slug, annee, au)).annees


# --- Les années -----------------------------------------------------------------------------------


def test_les_annees_vont_de_celle_ci_a_la_premiere_connue(lecteur, plan):
    assert [ligne[0] for ligne in rangees(page(lecteur))] == ["2026", "2025", "2024", "2023", "2022"]


def test_chaque_annee_mene_au_tableau_de_bord_de_cette_annee(lecteur, plan):
    texte = page(lecteur)
    for annee in range(2022, 2027):
        assert f'<a href="/?plan={plan.slug}&annee={annee}">{annee}</a>' in texte
        assert f"<h1>{plan.intitule}" in page(lecteur, f"/?plan={plan.slug}&annee={annee}")


def test_une_annee_finie_se_lit_au_31_decembre_et_celle_en_cours_aujourd_hui(lecteur, plan):
    lignes = rangees(page(lecteur))
    assert (lignes[0][1], lignes[0][-1]) == ("Au 15/06/2026", "Brouillon 2026 Année en cours")
    assert (lignes[1][1], lignes[1][-1]) == ("Au 31/12/2025", "Bilan 2025 pas encore arrêté")


def test_chaque_annee_dit_ou_en_est_son_bilan_et_y_mene(lecteur, plan):
    bilan_publie(plan, 2023)
    rouvert = bilan_publie(plan, 2024)
    rouvrir(rouvert, auteur=fabriques.utilisateur(Role.RESPONSABLE), version=rouvert.version, motif="Une erreur.")
    bilan_arrete(plan, 2025)
    texte = page(lecteur)
    assert [ligne[-1] for ligne in rangees(texte)[1:4]] == [
        "Bilan 2025 arrêté le 15 juin 2026",
        "Bilan 2024 rouvert le 15 juin 2026",
        "Bilan 2023 publié le 15 juin 2026",
    ]
    for annee in range(2022, 2027):
        assert f'href="/bilans/{plan.slug}/{annee}/"' in texte


def test_une_annee_d_avant_le_premier_jour_est_inconnue_et_jamais_zero(lecteur, plan):
    derniere = rangees(page(lecteur))[-1]
    assert derniere[1:5] == ["Inconnue au 31/12/2022", "—", "—", "—"]


def test_une_premiere_date_corrigee_ne_fait_pas_connaitre_les_annees_d_avant(plan):
    """2013 tapé pour 2023."""
    action = fabriques.action(plan, date_effet=datetime.date(2013, 6, 30))
    for journal in (ChangementDeStatut, PresenceAuPlan):
        journal.en_vigueur_pour(action).corriger(date_effet=datetime.date(2023, 6, 30))
    assert [(lue.annee, lue.decompte is None) for lue in annees(plan)][-2:] == [(2023, False), (2022, True)]


def test_telles_que_saisies_les_annees_sont_celles_que_leurs_listes_comptent(plan, monkeypatch):
    def aller(jour: int) -> None:
        monkeypatch.setattr(timezone, "now", lambda: MAINTENANT + datetime.timedelta(days=jour))

    aller(2)
    ChangementDeStatut.en_vigueur_pour(plan.actions.get(numero=3)).corriger(statut="TERMINEE")
    bilan_arrete(plan, 2025)
    aller(3)
    lecteur = client_de(fabriques.utilisateur(Role.LECTEUR))
    hier = f"/bilans/?plan={plan.slug}&saisi_au=2026-06-15"
    assert rangees(page(lecteur))[1][2:5] == ["2", "1", "0"]
    texte = page(lecteur, hier)
    assert rangees(texte)[1][2:5] == ["1", "1", "1"]
    assert rangees(texte)[1][-1] == "Bilan 2025 pas encore arrêté"
    assert "d'après ce qui était saisi au 15\u00a0juin 2026" in texte


def test_telles_que_saisies_avant_le_premier_plan_les_annees_disent_depuis_quand_on_sait(lecteur, plan):
    assert "<title>Aucun plan n'était encore saisi" in page(lecteur, "/bilans/?saisi_au=2020-01-01")


def test_l_annee_du_premier_jour_est_connue(plan):
    assert [annee.decompte is None for annee in annees(plan)] == [False, False, False, False, True]


def test_une_annee_garde_ses_nombres_apres_un_changement(plan):
    action = plan.actions.get(numero=3)
    action.changer_statut("EN_COURS", auteur=None, version=action.version, date_effet=datetime.date(2025, 1, 1))
    connues = {annee.annee: annee.decompte for annee in annees(plan) if annee.decompte}
    assert [connues[annee].non_initiees for annee in (2023, 2024, 2025, 2026)] == [1, 1, 0, 0]
    assert all(connues[n] == plan.actions.etat_au(datetime.date(n, 12, 31)).decompte() for n in connues)


def test_les_nombres_menent_aux_listes_de_la_meme_date(lecteur, plan):
    texte = page(lecteur)
    assert rangees(texte)[1][2:5] == ["1", "1", "1"]
    adresse = f"/actions/?plan={plan.slug}&statut=TERMINEE&au=2025-12-31"
    assert f'<a href="{adresse}">1</a>' in texte
    assert "1\u00a0action, situation au 31\u00a0décembre 2025" in page(lecteur, adresse)


@pytest.mark.parametrize(("annee", "au"), [(2024, None), (None, datetime.date(2024, 3, 1))])
def test_a_une_date_passee_les_annees_s_arretent_a_elle(plan, annee, au):
    lues = annees(plan, annee, au)
    assert [lue.annee for lue in lues] == [2024, 2023, 2022]
    assert (lues[0].le, lues[0].finie) == (au or datetime.date(2024, 12, 31), au is None)


# --- Les valeurs ----------------------------------------------------------------------------------


def test_une_annee_dit_combien_de_valeurs_lui_manquent(lecteur, plan):
    un, deux = (place.indicateur for place in plan.places_d_indicateur.order_by("pk"))
    fabriques.valeur(un, 2025, valeur=4)
    fabriques.valeur(deux, 2025, indisponible=True, motif_indisponibilite="Pas de relevé")
    fabriques.valeur(un, 2024, valeur=4)
    lignes = {ligne[0]: ligne[5] for ligne in rangees(page(lecteur))}
    assert lignes["2025"] == "2 sur 2"
    assert lignes["2024"] == "1 sur 2 · 1\u00a0à renseigner".replace("\u00a0", " ")
    assert lignes["2023"] == "0 sur 2 · 2 à renseigner"


def test_ce_qui_manque_mene_a_la_liste_de_ce_qui_manque(lecteur, plan):
    adresse = f"/indicateurs/?plan={plan.slug}&sans_valeur=2023"
    assert f'<a href="{adresse}">' in page(lecteur)
    assert "2\u00a0indicateurs" in page(lecteur, adresse)


def test_un_taux_sans_denominateur_manque_encore(plan):
    un, deux = (place.indicateur for place in plan.places_d_indicateur.order_by("pk"))
    part = fabriques.indicateur(plan, nature="PART", unite="%", denominateur=un)
    fabriques.valeur(part, 2025, numerateur=2)
    fabriques.valeur(deux, 2025, valeur=0)
    assert (annees(plan)[1].reponses, annees(plan)[1].manquantes) == (1, 2)


def test_une_valeur_d_un_indicateur_d_ailleurs_n_y_compte_pas(plan):
    fabriques.valeur(fabriques.indicateur(fabriques.plan(annee_debut=2020)), 2025, valeur=4)
    assert annees(plan)[1].reponses == 0


def test_sans_indicateur_la_colonne_des_valeurs_est_un_tiret(lecteur):
    fabriques.action()
    assert {ligne[5] for ligne in rangees(page(lecteur))} == {"—"}


# --- Quel plan ------------------------------------------------------------------------------------


def test_le_plan_demande_est_celui_qu_on_montre(lecteur, plan):
    autre = fabriques.plan(intitule="Un plan plus ancien", annee_debut=2019)
    texte = page(lecteur, f"/bilans/?plan={autre.slug}")
    assert '<p class="situation">Un plan plus ancien ·' in texte
    assert rangees(texte)[-1][0] == "2019"
    assert f'<p class="situation">{plan} ·' in page(lecteur)


@pytest.mark.parametrize("slug", ["inconnu", "%00", "%F0%9F%8D%8B"])
def test_un_plan_inconnu_est_introuvable(lecteur, plan, slug):
    assert "Aucun plan" in page(lecteur, f"/bilans/?plan={slug}", attendu=404)


@pytest.mark.parametrize("requete", ["annee=vingt", "au=hier", "annee=2024&au=2024-12-31"])
def test_une_demande_absurde_est_refusee_avec_une_phrase(lecteur, plan, requete):
    assert "Demande incompréhensible" in page(lecteur, f"/bilans/?{requete}", attendu=400)


def test_un_plan_sans_action_ne_connait_aucune_annee(lecteur):
    fabriques.plan(annee_debut=2025)
    assert [ligne[1] for ligne in rangees(page(lecteur))] == ["Inconnue au 15/06/2026", "Inconnue au 31/12/2025"]


def test_un_plan_a_venir_montre_l_annee_en_cours(lecteur):
    fabriques.plan(annee_debut=2030)
    assert [ligne[0] for ligne in rangees(page(lecteur))] == ["2026"]


def test_un_plan_dont_toutes_les_actions_sont_retirees_en_compte_zero(lecteur, plan):
    for action in Action.objects.all():
        action.retirer(auteur=None, version=action.version, motif="Fini", date_effet=datetime.date(2026, 1, 1))
    assert [ligne[2] for ligne in rangees(page(lecteur))[:2]] == ["0", "1"]


def test_une_base_vide_dit_a_qui_demander(lecteur):
    assert "Demandez à l'administrateur" in page(lecteur)


def test_le_nombre_de_requetes_ne_depend_pas_du_nombre_d_annees_ni_de_bilans(plan, django_assert_num_queries):
    for annee_debut, arretee in ((2022, 2023), (2000, 2024)):
        bilan_arrete(plan, arretee)
        plan.annee_debut = annee_debut
        plan.save()
        with django_assert_num_queries(5):
            annees(plan)
