"""Un fichier des finances, bien ou mal fait, jusqu'à ses totaux par tiers et par lieu."""

import datetime
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marches.listes import Base
from marches.mandats.correspondances import Correspondance, proposer, signature
from marches.mandats.fichiers import FichierLu, ouvrir
from marches.mandats.lecture import Demande, Lecture, lire_les_mandats
from marches.mandats.totaux import totaliser
from marches.mandats.valeurs import (
    Sens,
    ValeurIllisible,
    annee_lue,
    chapitre_lu,
    montant_lu,
    sens_lu,
    siret_lu,
)
from socle.tableaux import FichierIllisible
from tests.classeurs import en_csv, xlsx

TITRES = [
    "Exercice",
    "Chapitre",
    "Article",
    "Code tiers",
    "Nom du tiers",
    "SIRET",
    "CP",
    "Ville",
    "Montant HT",
    "Sens",
]
ANNEE = Demande(2023, Base.HT)


def siret(racine: str) -> str:
    """Un SIRET dont la clé est juste, de ces treize premiers chiffres."""
    return next(racine + cle for cle in "0123456789" if _juste(racine + cle))


def _juste(texte: str) -> bool:
    try:
        return bool(siret_lu(texte))
    except ValeurIllisible:
        return False


A, B = siret("1230000010001"), siret("4560000010001")


def ligne(**dit) -> list:
    base = {
        "Exercice": 2023,
        "Chapitre": "011",
        "Article": "6068",
        "Code tiers": "F1",
        "Nom du tiers": "Martin SARL",
        "SIRET": A,
        "CP": "34130",
        "Ville": "MAUGUIO",
        "Montant HT": 100,
        "Sens": "",
    }
    return [({**base, **dit})[titre] for titre in TITRES]


def lu(lignes: list[list], titres: list[str] = TITRES, *, demande: Demande = ANNEE, avant: int = 0) -> Lecture:
    """Les lignes, dans un classeur, sous `avant` lignes d'intitulé."""
    fichier = ouvrir("mandats.xlsx", xlsx([["Édition des mandats"]] * avant + [titres, *lignes]))
    return lire_les_mandats(fichier, fichier.proposition(), demande)


def exclus(lecture: Lecture) -> dict[str, tuple[int, Decimal]]:
    return {motif: (compte.nombre, compte.montant) for motif, compte in lecture.exclus.items()}


def somme(lecture: Lecture) -> Decimal:
    return sum((mandat.montant for mandat in lecture.mandats), Decimal(0))


# --- Les colonnes -------------------------------------------------------------------------------


def test_les_titres_habituels_trouvent_leur_role():
    assert proposer(TITRES) == Correspondance(
        chapitre="Chapitre",
        nature="Article",
        code_tiers="Code tiers",
        nom="Nom du tiers",
        siret="SIRET",
        code_postal="CP",
        ville="Ville",
        montant_ht="Montant HT",
        exercice="Exercice",
        sens="Sens",
    )


@pytest.mark.parametrize(
    ("titre", "role"),
    [
        ("N° Tiers", "code_tiers"),
        ("Code fournisseur", "code_tiers"),
        ("Raison sociale", "nom"),
        ("N° SIRET", "siret"),
        ("S.I.R.E.T.", "siret"),
        ("Code Postal", "code_postal"),
        ("Localité", "ville"),
        ("Mt HT", "montant_ht"),
        ("Montant mandaté TTC", "montant_ttc"),
        ("MONTANT", "montant"),
        ("Date d'émission", "date"),
        ("Date mandat", "date"),
        ("Type de pièce", "sens"),
        ("Compte nature", "nature"),
        ("Chap.", "chapitre"),
        ("Libellé budget", "budget"),
    ],
)
def test_un_titre_se_reconnait_sous_ses_autres_noms(titre, role):
    assert proposer([titre]).en_json() == {role: titre}


