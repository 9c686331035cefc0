"""D'une cellule à ce qu'elle dit. Ce qui se lirait de deux façons est refusé, jamais deviné."""

import datetime
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db import models

from marches.listes import MotifSansSuite, Nature, Procedure, Suite
from marches.mandats.valeurs import ValeurIllisible, montant_lu
from marches.registre_importe.colonnes import Sorte
from marches.reponses import Reponse
from socle.choix import membre_de
from socle.formats import ANNEE_MAX, ANNEE_MIN, FormatInvalide, lire_date, plier
from socle.tableaux import EnPourcent, texte_de

_OUI = frozenset({"oui", "o", "x", "1", "vrai", "yes", "true", "✓", "✔"})
_NON = frozenset({"non", "n", "0", "faux", "no", "false"})
# Ce que des registres écrivent quand ils ne savent pas : la cellule n'apprend rien.
_MUETTES = frozenset({"", "-", "—", "?", "nc", "n.c.", "nr", "non renseigne", "non renseignee", "a completer"})
_ABREVIATIONS: dict[type[models.TextChoices], dict[str, str]] = {
    Nature: {
        "t": Nature.TRAVAUX,
        "trav": Nature.TRAVAUX,
        "tx": Nature.TRAVAUX,
        "f": Nature.FOURNITURES,
        "fourniture": Nature.FOURNITURES,
        "s": Nature.SERVICES,
        "service": Nature.SERVICES,
        "prestation intellectuelle": Nature.INTELLECTUELLES,
    },
    Procedure: {
        "procedure adaptee": Procedure.MAPA,
        "pa": Procedure.MAPA,
        "ao": Procedure.AOO,
        "aoo": Procedure.AOO,
        "appel d'offres": Procedure.AOO,
        "aor": Procedure.AOR,
        "negociation": Procedure.NEGOCIATION,
        "negociee": Procedure.NEGOCIATION,
        "pn": Procedure.NEGOCIATION,
        "pan": Procedure.NEGOCIATION,
        "pcn": Procedure.NEGOCIATION,
        "procedure concurrentielle avec negociation": Procedure.NEGOCIATION,
        "procedure negociee": Procedure.NEGOCIATION,
        "dc": Procedure.DIALOGUE,
        "dialogue": Procedure.DIALOGUE,
        "sans publicite": Procedure.SANS_PUBLICITE,
        "sans pub": Procedure.SANS_PUBLICITE,
        "spmc": Procedure.SANS_PUBLICITE,
        "msp": Procedure.SANS_PUBLICITE,
        "negocie sans publicite": Procedure.SANS_PUBLICITE,
        "marche passe sans publicite ni mise en concurrence prealable": Procedure.SANS_PUBLICITE,
        "sans publicite ni mise en concurrence prealable": Procedure.SANS_PUBLICITE,
        "subsequent": Procedure.SUBSEQUENT,
        "ms": Procedure.SUBSEQUENT,
        "3 devis": Procedure.DEVIS,
        "mise en concurrence sur devis": Procedure.DEVIS,
    },
    Suite: {
        "attribuee": Suite.ATTRIBUE,
        "notifiee": Suite.NOTIFIE,
        "sans suite": Suite.SANS_SUITE,
        "declaree sans suite": Suite.SANS_SUITE,
        "ss": Suite.SANS_SUITE,
        "abandon": Suite.ABANDONNE,
        "abandonne": Suite.ABANDONNE,
        "abandonnee": Suite.ABANDONNE,
        "abandonnee avant publication": Suite.ABANDONNE,
    },
    MotifSansSuite: {
        "infructueux": MotifSansSuite.INFRUCTUEUX,
        "infructueuse": MotifSansSuite.INFRUCTUEUX,
        "ig": MotifSansSuite.INTERET_GENERAL,
        "motif d'interet general": MotifSansSuite.INTERET_GENERAL,
        "autre": MotifSansSuite.AUTRE,
    },
}
_SANS_SUITE_INFRUCTUEUX = frozenset({"infructueux", "infructueuse", "infructuosite"})


def lire(cellule: Any, sorte: Sorte) -> Any:
    """Ce que dit la cellule ; None si elle est vide, ou dit qu'on ne sait pas. Lève ValeurIllisible."""
    if plier(texte_de(cellule)) in _MUETTES:
        return None
    return _LECTEURS[sorte](cellule)


def _texte(cellule: Any) -> str:
    if isinstance(cellule, bool | datetime.date | datetime.time):
        raise ValeurIllisible("n'est pas un texte : changez son format")
    return texte_de(cellule)


def numero_de_lot(cellule: Any) -> str:
    """« Lot n° 02 » et 2 sont le même lot."""
    texte = re.sub(r"^(?:lot\s*)?(?:n[°o]?\.?\s*)?", "", _texte(cellule).strip(), flags=re.IGNORECASE)
    return texte.lstrip("0") or "0" if texte.isdigit() else texte


def _choix(liste: type[models.TextChoices], nature: str) -> Callable[[Any], str]:
    def lire_un_choix(cellule: Any) -> str:
        texte = _texte(cellule)
        replie = plier(texte).strip(" .")
        membre = _ABREVIATIONS[liste].get(replie) or membre_de(liste, texte)
        if membre is None:
            membre = _ABREVIATIONS[liste].get(re.sub(r"\s*\(.*\)", "", replie))
        if membre is None:
            attendus = ", ".join(str(libelle).lower() for libelle in liste.labels)
            raise ValeurIllisible(f"dit « {texte[:40]} », qui n'est pas {nature} : {attendus}")
        return str(membre)

    return lire_un_choix


