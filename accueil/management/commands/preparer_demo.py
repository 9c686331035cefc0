from django.core.management import call_command

from accueil.management.commands._demonstration import CommandeDeDemonstration
from actions.models import Action
from comptes.models import Collectivite, Service, Siren


class Command(CommandeDeDemonstration):
    help = (
        "Prépare un site de démonstration : le plan publié et un compte par rôle. "
        "Mot de passe : DEMO_MOT_DE_PASSE, sinon tiré au hasard et affiché."
    )

    COLLECTIVITE = "CA du Pays de l'Or"
    SYNTHETIQUE = False
    SERVICE_DE_L_AGENT = "Service de démonstration"

    def remplir(self, collectivite: Collectivite, service: Service, *, premiere_fois: bool) -> None:
        if premiere_fois:
            Siren.objects.create(collectivite=collectivite, numero="243400470")
        call_command("charger_plan", stdout=self.stdout)
        call_command("charger_territoires", verbosity=0, stdout=self.stdout)
        if premiere_fois:
            confier_les_actions(service)


def confier_les_actions(service: Service) -> None:
    """Donnée de démonstration, la seule du plan : sans service pilote, l'agent n'aurait rien à faire."""
    for action in Action.objects.filter(service_pilote__isnull=True):
        action.service_pilote = service
        action.save()