def test_une_colonne_ne_tient_qu_un_role():
    tenus = proposer(["Tiers", "Code tiers", "Montant", "Montant HT", "Montant TTC"]).en_json()
    assert tenus == {
        "nom": "Tiers",
        "code_tiers": "Code tiers",
        "montant": "Montant",
        "montant_ht": "Montant HT",
        "montant_ttc": "Montant TTC",
    }


def test_la_signature_ne_depend_ni_de_l_ordre_ni_de_la_casse():
    assert signature(["Chapitre", "Montant HT"]) == signature(["MONTANT  HT", "chapitre"])
    assert signature(["Chapitre", "Montant HT"]) != signature(["Chapitre", "Montant TTC"])


def test_une_correspondance_se_retient_et_s_adapte_aux_titres():
    retenue = Correspondance.de_json({"chapitre": "Chapitre", "siret": "SIRET", "disparu": "X"})
    assert Correspondance.de_json(retenue.en_json()) == retenue
    assert retenue.adaptee_a(["CHAPITRE", "Ville"]) == Correspondance(chapitre="CHAPITRE")


# --- Les cellules -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cellule", "montant"),
    [
        ("1 234,50", "1234.50"),
        ("1\u202f234,50 €", "1234.50"),
        ("-1 234,50", "-1234.50"),
        ("\u22121234,5", "-1234.50"),
        ("(1 234,50)", "-1234.50"),
        ("1 234,50-", "-1234.50"),
        ("- 12,00", "-12.00"),
        ("1.234,50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("1234.5", "1234.50"),
        ("-", "0"),
        ("0", "0"),
        (1234.5, "1234.50"),
        (0.1 + 0.2, "0.30"),
        (-12, "-12"),
    ],
)
def test_un_montant_se_lit(cellule, montant):
    assert montant_lu(cellule) == Decimal(montant)


@pytest.mark.parametrize("cellule", ["1.234", "12,345", "abc", "12 abc", "1e400", "NaN", float("inf"), True, "1,2,3"])
def test_un_montant_douteux_ne_se_devine_pas(cellule):
    with pytest.raises(ValeurIllisible):
        montant_lu(cellule)


def test_une_cellule_vide_n_est_pas_zero():
    assert montant_lu(None) is None
    assert montant_lu("  ") is None


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2))
def test_un_montant_ecrit_a_la_francaise_se_relit(montant):
    ecrit = f"{montant:,.2f}".replace(",", " ").replace(".", ",")
    assert montant_lu(ecrit) == montant


@pytest.mark.parametrize("cellule", [A, f"{A[:3]} {A[3:6]} {A[6:9]} {A[9:]}", int(A), float(A)])
def test_un_siret_se_lit_en_texte_ou_en_nombre(cellule):
    assert siret_lu(cellule) == A


@pytest.mark.parametrize("cellule", [None, "", "0", " "])
def test_un_siret_absent_est_vide(cellule):
    assert siret_lu(cellule) == ""


@pytest.mark.parametrize("cellule", ["3,4E+13", "3.4e13", 34000000000000, A[:9], str(int(A) + 1), "ABC", "12"])
def test_un_siret_arrondi_ou_faux_ne_se_devine_pas(cellule):
    with pytest.raises(ValeurIllisible):
        siret_lu(cellule)


def test_un_siret_retrouve_le_zero_que_le_tableur_a_ote():
    complet = siret("0055203730001")
    assert siret_lu(int(complet)) == complet


@pytest.mark.parametrize(
    ("chapitre", "article", "lu"),
    [
        ("011", None, "011"),
        (11, None, "011"),
        ("011 - Charges à caractère général", None, "011"),
        ("Chap. 21", None, "21"),
        (20, "2051", "20"),
        (20, "20422", "204"),
        ("204", None, "204"),
        (12, None, "012"),
        (None, "6068", "011"),
        (None, "6218", "012"),
        (None, "64111", "012"),
        (None, "65748", "65"),
        (None, "2041412", "204"),
        (None, "21838", "21"),
        ("1001", "2313", "23"),
        ("", "", ""),
        ("néant", None, ""),
    ],
)
def test_le_chapitre_vient_du_chapitre_ou_de_l_article(chapitre, article, lu):
    assert chapitre_lu(chapitre, article) == lu


