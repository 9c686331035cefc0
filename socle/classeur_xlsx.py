"""Lire les feuilles d'un .xlsx : valeurs seulement, au fil de l'eau. openpyxl n'y prête que ses règles de dates."""

import datetime
import posixpath
import re
from typing import Any

from socle.feuilles import (
    FORMULE_SANS_VALEUR,
    MACROS,
    Archive,
    EnPourcent,
    Feuille,
    FichierIllisible,
    Limites,
    Zone,
    en_erreur,
)
from socle.feuilles import lire_le_xml as lire_xml

_ADRESSE = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")
_ECHAPPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


def feuilles(archive: Archive, limites: Limites) -> list[Feuille]:
    """Toutes les feuilles de calcul, dans l'ordre du classeur."""
    if any(nom.lower().endswith("vbaproject.bin") for nom in archive.noms):
        raise FichierIllisible(MACROS)
    if b"macroEnabled" in archive.lire("[Content_Types].xml"):
        raise FichierIllisible(MACROS)
    classeur = _Classeur(archive)
    return [_LectureDeFeuille(classeur, nom, limites).lire(partie) for nom, partie in classeur.feuilles]


def _relations(archive: Archive, partie: str) -> list[tuple[str, str, str]]:
    """Les relations d'une partie : identifiant, sorte, chemin dans l'archive."""
    dossier, nom = posixpath.split(partie)
    trouvees = []

    def debut(balise: str, attributs: dict[str, str]) -> None:
        if balise == "Relationship" and attributs.get("TargetMode") != "External":
            chemin = posixpath.normpath(posixpath.join("/", dossier, attributs["Target"])).lstrip("/")
            trouvees.append((attributs["Id"], attributs["Type"].rpartition("/")[2], chemin))

    lire_xml(archive.morceaux(posixpath.join(dossier, "_rels", f"{nom}.rels")), debut=debut)
    return trouvees


class _Classeur:
    """Ce qui vaut pour toutes les feuilles : textes partagés, formats de date, origine des dates."""

    def __init__(self, archive: Archive) -> None:
        from openpyxl.styles.numbers import is_date_format
        from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH

        self.archive = archive
        racine = next(chemin for _, sorte, chemin in _relations(archive, "") if sorte == "officeDocument")
        if racine.endswith(".bin"):
            raise FichierIllisible("C'est un classeur binaire (.xlsb) : enregistrez-le au format .xlsx.")
        relations = _relations(archive, racine)
        chemins = {cle: chemin for cle, sorte, chemin in relations if sorte == "worksheet"}
        uniques = {sorte: chemin for _, sorte, chemin in relations}
        self.feuilles: list[tuple[str, str]] = []
        self.origine = WINDOWS_EPOCH

        def debut(balise: str, attributs: dict[str, str]) -> None:
            if balise == "sheet":
                cle = next((valeur for nom, valeur in attributs.items() if nom.endswith(":id")), "")
                if chemin := chemins.get(cle):
                    self.feuilles.append((attributs.get("name", ""), chemin))
            elif balise == "workbookPr" and attributs.get("date1904") in ("1", "true"):
                self.origine = MAC_EPOCH

        lire_xml(archive.morceaux(racine), debut=debut)
        self.textes = _textes_partages(archive, uniques["sharedStrings"]) if "sharedStrings" in uniques else []
        formats = _formats_des_styles(archive, uniques["styles"]) if "styles" in uniques else []
        self.dates = {rang for rang, format_ in enumerate(formats) if is_date_format(format_)}
        self.pourcents = {rang for rang, format_ in enumerate(formats) if _est_en_pourcent(format_)}


def _textes_partages(archive: Archive, partie: str) -> list[str]:
    textes: list[str] = []
    morceaux: list[str] = []
    etat = {"lit": False, "phonetique": False}

    def debut(balise: str, attributs: dict[str, str]) -> None:
        if balise == "si":
            morceaux.clear()
        elif balise == "rPh":
            etat["phonetique"] = True
        elif balise == "t":
            etat["lit"] = not etat["phonetique"]

    def fin(balise: str) -> None:
        if balise == "si":
            textes.append(_sans_echappement("".join(morceaux)))
        elif balise == "rPh":
            etat["phonetique"] = False
        elif balise == "t":
            etat["lit"] = False

    def texte(morceau: str) -> None:
        if etat["lit"]:
            morceaux.append(morceau)

    lire_xml(archive.morceaux(partie), debut=debut, fin=fin, texte=texte)
    return textes


def _sans_echappement(texte: str) -> str:
    """« _x000D_ » est un retour à la ligne que XML n'aurait pas gardé."""
    return _ECHAPPE.sub(lambda trouve: chr(int(trouve[1], 16)), texte) if "_x" in texte else texte


