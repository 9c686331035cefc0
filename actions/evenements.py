"""Un événement de la vie d'une action, quelle qu'en soit la source."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class Evenement:
    """Ce qui s'est passé : effectif le `date_effet`, saisi le `saisi_le` par `auteur` (None : repris de la page).

    `corrige` : une autre ligne le corrige. `correction` : il en corrige une. `a_corriger` : l'adresse où le corriger,
    vide s'il ne se corrige pas d'ici. `lien` : la page qui en dit plus, vide s'il n'y en a pas. `journal` : il a une
    date d'effet à lui ; sinon c'est celle de sa saisie.
    """

    nature: str
    titre: str
    texte: str
    date_effet: date
    saisi_le: datetime
    auteur: object | None
    icone: str = "flag-fill"
    corrige: bool = False
    correction: bool = False
    a_corriger: str = ""
    journal: bool = True
    lien: str = ""
