"""Les enregistrements d'un JSON, un par un, sans jamais tenir le fichier en mémoire.

`json` décode chaque enregistrement d'un bloc ; rien d'autre n'est construit, la mémoire est celle d'un
enregistrement. Une seule passe lit les deux listes du schéma 2, dans l'ordre où elles viennent ; l'imbrication est
bornée, et un fichier coupé se voit à l'endroit où il l'est.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, TextIO

from marches.decp.contrats import Avancement, Brut, FichierIllisible, Format
from marches.decp.identifiants import siret_de_l_acheteur
from marches.decp.octets import EN_CLAIR, ENREGISTREMENT_AU_PLUS, MORCEAU, apres
from marches.decp.textes import plier

PROFONDEUR_AU_PLUS = 50
CONCESSION = "Contrat de concession"
_LISTES = {"marche": "", "contrat-concession": CONCESSION}
_BLANCS = re.compile(r"[ \t\r\n\ufeff]*")
_DEMI_CODET = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
# Ce qui peut rester d'une valeur coupée : « tru », « -12. », « \\u00 », rien.
_COUPURE = re.compile(r"[\w.+\\-]*\s*\Z")
_INTERDITS = re.compile(r"[\x00\ud800-\udfff]")


def _decimal(ecrit: str) -> Decimal:
    try:
        return Decimal(ecrit)
    except InvalidOperation:  # un exposant que Decimal lui-même ne porte pas
        return Decimal("Infinity")


# NaN et Infinity ne sont pas du JSON, mais des plateformes en écrivent : des nombres qu'on ne croira pas.
_DECODER = json.JSONDecoder(parse_float=_decimal, parse_constant=Decimal, strict=False)
_DECODER_LES_LONGS = json.JSONDecoder(parse_float=_decimal, parse_int=_decimal, parse_constant=Decimal, strict=False)


class LecteurJson:
    """Lit `entete()` une fois, puis `enregistrements()` une fois."""

    def __init__(self, source: TextIO, avancement: Avancement) -> None:
        self._source = source
        self._avancement = avancement
        self._texte = ""
        self._place = 0
        self._lignes = 0
        self._fini = False
        self._format = Format.JSON_V1
        self._liste_nue = False

    # --- Ce que le fichier contient ------------------------------------------------------------------

    def entete(self) -> Format:
        """Va jusqu'à `marches`. Une liste : le schéma 1 ; un objet : le schéma 2. Rien de tel : refusé."""
        premier = self._suivant()
        if premier == "[":
            self._liste_nue = True
            return self._format
        if premier != "{":
            raise self._illisible("il ne commence ni par { ni par [")
        vues = []
        for cle in self._cles():
            if cle.strip() == "marches":
                ouvrant = self._suivant()
                if ouvrant not in ("[", "{"):
                    raise self._illisible("« marches » n'est ni une liste ni un objet")
                self._format = Format.JSON_V1 if ouvrant == "[" else Format.JSON_V2
                return self._format
            vues.append(cle[:40])
            self._valeur()
        dites = ", ".join(f"« {cle} »" for cle in vues[:5]) or "rien"
        raise FichierIllisible(
            f"Ce JSON n'a pas de « marches » à sa racine, mais {dites} : ce n'est pas un fichier DECP."
        )

    def enregistrements(self, sirens: frozenset[str]) -> Iterator[Brut]:
        """Chaque élément ; de ceux dont l'acheteur n'est pas de `sirens` (s'il y en a), seulement le compte."""
        if self._format is Format.JSON_V1:
            yield from self._liste("", sirens)
        else:
            for cle in self._cles():
                genre = _LISTES.get(plier(cle.replace("_", "-")))
                ouvrant = self._suivant()
                if genre is None:
                    self._valeur()
                elif ouvrant == "[":
                    yield from self._liste(genre, sirens)
                elif ouvrant == "{":  # un seul, sans sa liste
                    yield from self._un(genre, sirens)
                else:
                    self._valeur()
        if not self._liste_nue:
            self._fin_de_la_racine()
        if self._suivant():
            raise self._illisible("quelque chose suit la fin du JSON")

    def _fin_de_la_racine(self) -> None:
        separateur = self._suivant()
        if separateur == ",":
            self._place += 1
            for _ in self._cles(ouvert=True):
                self._valeur()
        elif separateur == "}":
            self._place += 1
        else:
            raise self._illisible("il y manque une virgule ou une accolade")

    def _liste(self, genre: str, sirens: frozenset[str]) -> Iterator[Brut]:
        self._place += 1
        if self._suivant() == "]":
            self._place += 1
            return
        while True:
            yield from self._un(genre, sirens)
            separateur = self._suivant()
            self._place += 1
            if separateur == "]":
                return
            if separateur != ",":
                self._place -= 1
                raise self._illisible("il y manque une virgule ou un crochet")

    def _un(self, genre: str, sirens: frozenset[str]) -> Iterator[Brut]:
        contenu = self._valeur()
        self._avancement.lus += 1
        defaut = ""
        debut, fin = self._debut, self._place
        ouvrants = self._texte.count("{", debut, fin) + self._texte.count("[", debut, fin)
        if ouvrants > PROFONDEUR_AU_PLUS and profondeur_depasse(contenu, PROFONDEUR_AU_PLUS):
            contenu, defaut = None, f"Il est imbriqué sur plus de {PROFONDEUR_AU_PLUS} niveaux."
        if self._texte.find("\\u", debut, fin) >= 0 and _DEMI_CODET.search(self._texte, debut, fin):
            contenu = _assaini(contenu)
        if not defaut:
            contenu, defaut = _deballe(contenu)
        if contenu is not None and genre:
            contenu.setdefault("_type", genre)
        if sirens and contenu is not None:
            siret = siret_de_l_acheteur(contenu)
            if siret and siret[:9] not in sirens:
                self._avancement.autres_acheteurs += 1
                return
        yield Brut(self._avancement.lus, contenu, defaut)

    def _cles(self, ouvert: bool = False) -> Iterator[str]:
        """Les clés d'un objet dont l'accolade vient ; à chacune, la place est au début de sa valeur."""
        if not ouvert:
            self._place += 1
            if self._suivant() == "}":
                self._place += 1
                return
        while True:
            if self._suivant() != '"':
                raise self._illisible("il y manque un nom entre guillemets")
            cle = self._valeur()
            if self._suivant() != ":":
                raise self._illisible("il y manque deux-points après un nom")
            self._place += 1
            yield cle
            separateur = self._suivant()
            if separateur not in (",", "}"):
                raise self._illisible("il y manque une virgule ou une accolade")
            self._place += 1
            if separateur == "}":
                return

    # --- Le texte, au fil de l'eau -------------------------------------------------------------------

    def _suivant(self) -> str:
        """Le prochain caractère qui n'est pas un blanc, sans le prendre ; « » à la fin du fichier."""
        while True:
            place = _BLANCS.match(self._texte, self._place).end()  # type: ignore[union-attr]
            self._place = place
            if place < len(self._texte):
                return self._texte[place]
            if not self._completer():
                return ""

    def _valeur(self) -> Any:
        self._suivant()
        decoder = _DECODER
        while True:
            try:
                valeur, fin = decoder.raw_decode(self._texte, self._place)
            except RecursionError:
                raise self._illisible("il est imbriqué sur trop de niveaux") from None
            except json.JSONDecodeError as erreur:
                self._attendre_la_suite(erreur)
            except ValueError:  # un entier de plus de 4 300 chiffres
                decoder = _DECODER_LES_LONGS
            else:
                # Un nombre au bord du texte lu peut y être coupé.
                if fin < len(self._texte) or isinstance(valeur, str | dict | list) or not self._completer():
                    self._debut, self._place = self._place, fin
                    return valeur
                self._refuser_le_demesure()

    def _attendre_la_suite(self, erreur: json.JSONDecodeError) -> None:
        """La valeur est-elle fausse, ou seulement pas encore lue en entier ?"""
        coupee = erreur.msg.startswith("Unterminated") or erreur.pos >= len(self._texte) - 16
        if not coupee:
            raise self._illisible("une valeur ne se lit pas", erreur.pos)
        self._refuser_le_demesure()
        avance = erreur.pos - self._place
        if not self._completer():
            place = self._place + avance
            if not erreur.msg.startswith("Unterminated") and not _COUPURE.match(self._texte, place):
                raise self._illisible("une valeur ne se lit pas", place)
            raise self._tronque()

    def _refuser_le_demesure(self) -> None:
        if len(self._texte) - self._place > ENREGISTREMENT_AU_PLUS:
            raise self._illisible(f"un enregistrement y dépasse {EN_CLAIR}, la limite")

    def _completer(self) -> bool:
        """Lit la suite, en oubliant ce qui est déjà rendu ; double ce qu'il lit tant qu'une valeur ne tient pas."""
        if self._fini:
            return False
        reste = len(self._texte) - self._place
        self._lignes += self._texte.count("\n", 0, self._place)
        suite = self._source.read(max(MORCEAU, reste))
        self._fini = not suite
        self._texte = self._texte[self._place :] + suite
        self._place = 0
        return not self._fini

    def _ligne(self, place: int) -> int:
        return self._lignes + self._texte.count("\n", 0, place) + 1

    def _illisible(self, quoi: str, place: int | None = None) -> FichierIllisible:
        if self._place >= len(self._texte) and self._fini:
            return self._tronque()
        place = self._place if place is None else place
        colonne = place - self._texte.rfind("\n", 0, place)
        ou = f"ligne {self._ligne(place)}, caractère {colonne}, {apres(self._avancement)}"
        return FichierIllisible(f"Ce JSON ne se lit pas, {ou} : {quoi}.")

    def _tronque(self) -> FichierIllisible:
        return FichierIllisible(
            f"Le fichier est tronqué : il s'arrête en route, ligne {self._ligne(len(self._texte))}, "
            f"{apres(self._avancement)}."
        )


