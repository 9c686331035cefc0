"""Ce qu'il y a de plus utile à faire ensuite sur une action : une phrase, et le geste qui y répond."""

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

from actions.models import Action
from actions.statuts import Mouvement, Statut


@dataclass(frozen=True)
class Pas:
    """`geste` : le verbe du lien ; `adresse` : où il mène. `reserve` : la fiche ne se modifie qu'avec ce droit."""

    phrase: str
    geste: str
    adresse: str
    reserve: bool = False


def prochain_pas(action: Action) -> Pas | None:
    """Le plus pressant d'abord ; None quand rien ne presse. `action` : annotée par `avec_retard` et `avec_silence`."""
    if action.etat_statut == Statut.TERMINEE or action.etat_presence == Mouvement.RETRAIT:
        return None
    if action.est_en_retard:
        return Pas(
            f"L'échéance ({action.valeur_echeance}) est passée : l'action est-elle terminée ?",
            "Reporter l'échéance",
            reverse("actions:echeance", args=[action.pk]),
        )
    if action.pilote is None and action.service_pilote is None:
        modifier = reverse("actions:modifier", args=[action.pk])
        return Pas("Personne ne pilote cette action.", "Désigner un pilote", modifier, reserve=True)
    if action.valeur_echeance is None:
        echeance = reverse("actions:echeance", args=[action.pk])
        return Pas("Aucune échéance n'est fixée.", "Fixer l'échéance", echeance)
    if action.sans_nouvelle:
        return Pas(
            f"Rien n'a été dit depuis {settings.MOIS_SANS_NOUVELLE}\u00a0mois.",
            "Donner des nouvelles",
            reverse("actions:note", args=[action.pk]),
        )
    return None
