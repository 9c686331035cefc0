"""Les communes de France, leurs codes postaux et leurs départements, lus une fois dans `marches/reference/`.

Source : `@etalab/decoupage-administratif` (licence MIT), rapporté par `scripts/communes.py`. Un code est toujours un
code INSEE ; un code postal sert souvent plusieurs communes, et un code Cedex aucune.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from socle.formats import plier
from socle.tableaux import texte_de

_DOSSIER = Path(__file__).resolve().parent / "reference"
_RIEN: frozenset[str] = frozenset()

_CODE_POSTAL = re.compile(r"(?:F(?:R)?[ -]+)?(\d{2} ?\d{3})(?!\d)")
# Quatre chiffres seuls ont perdu leur zéro dans un tableur ; suivis d'une ville, ils sont belges ou suisses.
_SANS_ZERO = re.compile(r"[1-9]\d{3}")
_ARRONDISSEMENT = re.compile(r"^(paris|lyon|marseille)(?: 0?\d{1,2}(?: ?e| ?er| ?eme)?(?: arrondissement)?)?$")


@dataclass(frozen=True)
class _Reference:
    """Les trois premières tables par code INSEE ; les deux dernières mènent aux communes d'aujourd'hui."""

    noms: dict[str, str]
    departements: dict[str, str]
    actuelles: dict[str, str]
    par_code_postal: dict[str, frozenset[str]]
    par_departement: dict[str, frozenset[str]]


def departement_du_code(code: str) -> str:
    """« 34154 » : 34 ; « 2A004 » : 2A ; « 97411 » : 974."""
    return code[:3] if code[:2] in {"97", "98"} else code[:2]


def _lignes(nom: str) -> Iterator[list[str]]:
    with (_DOSSIER / nom).open(encoding="utf-8", newline="") as fichier:
        lecteur = csv.reader(fichier)
        next(lecteur)
        yield from lecteur


@lru_cache(maxsize=1)
def _reference() -> _Reference:
    noms: dict[str, str] = {}
    departements: dict[str, str] = {}
    actuelles: dict[str, str] = {}
    postaux: dict[str, set[str]] = defaultdict(set)
    par_departement: dict[str, set[str]] = defaultdict(set)
    for code, nom, departement, actuelle, codes_postaux in _lignes("communes.csv"):
        present = actuelle or code
        actuelles[code] = present
        departements[code] = departement or departement_du_code(present)
        for code_postal in codes_postaux.split():
            postaux[code_postal].add(present)
        if nom:
            noms[code] = nom
        if not actuelle:
            par_departement[departements[code]].add(code)
    figes = [{cle: frozenset(codes) for cle, codes in table.items()} for table in (postaux, par_departement)]
    return _Reference(noms, departements, actuelles, *figes)


@lru_cache(maxsize=1)
def _par_nom() -> dict[str, frozenset[str]]:
    """Les communes d'aujourd'hui qu'un nom replié peut désigner ; une commune déléguée mène à la commune nouvelle."""
    par_nom: dict[str, set[str]] = defaultdict(set)
    for code, nom in _reference().noms.items():
        par_nom[_nom_plie(nom)].add(commune_actuelle(code))
    return {nom: frozenset(codes) for nom, codes in par_nom.items()}


@lru_cache(maxsize=1)
def departements() -> dict[str, str]:
    """Le nom de chaque département, par son code ; les collectivités d'outre-mer comprises."""
    return dict(_lignes("departements.csv"))


def communes_du_code_postal(code_postal: str) -> frozenset[str]:
    """Les communes d'aujourd'hui que ce code dessert ; aucune pour un Cedex ou un code inconnu."""
    return _reference().par_code_postal.get(code_postal, _RIEN)


def communes_du_departement(departement: str) -> frozenset[str]:
    return _reference().par_departement.get(departement, _RIEN)


def commune_actuelle(code: str) -> str:
    """La commune d'aujourd'hui d'un code INSEE : d'un arrondissement, d'une commune déléguée, d'un ancien code.

    Vide si ce code n'existe pas.
    """
    return _reference().actuelles.get(code, "")


def nom_de(code: str) -> str:
    """Le nom que porte ce code ; celui de la commune d'aujourd'hui pour un ancien code, vide s'il n'existe pas."""
    reference = _reference()
    return reference.noms.get(code) or reference.noms.get(reference.actuelles.get(code, ""), "")


def departement_de(code: str) -> str:
    """Le département de la commune, vide si ce code n'existe pas."""
    reference = _reference()
    return reference.departements.get(reference.actuelles.get(code, ""), "")


def departement_du_code_postal(code_postal: str) -> str:
    """Celui de ses communes, si elles sont du même ; sinon, d'un Cedex, celui que disent ses premiers chiffres.

    La Corse se partage à 20 200 : 200 et 201 sont 2A, le reste 2B. Vide si ce n'est pas un département.
    """
    communs = {departement_de(code) for code in communes_du_code_postal(code_postal)}
    if communs:
        return communs.pop() if len(communs) == 1 else ""
    if len(code_postal) != 5 or not code_postal.isdigit():
        return ""
    lu = departement_du_code(code_postal)
    if lu == "20":
        lu = "2A" if code_postal[:3] in {"200", "201"} else "2B"
    return lu if lu in departements() else ""


def code_postal_lu(valeur: Any) -> str:
    """Le code postal d'une cellule d'export, sur cinq chiffres ; vide si la cellule n'en dit pas un de France.

    Se lisent : 34130, 1400 (le tableur a perdu le zéro), « 34 130 », « 34130 MAUGUIO », « F-34130 », « 34961 CEDEX
    2 ».
    """
    if isinstance(valeur, bool):
        return ""
    texte = " ".join(texte_de(valeur).upper().split())
    if _SANS_ZERO.fullmatch(texte):
        texte = f"0{texte}"
    trouve = _CODE_POSTAL.match(texte)
    code = trouve[1].replace(" ", "") if trouve else ""
    return code if "01000" <= code <= "98999" else ""


def _nom_plie(nom: str) -> str:
    """Le nom réduit à ce qui ne varie pas : « ST-JEAN DE VEDAS CEDEX » et « Saint-Jean-de-Védas » se plient pareil."""
    plie = re.sub(r"[^a-z0-9]+", " ", plier(nom)).strip()
    plie = re.sub(r" cedex.*$", "", plie)
    plie = re.sub(r"\bst\b", "saint", re.sub(r"\bste\b", "sainte", plie))
    if ville := _ARRONDISSEMENT.match(plie):
        return ville[1]
    return re.sub(r"^(?:l|le|la|les) ", "", plie)


@lru_cache(maxsize=10_000)
def commune_de(code_postal: str, ville: str) -> str:
    """Le code INSEE d'aujourd'hui de cette adresse, vide si elle ne le dit pas à coup sûr.

    Le code postal suffit s'il ne dessert qu'une commune. Sinon la ville doit nommer l'une d'elles. D'un Cedex, ou
    d'un code inconnu, la ville doit nommer une seule commune du département. Carnon, qui n'est pas une commune, ne se
    devine pas.
    """
    possibles = communes_du_code_postal(code_postal)
    if len(possibles) == 1:
        return next(iter(possibles))
    nommees = _par_nom().get(_nom_plie(ville), _RIEN)
    if not possibles:
        departement = departement_du_code_postal(code_postal)
        nommees = frozenset(code for code in nommees if departement and departement_de(code) == departement)
    else:
        nommees &= possibles
    return next(iter(nommees)) if len(nommees) == 1 else ""
