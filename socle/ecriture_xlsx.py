"""Écrire un classeur .xlsx : openpyxl fait le classeur, ses styles et ses menus ; les lignes s'y glissent en texte.

openpyxl écrit vingt fois plus lentement les lignes qu'il faudrait : douze secondes pour 10 000 actions.
"""

import datetime
import io
import re
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from socle.ecriture import LARGEUR_D_UNE_LISTE, LIGNES_EN_PLUS, LISTES, ClasseurEcrit, Sorte
from socle.feuilles import repere
from socle.tableaux import proteger

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

_FORMATS = {
    Sorte.TEXTE: "@",
    Sorte.ENTIER: "0",
    Sorte.NOMBRE: r'#,##0.00\ "€"',
    Sorte.DATE: "dd/mm/yyyy",
    Sorte.LIBRE: "General",
}
_CADRAGES = {Sorte.ENTIER: "center"}
# La hauteur d'une ligne de texte, en points, et combien une rangée en montre au plus.
_HAUTEUR, _LIGNES_MONTREES = 15, 12
_ORIGINE = datetime.date(1899, 12, 30)
_PREMIERE_FEUILLE = "xl/worksheets/sheet1.xml"
# Ce que XML ne sait pas écrire s'y note « _x0007_ », et ce qui ressemble à cette note s'échappe.
_INDICIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\r|_(?=x[0-9A-Fa-f]{4}_)")

Styles = dict[tuple[int, bool], int]


def ecrire_xlsx(classeur: ClasseurEcrit) -> bytes:
    from openpyxl import Workbook

    cahier = Workbook()
    feuille = cahier.worksheets[0]
    feuille.title = classeur.feuille
    styles = _preparer_le_tableau(feuille, classeur)
    _ecrire_le_mode_d_emploi(cahier, classeur)
    if classeur.listes:
        _ecrire_les_listes(cahier, classeur)
    nu = io.BytesIO()
    cahier.save(nu)
    return _avec_les_lignes(nu, classeur, styles)


# --- Le tableau ---------------------------------------------------------------------------------


def _preparer_le_tableau(feuille: "Worksheet", classeur: ClasseurEcrit) -> Styles:
    """Titres, largeurs, menus, filtre, impression ; rend le style de chaque colonne, et pour une date."""
    from openpyxl.styles import Alignment, Font

    styles: Styles = {}
    for rang, colonne in enumerate(classeur.colonnes):
        _titrer(feuille.cell(1, rang + 1), colonne.titre, effacee=colonne.effacee)
        # Une cellule d'essai par style : openpyxl lui donne le numéro que les lignes reprendront.
        for est_une_date in (False, True):
            essai = feuille.cell(2 + est_une_date, rang + 1)
            essai.number_format = _FORMATS[Sorte.DATE if est_une_date else colonne.sorte]
            essai.alignment = Alignment(
                vertical="top",
                horizontal="left" if est_une_date else _CADRAGES.get(colonne.sorte),
                wrap_text=colonne.sorte is Sorte.TEXTE,
            )
            if colonne.effacee:
                essai.font = Font(name="Calibri", size=9, color="808080")
            styles[rang, est_une_date] = essai.style_id
        dimension = feuille.column_dimensions[repere(rang, 1)[:-1]]
        dimension.width = colonne.largeur
        dimension._style = feuille.cell(2, rang + 1)._style
    feuille.row_dimensions[1].height = 32
    feuille.freeze_panes = repere(classeur.figees, 2)
    feuille.auto_filter.ref = f"A1:{repere(len(classeur.colonnes) - 1, classeur.derniere_ligne)}"
    feuille.page_setup.orientation, feuille.page_setup.paperSize = "landscape", "8"
    feuille.page_setup.scale, feuille.print_options.gridLines = 60, True
    feuille.print_title_rows = "1:1"
    if classeur.figees:
        feuille.print_title_cols = f"A:{repere(classeur.figees - 1, 1)[:-1]}"
    _poser_les_menus(feuille, classeur)
    return styles


def _titrer(cellule: Any, titre: str, *, effacee: bool = False) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill

    cellule.value = titre
    cellule.font = Font(name="Calibri", size=11, bold=True, color="808080" if effacee else "000000")
    cellule.fill = PatternFill("solid", fgColor="F2F2F2" if effacee else "DCE6F1")
    cellule.alignment = Alignment(vertical="center", wrap_text=True)


def _poser_les_menus(feuille: "Worksheet", classeur: ClasseurEcrit) -> None:
    from openpyxl.worksheet.datavalidation import DataValidation

    noms = list(classeur.listes)
    for rang, colonne in enumerate(classeur.colonnes):
        choix = classeur.listes.get(colonne.liste)
        if not choix:
            continue
        place = repere(noms.index(colonne.liste), 1)[:-1]
        menu = DataValidation(
            type="list",
            formula1=f"{LISTES}!${place}$2:${place}${len(choix) + 1}",
            allow_blank=True,
            # Hors de la liste, un tableur avertit ; il ne laisse passer que si la colonne accepte d'autres textes.
            errorStyle="stop" if colonne.stricte else "warning",
            errorTitle=colonne.titre,
            error="Choisissez dans la liste." if colonne.stricte else "Ce texte n'est pas dans la liste.",
            showErrorMessage=True,
        )
        menu.add(f"{repere(rang, 2)}:{repere(rang, classeur.derniere_ligne + LIGNES_EN_PLUS)}")
        feuille.add_data_validation(menu)


