"""Les enregistrements d'un XML officiel, rendus comme le JSON les écrit ; au fil de l'eau, entités et DTD refusées."""

from collections.abc import Iterator
from typing import Any
from xml.sax import SAXException, SAXParseException, handler

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from marches.decp.contrats import Avancement, Brut, FichierIllisible
from marches.decp.identifiants import siret_de_l_acheteur
from marches.decp.lecture_json import CONCESSION, PROFONDEUR_AU_PLUS
from marches.decp.octets import EN_CLAIR, ENREGISTREMENT_AU_PLUS, apres

MORCEAU = 1 << 16
_ENREGISTREMENTS = {"marche": "", "contrat-concession": CONCESSION}
# Schéma 2.0.4 : les listes d'objets, chacun sous son nom, puis les listes de libellés.
_LISTES_D_OBJETS = {
    "titulaires",
    "concessionnaires",
    "modifications",
    "actesSousTraitance",
    "modificationsActesSousTraitance",
    "donneesExecution",
    "tarifs",
}
_LISTES_DE_LIBELLES = {
    "techniques",
    "modalitesExecution",
    "typesPrix",
    "considerationsSociales",
    "considerationsEnvironnementales",
}
# Ce que dit expat, en français.
_FAUTES = {
    "undefined entity": "une entité n'y est pas définie",
    "not well-formed (invalid token)": "un caractère n'y a pas sa place (une esperluette seule, un autre encodage…)",
    "mismatched tag": "une balise n'y ferme pas celle qui est ouverte",
    "junk after document element": "quelque chose suit la fin du XML",
    "duplicate attribute": "un attribut y est deux fois",
    "unknown encoding": "son encodage est inconnu",
}


class _Element:
    __slots__ = ("enfants", "nom", "textes")

    def __init__(self, nom: str) -> None:
        self.nom = nom
        self.enfants: dict[str, list[Any]] = {}
        self.textes: list[str] = []

    def valeur(self) -> Any:
        """Le texte, ou les enfants par nom, une liste quand un nom se répète ; None s'il est vide."""
        if not self.enfants:
            return "".join(self.textes).strip() or None
        if self.nom in _LISTES_D_OBJETS:
            return [{nom: valeur} for nom, valeurs in self.enfants.items() for valeur in valeurs]
        if self.nom in _LISTES_DE_LIBELLES:
            return {nom: [v for v in valeurs if v is not None] for nom, valeurs in self.enfants.items()}
        return {nom: valeurs[0] if len(valeurs) == 1 else valeurs for nom, valeurs in self.enfants.items()}


class _Constructeur(handler.ContentHandler):
    """Bâtit les enregistrements ; ce qui n'est pas sous `<marches>` fait refuser le fichier."""

    def __init__(self, analyseur: DefusedExpatParser) -> None:
        super().__init__()
        self.complets: list[dict[str, Any] | None] = []
        self._pile: list[_Element] = []
        self._niveau = 0
        self._analyseur = analyseur

    def startElement(self, name: str, attrs: Any) -> None:
        nom = name.rpartition(":")[2]
        self._niveau += 1
        if self._niveau == 1 and nom != "marches":
            if nom.lower() in ("html", "head", "body"):
                raise FichierIllisible("Le fichier est une page HTML, pas des données.")
            raise FichierIllisible(f"La racine de ce XML est <{nom[:40]}> : un fichier DECP commence par <marches>.")
        if self._niveau > PROFONDEUR_AU_PLUS:
            ligne = self._analyseur.getLineNumber()
            raise FichierIllisible(f"Ce XML est imbriqué sur plus de {PROFONDEUR_AU_PLUS} niveaux, ligne {ligne}.")
        if self._pile or (self._niveau == 2 and nom in _ENREGISTREMENTS):
            self._pile.append(_Element(nom))

    def characters(self, content: str) -> None:
        if self._pile:
            self._pile[-1].textes.append(content)

    def endElement(self, name: str) -> None:
        self._niveau -= 1
        if not self._pile:
            return
        element = self._pile.pop()
        valeur = element.valeur()
        if self._pile:
            self._pile[-1].enfants.setdefault(element.nom, []).append(valeur)
        else:
            genre = _ENREGISTREMENTS[element.nom]
            if isinstance(valeur, dict) and genre:
                valeur.setdefault("_type", genre)
            self.complets.append(valeur if isinstance(valeur, dict) else None)


def _analyseur() -> tuple[DefusedExpatParser, _Constructeur]:
    analyseur = DefusedExpatParser(forbid_dtd=True, forbid_entities=True, forbid_external=True)
    constructeur = _Constructeur(analyseur)
    analyseur.setContentHandler(constructeur)
    return analyseur, constructeur


def verifier_la_racine(tete: bytes) -> None:
    """Refuse, aux premiers octets, un XML dont la racine n'est pas `<marches>`, ou qui déclare une DTD."""
    _analyser(_analyseur()[0], tete, Avancement(len(tete)))


def enregistrements_xml(octets: Any, avancement: Avancement, sirens: frozenset[str]) -> Iterator[Brut]:
    """Chaque `<marche>` et `<contrat-concession>` ; des autres acheteurs que `sirens` (s'il y en a), seulement le
    compte."""
    analyseur, constructeur = _analyseur()
    depuis = 0
    while morceau := octets.read(MORCEAU):
        _analyser(analyseur, morceau, avancement)
        depuis = 0 if constructeur.complets else depuis + len(morceau)
        if depuis > ENREGISTREMENT_AU_PLUS:
            raise FichierIllisible(
                f"Un enregistrement de ce XML dépasse {EN_CLAIR}, la limite, ligne {analyseur.getLineNumber()}."
            )
        for contenu in constructeur.complets:
            avancement.lus += 1
            if contenu is None:
                yield Brut(avancement.lus, None, "L'élément est vide, ou n'est que du texte.")
                continue
            siret = siret_de_l_acheteur(contenu) if sirens else ""
            if siret and siret[:9] not in sirens:
                avancement.autres_acheteurs += 1
            else:
                yield Brut(avancement.lus, contenu)
        constructeur.complets.clear()
    _analyser(analyseur, None, avancement)


def _analyser(analyseur: DefusedExpatParser, morceau: bytes | None, avancement: Avancement) -> None:
    """Donne la suite à l'analyseur (None : il n'y en a plus), et dit en français ce qui ne va pas."""
    try:
        if morceau is None:
            analyseur.close()
        else:
            analyseur.feed(morceau)
    except DefusedXmlException:
        raise FichierIllisible(
            "Ce XML déclare une DTD ou des entités : elles sont refusées, un fichier DECP n'en a pas besoin."
        ) from None
    except SAXParseException as erreur:
        ou = f"ligne {erreur.getLineNumber()}, caractère {(erreur.getColumnNumber() or 0) + 1}"
        if morceau is None:
            raise FichierIllisible(
                f"Le fichier est tronqué : ce XML s'arrête en route, {ou}, {apres(avancement)}."
            ) from None
        quoi = _FAUTES.get(erreur.getMessage(), "il n'est pas bien formé")
        raise FichierIllisible(f"Ce XML ne se lit pas, {ou}, {apres(avancement)} : {quoi}.") from None
    except LookupError:
        raise FichierIllisible("Ce XML ne se lit pas : son encodage est inconnu.") from None
    except (SAXException, ValueError):
        raise FichierIllisible(f"Ce XML ne se lit pas, {apres(avancement)} : il n'est pas bien formé.") from None
