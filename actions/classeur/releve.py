"""Ce que la base sait d'un plan au moment où l'on y rapproche un classeur : tout est lu d'avance, en un nombre
constant de requêtes quel que soit le nombre de lignes du fichier."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from actions.annuaire import Annuaire
from actions.journaux import ChangementDeStatut, JournalDAction, ReportEcheance
from actions.models import Action
from actions.plans import Axe, Plan
from partenaires.models import Partenaire
from socle.echeances import Echeance
from socle.formats import plier


@dataclass(frozen=True)
class Vue:
    """Un journal d'une action, vu d'une date d'effet : ce qui y valait, et le premier changement d'après."""

    en_vigueur: JournalDAction | None = None
    suivante: JournalDAction | None = None


class Releve:
    """Le plan, ses actions, et ce à quoi les cellules peuvent se référer."""

    def __init__(
        self, plan: Plan, actions: Iterable[Action], axes: Iterable[Axe], partenaires: Iterable[Partenaire]
    ) -> None:
        self.plan = plan
        self.actions = {action.pk: action for action in actions}
        self.par_numero = {action.numero: action for action in self.actions.values()}
        self.par_intitule: dict[str, list[Action]] = defaultdict(list)
        for action in self.actions.values():
            self.par_intitule[plier(action.intitule)].append(action)
        self.annuaire = Annuaire.lire()
        self.axes, self.partenaires = list(axes), list(partenaires)
        self.axes_par_texte = _index(self.axes, _textes_de_l_axe)
        self.partenaires_par_texte = _index(self.partenaires, lambda p: {*p.noms_reconnus, plier(str(p))})
        pks = list(self.actions)
        self._statuts = _en_vigueur(ChangementDeStatut, pks)
        self._echeances = _en_vigueur(ReportEcheance, pks)

    @classmethod
    def du_plan(cls, plan: Plan, *, sous_verrou: bool = False) -> Self:
        """`sous_verrou` : dans la transaction qui va écrire ; personne ne touche plus à ces actions d'ici là."""
        actions = Action.objects.filter(plan=plan).order_by("pk")
        if sous_verrou:
            plan.verrouillee()
            actions = actions.select_for_update(of=("self",))
        liees = actions.select_related("plan", "axe", "service_pilote", "pilote", "suppleant")
        lues = liees.prefetch_related("participations__partenaire", "references")
        return cls(plan, lues, Axe.objects.filter(plan=plan), Partenaire.objects.all())

    def vue_des_statuts(self, action: Action, jour: date) -> Vue:
        return _vue(self._statuts.get(action.pk, []), jour)

    def vue_des_echeances(self, action: Action, jour: date) -> Vue:
        return _vue(self._echeances.get(action.pk, []), jour)

    def echeance_fixee(self, action: Action, jour: date) -> Echeance | None:
        """Celle qui vaut à cette date."""
        ligne = self.vue_des_echeances(action, jour).en_vigueur
        return ligne.valeur if isinstance(ligne, ReportEcheance) else None


def _en_vigueur(journal: type[JournalDAction], pks: list[int]) -> dict[int, list[JournalDAction]]:
    lignes: dict[int, list[JournalDAction]] = defaultdict(list)
    for ligne in journal.objects.filter(action__in=pks).en_vigueur():
        lignes[ligne.action_id].append(ligne)
    return lignes


def _vue(lignes: list[JournalDAction], jour: date) -> Vue:
    return Vue(
        next((ligne for ligne in lignes if ligne.date_effet <= jour), None),
        next((ligne for ligne in reversed(lignes) if ligne.date_effet > jour), None),
    )


def _index(fiches: Iterable[Any], textes: Any) -> dict[str, list[Any]]:
    index: dict[str, list[Any]] = defaultdict(list)
    for fiche in fiches:
        for texte in textes(fiche) - {""}:
            index[texte].append(fiche)
    return index


def _textes_de_l_axe(axe: Axe) -> set[str]:
    textes = {str(axe), axe.intitule, axe.code}
    if axe.code:
        textes |= {f"{axe.code}{signe}{axe.intitule}" for signe in (" - ", " – ", " — ", " : ", ". ")}
    return {plier(texte) for texte in textes}
