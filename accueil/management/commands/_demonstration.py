"""Ce que les deux démonstrations partagent : le refus d'une base qui sert, et un compte par rôle."""

import os
import secrets
from typing import ClassVar

from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from actions.models import Plan
from comptes.droits import Role
from comptes.models import Collectivite, Service, Utilisateur
from indicateurs.models import Indicateur
from partenaires.models import Partenaire

TABLES_D_UN_VRAI_SITE = (Collectivite, Service, Utilisateur, Partenaire, Plan, Indicateur)
COMPTES = {
    "lecteur": Role.LECTEUR,
    "agent": Role.AGENT,
    "responsable": Role.RESPONSABLE,
    "admin": Role.ADMINISTRATEUR,
}


class CommandeDeDemonstration(BaseCommand):
    """Prépare un site à essayer ; relancée sur la même base, elle ne fait que remettre les comptes.

    Chaque démonstration dit sa collectivité, le service de l'agent, et de quoi elle remplit le site.
    """

    COLLECTIVITE: ClassVar[str]
    SYNTHETIQUE: ClassVar[bool]
    SERVICE_DE_L_AGENT: ClassVar[str]

    def handle(self, *args, **options) -> None:
        mot_de_passe = os.environ.get("DEMO_MOT_DE_PASSE") or secrets.token_urlsafe(12)
        with transaction.atomic():
            self.refuser_un_vrai_site()
            collectivite, premiere_fois = Collectivite.objects.get_or_create(
                pk=1,
                defaults={"nom": self.COLLECTIVITE, "demo": True, "donnees_synthetiques": self.SYNTHETIQUE},
            )
            service, _ = Service.objects.get_or_create(nom=self.SERVICE_DE_L_AGENT)
            for identifiant, role in COMPTES.items():
                preparer_compte(identifiant, role, service, mot_de_passe)
            self.remplir(collectivite, service, premiere_fois=premiere_fois)
        self.stdout.write(f"Comptes : {', '.join(COMPTES)} — mot de passe : {mot_de_passe}")

    def refuser_un_vrai_site(self) -> None:
        """Jamais de comptes au mot de passe affiché sur une base qui sert, ni d'inventions mêlées au plan publié."""
        if Collectivite.objects.filter(demo=True, donnees_synthetiques=self.SYNTHETIQUE).exists():
            return
        if any(modele.objects.exists() for modele in TABLES_D_UN_VRAI_SITE):
            raise CommandError("Cette base n'est pas celle de cette démonstration, ni vide : rien n'a été fait.")

    def remplir(self, collectivite: Collectivite, service: Service, *, premiere_fois: bool) -> None:
        """Écrit le contenu du site. `service` : celui de l'agent. Appelée dans la transaction, comptes prêts."""
        raise NotImplementedError


def preparer_compte(identifiant: str, role: Role, service: Service, mot_de_passe: str) -> None:
    compte, _ = Utilisateur.objects.get_or_create(
        username=identifiant,
        defaults={
            "service": service if role is Role.AGENT else None,
            # « .example » est réservé : un courriel de la démonstration n'arrive chez personne.
            "courriel": f"{identifiant}@demonstration.example",
        },
    )
    compte.set_password(mot_de_passe)
    compte.is_active = True
    compte.save()
    compte.groups.set([Group.objects.get(name=role)])
