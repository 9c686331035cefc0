"""Écrire un classeur .ods : des textes XML dans une archive, tels que la norme OpenDocument les décrit."""

import datetime
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from socle.ecriture import LARGEUR_D_UNE_LISTE, LIGNES_EN_PLUS, LISTES, ClasseurEcrit, ColonneEcrite, Sorte
from socle.feuilles import repere
from socle.formats import INDICIBLES_EN_XML
from socle.tableaux import proteger

_MIME = "application/vnd.oasis.opendocument.spreadsheet"
_ESPACES = (
    " ".join(
        f'xmlns:{prefixe}="urn:oasis:names:tc:opendocument:xmlns:{nom}:1.0"'
        for prefixe, nom in (
            ("office", "office"),
            ("table", "table"),
            ("text", "text"),
            ("style", "style"),
            ("number", "datastyle"),
            ("fo", "xsl-fo-compatible"),
            ("config", "config"),
            ("manifest", "manifest"),
        )
    )
    + ' xmlns:of="urn:oasis:names:tc:opendocument:xmlns:of:1.2"'
)
_EN_TETE = '<?xml version="1.0" encoding="UTF-8"?>'
_BLANCS = re.compile(r" {2,}|\t|^ | $")
# Un signe de largeur, en centimètres.
_SIGNE = 0.2

_STYLES = {
    Sorte.TEXTE: '<style:table-cell-properties fo:wrap-option="wrap" style:vertical-align="top"/>',
    Sorte.ENTIER: '<style:table-cell-properties style:vertical-align="top"/>'
    '<style:paragraph-properties fo:text-align="center"/>',
    Sorte.NOMBRE: '<style:table-cell-properties style:vertical-align="top"/>',
    Sorte.DATE: '<style:table-cell-properties style:vertical-align="top"/>'
    '<style:paragraph-properties fo:text-align="start"/>',
    Sorte.LIBRE: '<style:table-cell-properties style:vertical-align="top"/>',
}
_FORMATS = {Sorte.TEXTE: "texte", Sorte.ENTIER: "entier", Sorte.NOMBRE: "nombre", Sorte.DATE: "date"}


def ecrire_ods(classeur: ClasseurEcrit) -> bytes:
    sortie = io.BytesIO()
    with zipfile.ZipFile(sortie, "w", zipfile.ZIP_DEFLATED) as archive:
        # La norme veut la nature du document en premier, et sans compression.
        archive.writestr(zipfile.ZipInfo("mimetype"), _MIME)
        archive.writestr("content.xml", "".join(_contenu(classeur)))
        archive.writestr("styles.xml", _STYLES_DE_PAGE)
        archive.writestr("settings.xml", _reglages(classeur))
        archive.writestr("META-INF/manifest.xml", _MANIFESTE)
    return sortie.getvalue()


def _contenu(classeur: ClasseurEcrit) -> Iterator[str]:
    yield f'{_EN_TETE}<office:document-content {_ESPACES} office:version="1.3">'
    yield f"<office:automatic-styles>{_formats()}{_styles_de_cellule()}{_styles_de_colonne(classeur)}"
    yield "</office:automatic-styles><office:body><office:spreadsheet>"
    yield _menus(classeur)
    yield from _tableau(classeur)
    yield from _mode_d_emploi(classeur)
    if classeur.listes:
        yield from _listes(classeur)
    fin = repere(len(classeur.colonnes) - 1, classeur.derniere_ligne)
    yield (
        '<table:database-ranges><table:database-range table:name="Tableau" table:display-filter-buttons="true" '
        f"table:target-range-address={quoteattr(f'{classeur.feuille}.A1:{classeur.feuille}.{fin}')}/>"
        "</table:database-ranges></office:spreadsheet></office:body></office:document-content>"
    )


# --- Styles -------------------------------------------------------------------------------------


def _formats() -> str:
    return (
        '<number:text-style style:name="texte"><number:text-content/></number:text-style>'
        '<number:number-style style:name="entier"><number:number number:min-integer-digits="1" '
        'number:decimal-places="0"/></number:number-style>'
        '<number:number-style style:name="nombre"><number:number number:min-integer-digits="1" '
        'number:decimal-places="2" number:min-decimal-places="2" number:grouping="true"/>'
        "<number:text>\u00a0€</number:text></number:number-style>"
        '<number:date-style style:name="date"><number:day number:style="long"/><number:text>/</number:text>'
        '<number:month number:style="long"/><number:text>/</number:text><number:year number:style="long"/>'
        "</number:date-style>"
    )


