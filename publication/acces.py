"""Ce qui est public, et rien d'autre : la seule règle, que les pages, le fil, les fichiers et l'API interrogent.

Trois conditions : les pages publiques sont ouvertes (réglage PAGES_PUBLIQUES), le plan est publié, et ce qu'on montre
en est public (actions visibles, valeurs validées, bilans publiés). Tout manquement est le même 404 : il ne dit pas si
le plan existe.
"""

from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db.models import F, OuterRef, Prefetch, Q, Subquery
from django.utils import timezone

from actions.models import Action, ChangementDeStatut, PartenaireDeLAction, Plan
from actions.plans import PlanQuerySet
from actions.requetes import ActionQuerySet
from bilans.bilan import Bilan
from bilans.versions import VersionDeBilan
from bilans.visibilite import cles_visibles, montrable
from indicateurs.listes import Etat
from indicateurs.models import IndicateurDuPlan, ValeurAnnuelle
from indicateurs.valeurs import ValeurQuerySet
from partenaires.models import Partenaire, PartenaireQuerySet
from socle.erreurs import Introuvable
from socle.journal import JournalQuerySet

PHRASE = "Cette page n'existe pas, ou n'est pas publique."


def introuvable() -> Introuvable:
    """Le même refus pour tout ce qui n'est pas public, à lever."""
    return Introuvable(PHRASE)


def plans_publies() -> PlanQuerySet:
    """Les plans publiés, le plus récent d'abord ; aucun quand les pages publiques sont fermées."""
    plans = Plan.objects.du_plus_recent()
    return plans.filter(publie=True) if settings.PAGES_PUBLIQUES else plans.none()


def plan_publie(slug: str) -> Plan:
    """Lève Introuvable : plan inconnu, pas publié, ou pages fermées."""
    plan = plans_publies().filter(slug=slug).first()
    if plan is None:
        raise introuvable()
    return plan


# --- Le plan aujourd'hui --------------------------------------------------------------------------


def actions_publiques(plan: Plan, le: date | None = None) -> ActionQuerySet:
    """Les actions visibles, au plan aujourd'hui (ou à cette date), dans l'ordre du plan ; statut dans `etat_statut`.

    Ne montrer que le numéro, l'intitulé, la description, l'axe, le statut, l'avancement si le plan l'affiche, et
    `partenaires_publics` : le reste d'une action (échéance, pilote, priorité, budget…) n'est pas public.
    """
    return (
        plan.actions.filter(visible_du_public=True)
        .etat_au(le)
        .au_plan()
        .select_related("axe")
        .prefetch_related(_participations())
        .order_by("numero")
    )


def _participations() -> Prefetch:
    lignes = PartenaireDeLAction.objects.select_related("partenaire").order_by("pk")
    return Prefetch("participations", queryset=lignes, to_attr="participations_publiques")


def partenaires_de(action: Action) -> list[Partenaire]:
    """Les partenaires d'une action lue par `actions_publiques`, sans requête ; leur rôle n'est pas public."""
    participations: list[PartenaireDeLAction] = vars(action)["participations_publiques"]
    return [participation.partenaire for participation in participations]


def statuts_publics(plan: Plan) -> JournalQuerySet:
    """Le journal des statuts des actions visibles, sans commentaire ni auteur à montrer. Une ligne dit aussi un
    avancement : si le plan ne l'affiche pas, ne garder que `CHANGE_DE_STATUT`."""
    visibles = actions_publiques(plan).order_by().values("pk")
    return ChangementDeStatut.jour_par_jour(timezone.localdate()).filter(action__in=visibles)


def partenaires_publics(plan: Plan) -> PartenaireQuerySet:
    """Ceux du plan dans son ordre, puis ceux que ses actions visibles nomment de plus. Sont publics : nom, sigle,
    type, site, adresse de la page (`slug`) ; ni description, ni contact, ni autres noms."""
    visibles = actions_publiques(plan).order_by().values("pk")
    par_une_action = PartenaireDeLAction.objects.filter(action__in=visibles).values("partenaire")
    citation = plan.citations.filter(partenaire=OuterRef("pk"))
    return (
        Partenaire.objects.annotate(rang_au_plan=Subquery(citation.values("ordre")[:1]))
        .filter(Q(rang_au_plan__isnull=False) | Q(pk__in=par_une_action))
        .order_by(F("rang_au_plan").asc(nulls_last=True), "nom", "pk")
    )


def indicateurs_publics(plan: Plan):
    """Les places des indicateurs du plan, dans son ordre, chacune avec son indicateur."""
    return IndicateurDuPlan.objects.filter(plan=plan).select_related("indicateur").order_by("ordre", "pk")


def valeurs_publiques(plan: Plan) -> ValeurQuerySet:
    """Les valeurs validées des indicateurs du plan, avec leur chiffre (`valeur_retenue`), par indicateur puis année.
    Une valeur provisoire n'est pas publique."""
    return (
        ValeurAnnuelle.objects.filter(indicateur__places__plan=plan, etat=Etat.VALIDEE)
        .avec_valeur()
        .select_related("indicateur")
        .order_by("indicateur", "annee")
    )


# --- Les bilans -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class BilanPublic:
    """Un bilan publié et la version que le public en voit."""

    bilan: Bilan
    version: VersionDeBilan

    @property
    def annee(self) -> int:
        return self.bilan.annee


def bilans_publies(plan: Plan) -> list[BilanPublic]:
    """Les bilans publiés et montrables du plan, le plus récent d'abord. Une version qui montre une action qui n'est
    plus visible du public est retenue : elle n'y est pas."""
    bilans = list(
        Bilan.objects.filter(plan=plan, version_publiee__isnull=False)
        .select_related("version_publiee")
        .defer("version_publiee__contenu_interne")
        .order_by("-annee")
    )
    visibles = cles_visibles(plan) if bilans else frozenset()
    return [
        BilanPublic(bilan, bilan.version_publiee)
        for bilan in bilans
        if bilan.version_publiee is not None and montrable(bilan.version_publiee, visibles)
    ]


def bilan_publie(plan: Plan, annee: int) -> BilanPublic:
    """Lève Introuvable : pas de bilan, pas publié, ou version retenue."""
    bilan = (
        Bilan.objects.filter(plan=plan, annee=annee, version_publiee__isnull=False)
        .select_related("version_publiee")
        .defer("version_publiee__contenu_interne")
        .first()
    )
    if bilan is None or bilan.version_publiee is None or not montrable(bilan.version_publiee, cles_visibles(plan)):
        raise introuvable()
    return BilanPublic(bilan, bilan.version_publiee)
