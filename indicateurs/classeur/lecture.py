"""Du fichier à ses lignes : ce que contient chaque cellule d'une année, et où elle est. Rien n'est encore compris."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from indicateurs.classeur.cellules import texte_de
from indicateurs.classeur.colonnes import Champ, Cle, Colonne, lire_un_titre
from socle.contraintes import BORNES_ANNEE
from socle.formats import INSECABLE
from socle.tableaux import FichierIllisible, Limites, Tableau, lire

TAILLE_MAX = 1 << 20
LIMITES = Limites(octets=TAILLE_MAX, octets_deplies=30_000_000, lignes=1000, colonnes=250)


@dataclass(frozen=True)
class Place:
    """Où l'on est dans le fichier. `titre` : vide si c'est toute la ligne."""

    feuille: str
    ligne: int
    titre: str = ""

    def __str__(self) -> str:
        """« Feuille « Indicateurs », ligne 3, colonne « 2023 valeur » » ; un CSV n'a pas de feuille."""
        morceaux = [f"ligne {self.ligne}"]
        if self.feuille:
            morceaux.insert(0, f"feuille «{INSECABLE}{self.feuille}{INSECABLE}»")
        if self.titre:
            morceaux.append(f"colonne «{INSECABLE}{self.titre}{INSECABLE}»")
        phrase = ", ".join(morceaux)
        return phrase[0].upper() + phrase[1:]


@dataclass(frozen=True)
class Refus:
    """Ce qui n'est pas pris, et pourquoi."""

    place: Place
    raison: str

    def __str__(self) -> str:
        return f"{self.place}{INSECABLE}: {self.raison[0].lower()}{self.raison[1:].rstrip('.')}."


@dataclass
class LigneLue:
    """`annees` : par année, ses cellules remplies. `titres` : comment le fichier nomme leurs colonnes."""

    place: Place
    code: str
    intitule: str
    annees: dict[int, dict[Champ, Any]]
    titres: dict[Colonne, str]

    def place_de(self, annee: int, champ: Champ) -> Place:
        colonne = Colonne(annee, champ)
        return Place(self.place.feuille, self.place.ligne, self.titres.get(colonne, colonne.titre))


@dataclass
class FichierLu:
    """`laissees` : les titres des colonnes qu'on ne connaît pas."""

    lignes: list[LigneLue]
    annees: list[int]
    laissees: list[str]
    refus: list[Refus] = field(default_factory=list)


def lire_le_fichier(nom: str, contenu: bytes) -> FichierLu:
    """Lève FichierIllisible, dont la phrase se montre."""
    tableau = lire(nom, contenu, limites=LIMITES, reconnu=lambda titre: lire_un_titre(titre) is not None)
    colonnes = [lire_un_titre(titre) for titre in tableau.titres]
    _verifier(tableau, colonnes)
    titres = {c: titre for c, titre in zip(colonnes, tableau.titres, strict=True) if isinstance(c, Colonne)}
    fichier = FichierLu(
        lignes=[_ligne(tableau, colonnes, titres, rang) for rang in range(len(tableau.lignes))],
        annees=sorted({colonne.annee for colonne in titres}),
        laissees=[titre for c, titre in zip(colonnes, tableau.titres, strict=True) if c is None],
    )
    _refuser_les_annees_impossibles(fichier)
    return fichier


def _verifier(tableau: Tableau, colonnes: list[Cle | Colonne | None]) -> None:
    if Cle.CODE not in colonnes and Cle.INTITULE not in colonnes:
        raise FichierIllisible("Aucune colonne ne nomme les indicateurs : il faut « Code » ou « Intitulé ».")
    if not any(isinstance(colonne, Colonne) for colonne in colonnes):
        raise FichierIllisible("Aucune colonne n'est celle d'une année : il faut « 2023 valeur », ou « 2023 » seul.")
    places: dict[Cle | Colonne, list[str]] = defaultdict(list)
    for colonne, titre in zip(colonnes, tableau.titres, strict=True):
        if colonne is not None:
            places[colonne].append(titre)
    for doubles in places.values():
        if len(doubles) > 1:
            cites = " et ".join(f"« {titre} »" for titre in doubles)
            raise FichierIllisible(f"Les colonnes {cites} disent la même chose : gardez-en une.")
    if not tableau.lignes:
        raise FichierIllisible("Ce fichier n'a que des titres : aucun indicateur à lire.")


def _ligne(tableau: Tableau, colonnes: list[Cle | Colonne | None], titres: dict[Colonne, str], rang: int) -> LigneLue:
    lue = tableau.lignes[rang]
    cles: dict[Cle, str] = {}
    annees: dict[int, dict[Champ, Any]] = defaultdict(dict)
    for colonne, cellule in zip(colonnes, lue.cellules, strict=True):
        if isinstance(colonne, Cle):
            cles[colonne] = texte_de(cellule)
        elif colonne is not None and texte_de(cellule):
            annees[colonne.annee][colonne.champ] = cellule
    place = Place(tableau.feuille, lue.numero)
    return LigneLue(place, cles.get(Cle.CODE, ""), cles.get(Cle.INTITULE, ""), dict(annees), titres)


def _refuser_les_annees_impossibles(fichier: FichierLu) -> None:
    """Une année à venir, ou trop ancienne, ne reçoit rien ; vide, sa colonne ne gêne pas."""
    bornes = BORNES_ANNEE[0].limit_value, timezone.localdate().year
    for ligne in fichier.lignes:
        for annee in [annee for annee in ligne.annees if not bornes[0] <= annee <= bornes[1]]:
            remplies = [champ for champ in ligne.annees.pop(annee) if champ.a_remplir]
            if remplies:
                quoi = "est à venir" if annee > bornes[1] else "est trop ancienne"
                raison = f"l'année {annee} {quoi}{INSECABLE}: aucune valeur n'y est attendue"
                fichier.refus.append(Refus(ligne.place_de(annee, remplies[0]), raison))
    fichier.annees = [annee for annee in fichier.annees if bornes[0] <= annee <= bornes[1]]