def _suite(cellule: Any) -> str:
    """Une procédure infructueuse est déclarée sans suite ; une suite en cours n'en est pas une."""
    if plier(_texte(cellule)) in _SANS_SUITE_INFRUCTUEUX:
        return str(Suite.SANS_SUITE)
    return _choix(Suite, "une suite")(cellule)


def reponse(cellule: Any) -> str:
    """Oui, non ; un nombre est le poids d'un critère : oui s'il n'est pas nul."""
    if isinstance(cellule, bool):
        return Reponse.OUI if cellule else Reponse.NON
    texte = plier(texte_de(cellule))
    if texte in _OUI:
        return Reponse.OUI
    if texte in _NON:
        return Reponse.NON
    if re.fullmatch(r"\d+(?:[.,]\d+)?\s*%?", texte):
        return Reponse.OUI if float(re.sub(r"[\s%]", "", texte).replace(",", ".")) else Reponse.NON
    raise ValeurIllisible(f"dit « {texte_de(cellule)[:40]} » : oui, non, x ou vide sont attendus")


def _montant(cellule: Any) -> Decimal | None:
    lu = montant_lu(cellule)
    if lu is not None and lu < 0:
        raise ValeurIllisible("contient un montant négatif")
    return lu


def poids(cellule: Any) -> Decimal | None:
    """En points : « 10 », « 10 % », ou 0,1 au format pourcentage."""
    if isinstance(cellule, EnPourcent):
        nombre: Decimal | None = Decimal(repr(round(float(cellule) * 100, 2)))
    else:
        nombre = _montant(texte_de(cellule).removesuffix("%").strip() if isinstance(cellule, str) else cellule)
    if nombre is not None and not 0 <= nombre <= 100:
        raise ValeurIllisible("n'est pas un poids : il va de 0 à 100 %")
    return nombre


def _entier(cellule: Any) -> int:
    texte = re.sub(r"[\s\u00a0\u202f]", "", texte_de(cellule))
    if isinstance(cellule, bool) or not (texte.isascii() and texte.isdigit() and len(texte) < 8):
        raise ValeurIllisible(f"ne contient pas un nombre entier (« {texte_de(cellule)[:40]} »)")
    return int(texte)


def _date(cellule: Any) -> datetime.date:
    if isinstance(cellule, datetime.datetime):
        cellule = cellule.date()
    if isinstance(cellule, datetime.date):
        if not ANNEE_MIN <= cellule.year <= ANNEE_MAX:
            raise ValeurIllisible("n'est pas une date vraisemblable")
        return cellule
    texte = re.split(r"[ T]", texte_de(cellule))[0]
    try:
        return lire_date(re.sub(r"[.-]", "/", texte) if re.match(r"\d{1,2}[.-]", texte) else texte)
    except FormatInvalide as refus:
        raison = refus.raison or "écrire jour/mois/année"
        raise ValeurIllisible(f"n'est pas une date (« {texte_de(cellule)[:40]} ») : {raison}") from refus


def _chiffres(cellule: Any, combien: int, nom: str) -> str:
    texte = re.sub(r"[\s.\u00a0\u202f]", "", texte_de(cellule))
    if not (texte.isascii() and texte.isdigit() and len(texte) == combien):
        raise ValeurIllisible(f"n'est pas un {nom} de {combien} chiffres (« {texte_de(cellule)[:40]} »)")
    return texte


def _siren(cellule: Any) -> str:
    """Neuf chiffres, ou ceux du SIRET de l'acheteur."""
    texte = re.sub(r"[\s.\u00a0\u202f]", "", texte_de(cellule))
    return texte[:9] if len(texte) == 14 and texte.isdigit() else _chiffres(cellule, 9, "SIREN")


def _siret(cellule: Any) -> str:
    if re.search(r"\dE\+?\d", texte_de(cellule).upper()):
        raise ValeurIllisible("est un SIRET arrondi par un tableur : mettez la colonne au format texte")
    return _chiffres(cellule, 14, "SIRET")


def _code_postal(cellule: Any) -> str:
    """Un tableur ôte le zéro de tête."""
    return _chiffres(texte_de(cellule).zfill(5), 5, "code postal")


def _cp_ville(cellule: Any) -> tuple[str, str]:
    texte = _texte(cellule)
    trouve = re.fullmatch(r"(\d{5})[\s/,-]*(.*)", texte)
    return (trouve[1], trouve[2]) if trouve else ("", texte)


_LECTEURS: dict[Sorte, Callable[[Any], Any]] = {
    Sorte.TEXTE: _texte,
    Sorte.NUMERO_DE_LOT: numero_de_lot,
    Sorte.SERVICE: _texte,
    Sorte.NATURE: _choix(Nature, "une nature"),
    Sorte.PROCEDURE: _choix(Procedure, "une procédure"),
    Sorte.SUITE: _suite,
    Sorte.MOTIF: _choix(MotifSansSuite, "un motif"),
    Sorte.REPONSE: reponse,
    Sorte.MONTANT: _montant,
    Sorte.POIDS: poids,
    Sorte.ENTIER: _entier,
    Sorte.DATE: _date,
    Sorte.SIREN: _siren,
    Sorte.SIRET: _siret,
    Sorte.CODE_POSTAL: _code_postal,
    Sorte.CP_VILLE: _cp_ville,
}
