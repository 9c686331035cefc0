"""Quand ce qui est public d'un plan a changé pour la dernière fois, table par table."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import DateTimeField, QuerySet, Subquery

from actions.models import Action, Axe, ChangementDeStatut, PartenaireDeLAction, PartenaireDuPlan, Plan, PresenceAuPlan
from indicateurs.listes import Etat
from indicateurs.models import Indicateur, IndicateurDuPlan, ValeurAnnuelle
from partenaires.models import Partenaire
from publication.acces import partenaires_publics


def _fiches(plan: Plan) -> QuerySet:
    """L'historique des actions du plan qui sont, ou ont été, visibles : en cacher une change aussi les fichiers."""
    fiches = Action.history.model.objects.filter(plan=plan)
    return fiches.filter(id__in=fiches.filter(visible_du_public=True).values("id"))


def _du_journal(journal: type[ChangementDeStatut] | type[PresenceAuPlan]) -> Callable[[Plan], QuerySet]:
    return lambda plan: journal.objects.filter(action__in=plan.actions.filter(visible_du_public=True).values("pk"))


def _participations(plan: Plan) -> QuerySet:
    visibles = plan.actions.filter(visible_du_public=True).values("pk")
    return PartenaireDeLAction.history.model.objects.filter(action__in=visibles)


def _indicateurs(plan: Plan) -> QuerySet:
    return Indicateur.history.model.objects.filter(id__in=plan.places_d_indicateur.values("indicateur"))


def _valeurs(plan: Plan) -> QuerySet:
    """Celles qui sont, ou ont été, validées : une valeur qui redevient provisoire quitte les fichiers."""
    valeurs = ValeurAnnuelle.history.model.objects.filter(indicateur__in=plan.places_d_indicateur.values("indicateur"))
    return valeurs.filter(id__in=valeurs.filter(etat=Etat.VALIDEE).values("id"))


def _denominateurs(plan: Plan) -> QuerySet:
    """Celles, du plan ou non, validées ou non, d'où une part du plan se déduit : elle change avec elles."""
    denominateurs = Indicateur.objects.filter(places__plan=plan, denominateur__isnull=False).values("denominateur")
    return ValeurAnnuelle.history.model.objects.filter(indicateur__in=denominateurs)


def _partenaires(plan: Plan) -> QuerySet:
    return Partenaire.history.model.objects.filter(id__in=partenaires_publics(plan).order_by().values("pk"))


# Ce dont une table dépend : la requête de ce qui en garde trace, et le champ qui dit quand.
Source = tuple[Callable[[Plan], QuerySet], str]

FICHES: Source = (_fiches, "history_date")
STATUTS: Source = (_du_journal(ChangementDeStatut), "saisi_le")
PRESENCES: Source = (_du_journal(PresenceAuPlan), "saisi_le")
AXES: Source = (lambda plan: Axe.history.model.objects.filter(plan=plan), "history_date")
INDICATEURS: Source = (_indicateurs, "history_date")
PLACES: Source = (lambda plan: IndicateurDuPlan.history.model.objects.filter(plan=plan), "history_date")
VALEURS: Source = (_valeurs, "history_date")
DENOMINATEURS: Source = (_denominateurs, "history_date")
PARTENAIRES: Source = (_partenaires, "history_date")
CITATIONS: Source = (lambda plan: PartenaireDuPlan.history.model.objects.filter(plan=plan), "history_date")
PARTICIPATIONS: Source = (_participations, "history_date")

SOURCES: dict[str, tuple[Source, ...]] = {
    "actions": (FICHES, STATUTS, PRESENCES, AXES),
    "statuts": (FICHES, STATUTS, PRESENCES),
    "indicateurs": (INDICATEURS, PLACES),
    "valeurs": (VALEURS, DENOMINATEURS, INDICATEURS, PLACES),
    "partenaires": (PARTENAIRES, CITATIONS, FICHES, PARTICIPATIONS),
    "actions_partenaires": (PARTICIPATIONS, FICHES, PRESENCES),
}


def mises_a_jour(plan: Plan) -> dict[str, datetime | None]:
    """Par table, le moment de son dernier changement ; None si rien n'en garde trace. Une requête."""
    distinctes = dict.fromkeys(source for sources in SOURCES.values() for source in sources)
    noms = {source: f"moment_{rang}" for rang, source in enumerate(distinctes)}
    colonnes: dict[str, Any] = {
        nom: Subquery(requete(plan).order_by(f"-{champ}").values(champ)[:1], output_field=DateTimeField())
        for (requete, champ), nom in noms.items()
    }
    moments = Plan.objects.filter(pk=plan.pk).annotate(**colonnes).values(*colonnes).get()
    return {
        table: max((moments[noms[source]] for source in sources if moments[noms[source]]), default=None)
        for table, sources in SOURCES.items()
    }
