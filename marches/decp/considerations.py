"""Ce qu'un enregistrement dit des considérations sociales et environnementales : oui, non, ou rien.

Source : arrêtés du 22 décembre 2022, champs `considerationsSociales` et `considerationsEnvironnementales` (schéma
2.0.4).
"""

from functools import lru_cache
from typing import Any

from marches.decp.textes import liste, plier
from marches.reponses import Reponse

SOCIALES = {
    "clause sociale": "Clause sociale",
    "critere social": "Critère social",
    "marche reserve": "Marché réservé",
    "concession reservee": "Concession réservée",
}
ENVIRONNEMENTALES = {
    "clause environnementale": "Clause environnementale",
    "critere environnemental": "Critère environnemental",
}


def _est_un_non(plie: str) -> bool:
    # « Sans objet » : ce que le format tabulaire met à la place de « Pas de considération … ».
    return plie == "sans objet" or plie.startswith("pas de consideration")


def lire_les_considerations(valeur: Any, positives: dict[str, str]) -> tuple[Reponse, tuple[str, ...]]:
    """La réponse, et les libellés qui la rendent positive. Une seule considération suffit à dire oui, même à côté de
    « Pas de considération » (le schéma ne l'interdit pas) ; vide, « NC », « MQ », « INX » ou un libellé inconnu ne
    disent rien.
    """
    if not valeur:
        return Reponse.INCONNU, ()
    return _lire(liste(valeur), positives is SOCIALES)


@lru_cache(maxsize=4096)
def _lire(libelles: tuple[str, ...], sociales: bool) -> tuple[Reponse, tuple[str, ...]]:
    plies = {plier(libelle) for libelle in libelles}
    positives = SOCIALES if sociales else ENVIRONNEMENTALES
    trouves = tuple(libelle for plie, libelle in positives.items() if plie in plies)
    if trouves:
        return Reponse.OUI, trouves
    return (Reponse.NON if any(map(_est_un_non, plies)) else Reponse.INCONNU), ()
