"""Ce qu'un dépôt dit de lui-même, en phrases : où il en est, et ce qui y a été trouvé."""

from dataclasses import dataclass
from typing import Any

from actions.classeur.apercu import TITRES
from actions.classeur.comparaison import Sort
from actions.depots import DepotDeClasseur
from socle.formats import accorder


@dataclass(frozen=True)
class Suivi:
    """`comptes` : des lignes du fichier, par sort. `changements` : des champs changés et des actions créées."""

    comptes: dict[str, int]
    changements: int
    apercu: dict[str, Any]

    @property
    def phrase(self) -> str:
        """« 2 actions créées, 30 changées, 12 inchangées »."""
        creees, changees = self.comptes[Sort.CREEE], self.comptes[Sort.CHANGEE]
        return (
            f"{accorder(creees, 'action créée', 'actions créées')}, {accorder(changees, 'changée')}, "
            f"{accorder(self.comptes[Sort.INCHANGEE], 'inchangée')}"
        )

    @property
    def titres(self) -> dict[str, str]:
        return {sort.value: titre for sort, titre in TITRES.items()}


def suivre(depot: DepotDeClasseur) -> Suivi:
    apercu = depot.essai
    comptes = apercu.get("comptes", {sort.value: 0 for sort in Sort})
    return Suivi(comptes, apercu.get("changements", 0) + comptes[Sort.CREEE], apercu)
