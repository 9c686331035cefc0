"""Lire un tableau venu d'ailleurs, classeur ou texte, sans rien deviner ni se laisser piéger. Aucun modèle ici.

Un fichier qu'on ne comprend pas est refusé en entier, avec la phrase qui dit où et pourquoi.
"""

import csv
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

from socle.feuilles import (
    LIGNES_AVANT_LES_TITRES,
    PROTEGE,
    Archive,
    CelluleIllisible,
    EnPourcent,
    Feuille,
    FichierIllisible,
    Limites,
    en_erreur,
    repere,
    trop_de_lignes,
)
from socle.formats import accorder, plier, signe_de_controle

__all__ = [
    "EnPourcent",
    "FichierIllisible",
    "Ligne",
    "Limites",
    "Tableau",
    "TitresAbsents",
    "deproteger",
    "lire",
    "proteger",
    "texte_de",
]

# Un tableur exécuterait une cellule qui commence ainsi.
_DEBUTS_DE_FORMULE = ("=", "+", "-", "@", "\t", "\r")
# Ce qu'un tableur écrit à la place d'une valeur qu'il n'a pas su calculer, en anglais ou en français.
_ERREURS = frozenset(
    {"#REF!", "#N/A", "#VALUE!", "#VALEUR!", "#NAME?", "#NOM?", "#DIV/0!", "#NUM!", "#NOMBRE!", "#NULL!", "#NUL!"}
)
_SEPARATEURS = ";,\t"
_IMAGES_ET_AUTRES = {
    b"\x89PNG": "une image",
    b"\xff\xd8\xff": "une image",
    b"GIF8": "une image",
    b"%PDF": "un PDF",
    b"MZ": "un programme",
}


class TitresAbsents(FichierIllisible):
    """Aucune ligne de titres reconnue. `premiers` : ce que dit la première ligne remplie."""

    def __init__(self, premiers: list[str]) -> None:
        cites = ", ".join(f"« {titre[:60]} »" for titre in premiers[:10])
        super().__init__(
            f"Aucun titre de colonne n'est reconnu dans les {LIGNES_AVANT_LES_TITRES} premières lignes. "
            f"La première ligne remplie dit : {cites}."
        )
        self.premiers = premiers


@dataclass(frozen=True)
class Ligne:
    """Une ligne non vide. `numero` : le sien dans le fichier, à partir de 1 ; `cellules` : dans l'ordre des titres.

    Une cellule vaut un texte, un nombre (int, float ou EnPourcent), un booléen, une date (avec ou sans heure), None.
    """

    numero: int
    cellules: list[Any]


@dataclass(frozen=True)
class Tableau:
    """Les titres tels qu'écrits, les lignes non vides, et le nom de la feuille (vide pour un CSV)."""

    titres: list[str]
    lignes: list[Ligne]
    feuille: str


# --- Cellules -----------------------------------------------------------------------------------


def proteger(texte: str) -> str:
    """Une apostrophe devant ce qu'un tableur prendrait pour une formule ; `lire` la retire, et rend le texte exact."""
    return f"'{texte}" if texte.lstrip("'").startswith(_DEBUTS_DE_FORMULE) else texte


def deproteger(texte: str) -> str:
    """L'inverse de `proteger`."""
    protege = texte.startswith("'") and texte.lstrip("'").startswith(_DEBUTS_DE_FORMULE)
    return texte[1:] if protege else texte


def texte_de(valeur: Any) -> str:
    """Le texte d'une cellule, sans espaces autour, ses fins de ligne réduites à une ; un entier perd son « .0 »."""
    if valeur is None:
        return ""
    if isinstance(valeur, float) and valeur.is_integer():
        valeur = int(valeur)
    return "\n".join(str(valeur).splitlines()).strip()


# --- Fichiers -----------------------------------------------------------------------------------


def lire(nom: str, contenu: bytes, *, limites: Limites, reconnu: Callable[[str], bool]) -> Tableau:
    """Le tableau de ce fichier. Lève FichierIllisible.

    Le contenu décide de sa nature ; `nom` ne sert qu'à le citer. `reconnu` dit si un titre est connu : ainsi se
    trouvent la feuille, la ligne des titres et le séparateur d'un CSV.
    """
    if not contenu.strip():
        raise FichierIllisible("Ce fichier est vide.")
    if len(contenu) > limites.octets:
        raise FichierIllisible(
            f"Ce fichier dépasse {_taille(limites.octets)} : c'est plus que ce site n'accepte d'importer."
        )
    candidates = _feuilles(nom, contenu, limites, reconnu)
    # La feuille qui a le plus de titres connus, la première à égalité.
    feuille, entete = max(
        ((feuille, _ligne_des_titres(feuille, reconnu)) for feuille in candidates),
        key=lambda choix: _connus(choix[0].rangees.get(choix[1], {}), reconnu),
    )
    if not _connus(feuille.rangees.get(entete, {}), reconnu):
        remplies = [rangee for candidate in candidates for rangee in candidate.rangees.values()]
        if not remplies:
            raise FichierIllisible("Ce fichier est vide : aucune cellule n'y est remplie.")
        raise TitresAbsents([texte_de(valeur) for _, valeur in sorted(remplies[0].items())])
    return _rediger(feuille, entete)