# --- Les deux autres feuilles -------------------------------------------------------------------


def _ecrire_le_mode_d_emploi(cahier: "Workbook", classeur: ClasseurEcrit) -> None:
    from openpyxl.styles import Alignment, Font

    feuille = cahier.create_sheet("Lisez-moi")
    feuille.column_dimensions["A"].width, feuille.column_dimensions["B"].width = 26, 90
    for rang, (intitule, phrase) in enumerate(classeur.mode_d_emploi, start=1):
        for colonne, texte in ((1, intitule), (2, phrase)):
            cellule = feuille.cell(rang, colonne)
            _poser_un_texte(cellule, texte)
            cellule.alignment = Alignment(vertical="top", wrap_text=True)
        feuille.cell(rang, 1).font = Font(name="Calibri", size=11, bold=True)
        feuille.row_dimensions[rang].height = _HAUTEUR * _lignes_de_texte(phrase, 90)
    feuille.page_setup.fitToHeight = 0
    feuille.sheet_properties.pageSetUpPr.fitToPage = True


def _ecrire_les_listes(cahier: "Workbook", classeur: ClasseurEcrit) -> None:
    feuille = cahier.create_sheet(LISTES)
    for rang, (nom, choix) in enumerate(classeur.listes.items()):
        _titrer(feuille.cell(1, rang + 1), nom)
        feuille.column_dimensions[repere(rang, 1)[:-1]].width = LARGEUR_D_UNE_LISTE
        for ligne, texte in enumerate(choix, start=2):
            _poser_un_texte(feuille.cell(ligne, rang + 1), texte)
    feuille.freeze_panes = "A2"


def _poser_un_texte(cellule: Any, texte: str) -> None:
    """Un texte, même s'il commence comme une formule."""
    cellule.value = _dicible(texte)
    cellule.data_type = "s"


# --- Les lignes ---------------------------------------------------------------------------------


def _avec_les_lignes(nu: io.BytesIO, classeur: ClasseurEcrit, styles: Styles) -> bytes:
    """Le même classeur, les cellules d'essai de sa première feuille remplacées par ses lignes."""
    complet = io.BytesIO()
    with zipfile.ZipFile(nu) as avant, zipfile.ZipFile(complet, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as apres:
        for partie in avant.infolist():
            contenu = avant.read(partie)
            if partie.filename == _PREMIERE_FEUILLE:
                debut, _, suite = contenu.decode().partition('<row r="2"')
                fin = suite[suite.index("</sheetData>") :]
                contenu = f"{debut}{''.join(_rangees(classeur, styles))}{fin}".encode()
                contenu = re.sub(rb'<dimension ref="[^"]*" ?/>', b"", contenu, count=1)
            apres.writestr(partie.filename, contenu)
    return complet.getvalue()


def _rangees(classeur: ClasseurEcrit, styles: Styles) -> Iterator[str]:
    places = [repere(rang, 1)[:-1] for rang in range(len(classeur.colonnes))]
    largeurs = [colonne.largeur for colonne in classeur.colonnes]
    for numero, ligne in enumerate(classeur.lignes, start=2):
        cellules = (
            _cellule(f"{places[rang]}{numero}", valeur, styles[rang, isinstance(valeur, datetime.date)])
            for rang, valeur in enumerate(ligne)
            if valeur is not None and valeur != ""
        )
        hauteur = _HAUTEUR * max(map(_lignes_de_texte, ligne, largeurs))
        yield f'<row r="{numero}" ht="{hauteur}">{"".join(cellules)}</row>'


def _lignes_de_texte(valeur: Any, largeur: int) -> int:
    """Sur combien de lignes ce texte se montre : un tableur ne le calcule qu'en ouvrant la cellule."""
    if not isinstance(valeur, str) or (len(valeur) <= largeur and "\n" not in valeur):
        return 1
    return min(_LIGNES_MONTREES, sum(1 + max(0, len(ligne) - 1) // largeur for ligne in valeur.split("\n")))


def _cellule(adresse: str, valeur: Any, style: int) -> str:
    if isinstance(valeur, str):
        texte = escape(_dicible(valeur))
        return f'<c r="{adresse}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{texte}</t></is></c>'
    nombre = (valeur - _ORIGINE).days if isinstance(valeur, datetime.date) else valeur
    return f'<c r="{adresse}" s="{style}"><v>{nombre}</v></c>'


def _dicible(texte: str) -> str:
    """Le texte tel qu'un .xlsx l'écrit : les signes que XML n'a pas, et ce que `lire` prendrait pour une garde."""
    if texte.startswith("'"):
        texte = proteger(texte)
    return _INDICIBLE.sub(lambda trouve: f"_x{ord(trouve[0]):04X}_", texte)