def _formats_des_styles(archive: Archive, partie: str) -> list[str]:
    """Le format de nombre de chaque style de cellule, dans l'ordre."""
    from openpyxl.styles.numbers import BUILTIN_FORMATS

    formats = dict(BUILTIN_FORMATS)
    # Les formats que chaque langue de tableur réserve à ses dates.
    formats |= dict.fromkeys((*range(27, 37), *range(50, 59)), "yyyy-mm-dd")
    rangs: list[int] = []
    etat = {"cellules": False}

    def debut(balise: str, attributs: dict[str, str]) -> None:
        if balise == "numFmt" and "numFmtId" in attributs:
            formats[int(attributs["numFmtId"])] = attributs.get("formatCode", "")
        elif balise == "cellXfs":
            etat["cellules"] = True
        elif balise == "xf" and etat["cellules"]:
            rangs.append(int(attributs.get("numFmtId", 0)))

    def fin(balise: str) -> None:
        if balise == "cellXfs":
            etat["cellules"] = False

    lire_xml(archive.morceaux(partie), debut=debut, fin=fin)
    return [formats.get(rang) or "" for rang in rangs]


def _est_en_pourcent(format_: str) -> bool:
    """Un « % » hors d'un texte entre guillemets ou échappé."""
    return "%" in re.sub(r'"[^"]*"|\\.', "", format_)


class _LectureDeFeuille:
    """Une feuille, cellule par cellule. Une rangée ou une cellule vide ne coûte que son passage."""

    def __init__(self, classeur: _Classeur, nom: str, limites: Limites) -> None:
        self.classeur = classeur
        self.feuille = Feuille(nom, limites)
        self.ligne, self.colonne = 0, -1
        self.attributs: dict[str, str] = {}
        self.morceaux: list[str] = []
        self.lit = self.formule = self.a_une_valeur = self.phonetique = False

    def lire(self, partie: str) -> Feuille:
        lire_xml(self.classeur.archive.morceaux(partie), debut=self._debut, fin=self._fin, texte=self._texte)
        return self.feuille

    def _debut(self, balise: str, attributs: dict[str, str]) -> None:
        if balise == "c":
            self._placer(attributs)
        elif balise == "row":
            self.ligne = int(attributs["r"]) if "r" in attributs else self.ligne + 1
            self.colonne = -1
        elif balise == "v" or balise == "t":
            self.lit = not self.phonetique
            self.a_une_valeur = True
        elif balise == "f":
            self.formule = True
        elif balise == "rPh":
            self.phonetique = True
        elif balise == "mergeCell":
            (haut, gauche), (bas, droite) = (
                _placer(coin) for coin in f"{attributs['ref']}:{attributs['ref']}".split(":")[:2]
            )
            self.feuille.fusions.append(Zone(haut, bas, gauche, droite))

    def _fin(self, balise: str) -> None:
        if balise == "c":
            if self.a_une_valeur or self.formule:
                self.feuille.poser(self.ligne, self.colonne, self._valeur())
        elif balise == "v" or balise == "t":
            self.lit = False
        elif balise == "rPh":
            self.phonetique = False

    def _texte(self, morceau: str) -> None:
        if self.lit:
            self.morceaux.append(morceau)

    def _placer(self, attributs: dict[str, str]) -> None:
        if "r" in attributs:
            self.ligne, self.colonne = _placer(attributs["r"])
        else:
            self.colonne += 1
        self.attributs = attributs
        self.formule = self.a_une_valeur = False
        self.morceaux.clear()

    def _valeur(self) -> Any:
        texte, sorte = "".join(self.morceaux), self.attributs.get("t", "n")
        if self.formule and not texte and not (sorte == "str" and self.a_une_valeur):
            return FORMULE_SANS_VALEUR
        if not texte:
            return None
        match sorte:
            case "s":
                return self.classeur.textes[int(texte)]
            case "inlineStr" | "str":
                return _sans_echappement(texte)
            case "b":
                return texte in ("1", "true")
            case "e":
                return en_erreur(texte)
            case "d":
                return _sans_heure(datetime.datetime.fromisoformat(texte))
        nombre = int(texte) if texte.lstrip("-").isdigit() else float(texte)
        style = int(self.attributs.get("s", 0))
        if style in self.classeur.pourcents:
            return EnPourcent(nombre)
        return self._date(nombre) if style in self.classeur.dates else nombre

    def _date(self, nombre: float) -> Any:
        from openpyxl.utils.datetime import from_excel

        try:
            moment = from_excel(nombre, self.classeur.origine)
        except (OverflowError, ValueError):
            return en_erreur("date impossible")
        return _sans_heure(moment) if isinstance(moment, datetime.datetime) else str(moment)


def _sans_heure(moment: datetime.datetime) -> datetime.date:
    return moment if moment.time() != datetime.time() else moment.date()


def _placer(adresse: str) -> tuple[int, int]:
    """« B12 » : ligne 12, colonne 1."""
    trouve = _ADRESSE.fullmatch(adresse)
    if trouve is None:
        raise ValueError(f"Adresse de cellule illisible : {adresse[:20]}")
    colonne = 0
    for lettre in trouve[1]:
        colonne = 26 * colonne + ord(lettre) - 64
    return int(trouve[2]), colonne - 1
