"""Ce qu'une consultation et un lot ne peuvent pas dire à la fois, et ce qui y étonne. Rien ici ne lit la base.

Une objection nomme le champ à corriger et refuse l'écriture ; un avertissement se montre, sans rien refuser.
"""

import datetime
from collections.abc import Iterable
from decimal import Decimal
from typing import Protocol

from django.core.exceptions import ValidationError
from django.utils import timezone

from marches.listes import Suite
from marches.reponses import Reponse
from socle.formats import formater_date

Objection = tuple[str, str]

_LA_POSTE = "356000000"


class DatesDeConsultation(Protocol):
    lancee_le: datetime.date | None
    plis_avant_le: datetime.date | None
    commission_le: datetime.date | None


class CeQueDitUnLot(Protocol):
    """`marches.models.LotDeConsultation` convient. Montants en euros hors taxes, poids en %."""

    suite: str
    date_de_suite: datetime.date | None
    motif_sans_suite: str
    siret: str
    minimum_ht: Decimal | None
    maximum_ht: Decimal | None
    critere_environnemental: str
    poids_environnemental: Decimal | None
    clause_sociale: str
    critere_social: str
    poids_social: Decimal | None
    heures_insertion: int | None


def lever(objections: Iterable[Objection]) -> None:
    """Lève ValidationError s'il y en a, chacune à son champ."""
    par_champ: dict[str, list[str]] = {}
    for champ, phrase in objections:
        par_champ.setdefault(champ, []).append(phrase)
    if par_champ:
        raise ValidationError(par_champ)


def objections_a_la_consultation(consultation: DatesDeConsultation) -> list[Objection]:
    lancee, plis, commission = consultation.lancee_le, consultation.plis_avant_le, consultation.commission_le
    objections = []
    if lancee and plis and plis < lancee:
        phrase = f"La date limite des plis précède l'avis de publicité, du {formater_date(lancee)}."
        objections.append(("plis_avant_le", phrase))
    avant = plis or lancee
    if commission and avant and commission < avant:
        quoi = "la date limite des plis" if plis else "l'avis de publicité"
        phrase = f"La commission d'appel d'offres précède {quoi}, du {formater_date(avant)}."
        objections.append(("commission_le", phrase))
    return objections


def objections_au_lot(lot: CeQueDitUnLot, consultation: DatesDeConsultation | None = None) -> list[Objection]:
    """`consultation` : la sienne, pour comparer leurs dates."""
    return [*_sur_la_suite(lot, consultation), *_sur_les_montants(lot), *_sur_les_considerations(lot)]


def _sur_la_suite(lot: CeQueDitUnLot, consultation: DatesDeConsultation | None) -> Iterable[Objection]:
    jour = lot.date_de_suite
    if jour and jour > timezone.localdate():
        yield "date_de_suite", f"Le {formater_date(jour)} est à venir : une suite se date du jour où elle est donnée."
    if jour and not lot.suite:
        yield "suite", "Une date est donnée sans la suite : dites si le lot est notifié ou déclaré sans suite."
    lancee = consultation.lancee_le if consultation else None
    if jour and lancee and jour < lancee and lot.suite != Suite.ABANDONNE:
        yield "date_de_suite", f"Cette date précède l'avis de publicité, du {formater_date(lancee)}."
    if lot.motif_sans_suite and lot.suite != Suite.SANS_SUITE:
        yield "motif_sans_suite", "Ce motif ne se donne que si le lot est déclaré sans suite."


def _sur_les_montants(lot: CeQueDitUnLot) -> Iterable[Objection]:
    if lot.minimum_ht is not None and lot.maximum_ht is not None and lot.maximum_ht < lot.minimum_ht:
        yield "maximum_ht", "Le maximum est inférieur au minimum."


def _sur_les_considerations(lot: CeQueDitUnLot) -> Iterable[Objection]:
    criteres = (
        ("poids_environnemental", lot.poids_environnemental, lot.critere_environnemental),
        ("poids_social", lot.poids_social, lot.critere_social),
    )
    for champ, poids, critere in criteres:
        if poids and critere == Reponse.NON:
            yield champ, "Un poids est donné à un critère qui n'existe pas : le critère dit non."
    if lot.heures_insertion and lot.clause_sociale == Reponse.NON:
        phrase = "Des heures d'insertion sont demandées sans condition d'exécution sociale : elle dit non."
        yield "heures_insertion", phrase


# --- Avertir ------------------------------------------------------------------------------------


def avertissements_du_lot(lot: CeQueDitUnLot, consultation: DatesDeConsultation | None = None) -> list[str]:
    """Ce qui étonne sans être impossible."""
    phrases = []
    if lot.siret and not siret_plausible(lot.siret):
        phrases.append(f"Le SIRET {lot.siret} a une clé fausse : un chiffre est sans doute mal recopié.")
    if lot.suite in (Suite.NOTIFIE, Suite.SANS_SUITE) and not lot.date_de_suite:
        phrases.append("La suite donnée n'a pas de date : la consultation ne compte dans aucune année.")
    plis = consultation.plis_avant_le if consultation else None
    if lot.suite == Suite.NOTIFIE and lot.date_de_suite and plis and lot.date_de_suite < plis:
        phrases.append(f"La notification précède la date limite des plis, du {formater_date(plis)}.")
    return phrases


def siret_plausible(siret: str) -> bool:
    """Clé de Luhn ; pour La Poste, la somme des chiffres est un multiple de cinq."""
    if len(siret) != 14 or not siret.isdigit():
        return False
    chiffres = [int(chiffre) for chiffre in siret]
    luhn = sum(c if rang % 2 else sum(divmod(2 * c, 10)) for rang, c in enumerate(chiffres)) % 10 == 0
    return luhn or (siret.startswith(_LA_POSTE) and sum(chiffres) % 5 == 0)
