"""Le plan, ses axes, et la vie de toutes ses actions jouée dans l'ordre des saisies."""

import datetime

from accueil.demo_complet.calendrier import Calendrier, Chronique
from accueil.demo_complet.ecriture import enregistrer
from accueil.demo_complet.personnes import Equipe
from accueil.demo_complet.recits import AXES
from accueil.demo_complet.recits.recit import AxeRaconte, Recit
from accueil.demo_complet.vie import Decor, Vie
from actions.models import Action, Axe, Plan
from actions.plans import LabelDePlan
from partenaires.models import Partenaire

ADOPTION = datetime.date(2022, 1, 17)


def ouvrir(equipe: Equipe, calendrier: Calendrier) -> Plan:
    return enregistrer(
        Plan(
            intitule="Plan synthétique pour une commande publique responsable",
            slug="plan-synthetique",
            label=LabelDePlan.PLAN,
            description=(
                "Plan inventé, pour essayer le site comme après cinq ans d'usage : soixante actions, cinq axes, des "
                "reports, des retards et des décisions à prendre. Aucun de ses chiffres n'est vrai."
            ),
            annee_debut=2022,
            annee_fin=2026,
            affiche_avancement=True,
            publie=True,
        ),
        calendrier.saisie(ADOPTION),
        equipe.responsable,
    )


def vivre(
    plan: Plan,
    equipe: Equipe,
    partenaires: dict[str, Partenaire],
    calendrier: Calendrier,
    maintenant: datetime.datetime,
) -> dict[Recit, Action]:
    """Écrit la vie de chaque action. Rend celles qui sont entrées au plan, par leur récit."""
    decor = Decor(plan, equipe, partenaires, calendrier)
    chronique = Chronique()
    axes = {}
    for ordre, raconte in enumerate(AXES, start=1):
        axe = Axe(plan=plan, code=raconte.code, intitule=raconte.intitule, ordre=ordre)
        axes[raconte] = enregistrer(axe, calendrier.saisie(ADOPTION), equipe.responsable)
    vies = [
        Vie(recit, numero, raconte, axes[raconte], decor, chronique)
        for numero, (raconte, recit) in enumerate(_dans_l_ordre_d_entree(), start=1)
    ]
    for vie in vies:
        vie.raconter()
    chronique.jouer(maintenant)
    return {vie.recit: vie.action for vie in vies if vie.action is not None}


def _dans_l_ordre_d_entree() -> list[tuple[AxeRaconte, Recit]]:
    """Le rang suit les axes à l'adoption ; une action ajoutée plus tard prend le rang suivant."""
    tous = [(axe, recit) for axe in AXES for recit in axe.actions]
    return sorted(tous, key=lambda entree: entree[1].entree)
