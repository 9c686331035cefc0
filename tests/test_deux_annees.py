"""Deux années d'un plan côte à côte : ce qui est arrêté tel qu'arrêté, le reste tel qu'on le sait."""

import datetime
import html
import re

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from actions.journaux import ChangementDeStatut
from actions.models import Axe, Plan
from bilans.comparaison import DeuxAnnees, annees_par_defaut, deux_annees
from comptes.droits import Role
from indicateurs.listes import Etat, Nature
from socle.formats import FINE, INSECABLE
from tests import fabriques
from tests.fabriques_bilans import bilan_arrete
from tests.visites import client_de

pytestmark = pytest.mark.django_db

MAINTENANT = datetime.datetime(2026, 6, 15, 9, 0, tzinfo=datetime.UTC)
MARS_2024, MARS_2025 = datetime.date(2024, 3, 10), datetime.date(2025, 3, 10)


@pytest.fixture(autouse=True)
def horloge(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: MAINTENANT)


@pytest.fixture
def plan() -> Plan:
    """Fin 2023 : une action de chaque statut, dont deux dans un axe ; la seconde se termine en 2024."""
    plan = fabriques.plan(intitule="Plan d'essai")
    axe = Axe.objects.create(plan=plan, code="A", intitule="Environnement")
    fabriques.action(plan, statut="TERMINEE", axe=axe)
    seconde = fabriques.action(plan, statut="EN_COURS", axe=axe)
    fabriques.action(plan, statut="NON_INITIEE")
    terminer(seconde, MARS_2024)
    return plan


def terminer(action, jour: datetime.date):
    return ChangementDeStatut.ecrire(action, statut="TERMINEE", avancement=100, date_effet=jour)


def simple(texte: str) -> str:
    return html.unescape(texte).replace(INSECABLE, " ").replace(FINE, " ")


def statuts(vues: DeuxAnnees) -> list[tuple[str, list[int | None], str]]:
    return [
        (ligne.libelle, [nombre.nombre for nombre in ligne.nombres], simple(ligne.ecart)) for ligne in vues.statuts
    ]


def indicateur(vues: DeuxAnnees) -> list[str]:
    """La seule ligne d'indicateur : ses deux chiffres, ce qui les précise, l'écart, ce qui empêche de comparer."""
    (ligne,) = vues.indicateurs
    cases = [simple(" / ".join([case.texte, *case.precisions])) for case in ligne.cases]
    return [*cases, simple(ligne.ecart), *map(simple, ligne.obstacles)]


# --- Le plan et ses axes ------------------------------------------------------------------------


def test_les_statuts_se_comptent_chaque_annee_et_l_ecart_se_dit(plan):
    assert statuts(deux_annees(plan, 2023, 2024)) == [
        ("Terminées", [1, 2], "+ 1"),
        ("En cours", [1, 0], "− 1"),
        ("Non initiées", [1, 1], "stable"),
        ("Total", [3, 3], "stable"),
    ]


def test_les_deux_annees_se_rangent_dans_l_ordre(plan):
    vues = deux_annees(plan, 2024, 2023)
    assert (vues.avant.annee, vues.apres.annee) == (2023, 2024)


def test_une_annee_d_avant_le_plan_se_dit_inconnue_et_ne_compte_pas_zero(plan):
    vues = deux_annees(plan, 2022, 2023)
    assert vues.avant.inconnu
    assert statuts(vues)[0] == ("Terminées", [None, 1], "—")


def test_une_annee_inconnue_l_est_aussi_dans_chaque_axe_et_dans_le_graphique(lecteur, plan):
    plan.annee_debut = 2022
    plan.save()
    vues = deux_annees(plan, 2022, 2023)
    assert [case.inconnue for case in vues.axes[0].cases] == [True, False]
    par_axe = page(lecteur, plan, "?de=2022&a=2023").partition('id="axes-titre"')[2].partition("</table>")[0]
    assert re.findall(r'<td data-libelle="2022">(.*?)</td>', par_axe) == ["—", "—"]
    assert [[case for case, _ in ligne] for ligne in vues.graphique().tableau.cases] == [["2023", "1", "1", "1"]]