@pytest.mark.parametrize(
    ("cellule", "sens"),
    [
        ("", Sens.MANDAT),
        ("Mandat ordinaire", Sens.MANDAT),
        ("Mandat d'annulation", Sens.ANNULATION),
        ("ANNULATIF", Sens.ANNULATION),
        ("Oui", Sens.ANNULATION),
        (True, Sens.ANNULATION),
        ("Réduction", Sens.ANNULATION),
        ("Titre", Sens.RECETTE),
        ("Zorglub", None),
    ],
)
def test_le_sens_se_lit(cellule, sens):
    assert sens_lu(cellule) == sens


@pytest.mark.parametrize(
    ("cellule", "annee"),
    [
        (2023, 2023),
        ("2023", 2023),
        ("31/12/2023", 2023),
        ("2023-12-31", 2023),
        ("20231231", 2023),
        ("31/12/2023 10:00", 2023),
        (datetime.date(2023, 1, 2), 2023),
        (datetime.datetime(2023, 1, 2, 8), 2023),  # noqa: DTZ001
        ("", None),
    ],
)
def test_l_annee_se_lit(cellule, annee):
    assert annee_lue(cellule) == annee


# --- Les lignes ---------------------------------------------------------------------------------


def test_les_titres_se_trouvent_sous_les_lignes_d_intitule():
    lecture = lu([ligne(), ligne(**{"Montant HT": 50})], avant=4)
    assert somme(lecture) == 150
    assert lecture.lues == 2


def test_un_annulatif_se_soustrait_quel_que_soit_son_signe():
    lecture = lu(
        [
            ligne(),
            ligne(**{"Montant HT": 30, "Sens": "Annulatif"}),
            ligne(**{"Montant HT": "(20,00)", "Sens": "Annulatif"}),
            ligne(**{"Montant HT": "5-"}),
        ]
    )
    assert somme(lecture) == 45


def test_seuls_les_chapitres_des_achats_se_gardent_et_les_autres_se_comptent():
    lecture = lu(
        [
            ligne(),
            ligne(Chapitre="012", Article="64111"),
            ligne(Chapitre="20", Article="2051"),
            ligne(Chapitre="20", Article="20422", **{"Montant HT": 7}),
            ligne(Chapitre="204", Article=""),
            ligne(Chapitre="21", Article="2183"),
            ligne(Chapitre="23", Article="2313"),
            ligne(Chapitre="65", Article="65748"),
            ligne(Chapitre="", Article=""),
        ]
    )
    assert [mandat.chapitre for mandat in lecture.mandats] == ["011", "20", "21", "23"]
    assert exclus(lecture) == {
        "Chapitre 012": (1, 100),
        "Chapitre 204": (2, 107),
        "Chapitre 65": (1, 100),
        "Sans chapitre lisible": (1, 100),
    }


def test_les_chapitres_gardes_sont_un_reglage(settings):
    settings.CHAPITRES_DES_ACHATS = ["65"]
    lecture = lu([ligne(), ligne(Chapitre="65", Article="")], demande=Demande(2023, Base.HT))
    assert [mandat.chapitre for mandat in lecture.mandats] == ["65"]


def test_sous_totaux_blancs_et_titres_repetes_ne_s_additionnent_pas():
    rien = dict.fromkeys(TITRES, "")
    lecture = lu(
        [
            ligne(),
            ligne(**{**rien, "Chapitre": "Total chapitre 011", "Montant HT": 100}),
            ligne(**{**rien, "Nom du tiers": "Sous-total Martin", "Montant HT": 100}),
            TITRES,
            ligne(**{"Nom du tiers": "TOTAL ENERGIES", "Montant HT": 8}),
            ligne(**{**rien, "Montant HT": 108}),
            ligne(**{**rien, "Ville": "Total général", "Montant HT": 108}),
            ligne(**{"Montant HT": ""}),
        ]
    )
    assert somme(lecture) == 108
    assert exclus(lecture) == {"Sous-total": (4, 416), "Titres répétés": (1, 0), "Sans montant": (1, 0)}
    assert lecture.lues == len(lecture.mandats) + sum(compte.nombre for compte in lecture.exclus.values())


