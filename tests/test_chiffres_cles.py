"""Ce qui situe un chiffre clé : l'année d'avant, l'écart, l'objectif ; et ce qui manque à un plan."""

import datetime

import pytest

from actions.models import Plan
from indicateurs.listes import Nature, OrigineDeCible, Sens
from indicateurs.models import Indicateur
from indicateurs.requetes import ChiffreCle, chiffres_du_plan
from tests import fabriques

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan() -> Plan:
    return fabriques.plan(intitule="Plan d'essai")


@pytest.fixture
def part(plan) -> Indicateur:
    return fabriques.indicateur(
        plan, code="part", intitule="Part avec clause", nature=Nature.PART, unite="%", sens=Sens.HAUSSE
    )


def le_chiffre(plan: Plan, annee: int | None = None, reference: int = 2025, **demande) -> ChiffreCle:
    """Le seul chiffre clé du plan."""
    (chiffre,) = chiffres_du_plan(plan, annee=annee, reference=reference, **demande).chiffres
    return chiffre


# --- L'année montrée ----------------------------------------------------------------------------


def test_sans_annee_le_chiffre_est_celui_de_la_derniere_annee_connue(plan, part):
    fabriques.valeur(part, 2023, valeur=50)
    fabriques.valeur(part, 2024, valeur=53)
    chiffre = le_chiffre(plan)
    assert (chiffre.annee, chiffre.nombre) == (2024, "53\u00a0%")


def test_une_annee_indisponible_laisse_voir_le_dernier_chiffre_connu(plan, part):
    fabriques.valeur(part, 2023, valeur=50)
    fabriques.valeur(part, 2024, indisponible=True, motif_indisponibilite="Logiciel en panne")
    assert (le_chiffre(plan).annee, le_chiffre(plan).nombre) == (2023, "50\u00a0%")


def test_une_annee_indisponible_demandee_dit_son_motif(plan, part):
    fabriques.valeur(part, 2024, indisponible=True, motif_indisponibilite="Logiciel en panne")
    for chiffre in (le_chiffre(plan, 2024), le_chiffre(plan)):
        assert (chiffre.nombre, chiffre.explication) == ("—", "Indisponible : Logiciel en panne")


def test_sans_aucune_valeur_il_n_y_a_ni_annee_ni_annee_d_avant(plan, part):
    chiffre = le_chiffre(plan)
    assert (chiffre.annee, chiffre.nombre, chiffre.annee_precedente, chiffre.ecart_ecrit) == (None, "—", None, "")


def test_a_une_date_le_chiffre_et_son_avant_sont_ceux_qu_on_connaissait(plan, part):
    fabriques.valeur(part, 2023, valeur=50, connue_le="2025-03-01")
    fabriques.valeur(part, 2024, valeur=53, connue_le="2025-02-01")
    fige = le_chiffre(plan, au=datetime.date(2025, 2, 15))
    assert (fige.nombre, fige.nombre_precedent, fige.ecart_ecrit, fige.fige) == ("53\u00a0%", "—", "", True)


# --- N-1 et écart -------------------------------------------------------------------------------


def test_l_ecart_se_calcule_sur_les_valeurs_non_arrondies(plan, part):
    """33,3 → 37,8 : arrondies avant la soustraction, 33 et 38 donneraient 5."""
    fabriques.valeur(part, 2023, numerateur=1, denominateur=3)
    fabriques.valeur(part, 2024, numerateur=17, denominateur=45)
    chiffre = le_chiffre(plan)
    assert (chiffre.nombre, chiffre.nombre_precedent) == ("38\u00a0%", "33\u00a0%")
    assert (chiffre.annee_precedente, chiffre.ecart_ecrit) == (2023, "+\u00a04,4\u00a0points")


@pytest.mark.parametrize(
    ("champs", "avant", "apres", "ecrit"),
    [
        ({"nature": Nature.PART, "unite": "%"}, "48", "51.2", "+\u00a03,2\u00a0points"),
        ({"nature": Nature.PART, "unite": "%"}, "51.2", "50", "−\u00a01,2\u00a0point"),
        ({"nature": Nature.PART, "unite": "%"}, "50", "50.25", "+\u00a00,3\u00a0point"),
        ({"nature": Nature.PART, "unite": "%"}, "50", "50.04", "stable"),
        ({"nature": Nature.COMPTE, "unite": "marchés"}, "151", "166", "+\u00a015"),
        ({"nature": Nature.COMPTE}, "166", "166", "stable"),
        ({"nature": Nature.MONTANT, "unite": "€"}, "20000", "18500", "−\u00a01\u202f500\u00a0€"),
        ({"nature": Nature.MONTANT}, "20000", "21000", "+\u00a01\u202f000\u00a0€"),
    ],
)
def test_l_ecart_s_ecrit_selon_la_nature(plan, champs, avant, apres, ecrit):
    indicateur = fabriques.indicateur(plan, **champs)
    fabriques.valeur(indicateur, 2023, valeur=avant)
    fabriques.valeur(indicateur, 2024, valeur=apres)
    assert le_chiffre(plan).ecart_ecrit == ecrit


