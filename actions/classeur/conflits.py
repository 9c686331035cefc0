"""Ce qui a bougé sur le site depuis qu'une ligne a été exportée : qui, quand, et ce que les champs valaient alors.

Chaque enregistrement de la fiche et chaque ligne de journal font avancer la version d'un : l'écart entre celle du
fichier et celle d'aujourd'hui dit combien d'écritures sont venues depuis, donc lesquelles.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ObjectDoesNotExist

from actions.champs import LIBELLES_PROPRES, depuis_le_lot, en_clair, pour_le_lot
from actions.journaux import ChangementDeStatut, JournalDAction, PresenceAuPlan, ReportEcheance
from actions.models import Action

_ABSENT = object()
_CLES = {"axe": "axe_id", "service_pilote": "service_pilote_id", "pilote": "pilote_id", "suppleant": "suppleant_id"}


@dataclass
class Passage:
    """`le` et `par` : le dernier à être passé. `alors` : par champ, sa valeur à l'export, telle qu'un lot la garde ;
    un champ qu'on ne sait plus dire n'y est pas. `fiche` : la ligne d'historique d'alors."""

    le: datetime | None = None
    par: str = ""
    alors: dict[str, Any] = field(default_factory=dict)
    fiche: Any = None

    def etait_deja(self, champ: str, valeur: Any) -> bool:
        """Vrai si le fichier redit ce que le site disait à l'export : son auteur n'y a pas touché."""
        return self.alors.get(champ, _ABSENT) == pour_le_lot(champ, valeur)

    def en_clair(self, champ: str) -> str:
        """Ce que le champ valait à l'export ; vide si on ne sait plus le dire."""
        if champ not in self.alors:
            return ""
        if champ not in _CLES:
            return en_clair(champ, depuis_le_lot(champ, self.alors[champ]))
        try:
            return en_clair(champ, getattr(self.fiche, champ))
        except ObjectDoesNotExist:
            return ""


@dataclass(frozen=True)
class _Ecriture:
    """Une écriture qui a fait avancer la version : un enregistrement de la fiche, ou une ligne de journal."""

    le: datetime
    par: str
    ligne: Any


def ce_qui_a_bouge(exportees: Iterable[tuple[Action, int]]) -> dict[int, Passage]:
    """Par action, son passage. `exportees` : chaque action et la version qu'elle avait à l'export. Quatre requêtes."""
    exportees = list(exportees)
    ecritures = _ecritures([action.pk for action, _ in exportees])
    return {action.pk: _passage(ecritures[action.pk], action.version - version) for action, version in exportees}


def _ecritures(pks: list[int]) -> dict[int, list[_Ecriture]]:
    """De la plus récente à la plus ancienne."""
    ecritures: dict[int, list[_Ecriture]] = defaultdict(list)
    if not pks:
        return ecritures
    for fiche in Action.history.filter(id__in=pks).select_related("history_user", *_CLES):
        ecritures[fiche.id].append(_Ecriture(fiche.history_date, str(fiche.history_user or ""), fiche))
    journaux: tuple[type[JournalDAction], ...] = (ChangementDeStatut, ReportEcheance, PresenceAuPlan)
    for journal in journaux:
        for ligne in journal.objects.filter(action__in=pks).select_related("auteur"):
            ecritures[ligne.action_id].append(_Ecriture(ligne.saisi_le, str(ligne.auteur or ""), ligne))
    for siennes in ecritures.values():
        siennes.sort(key=lambda ecriture: ecriture.le, reverse=True)
    return ecritures


def _passage(ecritures: list[_Ecriture], depuis: int) -> Passage:
    """`depuis` : combien d'écritures sont venues depuis l'export."""
    if not ecritures:
        return Passage()
    passage = Passage(ecritures[0].le, ecritures[0].par)
    # Une version que le site n'a jamais eue, ou des écritures qui manquent : on ne sait pas ce qui valait alors.
    if not 0 < depuis < len(ecritures):
        return passage
    anciennes = [ecriture.ligne for ecriture in ecritures[depuis:]]
    fiche = next((ligne for ligne in anciennes if not isinstance(ligne, JournalDAction)), None)
    if fiche is not None:
        passage.fiche = fiche
        passage.alors |= {champ: _garde(fiche, champ) for champ in LIBELLES_PROPRES}
    statut = _en_vigueur(ChangementDeStatut, anciennes)
    if isinstance(statut, ChangementDeStatut):
        passage.alors |= {"statut": statut.statut, "avancement": statut.avancement}
    report = _en_vigueur(ReportEcheance, anciennes)
    passage.alors["echeance"] = pour_le_lot("echeance", report.valeur if isinstance(report, ReportEcheance) else None)
    return passage


def _en_vigueur(journal: type[JournalDAction], lignes: list[Any]) -> JournalDAction | None:
    """Celle qui l'emportait parmi ces seules lignes : aucune d'elles ne l'annule, sa date d'effet est la dernière."""
    siennes: list[Any] = [ligne for ligne in lignes if isinstance(ligne, journal)]
    annulees = {ligne.annule_id for ligne in siennes}
    restent = [ligne for ligne in siennes if ligne.pk not in annulees]
    return max(restent, key=lambda ligne: (ligne.date_effet, ligne.pk), default=None)


def _garde(fiche: Any, champ: str) -> Any:
    return getattr(fiche, _CLES[champ]) if champ in _CLES else pour_le_lot(champ, getattr(fiche, champ))