def test_les_autres_annees_se_comptent_a_part_et_l_exercice_l_emporte_sur_la_date():
    titres = [*TITRES, "Date mandat"]
    lecture = lu(
        [
            [*ligne(), datetime.date(2024, 1, 15)],
            [*ligne(Exercice=2022), datetime.date(2023, 1, 15)],
            [*ligne(Exercice=""), "31/12/2023"],
            [*ligne(Exercice=""), "hier"],
            [*ligne(Exercice=""), ""],
        ],
        titres,
    )
    assert somme(lecture) == 200
    assert exclus(lecture) == {"Autre année": (1, 100), "Sans date lisible": (2, 200)}


def test_titres_de_recette_et_types_inconnus_sont_exclus():
    lecture = lu([ligne(Sens="Titre"), ligne(Sens="Zorglub"), ligne()])
    assert exclus(lecture) == {"Titre de recette": (1, 100), "Type de pièce inconnu": (1, 100)}


def test_un_seul_budget_du_fichier_se_garde():
    titres = [*TITRES, "Budget"]
    fichier = ouvrir("m.xlsx", xlsx([titres, [*ligne(), "Principal"], [*ligne(), "Eau"]]))
    assert fichier.valeurs("Budget") == ["Eau", "Principal"]
    demande = Demande(2023, Base.HT, frozenset({"Eau"}))
    lecture = lire_les_mandats(fichier, fichier.proposition(), demande)
    assert somme(lecture) == 100
    assert exclus(lecture) == {"Autre budget": (1, 100)}


def test_un_montant_illisible_est_refuse_avec_sa_place():
    lecture = lu([ligne(), ligne(**{"Montant HT": "douze"})], avant=2)
    assert [str(refus).replace("\u00a0", " ") for refus in lecture.refus] == [
        "« mandats.xlsx », feuille « Sheet », ligne 5, colonne « Montant HT » : "
        "la cellule ne contient pas un montant (« douze »)."
    ]
    assert lecture.refusees == 1


# --- HT, TTC ------------------------------------------------------------------------------------

DEUX_BASES = ["Chapitre", "SIRET", "Montant HT", "Montant TTC"]


@pytest.mark.parametrize(("base", "total"), [(Base.HT, 100), (Base.TTC, 120)])
def test_la_base_du_budget_choisit_la_colonne(base, total):
    assert somme(lu([["011", A, 100, 120]], DEUX_BASES, demande=Demande(2023, base))) == total


def test_un_fichier_ttc_ne_sert_pas_un_budget_ht():
    with pytest.raises(FichierIllisible, match="qu'un montant TTC"):
        lu([["011", A, 120]], ["Chapitre", "SIRET", "Montant TTC"])


def test_un_montant_sans_base_prend_celle_du_budget():
    assert somme(lu([["011", A, 120]], ["Chapitre", "SIRET", "Montant"])) == 120


# --- Les tiers ----------------------------------------------------------------------------------


def test_sans_siret_il_ne_reste_d_un_tiers_que_son_lieu():
    lecture = lu([ligne(SIRET="", **{"Nom du tiers": "Dupont Jeanne"}), ligne(SIRET="3,4E+13"), ligne()])
    assert [mandat.nom for mandat in lecture.mandats] == ["", "", "Martin SARL"]
    totaux = totaliser(lecture.mandats)
    assert "Dupont" not in repr(totaux)
    assert "F1" not in repr(totaux)
    assert [(t.siret, t.nom, t.commune, t.nombre, t.montant) for t in totaux.totaux] == [
        (A, "Martin SARL", "34154", 1, 100),
        ("", "", "34154", 2, 200),
    ]
    assert list(lecture.signalements.values()) == [1]


