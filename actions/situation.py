"""Où en est un plan à une date : combien d'actions, ce qui attend, ce qui a bougé. Les comptes se font en SQL."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from django.conf import settings
from django.db.models import CharField, Count, F, Q, QuerySet, Value, Window
from django.db.models.functions import Cast, RowNumber

from actions.gestes import ANNULE
from actions.journaux import ChangementDeStatut, PresenceAuPlan, ReportEcheance
from actions.models import Action, Plan
from actions.requetes import COMPTES_PAR_STATUT, ActionQuerySet, Decompte
from actions.statuts import Mouvement, PointAttention, Statut
from socle.formats import plier


@dataclass(frozen=True)
class Situation:
    """Les nombres d'un plan à une date, en actions. `passees` : celles dont le statut n'était pas celui-là à `depuis`.

    `sans_echeance` : le retard n'y est pas calculable.
    """

    decompte: Decompte
    depuis: date
    arbitrages: int
    points_d_attention: int
    en_retard: int
    sans_echeance: int
    sans_nouvelle: int
    passees: dict[Statut, int]

    @property
    def mois_sans_nouvelle(self) -> int:
        """Au bout de combien de mois de silence une action est à relancer."""
        return settings.MOIS_SANS_NOUVELLE

    @property
    def changees(self) -> int:
        return sum(self.passees.values())

    @property
    def autres_points(self) -> int:
        """Les points d'attention qui ne demandent pas d'arbitrage."""
        return self.points_d_attention - self.arbitrages


def situation(actions: ActionQuerySet, le: date, depuis: date) -> Situation:
    """Une seule requête. `actions` : annotées par `etat_au(le)`."""
    comptes = (
        actions.au_plan()
        .avec_retard(le)
        .avec_silence(le)
        .avec_statut_d_avant(depuis)
        .aggregate(
            **COMPTES_PAR_STATUT,
            arbitrages=Count("pk", filter=Q(attention_nature=PointAttention.ARBITRAGE)),
            points_d_attention=Count("pk", filter=~Q(attention_nature="")),
            en_retard=Count("pk", filter=Q(est_en_retard=True)),
            sans_echeance=Count("pk", filter=Q(est_en_retard__isnull=True)),
            # Pas le nom de l'annotation : l'agrégat se prendrait pour elle.
            silencieuses=Count("pk", filter=Q(sans_nouvelle=True)),
            **{
                f"passees_{statut}": Count("pk", filter=Q(etat_statut=statut, statut_a_change=True))
                for statut in Statut
            },
        )
    )
    passees = {statut: comptes.pop(f"passees_{statut}") for statut in Statut}
    decompte = Decompte(**{nom: comptes.pop(nom) for nom in COMPTES_PAR_STATUT})
    silencieuses = comptes.pop("silencieuses")
    return Situation(decompte=decompte, depuis=depuis, passees=passees, sans_nouvelle=silencieuses, **comptes)


@dataclass(frozen=True)
class Groupe:
    """Les actions d'un axe ou d'un service. `cle` : ce que le filtre de la liste attend ; « null » pour « sans »."""

    libelle: str
    cle: str
    decompte: Decompte


@dataclass(frozen=True)
class Repartition:
    axes: list[Groupe]
    services: list[Groupe]


def repartition(actions: ActionQuerySet) -> Repartition:
    """Les actions au plan par axe et par service pilote, en une requête ; celles qui n'en ont pas à la fin."""
    lignes = list(
        actions.au_plan()
        .values(
            "axe", "axe__ordre", "axe__code", "axe__intitule", "service_pilote", "service_pilote__nom", "etat_statut"
        )
        .annotate(nombre=Count("pk"))
        .order_by("axe__ordre", "axe")
    )
    axes = (
        (ligne, ligne["axe"], f"{ligne['axe__code'] or ''} {ligne['axe__intitule'] or ''}".strip()) for ligne in lignes
    )
    services = ((ligne, ligne["service_pilote"], ligne["service_pilote__nom"]) for ligne in lignes)
    return Repartition(
        axes=_regrouper(axes, "Sans axe"),
        services=sorted(
            _regrouper(services, "Sans service pilote"),
            key=lambda groupe: (groupe.cle == "null", plier(groupe.libelle)),
        ),
    )


def _regrouper(lignes: Iterable[tuple[dict, int | None, str | None]], sans: str) -> list[Groupe]:
    nombres: dict[int | None, dict[str | None, int]] = defaultdict(lambda: defaultdict(int))
    libelles: dict[int | None, str] = {}
    for ligne, cle, libelle in lignes:
        nombres[cle][ligne["etat_statut"]] += ligne["nombre"]
        libelles[cle] = libelle or sans
    # « Sans » vient en dernier, quel que soit l'ordre des NULL dans la base.
    return [
        Groupe(libelles[cle], str(cle or "null"), Decompte.de(nombres[cle]))
        for cle in sorted(nombres, key=lambda cle: cle is None)
    ]


