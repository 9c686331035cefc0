"""Le site synthétique, dans l'ordre où il se remplit."""

from django.utils import timezone

from accueil.demo_complet import bilans, indicateurs, partenaires, plan
from accueil.demo_complet.calendrier import Calendrier, Chronique
from accueil.demo_complet.collecte import collecter
from accueil.demo_complet.personnes import SERVICE_DE_L_AGENT, reunir
from accueil.demo_complet.pilotage import Pilotage
from accueil.demo_complet.registres.tenue import tenir
from accueil.demo_complet.registres.territoires import decrire
from accueil.demo_complet.suivi import Suivi

__all__ = ["SERVICE_DE_L_AGENT", "ecrire"]


def ecrire() -> None:
    """Remplit un site où il n'y a que la collectivité, les comptes de la démonstration et le service de l'agent.

    L'horloge ne sert qu'à omettre ce qui, sur cette machine, serait encore à venir.
    """
    maintenant = timezone.now()
    calendrier = Calendrier()
    equipe = reunir()
    le_plan = plan.ouvrir(equipe, calendrier)
    par_sigle = partenaires.presenter(le_plan, calendrier, equipe.responsable)
    actions = plan.vivre(le_plan, equipe, par_sigle, calendrier, maintenant)
    decrire(equipe, Calendrier())
    indicateurs.mesurer(le_plan, equipe, actions, calendrier, maintenant)
    # En dernier : un tirage de plus ici ne change rien à ce qui précède.
    chronique = Chronique()
    Suivi(actions, equipe, calendrier, chronique).inscrire()
    Pilotage(le_plan, actions, equipe, calendrier, chronique).inscrire()
    chronique.jouer(maintenant)
    collecter(le_plan, equipe, calendrier, maintenant)
    tenir(equipe, maintenant)
    bilans.dresser(le_plan, equipe, calendrier, maintenant)