def test_un_siret_est_un_seul_tiers_sous_plusieurs_codes():
    lecture = lu([ligne(), ligne(**{"Code tiers": "F2", "Nom du tiers": "MARTIN"}), ligne(SIRET=B)])
    assert [(t.siret, t.nombre, t.montant) for t in totaliser(lecture.mandats).totaux] == [(A, 2, 200), (B, 1, 100)]


def test_codes_postaux_sans_zero_et_ville_dans_la_meme_colonne():
    lecture = lu([ligne(CP=1400, Ville=""), ligne(CP="34130 MAUGUIO", Ville=""), ligne(CP="Bruxelles")])
    assert [(m.code_postal, m.ville) for m in lecture.mandats] == [
        ("01400", ""),
        ("34130", "MAUGUIO"),
        ("", "MAUGUIO"),
    ]


MONTANTS = st.decimals(min_value=-(10**6), max_value=10**6, places=2)


@given(
    st.lists(
        st.tuples(
            MONTANTS,
            st.sampled_from([A, B, "", "3,4E+13"]),
            st.sampled_from(["34130", "34961", "75008", "", "Bruxelles"]),
            st.sampled_from(["011", "012", "20", "204", "21", ""]),
            st.sampled_from(["", "Annulatif", "Titre", "Zorglub"]),
            st.sampled_from([2022, 2023]),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_les_totaux_sont_la_somme_des_lignes_gardees(tirees):
    lignes = [
        [str(annee), chapitre, "", "F1", "X", siret, cp, "", f"{montant:f}".replace(".", ","), sens]
        for montant, siret, cp, chapitre, sens, annee in tirees
    ]
    fichier = ouvrir("m.csv", en_csv([TITRES, *lignes]))
    lecture = lire_les_mandats(fichier, fichier.proposition(), ANNEE)
    totaux = totaliser(lecture.mandats)
    attendu = sum(
        (
            -abs(montant) if sens else montant
            for montant, _, _, chapitre, sens, annee in tirees
            if annee == 2023 and chapitre in {"011", "20", "21"} and sens in {"", "Annulatif"}
        ),
        Decimal(0),
    )
    assert totaux.montant == somme(lecture) == attendu
    assert totaux.nombre == len(lecture.mandats)
    assert sum(montant for _, montant in totaux.par_chapitre.values()) == attendu
    assert lecture.lues == len(lecture.mandats) + sum(c.nombre for c in lecture.exclus.values())


# --- Deux fichiers ------------------------------------------------------------------------------

M = ["Chapitre", "Code tiers", "Montant HT"]
T = ["Code tiers", "Raison sociale", "SIRET", "Code postal", "Ville"]


def joints(mandats: list[list], tiers: list[list], titres: list[str] = T) -> Lecture:
    premier = ouvrir("mandats.xlsx", xlsx([M, *mandats]))
    second = ouvrir("tiers.csv", en_csv([titres, *tiers]))
    return lire_les_mandats(premier, premier.proposition(), ANNEE, (second, second.proposition()))


def test_deux_fichiers_se_joignent_sur_le_code_du_tiers():
    lecture = joints([["011", 123, 10], ["011", "F9", 5]], [["00123", "Martin", A, "34130", "MAUGUIO"]])
    assert [(m.siret, m.nom, m.code_postal) for m in lecture.mandats] == [(A, "Martin", "34130"), ("", "", "")]
    assert lecture.signalements == {"Le tiers n'est pas dans l'annuaire": 1}


def test_un_code_en_double_qui_se_contredit_ne_dit_rien():
    lecture = joints(
        [["011", "F1", 10]],
        [
            ["F1", "Martin", A, "34130", "MAUGUIO"],
            ["F1", "Martin", A, "34000", "MONTPELLIER"],
            ["F2", "X", "", "", ""],
        ],
    )
    assert [(m.siret, m.code_postal, m.ville) for m in lecture.mandats] == [(A, "", "")]
    assert any("lignes 2, 3" in phrase for phrase in lecture.signalements)
    assert "F1" not in " ".join(lecture.signalements)


def test_un_code_repete_a_l_identique_ne_gene_pas():
    lecture = joints([["011", "F1", 10]], [["F1", "Martin", A, "34130", ""], ["F1", "Martin", "", "34130", "MAUGUIO"]])
    assert [(m.siret, m.ville) for m in lecture.mandats] == [(A, "MAUGUIO")]
    assert not lecture.signalements


def test_deux_fichiers_sans_code_commun_sont_refuses():
    with pytest.raises(FichierIllisible, match="aucun code de tiers en commun"):
        joints([["011", "F1", 10]], [["F2", "Martin", A, "34130", "MAUGUIO"]])


def test_un_second_fichier_sans_code_de_tiers_est_refuse():
    with pytest.raises(FichierIllisible, match="aucune colonne ne donne le code du tiers"):
        joints([["011", "F1", 10]], [["Martin", A]], ["Raison sociale", "SIRET"])


# --- Les fichiers -------------------------------------------------------------------------------


def test_un_csv_en_windows_1252():
    titres = ["Chapitre", "Libellé tiers", "SIRET", "Localité", "Montant HT"]
    contenu = en_csv([titres, ["011", "Société Générale d’Été", A, "Saint-Aunès", "1 234,50"]], codage="cp1252")
    fichier = ouvrir("export.csv", contenu)
    lecture = lire_les_mandats(fichier, fichier.proposition(), ANNEE)
    assert [(m.nom, m.ville, m.montant) for m in lecture.mandats] == [
        ("Société Générale d’Été", "Saint-Aunès", Decimal("1234.50"))
    ]


def test_un_classeur_ods():
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    document, feuille = OpenDocumentSpreadsheet(), Table(name="Mandats")
    for rangee in [["Chapitre", "SIRET", "CP", "Montant HT"], ["011", A, "34130", 12.5]]:
        ods = TableRow()
        for valeur in rangee:
            cellule = (
                TableCell(valuetype="string")
                if isinstance(valeur, str)
                else TableCell(valuetype="float", value=str(valeur))
            )
            cellule.addElement(P(text=str(valeur)))
            ods.addElement(cellule)
        feuille.addElement(ods)
    document.spreadsheet.addElement(feuille)
    sortie = io.BytesIO()
    document.save(sortie)
    fichier = ouvrir("mandats.ods", sortie.getvalue())
    assert somme(lire_les_mandats(fichier, fichier.proposition(), ANNEE)) == Decimal("12.50")


@pytest.mark.parametrize(
    ("contenu", "phrase"),
    [
        (b"", "vide"),
        (b"\x89PNG\r\n\x1a\n", "une image"),
        (b"<!DOCTYPE html><html></html>", "page web"),
        (en_csv([["bonjour", "monde"], ["1", "2"]]), "Aucun titre de colonne"),
        (en_csv([TITRES]), "que des titres"),
        (b"PK\x03\x04abime", "incomplet"),
    ],
)
def test_un_fichier_qui_n_en_est_pas_un_est_refuse_par_son_nom(contenu, phrase):
    with pytest.raises(FichierIllisible, match=phrase) as refus:
        ouvrir("photo.xlsx", contenu)
    assert "« photo.xlsx »" in str(refus.value).replace("\u00a0", " ")


def test_un_fichier_sans_montant_est_refuse():
    with pytest.raises(FichierIllisible, match="aucune colonne ne donne le montant"):
        lu([["011", A]], ["Chapitre", "SIRET"])


def test_un_fichier_sans_chapitre_ni_article_est_refuse():
    with pytest.raises(FichierIllisible, match="chapitre"):
        lu([[A, 12]], ["SIRET", "Montant HT"])


def test_la_personne_peut_contredire_la_proposition():
    fichier: FichierLu = ouvrir("m.xlsx", xlsx([["Chapitre", "SIRET", "Montant", "Net"], ["011", A, 1, 2]]))
    lecture = lire_les_mandats(fichier, Correspondance(chapitre="Chapitre", montant="Net"), ANNEE)
    assert somme(lecture) == 2
