"""Un lieu est-il d'un territoire ? Oui, non, ou on ne sait pas : un code postal partagé ne se devine pas."""

from collections.abc import Collection, Iterable
from typing import Protocol

from marches.communes import commune_actuelle, departement_de
from marches.reponses import Reponse


class Perimetre(Protocol):
    """Ce qu'un territoire couvre : des communes (codes INSEE), des départements entiers, ou les deux."""

    @property
    def communes(self) -> Iterable[str]: ...

    @property
    def departements(self) -> Collection[str]: ...


def local(communes_possibles: frozenset[str] | None, departement: str, territoire: Perimetre) -> Reponse:
    """Oui si toutes les communes où le tiers peut être sont du territoire, non si aucune n'en est, sinon inconnu.

    `communes_possibles` : la commune, quand on la connaît ; celles de son code postal, sinon. Vide ou None (Cedex,
    code inconnu), seul le département reste : il ne répond qu'à un territoire fait de départements (decp.info sans
    commune).
    """
    if not communes_possibles:
        return _du_departement(departement, territoire)
    du_territoire = {commune_actuelle(code) or code for code in territoire.communes}
    dedans = {
        (commune_actuelle(code) or code) in du_territoire or departement_de(code) in territoire.departements
        for code in communes_possibles
    }
    if len(dedans) > 1:
        return Reponse.INCONNU
    return Reponse.OUI if dedans.pop() else Reponse.NON


def _du_departement(departement: str, territoire: Perimetre) -> Reponse:
    if not departement:
        return Reponse.INCONNU
    if departement in territoire.departements:
        return Reponse.OUI
    return Reponse.INCONNU if any(True for _ in territoire.communes) else Reponse.NON
