"""Les années d'un plan, de la plus récente à la plus ancienne."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count

from actions.models import Plan
from actions.requetes import Decompte
from actions.situation import decomptes_aux
from bilans.cadre import Cadre, cadrer
from bilans.demande import Demande, fin_de_l_annee
from indicateurs.models import IndicateurDuPlan, ValeurAnnuelle


@dataclass(frozen=True)
class Annee:
    """Une année du plan. `decompte` None : rien n'était connu à sa fin. `finie` : faux pour l'année en cours.

    `reponses` : combien des `attendues` valeurs des indicateurs du plan sont renseignées, ou dites indisponibles.
    """

    annee: int
    le: date
    finie: bool
    decompte: Decompte | None
    reponses: int
    attendues: int

    @property
    def manquantes(self) -> int:
        return self.attendues - self.reponses


@dataclass(frozen=True)
class AnneesDuPlan:
    cadre: Cadre
    annees: list[Annee]


def annees_du_plan(demande: Demande) -> AnneesDuPlan | None:
    """None tant qu'il n'y a aucun plan. Le nombre de requêtes ne dépend pas du nombre d'années."""
    cadre = cadrer(demande)
    if cadre is None:
        return None
    fins = {annee: min(fin_de_l_annee(annee), cadre.le) for annee in cadre.annees if annee <= cadre.le.year}
    decomptes = decomptes_aux(cadre.plan, [fin for fin in fins.values() if cadre.debut and cadre.debut <= fin])
    reponses = _reponses_par_annee(cadre.plan)
    attendues = IndicateurDuPlan.objects.filter(plan=cadre.plan).count()
    return AnneesDuPlan(
        cadre,
        [
            Annee(annee, fin, fin == fin_de_l_annee(annee), decomptes.get(fin), reponses.get(annee, 0), attendues)
            for annee, fin in fins.items()
        ],
    )


def _reponses_par_annee(plan: Plan) -> dict[int, int]:
    """Par année, combien d'indicateurs du plan ont une valeur, ou sont dits indisponibles."""
    valeurs = ValeurAnnuelle.objects.qui_repondent().filter(indicateur__places__plan=plan)
    return dict(valeurs.order_by("annee").values_list("annee").annotate(Count("pk")))