def premieres_par_statut(actions: ActionQuerySet, combien: int, avec: int | None = None) -> dict[Statut, list[Action]]:
    """Les `combien` premières actions au plan de chaque statut, dans l'ordre du plan, en une requête.

    `avec` : l'identifiant d'une action montrée quel que soit son rang.
    """
    rangees = (
        actions.au_plan()
        .annotate(rang=Window(RowNumber(), partition_by=F("etat_statut"), order_by="numero"))
        .filter(Q(rang__lte=combien) | Q(pk=avec))
        .order_by("numero")
    )
    par_statut: dict[Statut, list[Action]] = {statut: [] for statut in Statut}
    for action in cast("Iterable[Action]", rangees):
        if action.etat_statut:
            par_statut[Statut(action.etat_statut)].append(action)
    return par_statut


# --- Dans le temps ------------------------------------------------------------------------------


def decomptes_aux(plan: Plan, dates: Sequence[date], *, visibles: bool = False) -> dict[date, Decompte]:
    """Le décompte du plan à chacune de ces dates, en une requête : les mêmes nombres que `etat_au`.

    Les lignes qui comptent sont relues dans l'ordre : pour 1 200 actions et cinq dates, demander chaque état à la
    base prend plus d'une seconde sur PostgreSQL, et ceci quelques centièmes. `visibles` : les seules actions visibles
    du public.
    """
    if not dates:
        return {}
    suivantes = deque(_changements(plan, max(dates), visibles))
    statuts: dict[int, str] = {}
    presences: dict[int, str] = {}
    decomptes = {}
    for jour in sorted(dates):
        while suivantes and suivantes[0]["date_effet"] <= jour:
            ligne = suivantes.popleft()
            etats = statuts if ligne["journal"] == "statut" else presences
            etats[ligne["action_id"]] = ligne["quoi"]
        au_plan = (action for action, mouvement in presences.items() if mouvement != Mouvement.RETRAIT)
        decomptes[jour] = Decompte.de(Counter(statuts.get(action) for action in au_plan))
    return {jour: decomptes[jour] for jour in dates}


def _changements(plan: Plan, jusqu_a: date, visibles: bool) -> Iterable[dict[str, Any]]:
    """Les lignes de statut et de présence qui comptent, dans l'ordre où elles l'emportent (règle du journal)."""
    colonnes = ("action_id", "date_effet", "pk", "journal", "quoi")
    celles_la = {"action__plan": plan} | ({"action__visible_du_public": True} if visibles else {})
    statuts, presences = (
        journal.objects.filter(**celles_la)
        .en_vigueur(jusqu_a)
        .order_by()
        .annotate(journal=Value(nom), quoi=Cast(nom, CharField()))
        .values(*colonnes)
        for journal, nom in ((ChangementDeStatut, "statut"), (PresenceAuPlan, "mouvement"))
    )
    return statuts.union(presences, all=True).order_by("date_effet", "pk")


@dataclass(frozen=True)
class Nouveaute:
    """Une ligne de journal, telle qu'on la dit en une phrase sur le tableau de bord."""

    action_id: int
    numero: int
    intitule: str
    date_effet: date
    phrase: str


_PHRASES: dict[str, str] = {
    **{statut.value: f"«\u00a0{statut.label}\u00a0»" for statut in Statut},
    "ECHEANCE": "échéance reportée",
    Mouvement.RETRAIT.value: "retirée du plan",
    Mouvement.RETOUR.value: "remise au plan",
}


def nouveautes(plan: Plan, depuis: date, le: date, combien: int) -> list[Nouveaute]:
    """Les derniers changements après `depuis` et jusqu'à `le`, en une requête : statuts, reports motivés, retraits."""
    reports = _lignes(ReportEcheance, plan, depuis, le).exclude(motif="").annotate(quoi=Value("ECHEANCE"))
    mouvements = _lignes(PresenceAuPlan, plan, depuis, le).exclude(mouvement=Mouvement.ENTREE)
    changements = _lignes(ChangementDeStatut, plan, depuis, le)
    colonnes = ("action_id", "action__numero", "action__intitule", "date_effet", "saisi_le", "pk", "quoi")
    union = (
        changements.annotate(quoi=Cast("statut", CharField()))
        .values(*colonnes)
        .union(
            reports.values(*colonnes),
            mouvements.annotate(quoi=Cast("mouvement", CharField())).values(*colonnes),
            all=True,
        )
    )
    return [
        Nouveaute(
            action_id=ligne["action_id"],
            numero=ligne["action__numero"],
            intitule=ligne["action__intitule"],
            date_effet=ligne["date_effet"],
            phrase=_PHRASES[ligne["quoi"]],
        )
        for ligne in union.order_by("-date_effet", "-saisi_le", "-pk")[:combien]
    ]


def _lignes(journal: Any, plan: Plan, depuis: date, le: date) -> QuerySet[Any]:
    """Les lignes de `journal` qui comptent, effectives après `depuis` et jusqu'à `le` ; un changement annulé aussitôt
    n'en laisse aucune."""
    lignes = journal.objects.all().en_vigueur(le).filter(action__plan=plan, date_effet__gt=depuis)
    return lignes.exclude(commentaire=ANNULE).order_by()  # l'union a son propre ordre
