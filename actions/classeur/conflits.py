"""Ce qui a bougé sur le site depuis qu'une ligne a été exportée : qui, quand, et ce que les champs valaient alors."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from actions.champs import LIBELLES_PROPRES, pour_le_lot
from actions.classeur.releve import Releve
from actions.models import Action

_ABSENT = object()
_CLES = {"axe": "axe_id", "service_pilote": "service_pilote_id", "pilote": "pilote_id", "suppleant": "suppleant_id"}


@dataclass
class Passage:
    """`le` et `par` : le dernier à être passé. `alors` : par champ, sa valeur à l'export, telle qu'un lot la garde ;
    un champ qu'on ne sait plus dire n'y est pas."""

    le: datetime | None = None
    par: str = ""
    alors: dict[str, Any] = field(default_factory=dict)

    def etait_deja(self, champ: str, valeur: Any) -> bool:
        """Vrai si le fichier redit ce que le site disait à l'export : son auteur n'y a pas touché."""
        return self.alors.get(champ, _ABSENT) == pour_le_lot(champ, valeur)


def ce_qui_a_bouge(exportees: Iterable[tuple[Action, int]], releve: Releve) -> dict[int, Passage]:
    """Par action, son passage. `exportees` : chaque action et la version qu'elle avait à l'export. Une requête."""
    versions = {action.pk: version for action, version in exportees}
    passages: dict[int, Passage] = defaultdict(Passage)
    if not versions:
        return passages
    lignes = Action.history.filter(id__in=versions).select_related("history_user").order_by("history_id")
    for ligne in lignes:
        passage = passages[ligne.id]
        passage.le, passage.par = ligne.history_date, str(ligne.history_user or "")
        if ligne.version <= versions[ligne.id]:
            passage.alors = {champ: _garde(ligne, champ) for champ in LIBELLES_PROPRES}
    for pk in versions:
        passage = passages[pk]
        for ligne in releve.dernieres_saisies(releve.actions[pk]):
            if passage.le is None or ligne.saisi_le > passage.le:
                passage.le, passage.par = ligne.saisi_le, str(ligne.auteur or "")
    return passages


def _garde(ligne: Any, champ: str) -> Any:
    return getattr(ligne, _CLES[champ]) if champ in _CLES else pour_le_lot(champ, getattr(ligne, champ))
