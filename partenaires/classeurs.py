"""Lire un tableau de partenaires, classeur ou CSV, sans rien deviner.

Un fichier qu'on ne comprend pas est refusé en entier, avec la phrase qui dit pourquoi. Aucun modèle ici.
"""

import csv
import io
import zipfile
from typing import Any

import tablib

from socle.formats import accorder, plier

COLONNES = {
    "nom": "Nom",
    "sigle": "Sigle",
    "alias": "Autres noms",
    "type": "Type",
    "site": "Site internet",
    "description": "Description",
    "contact": "Contact",
    "actif": "Actif",
}
# Numéro de la ligne dans le fichier d'origine, gardé à côté des colonnes.
LIGNE = "\u2116"

TAILLE_MAX = 1_000_000
TAILLE_DEPLIEE_MAX = 20_000_000
LIGNES_MAX = 1000
COLONNES_MAX = 50

# Un tableur exécuterait une cellule qui commence ainsi.
_DEBUTS_DE_FORMULE = ("=", "+", "-", "@", "\t", "\r")


class FichierIllisible(ValueError):
    """Le fichier entier est refusé ; `str()` est la phrase à montrer."""


# --- Cellules -----------------------------------------------------------------------------------


def proteger(texte: str) -> str:
    """Une apostrophe devant ce qu'un tableur prendrait pour une formule."""
    return f"'{texte}" if texte.startswith(_DEBUTS_DE_FORMULE) else texte


def texte_de(valeur: Any) -> str:
    """Le texte d'une cellule ; un nombre entier perd son « .0 », l'apostrophe de `proteger` s'en va."""
    if valeur is None:
        return ""
    if isinstance(valeur, float) and valeur.is_integer():
        valeur = int(valeur)
    texte = "\n".join(str(valeur).splitlines()).strip()
    return texte[1:] if texte.startswith("'") and texte[1:].startswith(_DEBUTS_DE_FORMULE) else texte


# --- Fichiers -----------------------------------------------------------------------------------


def lire_fichier(contenu: bytes) -> tablib.Dataset:
    """Les lignes non vides, sous les titres de COLONNES, avec leur numéro d'origine. FichierIllisible sinon."""
    if not contenu.strip():
        raise FichierIllisible("Ce fichier est vide.")
    if len(contenu) > TAILLE_MAX:
        raise FichierIllisible("Ce fichier dépasse un mégaoctet : ce n'est pas une liste de partenaires.")
    if contenu.startswith(b"PK"):
        lignes = _lignes_du_classeur(contenu)
    elif contenu.startswith(b"\xd0\xcf\x11\xe0"):
        raise FichierIllisible("C'est un classeur d'avant 2007 (.xls) : enregistrez-le au format .xlsx.")
    else:
        lignes = _lignes_du_csv(contenu)
    return _rediger(lignes)


def _lignes_du_classeur(contenu: bytes) -> list[list[Any]]:
    import openpyxl

    try:
        with zipfile.ZipFile(io.BytesIO(contenu)) as archive:
            if sum(partie.file_size for partie in archive.infolist()) > TAILLE_DEPLIEE_MAX:
                raise FichierIllisible("Ce classeur est démesuré : ce n'est pas une liste de partenaires.")
            if "mimetype" in archive.namelist():
                raise FichierIllisible("C'est un classeur OpenDocument (.ods) : enregistrez-le au format .xlsx.")
        classeur = openpyxl.load_workbook(io.BytesIO(contenu), read_only=True, data_only=True)
        feuille = classeur.worksheets[0]
        feuille.reset_dimensions()
        # Une ligne de plus que permis suffit à savoir qu'il y en a trop.
        rangees = feuille.iter_rows(max_row=LIGNES_MAX + 2, max_col=COLONNES_MAX, values_only=True)
        return [list(rangee) for rangee in rangees]
    except FichierIllisible:
        raise
    except Exception as erreur:  # un classeur abîmé peut lever n'importe quoi : zip, XML, clés absentes
        raise FichierIllisible("Ce classeur est incomplet ou abîmé : il ne s'ouvre pas.") from erreur


