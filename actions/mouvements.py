"""Ce qui a changé dans un plan entre deux dates : statuts, actions entrées et sorties, échéances, notes.

Une comparaison, pas un journal : un statut passé à « En cours » puis revenu n'a pas bougé. Les deux dates sont lues
telles qu'on les connaît aujourd'hui, par la règle des journaux.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from actions.gestes import RIEN_DE_NOUVEAU
from actions.journaux import ChangementDeStatut, PresenceAuPlan, ReportEcheance
from actions.models import Action, Plan
from actions.reports import HistoireDeLEcheance, de_l_une_a_l_autre, ecart, histoire_de_l_echeance
from actions.statuts import Mouvement, Statut
from actions.suivi import NoteDeSuivi

AU_PLAN = (Mouvement.ENTREE, Mouvement.RETOUR)
# Une phrase plus longue se coupe : la note entière est sur la page de l'action.
LONGUEUR_D_UNE_PHRASE = 220


@dataclass(frozen=True)
class PassageDeStatut:
    """Les actions, au plan aux deux dates, passées d'un statut à un autre. None : statut inconnu."""

    avant: Statut | None
    apres: Statut | None
    actions: list[Action]


@dataclass(frozen=True)
class Deplacement:
    """Une action entrée au plan, revenue, ou retirée ; `ligne` dit quand et pourquoi."""

    action: Action
    ligne: PresenceAuPlan


@dataclass(frozen=True)
class EcheanceChangee:
    """Une échéance déjà fixée qui a bougé, une ou plusieurs fois ; `histoire` ne tient que la période."""

    action: Action
    histoire: HistoireDeLEcheance

    @property
    def phrase(self) -> str:
        """« de T2 2025 à 2026 (+ 549 jours) », « en 2 fois, de… »."""
        fois = f"en {len(self.histoire.reports)} fois, " if len(self.histoire.reports) > 1 else ""
        decalage = f" ({ecart(self.histoire.decalage)})" if self.histoire.decalage else ""
        return f"{fois}{de_l_une_a_l_autre(self.histoire.initiale, self.histoire.actuelle)}{decalage}"

    @property
    def motifs(self) -> list[str]:
        """Sans doublon, dans l'ordre où ils ont été donnés."""
        return list(dict.fromkeys(report.ligne.motif for report in self.histoire.reports if report.ligne.motif))


@dataclass(frozen=True)
class NoteBreve:
    """La première phrase d'une note."""

    note: NoteDeSuivi
    phrase: str


@dataclass(frozen=True)
class NotesDUneAction:
    action: Action
    notes: list[NoteBreve]


@dataclass(frozen=True)
class Mouvements:
    """Ce qui a changé après `depuis` et jusqu'à `jusqu_au` compris, dans l'ordre du plan.

    `rien_de_nouveau` : les actions dont on n'a rien dit d'autre.
    """

    depuis: date
    jusqu_au: date
    passages: list[PassageDeStatut] = field(default_factory=list)
    entrees: list[Deplacement] = field(default_factory=list)
    sorties: list[Deplacement] = field(default_factory=list)
    echeances: list[EcheanceChangee] = field(default_factory=list)
    notes: list[NotesDUneAction] = field(default_factory=list)
    rien_de_nouveau: list[Action] = field(default_factory=list)

    @property
    def aucun(self) -> bool:
        """Aucun dans le plan ; on peut en avoir parlé dans les notes."""
        return not (self.passages or self.entrees or self.sorties or self.echeances)

    @property
    def nombre_de_passages(self) -> int:
        return sum(len(passage.actions) for passage in self.passages)


def mouvements(plan: Plan, depuis: date, jusqu_au: date) -> Mouvements:
    """Cinq requêtes, quelle que soit la taille du plan ; vide si rien ne sépare les deux dates."""
    statuts = _histoires(ChangementDeStatut, plan, depuis, jusqu_au)
    presences = _histoires(PresenceAuPlan, plan, depuis, jusqu_au)
    echeances = _histoires(ReportEcheance, plan, depuis, jusqu_au)
    notes = _notes(plan, depuis, jusqu_au)
    touchees = _actions(plan, {*statuts, *presences, *echeances, *notes}, depuis, jusqu_au)
    entrees = [a for a in touchees if a.etat_presence in AU_PLAN and a.presence_d_avant not in AU_PLAN]
    sorties = [a for a in touchees if a.etat_presence not in AU_PLAN and a.presence_d_avant in AU_PLAN]
    restees = [a for a in touchees if a.etat_presence in AU_PLAN]
    return Mouvements(
        depuis=depuis,
        jusqu_au=jusqu_au,
        passages=_passages([a for a in restees if a.presence_d_avant in AU_PLAN], statuts, depuis),
        entrees=[Deplacement(a, presences[a.pk][-1]) for a in entrees],
        sorties=[Deplacement(a, presences[a.pk][-1]) for a in sorties],
        echeances=_echeances_changees(restees, echeances, depuis),
        notes=[NotesDUneAction(a, dites) for a in touchees if (dites := _phrases(notes.get(a.pk, [])))],
        rien_de_nouveau=[a for a in touchees if a.pk in notes and not _phrases(notes[a.pk])],
    )


