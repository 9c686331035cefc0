"""Les décomptes d'un plan : en phrase, et à plusieurs dates d'un coup."""

import datetime

import pytest
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from actions.models import Action, ChangementDeStatut, Plan, PresenceAuPlan, SaisieTardive
from actions.requetes import Decompte
from actions.situation import decomptes_aux
from actions.statuts import Statut, avancement_impose
from tests import fabriques

# --- En phrase ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nombres", "phrase"),
    [
        ((4, 5, 3, 0), "4 actions sur 12 terminées, 5 en cours, 3 non initiées"),
        ((1, 0, 1, 0), "1 action sur 2 terminée, 0 en cours, 1 non initiée"),
        ((0, 1, 0, 0), "0 action sur 1 terminée, 1 en cours, 0 non initiée"),
        ((2, 0, 2, 1), "2 actions sur 5 terminées, 0 en cours, 2 non initiées, 1 de statut inconnu"),
        ((0, 0, 0, 0), "Aucune action"),
    ],
)
def test_un_decompte_se_dit_en_une_phrase(nombres, phrase):
    assert Decompte(*nombres).phrase == phrase


def test_chaque_morceau_de_la_phrase_porte_le_filtre_de_sa_liste():
    filtres = {texte: filtre for texte, filtre in Decompte(1, 2, 3, 4).morceaux() if filtre is not None}
    assert filtres == {
        "1 action": "TERMINEE",
        "10": "",
        "2 en cours": "EN_COURS",
        "3 non initiées": "NON_INITIEE",
        "4 de statut inconnu": "null",
    }
    assert Decompte(0, 0, 0, 0).morceaux() == []


def test_un_decompte_se_lit_dans_l_ordre_de_la_page_publiee():
    assert list(Decompte(1, 2, 3, 4).par_statut().items()) == [
        (Statut.TERMINEE, 1),
        (Statut.EN_COURS, 2),
        (Statut.NON_INITIEE, 3),
    ]


def test_des_nombres_par_statut_font_un_decompte():
    decompte = Decompte.de({"EN_COURS": 2, None: 1})
    assert (decompte, decompte.total) == (Decompte(terminees=0, en_cours=2, non_initiees=0, inconnues=1), 3)


# --- À plusieurs dates ----------------------------------------------------------------------------

PREMIER_JOUR = datetime.date(2024, 3, 1)
NB_JOURS, NB_ACTIONS = 5, 3
DATES = [PREMIER_JOUR + datetime.timedelta(days=n) for n in range(-1, NB_JOURS + 1)]

# Une opération : (action, jour, statut ou mouvement, rang de la ligne à corriger ou None).
operations = st.tuples(
    st.integers(0, NB_ACTIONS - 1),
    st.integers(0, NB_JOURS - 1),
    st.sampled_from([*Statut.values, "ENTREE", "RETRAIT", "RETOUR"]),
    st.none() | st.integers(0, 20),
)


class HistoiresQuelconques(TestCase):
    """Une classe, pour que chaque exemple d'hypothesis ait sa transaction, annulée ensuite."""

    @given(histoire=st.lists(operations, max_size=6))
    @example(histoire=[(0, 1, "ENTREE", None), (0, 3, "EN_COURS", None), (1, 2, "ENTREE", None)])
    @example(histoire=[(0, 1, "ENTREE", None), (0, 2, "EN_COURS", None), (0, 2, "TERMINEE", None)])
    @example(
        histoire=[(0, 1, "ENTREE", None), (0, 1, "EN_COURS", None), (0, 4, "TERMINEE", 1), (0, 3, "RETRAIT", None)]
    )
    def test_les_decomptes_a_plusieurs_dates_sont_ceux_de_chacune(self, histoire):
        plan = fabriques.plan()
        actions = [Action.objects.create(plan=plan, numero=n + 1, intitule="x") for n in range(NB_ACTIONS)]
        lignes: list[ChangementDeStatut | PresenceAuPlan] = []
        for rang, jour, valeur, a_corriger in histoire:
            lignes.append(self._ecrire(lignes, actions[rang], DATES[jour + 1], valeur, a_corriger))
        dates = [*DATES, timezone.localdate()]
        with self.assertNumQueries(1):
            lus = decomptes_aux(plan, dates)
        assert lus == {le: plan.actions.etat_au(le).decompte() for le in dates}

    def _ecrire(self, lignes, action, le, valeur, a_corriger):
        statut = valeur in Statut.values
        journal = ChangementDeStatut if statut else PresenceAuPlan
        champs = {"statut": valeur, "avancement": avancement_impose(valeur)}
        champs = {"date_effet": le} | (champs if statut else {"mouvement": valeur, "motif": "x"})
        annulees = {ligne.annule_id for ligne in lignes if isinstance(ligne, journal)}
        corrigibles = [ligne for ligne in lignes if isinstance(ligne, journal) and ligne.pk not in annulees]
        if a_corriger is not None and corrigibles:
            ecrire = corrigibles[a_corriger % len(corrigibles)].corriger
        else:

            def ecrire(**valeurs):
                return journal.ecrire(action, **valeurs)

        try:
            return ecrire(**champs)
        except SaisieTardive as refus:
            return ecrire(**champs, insere_avant=refus.suivante.pk)


def test_aucune_date_ne_demande_rien_a_la_base(db, django_assert_num_queries):
    plan = fabriques.plan()
    with django_assert_num_queries(0):
        assert decomptes_aux(plan, []) == {}


def test_les_decomptes_d_un_plan_vide_sont_a_zero(db):
    assert decomptes_aux(fabriques.plan(), DATES[:2]) == dict.fromkeys(DATES[:2], Decompte(0, 0, 0, 0))


def test_les_actions_d_un_autre_plan_n_y_comptent_pas(db):
    fabriques.action()
    assert decomptes_aux(fabriques.plan(), DATES[:1])[DATES[0]].total == 0
    assert Plan.objects.count() == 2


def test_un_demi_siecle_d_annees_se_lit_en_une_requete(db, django_assert_num_queries):
    plan = fabriques.action(date_effet=datetime.date(1970, 1, 1)).plan
    fins = [datetime.date(annee, 12, 31) for annee in range(1970, 2025)]
    with django_assert_num_queries(1):
        decomptes = decomptes_aux(plan, fins)
    assert {decompte.non_initiees for decompte in decomptes.values()} == {1}
