"""Les communes, leurs codes postaux, et les codes postaux tels que les exports les écrivent."""

import json
from pathlib import Path

import pytest

from marches.communes import (
    code_postal_lu,
    commune_actuelle,
    commune_de,
    communes_du_code_postal,
    communes_du_departement,
    departement_de,
    departement_du_code_postal,
    departements,
    nom_de,
)

TERRITOIRES = {
    territoire["code"]: territoire
    for territoire in json.loads(
        (Path(__file__).resolve().parent.parent / "fixtures" / "territoires.json").read_text()
    )
}

PAYS_DE_L_OR = {
    "34050": "Candillargues",
    "34127": "Lansargues",
    "34154": "Mauguio",
    "34176": "Mudaison",
    "34192": "Palavas-les-Flots",
    "34240": "Saint-Aunès",
    "34321": "Valergues",
    "34344": "La Grande-Motte",
}
METROPOLE = {
    "34022": "Baillargues",
    "34027": "Beaulieu",
    "34057": "Castelnau-le-Lez",
    "34058": "Castries",
    "34077": "Clapiers",
    "34087": "Cournonsec",
    "34088": "Cournonterral",
    "34090": "Le Crès",
    "34095": "Fabrègues",
    "34116": "Grabels",
    "34120": "Jacou",
    "34123": "Juvignac",
    "34129": "Lattes",
    "34134": "Lavérune",
    "34164": "Montaud",
    "34169": "Montferrier-sur-Lez",
    "34172": "Montpellier",
    "34179": "Murviel-lès-Montpellier",
    "34198": "Pérols",
    "34202": "Pignan",
    "34217": "Prades-le-Lez",
    "34227": "Restinclières",
    "34244": "Saint-Brès",
    "34249": "Saint-Drézéry",
    "34256": "Saint-Geniès-des-Mourgues",
    "34259": "Saint-Georges-d'Orques",
    "34270": "Saint-Jean-de-Védas",
    "34295": "Saussan",
    "34307": "Sussargues",
    "34327": "Vendargues",
    "34337": "Villeneuve-lès-Maguelone",
}


def test_les_trois_territoires_ont_leurs_8_31_et_39_communes():
    assert set(TERRITOIRES["pays-de-l-or"]["communes"]) == set(PAYS_DE_L_OR)
    assert set(TERRITOIRES["montpellier-mediterranee-metropole"]["communes"]) == set(METROPOLE)
    assert set(TERRITOIRES["pays-de-l-or-et-metropole"]["communes"]) == set(PAYS_DE_L_OR) | set(METROPOLE)
    assert [len(territoire["communes"]) for territoire in TERRITOIRES.values()] == [8, 31, 39]


@pytest.mark.parametrize(("code", "nom"), [*PAYS_DE_L_OR.items(), *METROPOLE.items()])
def test_chaque_commune_du_territoire_est_dans_la_reference(code, nom):
    assert nom_de(code) == nom
    assert commune_actuelle(code) == code
    assert departement_de(code) == "34"
    assert code in communes_du_departement("34")


def test_un_code_postal_sert_plusieurs_communes():
    assert communes_du_code_postal("34130") == {"34050", "34127", "34154", "34176", "34240", "34321"}
    assert communes_du_code_postal("34280") == {"34344"}


@pytest.mark.parametrize("code_postal", ["34961", "00000", "99999", "", "34"])
def test_un_cedex_ou_un_code_inconnu_ne_sert_aucune_commune(code_postal):
    assert communes_du_code_postal(code_postal) == frozenset()


@pytest.mark.parametrize(
    ("code", "actuelle", "departement", "nom"),
    [
        ("75108", "75056", "75", "Paris 8e Arrondissement"),
        ("69383", "69123", "69", "Lyon 3e Arrondissement"),
        ("13201", "13055", "13", "Marseille 1er Arrondissement"),
        ("01120", "01262", "01", "Cordieux"),
        ("01126", "01033", "01", "Valserhône"),
        ("2A004", "2A004", "2A", "Ajaccio"),
        ("97411", "97411", "974", "Saint-Denis"),
        ("34999", "", "", ""),
    ],
)
def test_arrondissements_communes_deleguees_et_anciens_codes_menent_a_la_commune_d_aujourd_hui(
    code, actuelle, departement, nom
):
    assert (commune_actuelle(code), departement_de(code), nom_de(code)) == (actuelle, departement, nom)


def test_les_codes_postaux_de_paris_menent_a_paris():
    assert communes_du_code_postal("75008") == {"75056"}


@pytest.mark.parametrize(
    ("code_postal", "departement"),
    [("34130", "34"), ("34961", "34"), ("20000", "2A"), ("20293", "2B"), ("97400", "974"), ("99000", ""), ("", "")],
)
def test_le_departement_d_un_code_postal_cedex_compris(code_postal, departement):
    assert departement_du_code_postal(code_postal) == departement


def test_les_departements_ont_un_nom():
    assert len([code for code in departements() if code[:2] not in {"97", "98"}]) == 96
    assert (departements()["34"], departements()["2B"], departements()["976"]) == ("Hérault", "Haute-Corse", "Mayotte")


@pytest.mark.parametrize(
    ("cellule", "code_postal"),
    [
        ("34130", "34130"),
        (34130, "34130"),
        (34130.0, "34130"),
        (1400, "01400"),
        ("1400", "01400"),
        ("34 130", "34130"),
        ("34\u00a0130", "34130"),
        (" 34130 MAUGUIO", "34130"),
        ("F-34130", "34130"),
        ("34961 CEDEX 2", "34961"),
        ("1000 Bruxelles", ""),
        ("B-1000", ""),
        ("341300", ""),
        ("00000", ""),
        ("99999", ""),
        ("MAUGUIO", ""),
        (True, ""),
        (None, ""),
    ],
)
def test_un_code_postal_se_lit_comme_les_exports_l_ecrivent(cellule, code_postal):
    assert code_postal_lu(cellule) == code_postal


@pytest.mark.parametrize(
    ("code_postal", "ville", "commune"),
    [
        ("34130", "MAUGUIO", "34154"),
        ("34130", "St Aunès", "34240"),
        ("34130", "CARNON", ""),
        ("34130", "", ""),
        ("34280", "n'importe", "34344"),
        ("34961", "MONTPELLIER CEDEX 2", "34172"),
        ("34961", "PARIS", ""),
        ("75008", "PARIS 08", "75056"),
        ("34430", "SAINT JEAN DE VEDAS", "34270"),
        ("", "MAUGUIO", ""),
    ],
)
def test_une_adresse_dit_sa_commune_ou_rien(code_postal, ville, commune):
    assert commune_de(code_postal, ville) == commune
