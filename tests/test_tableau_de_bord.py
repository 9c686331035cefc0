"""Le tableau de bord, aujourd'hui et à une date passée."""

import datetime
import re

import pytest
from django.core.management import call_command
from django.utils import timezone

from accueil.tableau_de_bord import ACTIONS_PAR_COLONNE
from actions.models import Plan
from indicateurs.models import ValeurAnnuelle
from tests import fabriques

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent():
    return fabriques.utilisateur("agent")


@pytest.fixture
def connecte(client, agent):
    client.force_login(agent)
    return client


@pytest.fixture
def plan():
    call_command("charger_plan", verbosity=0)
    return Plan.objects.get()


def page(client, adresse: str = "/", attendu: int = 200) -> str:
    reponse = client.get(adresse)
    assert reponse.status_code == attendu
    return reponse.content.decode().replace("&#x27;", "'")


def en_texte(html: str) -> str:
    """Ce qui se lit, les espaces ramenées à une seule."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html))


def decompte(texte: str) -> list[int]:
    return [int(nombre) for nombre in re.findall(r'<span class="nombre">(\d+)</span>', texte)]


def test_la_page_dit_la_situation_en_une_phrase(connecte, plan):
    assert "4 actions sur 12 terminées, 5 en cours, 3 non initiées" in en_texte(page(connecte))


def test_la_page_montre_les_trois_chiffres_avec_leur_annee_et_leur_remarque(connecte, plan):
    texte = page(connecte)
    assert re.findall(r'class="grand">([^<]+)<', texte) == ["166", "53\u00a0%", "25\u00a0%"]
    assert texte.count("Valeur 2023") == 3
    assert "ne donne pas d'année" in texte


def test_la_page_montre_les_douze_actions_et_les_six_partenaires(connecte, plan):
    texte = page(connecte)
    assert decompte(texte) == [4, 5, 3]
    for action in plan.actions.all():
        assert f'<a href="{action.get_absolute_url()}">' in texte
    for partenaire in plan.partenaires.all():
        assert str(partenaire) in texte


def test_l_annee_2023_montre_la_page_publiee_meme_apres_un_changement(connecte, agent, plan):
    action = plan.actions.get(numero=10)
    action.changer_statut("EN_COURS", auteur=agent, version=action.version)
    assert decompte(page(connecte)) == [4, 6, 2]
    assert decompte(page(connecte, "/?annee=2023")) == [4, 5, 3]


def test_cette_annee_montre_la_situation_d_aujourd_hui(connecte, agent, plan):
    action = plan.actions.get(numero=10)
    action.changer_statut("EN_COURS", auteur=agent, version=action.version)
    assert decompte(page(connecte, f"/?annee={timezone.localdate().year}")) == [4, 6, 2]


def test_une_annee_sans_valeur_montre_un_tiret_et_jamais_zero(connecte, plan):
    texte = page(connecte, "/?annee=2024")
    assert re.findall(r'class="grand">([^<]+)<', texte) == ["—", "—", "—"]


def test_sans_annee_chaque_chiffre_est_a_sa_derniere_annee(connecte, plan):
    indicateur = ValeurAnnuelle.objects.get(indicateur__code="achats-locaux").indicateur
    fabriques.valeur(indicateur, 2025, valeur=57)
    texte = page(connecte)
    assert re.findall(r'class="grand">([^<]+)<', texte) == ["166", "57\u00a0%", "25\u00a0%"]
    assert "Valeur 2025" in texte


def test_a_une_date_les_chiffres_sont_ceux_qu_on_connaissait(connecte, plan):
    indicateur = ValeurAnnuelle.objects.get(indicateur__code="achats-locaux").indicateur
    fabriques.valeur(indicateur, 2024, valeur=57, connue_le=datetime.date(2025, 3, 1))
    assert "57\u00a0%" not in page(connecte, "/?au=2025-02-28")
    assert "57\u00a0%" in page(connecte, "/?au=01/03/2025")


def test_avant_la_premiere_ligne_la_situation_est_dite_inconnue(connecte, plan):
    texte = page(connecte, "/?au=2023-12-30")
    assert "Situation inconnue au 30\u00a0décembre 2023" in texte
    assert "avant le 31\u00a0décembre 2023" in texte


@pytest.mark.parametrize("adresse", ["/?annee=vingt", "/?annee=23", "/?au=hier", "/?au=31/02/2024", "/?annee=%00"])
def test_une_date_absurde_est_refusee_avec_une_phrase(connecte, plan, adresse):
    texte = page(connecte, adresse, attendu=400)
    assert "Demande incompréhensible" in texte


def test_une_date_a_venir_est_refusee(connecte, plan):
    demain = timezone.localdate() + datetime.timedelta(days=1)
    assert "à venir" in page(connecte, f"/?au={demain.isoformat()}", attendu=400)


def test_une_annee_et_une_date_ensemble_se_contredisent(connecte, plan):
    assert "pas les deux" in page(connecte, "/?annee=2023&au=2023-12-31", attendu=400)


def test_deux_annees_differentes_se_contredisent(connecte, plan):
    assert "plusieurs fois" in page(connecte, "/?annee=2023&annee=2024", attendu=400)


@pytest.mark.parametrize("annee", [1999, 2022, 2150])
def test_une_annee_inconnue_est_introuvable(connecte, plan, annee):
    assert "Rien n'est connu" in page(connecte, f"/?annee={annee}", attendu=404)


@pytest.mark.parametrize("slug", ["autre", "%00", "%F0%9F%8D%8B"])
def test_un_plan_inconnu_est_introuvable(connecte, plan, slug):
    assert "Aucun plan" in page(connecte, f"/?plan={slug}", attendu=404)


def test_chaque_plan_se_montre_a_son_adresse(connecte, plan):
    fabriques.action(fabriques.plan(intitule="Autre plan"), intitule="Une action d'ailleurs")
    texte = page(connecte, "/?plan=autre-plan")
    assert decompte(texte) == [0, 0, 1]
    assert "Une action d'ailleurs" in texte


def test_un_partenaire_cite_par_deux_plans_n_est_montre_qu_une_fois(connecte, plan):
    autre = fabriques.plan(intitule="Autre plan")
    ademe = plan.partenaires.get(nom="Ademe")
    autre.citations.create(partenaire=ademe, ordre=9)
    montres = connecte.get(f"/?plan={plan.slug}").context["tableau"].partenaires
    assert montres == [citation.partenaire for citation in plan.citations.order_by("ordre")]
    assert montres.count(ademe) == 1


def test_d_une_date_passee_un_lien_ramene_a_aujourd_hui(connecte, plan):
    assert f'<a href="/?plan={plan.slug}">Revenir' in page(connecte, "/?annee=2023")
    assert "Revenir" not in page(connecte)


def test_une_action_retiree_sort_des_totaux_et_reste_dans_ceux_d_avant(connecte, agent, plan):
    action = plan.actions.get(numero=12)
    action.retirer(auteur=agent, version=action.version, motif="Reprise par un autre plan")
    assert "4 actions sur 11 terminées, 5 en cours, 2 non initiées" in en_texte(page(connecte))
    assert "4 actions sur 12 terminées" in en_texte(page(connecte, "/?annee=2023"))


def test_une_colonne_trop_longue_mene_a_la_liste(connecte):
    plan = fabriques.plan()
    for _ in range(27):
        fabriques.action(plan, statut="EN_COURS")
    texte = page(connecte)
    lien = re.search(r'href="(/actions/\?[^"]+statut=EN_COURS[^"]*)"', texte)[1].replace("&amp;", "&")
    assert len(re.findall(r'<li><a href="/actions/\d', texte)) == ACTIONS_PAR_COLONNE
    assert "27 actions" in page(connecte, lien).replace("\u00a0", " ")


def test_une_base_vide_dit_a_l_administrateur_par_ou_commencer(client):
    client.force_login(fabriques.utilisateur("administrateur"))
    texte = page(client)
    assert "Il n'y a pas encore de plan" in texte
    assert "charger_plan" in texte


def test_une_base_vide_dit_a_un_contributeur_a_qui_demander(connecte):
    assert "Demandez à l'administrateur" in page(connecte)


def test_un_plan_vide_invite_le_responsable_a_creer_une_action(client):
    fabriques.plan()
    client.force_login(fabriques.utilisateur("responsable"))
    assert "Créez la première" in page(client)


def test_les_nombres_d_un_seul_s_accordent(connecte):
    plan = fabriques.plan()
    fabriques.action(plan, statut="TERMINEE")
    fabriques.action(plan)
    assert "1 action sur 2 terminée, 0 en cours, 1 non initiée." in en_texte(page(connecte))
