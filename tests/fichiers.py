"""De petits fichiers d'essai, fabriqués ici : ce qu'un agent dépose, et ce qu'il ne devrait pas pouvoir déposer."""

import io
import zipfile

import openpyxl
from odf.opendocument import OpenDocumentSpreadsheet, OpenDocumentText
from odf.table import Table

PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< >>\n%%EOF\n"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000100ffff03"
    "00000600055736d8350000000049454e44ae426082"
)
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")
WEBP = b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"
EXE = (
    b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00" + b"\x00" * 64 + b"This program cannot be run in DOS"
)
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'

_PRINCIPALES = {
    "docx": ("word/document.xml", "wordprocessingml.document"),
    "xlsx": ("xl/workbook.xml", "spreadsheetml.sheet"),
    "pptx": ("ppt/presentation.xml", "presentationml.presentation"),
}


def archive(**entrees: bytes) -> bytes:
    """Un zip de ces entrées ; « __ » dans un nom y devient « / »."""
    sortie = io.BytesIO()
    with zipfile.ZipFile(sortie, "w", zipfile.ZIP_DEFLATED) as ecrite:
        for nom, contenu in entrees.items():
            ecrite.writestr(nom, contenu)
    return sortie.getvalue()


def ooxml(extension: str, *, macros: bool = False, type_principal: str = "", **de_plus: bytes) -> bytes:
    """Un document d'Office réduit à ce qui le fait reconnaître. `type_principal` : un autre que le sien."""
    partie, nature = _PRINCIPALES[extension]
    principal = type_principal or f"application/vnd.openxmlformats-officedocument.{nature}.main+xml"
    types = (
        '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        f'<Override PartName="/{partie}" ContentType="{principal}"/></Types>'
    )
    entrees = {"[Content_Types].xml": types.encode(), partie: b"<document/>"}
    if macros:
        entrees[f"{partie.partition('/')[0]}/vbaProject.bin"] = b"\xd0\xcf\x11\xe0"
    return archive(**entrees | de_plus)


def classeur_excel() -> bytes:
    classeur = openpyxl.Workbook()
    classeur.active["A1"] = "Montant"
    sortie = io.BytesIO()
    classeur.save(sortie)
    return sortie.getvalue()


def classeur_ods() -> bytes:
    classeur = OpenDocumentSpreadsheet()
    classeur.spreadsheet.addElement(Table(name="Feuille1"))
    sortie = io.BytesIO()
    classeur.write(sortie)
    return sortie.getvalue()


def texte_odt() -> bytes:
    sortie = io.BytesIO()
    OpenDocumentText().write(sortie)
    return sortie.getvalue()


def avec(contenu: bytes, **entrees: bytes) -> bytes:
    """La même archive, avec ces entrées de plus."""
    with zipfile.ZipFile(io.BytesIO(contenu)) as lue:
        return archive(**{nom: lue.read(nom) for nom in lue.namelist()} | entrees)