def _styles_de_cellule() -> str:
    gris = '<style:text-properties fo:color="#808080" fo:font-size="9pt"/>'
    styles = [
        f'<style:style style:name="{_style(sorte, effacee)}" style:family="table-cell"'
        f"{_format(sorte)}>{proprietes}{gris if effacee else ''}</style:style>"
        for sorte, proprietes in _STYLES.items()
        for effacee in (False, True)
    ]
    styles += [
        f'<style:style style:name="{nom}" style:family="table-cell"><style:table-cell-properties '
        f'fo:background-color="{fond}" fo:wrap-option="wrap" style:vertical-align="middle"/>'
        f'<style:text-properties fo:font-weight="bold" fo:color="{encre}"/></style:style>'
        for nom, fond, encre in (("titre", "#dce6f1", "#000000"), ("titre-gris", "#f2f2f2", "#808080"))
    ]
    styles.append(
        '<style:style style:name="gras" style:family="table-cell"><style:table-cell-properties '
        'style:vertical-align="top"/><style:text-properties fo:font-weight="bold"/></style:style>'
    )
    return "".join(styles)


def _style(sorte: Sorte, effacee: bool) -> str:
    return f"{sorte.value}-gris" if effacee else sorte.value


def _format(sorte: Sorte) -> str:
    return f' style:data-style-name="{_FORMATS[sorte]}"' if sorte in _FORMATS else ""


def _styles_de_colonne(classeur: ClasseurEcrit) -> str:
    largeurs = {colonne.largeur for colonne in classeur.colonnes} | {LARGEUR_D_UNE_LISTE, 26, 90}
    return '<style:style style:name="feuille" style:family="table" style:master-page-name="Paysage"/>' + "".join(
        f'<style:style style:name="large{largeur}" style:family="table-column"><style:table-column-properties '
        f'style:column-width="{largeur * _SIGNE:.2f}cm"/></style:style>'
        for largeur in sorted(largeurs)
    )


# --- Feuilles -----------------------------------------------------------------------------------


def _menus(classeur: ClasseurEcrit) -> str:
    noms = list(classeur.listes)
    menus = []
    for rang, colonne in enumerate(classeur.colonnes):
        choix = classeur.listes.get(colonne.liste)
        if choix:
            place = repere(noms.index(colonne.liste), 1)[:-1]
            condition = f"of:cell-content-is-in-list([${LISTES}.${place}$2:.${place}${len(choix) + 1}])"
            sorte, message = (
                ("stop", "Choisissez dans la liste.")
                if colonne.stricte
                else ("warning", "Ce texte n'est pas dans la liste.")
            )
            menus.append(
                f'<table:content-validation table:name="menu{rang}" table:condition={quoteattr(condition)} '
                'table:allow-empty-cell="true" table:display-list="unsorted" '
                f"table:base-cell-address={quoteattr(f'{classeur.feuille}.{repere(rang, 2)}')}>"
                f'<table:error-message table:message-type="{sorte}" table:title={quoteattr(colonne.titre)} '
                f'table:display="true"><text:p>{message}</text:p></table:error-message></table:content-validation>'
            )
    return f"<table:content-validations>{''.join(menus)}</table:content-validations>" if menus else ""


def _tableau(classeur: ClasseurEcrit) -> Iterator[str]:
    yield _ouvrir(classeur.feuille, [colonne.largeur for colonne in classeur.colonnes])
    titres = "".join(
        _cellule(colonne.titre, "titre-gris" if colonne.effacee else "titre") for colonne in classeur.colonnes
    )
    yield f"<table:table-header-rows><table:table-row>{titres}</table:table-row></table:table-header-rows>"
    poses = [_pose(rang, colonne, classeur) for rang, colonne in enumerate(classeur.colonnes)]
    for ligne in classeur.lignes:
        cellules = (_cellule(valeur, *pose) for valeur, pose in zip(ligne, poses, strict=True))
        yield f"<table:table-row>{''.join(cellules)}</table:table-row>"
    vides = "".join(_cellule(None, *pose) for pose in poses)
    yield f'<table:table-row table:number-rows-repeated="{LIGNES_EN_PLUS}">{vides}</table:table-row></table:table>'


def _pose(rang: int, colonne: ColonneEcrite, classeur: ClasseurEcrit) -> tuple[str, str, str]:
    """Le style d'une cellule de cette colonne, celui d'une date, et son menu."""
    menu = f' table:content-validation-name="menu{rang}"' if classeur.listes.get(colonne.liste) else ""
    return _style(colonne.sorte, colonne.effacee), _style(Sorte.DATE, colonne.effacee), menu


def _mode_d_emploi(classeur: ClasseurEcrit) -> Iterator[str]:
    yield _ouvrir("Lisez-moi", [26, 90])
    for intitule, phrase in classeur.mode_d_emploi:
        yield f"<table:table-row>{_cellule(intitule, 'gras')}{_cellule(phrase, Sorte.TEXTE.value)}</table:table-row>"
    yield "</table:table>"


