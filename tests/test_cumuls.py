"""Le chiffre de l'année en cours à une date : il se montre, il ne s'enregistre pas comme celui d'une année."""

import datetime
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from indicateurs import cumuls
from indicateurs.listes import OrigineDeValeur
from indicateurs.models import Indicateur, ValeurAnnuelle
from tests import fabriques

CONSULTATIONS = Indicateur(code="consultations", unite="consultations")


@pytest.fixture
def registre(monkeypatch):
    """Un registre qui compte une consultation par semaine écoulée, et note ce qu'on lui demande."""
    demandes = []

    def compter(indicateur, du, au):
        demandes.append((du, au))
        return Decimal((au - du).days // 7) if du.year >= 2025 else None

    monkeypatch.setitem(cumuls.CALCULS, "consultations", compter)
    return demandes


def test_un_cumul_se_lit_face_a_la_meme_date_de_l_an_passe(registre):
    cumul = cumuls.cumul_de(CONSULTATIONS, datetime.date(2026, 6, 30))
    assert str(cumul) == "au 30/06 : 25, N-1 même date : 25"
    assert registre == [
        (datetime.date(2026, 1, 1), datetime.date(2026, 6, 30)),
        (datetime.date(2025, 1, 1), datetime.date(2025, 6, 30)),
    ]


def test_l_annee_d_avant_inconnue_se_dit_par_un_tiret(registre):
    assert str(cumuls.cumul_de(CONSULTATIONS, datetime.date(2025, 6, 30))).endswith("N-1 même date : —")


def test_le_29_fevrier_se_compare_au_28(registre):
    cumuls.cumul_de(CONSULTATIONS, datetime.date(2028, 2, 29))
    assert registre[-1][1] == datetime.date(2027, 2, 28)


def test_sans_registre_il_n_y_a_pas_de_cumul():
    assert cumuls.cumul_de(CONSULTATIONS, datetime.date(2026, 6, 30)) is None


@pytest.mark.django_db
def test_un_cumul_n_ecrit_aucune_valeur(registre):
    indicateur = fabriques.indicateur(code="consultations")
    assert cumuls.cumul_de(indicateur, timezone.localdate()) is not None
    assert not ValeurAnnuelle.objects.exists()


@pytest.mark.django_db
def test_un_calcul_sur_une_annee_qui_court_n_en_devient_pas_la_valeur():
    cette_annee = timezone.localdate().year
    with pytest.raises(ValidationError) as refus:
        fabriques.valeur(fabriques.indicateur(), cette_annee, valeur=81, origine=OrigineDeValeur.CALCUL)
    assert f"L'année {cette_annee} n'est pas finie" in refus.value.message_dict["annee"][0]
    assert fabriques.valeur(fabriques.indicateur(), cette_annee - 1, valeur=81, origine=OrigineDeValeur.CALCUL).pk
