"""Nombres, montants, pourcentages et dates tels qu'on les écrit en France, dans les deux sens.

Une seule écriture à l'écran, plusieurs acceptées à la saisie : `lire_…(formater_…(x))` rend toujours `x`.
Aucun modèle ici, aucune table : le module se lit et se teste seul.

Sources : Imprimerie nationale, « Lexique des règles typographiques » (espaces, « 1er »), et l'usage des
formulaires HTML pour les dates ISO 8601.
"""

import calendar
import datetime
import re
import unicodedata
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Self

from django.utils import timezone

INSECABLE = "\u00a0"
FINE = "\u202f"
MOINS = "\u2212"
ABSENT = "—"
# Ce qu'un document XML (tableur, Word, fil) ne peut pas tenir, et qu'un texte collé contient parfois : la fin de ligne
# de Word, par exemple. Source : XML 1.0, « Char ».
INDICIBLES_EN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# Ce qu'aucun texte tapé ou importé ne porte : les précédents, et les commandes des vieux terminaux (Unicode, « Cc » de
# U+007F à U+009F). La tabulation et les fins de ligne restent.
_SIGNES_DE_CONTROLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

Nombre = Decimal | int | float

CHIFFRES_MAX = 18
DECIMALES_MAX = 6
ANNEE_MIN, ANNEE_MAX = 1900, 2200

MOIS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)

_ESPACE = f"[ {INSECABLE}{FINE}]"
_NOMBRE = re.compile(
    rf"(?P<signe>[-{MOINS}])?"
    rf"(?P<entier>[1-9][0-9]{{0,2}}(?:{_ESPACE}[0-9]{{3}})+|[0-9]+)"
    r"(?:[.,](?P<fraction>[0-9]+))?"
)
_DATE_FRANCAISE = re.compile(r"(?P<jour>[0-9]{1,2})/(?P<mois>[0-9]{1,2})/(?P<annee>[0-9]+)")
_DATE_ISO = re.compile(r"(?P<annee>[0-9]{4})-(?P<mois>[0-9]{2})-(?P<jour>[0-9]{2})")


class FormatInvalide(ValueError):
    """Un texte qu'on ne sait pas lire. `str()` est la phrase à montrer telle quelle à côté du champ.

    `raison` est None quand la forme même est inconnue ; sinon elle dit ce qui empêche de la lire
    (« février 2026 n'a que 28 jours »), pour qu'un lecteur plus large puisse la reprendre.
    """

    raison: str | None = None

    @classmethod
    def pour(cls, texte: str, nature: str, attendu: str, raison: str | None = None) -> Self:
        """La phrase : le texte cité (coupé à 60 signes), ce qui cloche, ce qu'il faut écrire."""
        texte = texte.strip()
        cite = texte if len(texte) <= 60 else texte[:59] + "…"
        cite = f"«{INSECABLE}{cite}{INSECABLE}»"
        if not texte:
            debut = f"Il manque {nature}."
        elif raison:
            debut = f"{cite} ne convient pas{INSECABLE}: {raison}."
        else:
            debut = f"{cite} n'est pas {nature}."
        erreur = cls(f"{debut} Écrire {attendu}.")
        erreur.raison = raison
        return erreur


# --- Écrire -----------------------------------------------------------------------------------------


def _decimal(valeur: Nombre) -> Decimal:
    """Un flottant vaut ce qu'il affiche (0.1 est 0,1), pas son développement binaire."""
    if isinstance(valeur, float):
        valeur = Decimal(repr(valeur))
    elif not isinstance(valeur, (Decimal, int)):
        raise TypeError(f"Un nombre est attendu, pas {type(valeur).__name__}.")
    nombre = Decimal(valeur)
    if not nombre.is_finite():
        raise ValueError(f"{nombre} ne s'affiche pas : une valeur absente est None.")
    return nombre


def arrondir(valeur: Decimal | int, decimales: int) -> Decimal:
    """L'arrondi commercial : la moitié s'éloigne de zéro (0,5 → 1 ; −0,5 → −1). Jamais de −0.

    Python arrondit au pair : sans cette fonction, 12,5 % s'afficherait « 12 % ».
    """
    if decimales < 0:
        raise ValueError("On n'arrondit pas à la dizaine : decimales vaut au moins 0.")
    nombre = _decimal(valeur)
    # La précision par défaut (28 chiffres) ferait échouer quantize sur un grand nombre.
    contexte = Context(prec=max(1, nombre.adjusted() + decimales + 2))
    arrondi = nombre.quantize(Decimal(1).scaleb(-decimales), rounding=ROUND_HALF_UP, context=contexte)
    return arrondi if arrondi else arrondi.copy_abs()