def _listes(classeur: ClasseurEcrit) -> Iterator[str]:
    """Une liste par colonne : les plus courtes laissent des cellules vides."""
    yield _ouvrir(LISTES, [LARGEUR_D_UNE_LISTE] * max(1, len(classeur.listes)))
    yield f"<table:table-row>{''.join(_cellule(nom, 'titre') for nom in classeur.listes)}</table:table-row>"
    for rang in range(max((len(choix) for choix in classeur.listes.values()), default=0)):
        cellules = (
            _cellule(choix[rang] if rang < len(choix) else None, Sorte.TEXTE.value)
            for choix in classeur.listes.values()
        )
        yield f"<table:table-row>{''.join(cellules)}</table:table-row>"
    yield "</table:table>"


def _ouvrir(nom: str, largeurs: Sequence[int]) -> str:
    colonnes = "".join(
        f'<table:table-column table:style-name="large{largeur}" table:number-columns-repeated="{len(list(suite))}"/>'
        for largeur, suite in groupby(largeurs)
    )
    return f'<table:table table:name={quoteattr(nom)} table:style-name="feuille">{colonnes}'


def _cellule(valeur: Any, style: str, style_de_date: str = "", menu: str = "") -> str:
    if isinstance(valeur, datetime.date):
        style = style_de_date or style
    debut = f'<table:table-cell table:style-name="{style}"{menu}'
    if valeur is None or valeur == "":
        return f"{debut}/>"
    if isinstance(valeur, datetime.date):
        return f'{debut} office:value-type="date" office:date-value="{valeur.isoformat()}"/>'
    if not isinstance(valeur, str):
        return f'{debut} office:value-type="float" office:value="{valeur}"/>'
    # `lire` retire une apostrophe de garde.
    texte = proteger(valeur) if valeur.startswith("'") else valeur
    return f'{debut} office:value-type="string">{"".join(_paragraphes(texte.splitlines()))}</table:table-cell>'


def _paragraphes(lignes: Iterable[str]) -> Iterator[str]:
    """XML réduit les blancs : ceux qui comptent s'y nomment."""
    for ligne in lignes:
        yield f"<text:p>{_BLANCS.sub(_blanc, escape(INDICIBLES_EN_XML.sub('', ligne)))}</text:p>"


def _blanc(trouve: re.Match[str]) -> str:
    return "<text:tab/>" if trouve[0] == "\t" else f'<text:s text:c="{len(trouve[0])}"/>'


# --- Le reste de l'archive ----------------------------------------------------------------------

_STYLES_DE_PAGE = (
    f'{_EN_TETE}<office:document-styles {_ESPACES} office:version="1.3"><office:automatic-styles>'
    '<style:page-layout style:name="paysage"><style:page-layout-properties fo:page-width="42cm" '
    'fo:page-height="29.7cm" style:print-orientation="landscape" style:scale-to="60%" style:print="grid objects" '
    'fo:margin="1cm"/>'
    '</style:page-layout></office:automatic-styles><office:master-styles><style:master-page style:name="Paysage" '
    'style:page-layout-name="paysage"/></office:master-styles></office:document-styles>'
)
_MANIFESTE = (
    f'{_EN_TETE}<manifest:manifest {_ESPACES} manifest:version="1.3">'
    f'<manifest:file-entry manifest:full-path="/" manifest:version="1.3" manifest:media-type="{_MIME}"/>'
    + "".join(
        f'<manifest:file-entry manifest:full-path="{nom}" manifest:media-type="text/xml"/>'
        for nom in ("content.xml", "styles.xml", "settings.xml")
    )
    + "</manifest:manifest>"
)


def _reglages(classeur: ClasseurEcrit) -> str:
    """Ce qui reste à l'écran quand on défile : les titres et les premières colonnes."""
    figees = {
        ("HorizontalSplitMode", "short"): 2 if classeur.figees else 0,
        ("HorizontalSplitPosition", "int"): classeur.figees,
        ("PositionRight", "int"): classeur.figees,
        ("VerticalSplitMode", "short"): 2,
        ("VerticalSplitPosition", "int"): 1,
        ("PositionBottom", "int"): 1,
        ("ActiveSplitRange", "short"): 3 if classeur.figees else 2,
    }
    items = "".join(
        f'<config:config-item config:name="{nom}" config:type="{sorte}">{valeur}</config:config-item>'
        for (nom, sorte), valeur in figees.items()
    )
    feuille = quoteattr(classeur.feuille)
    return (
        f'{_EN_TETE}<office:document-settings {_ESPACES} office:version="1.3"><office:settings>'
        '<config:config-item-set config:name="ooo:view-settings"><config:config-item-map-indexed config:name="Views">'
        "<config:config-item-map-entry>"
        f'<config:config-item config:name="ActiveTable" config:type="string">{escape(classeur.feuille)}'
        '</config:config-item><config:config-item-map-named config:name="Tables">'
        f"<config:config-item-map-entry config:name={feuille}>{items}</config:config-item-map-entry>"
        "</config:config-item-map-named></config:config-item-map-entry></config:config-item-map-indexed>"
        "</config:config-item-set></office:settings></office:document-settings>"
    )
