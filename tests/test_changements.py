"""Ce qui a changé entre deux dates : les phrases, puis la page qui les imprime (les valeurs ont leur fichier)."""

import datetime
import html

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from actions.journaux import ChangementDeStatut, PresenceAuPlan, ReportEcheance
from actions.models import Action, Comite, Plan
from bilans.changements import Changement, changements
from comptes.droits import Role
from socle.echeances import Echeance
from socle.formats import FINE, INSECABLE
from tests import fabriques
from tests.fabriques_bilans import bilan_arrete
from tests.visites import client_de

pytestmark = pytest.mark.django_db

DEBUT, FIN = datetime.date(2024, 12, 31), datetime.date(2025, 12, 31)
JANVIER, MARS, JUIN, SEPTEMBRE = (datetime.date(2025, mois, 10) for mois in (1, 3, 6, 9))


@pytest.fixture
def plan() -> Plan:
    """Connu depuis fin 2023 par une première action, dont il ne se dit rien."""
    plan = fabriques.plan(intitule="Plan d'essai")
    fabriques.action(plan, intitule="Témoin.")
    return plan


@pytest.fixture
def le(monkeypatch):
    """Met l'horloge à midi de ce jour."""

    def regler(jour: datetime.date) -> None:
        midi = datetime.datetime.combine(jour, datetime.time(12), tzinfo=datetime.UTC)
        monkeypatch.setattr(timezone, "now", lambda: midi)

    regler(datetime.date(2026, 6, 15))
    return regler


def creer(plan: Plan, intitule: str = "Acheter local.", echeance: str = "", **champs) -> Action:
    champs = {"echeance": Echeance.lire(echeance) if echeance else None} | champs
    return fabriques.action(plan, intitule=intitule, **champs)


def statut(action: Action, vers: str, jour: datetime.date, **options):
    avancement = {"EN_COURS": None, "TERMINEE": 100}.get(vers, 0)
    options = {"avancement": avancement} | options
    return ChangementDeStatut.ecrire(action, statut=vers, date_effet=jour, **options)


def reporter(action: Action, echeance: str, jour: datetime.date, motif: str):
    lue = Echeance.lire(echeance)
    return ReportEcheance.ecrire(action, echeance=lue.fin, precision=lue.precision, motif=motif, date_effet=jour)


def simple(texte: str) -> str:
    return texte.replace(INSECABLE, " ").replace(FINE, " ")


def dits(plan: Plan, depuis: datetime.date = DEBUT, jusqu_au: datetime.date = FIN) -> list[str]:
    return [simple(dit.phrase) for dit in changements(plan, depuis, jusqu_au)]


# --- Les actions --------------------------------------------------------------------------------


def test_un_statut_change_se_dit_avec_le_jour_ou_il_a_change(plan):
    action = creer(plan)
    statut(action, "EN_COURS", MARS)
    statut(action, "EN_COURS", JUIN, avancement=40)
    assert dits(plan) == ["Action 2 « Acheter local » : passée de « Non initiée » à « En cours » le 10/03/2025."]


def test_un_statut_revenu_ne_se_dit_pas(plan):
    action = creer(plan, statut="EN_COURS")
    statut(action, "TERMINEE", MARS)
    statut(action, "EN_COURS", JUIN)
    assert dits(plan) == []


def test_une_echeance_repoussee_dit_de_combien_et_pourquoi(plan):
    action = creer(plan, echeance="T2 2025")
    reporter(action, "2026", MARS, "Marché infructueux.")
    assert dits(plan) == [
        "Action 2 « Acheter local » : échéance repoussée de T2 2025 à 2026 (+ 549 jours), "
        "motif : « Marché infructueux »."
    ]


def test_une_echeance_avancee_ne_se_dit_pas_repoussee(plan):
    action = creer(plan, echeance="2026")
    reporter(action, "31/12/2025", MARS, "Plus simple que prévu")
    assert "échéance avancée de 2026 au 31/12/2025 (− 365 jours)" in dits(plan)[0]


def test_une_entree_une_sortie_et_un_retour_se_disent_avec_leur_motif(plan):
    retiree, revenue = creer(plan), creer(plan, intitule="Former les acheteurs")
    PresenceAuPlan.ecrire(retiree, mouvement="RETRAIT", motif="Décidé en comité.", date_effet=MARS)
    PresenceAuPlan.ecrire(revenue, mouvement="RETRAIT", motif="Suspendue", date_effet=datetime.date(2024, 6, 1))
    PresenceAuPlan.ecrire(revenue, mouvement="RETOUR", motif="Budget voté", date_effet=JUIN)
    creer(plan, intitule="Auditer", statut="EN_COURS", date_effet=SEPTEMBRE)
    assert dits(plan) == [
        "Action 3 « Former les acheteurs » : revenue au plan le 10/06/2025, « Non initiée », motif : « Budget voté ».",
        "Action 4 « Auditer » : entrée au plan le 10/09/2025, « En cours ».",
        "Action 2 « Acheter local » : retirée du plan le 10/03/2025, motif : « Décidé en comité ».",
    ]


