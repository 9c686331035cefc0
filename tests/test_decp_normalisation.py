"""D'un enregistrement DECP à un contrat : chaque piège des fichiers publiés, et rien qui lève une exception."""

import datetime
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marches.decp.contrats import Brut, ContratLu, Format, Motif, Refus, TitulaireLu
from marches.decp.dates import lire_la_date
from marches.decp.empreintes import canonique, empreinte
from marches.decp.formats import ouvrir
from marches.decp.identifiants import acheteur_de, normaliser_l_identifiant, siret_plausible
from marches.decp.montants import DrapeauDeMontant, drapeau_du_montant, lire_le_montant
from marches.decp.normalisation import est_un_marche_subsequent, normaliser
from marches.decp.textes import plier, texte
from marches.reponses import Reponse

DONNEES = Path(__file__).parent / "donnees" / "decp"
AUJOURD_HUI = datetime.date(2026, 11, 27)
ACHETEUR = "99900000300015"
TITULAIRE = "99900001100018"
MARCHE = {
    "id": "2026T001",
    "acheteur": {"id": ACHETEUR},
    "objet": "Travaux fictifs",
    "dateNotification": "2026-02-03",
    "montant": Decimal("120000.5"),
    "titulaires": [{"titulaire": {"id": TITULAIRE, "typeIdentifiant": "SIRET"}}],
}
LIGNE = {
    "uid": ACHETEUR + "2026T001",
    "id": "2026T001",
    "acheteur_id": ACHETEUR,
    "objet": "Travaux fictifs",
    "dateNotification": "2026-02-03",
    "montant": "120000.5",
    "titulaire_id": TITULAIRE,
}


def lu(format=Format.JSON_V2, **champs):
    base = LIGNE if format is Format.TABULAIRE else MARCHE
    return normaliser(Brut(1, {**base, **champs}), format, AUJOURD_HUI)


def tous(nom):
    with ouvrir(DONNEES / nom) as lecture:
        return [normaliser(brut, lecture.format, AUJOURD_HUI) for brut in lecture.enregistrements]


# --- Les formats disent le même contrat -----------------------------------------------------------


def test_le_meme_contrat_en_xml_et_en_json_est_le_meme():
    assert tous("synthetique_v2.xml") == tous("synthetique_v2.json")


def test_un_marche_du_schema_2():
    marche, concession = tous("synthetique_v2.json")
    assert marche.siret == ACHETEUR
    assert marche.siren == "999000003"
    assert marche.identifiant == marche.accord_cadre == "2026T001"
    assert marche.date == datetime.date(2026, 2, 3)
    assert marche.publie_le == datetime.date(2026, 2, 20)
    assert marche.montant == Decimal("120000.50")
    assert marche.titulaires == (TitulaireLu(TITULAIRE, "SIRET"), TitulaireLu("BE0999999999", "TVA"))
    assert (marche.cpv, marche.duree_mois, marche.offres_recues) == ("45233000", 12, 3)
    assert marche.techniques == ("Accord-cadre",)
    assert (marche.environnement, marche.social) == (Reponse.OUI, Reponse.NON)
    assert marche.considerations == ("Clause environnementale", "Critère environnemental")
    assert marche.modifications[0].le == datetime.date(2026, 6, 1)
    assert marche.modifications[0].montant == 130000
    assert marche.modifications[0].duree_mois == 18
    assert marche.anomalies == ()
    assert not marche.concession
    assert concession.concession
    assert concession.date == datetime.date(2026, 3, 1)
    assert concession.montant == 45000
    assert (concession.environnement, concession.social) == (Reponse.NON, Reponse.OUI)


