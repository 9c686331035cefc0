"""Ce que l'on sait dessiner : la figure une fois lue, et ce qu'un gabarit reçoit.

Les valeurs restent des `Decimal` jusqu'au dernier moment : l'étiquette d'une barre ne doit jamais montrer
une erreur de flottant. `None` est une valeur manquante, jamais un zéro.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils.safestring import SafeString


class GraphiqueNonPris(ValueError):
    """La figure demande quelque chose que le dessin côté serveur ne sait pas rendre fidèlement.

    `str()` nomme l'attribut en cause. C'est une faute de programmation, jamais une saisie : on préfère
    l'arrêt à un graphique qui dirait autre chose que sa figure.
    """


@dataclass(frozen=True)
class Point:
    """Une valeur à sa place. `position` est sur l'axe (rang de catégorie, nombre, ou jour depuis l'an 1)."""

    position: float
    libelle: str
    origine: str | int | float
    valeur: Decimal | None


@dataclass(frozen=True)
class Serie:
    """Une trace de la figure, avec l'aspect décidé : couleur toujours doublée d'un motif ou d'un symbole."""

    rang: int
    genre: str  # "barre" ou "courbe"
    nom: str
    unite: str
    decimales: int | None
    points: tuple[Point, ...]
    couleur: str
    couleurs: tuple[str, ...] = ()  # une par barre, quand la figure les donne ainsi
    motif: str = ""
    symbole: str = "circle"
    tiret: str = "solid"
    escalier: bool = False
    avec_ligne: bool = False
    avec_marqueurs: bool = False
    remplie: bool = False
    pile: str = ""
    epaisseur: float = 2.5
    taille: float = 8.0

    def couleur_de(self, i: int) -> str:
        """La couleur de la barre `i`."""
        return self.couleurs[i] if self.couleurs else self.couleur

    def morceaux(self, places: Container[int] | None = None) -> list[list[int]]:
        """Les rangs des points qui se suivent sans trou : une ligne n'en franchit pas.

        `places` restreint aux points dont on connaît la hauteur ; sans lui, à ceux qui ont une valeur.
        """
        suites: list[list[int]] = [[]]
        for i, point in enumerate(self.points):
            if (point.valeur is not None) if places is None else (i in places):
                suites[-1].append(i)
            else:
                suites.append([])
        return [suite for suite in suites if suite]


@dataclass(frozen=True)
class Axe:
    """Un axe tel que la figure le demande. `genre` : categorie, nombre, annee ou date."""

    genre: str = "nombre"
    titre: str = ""
    visible: bool = True
    inverse: bool = False
    depuis_zero: bool = True
    bornes: tuple[Decimal, Decimal] | None = None


@dataclass(frozen=True)
class Repere:
    """Un trait vertical, avant la position qui le suit : ce qui y est coupé, et son mot."""

    position: float
    texte: str


@dataclass(frozen=True)
class FigureLue:
    """La figure, toutes ses demandes comprises : rien d'autre n'en sera lu ensuite."""

    series: tuple[Serie, ...]
    positions: Axe
    valeurs: Axe
    categories: tuple[str, ...] = ()
    horizontale: bool = False
    empilee: bool = False
    legende: bool = False
    ecart: float = 0.3  # part de vide entre deux groupes de barres, de 0 à 1
    largeur: int = 440
    hauteur: int | None = None
    reperes: tuple[Repere, ...] = ()

    @property
    def barres(self) -> tuple[Serie, ...]:
        return tuple(s for s in self.series if s.genre == "barre")

    @property
    def courbes(self) -> tuple[Serie, ...]:
        return tuple(s for s in self.series if s.genre == "courbe")

    @property
    def vide(self) -> bool:
        """Vrai s'il n'y a aucune valeur à montrer."""
        return all(p.valeur is None for s in self.series for p in s.points)

    @property
    def unite_commune(self) -> str:
        """L'unité de toutes les séries quand elles n'en ont qu'une, sinon ''."""
        unites = {s.unite for s in self.series}
        return unites.pop() if len(unites) == 1 else ""


@dataclass(frozen=True)
class Tableau:
    """Les données du graphique, écrites à la française : une ligne par position, une colonne par série."""

    legende: str
    entetes: tuple[str, ...]
    lignes: tuple[tuple[str, ...], ...]
    phrase: str = ""  # ce qui remplace le tableau quand il n'a aucune ligne
    liens: Mapping[tuple[int, int], str] = field(default_factory=dict)  # (ligne, colonne) → où mène la case

    @property
    def cases(self) -> list[list[tuple[str, str]]]:
        """Les lignes, chaque case avec l'adresse où elle mène, vide s'il n'y en a pas."""
        return [
            [(case, self.liens.get((i, j), "")) for j, case in enumerate(ligne)] for i, ligne in enumerate(self.lignes)
        ]


@dataclass(frozen=True)
class Graphique:
    """Ce que montre `templates/socle/_graphique.html`.

    `cle` est un identifiant ASCII, unique dans la page. `json` est ce que plotly redessine, déjà protégé
    pour une balise <script> ; vide quand le dessin du serveur doit rester seul.
    """

    cle: str
    titre: str
    description: str
    svg: SafeString
    tableau: Tableau
    json: SafeString
    resume: str = ""