def test_une_note_corrigee_ne_dit_que_sa_correction(plan):
    action, auteur = creer(plan), fabriques.utilisateur(Role.RESPONSABLE, prenom="Zoé", nom="Marqueur")
    note = action.noter("Réunion tenue. Le détail suit.", auteur=auteur, le=MARS)
    note.corriger("Réunion reportée. Le détail suit.", auteur=auteur, le=JUIN, portee="INTERNE")
    assert dits(plan) == ["Action 2 « Acheter local » : note du 10/06/2025, Réunion reportée."]


def test_aucune_phrase_ne_nomme_une_personne(plan):
    zoe = fabriques.utilisateur(Role.RESPONSABLE, prenom="Zoé", nom="Marqueur", username="zoe-marqueur")
    action = creer(plan, echeance="T2 2025", pilote=zoe)
    statut(action, "EN_COURS", MARS, auteur=zoe, commentaire="Vu par Zoé Marqueur")
    reporter(action, "2026", MARS, "Marché infructueux")
    action.noter("Réunion tenue.", auteur=zoe, le=MARS)
    PresenceAuPlan.ecrire(creer(plan), mouvement="RETRAIT", motif="Doublon", date_effet=MARS, auteur=zoe)
    phrases = dits(plan)
    assert len(phrases) == 4
    assert not [phrase for phrase in phrases if "arqueur" in phrase or "Zo" in phrase]


def test_les_premieres_lignes_d_un_plan_ne_changent_rien(plan):
    assert dits(plan, datetime.date(2022, 12, 31), datetime.date(2023, 12, 31)) == []
    assert dits(plan, datetime.date(2022, 12, 31), FIN) == []


def test_les_bornes_excluent_la_premiere_date_et_comprennent_la_derniere(plan):
    action = creer(plan)
    statut(action, "EN_COURS", MARS)
    assert len(dits(plan, DEBUT, MARS)) == 1
    assert dits(plan, MARS, FIN) == []
    assert dits(plan, DEBUT, datetime.date(2025, 3, 9)) == []


def test_un_autre_plan_ne_compte_pas(plan):
    autre = creer(fabriques.plan())
    statut(autre, "EN_COURS", MARS)
    fabriques.valeur(fabriques.indicateur(autre.plan), 2024, valeur=12, connue_le=MARS)
    assert dits(plan) == []


def test_chaque_phrase_mene_a_son_action_ou_a_son_indicateur(plan):
    action, indicateur = creer(plan), fabriques.indicateur(plan, code="repas")
    statut(action, "EN_COURS", MARS)
    fabriques.valeur(indicateur, 2024, valeur=12, connue_le=MARS)
    vus: list[Changement] = changements(plan, DEBUT, FIN)
    assert [(dit.nature, dit.numero, dit.adresse) for dit in vus] == [
        ("STATUT", 2, action.get_absolute_url()),
        ("VALEUR", None, "/indicateurs/repas/"),
    ]


def test_le_nombre_de_requetes_ne_depend_pas_du_plan(plan, le):
    def requetes() -> int:
        with CaptureQueriesContext(
            connection,
        ) as faites:
            assert dits(plan)
        return len(faites)

    finalisees = fabriques.indicateur(plan)
    for annee in (2022, 2023):
        fabriques.valeur(finalisees, annee, valeur=annee, connue_le=MARS)
    statut(creer(plan, echeance="T2 2025"), "EN_COURS", MARS)
    avant = requetes()
    for n in range(6):
        action = creer(plan, echeance="T2 2025")
        statut(action, "EN_COURS", MARS)
        reporter(action, "2026", JUIN, "Retard")
        action.noter("Réunion tenue.", auteur=None, le=JUIN)
        fabriques.valeur(fabriques.indicateur(plan), 2024, valeur=n, connue_le=JUIN)
    assert requetes() == avant <= 12


# --- La page ------------------------------------------------------------------------------------


@pytest.fixture
def lecteur():
    return client_de(fabriques.utilisateur(Role.LECTEUR))


def page(client, plan: Plan, requete: str = "", attendu: int = 200) -> str:
    reponse = client.get(f"/bilans/{plan.slug}/changements/{requete}")
    assert reponse.status_code == attendu
    return simple(html.unescape(reponse.content.decode()))


def test_la_page_groupe_par_nature_et_compte(lecteur, plan, le):
    for intitule in ("Acheter local.", "Auditer."):
        statut(creer(plan, intitule=intitule, echeance="2026"), "EN_COURS", MARS)
    reporter(Action.objects.get(intitule="Auditer."), "2027", JUIN, "Retard")
    texte = page(lecteur, plan, f"?du={DEBUT}&au={FIN}")
    assert 'Statuts <span class="nombre">2 changements' in texte
    assert 'Échéances <span class="nombre">1 changement<' in texte
    assert "3 changements, d'après ce qui est saisi aujourd'hui" in texte