def test_un_fichier_du_schema_1():
    marche, delegation, nu, sans_acheteur = tous("synthetique_v1.json")
    assert marche.acheteur == "Syndicat imaginaire des Essais"
    assert marche.date == datetime.date(2020, 5, 6)
    assert marche.titulaires == (TitulaireLu(TITULAIRE, "SIRET", "Société Inventée"),)
    assert (marche.environnement, marche.social) == (Reponse.INCONNU, Reponse.INCONNU)
    assert marche.modifications[0].objet == "Avenant fictif"
    assert est_un_marche_subsequent(marche)
    assert delegation.nature == "Délégation de service public"
    assert delegation.concession
    assert delegation.montant == 500000
    assert nu.anomalies == ("sans_date", "sans_identifiant", "sans_montant", "sans_titulaire")
    assert sans_acheteur == Refus(Motif.SANS_ACHETEUR)


def test_une_ligne_tabulaire_porte_un_titulaire_et_son_lieu():
    lignes = tous("synthetique_tabulaire.csv")
    assert lignes[0].titulaires == (
        TitulaireLu(TITULAIRE, "SIRET", "Société Inventée", commune="34154", departement="34", categorie="PME"),
    )
    assert lignes[1].titulaires[0].commune == ""
    assert [ligne.modification for ligne in lignes] == [0, 0, 1, None]
    assert (lignes[0].environnement, lignes[0].social) == (Reponse.OUI, Reponse.NON)
    assert lignes[0].duree_mois == 12
    assert lignes[3].social is Reponse.INCONNU
    assert lignes[3].titulaires[0].type_identifiant == "SIRET"


def test_une_ligne_sans_acheteur_id_a_celui_de_son_uid():
    ligne = {"uid": ACHETEUR + "20.26/T 1", "titulaire_id": TITULAIRE, "dateNotification": "2026-02-03"}
    contrat = normaliser(Brut(1, ligne), Format.TABULAIRE, AUJOURD_HUI)
    assert (contrat.siret, contrat.identifiant) == (ACHETEUR, "20_26_T_1")


# --- Refuser, ou garder et signaler ---------------------------------------------------------------


def test_un_enregistrement_illisible_est_refuse_avec_son_defaut():
    assert normaliser(Brut(1, None, "Ligne 3."), Format.JSON_V1) == Refus(Motif.ILLISIBLE, "Ligne 3.")


@pytest.mark.parametrize("identifiant", ["", "NC", "1234", "999000003000159", None, True, [], {}])
def test_sans_siret_ni_siren_l_acheteur_n_est_pas_nomme(identifiant):
    refus = lu(acheteur={"id": identifiant, "nom": "Mairie"})
    assert isinstance(refus, Refus)
    assert refus.motif is Motif.SANS_ACHETEUR


def test_le_refus_montre_ce_qui_est_ecrit_a_la_place_du_siret():
    assert lu(acheteur={"id": "12 34"}).precision == "« 12 34 »"


def test_un_enregistrement_qui_ne_decrit_rien_est_refuse():
    assert normaliser(Brut(1, {"id": "1", "acheteur": {"id": ACHETEUR}}), Format.JSON_V1) == Refus(Motif.SANS_CONTENU)


@pytest.mark.parametrize(
    ("champs", "anomalie"),
    [
        ({"dateNotification": None}, "sans_date"),
        ({"dateNotification": "NC"}, "sans_date"),
        ({"dateNotification": "0218-10-29"}, "date_invalide"),
        ({"montant": None}, "sans_montant"),
        ({"montant": Decimal("NaN")}, "sans_montant"),
        ({"montant": Decimal("1E+400")}, "montant_illisible"),
        ({"montant": "gratuit"}, "montant_illisible"),
        ({"titulaires": []}, "sans_titulaire"),
        ({"objet": " "}, "sans_objet"),
        ({"id": "000000000000"}, "sans_identifiant"),
        ({"acheteur": {"id": "99900000300016"}}, "siret_invalide"),
        ({"acheteur": {"id": "00000000000000"}}, "siret_invalide"),
        ({"titulaires": [{"id": "123", "typeIdentifiant": "SIRET"}]}, "titulaire_siret_invalide"),
        ({"titulaires": [{"id": "", "denominationSociale": "Dupont"}]}, "titulaire_sans_identifiant"),
    ],
)
def test_ce_qui_manque_ou_ne_se_croit_pas_est_garde_et_signale(champs, anomalie):
    contrat = lu(**champs)
    assert isinstance(contrat, ContratLu)
    assert contrat.anomalies == (anomalie,)


