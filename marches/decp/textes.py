"""Les textes d'un enregistrement : nettoyés pour être gardés, pliés pour être comparés, mis à plat d'où qu'ils
soient."""

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any

# Au-delà, ce n'est plus un nombre qu'on écrit : 1e999999999 ferait un texte d'un milliard de chiffres.
CHIFFRES_AU_PLUS = 30
# Une liste de titulaires ou de considérations n'en a jamais tant : on ne parcourt pas un piège jusqu'au bout.
NOEUDS_AU_PLUS = 20_000

# Les caractères de commande (l'octet nul, que PostgreSQL refuse) et les demi-codets, que UTF-8 ne sait pas écrire.
_INTERDITS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")
_BLANCS = re.compile(r"\s+")

# Ce que les plateformes écrivent pour dire qu'elles ne savent pas ; MQ, CDL, INX : étiquettes de qualité du MINEF.
_ABSENCES = frozenset(
    {
        "",
        "nc",
        "null",
        "none",
        "nan",
        "mq",
        "cdl",
        "inx",
        "n/a",
        "na",
        "nr",
        "non renseigne",
        "non communique",
        "-",
        "?",
    }
)
_QUALITES = ("mq ", "cdl ", "inx ")


@lru_cache(maxsize=16384)
def plier(texte: str) -> str:
    """Pour comparer : sans accents, en minuscules, apostrophes droites, espaces réduites (NFKD)."""
    sans_accents = texte
    if not texte.isascii():
        decompose = unicodedata.normalize("NFKD", texte.replace("’", "'"))
        sans_accents = "".join(c for c in decompose if not unicodedata.combining(c))
    return _BLANCS.sub(" ", sans_accents.lower()).strip()


def nettoyer(texte: str) -> str:
    """Pour garder : espaces réduites, caractères de commande ôtés ; U+FFFD reste, il dit que la source est abîmée."""
    return " ".join((texte if texte.isprintable() else _INTERDITS.sub(" ", texte)).split())


@lru_cache(maxsize=16384)
def est_une_absence(texte: str) -> bool:
    """« NC », « MQ », « INX … », vide : non renseigné, et jamais non."""
    plie = plier(texte)
    return plie in _ABSENCES or plie.startswith(_QUALITES)


def scalaire(valeur: Any) -> str | None:
    """Le texte d'une valeur simple ; None pour une liste, un objet, rien, un entier démesuré."""
    if isinstance(valeur, str):
        return valeur
    if isinstance(valeur, bool):
        return "oui" if valeur else "non"
    if isinstance(valeur, int):
        return str(valeur) if valeur.bit_length() < 200 else None
    if isinstance(valeur, float):
        valeur = Decimal(repr(valeur))
    if not isinstance(valeur, Decimal):
        return None
    if not valeur.is_finite() or abs(valeur.adjusted()) > CHIFFRES_AU_PLUS:
        return str(valeur)  # comme dans le contenu canonique : « NaN », « 1E+400 »
    return str(int(valeur)) if valeur == valeur.to_integral_value() else ecrire(valeur)


def ecrire(decimal: Decimal) -> str:
    """Un nombre à virgule en toutes décimales, sans zéro de trop, sans en arrondir aucune."""
    return format(decimal, "f").rstrip("0")


def texte(valeur: Any, longueur: int = 0) -> str:
    """Le texte d'un champ, « » s'il manque ou se dit non renseigné ; d'une liste, le premier qui dit quelque chose."""
    if valeur is None:
        return ""
    if isinstance(valeur, list):
        valeur = next((v for v in a_plat(valeur) if not est_une_absence(v)), None)
    brut = valeur if isinstance(valeur, str) else scalaire(valeur)
    if not brut:
        return ""
    propre = nettoyer(brut)
    if len(propre) < 40 and est_une_absence(propre):
        return ""
    return propre[:longueur] if longueur else propre


