"""Les DECP publiées (Licence Ouverte), que le projet ne porte pas : le dossier est celui que nomme DECP_REELLES."""

import csv
import datetime
import json
import os
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from marches.decp.contrats import ContratLu, Format, Refus
from marches.decp.empreintes import empreinte
from marches.decp.formats import ouvrir
from marches.decp.normalisation import est_un_marche_subsequent, normaliser

DOSSIER = Path(os.environ.get("DECP_REELLES") or "absent")
pytestmark = pytest.mark.skipif(
    not os.environ.get("DECP_REELLES"), reason="DECP_REELLES ne nomme pas de dossier de fichiers DECP réels."
)

AUJOURD_HUI = datetime.date(2026, 11, 27)
AWS = "v1_aws_marches-publics.info_2019-03-07.json"
AIFE = "v1_aife_2019-04-04.json"
E_MARCHES = "v1_e-marchespublics_2019-04-03.json"
TABULAIRE = "tab_decpinfo_2024H2_travaux_4521.csv"

# Format, lus, refusés par motif, signalés par anomalie.
ATTENDUS = {
    AWS: (
        Format.JSON_V1,
        4509,
        {},
        {"titulaire_siret_invalide": 89, "siret_invalide": 8, "date_invalide": 2, "titulaire_sans_identifiant": 2},
    ),
    AIFE: (
        Format.JSON_V1,
        4530,
        {"sans_acheteur": 1},
        {
            "sans_date": 2510,
            "titulaire_siret_invalide": 112,
            "siret_invalide": 53,
            "sans_objet": 25,
            "titulaire_sans_identifiant": 14,
            "sans_identifiant": 7,
            "sans_titulaire": 5,
        },
    ),
    E_MARCHES: (Format.JSON_V1, 470, {}, {}),
    TABULAIRE: (
        Format.TABULAIRE,
        8957,
        {},
        {"sans_objet": 8957, "siret_invalide": 8, "titulaire_siret_invalide": 2, "sans_titulaire": 2},
    ),
    "v1ex_mar-avec-modifications.json": (Format.JSON_V1, 1, {}, {}),
    "v1ex_paquet.json": (Format.JSON_V1, 2, {}, {"date_invalide": 1}),
    "v1ex_paquet.xml": (Format.XML, 4, {}, {"date_invalide": 2}),
    "v2ex_Contrat-concession-modification.xml": (Format.XML, 2, {}, {"siret_invalide": 2}),
    "v2ex_Contrat-concession.xml": (Format.XML, 2, {}, {"siret_invalide": 2}),
    "v2ex_Marche.xml": (Format.XML, 2, {}, {}),
    "v2ex_concessions.json": (Format.JSON_V2, 2, {}, {"siret_invalide": 2}),
    "v2ex_concessions_avec_modifications.json": (Format.JSON_V2, 2, {}, {"siret_invalide": 2}),
    "v2ex_marches_avec_modifications.json": (Format.JSON_V2, 2, {}, {"siret_invalide": 1}),
    "v2ex_marches_concessions.json": (Format.JSON_V2, 4, {}, {"siret_invalide": 3}),
}


def bruts(nom):
    with ouvrir(DOSSIER / nom) as lecture:
        return list(lecture.enregistrements)


def normalises(nom, sirens=()):
    with ouvrir(DOSSIER / nom, sirens) as lecture:
        return [normaliser(brut, lecture.format, AUJOURD_HUI) for brut in lecture.enregistrements]


def test_chaque_fichier_du_dossier_est_attendu():
    assert {fichier.name for fichier in DOSSIER.iterdir()} >= set(ATTENDUS)


@pytest.mark.parametrize("nom", ATTENDUS)
def test_un_fichier_reel_se_lit_entier_et_ne_refuse_que_ce_qui_est_dit(nom):
    format, lus, refuses, signales = ATTENDUS[nom]
    motifs: Counter[str] = Counter()
    anomalies: Counter[str] = Counter()
    with ouvrir(DOSSIER / nom) as lecture:
        for brut in lecture.enregistrements:
            match normaliser(brut, lecture.format, AUJOURD_HUI):
                case Refus(motif=motif):
                    motifs[motif.code] += 1
                case ContratLu(anomalies=trouvees):
                    anomalies.update(trouvees)
    assert lecture.format is format
    assert lecture.avancement.lus == lus
    assert lecture.avancement.octets == lecture.avancement.taille
    assert (motifs, anomalies) == (refuses, signales)


@pytest.mark.parametrize("nom", [AWS, AIFE, E_MARCHES])
def test_ce_qui_est_lu_est_ce_que_json_lit_d_un_bloc(nom):
    with (DOSSIER / nom).open(encoding="utf-8") as source:
        attendus = json.load(source, parse_float=Decimal)["marches"]
    assert [brut.contenu for brut in bruts(nom)] == attendus


def test_ce_qui_est_lu_est_ce_que_csv_lit_d_un_bloc():
    with (DOSSIER / TABULAIRE).open(encoding="utf-8", newline="") as source:
        attendus = list(csv.DictReader(source))
    assert [brut.contenu for brut in bruts(TABULAIRE)] == attendus


def test_les_2533_marches_sans_notification_de_l_aife_sont_gardes():
    """Tous, sauf celui qui n'a pas non plus d'acheteur ; vingt-deux concessions ont, elles, une date de signature."""
    sans = [brut for brut in bruts(AIFE) if not brut.contenu.get("dateNotification")]
    lus = [normaliser(brut, Format.JSON_V1, AUJOURD_HUI) for brut in sans]
    gardes = [contrat for contrat in lus if isinstance(contrat, ContratLu)]
    assert len(sans) == 2533
    assert len(gardes) == 2532
    assert [brut.contenu.get("acheteur") for brut, lu in zip(sans, lus, strict=True) if isinstance(lu, Refus)] == [
        None
    ]
    assert Counter((contrat.concession, contrat.date is None) for contrat in gardes) == {
        (False, True): 2510,
        (True, False): 22,
    }


def test_les_deux_contrats_du_pays_de_l_or():
    with ouvrir(DOSSIER / AWS, ["243400470"]) as lecture:
        contrats = [normaliser(brut, lecture.format, AUJOURD_HUI) for brut in lecture.enregistrements]
        assert lecture.avancement.autres_acheteurs == 4507
    assert sorted(contrat.montant for contrat in contrats) == [23900, 30000]
    assert {contrat.siren for contrat in contrats} == {"243400470"}


def test_les_marches_subsequents_se_comptent():
    subsequents = {nom: sum(map(est_un_marche_subsequent, _contrats(nom))) for nom in (AWS, AIFE, E_MARCHES)}
    assert subsequents == {AWS: 93, AIFE: 540, E_MARCHES: 1}


def test_le_schema_1_ne_dit_rien_des_considerations():
    for nom in (AWS, AIFE, E_MARCHES):
        assert {(c.environnement.value, c.social.value) for c in _contrats(nom)} == {("INCONNU", "INCONNU")}


def test_les_republications_identiques_de_l_aife_ont_la_meme_empreinte():
    assert len({empreinte(brut.contenu) for brut in bruts(AIFE)}) < 4530
    assert len({empreinte(brut.contenu) for brut in bruts(AWS)}) == 4509


def test_le_tableau_porte_5180_contrats():
    contrats = _contrats(TABULAIRE)
    assert len({(contrat.siret, contrat.identifiant) for contrat in contrats}) > 5000
    assert len({brut.contenu["uid"] for brut in bruts(TABULAIRE)}) == 5180


def _contrats(nom):
    return [contrat for contrat in normalises(nom) if isinstance(contrat, ContratLu)]
