"""Confier d'un geste les actions de quelqu'un à quelqu'un d'autre : il part, ou il est absent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone

from actions.en_nombre import Demande
from actions.models import Action
from actions.statuts import Statut
from comptes.courriels import Courriel
from comptes.envoi import envoyer_des_que_possible
from comptes.gestes import Lot
from comptes.models import Utilisateur

GABARIT = "courriels/reaffectation"


class Geste(models.TextChoices):
    """`DEPART` : un autre prend sa place. `ABSENCE` : un autre le supplée, il reste pilote."""

    DEPART = "depart", "Il ou elle part : le nouveau ou la nouvelle pilote prend sa place"
    ABSENCE = "absence", "Absence : un·e suppléant·e agit à sa place, le ou la pilote reste"


def ceux_qui_pilotent(*aussi: int) -> QuerySet[Utilisateur]:
    """Les comptes, actifs ou non, qui pilotent ou suppléent au moins une action ; `aussi` : ceux-là de toute façon."""
    cites = Q(pk__in=Action.objects.order_by().values("pilote")) | Q(
        pk__in=Action.objects.order_by().values("suppleant")
    )
    return Utilisateur.objects.filter(cites | Q(pk__in=aussi))


def actions_de(ancien: Utilisateur, geste: str, *, toutes: bool = False) -> QuerySet[Action]:
    """Ses actions au plan aujourd'hui, sans les terminées ; `toutes` : avec elles. L'absence d'un suppléant ne se
    supplée pas : seules comptent alors celles qu'il pilote."""
    siennes = Q(pilote=ancien) if geste == Geste.ABSENCE else Q(pilote=ancien) | Q(suppleant=ancien)
    actions = Action.objects.filter(siennes).etat_au().au_plan()
    if not toutes:
        # NULL n'est pas « terminée » : un statut inconnu reste à mener.
        actions = actions.filter(Q(statut__isnull=True) | ~Q(statut=Statut.TERMINEE))
    return actions.order_by("plan_id", "numero")


@dataclass(frozen=True, kw_only=True)
class Reaffectation(Demande):
    """Une demande en nombre dont la valeur dépend de la place que l'ancien a dans chaque action."""

    ancien: Utilisateur
    nouveau: Utilisateur
    geste: str
    auteur: Utilisateur
    valeurs: Mapping[str, Any] = field(default_factory=dict)
    date_effet: date = field(default_factory=timezone.localdate)

    @property
    def en_clair(self) -> str:
        if self.geste == Geste.ABSENCE:
            return f"{self.nouveau} supplée {self.ancien}"
        return f"{self.nouveau} prend la place de {self.ancien}"

    @property
    def intitule(self) -> str:
        return f"Réaffectation — {self.en_clair}"[:200]

    def valeurs_pour(self, action: Action) -> Mapping[str, Any]:
        """Il part : le nouveau prend sa place, pilote ou suppléant ; s'il tenait déjà l'autre, une seule reste."""
        if action.pilote == self.ancien:
            if self.geste == Geste.ABSENCE:
                return {"suppleant": self.nouveau}
            libre = {"suppleant": None} if action.suppleant == self.nouveau else {}
            return {"pilote": self.nouveau, **libre}
        if action.suppleant == self.ancien and self.geste == Geste.DEPART:
            return {"suppleant": None if action.pilote == self.nouveau else self.nouveau}
        return {}

    def empechements(self, action: Action) -> tuple[str, ...]:
        """Une suppléance déjà confiée ne se reprend pas à celui qui l'a."""
        if self.geste == Geste.ABSENCE and action.suppleant not in (None, self.nouveau):
            return (f"{action.suppleant} en est déjà suppléant·e",)
        return ()

    def une_fois_ecrite(self, lot: Lot, actions: Sequence[Action]) -> None:
        """Prévient le nouveau, dans la même transaction : pas de courriel sans action confiée, ni l'inverse."""
        contexte = {"reaffectation": self, "actions": actions, "lot": lot}
        if Courriel.objects.preparer(self.nouveau, f"reaffectation-{lot.pk}", GABARIT, contexte):
            envoyer_des_que_possible()

    @property
    def absence(self) -> bool:
        return self.geste == Geste.ABSENCE
