"""Lire les feuilles d'un .ods : valeurs seulement, au fil de l'eau, sans jamais déplier une répétition vide."""

import datetime
from typing import Any

from socle.feuilles import (
    FORMULE_SANS_VALEUR,
    MACROS,
    PROTEGE,
    Archive,
    EnPourcent,
    Feuille,
    FichierIllisible,
    Limites,
    Zone,
    en_erreur,
    lire_le_xml,
)

_ODF = "urn:oasis:names:tc:opendocument:xmlns:"
_TABLE, _TEXTE, _OFFICE, _DESSIN = (f"{_ODF}{nom}:1.0 " for nom in ("table", "text", "office", "drawing"))
_TABLEAU, _RANGEE = f"{_TABLE}table", f"{_TABLE}table-row"
_CELLULES = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_PARAGRAPHE, _NOTE = f"{_TEXTE}p", f"{_OFFICE}annotation"
_BLANCS = {f"{_TEXTE}tab": "\t", f"{_TEXTE}line-break": "\n"}
_SORTE, _FORMULE = f"{_OFFICE}value-type", f"{_TABLE}formula"
_LIGNES_REPETEES, _COLONNES_REPETEES = f"{_TABLE}number-rows-repeated", f"{_TABLE}number-columns-repeated"
_LARGE, _HAUT = f"{_TABLE}number-columns-spanned", f"{_TABLE}number-rows-spanned"
# Les bornes d'une feuille de LibreOffice : au-delà, une répétition est un piège.
_LIGNES_MAX, _COLONNES_MAX = 1 << 20, 1 << 14


def feuilles(archive: Archive, limites: Limites) -> list[Feuille]:
    """Toutes les feuilles, dans l'ordre du classeur."""
    if "META-INF/manifest.xml" in archive.noms and b"encryption-data" in archive.lire("META-INF/manifest.xml"):
        raise FichierIllisible(PROTEGE)
    if any(_est_une_macro(nom) for nom in archive.noms):
        raise FichierIllisible(MACROS)
    lecture = _Lecture(limites)
    lire_le_xml(
        archive.morceaux("content.xml"), debut=lecture.debut, fin=lecture.fin, texte=lecture.texte, espaces=True
    )
    return lecture.feuilles


def _est_une_macro(nom: str) -> bool:
    dossier, _, fichier = nom.partition("/")
    if dossier == "Basic":
        return fichier.endswith(".xml") and not fichier.endswith(("script-lb.xml", "script-lc.xml"))
    return dossier == "Scripts" and bool(fichier) and not fichier.endswith("/")


class _Lecture:
    def __init__(self, limites: Limites) -> None:
        self.limites = limites
        self.feuilles: list[Feuille] = []
        self.profondeur = self.ignore = 0
        self.ligne = self.colonne = self.repete = 0
        self.rangee: list[tuple[int, Any]] = []
        self.attributs: dict[str, str] | None = None
        self.paragraphes: list[list[str]] = []

    # --- Balises -------------------------------------------------------------------------------

    def debut(self, balise: str, attributs: dict[str, str]) -> None:
        if self.ignore or balise == _NOTE or balise.startswith(_DESSIN):
            # Ni les notes ni les dessins posés sur une cellule ne sont sa valeur.
            self.ignore += 1
        elif balise in _CELLULES:
            self.attributs, self.paragraphes = attributs, []
        elif balise == _RANGEE:
            self.colonne, self.repete = 0, _fois(attributs, _LIGNES_REPETEES, _LIGNES_MAX)
            self.rangee = []
        elif balise == _TABLEAU:
            self.profondeur += 1
            if self.profondeur == 1:
                self.feuilles.append(Feuille(attributs.get(f"{_TABLE}name", ""), self.limites))
                self.ligne = 1
        elif self.attributs is not None:
            self._debut_de_texte(balise, attributs)

    def _debut_de_texte(self, balise: str, attributs: dict[str, str]) -> None:
        if balise == _PARAGRAPHE:
            self.paragraphes.append([])
        elif self.paragraphes and balise == f"{_TEXTE}s":
            self.paragraphes[-1].append(" " * _fois(attributs, f"{_TEXTE}c", 1000))
        elif self.paragraphes and balise in _BLANCS:
            self.paragraphes[-1].append(_BLANCS[balise])

    def fin(self, balise: str) -> None:
        if self.ignore:
            self.ignore -= 1
        elif balise in _CELLULES:
            self._finir_la_cellule()
        elif balise == _RANGEE:
            self._finir_la_rangee()
        elif balise == _TABLEAU:
            self.profondeur -= 1

    def texte(self, morceau: str) -> None:
        if self.attributs is not None and self.paragraphes and not self.ignore:
            self.paragraphes[-1].append(morceau)

    # --- Cellules ------------------------------------------------------------------------------

    def _finir_la_cellule(self) -> None:
        attributs = self.attributs or {}
        self.attributs = None
        fois = _fois(attributs, _COLONNES_REPETEES, _COLONNES_MAX)
        if self.paragraphes or _SORTE in attributs or _FORMULE in attributs:
            valeur = self._valeur(attributs)
            # Une de plus que permis suffit à savoir qu'il y en a trop.
            utiles = min(fois, max(1, self.limites.colonnes + 1 - self.colonne))
            self.rangee += [(self.colonne + rang, valeur) for rang in range(utiles)]
        if _LARGE in attributs or _HAUT in attributs:
            large, haut = _fois(attributs, _LARGE, _COLONNES_MAX), _fois(attributs, _HAUT, _LIGNES_MAX)
            if large > 1 or haut > 1:
                zone = Zone(self.ligne, self.ligne + haut - 1, self.colonne, self.colonne + large - 1)
                self.feuilles[-1].fusions.append(zone)
        self.colonne += fois

    def _finir_la_rangee(self) -> None:
        if self.rangee and self.feuilles and self.profondeur == 1:
            feuille = self.feuilles[-1]
            for rang in range(self.repete):
                for colonne, valeur in self.rangee:
                    feuille.poser(self.ligne + rang, colonne, valeur)
                if feuille.refus:
                    break
        self.ligne += self.repete

    def _valeur(self, attributs: dict[str, str]) -> Any:
        texte = "\n".join("".join(morceaux) for morceaux in self.paragraphes)
        sorte = attributs.get(_SORTE, "")
        if _FORMULE in attributs:
            if any(nom.endswith(" value-type") and valeur == "error" for nom, valeur in attributs.items()):
                return en_erreur(texte)
            if not sorte and not texte:
                return FORMULE_SANS_VALEUR
        match sorte:
            case "percentage":
                return EnPourcent(attributs[f"{_OFFICE}value"])
            case "float" | "currency":
                nombre = attributs[f"{_OFFICE}value"]
                return int(nombre) if nombre.lstrip("-").isdigit() else float(nombre)
            case "date":
                moment = datetime.datetime.fromisoformat(attributs[f"{_OFFICE}date-value"])
                return moment if moment.time() != datetime.time() else moment.date()
            case "boolean":
                return attributs[f"{_OFFICE}boolean-value"] == "true"
        return attributs.get(f"{_OFFICE}string-value", texte) or None


def _fois(attributs: dict[str, str], nom: str, au_plus: int) -> int:
    """Un nombre de répétitions : au moins une, et jamais plus que ce qu'une feuille peut contenir."""
    return max(1, min(int(attributs[nom]), au_plus)) if nom in attributs else 1
