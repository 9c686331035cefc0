"""Ce que disent les cellules d'un fichier des finances. Rien ne s'y devine : ce qui ne se lit pas le dit."""

import datetime
import re
from decimal import Decimal
from enum import Enum
from typing import Any

from socle.formats import ANNEE_MAX, ANNEE_MIN, FINE, INSECABLE, MOINS, FormatInvalide, arrondir, lire_date, plier
from socle.tableaux import EnPourcent, texte_de


class ValeurIllisible(ValueError):
    """Une cellule qu'on ne sait pas lire ; `str()` finit la phrase « la cellule … », ou « le SIRET … »."""


# --- Montants -----------------------------------------------------------------------------------

_POINTS = re.compile(r"\d{1,3}(?:\.\d{3})+,\d+")
_VIRGULES = re.compile(r"\d{1,3}(?:,\d{3})+\.\d+")
_SIMPLE = re.compile(r"\d+(?:[.,]\d+)?")
# « 1.234 » est un millier ou un euro et des poussières : cela ne se devine pas.
_DEUX_SENS = re.compile(r"\d{1,3}[.,]\d{3}")
_ESPACES = re.compile(rf"[ {INSECABLE}{FINE}]+")
_CHIFFRES_MAX = 15


def montant_lu(valeur: Any) -> Decimal | None:
    """Un montant en euros, au centime ; None si la cellule est vide, zéro pour un tiret seul. Lève ValeurIllisible.

    Négatifs : « -12 », « 12- », « (12) ». Milliers : espaces, ou le signe que les décimales n'ont pas.
    """
    if isinstance(valeur, (bool, EnPourcent, datetime.date)):
        raise ValeurIllisible("ne contient pas un montant")
    if isinstance(valeur, (int, float)):
        nombre = Decimal(repr(valeur))
        if not nombre.is_finite() or nombre.adjusted() >= _CHIFFRES_MAX:
            raise ValeurIllisible("ne contient pas un montant")
        return arrondir(nombre, 2)
    texte = texte_de(valeur)
    if not texte:
        return None
    nu = _ESPACES.sub("", texte.replace(MOINS, "-")).upper()
    nu = nu.replace("EUROS", "").replace("EUR", "").replace("€", "")
    if nu == "-":
        return Decimal("0.00")
    negatif, nu = _sans_signe(nu)
    if _POINTS.fullmatch(nu):
        nu = nu.replace(".", "")
    elif _VIRGULES.fullmatch(nu):
        nu = nu.replace(",", "")
    elif _DEUX_SENS.fullmatch(nu):
        raise ValeurIllisible(f"se lit de deux façons («{INSECABLE}{texte[:40]}{INSECABLE}»)")
    if not _SIMPLE.fullmatch(nu) or len(nu) > _CHIFFRES_MAX + 6:
        raise ValeurIllisible(f"ne contient pas un montant («{INSECABLE}{texte[:40]}{INSECABLE}»)")
    nombre = arrondir(Decimal(nu.replace(",", ".")), 2)
    return -nombre if negatif and nombre else nombre


def _sans_signe(nu: str) -> tuple[bool, str]:
    if nu.startswith("(") and nu.endswith(")"):
        return True, nu[1:-1]
    if nu.startswith("-"):
        return True, nu[1:]
    if nu.endswith("-"):
        return True, nu[:-1]
    return False, nu.removeprefix("+")


# --- SIRET --------------------------------------------------------------------------------------

_LA_POSTE = "356000000"


def siret_lu(valeur: Any) -> str:
    """Les 14 chiffres, vide si la cellule l'est. Lève ValeurIllisible : « 3,4E+13 », un SIREN, une clé fausse.

    Douze ou treize chiffres dont la clé tombe juste ont perdu leurs zéros dans un tableur.
    """
    texte = re.sub(r"[\s.\u00a0\u202f-]+", "", texte_de(valeur))
    if not texte.strip("0"):
        return ""
    if re.fullmatch(r"\d+(?:,\d+)?E\+?\d+", texte.upper().replace(".", ",")):
        raise ValeurIllisible("est arrondi par un tableur")
    if not re.fullmatch(r"[0-9]+", texte):
        raise ValeurIllisible("n'a pas que des chiffres")
    if len(texte) == 9:
        raise ValeurIllisible("est un SIREN, sans l'établissement")
    siret = texte.zfill(14) if len(texte) in {12, 13} else texte
    if len(siret) != 14:
        raise ValeurIllisible("n'a pas quatorze chiffres")
    if siret.endswith("00000") or not _cle_juste(siret):
        raise ValeurIllisible("a une clé de contrôle fausse")
    return siret


def _cle_juste(siret: str) -> bool:
    """Clé de Luhn ; les établissements de La Poste ont la leur : la somme des chiffres est un multiple de cinq."""
    chiffres = [int(chiffre) for chiffre in siret]
    luhn = sum(c if rang % 2 else sum(divmod(2 * c, 10)) for rang, c in enumerate(chiffres)) % 10 == 0
    return luhn or (siret.startswith(_LA_POSTE) and sum(chiffres) % 5 == 0)


