import os
import secrets

from django.contrib.auth.models import Group
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from actions.models import Action, Plan
from comptes.droits import Role
from comptes.models import Collectivite, Service, Siren, Utilisateur
from indicateurs.models import Indicateur
from partenaires.models import Partenaire

SERVICE = "Service de démonstration"
TABLES_D_UN_VRAI_SITE = (Collectivite, Service, Utilisateur, Partenaire, Plan, Indicateur)
COMPTES = {
    "lecteur": Role.LECTEUR,
    "agent": Role.AGENT,
    "responsable": Role.RESPONSABLE,
    "admin": Role.ADMINISTRATEUR,
}


class Command(BaseCommand):
    help = (
        "Prépare un site de démonstration : le plan publié et un compte par rôle. "
        "Mot de passe : DEMO_MOT_DE_PASSE, sinon tiré au hasard et affiché."
    )

    def handle(self, *args, **options) -> None:
        mot_de_passe = os.environ.get("DEMO_MOT_DE_PASSE") or secrets.token_urlsafe(12)
        with transaction.atomic():
            self.refuser_un_vrai_site()
            premiere_fois = self.installer_la_collectivite()
            call_command("charger_plan", stdout=self.stdout)
            service, _ = Service.objects.get_or_create(nom=SERVICE)
            if premiere_fois:
                confier_les_actions(service)
            for identifiant, role in COMPTES.items():
                preparer_compte(identifiant, role, service, mot_de_passe)
        self.stdout.write(f"Comptes : {', '.join(COMPTES)} — mot de passe : {mot_de_passe}")

    @staticmethod
    def refuser_un_vrai_site() -> None:
        """Jamais de comptes au mot de passe affiché sur une base qui sert."""
        if Collectivite.objects.filter(demo=True).exists():
            return
        if any(modele.objects.exists() for modele in TABLES_D_UN_VRAI_SITE):
            raise CommandError("Cette base n'est pas celle d'une démonstration et n'est pas vide : rien n'a été fait.")

    @staticmethod
    def installer_la_collectivite() -> bool:
        """Vrai si elle vient d'être créée."""
        collectivite, creee = Collectivite.objects.get_or_create(
            pk=1, defaults={"nom": "CA du Pays de l'Or", "demo": True}
        )
        if creee:
            Siren.objects.create(collectivite=collectivite, numero="243400470")
        return creee


def confier_les_actions(service: Service) -> None:
    """Donnée de démonstration, la seule du plan : sans service pilote, l'agent n'aurait rien à faire."""
    for action in Action.objects.filter(service_pilote__isnull=True):
        action.service_pilote = service
        action.save()


def preparer_compte(identifiant: str, role: Role, service: Service, mot_de_passe: str) -> None:
    compte, _ = Utilisateur.objects.get_or_create(
        username=identifiant, defaults={"service": service if role is Role.AGENT else None}
    )
    compte.set_password(mot_de_passe)
    compte.is_active = True
    compte.save()
    compte.groups.set([Group.objects.get(name=role)])