# --- L'acheteur -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "contenu",
    [
        {"acheteur": {"id": ACHETEUR}},
        {"acheteur": {"id": "999 000 003 00015"}},
        {"acheteur": {"id": int(ACHETEUR)}},
        {"acheteur": {"id ": ACHETEUR}},
        {"acheteur": ACHETEUR},
        {"acheteur": [[{"id": ACHETEUR}]]},
        {"acheteur.id": ACHETEUR},
        {" acheteur ": {"id": ACHETEUR}},
        {"autoriteConcedante": {"id": ACHETEUR}},
        {"acheteur": None, "autoriteConcedante.id": ACHETEUR},
    ],
)
def test_l_acheteur_se_trouve_de_toutes_les_facons_dont_il_est_range(contenu):
    assert acheteur_de(Brut(1, contenu), Format.JSON_V1) == ACHETEUR


def test_un_siren_seul_suffit():
    assert lu(acheteur={"id": "999000003"}).siret == "999000003"


def test_la_cle_d_un_siret():
    assert siret_plausible(ACHETEUR)
    assert siret_plausible("999000003")
    assert siret_plausible("35600000000048")  # La Poste : somme des chiffres multiple de cinq
    assert not siret_plausible("99900000300016")
    assert not siret_plausible("0" * 14)
    assert not siret_plausible("123")


# --- Identifiants ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ecrit", "attendu"),
    [
        (" 2024/01.A, B\\c ", "2024_01_A__B_c"),
        (202401, "202401"),
        (Decimal("202401.0"), "202401"),
        ("", ""),
        ("000000000000", ""),
        ("0", ""),
        (0, ""),
        (None, ""),
        ("NC", ""),
        ("a\x00b", "ab"),
    ],
)
def test_l_identifiant_d_un_contrat_se_normalise(ecrit, attendu):
    assert normaliser_l_identifiant(ecrit) == attendu


@pytest.mark.parametrize(
    ("ecrit", "attendu"),
    [
        ("siret", "SIRET"),
        ("Siret", "SIRET"),
        ("TVA_INTRACOMMUNAUTAIRE", "TVA"),
        ("HORS_UE", "HORS-UE"),
        ("Hors UE", "HORS-UE"),
        ("FRW", "FRWF"),
        ("TAHITI", "TAHITI"),
        ("", ""),
        ("passeport", ""),
    ],
)
def test_les_graphies_d_un_type_d_identifiant(ecrit, attendu):
    assert lu(titulaires=[{"id": "A1", "typeIdentifiant": ecrit}]).titulaires == (TitulaireLu("A1", attendu),)


@pytest.mark.parametrize(
    "titulaires",
    [
        [{"id": TITULAIRE}],
        [{"titulaire": TITULAIRE}],
        [{"titulaire": {"id": TITULAIRE}}],
        {"titulaire": [{"id": TITULAIRE}]},
        [[[[{"id": TITULAIRE}]]]],
        [TITULAIRE],
        TITULAIRE,
        {"id": int(TITULAIRE)},
        [{"id ": " 999 000 011 00018 ", " typeIdentifiant": "SIRET"}],
        [{"id": TITULAIRE}, {"id": TITULAIRE, "typeIdentifiant": "siret"}],
    ],
)
def test_un_titulaire_se_trouve_de_toutes_les_facons_dont_il_est_range(titulaires):
    assert lu(titulaires=titulaires).titulaires == (TitulaireLu(TITULAIRE, "SIRET"),)