# --- Chapitres ----------------------------------------------------------------------------------

# Chapitres d'exécution de la M57 par nature (et de la M4) : un autre code est celui d'une opération d'équipement.
_CHAPITRES = frozenset(
    re.findall(
        r"\d+",
        "001 002 011 012 013 014 016 017 018 020 021 022 023 024 040 041 042 043 10 13 15 16 18 19 20 204 "
        "21 22 23 26 27 45 454 456 458 481 65 66 67 68 69 70 73 731 74 75 76 77 78",
    )
)
# Un tableur en a ôté le zéro : ces codes ne sont pas, sans lui, ceux d'un chapitre.
_SANS_ZERO = {"11": "011", "12": "012", "14": "014", "40": "040", "41": "041", "42": "042", "43": "043"}


def _code(valeur: Any) -> str:
    """Les chiffres du début : « 011 - Charges à caractère général », « Chap. 011 », 11."""
    trouve = re.match(r"(?:chap(?:itre)?\.?|art(?:icle)?\.?|nature|compte)? *(\d+)", plier(texte_de(valeur)))
    return trouve[1] if trouve else ""


def chapitre_lu(chapitre: Any, article: Any = None) -> str:
    """Le chapitre d'un mandat, vide s'il ne se lit pas. L'article précise : le 204 n'est pas du chapitre 20.

    Le code d'une opération d'équipement n'est pas un chapitre : c'est l'article qui le dit.
    """
    dit, precis = _code(chapitre), _code(article)
    dit = _SANS_ZERO.get(dit, dit)
    if dit == "20" and precis.startswith("204"):
        return "204"
    if dit in _CHAPITRES:
        return dit
    if precis:
        return chapitre_de_l_article(precis)
    return chapitre_de_l_article(dit) if len(dit) > 3 else dit


def chapitre_de_l_article(article: str) -> str:
    """Le chapitre où la M57 par nature vote cet article. Vide pour une classe qu'on n'y vote pas."""
    for debut, chapitre in _CHAPITRE_DES_ARTICLES:
        if article.startswith(debut):
            return chapitre
    return article[:2] if article[:1] in {"1", "2", "6", "7"} and len(article) > 1 else ""


# Le plus précis d'abord. Source : M57, présentation par nature des chapitres de la section de fonctionnement.
_CHAPITRE_DES_ARTICLES = [
    ("204", "204"),
    ("621", "012"),
    ("631", "012"),
    ("633", "012"),
    ("64", "012"),
    ("60", "011"),
    ("61", "011"),
    ("62", "011"),
    ("635", "011"),
    ("637", "011"),
    ("739", "014"),
    ("748", "014"),
]


# --- Sens, année --------------------------------------------------------------------------------


class Sens(Enum):
    MANDAT = "mandat"
    ANNULATION = "annulation"
    RECETTE = "recette"


_SENS = {
    Sens.MANDAT: frozenset({"m", "d", "n", "non", "0", "+", "debit", "ordinaire", "normal", "emission", "faux"}),
    Sens.ANNULATION: frozenset({"a", "c", "o", "oui", "1", "-", "credit", "avoir", "vrai"}),
    Sens.RECETTE: frozenset({"r", "t", "titre"}),
}


def sens_lu(valeur: Any) -> Sens | None:
    """Ce que fait la pièce ; une cellule vide est un mandat. None si elle dit autre chose."""
    if isinstance(valeur, bool):
        return Sens.ANNULATION if valeur else Sens.MANDAT
    texte = plier(texte_de(valeur)).strip(". ")
    if not texte:
        return Sens.MANDAT
    for sens, mots in _SENS.items():
        if texte in mots:
            return sens
    if "recette" in texte or texte.startswith("titre"):
        return Sens.RECETTE
    if "annul" in texte or "reduct" in texte or "avoir" in texte:
        return Sens.ANNULATION
    return Sens.MANDAT if "mandat" in texte or "depense" in texte or "ordinaire" in texte else None


def annee_lue(valeur: Any) -> int | None:
    """L'année d'une date ou d'un exercice, None si la cellule est vide. Lève ValeurIllisible."""
    if isinstance(valeur, datetime.date):
        return valeur.year
    texte = texte_de(valeur)
    if not texte:
        return None
    if re.fullmatch(r"\d{4}", texte):
        annee = int(texte)
    elif trouve := re.fullmatch(r"(\d{4})(\d{2})(\d{2})", texte):
        annee = int(trouve[1]) if "01" <= trouve[2] <= "12" and "01" <= trouve[3] <= "31" else 0
    else:
        try:
            annee = lire_date(texte.split(" ")[0].split("T")[0]).year
        except FormatInvalide as erreur:
            raise ValeurIllisible(f"n'est pas une date («{INSECABLE}{texte[:40]}{INSECABLE}»)") from erreur
    if not ANNEE_MIN <= annee <= ANNEE_MAX:
        raise ValeurIllisible(f"n'est pas une date («{INSECABLE}{texte[:40]}{INSECABLE}»)")
    return annee
