"""Qui peut quoi : une seule table, lue par les pages, l'administration et les commandes.

Un utilisateur peut avoir plusieurs rôles : la portée la plus large l'emporte.
"""

from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Protocol, cast

from django.core.exceptions import PermissionDenied
from django.db import models

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from comptes.models import Utilisateur


class Role(models.TextChoices):
    """Rôles ; la valeur est le nom du groupe."""

    LECTEUR = "lecteur", "Consultation"
    AGENT = "agent", "Contributeur"
    RESPONSABLE = "responsable", "Responsable du plan"
    ADMINISTRATEUR = "administrateur", "Administrateur"


class Portee(IntEnum):
    """Sur quoi porte un droit : rien, ce qui relève de l'utilisateur ou de son service, tout."""

    RIEN = 0
    SIENS = 1
    TOUT = 2


class Droit(Enum):
    """Gestes soumis à un droit."""

    CONSULTER = "consulter le plan, ses indicateurs et ses partenaires"
    METTRE_A_JOUR = "mettre cette action à jour"
    MODIFIER_LE_PLAN = "créer, retirer ou décrire une action"
    MODIFIER_EN_NOMBRE = "changer plusieurs actions à la fois"
    IMPORTER = "importer un classeur, dupliquer un plan, retenir une valeur"
    SAISIR_UNE_DONNEE = "saisir une consultation ou une valeur"
    VALIDER = "valider une valeur, arrêter et publier un bilan"
    TENIR_LES_REFERENTIELS = "tenir les partenaires, conventions, indicateurs et objectifs"
    ADMINISTRER = "tout administrer"


class ObjetSuivi(Protocol):
    """Ce qui peut relever d'un utilisateur : une action, la valeur d'un service…"""

    def releve_de(self, utilisateur: "Utilisateur") -> bool: ...


_TABLE: dict[Droit, dict[Role, Portee]] = {
    Droit.CONSULTER: dict.fromkeys(Role, Portee.TOUT),
    Droit.METTRE_A_JOUR: {
        Role.AGENT: Portee.SIENS,
        Role.RESPONSABLE: Portee.TOUT,
        Role.ADMINISTRATEUR: Portee.TOUT,
    },
    Droit.MODIFIER_LE_PLAN: {Role.RESPONSABLE: Portee.TOUT, Role.ADMINISTRATEUR: Portee.TOUT},
    Droit.MODIFIER_EN_NOMBRE: {
        Role.AGENT: Portee.SIENS,
        Role.RESPONSABLE: Portee.TOUT,
        Role.ADMINISTRATEUR: Portee.TOUT,
    },
    Droit.IMPORTER: {Role.RESPONSABLE: Portee.TOUT, Role.ADMINISTRATEUR: Portee.TOUT},
    Droit.SAISIR_UNE_DONNEE: {
        Role.AGENT: Portee.SIENS,
        Role.RESPONSABLE: Portee.TOUT,
        Role.ADMINISTRATEUR: Portee.TOUT,
    },
    Droit.VALIDER: {Role.RESPONSABLE: Portee.TOUT, Role.ADMINISTRATEUR: Portee.TOUT},
    Droit.TENIR_LES_REFERENTIELS: {Role.RESPONSABLE: Portee.TOUT, Role.ADMINISTRATEUR: Portee.TOUT},
    Droit.ADMINISTRER: {Role.ADMINISTRATEUR: Portee.TOUT},
}


def roles_qui_peuvent(droit: Droit) -> list[Role]:
    """Les rôles qui ont ce droit sur au moins un objet : de quoi chercher, en SQL, les comptes qui peuvent agir."""
    return [role for role, etendue in _TABLE[droit].items() if etendue is not Portee.RIEN]


def portee(utilisateur: "Utilisateur | AnonymousUser", droit: Droit) -> Portee:
    """La portée la plus large que ses rôles donnent à l'utilisateur ; RIEN s'il est inactif ou inconnu."""
    if not (utilisateur.is_authenticated and utilisateur.is_active):
        return Portee.RIEN
    return max((_TABLE[droit].get(role, Portee.RIEN) for role in utilisateur.roles), default=Portee.RIEN)


def peut(utilisateur: "Utilisateur | AnonymousUser", droit: Droit, objet: ObjetSuivi | None = None) -> bool:
    """Vrai si l'utilisateur a ce droit — sur `objet` s'il est donné, sinon sur au moins un objet."""
    etendue = portee(utilisateur, droit)
    if etendue is Portee.SIENS and objet is not None:
        return objet.releve_de(cast("Utilisateur", utilisateur))
    return etendue is not Portee.RIEN


def exiger(utilisateur: "Utilisateur | AnonymousUser", droit: Droit, objet: ObjetSuivi | None = None) -> None:
    """Lève PermissionDenied, avec une phrase qui nomme le geste refusé, si le droit manque."""
    if not peut(utilisateur, droit, objet):
        raise PermissionDenied(f"Votre rôle ne permet pas de {droit.value}.")
