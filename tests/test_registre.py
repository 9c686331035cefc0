"""Ce que les lots disent de leur consultation : la fonction, la base et le calcul répondent la même chose."""

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from marches import registre
from marches.calculs import registre as calcul
from marches.calculs.chargement import charger
from marches.consultations import Consultation, LotDeConsultation
from marches.listes import Suite
from marches.reponses import Reponse
from tests.fabriques_marches import consultation

MARS, AVRIL = datetime.date(2024, 3, 1), datetime.date(2024, 4, 1)
NOTIFIE = {"suite": Suite.NOTIFIE, "date_de_suite": MARS}
SANS_SUITE = {"suite": Suite.SANS_SUITE, "date_de_suite": AVRIL}
ABANDONNE = {"suite": Suite.ABANDONNE, "date_de_suite": datetime.date(2025, 1, 1)}


def finalisation(*lots: dict) -> registre.Finalisation:
    return registre.finalisation([LotDeConsultation(**lot) for lot in lots])


@pytest.mark.parametrize(
    ("lots", "le", "phrase"),
    [
        ([NOTIFIE], MARS, "Finalisée le 01/03/2024."),
        ([NOTIFIE, SANS_SUITE], AVRIL, "Finalisée le 01/04/2024."),
        ([NOTIFIE, ABANDONNE], MARS, "Finalisée le 01/03/2024."),
        ([ABANDONNE], None, "Abandonnée avant publication."),
        ([], None, "Elle n'a pas encore de lot."),
        ([NOTIFIE, {"suite": Suite.ATTRIBUE}], None, "ni notifié ni déclaré sans suite"),
        ([{}, {}], None, "2 lots ne sont ni notifiés ni déclarés sans suite"),
        ([NOTIFIE, {"suite": Suite.NOTIFIE}], None, "la date de la suite manque à 1 lot"),
    ],
)
def test_une_consultation_est_finalisee_quand_chaque_lot_publie_a_sa_suite(lots, le, phrase):
    dite = finalisation(*lots)
    assert dite.le == le
    assert phrase in dite.raison.replace("\u00a0", " ")


def test_oui_si_au_moins_un_lot_non_si_tous_disent_non_sinon_non_renseigne():
    oui = LotDeConsultation(clause_environnementale=Reponse.OUI)
    non = LotDeConsultation(clause_environnementale=Reponse.NON, critere_environnemental=Reponse.NON)
    muet = LotDeConsultation(clause_environnementale=Reponse.NON)
    assert registre.environnement([oui, non, muet]) == Reponse.OUI
    assert registre.environnement([non, non]) == Reponse.NON
    assert registre.environnement([non, muet]) == Reponse.INCONNU
    assert registre.social([oui]) == Reponse.INCONNU
    assert registre.environnement([]) == Reponse.INCONNU


def test_un_lot_abandonne_ne_dit_rien_de_la_consultation():
    abandonne = LotDeConsultation(suite=Suite.ABANDONNE, clause_sociale=Reponse.OUI)
    assert registre.social([abandonne]) == Reponse.INCONNU


reponses = st.sampled_from(Reponse)
lots = st.lists(
    st.fixed_dictionaries(
        {
            "suite": st.sampled_from(["", *Suite.values]),
            "date_de_suite": st.none() | st.dates(datetime.date(2022, 12, 30), datetime.date(2024, 1, 2)),
            "clause_environnementale": reponses,
            "critere_environnemental": reponses,
            "clause_sociale": reponses,
            "critere_social": reponses,
        }
    ),
    max_size=4,
)


class TestMemesReponses(TestCase):
    @settings(max_examples=60, deadline=None)
    @given(st.lists(lots, min_size=1, max_size=4))
    def test_la_base_la_fonction_et_le_calcul_disent_la_meme_chose(self, tires):
        for tire in tires:
            de = consultation(lots=[])
            LotDeConsultation.objects.bulk_create(
                LotDeConsultation(consultation=de, numero=str(n), **lot) for n, lot in enumerate(tire)
            )
        lues = {ligne.id: ligne for ligne in charger("").consultations}
        for lue in Consultation.objects.avec_ses_lots().avec_finalisation().avec_considerations():
            siens = list(lue.lots.all())
            assert lue.finalisee_le == registre.finalisation(siens).le == calcul.finalisee_le(lues[lue.pk])
            assert lue.finalisee == calcul.est_finalisee(lues[lue.pk])
            assert lue.environnement == registre.environnement(siens)
            assert lue.social == registre.social(siens)
        attendues = {pk for pk, ligne in lues.items() if (le := calcul.finalisee_le(ligne)) and le.year == 2023}
        assert set(Consultation.objects.finalisees_en(2023).values_list("pk", flat=True)) == attendues