def formater_nombre(valeur: Nombre | None, decimales: int | None = None) -> str:
    """« 1 234,50 » : fine insécable entre les milliers, virgule, signe moins typographique.

    decimales None : celles du nombre, sans zéros de fin. None rend « — ». Ne pas y passer une année.
    """
    if valeur is None:
        return ABSENT
    nombre = _decimal(valeur)
    if decimales is not None:
        nombre = arrondir(nombre, decimales)
    entier, _, fraction = format(nombre.copy_abs(), "f").partition(".")
    if decimales is None:
        fraction = fraction.rstrip("0")
    signe = MOINS if nombre < 0 else ""
    texte = signe + f"{int(entier):,}".replace(",", FINE)
    return f"{texte},{fraction}" if fraction else texte


def formater_pourcentage(valeur: Nombre | None, decimales: int | None = None) -> str:
    """« 25 % ». La valeur est en points, de 0 à 100 : 25, pas 0,25."""
    return formater_valeur(valeur, "%", decimales)


def formater_montant(valeur: Nombre | None, decimales: int | None = 2) -> str:
    """« 1 234,50 € ». La valeur est en euros ; decimales None : toutes celles du nombre."""
    return formater_valeur(valeur, "€", decimales)


def formater_valeur(valeur: Nombre | None, unite: str = "", decimales: int | None = None) -> str:
    """Le nombre et son unité (« % », « € » ou un mot), qu'une fin de ligne ne sépare pas. None : « — »."""
    nombre = formater_nombre(valeur, decimales)
    return f"{nombre}{INSECABLE}{unite}" if unite and valeur is not None else nombre


def _jour_local(d: datetime.date) -> datetime.date:
    """Un instant prend la date qu'il est à Paris : 23:30 UTC un 31 décembre est déjà le 1er janvier."""
    return timezone.localtime(d).date() if isinstance(d, datetime.datetime) else d


def formater_date(d: datetime.date | None) -> str:
    """« 31/12/2026 ». None rend « — »."""
    if d is None:
        return ABSENT
    d = _jour_local(d)
    return f"{d.day:02}/{d.month:02}/{d.year:04}"


def formater_date_longue(d: datetime.date | None) -> str:
    """« 31 décembre 2026 », « 1er janvier 2026 » : le jour ne quitte pas son mois. None rend « — »."""
    if d is None:
        return ABSENT
    d = _jour_local(d)
    jour = "1er" if d.day == 1 else str(d.day)
    return f"{jour}{INSECABLE}{MOIS[d.month - 1]} {d.year:04}"


def formater_moment(moment: datetime.datetime | None) -> str:
    """« 31/12/2026 à 14:05 » dans le fuseau courant (Europe/Paris). ValueError sans fuseau."""
    if moment is None:
        return ABSENT
    local = timezone.localtime(moment)
    return f"{formater_date(local)} à {local.hour:02}:{local.minute:02}"


def accorder(n: Nombre | None, singulier: str, pluriel: str | None = None) -> str:
    """« 0 action », « 1,5 action », « 2 actions » : en français, le pluriel commence à deux."""
    if n is None:
        return ABSENT
    mot = singulier if abs(_decimal(n)) < 2 else (pluriel or f"{singulier}s")
    return formater_valeur(n, mot)


def typographie(texte: str) -> str:
    """Rend insécables les espaces ordinaires devant « % ; : ! ? » et à l'intérieur des guillemets.

    Rien d'autre ne change : le texte publié reste, au signe près, celui de la page.
    """
    texte = re.sub("(?<=«) | (?=[%:»])", INSECABLE, texte)
    return re.sub(" (?=[;!?])", FINE, texte)


# --- Lire -------------------------------------------------------------------------------------------


def _lire_decimal(nombre: str, texte: str, nature: str, attendu: str) -> Decimal:
    trouve = _NOMBRE.fullmatch(nombre)
    if trouve is None:
        raise FormatInvalide.pour(texte, nature, attendu)
    entier = re.sub(_ESPACE, "", trouve["entier"])
    fraction = trouve["fraction"] or ""
    if len(fraction) > DECIMALES_MAX:
        raise FormatInvalide.pour(texte, nature, attendu, f"{DECIMALES_MAX} décimales au plus")
    if len(entier.lstrip("0") + fraction) > CHIFFRES_MAX:
        raise FormatInvalide.pour(texte, nature, attendu, f"{CHIFFRES_MAX} chiffres au plus")
    valeur = Decimal(f"{entier}.{fraction or 0}") if fraction else Decimal(entier)
    return valeur.copy_negate() if trouve["signe"] and valeur else valeur


