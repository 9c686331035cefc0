"""Lire un PDF balisé comme le ferait un lecteur d'écran : l'arbre des balises, dans l'ordre, et le texte de chacune.

Rien que pikepdf : le texte se lit du contenu marqué, par la table ToUnicode de chaque police.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pikepdf

# Ce qui laisse une trace sur la page : rien n'en est permis hors d'une balise ou d'un artefact.
PEINDRE = {"f", "F", "f*", "B", "B*", "b", "b*", "S", "s", "Do", "Tj", "TJ", "'", '"', "sh", "BI", "INLINE IMAGE"}
_BFCHAR = re.compile(rb"<([0-9a-fA-F]+)>\s*<([0-9a-fA-F]*)>")


@dataclass(frozen=True)
class Balise:
    """Un élément de l'arbre. `texte` : le sien et celui de ce qu'elle contient."""

    nom: str
    objet: Any
    parents: tuple[str, ...]
    texte: str


class PdfLu:
    def __init__(self, octets: bytes) -> None:
        self.poids = len(octets)
        self.pdf = pikepdf.open(io.BytesIO(octets))
        self.racine = self.pdf.Root
        self.hors_balise: list[str] = []
        self._textes = [self._lire_la_page(page) for page in self.pdf.pages]
        self._pages = [page.objgen for page in self.pdf.pages]
        self.balises: list[Balise] = []
        for element in self.racine.StructTreeRoot.K:
            self._parcourir(element, ())

    @property
    def xmp(self) -> str:
        return self.racine.Metadata.read_bytes().decode()

    @property
    def texte(self) -> str:
        """Tout ce qui se lit, dans l'ordre des balises ; titres courants et filigrane n'en sont pas."""
        return " ".join(balise.texte for balise in self.balises if balise.nom == "Document")

    def de_nom(self, nom: str) -> list[Balise]:
        return [balise for balise in self.balises if balise.nom == nom]

    def objets(self) -> Iterator[Any]:
        yield from (objet for objet in self.pdf.objects if isinstance(objet, pikepdf.Dictionary | pikepdf.Stream))

    # --- L'arbre --------------------------------------------------------------------------------

    def _parcourir(self, element: Any, parents: tuple[str, ...]) -> str:
        nom = str(element.S)[1:]
        place = len(self.balises)
        texte, precedente = "", ""
        enfants = element.K if isinstance(element.K, pikepdf.Array) else [element.K]
        for enfant in enfants:
            if isinstance(enfant, int):
                texte += self._textes[self._pages.index(element.Pg.objgen)].pop(enfant)
            elif "/S" in enfant:
                balise = str(enfant.S)[1:]
                # Deux lignes d'un même texte se suivent ; l'espace où la ligne s'est coupée ne s'écrit pas.
                if (precedente == balise == "Span" and not texte.endswith("-")) or balise not in ("Span", "NonStruct"):
                    texte = f"{texte.rstrip(' ')} "
                texte += self._parcourir(enfant, (*parents, nom))
                precedente = balise
        self.balises.insert(place, Balise(nom, element, parents, texte.strip(" ")))
        return texte.strip(" ") if nom not in ("Span", "NonStruct") else texte

    @property
    def textes_hors_de_l_arbre(self) -> list[str]:
        """Le contenu marqué auquel aucune balise ne renvoie."""
        return [texte for page in self._textes for texte in page.values()]

    # --- Les pages ------------------------------------------------------------------------------

    def _lire_la_page(self, page: Any) -> dict[int, str]:
        polices = {nom: _unicode(police) for nom, police in page.Resources.Font.items()}
        textes: dict[int, str] = {}
        ouvertes: list[int | None] = []
        police: dict[int, str] = {}
        for operandes, operateur in pikepdf.parse_content_stream(page):
            match str(operateur):
                case "BDC" | "BMC":
                    mcid = operandes[1].get("/MCID") if len(operandes) > 1 else None
                    ouvertes.append(mcid)
                    if mcid is not None:
                        textes[int(mcid)] = ""
                case "EMC":
                    ouvertes.pop()
                case "Tf":
                    police = polices[str(operandes[0])]
                case "Tj" | "TJ" if ouvertes and ouvertes[-1] is not None:
                    textes[int(ouvertes[-1])] += _ecrit(operandes[0], police)
            if str(operateur) in PEINDRE and not ouvertes:
                self.hors_balise.append(str(operateur))
        return textes


def _ecrit(operande: Any, police: dict[int, str]) -> str:
    morceaux = operande if isinstance(operande, pikepdf.Array) else [operande]
    octets = b"".join(bytes(morceau) for morceau in morceaux if isinstance(morceau, pikepdf.String))
    codes = (int.from_bytes(octets[i : i + 2], "big") for i in range(0, len(octets), 2))
    return "".join(police[code] for code in codes)


def _unicode(police: Any) -> dict[int, str]:
    """Le texte de chaque dessin ; KeyError à la lecture pour un dessin sans texte, que PDF/A-2a refuse."""
    table = police.ToUnicode.read_bytes()
    return {
        int(code, 16): bytes.fromhex(valeur.decode()).decode("utf-16-be")
        for bloc in re.findall(rb"beginbfchar(.*?)endbfchar", table, re.DOTALL)
        for code, valeur in _BFCHAR.findall(bloc)
    }
