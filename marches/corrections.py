"""Ce qu'une personne a corrigé d'un contrat, posé par-dessus ce que les fichiers disent."""

import datetime
import uuid
from collections.abc import Callable, Iterable
from decimal import Decimal

from marches.contrats import Contrat, CorrectionDeContrat
from marches.decp.montants import drapeau_du_montant
from marches.listes import ChampCorrige
from marches.reponses import Reponse


def corrections_de(souches: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[CorrectionDeContrat]]:
    """Les corrections en vigueur de ces contrats, en une requête."""
    par_souche: dict[uuid.UUID, list[CorrectionDeContrat]] = {}
    for correction in CorrectionDeContrat.objects.filter(souche__in=list(souches), annulee_le__isnull=True):
        par_souche.setdefault(correction.souche, []).append(correction)
    return par_souche


def appliquer(contrat: Contrat, corrections: Iterable[CorrectionDeContrat]) -> None:
    """Donne au contrat, sans l'enregistrer, les valeurs corrigées."""
    for correction in corrections:
        _APPLICATIONS[ChampCorrige(correction.champ)](contrat, correction.valeur)


def _date(contrat: Contrat, valeur: str) -> None:
    contrat.date = datetime.date.fromisoformat(valeur)


def _montant(contrat: Contrat, valeur: str) -> None:
    contrat.montant = Decimal(valeur)
    contrat.drapeau = drapeau_du_montant(contrat.montant)


def _environnement(contrat: Contrat, valeur: str) -> None:
    contrat.environnement = Reponse(valeur)


def _social(contrat: Contrat, valeur: str) -> None:
    contrat.social = Reponse(valeur)


def _doublon(contrat: Contrat, valeur: str) -> None:
    contrat.doublon = True


def _distinct(contrat: Contrat, valeur: str) -> None:
    contrat.conflit = False


_APPLICATIONS: dict[ChampCorrige, Callable[[Contrat, str], None]] = {
    ChampCorrige.DATE: _date,
    ChampCorrige.MONTANT: _montant,
    ChampCorrige.ENVIRONNEMENT: _environnement,
    ChampCorrige.SOCIAL: _social,
    ChampCorrige.DOUBLON: _doublon,
    ChampCorrige.DISTINCT: _distinct,
}
