"""Où en est un plan à une date : ce qu'on y compte, et ce qui a bougé."""

import datetime

import pytest
from django.conf import settings
from django.utils import timezone

from actions.models import Action, Axe, ChangementDeStatut, Plan, PresenceAuPlan, ReportEcheance
from actions.requetes import Decompte, il_y_a_des_mois
from actions.situation import Situation, nouveautes, premieres_par_statut, repartition, situation
from actions.statuts import Mouvement, Statut
from comptes.droits import Role
from socle.echeances import Echeance
from tests import fabriques

JOUR = datetime.timedelta(days=1)
LE = datetime.date(2025, 10, 15)
DEPUIS = datetime.date(2024, 12, 31)
# La dernière date dont une nouvelle ne compte plus, le LE.
LIMITE = il_y_a_des_mois(LE, settings.MOIS_SANS_NOUVELLE)


@pytest.fixture
def plan(db) -> Plan:
    return fabriques.plan()


def changer(action: Action, statut: str, le: datetime.date, **options) -> ChangementDeStatut:
    action.refresh_from_db()
    return action.changer_statut(statut, auteur=None, version=action.version, date_effet=le, **options)


def retirer(action: Action, le: datetime.date) -> PresenceAuPlan:
    action.refresh_from_db()
    return action.retirer(auteur=None, version=action.version, motif="Fusionnée", date_effet=le)


def reporter(action: Action, echeance: str, le: datetime.date, motif: str = "") -> ReportEcheance:
    action.refresh_from_db()
    return action.reporter_echeance(
        Echeance.lire(echeance), auteur=None, version=action.version, motif=motif, date_effet=le
    )


def lire(plan: Plan, le: datetime.date = LE, depuis: datetime.date = DEPUIS) -> Situation:
    return situation(plan.actions.etat_au(le), le, depuis)


# --- Ce qu'on compte ------------------------------------------------------------------------------


def test_un_arbitrage_est_aussi_un_point_d_attention(plan):
    for nature in ("ARBITRAGE", "NON_DEMARRAGE", "AUTRE"):
        fabriques.action(plan, attention_nature=nature, attention="À trancher")
    fabriques.action(plan)
    lue = lire(plan)
    assert (lue.arbitrages, lue.points_d_attention, lue.autres_points) == (1, 3, 2)


def test_une_action_est_en_retard_le_lendemain_de_son_echeance(plan):
    fabriques.action(plan, echeance=Echeance.lire("15/10/2025"))
    assert (lire(plan).en_retard, lire(plan, LE + JOUR).en_retard) == (0, 1)


def test_une_terminee_n_est_pas_en_retard(plan):
    fabriques.action(plan, statut="TERMINEE", echeance=Echeance.lire("2024"))
    assert lire(plan).en_retard == 0


def test_sans_echeance_le_retard_n_est_pas_calculable_meme_terminee(plan):
    fabriques.action(plan)
    fabriques.action(plan, statut="TERMINEE")
    fabriques.action(plan, echeance=Echeance.lire("2026"))
    assert (lire(plan).sans_echeance, lire(plan).en_retard) == (2, 0)


def test_une_action_retiree_ne_se_compte_nulle_part(plan):
    action = fabriques.action(
        plan, attention_nature="ARBITRAGE", attention="À trancher", echeance=Echeance.lire("2024")
    )
    autre = fabriques.action(plan)
    changer(autre, "EN_COURS", LE)
    for sortie in (action, autre):
        retirer(sortie, LE)
    lue = lire(plan)
    assert lue.decompte.total == lue.points_d_attention == lue.arbitrages == 0
    assert lue.en_retard == lue.sans_echeance == lue.sans_nouvelle == lue.changees == 0
    assert lire(plan, LE - JOUR).decompte.total == 2


def test_la_situation_se_lit_en_une_requete(plan, django_assert_num_queries):
    fabriques.action(plan, echeance=Echeance.lire("2024"))
    with django_assert_num_queries(1):
        lire(plan)


def test_la_situation_d_un_autre_plan_n_y_compte_pas(plan):
    fabriques.action(attention_nature="AUTRE", attention="Ailleurs")
    assert lire(plan).decompte.total == lire(plan).points_d_attention == 0


# --- Sans nouvelle --------------------------------------------------------------------------------


@pytest.mark.parametrize(("ecart", "silencieuses"), [(-1, 1), (0, 1), (1, 0)], ids=["veille", "jour", "lendemain"])
def test_une_nouvelle_compte_pendant_les_mois_du_reglage(plan, ecart, silencieuses):
    changer(fabriques.action(plan), "EN_COURS", LIMITE + ecart * JOUR)
    assert lire(plan).sans_nouvelle == silencieuses


