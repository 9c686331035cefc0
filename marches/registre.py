"""Ce que les lots disent de leur consultation : finalisée ou non, et ce qu'elle a intégré. Rien ici ne lit la base.

Finalisée : tous les lots sont notifiés ou déclarés sans suite ; l'année est celle de la dernière de ces dates. Un lot
abandonné avant publication n'entre pas en compte. Définition à confirmer par la collectivité, écrite à l'écran. Les
mêmes règles sont dans `marches.requetes_du_registre`, pour la base, et `marches.calculs.registre`, pour les calculs.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from marches.listes import Suite
from marches.reponses import Reponse, au_moins_un
from socle.formats import accorder, formater_date

DEFINITION = (
    "Finalisée : tous les lots sont notifiés ou déclarés sans suite ; l'année est celle de la dernière de ces dates. "
    "Un lot abandonné avant publication n'entre pas en compte."
)
FINALES = frozenset({Suite.NOTIFIE, Suite.SANS_SUITE})


class Lot(Protocol):
    """Ce qu'on lit d'un lot : `marches.models.LotDeConsultation` convient."""

    suite: str
    date_de_suite: datetime.date | None
    clause_environnementale: str
    critere_environnemental: str
    clause_sociale: str
    critere_social: str


@dataclass(frozen=True)
class Finalisation:
    """`le` : None si elle n'est pas finalisée, ou si la date d'un lot manque. `raison` : la phrase qui le dit."""

    le: datetime.date | None
    raison: str


def publies(lots: Iterable[Lot]) -> list[Lot]:
    """Les lots qui comptent : tous, moins les abandonnés avant publication."""
    return [lot for lot in lots if lot.suite != Suite.ABANDONNE]


def finalisation(lots: Iterable[Lot]) -> Finalisation:
    lots = list(lots)
    retenus = publies(lots)
    if not retenus:
        return Finalisation(None, "Abandonnée avant publication." if lots else "Elle n'a pas encore de lot.")
    courent = sum(lot.suite not in FINALES for lot in retenus)
    if courent:
        phrase = accorder(courent, "lot n'est ni notifié ni déclaré", "lots ne sont ni notifiés ni déclarés")
        return Finalisation(None, f"Non finalisée : {phrase} sans suite.")
    dates = [lot.date_de_suite for lot in retenus if lot.date_de_suite is not None]
    if len(dates) < len(retenus):
        manque = accorder(len(retenus) - len(dates), "lot", "lots")
        return Finalisation(None, f"Finalisée, sans année : la date de la suite manque à {manque}.")
    return Finalisation(max(dates), f"Finalisée le {formater_date(max(dates))}.")


def environnement(lots: Iterable[Lot]) -> Reponse:
    """Oui si au moins un lot publié a une condition d'exécution ou un critère environnemental."""
    return au_moins_un(
        au_moins_un((lot.clause_environnementale, lot.critere_environnemental)) for lot in publies(lots)
    )


def social(lots: Iterable[Lot]) -> Reponse:
    return au_moins_un(au_moins_un((lot.clause_sociale, lot.critere_social)) for lot in publies(lots))
