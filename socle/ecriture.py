"""Écrire un tableau pour un tableur : ce qu'il contient, dit une fois ; le CSV. Aucun modèle ici.

Un classeur a trois feuilles : le tableau, un mode d'emploi et, s'il a des menus déroulants, les listes où ils
puisent. Aucune cellule n'y est jamais une formule.
"""

import csv
import datetime
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any

from socle.formats import formater_date
from socle.tableaux import proteger

# Des lignes vides sous le tableau, déjà munies de leurs menus : on y ajoute des actions.
LIGNES_EN_PLUS = 200
LARGEUR_D_UNE_LISTE = 40
LISTES = "Listes"


class Sorte(Enum):
    """Comment une colonne se montre. LIBRE : selon la cellule, un texte ou une date."""

    TEXTE = "texte"
    ENTIER = "entier"
    NOMBRE = "nombre"
    DATE = "date"
    LIBRE = "libre"


@dataclass(frozen=True)
class ColonneEcrite:
    """`largeur` en signes. `liste` : celle où puise son menu ; `stricte`, rien d'autre n'est accepté. `effacee` : à ne
    pas toucher, montrée en gris."""

    titre: str
    sorte: Sorte = Sorte.TEXTE
    largeur: int = 20
    liste: str = ""
    stricte: bool = False
    effacee: bool = False


@dataclass(frozen=True)
class ClasseurEcrit:
    """`lignes` : textes, entiers, décimaux, dates ou None, dans l'ordre des colonnes. `figees` : combien de colonnes
    restent à l'écran. `listes` : par nom, ce qu'un menu propose. `mode_d_emploi` : des intitulés et leurs phrases."""

    feuille: str
    colonnes: Sequence[ColonneEcrite]
    lignes: Sequence[Sequence[Any]]
    figees: int = 0
    listes: dict[str, Sequence[str]] = field(default_factory=dict)
    mode_d_emploi: Sequence[tuple[str, str]] = ()

    @property
    def derniere_ligne(self) -> int:
        """Le numéro de la dernière ligne remplie, titres compris."""
        return len(self.lignes) + 1


def ecrire_csv(classeur: ClasseurEcrit) -> bytes:
    """Point-virgule et marque UTF-8 : ce qu'un tableur français ouvre sans rien demander."""
    texte = io.StringIO()
    tableau = csv.writer(texte, delimiter=";")
    tableau.writerow([colonne.titre for colonne in classeur.colonnes])
    tableau.writerows([_en_texte(valeur) for valeur in ligne] for ligne in classeur.lignes)
    return texte.getvalue().encode("utf-8-sig")


def _en_texte(valeur: Any) -> str:
    if valeur is None:
        return ""
    if isinstance(valeur, str):
        return proteger(valeur)
    if isinstance(valeur, datetime.date):
        return formater_date(valeur)
    if isinstance(valeur, Decimal):
        # Sans espace entre les milliers : le tableur y lit un nombre.
        return format(valeur, "f").replace(".", ",")
    return str(valeur)
