"""Ce que les lecteurs de classeurs partagent : la feuille brute, et les gardes contre un fichier piégé.

Un .xlsx et un .ods sont des archives de textes XML : elles ne se déplient ici qu'en comptant, et leur XML ne se lit
qu'au fil de l'eau, sans entités ni déclarations.
"""

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

MORCEAU = 1 << 16
PARTIES_MAX = 2000
# Au-dessus du tableau peuvent se trouver un titre, une date, une légende.
LIGNES_AVANT_LES_TITRES = 20


class FichierIllisible(ValueError):
    """Le fichier entier est refusé ; `str()` est la phrase à montrer."""


@dataclass(frozen=True)
class Limites:
    """Ce qu'on accepte au plus. `octets_deplies` : ce que pèse un classeur une fois décompressé."""

    octets: int
    octets_deplies: int
    lignes: int
    colonnes: int


@dataclass(frozen=True)
class CelluleIllisible:
    """Une cellule qui n'a pas de valeur à lire ; refusée si elle est dans le tableau. `pourquoi` finit la phrase."""

    pourquoi: str


class EnPourcent(float):
    """Le nombre d'une cellule que le tableur montre en pour cent : « 35,1 % » y est 0.351."""


FORMULE_SANS_VALEUR = CelluleIllisible(
    "est une formule dont le résultat n'est pas enregistré. Ouvrez le fichier dans un tableur et enregistrez-le, "
    "ou remplacez la formule par sa valeur"
)


def en_erreur(texte: str) -> CelluleIllisible:
    return CelluleIllisible(f"est en erreur ({texte[:20]}) : corrigez-la ou videz-la")


def repere(colonne: int, ligne: int) -> str:
    """« B12 ». La colonne se compte à partir de zéro, la ligne à partir de un."""
    lettres, rang = "", colonne + 1
    while rang:
        rang, reste = divmod(rang - 1, 26)
        lettres = chr(65 + reste) + lettres
    return f"{lettres}{ligne}"


@dataclass(frozen=True)
class Zone:
    """Un rectangle de cellules fusionnées, bornes comprises."""

    premiere_ligne: int
    derniere_ligne: int
    premiere_colonne: int
    derniere_colonne: int

    def __str__(self) -> str:
        debut = repere(self.premiere_colonne, self.premiere_ligne)
        return f"{debut}:{repere(self.derniere_colonne, self.derniere_ligne)}"


@dataclass
class Feuille:
    """Les rangées qui ont quelque chose, par numéro. Pleine, elle ne retient plus rien et le dit par `refus`."""

    nom: str
    limites: Limites
    rangees: dict[int, dict[int, Any]] = field(default_factory=dict)
    fusions: list[Zone] = field(default_factory=list)
    refus: str = ""

    def poser(self, ligne: int, colonne: int, valeur: Any) -> None:
        if valeur is None or (isinstance(valeur, str) and not valeur.strip()):
            return
        if colonne >= self.limites.colonnes:
            self.refus = (
                self.refus or f"{self.limites.colonnes} colonnes au plus : {repere(colonne, ligne)} est remplie."
            )
            return
        rangee = self.rangees.get(ligne)
        if rangee is None:
            if len(self.rangees) > self.limites.lignes + LIGNES_AVANT_LES_TITRES:
                self.refus = self.refus or trop_de_lignes(self.limites)
                return
            rangee = self.rangees[ligne] = {}
        rangee[colonne] = valeur


def trop_de_lignes(limites: Limites) -> str:
    return f"{limites.lignes} lignes au plus par fichier : celui-ci en a davantage."


# --- L'archive ----------------------------------------------------------------------------------


class Archive:
    """Un classeur déplié partie par partie : ce que les en-têtes annoncent et ce qui sort vraiment sont comptés."""

    def __init__(self, contenu: bytes, limites: Limites) -> None:
        self._zip = zipfile.ZipFile(io.BytesIO(contenu))
        self._reste = limites.octets_deplies
        parties = self._zip.infolist()
        if len(parties) > PARTIES_MAX or sum(partie.file_size for partie in parties) > limites.octets_deplies:
            raise self._demesure()
        if any(partie.flag_bits & 1 for partie in parties):
            raise FichierIllisible(PROTEGE)
        self.noms = [partie.filename for partie in parties]

    @staticmethod
    def _demesure() -> FichierIllisible:
        return FichierIllisible(
            "Ce classeur est démesuré : une fois déplié, il dépasse ce que ce site accepte de lire."
        )

    def morceaux(self, nom: str) -> Iterator[bytes]:
        """Le contenu d'une partie. KeyError si elle manque."""
        with self._zip.open(nom) as partie:
            while morceau := partie.read(MORCEAU):
                self._reste -= len(morceau)
                if self._reste < 0:
                    raise self._demesure()
                yield morceau

    def lire(self, nom: str) -> bytes:
        return b"".join(self.morceaux(nom))


PROTEGE = "Ce classeur est protégé par un mot de passe : enregistrez-en une copie sans mot de passe."
MACROS = "Ce classeur contient des macros : enregistrez-le au format .xlsx ou .ods, sans macros."


# --- Le XML -------------------------------------------------------------------------------------

Debut = Callable[[str, dict[str, str]], None]
Fin = Callable[[str], None]
Texte = Callable[[str], None]


def lire_le_xml(
    morceaux: Iterator[bytes],
    *,
    debut: Debut,
    fin: Fin | None = None,
    texte: Texte | None = None,
    espaces: bool = False,
) -> None:
    """Lit du XML au fil de l'eau. Les balises sont sans préfixe ; avec `espaces`, tous les noms sont précédés de
    leur espace de noms et d'un blanc. Toute déclaration de type ou d'entité est refusée : un classeur n'en a pas, une
    bombe en a.
    """
    lecteur = expat.ParserCreate(namespace_separator=" " if espaces else None)
    lecteur.buffer_text = True
    lecteur.StartDoctypeDeclHandler = _refuser
    lecteur.EntityDeclHandler = _refuser
    lecteur.CharacterDataHandler = texte

    def racine(nom: str, attributs: dict[str, str]) -> None:
        # Presque aucun tableur ne préfixe ses balises : elles vont alors droit à qui les lit.
        ouvre, ferme = debut, fin
        if ":" in nom and not espaces:
            ouvre = lambda nom, attributs: debut(nom.rpartition(":")[2], attributs)  # noqa: E731
            ferme = (lambda nom: fin(nom.rpartition(":")[2])) if fin else None
        lecteur.StartElementHandler, lecteur.EndElementHandler = ouvre, ferme
        ouvre(nom, attributs)

    lecteur.StartElementHandler = racine
    for morceau in morceaux:
        lecteur.Parse(morceau, False)
    lecteur.Parse(b"", True)


def _refuser(*_: Any) -> None:
    raise FichierIllisible("Ce classeur contient des déclarations XML qu'aucun tableur n'écrit : il est refusé.")
