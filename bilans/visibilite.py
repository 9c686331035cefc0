"""Ce qu'un bilan arrêté montre au public et qui ne doit plus l'être.

Une action visible à l'arrêt a pu cesser de l'être : le contenu arrêté ne change pas, on cesse de le montrer.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings

from actions.models import Action, Plan
from bilans.bilan import Bilan
from bilans.contenu.canonique import relire
from bilans.contenu.schema import SCHEMA, lire
from bilans.versions import VersionDeBilan
from socle.formats import accorder


def cles_des_actions(version: VersionDeBilan) -> frozenset[int]:
    """Les clés des actions que le contenu public de cette version montre. Sans requête."""
    contenu = relire(version.contenu_public)
    if contenu.get("schema") == SCHEMA:
        return frozenset(action["cle"] for action in contenu["actions"])
    return frozenset(action.cle for action in lire(contenu).actions)


def cles_visibles(plan: Plan) -> frozenset[int]:
    """Les clés des actions du plan que le public peut voir aujourd'hui, au plan ou retirées depuis."""
    return frozenset(plan.actions.filter(visible_du_public=True).values_list("pk", flat=True))


def montrable(version: VersionDeBilan, visibles: Iterable[int]) -> bool:
    """Toutes les actions de la version sont encore visibles du public (`visibles` : `cles_visibles` de son plan)."""
    return cles_des_actions(version) <= frozenset(visibles)


def retenue(bilan: Bilan) -> str:
    """Pourquoi la version publiée n'est plus servie au public, en une phrase ; vide si elle l'est, ou si rien n'est
    publié. Deux requêtes au plus."""
    version = bilan.version_publiee
    if version is None:
        return ""
    cachees = cles_des_actions(version) - cles_visibles(bilan.plan)
    if not cachees:
        return ""
    numeros = Action.objects.filter(pk__in=cachees).order_by("numero").values_list("numero", flat=True)
    lesquelles = ", ".join(f"n°\u00a0{numero}" for numero in numeros)
    combien = accorder(len(cachees), "action qui n'est plus visible", "actions qui ne sont plus visibles")
    return (
        f"Le public ne voit plus ce bilan\u00a0: la version publiée montre {combien} du public ({lesquelles}). "
        "Rouvrez-le, arrêtez une nouvelle version et publiez-la\u00a0; ou rendez de nouveau ces actions visibles."
    )


@dataclass(frozen=True)
class Obstacles:
    """Ce qui empêche le public d'ouvrir un bilan publié, du plus large au plus proche."""

    site_ferme: bool
    plan_ferme: bool
    retenue: str

    @property
    def aucun(self) -> bool:
        return not (self.site_ferme or self.plan_ferme or self.retenue)


def obstacles(bilan: Bilan) -> Obstacles:
    """Deux requêtes au plus."""
    return Obstacles(not settings.PAGES_PUBLIQUES, not bilan.plan.publie, retenue(bilan))
