"""Les services et les pilotes : des noms courants, des adresses en « .example » qui n'existent pas."""

from dataclasses import dataclass

from comptes.droits import Role
from comptes.models import Service, Utilisateur

# Sigle → nom.
SERVICES = {
    "DCP": "Commande publique",
    "DEI": "Emploi et insertion",
    "DTE": "Transition écologique",
    "DBEP": "Bâtiments et espaces publics",
    "DSI": "Systèmes d'information",
    "DMG": "Moyens généraux",
}
SERVICE_DE_L_AGENT = "Moyens généraux"
# Identifiant → prénom, nom, service.
PILOTES = {
    "c.bernard": ("Camille", "Bernard", "DCP"),
    "d.petit": ("Dominique", "Petit", "DCP"),
    "c.moreau": ("Claude", "Moreau", "DCP"),
    "s.laurent": ("Sacha", "Laurent", "DEI"),
    "a.simon": ("Andréa", "Simon", "DEI"),
    "m.michel": ("Maxime", "Michel", "DTE"),
    "n.lefebvre": ("Noa", "Lefebvre", "DBEP"),
    "c.garcia": ("Charlie", "Garcia", "DBEP"),
    "l.roux": ("Lou", "Roux", "DSI"),
    "a.fournier": ("Alix", "Fournier", "DMG"),
}


@dataclass(frozen=True)
class Equipe:
    """Services par sigle, comptes par identifiant, et qui pilote dans chaque service."""

    services: dict[str, Service]
    comptes: dict[str, Utilisateur]
    pilotes: dict[str, list[Utilisateur]]

    @property
    def responsable(self) -> Utilisateur:
        return self.comptes["responsable"]


def reunir() -> Equipe:
    """Crée les services et les pilotes. Les comptes de la démonstration et le service de l'agent y sont déjà."""
    services = {}
    for sigle, nom in SERVICES.items():
        service = Service.objects.filter(nom=nom).first() or Service(nom=nom)
        service.sigle = sigle
        service.full_clean()
        service.save()
        services[sigle] = service
    pilotes: dict[str, list[Utilisateur]] = {sigle: [] for sigle in services}
    for identifiant, (prenom, nom, sigle) in PILOTES.items():
        # Sans mot de passe : un compte qu'on ne peut pas ouvrir, mais à qui l'on peut confier une action.
        pilote = Utilisateur.objects.create_user(
            identifiant,
            role=Role.AGENT,
            prenom=prenom,
            nom=nom,
            service=services[sigle],
            courriel=f"{identifiant}@agglomeration-fictive.example",
        )
        pilotes[sigle].append(pilote)
    return Equipe(services, {compte.username: compte for compte in Utilisateur.objects.all()}, pilotes)