def _taille(octets: int) -> str:
    return "un mégaoctet" if octets <= 1_048_576 else f"{octets // 1_000_000} Mo"


def _feuilles(nom: str, contenu: bytes, limites: Limites, reconnu: Callable[[str], bool]) -> list[Feuille]:
    if contenu.startswith(b"PK"):
        return _feuilles_du_classeur(contenu, limites)
    if contenu.startswith(b"\xd0\xcf\x11\xe0"):
        if "EncryptedPackage".encode("utf-16-le") in contenu:
            raise FichierIllisible(PROTEGE)
        raise FichierIllisible("C'est un classeur d'avant 2007 (.xls) : enregistrez-le au format .xlsx.")
    for debut, nature in _IMAGES_ET_AUTRES.items():
        if contenu.startswith(debut):
            raise FichierIllisible(
                f"« {nom[:60]} » est {nature} : ce n'est ni un classeur .xlsx ou .ods, ni un texte CSV."
            )
    return [_feuille_du_csv(nom, contenu, limites, reconnu)]


def _feuilles_du_classeur(contenu: bytes, limites: Limites) -> list[Feuille]:
    from socle import classeur_ods, classeur_xlsx

    sorte = ""
    try:
        archive = Archive(contenu, limites)
        if "mimetype" in archive.noms:
            sorte = " .ods"
            if b"opendocument.spreadsheet" not in archive.lire("mimetype"):
                raise FichierIllisible("C'est un document OpenDocument, mais pas un classeur (.ods).")
            feuilles = classeur_ods.feuilles(archive, limites)
        elif any(nom.startswith(("word/", "ppt/")) for nom in archive.noms):
            raise FichierIllisible("C'est un document ou un diaporama, pas un classeur (.xlsx ou .ods).")
        else:
            feuilles = classeur_xlsx.feuilles(archive, limites)
        if not feuilles:
            raise FichierIllisible("Ce classeur n'a pas de feuille de calcul.")
    except FichierIllisible:
        raise
    # Ce que lèvent une archive tronquée, un XML mal formé, une partie absente, un nombre qui n'en est pas un.
    except (
        *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, NotImplementedError, RuntimeError),
        *(expat.ExpatError, LookupError, ValueError, StopIteration, OverflowError),
    ) as erreur:
        raise FichierIllisible(f"Ce classeur{sorte} est incomplet ou abîmé : il ne s'ouvre pas.") from erreur
    return feuilles


# --- CSV ----------------------------------------------------------------------------------------


def _feuille_du_csv(nom: str, contenu: bytes, limites: Limites, reconnu: Callable[[str], bool]) -> Feuille:
    """Le séparateur est celui qui fait reconnaître le plus de titres."""
    texte = _decoder(nom, contenu)
    if texte.lstrip()[:200].lower().startswith(("<!doctype html", "<html", "<?xml", "<table", "<body")):
        raise FichierIllisible(
            f"« {nom[:60]} » est une page web ou du XML, pas un classeur : ouvrez-la dans un tableur et "
            "enregistrez-la au format .xlsx."
        )
    lectures = [_lire_le_csv(texte, separateur, limites) for separateur in _SEPARATEURS]
    feuille, faute = max(
        lectures,
        key=lambda lecture: _connus(lecture[0].rangees.get(_ligne_des_titres(lecture[0], reconnu), {}), reconnu),
    )
    if faute:
        raise FichierIllisible(faute)
    return feuille


def _decoder(nom: str, contenu: bytes) -> str:
    if contenu.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return contenu.decode("utf-16")
        except UnicodeDecodeError as erreur:
            raise FichierIllisible(
                "Ce texte se dit en UTF-16 mais ne se lit pas : il est incomplet ou abîmé."
            ) from erreur
    if b"\x00" in contenu:
        raise FichierIllisible(f"« {nom[:60]} » n'est ni un classeur .xlsx ou .ods, ni un texte CSV.")
    try:
        return contenu.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            return contenu.decode("cp1252")
        except UnicodeDecodeError as erreur:
            raise FichierIllisible("Ce texte n'est ni en UTF-8 ni en Windows-1252.") from erreur


