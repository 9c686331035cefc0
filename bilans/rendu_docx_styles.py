"""L'habillage du bilan en .docx : format, langue, styles, en-tête et pied, tableaux, propriétés du fichier."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from django.utils import timezone

from bilans.contenu.schema import BilanLu

if TYPE_CHECKING:
    from docx.document import Document

LANGUE = "fr-FR"
CHIFFRE, SOUS_CHIFFRE, PRECISION = "Chiffre clé", "Texte du chiffre", "Précision"
# Un tableau plus court ne se coupe pas d'une page à l'autre.
RANGEES_ENSEMBLE = 15
ENCRE, ACCENT, DISCRET = "1A1A1A", "0B5B82", "5C6770"


def mettre_en_page(document: "Document") -> None:
    """A4, en français, dans les styles de Word (titres, listes, tableaux) et trois de plus pour les chiffres."""
    from docx.shared import Cm

    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.2)
    section.top_margin = section.bottom_margin = Cm(2)
    _parler_francais(document)
    _oublier_la_vignette(document)
    _habiller(document, "Normal", taille=10.5, encre=ENCRE)
    _habiller(document, "Title", taille=20, encre=ACCENT)
    for niveau, taille in ((1, 15), (2, 12), (3, 11)):
        _habiller(document, f"Heading {niveau}", taille=taille, encre=ACCENT)
    # Ce qui est dit d'une action se tient près d'elle.
    for nom, apres in (("List Bullet", 2), ("List Continue", 4)):
        _espacer(document, nom, apres)
    _ajouter(document, CHIFFRE, taille=30, encre=ACCENT, gras=True, avant=12, garde=True)
    _ajouter(document, SOUS_CHIFFRE, taille=10.5, encre=ENCRE, apres=6)
    _ajouter(document, PRECISION, taille=9.5, encre=DISCRET, apres=6)


def _parler_francais(document: "Document") -> None:
    """La langue du correcteur et de la lecture à voix haute : celle par défaut de tout le document."""
    from docx.oxml.ns import qn

    for langue in document.styles.element.iter(qn("w:lang")):
        langue.set(qn("w:val"), LANGUE)


def _oublier_la_vignette(document: "Document") -> None:
    """Le modèle de python-docx porte l'image d'une page qui n'est pas celle-ci."""
    liens: Any = cast("Any", document.part.package).rels
    for cle in [cle for cle, lien in liens.items() if lien.reltype.endswith("/thumbnail")]:
        del liens[cle]


def _habiller(document: "Document", nom: str, *, taille: float, encre: str) -> Any:
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    style: Any = document.styles[nom]
    style.font.name, style.font.size, style.font.color.rgb = "Calibri", Pt(taille), RGBColor.from_string(encre)
    # Une police de thème l'emporterait sur celle qu'on nomme.
    polices = style.element.rPr.rFonts
    for attribut in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        polices.attrib.pop(qn(f"w:{attribut}"), None)
    return style


def _espacer(document: "Document", nom: str, apres: float) -> None:
    from docx.shared import Pt

    style: Any = document.styles[nom]
    style.paragraph_format.space_after = Pt(apres)


def _ajouter(
    document: "Document",
    nom: str,
    *,
    taille: float,
    encre: str,
    gras: bool = False,
    avant: float = 0,
    apres: float = 0,
    garde: bool = False,
) -> None:
    """`garde` : le paragraphe ne quitte pas le suivant."""
    from docx.enum.style import WD_STYLE_TYPE
    from docx.shared import Pt

    nouveau: Any = document.styles.add_style(nom, WD_STYLE_TYPE.PARAGRAPH)
    nouveau.base_style, nouveau.quick_style = document.styles["Normal"], True
    _habiller(document, nom, taille=taille, encre=encre).font.bold = gras
    nouveau.paragraph_format.space_before, nouveau.paragraph_format.space_after = Pt(avant), Pt(apres)
    nouveau.paragraph_format.keep_with_next = garde


def ecrire_les_proprietes(document: "Document", lu: BilanLu) -> None:
    """Aucun nom de personne : l'auteur est la collectivité."""
    proprietes = document.core_properties
    proprietes.title = f"Bilan {lu.annee}, {lu.plan.intitule}"
    proprietes.subject = lu.plan.titre_avancement
    proprietes.author = lu.collectivite
    proprietes.last_modified_by = lu.collectivite
    proprietes.language = LANGUE
    proprietes.comments = ""
    proprietes.keywords = "brouillon" if lu.brouillon else f"version {lu.rang}"
    # Dans ce format, une date est en temps universel, sans fuseau.
    moment = (lu.arrete_le or timezone.now()).astimezone(timezone.get_fixed_timezone(0)).replace(tzinfo=None)
    proprietes.created = proprietes.modified = moment
    proprietes.revision = lu.rang or 1


def ecrire_le_pied(document: "Document", lu: BilanLu, mention: str) -> None:
    """En haut de chaque page, `mention` si elle n'est pas vide ; en bas, le bilan et le numéro de la page."""
    section = document.sections[0]
    if mention:
        haut = section.header.paragraphs[0]
        haut.add_run(mention).bold = True
    bas: Any = section.footer.paragraphs[0]
    bas.add_run(f"Bilan {lu.annee} · {lu.plan.intitule} · page ")
    _champ(bas, "PAGE")
    bas.add_run(" sur ")
    _champ(bas, "NUMPAGES")


def _champ(paragraphe: Any, code: str) -> None:
    """Un champ que Word calcule."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    champ = OxmlElement("w:fldSimple")
    champ.set(qn("w:instr"), code)
    paragraphe._p.append(champ)


def regler_le_tableau(tableau: Any, legende: str, largeurs: Sequence[float]) -> None:
    """La première rangée est celle des en-têtes, redite en haut de chaque page ; `legende` se lit à voix haute.

    `largeurs` : en centimètres, une par colonne ; vide, elles restent égales.
    """
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Cm

    for colonne, largeur in zip(tableau.columns, largeurs, strict=False):
        # Word lit la largeur des cases, LibreOffice celle des colonnes.
        for cible in (colonne, *colonne.cells):
            cible.width = Cm(largeur)
    if len(tableau.rows) <= RANGEES_ENSEMBLE:
        for rangee in list(tableau.rows)[:-1]:
            for case in rangee.cells:
                case.paragraphs[0].paragraph_format.keep_with_next = True
    for rang, rangee in enumerate(tableau.rows):
        proprietes = rangee._tr.get_or_add_trPr()
        for nom in ("w:cantSplit", "w:tblHeader")[: 2 if rang == 0 else 1]:
            proprietes.append(OxmlElement(nom))
    titre = OxmlElement("w:tblCaption")
    titre.set(qn("w:val"), legende)
    tableau._tbl.tblPr.append(titre)
