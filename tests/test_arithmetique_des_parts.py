"""L'arithmétique des indicateurs, sur des nombres tirés au hasard."""

from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest
from django.core.exceptions import ValidationError
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from indicateurs.comparaisons import STABLE, Comparaison, ecrire_l_ecart
from indicateurs.listes import Nature
from indicateurs.models import Dimension, Indicateur, ValeurAnnuelle
from indicateurs.ventilations import LigneDeVentilation, ecrire_la_ventilation, lire_la_ventilation
from socle.champs import ChampNombre, ChampPourcentage
from socle.formats import arrondir, formater_nombre, formater_pourcentage, lire_nombre, lire_pourcentage
from tests import fabriques

nombres = st.decimals(0, 999_999_999_999, places=6, allow_nan=False, allow_infinity=False)
taux = st.decimals(0, 100, places=6, allow_nan=False, allow_infinity=False)
# Une modalité : des lettres d'ici, et les signes qu'un agent y met.
modalites = st.text(st.sampled_from("abcdéèçœÉ -'’()/0123456789"), min_size=1, max_size=40).map(str.strip).filter(bool)
PART = Indicateur(nature=Nature.PART, unite="%")


def retenue(valeur: ValeurAnnuelle) -> Decimal | None:
    return ValeurAnnuelle.objects.avec_valeur().get(pk=valeur.pk).valeur_retenue


class PartsEtVentilations(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.part = fabriques.indicateur(nature=Nature.PART, unite="%")
        cls.montant = fabriques.indicateur(nature=Nature.MONTANT, unite="€")
        cls.dimension = Dimension.objects.create(indicateur=cls.montant, nom="par nature")

    @given(st.tuples(nombres, nombres.filter(bool)))
    @example((Decimal(0), Decimal(1)))
    @example((Decimal("999999999999.999999"), Decimal("0.000001")))
    def test_une_part_acceptee_est_entre_0_et_100_et_une_autre_est_refusee(self, parts):
        numerateur, denominateur = parts
        if numerateur > denominateur:
            with pytest.raises(ValidationError, match="dépasse le dénominateur"):
                fabriques.valeur(self.part, 2023, numerateur=numerateur, denominateur=denominateur)
            return
        ecrite = fabriques.valeur(self.part, 2023, numerateur=numerateur, denominateur=denominateur)
        assert 0 <= retenue(ecrite) <= 100

    @given(st.dictionaries(modalites, nombres.filter(lambda n: n < 10**9), min_size=1, max_size=8))
    def test_une_ventilation_qui_fait_le_total_se_relit_telle_quelle(self, tiree):
        total = sum(tiree.values(), Decimal(0))
        valeur = fabriques.valeur(self.montant, 2023, valeur=total)
        valeur.enregistrer(ventilation={self.dimension: tiree})
        assert dict(valeur.ventilation.values_list("modalite", "nombre")) == tiree
        assert lire_la_ventilation(ecrire_la_ventilation(valeur, self.dimension)) == tiree

    @given(
        st.dictionaries(modalites, nombres.filter(lambda n: n < 10**9), min_size=1, max_size=8),
        st.decimals("0.000001", 1000, places=6),
    )
    def test_une_ventilation_qui_s_ecarte_du_total_est_refusee_en_entier(self, tiree, ecart):
        valeur = fabriques.valeur(self.montant, 2023, valeur=sum(tiree.values(), ecart))
        with pytest.raises(ValidationError, match="totalise"):
            valeur.enregistrer(ventilation={self.dimension: tiree})
        assert not LigneDeVentilation.objects.filter(valeur=valeur).exists()


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**5), st.sampled_from([0, 1]))
@example(1, 8, 1)  # 0,125 → 0,1
@example(5, 2, 0)  # 2,5 → 3
@example(-5, 2, 0)  # −2,5 → −3
@example(1, 20, 1)  # 0,05 → 0,1
def test_la_moitie_s_arrondit_en_s_eloignant_de_zero(numerateur, denominateur, decimales):
    """Comparé à la fraction exacte d'un décimal qui finit : pas de virgule flottante."""
    denominateur = 2 ** (denominateur % 6) * 5 ** (denominateur % 4)
    exacte = Fraction(numerateur, denominateur)
    signe = -1 if exacte < 0 else 1
    attendu = signe * Fraction(floor(abs(exacte) * 10**decimales + Fraction(1, 2)), 10**decimales)
    assert Fraction(arrondir(Decimal(numerateur) / Decimal(denominateur), decimales)) == attendu


@given(nombres)
@example(Decimal("1234.50"))
def test_un_nombre_ecrit_se_relit_partout(nombre):
    assert lire_nombre(formater_nombre(nombre)) == nombre
    assert ChampNombre().clean(ChampNombre().prepare_value(nombre)) == nombre


@given(taux)
def test_un_taux_ecrit_se_relit_avec_et_sans_son_signe(part):
    assert lire_pourcentage(formater_pourcentage(part)) == part
    assert ChampPourcentage().clean(formater_pourcentage(part)) == part
    assert ChampPourcentage().clean(ChampPourcentage().prepare_value(part)) == part


def annotee(annee: int, retenue_: Decimal) -> ValeurAnnuelle:
    lue = ValeurAnnuelle(annee=annee)
    lue.valeur_retenue = retenue_
    return lue


@given(taux, taux)
@example(Decimal(25), Decimal(6000) / Decimal(171))
@example(Decimal("25.04"), Decimal("25.06"))
def test_un_ecart_se_calcule_avant_d_arrondir(avant, apres):
    comparaison = Comparaison(PART, annotee(2024, apres), annotee(2023, avant))
    assert comparaison.ecart == apres - avant
    ecrit = comparaison.ecart_ecrit
    arrondi = arrondir(apres - avant, 1)
    assert ecrit == STABLE if not arrondi else ecrit[0] == ("+" if arrondi > 0 else "−")


def test_l_ecart_entre_25_et_60_sur_171_est_de_dix_points_un():
    ecart = Decimal(6000) / Decimal(171) - 25
    assert ecrire_l_ecart(PART, ecart).replace("\u00a0", " ") == "+ 10,1 points"
