from accueil.demo_complet import site
from accueil.management.commands._demonstration import CommandeDeDemonstration
from comptes.models import Collectivite, Service


class Command(CommandeDeDemonstration):
    help = (
        "Prépare un site de démonstration aux données synthétiques : un plan de soixante actions sur cinq ans, "
        "ses partenaires, ses indicateurs, et un compte par rôle. "
        "Mot de passe : DEMO_MOT_DE_PASSE, sinon tiré au hasard et affiché."
    )

    COLLECTIVITE = "Communauté d'agglomération fictive"
    SYNTHETIQUE = True
    SERVICE_DE_L_AGENT = site.SERVICE_DE_L_AGENT

    def remplir(self, collectivite: Collectivite, service: Service, *, premiere_fois: bool) -> None:
        if premiere_fois:
            site.ecrire()
        self.stdout.write("Données synthétiques : tout ce que ce site montre est inventé.")
