"""Lire un tableau venu d'ailleurs : ce qui s'y lit, ce qui s'y refuse, et avec quelle phrase."""

import dataclasses
import datetime
import io
import struct
import time
import zipfile
from collections.abc import Sequence
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

from socle.feuilles import repere
from socle.tableaux import (
    FichierIllisible,
    Limites,
    Tableau,
    TitresAbsents,
    deproteger,
    lire,
    proteger,
    texte_de,
)
from tests import fichiers

LIMITES = Limites(octets=5_000_000, octets_deplies=60_000_000, lignes=100, colonnes=10)
TITRES = ["N°", "Action", "Échéance"]
# Sans fuseau : un tableur n'en connaît pas.
MOMENT = datetime.datetime.fromisoformat("2026-01-02T14:30")


def reconnu(titre: str) -> bool:
    return titre in TITRES


def lu(contenu: bytes, nom: str = "classeur.xlsx", limites: Limites = LIMITES) -> Tableau:
    return lire(nom, contenu, limites=limites, reconnu=reconnu)


def refus(contenu: bytes, nom: str = "classeur.xlsx", limites: Limites = LIMITES) -> str:
    with pytest.raises(FichierIllisible) as leve:
        lu(contenu, nom, limites)
    return str(leve.value).replace("\u00a0", " ")


def cellules(contenu: bytes, **options: Any) -> list[list[Any]]:
    return [ligne.cellules for ligne in lu(contenu, **options).lignes]


# --- Fabriquer ----------------------------------------------------------------------------------


def cahier(*lignes: Sequence[Any]) -> openpyxl.Workbook:
    nouveau = openpyxl.Workbook()
    for ligne in lignes:
        nouveau.active.append(list(ligne))
    return nouveau


def octets(cahier: openpyxl.Workbook) -> bytes:
    tampon = io.BytesIO()
    cahier.save(tampon)
    return tampon.getvalue()


def xlsx(*lignes: Sequence[Any]) -> bytes:
    return octets(cahier(TITRES, *lignes))


def retouche(contenu: bytes, partie: str, avant: str, apres: str) -> bytes:
    """La même archive, un texte d'une de ses parties remplacé."""
    sortie = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(contenu)) as lue, zipfile.ZipFile(sortie, "w", zipfile.ZIP_DEFLATED) as ecrite:
        for nom in lue.namelist():
            texte = lue.read(nom)
            if nom == partie:
                assert avant.encode() in texte
                texte = texte.replace(avant.encode(), apres.encode(), 1)
            ecrite.writestr(nom, texte)
    return sortie.getvalue()


def feuille_xlsx(rangees: str, suite: str = "") -> bytes:
    """Un classeur dont la première feuille a ces rangées, écrites telles quelles sous les titres."""
    contenu = xlsx()
    return retouche(contenu, "xl/worksheets/sheet1.xml", "</sheetData>", f"{rangees}</sheetData>{suite}")


def ods(rangees: str) -> bytes:
    """Un .ods dont l'unique feuille a ces rangées, écrites telles quelles sous les titres."""
    titres = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{t}</text:p></table:table-cell>' for t in TITRES
    )
    return archive_ods(
        f'<table:table table:name="Suivi"><table:table-row>{titres}</table:table-row>{rangees}</table:table>'
    )


def archive_ods(tables: str, entete: str = "", parties: dict[str, bytes] | None = None) -> bytes:
    espaces = " ".join(
        f'xmlns:{nom}="urn:oasis:names:tc:opendocument:xmlns:{nom}:1.0"' for nom in ("office", "table", "text")
    )
    contenu = (
        f"<?xml version='1.0' encoding='UTF-8'?>{entete}<office:document-content {espaces} "
        'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0">'
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
    )
    return fichiers.archive(
        mimetype=b"application/vnd.oasis.opendocument.spreadsheet",
        **{"content.xml": contenu.encode()},
        **(parties or {}),
    )


