"""Ce qu'un fichier déposé est vraiment : son contenu décide, ni son nom ni ce que le navigateur en dit.

Rien n'est décompressé hors de deux petits fichiers d'archive, dont la taille annoncée est bornée d'abord.
"""

import hashlib
import re
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath

import puremagic
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring
from django.core.exceptions import ValidationError
from django.core.files import File

from socle.formats import INSECABLE, formater_nombre

MO = 1024 * 1024
TAILLE_MAX = 20 * MO
LONGUEUR_DU_NOM = 150

_DANS_OOXML = "application/vnd.openxmlformats-officedocument."
_DANS_ODF = "application/vnd.oasis.opendocument."
# Extension → type servi.
TYPES = {
    "pdf": "application/pdf",
    "docx": f"{_DANS_OOXML}wordprocessingml.document",
    "xlsx": f"{_DANS_OOXML}spreadsheetml.sheet",
    "pptx": f"{_DANS_OOXML}presentationml.presentation",
    "odt": f"{_DANS_ODF}text",
    "ods": f"{_DANS_ODF}spreadsheet",
    "odp": f"{_DANS_ODF}presentation",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "txt": "text/plain; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
}
EN_CLAIR = (
    "PDF, Word, Excel ou PowerPoint (docx, xlsx, pptx), LibreOffice (odt, ods, odp), image (png, jpeg, webp), "
    "texte (txt, csv)"
)
ACCEPTES = ",".join(f".{extension}" for extension in TYPES)

# Ce que puremagic reconnaît à la première page, dit en français quand ce n'est pas ce qu'annonce le nom.
_RECONNUS = {
    ".exe": "un programme",
    ".dll": "un programme",
    ".AppImage": "un programme",
    ".pdf": "un PDF",
    ".png": "une image",
    ".jpg": "une image",
    ".jpeg": "une image",
    ".webp": "une image",
    ".gif": "une image",
    ".svg": "une image SVG",
    ".html": "une page web",
    ".xml": "un fichier XML",
    ".docx": "une archive ou un document de bureautique",
    ".zip": "une archive",
    ".doc": "un document d'un ancien Office",
    ".rtf": "un document RTF",
}
_IMAGES = {"png": ".png", "jpg": ".jpg", "jpeg": ".jpg", "webp": ".webp"}
# Des logiciels écrivent une marque d'ordre ou des blancs avant un PDF, et tous les lecteurs l'admettent.
_AVANT_UN_PDF = b"\xef\xbb\xbf\r\n\t "
_TETE = 8192
_PETIT = MO
_ENTREES_MAX = 20_000
# Ce que seul un fichier binaire contient : les commandes de terminal, hors tabulation et fins de ligne.
_BINAIRE = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_BALISAGE = re.compile(r"\s*<(?:[!?a-zA-Z])")
# Les caractères de commande, et ceux qui renversent l'écriture : un programme s'y donnerait l'air d'un PDF.
_HORS_D_UN_NOM = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]')


@dataclass(frozen=True)
class FichierControle:
    """Un fichier accepté. `taille` en octets ; `empreinte` : SHA-256, en hexadécimal."""

    nom: str
    type_mime: str
    taille: int
    empreinte: str


def nom_sur(nom: str) -> str:
    """Le nom à montrer et à proposer au téléchargement : sans dossier ni caractère trompeur, et pas trop long."""
    nom = unicodedata.normalize("NFC", nom.replace("\\", "/")).rpartition("/")[2]
    nom = _HORS_D_UN_NOM.sub("", nom).strip(" .")
    base, point, extension = nom.rpartition(".")
    if not point:
        return nom[:LONGUEUR_DU_NOM]
    return f"{base[: LONGUEUR_DU_NOM - len(extension) - 1].rstrip()}.{extension.lower()}"


def poids_lisible(octets: int) -> str:
    """« 340 ko », « 1,2 Mo », « 5 Mo », « 50 Mo » ; jamais « 0 »."""
    if octets < MO / 10:
        return f"{formater_nombre(-(-octets // 1024))}{INSECABLE}ko"
    entier = octets % MO == 0 or octets >= 10 * MO
    return f"{formater_nombre(octets / MO, 0 if entier else 1)}{INSECABLE}Mo"


def trop_lourd(nom: str, octets: int) -> ValidationError:
    cite, poids = f"«{INSECABLE}{nom_sur(nom)}{INSECABLE}»", poids_lisible(octets)
    # À un octet près, « pèse 20 Mo : 20 Mo au plus » ne se comprendrait pas.
    pese = poids if poids != poids_lisible(TAILLE_MAX) else f"un peu plus de {poids}"
    return ValidationError(f"{cite} pèse {pese} : {poids_lisible(TAILLE_MAX)} au plus.")