def _lire_le_csv(texte: str, separateur: str, limites: Limites) -> tuple[Feuille, str]:
    """Les lignes lues jusqu'à la première faute, et la phrase qui la dit."""
    feuille = Feuille("", limites)
    lecteur = csv.reader(io.StringIO(texte, newline=""), delimiter=separateur, strict=True)
    numero = 0
    try:
        for numero, cellules in enumerate(lecteur, start=1):
            for colonne, cellule in enumerate(cellules):
                feuille.poser(numero, colonne, cellule)
            if feuille.refus:
                break
    except csv.Error:
        # Le texte s'arrête dans une cellule, ou un guillemet traîne hors de sa place.
        return feuille, f"Ce CSV est incomplet ou abîmé : ligne {numero + 1}, un guillemet n'est pas refermé."
    return feuille, ""


# --- Tableau ------------------------------------------------------------------------------------


def _connus(rangee: dict[int, Any], reconnu: Callable[[str], bool]) -> int:
    return sum(isinstance(valeur, str) and reconnu(valeur.strip()) for valeur in rangee.values())


def _ligne_des_titres(feuille: Feuille, reconnu: Callable[[str], bool]) -> int:
    """La ligne, parmi les premières, qui a le plus de titres connus ; 0 s'il n'y en a pas."""
    premieres = [ligne for ligne in sorted(feuille.rangees) if ligne <= LIGNES_AVANT_LES_TITRES]
    return max(premieres, key=lambda ligne: _connus(feuille.rangees[ligne], reconnu), default=0)


def _rediger(feuille: Feuille, entete: int) -> Tableau:
    """Vérifie titres, fusions et cellules ; rend les lignes, dans l'ordre du fichier."""
    ou = feuille.nom
    if feuille.refus:
        raise FichierIllisible(feuille.refus)
    titres = {colonne: _valeur(ou, entete, colonne, brut) for colonne, brut in sorted(feuille.rangees[entete].items())}
    en_tete = {colonne: texte_de(titre) for colonne, titre in titres.items()}
    _refuser_les_doubles(ou, entete, en_tete)
    numeros = [numero for numero in sorted(feuille.rangees) if numero > entete]
    if len(numeros) > feuille.limites.lignes:
        raise FichierIllisible(trop_de_lignes(feuille.limites))
    _refuser_les_fusions(ou, feuille, entete, max(numeros, default=entete), max(en_tete))
    lignes = []
    for numero in numeros:
        rangee = feuille.rangees[numero]
        for colonne in rangee.keys() - en_tete.keys():
            raise _refus(
                f"Ligne {numero} : une cellule est remplie dans une colonne sans titre, {repere(colonne, numero)}.", ou
            )
        lignes.append(Ligne(numero, [_valeur(ou, numero, colonne, rangee.get(colonne)) for colonne in en_tete]))
    return Tableau(list(en_tete.values()), lignes, feuille.nom)


def _refus(phrase: str, ou: str) -> FichierIllisible:
    """Le refus, avec le nom de la feuille s'il y en a un : « Feuille « Actions », ligne 3 : … »."""
    return FichierIllisible(f"Feuille « {ou} », {phrase[0].lower()}{phrase[1:]}" if ou else phrase)


def _valeur(ou: str, ligne: int, colonne: int, brut: Any) -> Any:
    if isinstance(brut, str):
        brut = en_erreur(brut.strip()) if brut.strip().upper() in _ERREURS else deproteger(brut)
    if isinstance(brut, CelluleIllisible):
        raise _refus(f"Ligne {ligne} : la cellule {repere(colonne, ligne)} {brut.pourquoi}.", ou)
    # `texte_de` fait une fin de ligne de celles de Word et des vieux terminaux : elles ne sont pas refusées.
    if isinstance(brut, str) and (signe := signe_de_controle("\n".join(brut.splitlines()))):
        raise _refus(f"Ligne {ligne} : la cellule {repere(colonne, ligne)} contient {signe} : effacez-le.", ou)
    return brut


def _refuser_les_doubles(ou: str, entete: int, en_tete: dict[int, str]) -> None:
    places: dict[str, list[int]] = {}
    for colonne, titre in en_tete.items():
        places.setdefault(plier(titre), []).append(colonne)
    doubles = [colonnes for colonnes in places.values() if len(colonnes) > 1]
    if doubles:
        cites = ", ".join(
            f"« {en_tete[colonnes[0]][:60]} » ({' et '.join(repere(colonne, entete) for colonne in colonnes)})"
            for colonnes in doubles
        )
        raise _refus(f"{accorder(len(doubles), 'colonne en double', 'colonnes en double')} : {cites}.", ou)


def _refuser_les_fusions(ou: str, feuille: Feuille, entete: int, derniere: int, colonne_max: int) -> None:
    """Un titre fusionné au-dessus du tableau ne gêne pas ; une fusion dedans cache à qui va la valeur."""
    for zone in feuille.fusions:
        if zone.derniere_ligne >= entete and zone.premiere_ligne <= derniere and zone.premiere_colonne <= colonne_max:
            raise _refus(
                f"Les cellules {zone} sont fusionnées : défusionnez-les, et donnez à chaque ligne sa valeur.", ou
            )