def test_une_annee_d_avant_inconnue_est_un_tiret_et_jamais_zero(plan, part):
    fabriques.valeur(part, 2022, valeur=40)
    fabriques.valeur(part, 2024, valeur=53)
    chiffre = le_chiffre(plan)
    assert (chiffre.annee_precedente, chiffre.nombre_precedent, chiffre.ecart_ecrit) == (2023, "—", "")


def test_une_rupture_de_serie_interdit_l_ecart_et_se_dit(plan, part):
    fabriques.valeur(part, 2023, valeur=40)
    fabriques.valeur(part, 2024, valeur=53, rupture="Le seuil a changé")
    chiffre = le_chiffre(plan)
    assert (chiffre.nombre_precedent, chiffre.ecart_ecrit) == ("40\u00a0%", "")
    assert chiffre.rupture == "Le seuil a changé"


# --- Objectif -----------------------------------------------------------------------------------


def objectif(plan: Plan) -> tuple[str, str]:
    return le_chiffre(plan).objectif, le_chiffre(plan).cible_ecrite


def test_l_objectif_est_celui_de_l_annee_montree(plan, part):
    fabriques.valeur(part, 2024, valeur=53)
    for annee, valeur in ((2023, 10), (2024, 30), (2026, 60)):
        fabriques.cible(part, annee, valeur)
    assert objectif(plan) == ("Objectif 2024", "30\u00a0%")


def test_a_defaut_l_objectif_est_celui_de_la_prochaine_annee_active(plan, part):
    fabriques.valeur(part, 2024, valeur=53)
    fabriques.cible(part, 2023, 10)
    fabriques.cible(part, 2025, 40, active=False)
    fabriques.cible(part, 2026, 60)
    fabriques.cible(part, 2030, 80)
    assert objectif(plan) == ("Objectif 2026", "60\u00a0%")


def test_l_objectif_du_plan_passe_devant_l_obligation(plan, part):
    fabriques.valeur(part, 2024, valeur=53)
    fabriques.cible(part, 2024, 100, origine=OrigineDeCible.OBJECTIF_NATIONAL)
    fabriques.cible(part, 2024, 30, origine=OrigineDeCible.OBLIGATION)
    fabriques.cible(part, 2024, 60)
    assert le_chiffre(plan).cible_ecrite == "60\u00a0%"


def test_sans_objectif_un_indicateur_oriente_montre_un_tiret(plan, part):
    assert (le_chiffre(plan).montre_l_objectif, objectif(plan)) == (True, ("Objectif", "—"))


def test_un_indicateur_neutre_ne_parle_d_objectif_que_s_il_en_a_un(plan):
    neutre = fabriques.indicateur(plan, sens=Sens.NEUTRE)
    assert not le_chiffre(plan).montre_l_objectif
    fabriques.cible(neutre, 2026, 200)
    assert le_chiffre(plan).montre_l_objectif


# --- Complétude ---------------------------------------------------------------------------------


def test_la_completude_compte_tous_les_indicateurs_du_plan(plan, part):
    indisponible = fabriques.indicateur(plan, chiffre_cle=False)
    fabriques.indicateur(plan, chiffre_cle=False)
    fabriques.valeur(fabriques.indicateur(fabriques.plan()), 2025, valeur=1)
    fabriques.valeur(part, 2025, valeur=53)
    fabriques.valeur(indisponible, 2025, indisponible=True, motif_indisponibilite="Perdu")
    chiffres = chiffres_du_plan(plan, reference=2025)
    assert [chiffre.indicateur for chiffre in chiffres.chiffres] == [part]
    completude = chiffres.completude
    assert (completude.annee, completude.renseignees, completude.total, completude.manquantes) == (2025, 2, 3, 1)


def test_une_part_sans_denominateur_reste_a_renseigner(plan):
    total = fabriques.indicateur(code="total")
    part = fabriques.indicateur(plan, nature=Nature.PART, unite="%", denominateur=total)
    fabriques.valeur(part, 2025, numerateur=42)
    assert chiffres_du_plan(plan, reference=2025).completude.manquantes == 1
    assert le_chiffre(plan, 2025).explication == "42 / — = —"
    fabriques.valeur(total, 2025, valeur=166)
    assert chiffres_du_plan(plan, reference=2025).completude.manquantes == 0


def test_les_chiffres_d_un_plan_se_lisent_en_trois_requetes(plan, part, django_assert_num_queries):
    for _ in range(4):
        indicateur = fabriques.indicateur(plan)
        fabriques.valeur(indicateur, 2024, valeur=3)
        fabriques.cible(indicateur, 2026, 4)
    with django_assert_num_queries(3):
        chiffres = chiffres_du_plan(plan, reference=2025).chiffres
        assert [(c.nombre, c.nombre_precedent, c.objectif, c.cible_ecrite) for c in chiffres][1:] == [
            ("3", "—", "Objectif 2026", "4")
        ] * 4


def test_la_valeur_de_l_annee_d_avant_porte_son_unite(plan):
    heures = fabriques.indicateur(plan, unite="heures")
    fabriques.valeur(heures, 2023, valeur=19480)
    fabriques.valeur(heures, 2024, valeur=15725)
    assert le_chiffre(plan).nombre_precedent == "19\u202f480\u00a0heures"