def test_un_plan_dont_toutes_les_actions_sont_retirees_en_compte_zero(plan):
    for action in plan.actions.all():
        action.retirer(auteur=None, version=action.version, motif="Fini", date_effet=MARS_2025)
    vues = deux_annees(plan, 2024, 2025)
    assert not vues.apres.inconnu
    assert statuts(vues) == [
        ("Terminées", [2, 0], "− 2"),
        ("En cours", [0, 0], "stable"),
        ("Non initiées", [1, 0], "− 1"),
        ("Total", [3, 0], "− 3"),
    ]


def test_chaque_axe_compte_ses_actions_et_celles_sans_axe_viennent_a_la_fin(plan):
    vus = [
        (ligne.libelle, [[(n.nombre, n.libelle) for n in case.nombres] for case in ligne.cases])
        for ligne in deux_annees(plan, 2023, 2024).axes
    ]
    assert vus == [
        ("A Environnement", [[(1, "terminée"), (1, "en cours")], [(2, "terminées")]]),
        ("Sans axe", [[(1, "non initiée")], [(1, "non initiée")]]),
    ]


def test_un_plan_sans_axe_n_en_montre_aucun():
    plan = fabriques.plan()
    fabriques.action(plan)
    assert deux_annees(plan, 2023, 2024).axes == []


# --- Arrêté ou brouillon ------------------------------------------------------------------------


def test_un_bilan_arrete_se_compare_tel_qu_arrete_et_le_dit(plan):
    bilan_arrete(plan, 2023)
    ChangementDeStatut.en_vigueur_pour(plan.actions.get(numero=3)).corriger(statut="EN_COURS", auteur=None)
    vues = deux_annees(plan, 2023, 2024)
    assert [ligne[1] for ligne in statuts(vues)] == [[1, 2], [1, 1], [1, 0], [3, 3]]
    assert vues.avant.provenance == "arrêté le 15/06/2026"
    assert vues.apres.provenance == "brouillon, au 31/12/2024"


def test_la_derniere_version_vaut_et_une_autre_se_choisit(plan):
    bilan_arrete(plan, 2023)
    ChangementDeStatut.en_vigueur_pour(plan.actions.get(numero=3)).corriger(statut="EN_COURS", auteur=None)
    bilan_arrete(plan, 2023)
    derniere, premiere = deux_annees(plan, 2023, 2024), deux_annees(plan, 2023, 2024, {2023: 1})
    assert [vues.avant.provenance.rpartition(", ")[2] for vues in (derniere, premiere)] == ["version 2", "version 1"]
    assert [statuts(vues)[2][1] for vues in (derniere, premiere)] == [[0, 0], [1, 0]]


def test_l_annee_en_cours_se_lit_aujourd_hui(plan):
    assert deux_annees(plan, 2025, 2026).apres.provenance == "brouillon, au 15/06/2026"


def test_comparer_n_enregistre_aucun_bilan(plan):
    deux_annees(plan, 2023, 2024)
    assert not plan.bilans.exists()


# --- Les indicateurs ----------------------------------------------------------------------------


def compte(plan: Plan, **champs):
    return fabriques.indicateur(plan, intitule="Consultations", unite="consultations", **champs)


def test_un_indicateur_dit_ses_deux_valeurs_et_leur_ecart(plan):
    mesure = compte(plan)
    fabriques.valeur(mesure, 2023, valeur=166, etat=Etat.VALIDEE)
    fabriques.valeur(mesure, 2024, valeur=171, etat=Etat.VALIDEE)
    assert indicateur(deux_annees(plan, 2023, 2024)) == ["166 consultations", "171 consultations", "+ 5"]


