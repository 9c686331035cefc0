"""Les colonnes d'un classeur d'indicateurs : comment leurs titres s'écrivent, et comment ils se lisent."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from socle.formats import plier

FEUILLE = "Indicateurs"
# Sept colonnes par année, après celles qui nomment l'indicateur : le fichier qui en sort doit pouvoir y revenir.
ANNEES_MAX = 25


class Champ(Enum):
    """Ce que dit une colonne d'une année ; la valeur est la fin de son titre."""

    VALEUR = "valeur"
    NUMERATEUR = "numérateur"
    DENOMINATEUR = "dénominateur"
    TAUX = "taux"
    REMARQUE = "remarque"
    ETAT = "état"
    VERSION = "version"

    @property
    def a_remplir(self) -> bool:
        return self not in (Champ.TAUX, Champ.ETAT, Champ.VERSION)


class Cle(Enum):
    """Ce qui nomme l'indicateur ; la valeur est le titre de sa colonne."""

    CODE = "Code"
    INTITULE = "Intitulé"
    UNITE = "Unité"
    SERVICE = "Service producteur"


_CLES = {plier(cle.value): cle for cle in Cle} | {
    "indicateur": Cle.INTITULE,
    "libelle": Cle.INTITULE,
    "service": Cle.SERVICE,
}
_CHAMPS = {plier(champ.value): champ for champ in Champ} | {"commentaire": Champ.REMARQUE}
_NOMS = "|".join(_CHAMPS)
_D_UNE_ANNEE = re.compile(rf"(?P<avant>{_NOMS})? ?(?P<annee>[0-9]{{4}}) ?(?P<apres>{_NOMS})?")


@dataclass(frozen=True)
class Colonne:
    """Une colonne d'une année."""

    annee: int
    champ: Champ

    @property
    def titre(self) -> str:
        return f"{self.annee} {self.champ.value}"


def lire_un_titre(titre: str) -> Cle | Colonne | None:
    """« Code », « 2023 numérateur », « 2023 » seul (sa valeur) ; None si la colonne est inconnue."""
    plie = plier(titre)
    if plie in _CLES:
        return _CLES[plie]
    trouve = _D_UNE_ANNEE.fullmatch(plie)
    if trouve is None or (trouve["avant"] and trouve["apres"]):
        return None
    champ = trouve["avant"] or trouve["apres"]
    return Colonne(int(trouve["annee"]), _CHAMPS[champ] if champ else Champ.VALEUR)


def colonnes_des_annees(annees: Iterable[int]) -> list[Colonne]:
    return [Colonne(annee, champ) for annee in annees for champ in Champ]