def _histoires(journal: Any, plan: Plan, depuis: date, jusqu_au: date) -> dict[int, list[Any]]:
    """Par action qui a une ligne dans la période : toutes celles qui comptent à `jusqu_au`, de la première à la
    dernière, celles d'avant comprises."""
    lignes = journal.objects.filter(action__plan=plan).en_vigueur(jusqu_au)
    bougees = lignes.filter(date_effet__gt=depuis).order_by().values("action")
    histoires: dict[int, list[Any]] = defaultdict(list)
    for ligne in lignes.filter(action__in=bougees).select_related("auteur").order_by("date_effet", "pk"):
        histoires[ligne.action_id].append(ligne)
    return histoires


def _notes(plan: Plan, depuis: date, jusqu_au: date) -> dict[int, list[NoteDeSuivi]]:
    dites = NoteDeSuivi.objects.filter(action__plan=plan, date__gt=depuis, date__lte=jusqu_au).en_vigueur()
    par_action: dict[int, list[NoteDeSuivi]] = defaultdict(list)
    for note in dites.select_related("auteur").order_by("date", "pk"):
        par_action[note.action_id].append(note)
    return par_action


def _actions(plan: Plan, touchees: Iterable[int], depuis: date, jusqu_au: date) -> Sequence[Any]:
    """Annotées de leur état à `jusqu_au`, et de leur présence à `depuis`."""
    presence_d_avant = PresenceAuPlan.objects.all().valeur_pour("action", "mouvement", depuis, None)
    actions = plan.actions.filter(pk__in=touchees).etat_au(jusqu_au).annotate(presence_d_avant=presence_d_avant)
    return list(actions.select_related("pilote").order_by("numero"))


def _passages(
    restees: Sequence[Action], histoires: dict[int, list[ChangementDeStatut]], depuis: date
) -> list[PassageDeStatut]:
    """Groupés, dans l'ordre des statuts d'arrivée puis de départ."""
    groupes: dict[tuple[str | None, str | None], list[Action]] = defaultdict(list)
    for action in restees:
        lignes = histoires.get(action.pk, [])
        avant = next((ligne.statut for ligne in reversed(lignes) if ligne.date_effet <= depuis), None)
        if lignes and lignes[-1].statut != avant:
            groupes[avant, lignes[-1].statut].append(action)
    statuts: list[Statut | None] = [None, *Statut]
    return [
        PassageDeStatut(avant, apres, groupes[avant, apres])
        for apres in statuts
        for avant in statuts
        if (avant, apres) in groupes
    ]


def _echeances_changees(
    restees: Sequence[Action], histoires: dict[int, list[ReportEcheance]], depuis: date
) -> list[EcheanceChangee]:
    """Fixer une première échéance n'est pas la changer."""
    changees = []
    for action in restees:
        lignes = histoires.get(action.pk, [])
        anciennes = [ligne for ligne in lignes if ligne.date_effet <= depuis]
        histoire = histoire_de_l_echeance([*anciennes[-1:], *lignes[len(anciennes) :]])
        if histoire.reports:
            changees.append(EcheanceChangee(action, histoire))
    return changees


def _phrases(notes: Iterable[NoteDeSuivi]) -> list[NoteBreve]:
    return [NoteBreve(note, premiere_phrase(note.texte)) for note in notes if note.texte != RIEN_DE_NOUVEAU]


def premiere_phrase(texte: str) -> str:
    """La première phrase d'un texte, ou son début s'il n'en finit pas, coupé entre deux mots."""
    ligne = texte.strip().splitlines()[0].strip() if texte.strip() else ""
    fins = [fin for signe in (". ", "! ", "? ", "… ") if (fin := ligne.find(signe)) >= 0]
    phrase = ligne[: min(fins) + 1] if fins else ligne
    if len(phrase) <= LONGUEUR_D_UNE_PHRASE:
        return phrase
    return f"{phrase[:LONGUEUR_D_UNE_PHRASE].rpartition(' ')[0] or phrase[:LONGUEUR_D_UNE_PHRASE]}…"