def test_une_part_dit_de_quoi_elle_est_faite_et_l_ecart_est_en_points(plan):
    part = fabriques.indicateur(plan, nature=Nature.PART, unite="%")
    fabriques.valeur(part, 2023, numerateur=42, denominateur=166, etat=Etat.VALIDEE)
    fabriques.valeur(part, 2024, numerateur=60, denominateur=171, etat=Etat.VALIDEE)
    assert indicateur(deux_annees(plan, 2023, 2024)) == ["25,3 % / 42 / 166", "35,1 % / 60 / 171", "+ 9,8 points"]


def test_une_valeur_provisoire_ou_absente_le_dit(plan):
    fabriques.valeur(compte(plan), 2023, valeur=166)
    assert indicateur(deux_annees(plan, 2023, 2024)) == ["166 consultations / Provisoire", "— / Non renseignée", ""]


def test_une_valeur_indisponible_dit_pourquoi(plan):
    mesure = compte(plan)
    fabriques.valeur(mesure, 2023, indisponible=True, motif_indisponibilite="Registre perdu", etat=Etat.VALIDEE)
    fabriques.valeur(mesure, 2024, valeur=171, etat=Etat.VALIDEE)
    assert indicateur(deux_annees(plan, 2023, 2024)) == ["Indisponible / Registre perdu", "171 consultations", ""]


def test_une_rupture_entre_les_deux_annees_empeche_de_comparer_et_se_dit(plan):
    mesure = compte(plan)
    for annee, rupture in ((2023, ""), (2024, "Les lots sont comptés."), (2025, "")):
        fabriques.valeur(mesure, annee, valeur=annee, rupture=rupture, etat=Etat.VALIDEE)
    *_, ecart, obstacle = indicateur(deux_annees(plan, 2023, 2025))
    assert (ecart, obstacle) == ("", "Rupture de série en 2024 : Les lots sont comptés.")
    assert indicateur(deux_annees(plan, 2024, 2025))[2:] == ["+ 1"]


def arreter_puis_corriger(plan, annee):
    """Le bilan de cette année est arrêté, puis la valeur 2023 passe de 166 à 167."""
    valeur = fabriques.valeur(compte(plan), 2023, valeur=166, etat=Etat.VALIDEE)
    bilan_arrete(plan, annee)
    valeur.valeur = 167
    valeur.enregistrer(motif="Une consultation oubliée")


def test_une_valeur_revue_depuis_l_arret_se_dit(plan):
    arreter_puis_corriger(plan, 2023)
    premiere = indicateur(deux_annees(plan, 2023, 2024))[0]
    assert premiere == "166 consultations / Revue depuis : 167 consultations"


def test_ce_qu_une_annee_arretee_avant_en_disait_n_est_pas_une_revision(plan):
    """2023, lu aujourd'hui, dit la valeur corrigée : celle que 2024 a gardée est plus ancienne."""
    arreter_puis_corriger(plan, 2024)
    assert indicateur(deux_annees(plan, 2023, 2024))[0] == "167 consultations"


def test_une_valeur_donnee_depuis_l_arret_se_dit(plan):
    mesure = compte(plan)
    bilan_arrete(plan, 2023)
    fabriques.valeur(mesure, 2023, valeur=166, etat=Etat.VALIDEE)
    assert indicateur(deux_annees(plan, 2023, 2024))[0] == "— / Non renseignée / Donnée depuis : 166 consultations"


def test_un_indicateur_sorti_du_plan_reste_compare_et_le_dit(plan):
    mesure = compte(plan)
    fabriques.valeur(mesure, 2023, valeur=166, etat=Etat.VALIDEE)
    bilan_arrete(plan, 2023)
    mesure.places.all().delete()
    assert indicateur(deux_annees(plan, 2023, 2024)) == ["166 consultations", "— / Hors du plan cette année-là", ""]


# --- La page ------------------------------------------------------------------------------------


@pytest.fixture
def lecteur():
    return client_de(fabriques.utilisateur(Role.LECTEUR))