def feuilles(valeur: Any) -> Iterator[Any]:
    """Les valeurs simples et les objets, à travers des listes de listes ; sans récursion, et jusqu'à une limite."""
    pile, vus = [valeur], 0
    while pile and vus < NOEUDS_AU_PLUS:
        noeud = pile.pop()
        vus += 1
        if isinstance(noeud, list | tuple):
            pile.extend(reversed(noeud[:NOEUDS_AU_PLUS]))
        elif noeud is not None:
            yield noeud


def premiere_feuille(valeur: Any) -> Any:
    """La première valeur simple, ou le premier objet ; None s'il n'y en a pas."""
    return next(feuilles(valeur), None) if isinstance(valeur, list | tuple) else valeur


def a_plat(valeur: Any) -> Iterator[str]:
    """Tous les textes, à travers listes et objets : `{"technique": ["a"]}`, `[{"technique": "a"}]`, `"a"`."""
    pile, vus = [valeur], 0
    while pile and vus < NOEUDS_AU_PLUS:
        noeud = pile.pop()
        vus += 1
        if isinstance(noeud, dict):
            # Dans l'ordre des clés : un contenu gardé puis relu ne les a plus dans celui du fichier.
            pile.extend(noeud[cle] for cle in sorted(noeud, key=str, reverse=True))
        elif isinstance(noeud, list | tuple):
            pile.extend(reversed(noeud[:NOEUDS_AU_PLUS]))
        elif (brut := scalaire(noeud)) is not None:
            yield brut


_SEPARATEURS = re.compile(r"[,;]")


def liste(valeur: Any) -> tuple[str, ...]:
    """Les libellés d'un champ à plusieurs valeurs ; un texte se coupe à `,` et `;`, comme dans le format tabulaire."""
    if isinstance(valeur, str):
        return _couper(valeur)
    return tuple(libelle for brut in a_plat(valeur) for libelle in _couper(brut))


@lru_cache(maxsize=4096)
def _couper(brut: str) -> tuple[str, ...]:
    propres = (nettoyer(morceau) for morceau in _SEPARATEURS.split(brut))
    return tuple(propre for propre in propres if propre and not est_une_absence(propre))


# Les noms les plus courants, pour ne pas examiner ceux de chaque objet.
_CONNUS = frozenset(
    _BLANCS.split(
        """id uid uuid source _type acheteur autoriteConcedante nom nature objet codeCPV procedure lieuExecution code
        typeCode dureeMois dateNotification datePublicationDonnees dateSignature dateDebutExecution montant formePrix
        valeurGlobale montantSubventionPublique titulaires titulaire concessionnaires concessionnaire typeIdentifiant
        denominationSociale modifications modification dateNotificationModification dateSignatureModification
        objetModification datePublicationDonneesModification donneesExecution techniques modalitesExecution ccag
        idAccordCadre marcheInnovant attributionAvance sousTraitanceDeclaree offresRecues tauxAvance typesPrix
        typeGroupementOperateurs origineUE origineFrance considerationsSociales considerationsEnvironnementales
        actesSousTraitance modificationsActesSousTraitance"""
    )
)


def champs(valeur: Any) -> dict[str, Any]:
    """Un objet aux noms de champs propres : sans espace autour (« nom  »), « acheteur.id » rangé dans acheteur."""
    if not isinstance(valeur, dict):
        return {}
    if valeur.keys() <= _CONNUS or not any(
        not isinstance(nom, str) or "." in nom or nom != nom.strip() for nom in valeur
    ):
        return valeur
    propres: dict[str, Any] = {}
    pointes: list[tuple[str, str, Any]] = []
    for nom in sorted(nom for nom in valeur if isinstance(nom, str)):
        contenu = valeur[nom]
        avant, point, apres = nom.strip().partition(".")
        if point and avant.strip() and apres.strip():
            pointes.append((avant.strip(), apres.strip(), contenu))
        else:
            propres.setdefault(nom.strip(), contenu)
    for avant, apres, contenu in pointes:
        dedans = propres.get(avant)
        propres[avant] = {**dedans, apres: contenu} if isinstance(dedans, dict) else {apres: contenu}
    return propres
