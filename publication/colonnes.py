"""Comment une table publique se décrit : une colonne dit son nom de machine, ce qu'elle veut dire, son type (Table
Schema de Frictionless, v1) et comment elle se lit. Les tables elles-mêmes sont dans `publication.tables`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from operator import attrgetter
from typing import Any

from django.db.models import TextChoices

from actions.models import Plan
from socle.formats import typographie

Lecture = Callable[[Any, Plan], Any]
ListeFermee = type[TextChoices]
Valeur = str | int | Decimal | date | bool | None


class TypeDeColonne(Enum):
    """Les types de Table Schema qui servent ici."""

    TEXTE = "string"
    ENTIER = "integer"
    NOMBRE = "number"
    BOOLEEN = "boolean"
    ANNEE = "year"
    DATE = "date"

    @property
    def libelle(self) -> str:
        """Tel que le dictionnaire le dit."""
        return {
            "string": "texte",
            "integer": "nombre entier",
            "number": "nombre",
            "boolean": "vrai ou faux (true, false)",
            "year": "année",
            "date": "date (AAAA-MM-JJ)",
        }[self.value]


@dataclass(frozen=True)
class Colonne:
    """`lire(objet, plan)` : ce que vaut la colonne pour un objet de la requête de sa table, sans requête de plus.

    `choix` : une liste fermée ; la colonne porte le code, le dictionnaire dit ce qu'il veut dire. `bornes` : le plus
    petit et le plus grand nombre possibles, None s'il n'y en a pas.
    """

    nom: str
    titre: str
    type: TypeDeColonne
    description: str
    lire: Lecture
    obligatoire: bool = False
    unique: bool = False
    choix: ListeFermee | None = None
    bornes: tuple[int | None, int | None] = (None, None)
    format: str = "default"
    exemple: str = ""

    def valeur(self, objet: Any, plan: Plan) -> Valeur:
        """Un texte vide est une valeur inconnue, comme partout."""
        lue: Valeur = self.lire(objet, plan)
        return None if lue == "" else lue

    @property
    def codes(self) -> list[str]:
        return list(self.choix.values) if self.choix else []

    @property
    def legende(self) -> str:
        """Les codes possibles et leur sens, en une phrase ; vide sans liste fermée."""
        if self.choix is None:
            return ""
        return " ; ".join(f"{code} : {libelle}" for code, libelle in self.choix.choices)

    @property
    def contraintes(self) -> dict[str, Any]:
        """Les contraintes de Table Schema."""
        minimum, maximum = self.bornes
        possibles = {
            "required": self.obligatoire or None,
            "unique": self.unique or None,
            "enum": self.codes or None,
            "minimum": minimum,
            "maximum": maximum,
        }
        return {nom: contrainte for nom, contrainte in possibles.items() if contrainte is not None}

    def schema(self) -> dict[str, Any]:
        """Le champ de Table Schema."""
        champ: dict[str, Any] = {"name": self.nom, "title": self.titre, "type": self.type.value}
        if self.format != "default":
            champ["format"] = self.format
        champ["description"] = typographie(f"{self.description} {self.legende}".strip())
        return champ | ({"constraints": self.contraintes} if self.contraintes else {})


@dataclass(frozen=True)
class Lien:
    """Une clé étrangère : cette colonne est une `id` de cette table."""

    colonne: str
    table: str


@dataclass(frozen=True)
class Table:
    """`requete(plan)` : les objets publics de ce plan, un QuerySet dans un ordre stable. `cle` : ce qui désigne une
    ligne."""

    nom: str
    titre: str
    description: str
    requete: Callable[[Plan], Any]
    colonnes: Sequence[Colonne]
    cle: tuple[str, ...]
    liens: tuple[Lien, ...] = ()

    def ligne(self, objet: Any, plan: Plan) -> dict[str, Valeur]:
        """Un objet de `requete(plan)`, tel qu'il se publie, dans l'ordre des colonnes."""
        return {colonne.nom: colonne.valeur(objet, plan) for colonne in self.colonnes}

    def lignes(self, plan: Plan) -> Iterator[dict[str, Valeur]]:
        """Toutes les lignes, en un nombre constant de requêtes."""
        return (self.ligne(objet, plan) for objet in self.requete(plan))

    def schema(self) -> dict[str, Any]:
        """Le Table Schema : colonnes, clé, liens. Un lien vers la table même s'écrit avec un nom vide."""
        schema: dict[str, Any] = {
            "fields": [colonne.schema() for colonne in self.colonnes],
            "missingValues": [""],
            "primaryKey": list(self.cle),
        }
        if self.liens:
            schema["foreignKeys"] = [
                {
                    "fields": lien.colonne,
                    "reference": {"resource": "" if lien.table == self.nom else lien.table, "fields": "id"},
                }
                for lien in self.liens
            ]
        return schema


# --- Comment une colonne se lit -------------------------------------------------------------------


def champ(chemin: str) -> Lecture:
    """La valeur de ce champ, tel quel."""
    lire = attrgetter(chemin)
    return lambda objet, plan: lire(objet)


def nombre(valeur: Decimal | None) -> Decimal | None:
    """Sans zéros de fin ni exposant : 166, 25.3."""
    if valeur is None:
        return None
    entiere = valeur == valeur.to_integral_value()
    return valeur.quantize(Decimal(1)) if entiere else valeur.normalize()


def nombre_du_champ(nom: str) -> Lecture:
    return lambda objet, plan: nombre(getattr(objet, nom))