def lire_nombre(texte: str) -> Decimal:
    """Lit « 1 234,50 », « 1234.5 », « -12 » ; FormatInvalide pour tout ce qui se lirait de deux façons.

    Les milliers se séparent d'une espace (ordinaire ou insécable), par groupes de trois.
    """
    attendu = f"des chiffres, une virgule s'il le faut, par exemple «{INSECABLE}1{FINE}234,50{INSECABLE}»"
    return _lire_decimal(texte.strip(), texte, "un nombre", attendu)


def lire_pourcentage(texte: str) -> Decimal:
    """Lit « 12 », « 12 % » ou « 12,5 % », en points. Que 130 % soit permis ou non regarde le modèle."""
    nombre = texte.strip().removesuffix("%").rstrip()
    attendu = f"un nombre suivi ou non de %, par exemple «{INSECABLE}12,5{INSECABLE}%{INSECABLE}»"
    return _lire_decimal(nombre, texte, "un pourcentage", attendu)


def lire_date(texte: str) -> datetime.date:
    """Lit « 31/12/2026 » ou « 2026-12-31 », de 1900 à 2200 ; FormatInvalide dit pourquoi sinon."""
    nu = texte.strip()
    trouve = _DATE_FRANCAISE.fullmatch(nu) or _DATE_ISO.fullmatch(nu)
    raison = None
    if trouve:
        raison = _date_impossible(trouve["annee"], int(trouve["mois"]), int(trouve["jour"]))
        if raison is None:
            return datetime.date(int(trouve["annee"]), int(trouve["mois"]), int(trouve["jour"]))
    attendu = f"le jour, le mois et l'année, par exemple «{INSECABLE}31/12/2026{INSECABLE}»"
    raise FormatInvalide.pour(texte, "une date", attendu, raison)


def _date_impossible(annee: str, mois: int, jour: int) -> str | None:
    """La raison, en français, pour laquelle ce jour n'existe pas ou sort des bornes ; None s'il existe."""
    if len(annee) != 4:
        return "l'année s'écrit avec quatre chiffres"
    if not 1 <= mois <= 12:
        return f"il n'y a pas de mois {mois}"
    dernier = calendar.monthrange(int(annee), mois)[1] if int(annee) else 31
    if jour > dernier:
        return f"{MOIS[mois - 1]} {annee} n'a que {dernier} jours"
    if jour < 1:
        return "le premier jour du mois est le 1"
    return annee_hors_bornes(int(annee))


def annee_hors_bornes(annee: int) -> str | None:
    """La raison de refuser une année qui ne peut être qu'une faute de frappe ; None si elle va."""
    if ANNEE_MIN <= annee <= ANNEE_MAX:
        return None
    return f"l'année va de {ANNEE_MIN} à {ANNEE_MAX}"


def signe_de_controle(texte: str, *, une_ligne: bool = False) -> str:
    """Le premier signe qu'un texte n'a pas à porter, et où il est : « un signe de contrôle invisible (U+0007), après
    « Avant » » ; vide s'il n'y en a pas. `une_ligne` : ni tabulation ni fin de ligne n'y ont leur place."""
    trouve = _SIGNES_DE_CONTROLE.search(texte)
    nature = "un signe de contrôle invisible"
    if trouve is None and une_ligne:
        trouve, nature = re.search("[\t\n\r]", texte), "une tabulation ou une fin de ligne"
    if trouve is None:
        return ""
    avant = " ".join(texte[: trouve.start()].split())[-20:]
    ou = f"après «{INSECABLE}{avant}{INSECABLE}»" if avant else "au début"
    return f"{nature} (U+{ord(trouve[0]):04X}), {ou}"


def plier(texte: str) -> str:
    """Le texte réduit à ce que l'on compare quand on cherche : ni accents, ni majuscules, ni ligatures.

    « Œuvre  d’État » et « oeuvre d'etat » se plient pareil. Les espaces, insécables ou non, n'en font qu'une.
    """
    nu = "".join(c for c in unicodedata.normalize("NFKD", texte) if not unicodedata.combining(c)).lower()
    return " ".join(nu.replace("œ", "oe").replace("æ", "ae").replace("’", "'").split())
