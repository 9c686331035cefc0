"""Les questions que les pages posent aux indicateurs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from actions.models import Plan
from indicateurs.models import Indicateur, IndicateurDuPlan, ValeurAnnuelle


@dataclass(frozen=True)
class ChiffreCle:
    """Un chiffre à montrer en grand. `valeur` None : rien de connu, à dire « — », jamais 0."""

    indicateur: Indicateur
    valeur: ValeurAnnuelle | None


def chiffres_cles(plan: Plan, *, annee: int | None = None, au: date | None = None) -> list[ChiffreCle]:
    """Les chiffres clés du plan, dans son ordre : ceux de `annee`, sinon les derniers connus (à la date `au`)."""
    places = list(IndicateurDuPlan.objects.chiffres_cles().filter(plan=plan).select_related("indicateur"))
    valeurs = ValeurAnnuelle.objects.avec_valeur().filter(indicateur__in=[place.indicateur_id for place in places])
    if annee is not None:
        valeurs = valeurs.filter(annee=annee)
    if au is not None:
        valeurs = valeurs.connues_au(au).filter(annee__lte=au.year)
    retenues = {valeur.indicateur_id: valeur for valeur in valeurs.select_related("indicateur").order_by("annee")}
    return [ChiffreCle(place.indicateur, retenues.get(place.indicateur_id)) for place in places]


def poser_la_derniere_valeur(indicateurs: Sequence[Indicateur]) -> None:
    """Pose `derniere` (la dernière valeur qui porte un chiffre, ou None) sur chaque indicateur, en une requête."""
    valeurs = ValeurAnnuelle.objects.avec_valeur().renseignees().filter(indicateur__in=indicateurs)
    par_indicateur = {
        valeur.indicateur_id: valeur for valeur in valeurs.select_related("indicateur").order_by("annee")
    }
    for indicateur in indicateurs:
        indicateur.derniere = par_indicateur.get(indicateur.pk)
