"""Les adresses que le site sert, lues dans le résolveur : la référence des trois tables que chaque page étend
(accès, requêtes, navigateur). Une adresse absente d'une table y fait échouer l'essai."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from django.urls import URLPattern, URLResolver, get_resolver

# « <int:pk> » d'une route, « (?P<url>.*) » d'une expression régulière.
_PARAMETRE = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")


@dataclass(frozen=True)
class Route:
    """Une adresse servie. `nom` : celui de `reverse()` ; l'espace de noms et la route quand elle n'a pas de nom."""

    nom: str
    route: str

    @property
    def parametres(self) -> tuple[str, ...]:
        """Les noms de ce qu'il faut donner pour l'écrire, dans l'ordre."""
        return tuple(premier or second for premier, second in _PARAMETRE.findall(self.route))

    def adresse(self, **valeurs: object) -> str:
        """L'adresse à demander. KeyError s'il manque une valeur. Écrit aussi ce que `reverse()` ne sait pas écrire."""
        rempli = _PARAMETRE.sub(lambda trouve: str(valeurs[trouve[1] or trouve[2]]), self.route)
        return "/" + rempli.replace("^", "").replace("$", "")


@cache
def routes() -> tuple[Route, ...]:
    """Toutes les routes du site, administration comprise, dans l'ordre où elles sont essayées."""
    return tuple(_deplier(get_resolver().url_patterns))


def _deplier(motifs: Iterable[URLPattern | URLResolver], debut: str = "", espace: str = "") -> Iterable[Route]:
    for motif in motifs:
        route = debut + str(motif.pattern)
        if isinstance(motif, URLResolver):
            yield from _deplier(
                motif.url_patterns, route, f"{espace}{motif.namespace}:" if motif.namespace else espace
            )
        else:
            yield Route(nom=espace + (motif.name or route), route=route)


def route(nom: str) -> Route:
    """La route de ce nom. KeyError si elle n'existe pas."""
    for candidate in routes():
        if candidate.nom == nom:
            return candidate
    raise KeyError(f"Aucune route ne s'appelle {nom}.")


def ecarts(noms: Iterable[str]) -> list[str]:
    """Ce qui distingue une table du site : une phrase par route absente de la table, par ligne sans route et par
    ligne en double. Vide quand la table couvre exactement le site."""
    dans_la_table, sur_le_site = list(noms), {candidate.nom for candidate in routes()}
    return [
        *(f"absente de la table : {nom}" for nom in sorted(sur_le_site - set(dans_la_table))),
        *(f"n'existe plus : {nom}" for nom in sorted(set(dans_la_table) - sur_le_site)),
        *(
            f"deux fois dans la table : {nom}"
            for nom in sorted({n for n in dans_la_table if dans_la_table.count(n) > 1})
        ),
    ]