def test_chaque_phrase_de_la_page_est_un_lien_vers_son_sujet(lecteur, plan, le):
    action = creer(plan)
    statut(action, "EN_COURS", MARS)
    texte = page(lecteur, plan, f"?du={DEBUT}&au={FIN}")
    lien = f'<a href="{action.get_absolute_url()}">Action 2 « Acheter local »</a> : passée de « Non initiée »'
    assert lien in texte


def test_sans_date_on_compare_a_la_fin_de_l_annee_d_avant(lecteur, plan, le):
    le(FIN)
    assert "Ce qui a changé du 31/12/2024 au 31/12/2025" in page(lecteur, plan)


def test_sans_date_on_compare_au_dernier_comite_tenu_s_il_y_en_a_un(lecteur, plan, le):
    le(SEPTEMBRE)
    for jour in (JANVIER, JUIN, SEPTEMBRE):
        Comite.objects.create(plan=plan, date=jour)
    texte = page(lecteur, plan)
    assert "Ce qui a changé du 10/06/2025 au 10/09/2025" in texte
    assert "Depuis le comité du 10/01/2025" in texte
    assert "Depuis le 1er janvier 2025" in texte


def test_sans_date_on_compare_d_abord_au_dernier_bilan_arrete(lecteur, plan, le):
    le(SEPTEMBRE)
    Comite.objects.create(plan=plan, date=JUIN)
    bilan_arrete(plan, 2023)
    texte = page(lecteur, plan)
    assert "Ce qui a changé du 31/12/2023 au 10/09/2025" in texte
    assert "Depuis le bilan 2023" in texte


def test_a_une_date_passee_le_depart_propose_la_precede(lecteur, plan, le):
    Comite.objects.create(plan=plan, date=SEPTEMBRE)
    assert "Ce qui a changé du 31/12/2024 au 10/06/2025" in page(lecteur, plan, f"?au={JUIN}")


def test_rien_n_a_change_se_dit(lecteur, plan, le):
    assert "Rien n'a changé dans ce plan entre le 10 mars 2025 et le 10 juin 2025" in page(
        lecteur, plan, f"?du={MARS}&au={JUIN}"
    )


def test_une_periode_d_avant_le_plan_dit_a_quoi_elle_se_compare(lecteur, plan, le):
    texte = page(lecteur, plan, f"?du=2020-12-31&au={JUIN}")
    assert "Rien n'est connu des actions avant le 31/12/2023 : elles se comparent à ce jour-là." in texte


def test_une_premiere_date_corrigee_ne_fait_entrer_aucune_action(lecteur, le):
    """2013 tapé pour 2023 : rien n'est connu de ces dix ans, et les actions n'y sont pas entrées."""
    plan = fabriques.plan()
    action = fabriques.action(plan, date_effet=datetime.date(2013, 12, 31))
    for journal in (ChangementDeStatut, PresenceAuPlan):
        journal.en_vigueur_pour(action).corriger(date_effet=datetime.date(2023, 12, 31))
    texte = page(lecteur, plan, f"?du=2020-12-31&au={JUIN}")
    assert "Rien n'est connu des actions avant le 31/12/2023" in texte
    assert "entrée au plan" not in texte


def test_un_plan_sans_action_le_dit(lecteur, le):
    assert "Aucun statut n'est connu dans ce plan" in page(lecteur, fabriques.plan())


@pytest.mark.parametrize(
    ("requete", "champ", "raison"),
    [
        ("?du=hier", "du", "« hier » n'est pas une date."),
        ("?du=2025-02-30", "du", "février 2025 n'a que 28 jours"),
        ("?au=2199-01-01", "au", "Cette date est à venir : rien n'en est encore connu."),
        ("?du=2025-06-10&au=2025-06-10", "du", "Choisissez un jour avant le 10/06/2025, où la période finit."),
        ("?du=2025-06-10&au=2025-03-10", "du", "Choisissez un jour avant le 10/03/2025, où la période finit."),
    ],
)
def test_une_date_qui_ne_va_pas_se_dit_a_cote_du_champ_et_reste(lecteur, plan, le, requete, champ, raison):
    texte = page(lecteur, plan, requete, attendu=400)
    assert "rien n'est comparé. Corrigez le champ signalé." in texte
    assert raison in texte.partition(f'id="id_{champ}_error"')[2].partition("</p>")[0]
    assert f'value="{requete.partition("=")[2].partition("&")[0]}"' in texte


def test_un_plan_inconnu_ne_se_trouve_pas(lecteur):
    assert lecteur.get("/bilans/nulle-part/changements/").status_code == 404


def test_le_tableau_de_bord_y_mene_a_la_date_montree(lecteur, plan, le):
    assert f'href="/bilans/{plan.slug}/changements/"' in lecteur.get("/").content.decode()
    passe = lecteur.get("/?au=2025-06-10").content.decode()
    assert f'href="/bilans/{plan.slug}/changements/?au=2025-06-10"' in passe
