"""Le chiffre de l'année en cours à une date : il se montre, il ne s'enregistre pas comme celui d'une année."""

import datetime
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from indicateurs import cumuls
from indicateurs.listes import OrigineDeValeur
from indicateurs.models import Indicateur, ValeurAnnuelle
from marches.calculs.conservation import recalculer
from tests import fabriques, fabriques_resultats

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


# --- D'après les résultats gardés ---------------------------------------------------------------


@pytest.fixture
def finalisees(db):
    fabriques_resultats.collectivite()
    return fabriques.indicateur(code="finalisees", unite="consultations", calculs=["consultations_finalisees"])


def garder(fin: datetime.date, nombre: int) -> None:
    fabriques_resultats.resultat("consultations_finalisees", fin.year, fin=fin, oui=nombre)


def test_le_cumul_est_celui_du_dernier_recalcul(finalisees):
    for fin, nombre in (("2026-06-12", 70), ("2026-06-30", 81), ("2026-12-31", 99), ("2025-06-30", 77)):
        garder(datetime.date.fromisoformat(fin), nombre)
    cumul = cumuls.cumul_de(finalisees, datetime.date(2026, 7, 14))
    assert str(cumul) == "au 30/06 : 81, N-1 même date : 77"


def test_sans_resultat_de_l_an_passe_a_la_meme_date_un_tiret(finalisees):
    garder(datetime.date(2026, 6, 30), 81)
    garder(datetime.date(2025, 12, 31), 166)
    assert str(cumuls.cumul_de(finalisees, datetime.date(2026, 7, 14))).endswith("N-1 même date : —")


def test_l_an_passe_a_la_meme_date_n_est_pas_le_cumul_de_cette_annee(finalisees):
    garder(datetime.date(2025, 6, 30), 77)
    assert cumuls.cumul_de(finalisees, datetime.date(2026, 7, 14)) is None


def test_un_recalcul_donne_le_cumul_de_ce_jour(finalisees):
    recalculer()
    cumul = cumuls.cumul_de(finalisees, timezone.localdate())
    assert (cumul.au, cumul.valeur, cumul.un_an_plus_tot) == (timezone.localdate(), 0, 0)
