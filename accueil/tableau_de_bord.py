"""Assemblage du tableau de bord : des décomptes et des listes courtes, jamais un calcul métier."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Min
from django.utils import timezone

from accueil.demande import Demande
from actions.graphiques import graphique_avancement
from actions.models import Action, ChangementDeStatut, Plan
from actions.requetes import Decompte
from actions.statuts import Statut
from indicateurs.models import ValeurAnnuelle
from indicateurs.requetes import ChiffreCle, chiffres_cles
from partenaires.models import Partenaire
from socle.erreurs import Introuvable
from socle.graphiques import Graphique

ACTIONS_PAR_COLONNE = 25


@dataclass(frozen=True)
class Colonne:
    """Les premières actions d'un statut, et combien il y en a en tout."""

    statut: Statut
    nombre: int
    actions: list[Action]

    @property
    def reste(self) -> int:
        return self.nombre - len(self.actions)


@dataclass(frozen=True)
class TableauDeBord:
    """Tout ce que la page montre. `jour` None = aujourd'hui."""

    plan: Plan
    plans: list[Plan]
    jour: date | None
    annee: int | None
    annees: list[int]
    debut_du_journal: date | None
    decompte: Decompte
    graphique: Graphique
    chiffres: list[ChiffreCle]
    colonnes: list[Colonne]
    partenaires: list[Partenaire]

    @property
    def date_affichee(self) -> date:
        return self.jour or timezone.localdate()


def assembler(demande: Demande) -> TableauDeBord | None:
    """None tant qu'il n'y a aucun plan. Lève Introuvable pour une année hors de ce que la base connaît."""
    plan = demande.plan
    if plan is None:
        return None
    debut = _debut_du_journal(plan)
    annees = _annees_connues(plan, debut)
    if demande.annee is not None and demande.annee not in annees:
        raise Introuvable(f"Rien n'est connu pour l'année {demande.annee}.")
    actions = plan.actions.etat_au(demande.jour).order_by("numero")
    decompte = actions.decompte()
    return TableauDeBord(
        plan=plan,
        plans=list(Plan.objects.all()),
        jour=demande.jour,
        annee=demande.annee,
        annees=annees,
        debut_du_journal=debut,
        decompte=decompte,
        graphique=graphique_avancement(decompte, demande.jour or timezone.localdate()),
        chiffres=chiffres_cles(plan, annee=demande.annee, au=demande.au),
        colonnes=[
            Colonne(statut, nombre, list(actions.au_plan().de_statut(statut)[:ACTIONS_PAR_COLONNE]))
            for statut, nombre in decompte.par_statut().items()
        ],
        # Par les citations : un partenaire cité par deux plans n'y est qu'une fois, à la place que ce plan lui donne.
        partenaires=[citation.partenaire for citation in plan.citations.select_related("partenaire")],
    )


def _debut_du_journal(plan: Plan) -> date | None:
    """Avant cette date, aucun statut du plan n'est connu."""
    return ChangementDeStatut.objects.filter(action__plan=plan).aggregate(le=Min("date_effet"))["le"]


def _annees_connues(plan: Plan, debut: date | None) -> list[int]:
    """De la première année qui dit quelque chose (plan, journal, valeur) à cette année, la plus récente d'abord."""
    premiere_valeur = ValeurAnnuelle.objects.filter(indicateur__places__plan=plan).aggregate(a=Min("annee"))["a"]
    connues = [annee for annee in (plan.annee_debut, debut and debut.year, premiere_valeur) if annee]
    cette_annee = timezone.localdate().year
    return list(range(cette_annee, min(connues, default=cette_annee) - 1, -1))
