"""Un fichier des finances, ouvert : ses titres, ses lignes, et comment nommer une de ses cellules."""

from collections.abc import Collection
from dataclasses import dataclass

from marches.mandats.correspondances import Correspondance, Role, proposer, reconnu, signature
from socle.formats import INSECABLE, plier
from socle.tableaux import FichierIllisible, Limites, Tableau, lire, texte_de

TAILLE_MAX = 20_000_000
LIMITES = Limites(octets=TAILLE_MAX, octets_deplies=400_000_000, lignes=100_000, colonnes=120)


@dataclass(frozen=True)
class Place:
    """Où l'on est. `titre` : la colonne, vide si c'est toute la ligne."""

    fichier: str
    feuille: str
    ligne: int
    titre: str = ""

    def __str__(self) -> str:
        morceaux = [cite(self.fichier)]
        if self.feuille:
            morceaux.append(f"feuille {cite(self.feuille)}")
        morceaux.append(f"ligne {self.ligne}")
        if self.titre:
            morceaux.append(f"colonne {cite(self.titre)}")
        return ", ".join(morceaux)


def cite(texte: str) -> str:
    return f"«{INSECABLE}{texte[:60]}{INSECABLE}»"


@dataclass(frozen=True)
class Refus:
    """Une cellule qu'il faut corriger : sans elle, le total serait faux."""

    place: Place
    raison: str

    def __str__(self) -> str:
        return f"{self.place}{INSECABLE}: la cellule {self.raison}."


@dataclass(frozen=True)
class FichierLu:
    """Un fichier ouvert : ses titres, ses lignes, rien de compris encore."""

    nom: str
    tableau: Tableau

    @property
    def entetes(self) -> list[str]:
        return self.tableau.titres

    @property
    def signature(self) -> str:
        return signature(self.entetes)

    def proposition(self) -> Correspondance:
        return proposer(self.entetes)

    def premieres(self, titre: str, combien: int) -> list[str]:
        """Les premières valeurs différentes d'une colonne, pour montrer ce qu'elle contient."""
        vues: dict[str, None] = {}
        if titre:
            rang = self.entetes.index(titre)
            for ligne in self.tableau.lignes:
                if texte := texte_de(ligne.cellules[rang])[:40]:
                    vues[texte] = None
                if len(vues) == combien:
                    break
        return list(vues)

    def valeurs(self, titre: str) -> list[str]:
        """Ce que dit une colonne, sans doublon, trié : les budgets d'un fichier, par exemple."""
        if not titre:
            return []
        rang = self.entetes.index(titre)
        return sorted({texte_de(ligne.cellules[rang]) for ligne in self.tableau.lignes} - {""})


def ouvrir(nom: str, contenu: bytes, titres_connus: Collection[str] = ()) -> FichierLu:
    """Trouve la feuille et la ligne des titres. Lève FichierIllisible, dont la phrase nomme le fichier."""
    connus = {plier(titre) for titre in titres_connus}
    try:
        tableau = lire(nom, contenu, limites=LIMITES, reconnu=lambda titre: plier(titre) in connus or reconnu(titre))
        if not tableau.lignes:
            raise FichierIllisible("Ce fichier n'a que des titres : aucune ligne à lire.")
    except FichierIllisible as refus:
        raise FichierIllisible(f"{cite(nom)}{INSECABLE}: {refus}") from refus
    return FichierLu(nom, tableau)


def rangs_de(fichier: FichierLu, correspondance: Correspondance) -> dict[Role, int]:
    places = {titre: rang for rang, titre in enumerate(fichier.entetes)}
    return {role: places[titre] for role in Role if (titre := correspondance.colonne(role)) in places}
