"""À qui l'on demande des nouvelles d'une action, et à qui on ne peut pas les demander."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from comptes.droits import Droit, roles_qui_peuvent
from comptes.models import Utilisateur

if TYPE_CHECKING:
    from actions.models import Action


@dataclass(frozen=True)
class Part:
    """Ce qu'on demande à quelqu'un : ses actions, et celles qu'il supplée."""

    personne: Utilisateur
    siennes: "list[Action]" = field(default_factory=list)
    suppleees: "list[Action]" = field(default_factory=list)

    @property
    def nombre(self) -> int:
        return len(self.siennes) + len(self.suppleees)


@dataclass(frozen=True)
class Injoignable:
    """Quelqu'un dont on attendrait des nouvelles et à qui rien ne peut être écrit, ou qui ne pourrait pas répondre."""

    personne: Utilisateur
    raison: str
    actions: "list[Action]" = field(default_factory=list)


@dataclass(frozen=True)
class Repartition:
    """Des actions, réparties entre ceux à qui l'on écrit. `sans_personne` : ni pilote ni suppléant."""

    parts: list[Part]
    injoignables: list[Injoignable]
    sans_personne: "list[Action]"
    capables: frozenset[int]

    def attendu(self, action: "Action") -> Utilisateur | None:
        """Qui doit répondre : le ou la pilote, ou à défaut de pouvoir le ou la joindre, le ou la suppléant·e."""
        tenants = [personne for personne in (action.pilote, action.suppleant) if personne is not None]
        return next((p for p in tenants if self.peut_repondre(p)), tenants[0] if tenants else None)

    def peut_repondre(self, personne: Utilisateur) -> bool:
        return personne.joignable and personne.pk in self.capables


def repartir(actions: "Iterable[Action]") -> Repartition:
    """Chaque action à qui doit répondre, et à son ou sa suppléant·e : une absence ne doit pas laisser la demande sans
    lecteur. Une seule requête ; `actions` : lues avec leur pilote et leur suppléant·e."""
    peuvent = Utilisateur.objects.filter(is_active=True, groups__name__in=roles_qui_peuvent(Droit.METTRE_A_JOUR))
    repartition = Repartition([], [], [], frozenset(peuvent.values_list("pk", flat=True)))
    parts: dict[int, Part] = {}
    injoignables: dict[int, Injoignable] = {}
    for action in actions:
        attendu = repartition.attendu(action)
        if attendu is None:
            repartition.sans_personne.append(action)
            continue
        if repartition.peut_repondre(attendu):
            parts.setdefault(attendu.pk, Part(attendu)).siennes.append(action)
        else:
            injoignables.setdefault(attendu.pk, Injoignable(attendu, _raison(attendu))).actions.append(action)
        suppleant = action.suppleant
        if suppleant is not None and suppleant != attendu and repartition.peut_repondre(suppleant):
            parts.setdefault(suppleant.pk, Part(suppleant)).suppleees.append(action)
    repartition.parts.extend(sorted(parts.values(), key=lambda part: _nom(part.personne)))
    repartition.injoignables.extend(sorted(injoignables.values(), key=lambda sans: _nom(sans.personne)))
    return repartition


def _nom(personne: Utilisateur) -> tuple[str, str, int]:
    return personne.nom.casefold(), personne.prenom.casefold(), personne.pk


def _raison(personne: Utilisateur) -> str:
    if not personne.is_active:
        return "son compte est désactivé"
    if not personne.courriel:
        return "son compte n'a pas d'adresse de courriel"
    return "son rôle ne permet pas de mettre une action à jour"