def cellule_ods(texte: str, attributs: str = 'office:value-type="string"') -> str:
    return f"<table:table-cell {attributs}><text:p>{texte}</text:p></table:table-cell>"


# --- Ce qui se lit ------------------------------------------------------------------------------


def test_un_nombre_reste_un_nombre_une_date_une_date_un_texte_un_texte():
    valeurs = [12, "12", datetime.date(2026, 12, 31)]
    assert cellules(xlsx(valeurs, [1.5, True, MOMENT], ["T2 2026", None, 2026])) == [
        [12, "12", datetime.date(2026, 12, 31)],
        [1.5, True, MOMENT],
        ["T2 2026", None, 2026],
    ]
    assert [type(valeur) for valeur in cellules(xlsx(valeurs))[0]] == [int, str, datetime.date]


def test_les_dates_d_un_classeur_de_1904_sont_les_memes():
    de_1904 = cahier(TITRES, [1, "Acheter", datetime.date(2026, 12, 31)])
    de_1904.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    assert cellules(octets(de_1904))[0][2] == datetime.date(2026, 12, 31)


@pytest.mark.parametrize("format_", ["dd/mm/yyyy", "[$-40C]d mmmm yyyy", "yyyy\\-mm\\-dd", "m/d/yy"])
def test_une_date_se_reconnait_a_son_format_quel_qu_il_soit(format_):
    classeur = cahier(TITRES, [1, "Acheter", 46387])
    classeur.active["C2"].number_format = format_
    assert cellules(octets(classeur))[0][2] == datetime.date(2026, 12, 31)


def test_un_nombre_au_format_qui_ressemble_a_une_date_reste_un_nombre():
    classeur = cahier(TITRES, [1, "Acheter", 46387])
    classeur.active["C2"].number_format = '#,##0 "jours"'
    assert cellules(octets(classeur))[0][2] == 46387


def test_un_classeur_ods_se_lit_avec_ses_types():
    rangee = "".join(
        [
            '<table:table-cell office:value-type="float" office:value="12"><text:p>12</text:p></table:table-cell>',
            cellule_ods("Une<text:s text:c='2'/>ligne</text:p><text:p>et<text:tab/>une autre"),
            '<table:table-cell office:value-type="date" office:date-value="2026-12-31"><text:p>31/12</text:p>'
            "</table:table-cell>",
        ]
    )
    assert cellules(ods(f"<table:table-row>{rangee}</table:table-row>")) == [
        [12, "Une  ligne\net\tune autre", datetime.date(2026, 12, 31)]
    ]


def test_un_classeur_ecrit_par_odfpy_se_lit():
    document = OpenDocumentSpreadsheet()
    table = Table(name="Suivi")
    for ligne in (TITRES, ["1", "Acheter", ""]):
        rangee = TableRow()
        for texte in ligne:
            cellule = TableCell(valuetype="string")
            cellule.addElement(P(text=texte))
            rangee.addElement(cellule)
        table.addElement(rangee)
    document.spreadsheet.addElement(table)
    tampon = io.BytesIO()
    document.save(tampon)
    assert cellules(tampon.getvalue()) == [["1", "Acheter", None]]


def test_la_note_posee_sur_une_cellule_n_est_pas_sa_valeur():
    note = "<office:annotation><text:p>À revoir</text:p></office:annotation>"
    cellule = f'<table:table-cell office:value-type="string">{note}<text:p>Acheter</text:p></table:table-cell>'
    assert cellules(ods(f"<table:table-row>{cellule}</table:table-row>")) == [["Acheter", None, None]]