def page(client, plan: Plan, requete: str = "", attendu: int = 200) -> str:
    reponse = client.get(f"/bilans/{plan.slug}/comparer/{requete}")
    assert reponse.status_code == attendu
    return simple(reponse.content.decode())


def test_la_page_dit_d_ou_vient_chaque_annee(lecteur, plan):
    bilan_arrete(plan, 2023)
    texte = page(lecteur, plan, "?de=2023&a=2024")
    assert "2023 et 2024 côte à côte" in texte
    assert "2023 : arrêté le 15/06/2026 · 2024 : brouillon, au 31/12/2024" in texte


def test_sans_annee_la_derniere_arretee_se_compare_a_celle_d_avant(lecteur, plan):
    assert "2024 et 2025 côte à côte" in page(lecteur, plan)
    bilan_arrete(plan, 2024)
    assert "2023 et 2024 côte à côte" in page(lecteur, plan)


@pytest.mark.parametrize(
    ("annees", "arretees", "attendues"),
    [
        ([2026], [], None),
        ([2026, 2025], [], (2025, 2026)),
        ([2026, 2025, 2024], [], (2024, 2025)),
        ([2026, 2025, 2024], [2024], (2024, 2025)),
        ([2026, 2025, 2024, 2023], [2024, 2023], (2023, 2024)),
    ],
)
def test_les_annees_proposees(annees, arretees, attendues):
    assert annees_par_defaut(annees, arretees, datetime.date(2026, 6, 15)) == attendues


def test_chaque_nombre_d_un_brouillon_mene_a_la_liste_qu_il_compte(lecteur, plan):
    texte = page(lecteur, plan, "?de=2023&a=2026")
    liens = re.findall(r'<a href="(/actions/[^"]*)">(\d+)</a>', texte)
    assert len(liens) >= 15
    for adresse, nombre in liens:
        cache.clear()
        assert lecteur.get(adresse).context["table"].paginator.count == int(nombre), adresse


def test_un_bilan_arrete_ne_mene_a_aucune_liste(lecteur, plan):
    bilan_arrete(plan, 2023)
    bilan_arrete(plan, 2024)
    assert 'href="/actions/?' not in page(lecteur, plan, "?de=2023&a=2024").partition("<h1>")[2]


@pytest.mark.parametrize(
    ("requete", "champ"),
    [("?de=1950&a=2024", "de"), ("?de=2023&a=bientot", "a"), ("?de=2024&a=2024", "a"), ("?de=%C2%B2&a=2024", "de")],
)
def test_une_annee_qui_ne_va_pas_se_dit_a_cote_du_champ(lecteur, plan, requete, champ):
    assert f'id="id_{champ}_error"' in page(lecteur, plan, requete, attendu=400)


def test_une_version_d_une_autre_annee_laisse_la_derniere(lecteur, plan):
    bilan_arrete(plan, 2023)
    assert "2023 : arrêté le 15/06/2026 ·" in page(lecteur, plan, "?de=2023&a=2024&rang_de=7&rang_a=2")


def test_une_seule_annee_connue_se_dit(lecteur):
    assert "Une seule année est connue de ce plan" in page(lecteur, fabriques.plan())


def test_un_plan_inconnu_ne_se_trouve_pas(lecteur, plan):
    assert lecteur.get("/bilans/nulle-part/comparer/").status_code == 404


def test_le_nombre_de_requetes_ne_depend_pas_du_plan(plan):
    def requetes() -> int:
        with CaptureQueriesContext(connection) as faites:
            deux_annees(plan, 2023, 2024)
        return len(faites)

    axe = plan.axes.get()
    terminer(fabriques.action(plan, axe=axe), MARS_2024)
    for annee in (2023, 2024):
        fabriques.valeur(compte(plan), annee, valeur=1)
    avant = requetes()
    for n in range(5):
        terminer(fabriques.action(plan, axe=axe), MARS_2024)
        fabriques.valeur(compte(plan), 2023, valeur=n)
    assert requetes() == avant