@pytest.mark.parametrize(("ecart", "silencieuses"), [(-1, 1), (0, 1), (1, 0)], ids=["veille", "jour", "lendemain"])
def test_une_note_est_une_nouvelle(plan, ecart, silencieuses):
    fabriques.action(plan).noter("Réunion tenue.", auteur=None, le=LIMITE + ecart * JOUR)
    assert lire(plan).sans_nouvelle == silencieuses


def test_un_report_d_echeance_est_une_nouvelle(plan):
    reporter(fabriques.action(plan), "2026", LE)
    assert lire(plan).sans_nouvelle == 0


def test_une_entree_au_plan_est_une_nouvelle(plan):
    fabriques.action(plan, date_effet=LE)
    assert lire(plan).sans_nouvelle == 0


def test_ce_qui_se_dira_plus_tard_n_est_pas_encore_une_nouvelle(plan):
    action = fabriques.action(plan)
    action.noter("Réunion tenue.", auteur=None, le=LE + JOUR)
    changer(action, "EN_COURS", LE + JOUR)
    assert (lire(plan).sans_nouvelle, lire(plan, LE + JOUR).sans_nouvelle) == (1, 0)


def test_une_terminee_n_est_jamais_sans_nouvelle(plan):
    fabriques.action(plan, statut="TERMINEE")
    assert lire(plan).sans_nouvelle == 0


def test_une_action_au_statut_inconnu_peut_etre_sans_nouvelle(plan):
    action = Action.objects.create(plan=plan, numero=1, intitule="x")
    PresenceAuPlan.ecrire(action, date_effet=DEPUIS, mouvement=Mouvement.ENTREE)
    assert lire(plan).sans_nouvelle == 1


def test_une_ligne_corrigee_n_est_pas_une_nouvelle(plan):
    mal_datee = changer(fabriques.action(plan), "EN_COURS", LE)
    mal_datee.corriger(date_effet=LIMITE - JOUR)
    assert lire(plan).sans_nouvelle == 1


def test_la_situation_dit_le_nombre_de_mois_du_reglage(plan, settings):
    settings.MOIS_SANS_NOUVELLE = 1
    changer(fabriques.action(plan), "EN_COURS", datetime.date(2025, 9, 15))
    assert (lire(plan).mois_sans_nouvelle, lire(plan).sans_nouvelle) == (1, 1)


@pytest.mark.parametrize(
    ("le", "mois", "attendue"),
    [
        ("2025-08-31", 6, "2025-02-28"),
        ("2024-08-31", 6, "2024-02-29"),
        ("2024-02-29", 12, "2023-02-28"),
        ("2024-02-29", 48, "2020-02-29"),
        ("2025-03-31", 1, "2025-02-28"),
        ("2025-12-31", 3, "2025-09-30"),
        ("2025-06-30", 6, "2024-12-30"),
        ("2025-12-15", 12, "2024-12-15"),
        ("2025-01-31", 1, "2024-12-31"),
    ],
)
def test_le_meme_jour_des_mois_plus_tot_ou_le_dernier_du_mois(le, mois, attendue):
    assert il_y_a_des_mois(datetime.date.fromisoformat(le), mois) == datetime.date.fromisoformat(attendue)


# --- Ce qui a changé de statut --------------------------------------------------------------------


def test_les_passees_sont_celles_dont_le_statut_n_etait_pas_celui_la(plan):
    changer(fabriques.action(plan), "TERMINEE", LE)
    changer(fabriques.action(plan), "EN_COURS", DEPUIS + JOUR)
    changer(fabriques.action(plan), "EN_COURS", DEPUIS)
    fabriques.action(plan, statut="TERMINEE")
    lue = lire(plan)
    assert lue.passees == {Statut.TERMINEE: 1, Statut.EN_COURS: 1, Statut.NON_INITIEE: 0}
    assert (lue.changees, lue.depuis) == (2, DEPUIS)


def test_un_aller_et_retour_n_est_pas_un_changement(plan):
    action = fabriques.action(plan)
    changer(action, "EN_COURS", LE - JOUR)
    changer(action, "NON_INITIEE", LE)
    assert lire(plan).changees == 0


def test_avancer_sans_changer_de_statut_n_est_pas_un_changement(plan):
    action = fabriques.action(plan, statut="EN_COURS", avancement=10)
    changer(action, "EN_COURS", LE, avancement=60)
    assert lire(plan).changees == 0


def test_une_action_nouvelle_est_passee_par_son_statut(plan):
    fabriques.action(plan, date_effet=LE)
    assert lire(plan).passees[Statut.NON_INITIEE] == 1


