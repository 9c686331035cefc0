"""Où en est un indicateur face à son objectif, et comment on le sait."""

from decimal import Decimal

import pytest

from indicateurs.appreciation import apprecier
from indicateurs.cibles import Cible
from indicateurs.comparaisons import Comparaison
from indicateurs.listes import Appreciation, Nature, OrigineDeCible, Sens
from indicateurs.models import Indicateur, ValeurAnnuelle

HAUSSE = Indicateur(intitule="Part avec clause", nature=Nature.PART, unite="%", sens=Sens.HAUSSE)
BAISSE = Indicateur(intitule="Empreinte", nature=Nature.COMPTE, unite="t", sens=Sens.BAISSE)
NEUTRE = Indicateur(intitule="Part locale", nature=Nature.PART, unite="%", sens=Sens.NEUTRE)


def valeur(annee: int, nombre, **champs) -> ValeurAnnuelle:
    lue = ValeurAnnuelle(annee=annee, **champs)
    lue.valeur_retenue = None if nombre is None else Decimal(nombre)
    return lue


def cible(annee: int, nombre, **champs) -> Cible:
    return Cible(annee=annee, valeur=Decimal(nombre), **champs)


def juger(indicateur, atteint, avant, *cibles, annee=2024, **champs):
    precedente = None if avant is None else valeur(annee - 1, avant)
    actuelle = None if atteint is None else valeur(annee, atteint, **champs)
    jugement = apprecier(Comparaison(indicateur, actuelle, precedente), cibles)
    return jugement.appreciation, jugement.phrase.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("indicateur", "atteint", "avant", "cibles", "attendu", "phrase"),
    [
        pytest.param(HAUSSE, None, 25, [cible(2026, 50)], "NON_RENSEIGNE", "Aucun chiffre", id="rien"),
        pytest.param(NEUTRE, 53, 50, [cible(2026, 60)], "SANS_OBJECTIF", "ni hausse ni baisse", id="neutre"),
        pytest.param(HAUSSE, 35, 25, [], "SANS_OBJECTIF", "Aucun objectif actif", id="aucun"),
        pytest.param(
            HAUSSE, 35, 25, [cible(2026, 50, active=False)], "SANS_OBJECTIF", "Aucun objectif actif", id="échu"
        ),
        pytest.param(
            HAUSSE,
            50,
            25,
            [cible(2026, 50)],
            "ATTEINT",
            "La valeur 2024 atteint l'objectif 2026 (50 %).",
            id="atteint",
        ),
        pytest.param(BAISSE, 20, 30, [cible(2026, 20)], "ATTEINT", "atteint l'objectif", id="atteint en baissant"),
        pytest.param(
            HAUSSE,
            40,
            35,
            [cible(2026, 50)],
            "EN_BONNE_VOIE",
            "Au rythme de 2024 (+ 5 points en un an), l'objectif 2026 (50 %) sera atteint.",
            id="juste au rythme",
        ),
        pytest.param(
            HAUSSE,
            40,
            36,
            [cible(2026, 50)],
            "A_SURVEILLER",
            "Au rythme de 2024 (+ 4 points en un an), l'objectif 2026 (50 %) ne sera pas atteint.",
            id="trop lent",
        ),
        pytest.param(
            BAISSE,
            26,
            29,
            [cible(2026, 20)],
            "EN_BONNE_VOIE",
            "Au rythme de 2024 (− 3 en un an)",
            id="baisse au rythme",
        ),
        pytest.param(
            HAUSSE,
            40,
            45,
            [cible(2024, 50)],
            "A_SURVEILLER",
            "n'atteint pas l'objectif 2024 (50 %) : − 10 points.",
            id="dû",
        ),
        pytest.param(HAUSSE, 40, 45, [cible(2022, 50)], "A_SURVEILLER", "l'objectif 2022", id="dû depuis deux ans"),
        pytest.param(
            HAUSSE, 40, None, [cible(2026, 50)], "A_SURVEILLER", "2023 n'est pas connu", id="sans précédente"
        ),
    ],
)
def test_l_etat_et_sa_phrase_se_deduisent_du_sens_de_l_objectif_et_du_rythme(
    indicateur, atteint, avant, cibles, attendu, phrase
):
    appreciation, dite = juger(indicateur, atteint, avant, *cibles)
    assert appreciation == Appreciation(attendu)
    assert phrase in dite


def test_une_rupture_de_serie_empeche_de_connaitre_le_rythme():
    assert "(série rompue)" in juger(HAUSSE, 40, 10, cible(2026, 50), rupture="Le seuil a changé")[1]


def test_le_prochain_objectif_passe_devant_celui_d_apres_et_celui_du_plan_devant_les_autres():
    obligation = cible(2026, 100, origine=OrigineDeCible.OBLIGATION)
    du_plan = cible(2026, 45, origine=OrigineDeCible.PLAN)
    assert "(45 %)" in juger(HAUSSE, 40, 35, cible(2028, 90), obligation, du_plan)[1]


def test_le_jugement_compare_des_valeurs_non_arrondies():
    assert juger(HAUSSE, Decimal("49.999999"), 40, cible(2024, 50))[0] == Appreciation.A_SURVEILLER