@pytest.mark.parametrize("titulaires", [[[[[{}]]]], [], {}, None, [None], "NC", [{"titulaire": None}], [{"id": "0"}]])
def test_un_titulaire_vide_n_en_est_pas_un(titulaires):
    assert lu(titulaires=titulaires).titulaires == ()


def test_les_titulaires_sont_tries_et_sans_doublon():
    contrat = lu(titulaires=[{"id": "B"}, {"id": "A"}, {"id": "B"}])
    assert [titulaire.identifiant for titulaire in contrat.titulaires] == ["A", "B"]


def test_un_titulaire_sous_deux_noms_n_en_est_qu_un_quel_que_soit_leur_ordre():
    noms = ["", "Société B", "Société A"]
    for ordre in (noms, noms[::-1]):
        titulaires = [{"id": TITULAIRE, "denominationSociale": nom} for nom in ordre]
        assert lu(titulaires=titulaires).titulaires == (TitulaireLu(TITULAIRE, "SIRET", "Société A"),)


@pytest.mark.parametrize(
    ("champs", "subsequent"),
    [
        ({"nature": "Marché subséquent"}, True),
        ({"nature": "MARCHE SUBSEQUENT"}, True),
        ({"nature": "Marché", "idAccordCadre": "AC1"}, True),
        ({"nature": "Marché", "idAccordCadre": "2026T001"}, False),
        ({"nature": "Marché", "idAccordCadre": "NC"}, False),
        ({"nature": "Accord-cadre"}, False),
    ],
)
def test_un_marche_subsequent_se_reconnait(champs, subsequent):
    assert est_un_marche_subsequent(lu(**champs)) is subsequent


# --- Dates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ecrite", "attendue"),
    [
        ("2024-01-02", datetime.date(2024, 1, 2)),
        ("2024-01-02+01:00", datetime.date(2024, 1, 2)),
        (" 2024-01-02T10:00:00Z", datetime.date(2024, 1, 2)),
        ("2005-01-01", datetime.date(2005, 1, 1)),
        ("2026-11-27", AUJOURD_HUI),
        ("2026-11-28", None),
        ("2027-06-01", None),
        ("2004-12-31", None),
        ("1899-12-31", None),
        ("0022-01-01", None),
        ("2024-02-30", None),
        ("2024-13-01", None),
        ("٢٠٢٤-٠١-٠٢", None),
        ("01/02/2024", None),
        (20240102, None),
        ([], None),
    ],
)
def test_une_date_est_croyable_ou_rien(ecrite, attendue):
    assert lire_la_date(ecrite, AUJOURD_HUI)[0] == attendue


# --- Montants -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ecrit", "attendu"),
    [
        ("30000.00", "30000"),
        (30000, "30000"),
        (30000.25, "30000.25"),
        (Decimal("0.005"), "0.01"),
        ("30 000,00 €", "30000"),
        ("30\u202f000", "30000"),
        ("1.234.567,89", "1234567.89"),
        ("1,234,567.89", "1234567.89"),
        ("1,234,567", "1234567"),
        ("-12", "-12"),
        ("1e17", "100000000000000000"),
        ("30,000", None),
        ("NC", None),
        ("NaN", None),
        ("1e400", None),
        ("1e999999", None),
        (Decimal("1E+999999"), None),
        (Decimal("Infinity"), None),
        (10**400, None),
        (float("nan"), None),
        (True, None),
        ({}, None),
        ("9" * 100, None),
    ],
)
def test_un_montant_se_lit_au_centime(ecrit, attendu):
    assert lire_le_montant(ecrit)[0] == (None if attendu is None else Decimal(attendu))