# --- Par axe et par service -----------------------------------------------------------------------


@pytest.fixture
def reparti(plan) -> Plan:
    """Deux axes et trois services, créés dans le désordre ; des actions qui n'en ont pas, et une retirée."""
    second = Axe.objects.create(plan=plan, code="A2", intitule="Partager", ordre=2)
    premier = Axe.objects.create(plan=plan, intitule="Acheter mieux", ordre=1)
    voirie, ecoles, achats = (fabriques.service(nom) for nom in ("Voirie", "Écoles", "Achats"))
    for statut, axe, service in (
        ("TERMINEE", second, voirie),
        ("EN_COURS", second, None),
        ("EN_COURS", None, ecoles),
        ("NON_INITIEE", premier, achats),
        ("NON_INITIEE", premier, achats),
        ("TERMINEE", None, None),
    ):
        fabriques.action(plan, statut=statut, axe=axe, service_pilote=service)
    retirer(fabriques.action(plan, axe=premier), LE)
    return plan


def test_les_axes_suivent_l_ordre_du_plan_et_sans_axe_vient_a_la_fin(reparti):
    axes = repartition(reparti.actions.etat_au(LE)).axes
    assert [groupe.libelle for groupe in axes] == ["Acheter mieux", "A2 Partager", "Sans axe"]
    assert axes[-1].cle == "null"
    assert [groupe.cle for groupe in axes[:-1]] == [str(axe.pk) for axe in reparti.axes.order_by("ordre")]


def test_les_services_suivent_l_alphabet_et_sans_service_vient_a_la_fin(reparti):
    services = repartition(reparti.actions.etat_au(LE)).services
    assert [groupe.libelle for groupe in services] == ["Achats", "Écoles", "Voirie", "Sans service pilote"]
    assert [groupe.cle == "null" for groupe in services] == [False, False, False, True]


def test_un_groupe_compte_ses_actions_par_statut(reparti):
    axes = repartition(reparti.actions.etat_au(LE)).axes
    assert [groupe.decompte for groupe in axes] == [
        Decompte(terminees=0, en_cours=0, non_initiees=2, inconnues=0),
        Decompte(terminees=1, en_cours=1, non_initiees=0, inconnues=0),
        Decompte(terminees=1, en_cours=1, non_initiees=0, inconnues=0),
    ]


@pytest.mark.parametrize("le", [LE, LE - JOUR, DEPUIS])
def test_les_groupes_s_ajoutent_au_decompte_du_plan(reparti, le):
    actions = reparti.actions.etat_au(le)
    attendu = actions.decompte().par_statut()
    for groupes in vars(repartition(actions)).values():
        assert {statut: sum(g.decompte.par_statut()[statut] for g in groupes) for statut in Statut} == attendu


def test_la_repartition_se_lit_en_une_requete(reparti, django_assert_num_queries):
    with django_assert_num_queries(1):
        repartition(reparti.actions.etat_au(LE))


def test_un_plan_sans_action_n_a_pas_de_groupe(plan):
    assert repartition(plan.actions.etat_au(LE)).axes == repartition(plan.actions.etat_au(LE)).services == []


# --- Les premières de chaque statut ---------------------------------------------------------------


def test_les_premieres_de_chaque_statut_suivent_l_ordre_du_plan(plan):
    numeros = {9: "EN_COURS", 2: "EN_COURS", 5: "EN_COURS", 7: "TERMINEE"}
    for numero, statut in numeros.items():
        fabriques.action(plan, numero=numero, statut=statut)
    premieres = premieres_par_statut(plan.actions.etat_au(LE), 2)
    assert {statut: [action.numero for action in liste] for statut, liste in premieres.items()} == {
        Statut.TERMINEE: [7],
        Statut.EN_COURS: [2, 5],
        Statut.NON_INITIEE: [],
    }


@pytest.mark.parametrize(("en_vue", "montrees"), [(4, [1, 2, 4]), (1, [1, 2])])
def test_l_action_en_vue_s_ajoute_une_fois_aux_premieres_quel_que_soit_son_rang(plan, en_vue, montrees):
    actions = {numero: fabriques.action(plan, numero=numero, statut="EN_COURS") for numero in (1, 2, 3, 4)}
    premieres = premieres_par_statut(plan.actions.etat_au(LE), 2, avec=actions[en_vue].pk)
    assert [action.numero for action in premieres[Statut.EN_COURS]] == montrees


def test_une_retiree_ne_s_ajoute_pas_aux_premieres(plan):
    retiree = fabriques.action(plan, statut="EN_COURS")
    retirer(retiree, LE)
    assert not any(premieres_par_statut(plan.actions.etat_au(LE), 2, avec=retiree.pk).values())