def profondeur_depasse(valeur: Any, limite: int) -> bool:
    """Plus de `limite` niveaux de listes et d'objets ; sans récursion."""
    pile = [(valeur, 1)]
    while pile:
        noeud, niveau = pile.pop()
        if isinstance(noeud, dict | list):
            if niveau > limite:
                return True
            dedans = noeud.values() if isinstance(noeud, dict) else noeud
            pile.extend((enfant, niveau + 1) for enfant in dedans if isinstance(enfant, dict | list))
    return False


def _assaini(valeur: Any) -> Any:
    """Sans caractère nul ni demi-codet, qu'une base ne garde pas ; U+FFFD à leur place. Profondeur déjà bornée."""
    if isinstance(valeur, str):
        return _INTERDITS.sub("\ufffd", valeur)
    if isinstance(valeur, list):
        return [_assaini(element) for element in valeur]
    if isinstance(valeur, dict):
        return {_INTERDITS.sub("\ufffd", cle): _assaini(dedans) for cle, dedans in valeur.items()}
    return valeur


def _deballe(valeur: Any) -> tuple[dict[str, Any] | None, str]:
    """L'objet, même seul au fond de listes (`[[{…}]]`) ou sous son nom (`{"marche": {…}}`)."""
    while isinstance(valeur, list) and len(valeur) == 1:
        valeur = valeur[0]
    if isinstance(valeur, dict):
        if len(valeur) == 1 and isinstance(dedans := next(iter(valeur.values())), dict):
            nom = next(iter(valeur))
            if nom.strip() in _LISTES:
                return ({**dedans, "_type": CONCESSION} if _LISTES[nom.strip()] else dedans), ""
        return valeur, ""
    quoi = "une liste" if isinstance(valeur, list) else "rien" if valeur is None else "une valeur seule"
    return None, f"Un objet est attendu, c'est {quoi}."