@pytest.mark.parametrize(
    ("montant", "drapeau"),
    [
        (None, "absent"),
        ("0", "nul_ou_negatif"),
        ("-5", "nul_ou_negatif"),
        ("1", "symbolique"),
        ("99.99", "symbolique"),
        ("100", ""),
        ("99999", ""),
        ("999999", "que_des_neuf"),
        ("999999999.00", "que_des_neuf"),
        ("12311111111", "sentinelle"),
        ("123456789.12", "suite_123456789"),
        ("1000000000", ""),
        ("1000000000.01", "plus_d_un_milliard"),
        ("1e17", "plus_d_un_milliard"),
        ("222222221", "chiffres_repetes"),
        ("222222111", ""),
        ("100000000", ""),
        ("77777770", ""),
    ],
)
def test_un_montant_incroyable_a_son_drapeau(montant, drapeau):
    assert drapeau_du_montant(None if montant is None else Decimal(montant)) == drapeau
    assert drapeau == "" or DrapeauDeMontant(drapeau).label


@pytest.mark.parametrize(
    ("ecrite", "mois"), [("36", 36), (36, 36), ("12.0", 12), ("NC", None), (-1, None), (1.5, None)]
)
def test_une_duree_est_un_nombre_de_mois_ou_rien(ecrite, mois):
    assert lu(dureeMois=ecrite).duree_mois == mois


# --- Considérations -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ecrit", "attendu"),
    [
        ({"considerationSociale": ["Clause sociale"]}, Reponse.OUI),
        ({"considerationSociale": "Critère social"}, Reponse.OUI),
        ([{"considerationSociale": "marche  RESERVE"}], Reponse.OUI),
        (["Concession réservée"], Reponse.OUI),
        ("Clause sociale, Critère social", Reponse.OUI),
        ({"considerationSociale": ["Pas de considération sociale", "Clause sociale"]}, Reponse.OUI),
        ({"considerationSociale": ["Pas de considération sociale"]}, Reponse.NON),
        ("Sans objet", Reponse.NON),
        ("Sans objet; NC", Reponse.NON),
        (None, Reponse.INCONNU),
        ("", Reponse.INCONNU),
        ("NC", Reponse.INCONNU),
        ("MQ NC", Reponse.INCONNU),
        ("CDL", Reponse.INCONNU),
        ("INX Clause", Reponse.INCONNU),
        ({"considerationSociale": []}, Reponse.INCONNU),
        ({"considerationSociale": [None]}, Reponse.INCONNU),
        ("Clause environnementale", Reponse.INCONNU),
        (True, Reponse.INCONNU),
    ],
)
@pytest.mark.parametrize("format", [Format.JSON_V2, Format.TABULAIRE])
def test_une_consideration_est_oui_non_ou_inconnue(ecrit, attendu, format):
    assert lu(format, considerationsSociales=ecrit).social is attendu


def test_une_colonne_de_considerations_absente_ne_dit_rien():
    contrat = lu(Format.TABULAIRE)
    assert (contrat.environnement, contrat.social) == (Reponse.INCONNU, Reponse.INCONNU)


# --- Textes ---------------------------------------------------------------------------------------


def test_les_libelles_se_comparent_sans_accents_ni_casse():
    assert plier("  Critère  D’Attribution\u00a0: ÉTÉ ") == "critere d'attribution : ete"


def test_un_texte_abime_par_sa_source_le_reste():
    assert texte("R\ufffdhabilitation \x00 du\n pont") == "R\ufffdhabilitation du pont"


@pytest.mark.parametrize("ecrit", ["NC", "null", "MQ", "INX 12", " ", None, [], {}])
def test_non_renseigne_n_est_pas_un_texte(ecrit):
    assert texte(ecrit) == ""


# --- Empreinte ------------------------------------------------------------------------------------


def test_l_empreinte_ne_depend_ni_de_l_ordre_ni_de_l_ecriture_des_nombres():
    un = {"a": 30000, "b": [Decimal("1.50"), None], "c": {"d": "é", "e": True}}
    deux = {"c": {"e": True, "d": "é"}, "b": [Decimal("1.5"), None], "a": Decimal("30000.0")}
    assert empreinte(un) == empreinte(deux)
    assert empreinte({"a": [30000.0, 1e20]}) == empreinte({"a": [30000, 10**20]})
    assert canonique(un) == '{"a":30000,"b":[1.5,null],"c":{"d":"é","e":true}}'