def test_les_premieres_laissent_de_cote_les_retirees_et_les_statuts_inconnus(plan):
    retirer(fabriques.action(plan, statut="EN_COURS"), LE)
    sans_statut = Action.objects.create(plan=plan, numero=50, intitule="x")
    PresenceAuPlan.ecrire(sans_statut, date_effet=DEPUIS, mouvement=Mouvement.ENTREE)
    assert not any(premieres_par_statut(plan.actions.etat_au(LE), 5).values())


# --- Ce qui a changé, ligne par ligne -------------------------------------------------------------


def phrases(plan: Plan, combien: int = 10, depuis: datetime.date = DEPUIS, le: datetime.date = LE) -> list[str]:
    return [nouveaute.phrase for nouveaute in nouveautes(plan, depuis, le, combien)]


@pytest.fixture
def action(plan) -> Action:
    """Non initiée depuis le 31/12/2023."""
    return fabriques.action(plan, intitule="Former les acheteurs")


def test_une_nouveaute_dit_l_action_la_date_et_ce_qui_a_change(plan, action):
    changer(action, "EN_COURS", LE)
    (lue,) = nouveautes(plan, DEPUIS, LE, 3)
    assert (lue.action_id, lue.numero, lue.intitule) == (action.pk, action.numero, "Former les acheteurs")
    assert (lue.date_effet, lue.phrase) == (LE, "«\u00a0En cours\u00a0»")


def test_les_nouveautes_vont_de_la_plus_recente_a_la_plus_ancienne(plan, action):
    changer(action, "EN_COURS", LE - 3 * JOUR)
    reporter(action, "2026", LE - 3 * JOUR, motif="Premier terme")
    reporter(action, "2027", LE - 2 * JOUR, motif="Attente du marché")
    retirer(action, LE - JOUR)
    action.refresh_from_db()
    action.remettre(auteur=None, version=action.version, date_effet=LE)
    toutes = ["remise au plan", "retirée du plan", "échéance reportée", "échéance reportée", "«\u00a0En cours\u00a0»"]
    assert phrases(plan) == toutes
    assert phrases(plan, combien=2) == toutes[:2]


def test_le_meme_jour_la_derniere_saisie_vient_d_abord_quel_que_soit_son_journal(plan, action):
    for _ in range(3):  # le journal des statuts a plus de lignes que les autres
        changer(fabriques.action(plan), "EN_COURS", DEPUIS)
    changer(action, "EN_COURS", LE)
    retirer(action, LE)
    assert phrases(plan) == ["retirée du plan", "«\u00a0En cours\u00a0»"]


def test_l_entree_au_plan_n_est_pas_annoncee_son_statut_l_est(plan):
    fabriques.action(plan, date_effet=LE)
    assert phrases(plan) == ["«\u00a0Non initiée\u00a0»"]


def test_une_premiere_echeance_sans_motif_n_est_pas_un_report(plan, action):
    reporter(action, "2026", LE)
    assert phrases(plan) == []


def test_une_ligne_corrigee_n_est_plus_annoncee_celle_qui_la_corrige_l_est(plan, action):
    changer(action, "TERMINEE", LE).corriger(statut="EN_COURS")
    assert phrases(plan) == ["«\u00a0En cours\u00a0»"]


def test_un_changement_annule_aussitot_n_a_rien_change(plan, action):
    auteur = fabriques.utilisateur(Role.RESPONSABLE)
    ligne = action.changer_statut("TERMINEE", auteur=auteur, version=action.version)
    action.annuler_le_changement(ligne.pk, auteur=auteur)
    assert phrases(plan, le=timezone.localdate()) == []


def test_les_nouveautes_vont_du_lendemain_de_la_comparaison_au_jour_montre(plan):
    for jour in (LE + JOUR, LE, DEPUIS + JOUR, DEPUIS):  # saisies à rebours
        changer(fabriques.action(plan), "EN_COURS", jour)
    assert [nouveaute.date_effet for nouveaute in nouveautes(plan, DEPUIS, LE, 10)] == [LE, DEPUIS + JOUR]


def test_les_nouveautes_d_un_autre_plan_sont_ailleurs(plan):
    changer(fabriques.action(), "EN_COURS", LE)
    assert phrases(plan) == []


def test_les_nouveautes_se_lisent_en_une_requete(plan, action, django_assert_num_queries):
    changer(action, "EN_COURS", LE)
    with django_assert_num_queries(1):
        nouveautes(plan, DEPUIS, LE, 3)
