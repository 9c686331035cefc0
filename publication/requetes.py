"""Les requêtes des tables publiques, sur celles de `publication.acces`, et ce qui se déduit d'une de leurs lignes."""

from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.utils import timezone

from actions.journaux import CHANGE_DE_STATUT
from actions.models import ChangementDeStatut, PartenaireDeLAction, Plan
from indicateurs.models import IndicateurDuPlan, ValeurAnnuelle
from publication.acces import (
    actions_publiques,
    indicateurs_publics,
    partenaires_publics,
    statuts_publics,
    valeurs_publiques,
)
from publication.colonnes import Lecture, nombre

# Une part se déduit de deux nombres : le quotient s'écrit à six décimales, arrondi au plus proche.
MILLIONIEME = Decimal("0.000001")


def actions(plan: Plan) -> QuerySet:
    return actions_publiques(plan).annotate(statut_depuis=ChangementDeStatut.pris_le(timezone.localdate()))


def statuts(plan: Plan) -> QuerySet:
    lignes = statuts_publics(plan).order_by("action__numero", "date_effet")
    return lignes if plan.affiche_avancement else lignes.filter(CHANGE_DE_STATUT)


def indicateurs(plan: Plan) -> QuerySet:
    denominateur = IndicateurDuPlan.objects.filter(plan=plan, indicateur=OuterRef("indicateur__denominateur"))
    return indicateurs_publics(plan).annotate(
        # Un dénominateur hors du plan n'est pas public : le nommer en dirait trop.
        denominateur_public=Subquery(denominateur.values("indicateur")[:1])
    )


def valeurs(plan: Plan) -> QuerySet:
    return valeurs_publiques(plan).order_by("indicateur_id", "annee")


def partenaires(plan: Plan) -> QuerySet:
    return partenaires_publics(plan).annotate(
        du_plan=Exists(plan.citations.filter(partenaire=OuterRef("pk"))),
    )


def participations(plan: Plan) -> QuerySet:
    visibles = actions_publiques(plan).order_by().values("pk")
    return PartenaireDeLAction.objects.filter(action__in=visibles).order_by("action__numero", "pk")


# --- Comment une colonne se lit -------------------------------------------------------------------


def de_l_axe(champ: str) -> Lecture:
    return lambda action, plan: getattr(action.axe, champ) if action.axe else None


def avancement_publie(champ: str) -> Lecture:
    """Public quand le plan l'affiche."""
    return lambda objet, plan: getattr(objet, champ) if plan.affiche_avancement else None


def valeur_retenue(valeur: ValeurAnnuelle, plan: Plan) -> Decimal | None:
    """La valeur, sinon la part qui se déduit ; refaite en décimal, pour être la même sur les deux moteurs de base."""
    if valeur.numerateur is None:
        return nombre(valeur.valeur)
    if not valeur.denominateur_retenu:
        return None
    part = 100 * valeur.numerateur / valeur.denominateur_retenu
    return nombre(part.quantize(MILLIONIEME, rounding=ROUND_HALF_UP))


def denominateur_retenu(valeur: ValeurAnnuelle, plan: Plan) -> Decimal | None:
    return None if valeur.numerateur is None else nombre(valeur.denominateur_retenu)