@pytest.mark.parametrize("separateur", [";", ",", "\t"])
@pytest.mark.parametrize("codage", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_un_csv_se_lit_quels_que_soient_son_separateur_et_son_codage(separateur, codage):
    lignes = [separateur.join(TITRES), separateur.join(["1", '"L\'œuvre, dite ; « commune »"', "T2 2026"])]
    assert cellules("\r\n".join(lignes).encode(codage), nom="a.csv") == [
        ["1", "L'œuvre, dite ; « commune »", "T2 2026"]
    ]


def test_la_ligne_des_titres_se_trouve_sous_un_titre_fusionne_et_la_numerotation_reste_celle_du_fichier():
    classeur = cahier(["Suivi du plan 2026"], [], TITRES, [1, "Acheter", None], [], [2, "Louer", None])
    classeur.active.merge_cells("A1:C1")
    tableau = lu(octets(classeur))
    assert (tableau.titres, [ligne.numero for ligne in tableau.lignes]) == (TITRES, [4, 6])


def test_la_feuille_lue_est_celle_qui_a_le_plus_de_titres_connus():
    classeur = cahier(["Sommaire"], ["Action"])
    classeur.create_sheet("Détail").append(TITRES)
    classeur["Détail"].append([1, "Acheter", None])
    tableau = lu(octets(classeur))
    assert (tableau.feuille, len(tableau.lignes)) == ("Détail", 1)


def test_une_formule_vaut_son_resultat_enregistre():
    rangee = (
        '<row r="2"><c r="A2"><f>1+1</f><v>2</v></c><c r="B2" t="str"><f>"Ac"&amp;"heter"</f><v>Acheter</v></c></row>'
    )
    assert cellules(feuille_xlsx(rangee)) == [[2, "Acheter", None]]


def test_un_texte_partage_mis_en_forme_se_lit_sans_sa_prononciation():
    contenu = fichiers.archive(
        **{
            "[Content_Types].xml": b"<Types/>",
            "_rels/.rels": b'<Relationships><Relationship Id="r" Type="x/officeDocument" Target="/xl/workbook.xml"/>'
            b"</Relationships>",
            "xl/workbook.xml": b'<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
            b'<sheets><sheet name="F" r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": b'<Relationships><Relationship Id="r1" Type="x/worksheet" '
            b'Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="x/sharedStrings" Target="textes.xml"/>'
            b"</Relationships>",
            "xl/textes.xml": b"<sst><si><t>Action</t></si><si><r><t>Ache</t></r><r><t>ter_x000A_ici</t></r>"
            b"<rPh><t>non</t></rPh></si></sst>",
            "xl/worksheets/sheet1.xml": b'<worksheet><sheetData><row><c t="s"><v>0</v></c></row><row>'
            b'<c t="s"><v>1</v></c></row></sheetData></worksheet>',
        }
    )
    assert cellules(contenu) == [["Acheter\nici"]]


# --- Le vide ------------------------------------------------------------------------------------


def test_cinquante_mille_lignes_vides_ne_comptent_pas():
    rangees = "".join(f'<row r="{n}"><c r="A{n}" s="0"/></row>' for n in range(2, 50_002))
    fin = '<row r="50002"><c r="B50002" t="inlineStr"><is><t>Acheter</t></is></c></row>'
    lignes = lu(feuille_xlsx(rangees + fin)).lignes
    assert [(ligne.numero, ligne.cellules) for ligne in lignes] == [(50_002, [None, "Acheter", None])]


def test_un_million_de_lignes_mises_en_forme_se_passent_en_quelques_secondes():
    rangees = "".join(f'<row r="{n}" s="1" customFormat="1"/>' for n in range(2, 1_048_577))
    contenu = feuille_xlsx(rangees)
    debut = time.process_time()
    assert lu(contenu).lignes == []
    assert time.process_time() - debut < 8


@pytest.mark.parametrize("repetition", [1_048_576, 10**15])
def test_une_repetition_vide_ne_se_deplie_pas(repetition):
    vides = f'<table:table-row table:number-rows-repeated="{repetition}"><table:table-cell '
    vides += f'table:number-columns-repeated="{repetition}"/></table:table-row>'
    debut = time.process_time()
    assert lu(ods(vides)).lignes == []
    assert time.process_time() - debut < 5


def test_une_repetition_remplie_est_refusee_des_que_la_limite_est_atteinte():
    pleine = f'<table:table-row table:number-rows-repeated="1048576">{cellule_ods("Acheter")}</table:table-row>'
    assert "100 lignes au plus" in refus(ods(pleine))
    large = cellule_ods("x", 'table:number-columns-repeated="16384" office:value-type="string"')
    assert "10 colonnes au plus" in refus(ods(f"<table:table-row>{large}</table:table-row>"))


# --- Ce qui se refuse ---------------------------------------------------------------------------


def _xls() -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 512


def _protege() -> bytes:
    return _xls() + "EncryptedPackage".encode("utf-16-le") + b"\x00" * 512


def _ods_protege() -> bytes:
    manifeste = b"<manifest:manifest><manifest:encryption-data/></manifest:manifest>"
    return archive_ods("<table:table/>", parties={"META-INF/manifest.xml": manifeste})


def _avec_une_partie(nom: str) -> bytes:
    contenu = io.BytesIO(xlsx([1, "Acheter", None]))
    with zipfile.ZipFile(contenu, "a") as archive:
        archive.writestr(nom, b"code")
    return contenu.getvalue()


def _xlsm_sans_macro() -> bytes:
    principal = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    return retouche(xlsx(), "[Content_Types].xml", principal, "application/vnd.ms-excel.sheet.macroEnabled.main+xml")


def _bombe() -> bytes:
    return fichiers.archive(**{"[Content_Types].xml": b"0" * 80_000_000})


def _milliard_de_rires(corps: str = "") -> str:
    entites = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    return f"<!DOCTYPE x [{entites}]>{corps}"


def _xlsx_a_entites() -> bytes:
    debut = "<worksheet"
    return retouche(xlsx(), "xl/worksheets/sheet1.xml", debut, _milliard_de_rires(debut))


@pytest.mark.parametrize(
    ("contenu", "phrase"),
    [
        (lambda: b"", "Ce fichier est vide."),
        (lambda: b"  \r\n", "Ce fichier est vide."),
        (lambda: octets(cahier()), "aucune cellule n'y est remplie"),
        (lambda: b"a" * 5_000_001, "dépasse 5 Mo"),
        (_bombe, "démesuré"),
        (_xls, "classeur d'avant 2007 (.xls)"),
        (_protege, "protégé par un mot de passe"),
        (_ods_protege, "protégé par un mot de passe"),
        (lambda: _avec_une_partie("xl/vbaProject.bin"), "contient des macros"),
        (_xlsm_sans_macro, "contient des macros"),
        (
            lambda: archive_ods("<table:table/>", parties={"Basic/Standard/Module1.xml": b"<x/>"}),
            "contient des macros",
        ),
        (lambda: xlsx([1, "Acheter", None])[:-300], "incomplet ou abîmé"),
        (lambda: b"PK\x03\x04du bruit", "incomplet ou abîmé"),
        (lambda: retouche(xlsx(), "xl/worksheets/sheet1.xml", "</sheetData>", "</rate>"), "incomplet ou abîmé"),
        (lambda: fichiers.archive(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"), "Ce classeur .ods est"),
        (lambda: fichiers.archive(mimetype=b"application/vnd.oasis.opendocument.text"), "pas un classeur (.ods)"),
        (lambda: fichiers.ooxml("docx"), "C'est un document ou un diaporama"),
        (lambda: b"<!DOCTYPE html><html><table><tr><td>Action</td></tr></table></html>", "est une page web"),
        (lambda: fichiers.PNG, "est une image"),
        (lambda: fichiers.PDF, "est un PDF"),
        (lambda: fichiers.EXE, "est un programme"),
        (lambda: b"a\x00b", "n'est ni un classeur .xlsx ou .ods, ni un texte CSV"),
        (_xlsx_a_entites, "déclarations XML"),
        (lambda: archive_ods("<table:table/>", _milliard_de_rires()), "déclarations XML"),
        (lambda: b"\x81\x8d\x8f;Action", "ni en UTF-8 ni en Windows-1252"),
        (lambda: b"\xff\xfeA\x00\xd8", "UTF-16"),
        (lambda: 'N°;Action\n1;"Acheter'.encode(), "ligne 2, un guillemet n'est pas refermé"),
        (lambda: xlsx(*[[n, "Acheter", None] for n in range(101)]), "100 lignes au plus"),
        (lambda: xlsx([None] * 10 + ["loin"]), "10 colonnes au plus : K2 est remplie"),
        (lambda: octets(cahier(["N°", "Action", "n°"])), "1 colonne en double : « N° » (A1 et C1)"),
        (
            lambda: xlsx([1, "Acheter", None, "perdue"]),
            "ligne 2 : une cellule est remplie dans une colonne sans titre, D2",
        ),
    ],
)
def test_un_fichier_qu_on_ne_lira_pas_est_refuse_et_la_phrase_dit_pourquoi(contenu, phrase):
    assert phrase in refus(contenu())


def test_une_archive_qui_ment_sur_sa_taille_ne_se_deplie_pas():
    """L'en-tête annonce dix octets, l'archive en contient cent millions."""
    menteuse = bytearray(fichiers.archive(**{"[Content_Types].xml": b"0" * 100_000_000}))
    vraie = struct.pack("<L", 100_000_000)
    assert menteuse.count(vraie) == 2
    for _ in range(2):
        place = menteuse.index(vraie)
        menteuse[place : place + 4] = struct.pack("<L", 10)
    assert "incomplet ou abîmé" in refus(bytes(menteuse))


def test_ce_qui_sort_vraiment_de_l_archive_est_compte_chaque_fois():
    """Une feuille citée mille fois ne pèse qu'une fois dans l'en-tête."""
    contenu = feuille_xlsx("".join(f'<row r="{n}"/>' for n in range(2, 2000)))
    with zipfile.ZipFile(io.BytesIO(contenu)) as archive:
        classeur = archive.read("xl/workbook.xml").decode()
    debut = classeur.index("<sheet ")
    une_fois = classeur[debut : classeur.index("/>", debut) + 2]
    limites = dataclasses.replace(LIMITES, octets_deplies=500_000)
    assert lu(contenu, limites=limites).lignes == []
    assert "démesuré" in refus(retouche(contenu, "xl/workbook.xml", une_fois, une_fois * 1000), limites=limites)


def test_un_classeur_dont_les_balises_sont_prefixees_se_lit():
    """Ainsi écrivent quelques logiciels métiers."""
    feuille = (
        '<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData>'
        '<x:row><x:c t="inlineStr"><x:is><x:t>Action</x:t></x:is></x:c></x:row><x:row><x:c><x:v>3</x:v></x:c></x:row>'
        "</x:sheetData></x:worksheet>"
    )
    with zipfile.ZipFile(io.BytesIO(xlsx())) as archive:
        avant = archive.read("xl/worksheets/sheet1.xml").decode()
    assert cellules(retouche(xlsx(), "xl/worksheets/sheet1.xml", avant, feuille)) == [[3]]


def test_sans_titre_connu_le_refus_cite_ce_que_dit_le_fichier():
    with pytest.raises(TitresAbsents) as leve:
        lu(octets(cahier(["Couleur", "Poids"], ["bleu", 3])))
    assert leve.value.premiers == ["Couleur", "Poids"]
    assert "« Couleur », « Poids »" in str(leve.value)


@pytest.mark.parametrize(
    ("rangee", "phrase"),
    [
        ('<row r="2"><c r="B2"><f>1+1</f></c></row>', "ligne 2 : la cellule B2 est une formule"),
        ('<row r="2"><c r="C2" t="e"><v>#REF!</v></c></row>', "ligne 2 : la cellule C2 est en erreur (#REF!)"),
        ('<row r="2"><c r="C2" t="e"><f>A9</f><v>#N/A</v></c></row>', "C2 est en erreur (#N/A)"),
        ('<row r="2"><c r="C2" t="inlineStr"><is><t>#VALEUR!</t></is></c></row>', "C2 est en erreur (#VALEUR!)"),
    ],
)
def test_une_cellule_sans_valeur_est_nommee(rangee, phrase):
    dit = refus(feuille_xlsx(rangee))
    assert dit.startswith("Feuille « Sheet », ")
    assert phrase in dit


def test_une_date_impossible_est_une_cellule_en_erreur():
    classeur = cahier(TITRES, [1, "Acheter", 99_999_999])
    classeur.active["C2"].number_format = "dd/mm/yyyy"
    assert "C2 est en erreur (date impossible)" in refus(octets(classeur))


def test_une_cellule_sans_valeur_hors_du_tableau_ne_gene_pas():
    classeur = cahier(["=SUM(A2:A3)"], TITRES, [1, "Acheter", None])
    assert cellules(octets(classeur)) == [[1, "Acheter", None]]


@pytest.mark.parametrize(
    ("cellule", "phrase"),
    [
        ('<table:table-cell table:formula="of:=1+1"/>', "A2 est une formule"),
        (
            '<table:table-cell table:formula="of:=A9" office:value-type="string" office:string-value="" '
            'calcext:value-type="error"><text:p>#N/A</text:p></table:table-cell>',
            "A2 est en erreur (#N/A)",
        ),
    ],
)
def test_une_cellule_ods_sans_valeur_est_nommee(cellule, phrase):
    assert phrase in refus(ods(f"<table:table-row>{cellule}</table:table-row>"))


def test_des_cellules_fusionnees_dans_le_tableau_sont_refusees():
    classeur = cahier(TITRES, [1, "Acheter", None], [2, None, None])
    classeur.active.merge_cells("B2:B3")
    assert "Feuille « Sheet », les cellules B2:B3 sont fusionnées" in refus(octets(classeur))
    fusion = cellule_ods("Acheter", 'office:value-type="string" table:number-columns-spanned="2"')
    assert "les cellules A2:B2 sont fusionnées" in refus(ods(f"<table:table-row>{fusion}</table:table-row>"))


# --- Ne pas laisser sortir de formule -----------------------------------------------------------


@pytest.mark.parametrize("texte", ["=1+1", "+33", "-3", "@SUM(A1)", "\t=1", "\r=1", "'=1"])
def test_un_texte_protege_ne_commence_jamais_comme_une_formule(texte):
    assert proteger(texte).startswith("'")


@given(st.text(alphabet="'=+-@\t\ra1 ", max_size=8))
def test_un_texte_protege_se_retrouve_a_l_identique(texte):
    assert deproteger(proteger(texte)) == texte


def test_un_texte_protege_se_lit_sans_sa_protection():
    assert cellules("N°;Action\n1;'=1+1\n2;''=1\n".encode()) == [["1", "=1+1"], ["2", "'=1"]]


@pytest.mark.parametrize(("valeur", "texte"), [(None, ""), (12.0, "12"), (1.5, "1.5"), (" a\r\nb ", "a\nb"), (3, "3")])
def test_le_texte_d_une_cellule(valeur, texte):
    assert texte_de(valeur) == texte


def test_une_cellule_se_nomme_comme_dans_un_tableur():
    assert [repere(*place) for place in ((0, 1), (25, 2), (26, 3), (701, 4), (702, 5))] == [
        "A1",
        "Z2",
        "AA3",
        "ZZ4",
        "AAA5",
    ]
