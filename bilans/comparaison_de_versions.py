"""Deux états d'un bilan à comparer : une version et une autre, ou une version et ce que le plan dirait aujourd'hui."""

from dataclasses import dataclass

from bilans.bilan import Bilan
from bilans.contenu.composition import composer
from bilans.contenu.schema import BilanLu, Portee, lire
from bilans.ecarts import Ecarts, comparer
from bilans.situation import SituationDuBilan, situation_du_bilan
from bilans.versions import VersionDeBilan
from socle.erreurs import DemandeIllisible, Introuvable

MAINTENANT = "maintenant"


@dataclass(frozen=True)
class ComparaisonDeVersions:
    """`a` None : ce que le plan donnerait à cet instant. `de` et `ecarts` None : rien n'est encore arrêté."""

    situation: SituationDuBilan
    portee: Portee
    de: VersionDeBilan | None
    a: VersionDeBilan | None
    ecarts: Ecarts | None

    @property
    def portees(self) -> list[Portee]:
        return list(Portee)


def comparaison_demandee(bilan: Bilan, portee: Portee, *, de: str = "", a: str = "") -> ComparaisonDeVersions:
    """`de`, `a` : des rangs de version. Sans `a` : aujourd'hui, sauf si seul `a` est dit, qui se compare à la version
    d'avant. Lève DemandeIllisible (pas un rang), Introuvable (pas de cette version)."""
    situation = situation_du_bilan(bilan)
    if situation.derniere is None:
        return ComparaisonDeVersions(situation, portee, None, None, None)
    arrivee = _version(situation, a) if a not in ("", MAINTENANT) else None
    if de:
        depart = _version(situation, de)
    else:
        depart = _version(situation, str(arrivee.rang - 1)) if arrivee and arrivee.rang > 1 else situation.derniere
    ecarts = comparer(depart.lu(portee), arrivee.lu(portee) if arrivee else _aujourd_hui(bilan, portee))
    return ComparaisonDeVersions(situation, portee, depart, arrivee, ecarts)


def _version(situation: SituationDuBilan, rang: str) -> VersionDeBilan:
    if not (rang.isascii() and rang.isdigit() and len(rang) < 5):
        raise DemandeIllisible(f"« {rang} » n'est pas une version : demandez par exemple 1.")
    trouvee = next((version for version in situation.versions if version.rang == int(rang)), None)
    if trouvee is None:
        raise Introuvable(f"Ce bilan n'a pas de version {rang}.")
    return trouvee


def _aujourd_hui(bilan: Bilan, portee: Portee) -> BilanLu:
    return lire(composer(bilan).de(portee))