def _lignes_du_csv(contenu: bytes) -> list[list[Any]]:
    if b"\x00" in contenu:
        raise FichierIllisible("Ce fichier n'est ni un classeur .xlsx, ni un texte CSV.")
    try:
        texte = contenu.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            texte = contenu.decode("cp1252")
        except UnicodeDecodeError as erreur:
            raise FichierIllisible("Ce texte n'est ni en UTF-8 ni en Windows-1252.") from erreur
    lectures = [_lire_csv(texte, separateur) for separateur in ";,\t"]
    return max(lectures, key=lambda lignes: sum(_titre(cellule) is not None for cellule in lignes[0]))


def _lire_csv(texte: str, separateur: str) -> list[list[Any]]:
    try:
        lignes = list(csv.reader(io.StringIO(texte, newline=""), delimiter=separateur, strict=True))
    except csv.Error as erreur:
        # Avec un autre séparateur que le sien, un fichier sain peut avoir des guillemets mal placés.
        premiere = texte.splitlines()[0]
        if separateur in premiere:
            raise FichierIllisible("Ce CSV est incomplet ou abîmé : un guillemet n'est pas refermé.") from erreur
        lignes = [[premiere]]
    return lignes or [[]]


def _titre(cellule: Any) -> str | None:
    """Le titre exact de la colonne que cette cellule d'en-tête nomme, ou None."""
    return {plier(titre): titre for titre in COLONNES.values()}.get(plier(texte_de(cellule)))


def _rediger(lignes: list[list[Any]]) -> tablib.Dataset:
    """Vérifie l'en-tête et les tailles, saute les lignes vides."""
    titres, places = _lire_en_tete(lignes)
    if len(lignes) > LIGNES_MAX + 1:
        raise FichierIllisible(f"{LIGNES_MAX} lignes au plus par fichier, lignes vides comprises.")
    redige = tablib.Dataset(headers=[*titres, LIGNE])
    for numero, ligne in enumerate(lignes[1:], start=2):
        if not any(texte_de(cellule) for cellule in ligne):
            continue
        if any(texte_de(cellule) for rang, cellule in enumerate(ligne) if rang not in places):
            raise FichierIllisible(f"Ligne {numero} : une cellule est remplie dans une colonne sans titre.")
        redige.append([*(ligne[place] if place < len(ligne) else None for place in places), numero])
    if not redige.height:
        raise FichierIllisible("Ce fichier n'a que des titres : aucun partenaire à lire.")
    return redige


def _lire_en_tete(lignes: list[list[Any]]) -> tuple[list[str], list[int]]:
    en_tete = lignes[0] if lignes else []
    remplies = [(rang, cellule) for rang, cellule in enumerate(en_tete) if texte_de(cellule)]
    inconnues = [texte_de(cellule) for _, cellule in remplies if _titre(cellule) is None]
    titres = [titre for _, cellule in remplies if (titre := _titre(cellule))]
    manquantes = [titre for titre in COLONNES.values() if titre not in titres]
    doubles = sorted({titre for titre in titres if titres.count(titre) > 1})
    fautes = [
        f"{accorder(len(noms), sorte, sortes)} : {', '.join(f'« {nom[:60]} »' for nom in noms[:10])}"
        for noms, sorte, sortes in (
            (inconnues, "colonne inconnue", "colonnes inconnues"),
            (manquantes, "colonne manquante", "colonnes manquantes"),
            (doubles, "colonne en double", "colonnes en double"),
        )
        if noms
    ]
    if fautes:
        attendues = ", ".join(COLONNES.values())
        raise FichierIllisible(f"{' ; '.join(fautes)}. La première ligne porte les titres : {attendues}.")
    return titres, [rang for rang, _ in remplies]