def controler(fichier: File) -> FichierControle:
    """Le fichier, s'il peut être gardé. ValidationError : une phrase qui le nomme et dit ce qui ne va pas."""
    nom, taille = nom_sur(fichier.name or ""), fichier.size
    cite = f"«{INSECABLE}{nom}{INSECABLE}»"
    extension = PurePosixPath(nom).suffix.removeprefix(".")
    if not taille:
        raise ValidationError(f"{cite} est vide.")
    if taille > TAILLE_MAX:
        raise trop_lourd(nom, taille)
    if extension in ("xlsm", "docm", "pptm", "xltm", "dotm", "xlsb"):
        raise ValidationError(f"{cite} peut contenir des macros. Enregistrez-le sans macros (docx, xlsx, pptx).")
    if extension not in TYPES:
        raise ValidationError(f"{cite} n'est pas d'un type accepté. Types acceptés : {EN_CLAIR}.")
    refus = _examiner(fichier, extension)
    fichier.seek(0)
    if refus:
        raise ValidationError(f"{cite} {refus}")
    return FichierControle(nom, TYPES[extension], taille, _empreinte(fichier))


def _empreinte(fichier: File) -> str:
    somme = hashlib.sha256()
    for morceau in fichier.chunks():
        somme.update(morceau)
    fichier.seek(0)
    return somme.hexdigest()


def _examiner(fichier: File, extension: str) -> str:
    """Ce qui empêche de garder ce fichier sous cette extension, en fin de phrase ; vide si tout va."""
    fichier.seek(0)
    tete = fichier.read(_TETE)
    if extension in ("txt", "csv"):
        return _examiner_un_texte(tete + fichier.read())
    if extension == "pdf":
        return "" if tete.lstrip(_AVANT_UN_PDF).startswith(b"%PDF-") else _autre_chose(tete, "un PDF")
    if extension in _IMAGES:
        return "" if _IMAGES[extension] in _extensions(tete) else _autre_chose(tete, f"une image {extension}")
    if not tete.startswith(b"PK\x03\x04"):
        return _autre_chose(tete, f"un document {extension}")
    try:
        with zipfile.ZipFile(fichier) as archive:
            return _examiner_une_archive(archive, extension)
    except (zipfile.BadZipFile, ParseError, DefusedXmlException, NotImplementedError, RuntimeError, EOFError, OSError):
        return f"est abîmé, ou protégé par un mot de passe : ce n'est pas un document {extension} lisible."


def _extensions(tete: bytes) -> list[str]:
    """Ce que puremagic reconnaît, le plus probable d'abord."""
    try:
        return [trouve.extension for trouve in puremagic.magic_string(tete)]
    except (puremagic.PureError, ValueError):
        return []


def _autre_chose(tete: bytes, attendu: str) -> str:
    vu = next((_RECONNUS[extension] for extension in _extensions(tete) if extension in _RECONNUS), "")
    return f"n'est pas {attendu} : son contenu est {vu or 'autre chose'}, malgré son nom."


def _examiner_un_texte(contenu: bytes) -> str:
    texte = _lire_le_texte(contenu)
    if _BINAIRE.search(texte):
        return _autre_chose(contenu[:_TETE], "un texte")
    if _BALISAGE.match(texte):
        return "contient une page web, du XML ou une image SVG : seul un texte simple est accepté sous ce nom."
    return ""


def _lire_le_texte(contenu: bytes) -> str:
    """UTF-8, l'UTF-16 qu'Excel écrit, sinon l'ancien codage de Windows, qui lit tout."""
    if contenu.startswith((b"\xff\xfe", b"\xfe\xff")):
        return contenu.decode("utf-16", errors="replace").removeprefix("\ufeff")
    try:
        return contenu.decode("utf-8-sig")
    except UnicodeDecodeError:
        return contenu.decode("latin-1")


def _examiner_une_archive(archive: zipfile.ZipFile, extension: str) -> str:
    noms = archive.namelist()
    refus = f"n'est pas un document {extension} : c'est une archive d'une autre sorte."
    if len(noms) > _ENTREES_MAX:
        return refus
    if any(_est_une_macro(nom) for nom in noms):
        return "contient des macros. Enregistrez-le sans macros avant de le déposer."
    if extension.startswith("od"):
        mime = _lire_l_entree(archive, "mimetype").decode("ascii", errors="replace").strip()
        return "" if mime == TYPES[extension] else refus
    liste = _lire_l_entree(archive, "[Content_Types].xml")
    if not liste:
        return refus
    types = {partie.get("ContentType", "") for partie in fromstring(liste, forbid_dtd=True)}
    if any("macroenabled" in nature.lower() for nature in types):
        return "peut contenir des macros. Enregistrez-le sans macros avant de le déposer."
    # La comparaison est exacte : un modèle (template) a un autre type.
    return "" if f"{TYPES[extension]}.main+xml" in types else refus


def _est_une_macro(nom: str) -> bool:
    """Visual Basic et les macros d'Excel 4 (OOXML) ; Basic et les scripts (LibreOffice)."""
    plat = nom.lower()
    return "vbaproject" in plat or "/macrosheets/" in plat or plat.startswith(("basic/", "scripts/"))


def _lire_l_entree(archive: zipfile.ZipFile, nom: str) -> bytes:
    """Une petite entrée de l'archive ; vide si elle n'y est pas ou s'annonce trop grande."""
    try:
        entree = archive.getinfo(nom)
    except KeyError:
        return b""
    if entree.file_size > _PETIT:
        return b""
    with archive.open(entree) as ouvert:
        return ouvert.read(_PETIT)
