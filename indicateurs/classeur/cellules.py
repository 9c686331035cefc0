"""D'une cellule à ce qu'elle dit d'une valeur. Ce qui se lirait de deux façons est refusé, jamais deviné."""

import datetime
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from indicateurs.listes import Nature
from indicateurs.models import Indicateur
from socle.formats import ABSENT, DECIMALES_MAX, INSECABLE, formater_nombre, lire_nombre, lire_pourcentage
from socle.tableaux import EnPourcent

INDISPONIBLE = "indisponible"
_INDISPONIBLE = re.compile(r"indisponible\s*(?::\s*(?P<motif>.*))?", re.IGNORECASE | re.DOTALL)
LONGUEUR_DU_MOTIF = 300


class CelluleRefusee(ValueError):
    """`str()` est la phrase à montrer après la place de la cellule."""


@dataclass(frozen=True)
class Indisponible:
    motif: str


def texte_de(cellule: Any) -> str:
    """Le texte d'une cellule, sans ses blancs de bord ; vide pour « — », qui ne dit rien."""
    if cellule is None:
        return ""
    if isinstance(cellule, bool):
        return "vrai" if cellule else "faux"
    if isinstance(cellule, float):
        return formater_nombre(cellule) if math.isfinite(cellule) else str(cellule)
    texte = "\n".join(ligne.rstrip() for ligne in str(cellule).splitlines()).strip()
    return "" if texte == ABSENT else texte


def cite(texte: str) -> str:
    return f"«{INSECABLE}{texte if len(texte) <= 60 else texte[:59] + '…'}{INSECABLE}»"


def lire_une_valeur(cellule: Any, indicateur: Indicateur, deja: Decimal | None) -> Decimal | Indisponible:
    """Ce que dit une cellule « valeur » remplie. `deja` : la valeur du site, dont l'écriture n'étonne personne."""
    if isinstance(cellule, str) and (trouve := _INDISPONIBLE.fullmatch(cellule.strip())):
        return _indisponible(trouve["motif"])
    est_une_part = indicateur.nature == Nature.PART
    if isinstance(cellule, EnPourcent):
        if not est_une_part:
            raise CelluleRefusee(
                f"la cellule est en pourcentage, et cet indicateur n'est pas une part{INSECABLE}: donnez le nombre, "
                "au format nombre"
            )
        # « 35,1 % » y est 0.351 : ce que l'écran montre est ce qui est dit.
        return _decimal(cellule, decimales=DECIMALES_MAX + 2) * 100
    nombre = _lire(cellule, pourcentage=est_une_part, unite=indicateur.unite)
    en_toutes_lettres = isinstance(cellule, str) and cellule.strip().endswith("%")
    if est_une_part and 0 < nombre < 1 and nombre != deja and not en_toutes_lettres:
        ecrit = formater_nombre(nombre)
        raise CelluleRefusee(
            f"{ecrit} se lit de deux façons{INSECABLE}: écrivez {formater_nombre(nombre * 100)} pour "
            f"{formater_nombre(nombre * 100)}{INSECABLE}%, ou le texte {cite(f'{ecrit}{INSECABLE}%')}"
        )
    return nombre


def lire_un_nombre(cellule: Any) -> Decimal:
    """Ce que dit une cellule « numérateur » ou « dénominateur » remplie."""
    if isinstance(cellule, EnPourcent):
        raise CelluleRefusee(f"la cellule est en pourcentage, un nombre y est attendu{INSECABLE}: changez son format")
    return _lire(cellule)


def lire_une_version(cellule: Any) -> int:
    texte = texte_de(cellule)
    if isinstance(cellule, bool) or not (texte.isascii() and texte.isdigit() and len(texte) < 10):
        raise CelluleRefusee(
            f"{cite(texte)} n'est pas une version{INSECABLE}: remettez celle de l'export, ou videz-la"
        )
    return int(texte)


def lire_une_remarque(cellule: Any) -> str:
    if isinstance(cellule, bool | datetime.date | datetime.time):
        raise CelluleRefusee("un texte est attendu")
    return texte_de(cellule)


def dit_la_meme_chose(lu: Decimal, enregistre: Decimal | None) -> bool:
    """Un tableur ne garde qu'une quinzaine de chiffres : ce qu'il en a perdu n'est pas un changement."""
    return enregistre is not None and f"{float(lu):.15g}" == f"{float(enregistre):.15g}"


def _indisponible(motif: str | None) -> Indisponible:
    nu = " ".join((motif or "").split())
    if not nu:
        raise CelluleRefusee(f"dites pourquoi{INSECABLE}: {cite(f'indisponible{INSECABLE}: motif')}")
    if len(nu) > LONGUEUR_DU_MOTIF:
        raise CelluleRefusee(f"le motif fait {len(nu)} signes, {LONGUEUR_DU_MOTIF} au plus")
    return Indisponible(nu)


def _lire(cellule: Any, *, pourcentage: bool = False, unite: str = "") -> Decimal:
    if isinstance(cellule, bool):
        raise CelluleRefusee(f"{cite(texte_de(cellule))} n'est pas un nombre")
    if isinstance(cellule, datetime.date | datetime.time):
        raise CelluleRefusee(f"la cellule est au format date, un nombre y est attendu{INSECABLE}: changez son format")
    if isinstance(cellule, int | float):
        return _decimal(cellule)
    texte = str(cellule).strip()
    try:
        if pourcentage:
            return lire_pourcentage(texte)
        # Copié d'un tableur, un nombre vient parfois avec son unité.
        return lire_nombre(texte.removesuffix(unite).rstrip())
    except ValueError as refus:
        raise CelluleRefusee(str(refus).rstrip(".")) from refus


def _decimal(nombre: int | float, decimales: int = DECIMALES_MAX) -> Decimal:
    """Un tableur calcule en binaire : 0,1 + 0,2 y vaut 0,30000000000000004."""
    if isinstance(nombre, int):
        return Decimal(nombre)
    if not math.isfinite(nombre):
        raise CelluleRefusee("ce n'est pas un nombre")
    return Decimal(repr(round(float(nombre), decimales)))
