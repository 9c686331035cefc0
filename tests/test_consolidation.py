"""Des enregistrements aux contrats : republications, lots, conflits, tabulaire ; l'ordre n'y change rien."""

import datetime
import itertools
from dataclasses import replace
from decimal import Decimal

import pytest

from marches.consolidation import Piece, consolider
from marches.decp.contrats import ContratLu, TitulaireLu

pytestmark = pytest.mark.sans_base

ACHETEUR = "24340047000221"
FEVRIER, MARS = datetime.date(2024, 2, 1), datetime.date(2024, 3, 1)
DUPONT, DURAND = TitulaireLu("11111111100011", "SIRET"), TitulaireLu("22222222200022", "SIRET")


def lu(**champs) -> ContratLu:
    defauts = {
        "siret": ACHETEUR,
        "identifiant": "2024-01",
        "objet": "Entretien des berges",
        "date": FEVRIER,
        "montant": Decimal(50_000),
        "titulaires": (DUPONT,),
        "publie_le": FEVRIER,
    }
    return ContratLu(**{**defauts, **champs})


def piece(cle: int, *, officielle: bool = True, cohabite: bool = False, **champs) -> Piece:
    return Piece(cle, f"{cle:064d}", lu(**champs), officielle, cohabite)


def contrats(*pieces: Piece):
    """Le même résultat dans tous les ordres, sinon l'essai échoue ici."""
    resultats = [consolider(ordre) for ordre in itertools.permutations(pieces)]
    assert all(resultat == resultats[0] for resultat in resultats)
    return resultats[0]


def test_une_publication_plus_recente_du_meme_contrat_l_emporte():
    (seul,) = contrats(piece(1), piece(2, montant=Decimal(60_000), publie_le=MARS))
    assert (seul.lu.montant, seul.pieces, seul.conflit) == (Decimal(60_000), (2, 1), False)


@pytest.mark.parametrize(
    "ecart",
    [{"objet": "Entretien des berges et des digues"}, {"date": MARS}, {"titulaires": (DURAND,)}],
    ids=["objet", "date", "titulaires"],
)
def test_un_seul_ecart_est_une_correction(ecart):
    (seul,) = contrats(piece(1), piece(2, publie_le=MARS, **ecart))
    assert (seul.pieces, seul.conflit) == ((2, 1), False)


def test_deux_ecarts_sont_deux_contrats_et_un_conflit():
    tous = contrats(piece(1), piece(2, publie_le=MARS, objet="Voirie", date=MARS))
    assert [(c.pieces, c.conflit) for c in tous] == [((1,), True), ((2,), True)]


def test_deux_contrats_d_un_meme_fichier_ne_sont_jamais_une_correction():
    tous = contrats(piece(1, cohabite=True), piece(2, cohabite=True, objet="Lot 2", publie_le=MARS))
    assert [(c.pieces, c.conflit) for c in tous] == [((1,), True), ((2,), True)]


def test_une_correction_de_correction_garde_les_deux_anciennes_versions():
    (seul,) = contrats(
        piece(1),
        piece(2, publie_le=MARS, date=MARS),
        piece(3, publie_le=datetime.date(2024, 4, 1), date=MARS, objet="B"),
    )
    assert seul.pieces == (3, 2, 1)


def test_apres_un_conflit_plus_rien_ne_se_corrige():
    tous = contrats(
        piece(1),
        piece(2, publie_le=MARS, objet="Voirie", date=MARS),
        piece(3, publie_le=datetime.date(2024, 4, 1), objet="Voirie", date=FEVRIER),
    )
    assert [c.pieces for c in tous] == [(1,), (2,), (3,)]


def test_casse_accents_et_espaces_ne_font_pas_un_ecart():
    (seul,) = contrats(piece(1), piece(2, objet="ENTRETIEN  DES BERGES", date=FEVRIER))
    assert not seul.conflit


def test_a_date_egale_le_mieux_rempli_l_emporte():
    (seul,) = contrats(piece(1), piece(2, procedure="Procédure adaptée"))
    assert seul.pieces == (2, 1)


def test_le_tabulaire_complete_le_lieu_des_titulaires_et_rien_d_autre():
    situe = replace(DUPONT, commune="34154", departement="34", categorie="PME")
    (seul,) = contrats(piece(1), piece(2, officielle=False, titulaires=(situe,), montant=Decimal(99), modification=0))
    assert (seul.lu.montant, seul.lu.titulaires, seul.pieces) == (Decimal(50_000), (situe,), (1, 2))


def test_le_tabulaire_sans_titulaire_commun_est_un_autre_contrat():
    tous = contrats(piece(1), piece(2, officielle=False, titulaires=(DURAND,), modification=0))
    assert [(c.pieces, c.conflit) for c in tous] == [((1,), True), ((2,), True)]


def test_l_etat_initial_tabulaire_est_celui_de_la_modification_zero():
    (seul,) = contrats(
        piece(1, officielle=False, modification=1, date=MARS, montant=Decimal(80_000)),
        piece(2, officielle=False, modification=0),
        piece(3, officielle=False, modification=0, titulaires=(DURAND,)),
    )
    assert (seul.lu.date, seul.lu.montant, seul.lu.titulaires) == (FEVRIER, Decimal(50_000), (DUPONT, DURAND))


def test_sans_numero_de_modification_l_etat_initial_est_le_plus_ancien():
    (seul,) = contrats(
        piece(1, officielle=False, date=MARS), piece(2, officielle=False), piece(3, officielle=False, date=None)
    )
    assert seul.lu.date == FEVRIER


def test_deux_etablissements_d_un_acheteur_ont_chacun_leur_contrat():
    tous = contrats(
        piece(1, officielle=False, modification=0),
        piece(2, officielle=False, modification=0, siret="24340047000015"),
    )
    assert [(c.lu.siret, c.conflit) for c in tous] == [("24340047000015", False), (ACHETEUR, False)]