@pytest.mark.parametrize(
    ("un", "deux"),
    [
        ({"a": 30000}, {"a": "30000"}),
        ({"a": "30000"}, {"a": "30000.00"}),
        ({"a": 1}, {"a": True}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": None}, {}),
        ({"a": Decimal("0.1")}, {"a": Decimal("0.10000000000000000001")}),
    ],
)
def test_deux_contenus_differents_ont_deux_empreintes(un, deux):
    assert empreinte(un) != empreinte(deux)


# --- Quoi que contienne un enregistrement ---------------------------------------------------------

DETAILS = re.findall(
    r"\S+",
    """autoriteConcedante acheteur.id nom nature procedure codeCPV valeurGlobale dureeMois titulaire concessionnaires
    typeIdentifiant denominationSociale dateSignature techniques technique considerationsSociales considerationSociale
    considerationsEnvironnementales modifications modification idAccordCadre offresRecues _type modification_id
    titulaire_commune_code titulaire_nom dateNotificationModification objetModification""",
)
NOMS = st.sampled_from([*MARCHE, *LIGNE, *DETAILS]) | st.text(max_size=5)
FEUILLES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals()
    | st.floats()
    | st.text()
    | st.sampled_from([ACHETEUR, "2024-01-02+01:00", "NC", "Clause sociale", "1e400", "\ud800", "\x00", 10**400])
)
CONTENUS = st.recursive(
    FEUILLES, lambda dedans: st.lists(dedans, max_size=4) | st.dictionaries(NOMS, dedans, max_size=6), max_leaves=25
)


@given(contenu=st.dictionaries(NOMS, CONTENUS, max_size=10), format=st.sampled_from(Format), nomme=st.booleans())
def test_aucun_contenu_ne_leve_d_exception(contenu, format, nomme):
    if nomme:
        contenu = {**contenu, "acheteur": {"id": ACHETEUR}, "acheteur_id": ACHETEUR, "objet": "x"}
    resultat = normaliser(Brut(1, contenu), format, AUJOURD_HUI)
    assert isinstance(resultat, ContratLu if nomme else ContratLu | Refus)
    if isinstance(resultat, ContratLu):
        assert len(resultat.siret) in (9, 14)
        assert resultat.date is None or resultat.date <= AUJOURD_HUI
        assert resultat.montant is None or resultat.montant.is_finite()
        assert resultat.titulaires == tuple(sorted(set(resultat.titulaires)))
        assert isinstance(est_un_marche_subsequent(resultat), bool)
        assert "\x00" not in repr(resultat).replace("\\x00", "\x00")


@given(contenu=st.dictionaries(NOMS, CONTENUS, max_size=10), format=st.sampled_from(Format))
def test_un_contenu_garde_puis_relu_dit_le_meme_contrat(contenu, format):
    """Ce qui se garde d'un enregistrement est son texte canonique : le relire ne doit rien changer au contrat."""
    contenu = {**contenu, "acheteur": {"id": ACHETEUR}, "acheteur_id": ACHETEUR, "objet": "x"}
    relu = json.loads(canonique(contenu))
    assert empreinte(relu) == empreinte(contenu)
    assert normaliser(Brut(1, relu), format, AUJOURD_HUI) == normaliser(Brut(1, contenu), format, AUJOURD_HUI)


def test_un_contenu_profond_ne_leve_pas_d_exception():
    profond = "x"
    for _ in range(100_000):
        profond = [profond]
    noms = ["objet", "titulaires", "considerationsSociales", "modifications", "montant", "id"]
    assert isinstance(lu(**dict.fromkeys(noms, profond)), ContratLu)
