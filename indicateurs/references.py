"""Les objectifs que la loi ou l'État fixent à tout acheteur, prêts à être repris pour un indicateur.

Ils ne sont donnés à aucun indicateur d'office : ce qu'un indicateur compte, la collectivité seule le sait.
"""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from indicateurs.listes import OrigineDeCible

CLIMAT_ET_RESILIENCE = (
    "Loi n° 2021-1104 du 22 août 2021 « Climat et résilience », article 35 ; décret n° 2022-767 du 2 mai 2022"
)
PNAD = "Plan national pour des achats durables 2022-2025"


@dataclass(frozen=True)
class ObjectifDeReference:
    """`valeur` : en pour cent. `depuis` : le jour à partir duquel il vaut, None s'il porte sur une année entière."""

    cle: str
    intitule: str
    annee: int
    valeur: Decimal
    origine: OrigineDeCible
    reference: str
    active: bool
    depuis: datetime.date | None = None

    @property
    def champs(self) -> dict[str, Any]:
        """Ce que l'objectif d'un indicateur en reprend : les champs de `Cible`."""
        return {nom: getattr(self, nom) for nom in ("annee", "valeur", "origine", "reference", "active")}

    @property
    def vigueur(self) -> str:
        """« actif », ou « échu » : le plan qui le fixait est fini."""
        return "actif" if self.active else "échu"


OBJECTIFS = (
    ObjectifDeReference(
        "environnement-climat-resilience",
        "Une condition d'exécution et un critère d'attribution qui prennent en compte l'environnement dans chaque "
        "consultation lancée à compter du 21/08/2026",
        2026,
        Decimal(100),
        OrigineDeCible.OBLIGATION,
        CLIMAT_ET_RESILIENCE,
        active=True,
        depuis=datetime.date(2026, 8, 21),
    ),
    ObjectifDeReference(
        "environnement-pnad",
        "Une considération environnementale dans chaque contrat notifié dans l'année",
        2025,
        Decimal(100),
        OrigineDeCible.OBJECTIF_NATIONAL,
        PNAD,
        active=False,
    ),
    ObjectifDeReference(
        "social-pnad",
        "Une considération sociale dans 30 % des contrats notifiés dans l'année",
        2025,
        Decimal(30),
        OrigineDeCible.OBJECTIF_NATIONAL,
        PNAD,
        active=False,
    ),
)
PAR_CLE = {objectif.cle: objectif for objectif in OBJECTIFS}
