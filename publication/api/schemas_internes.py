"""La forme des réponses internes. Des schémas à part : aucune adresse publique ne les nomme."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from bilans.bilan import EtatDeBilan
from publication.api.schemas import Annee, Ferme, FiltreDActions, Plan, PlanDetaille, ligne_de
from publication.api.tables_internes import (
    ACTIONS_INTERNES,
    INDICATEURS_INTERNES,
    NOTES,
    PARTENAIRES_INTERNES,
    PARTICIPATIONS,
    VALEURS_INTERNES,
)

ActionInterne = ligne_de(ACTIONS_INTERNES, "ActionInterne")
Note = ligne_de(NOTES, "NoteDeSuivi")
Participation = ligne_de(PARTICIPATIONS, "Participation")
IndicateurInterne = ligne_de(INDICATEURS_INTERNES, "IndicateurInterne")
ValeurInterne = ligne_de(VALEURS_INTERNES, "ValeurInterne")
PartenaireInterne = ligne_de(PARTENAIRES_INTERNES, "PartenaireInterne")

_PUBLIE = Field(..., title="Publié", description="Vrai si le plan se lit sans connexion.")


class PlanInterne(Plan):
    """Un plan, publié ou non."""

    publie: bool = _PUBLIE


class PlanInterneDetaille(PlanDetaille):
    """Un plan, publié ou non, ses axes et où il en est, toutes actions comprises."""

    publie: bool = _PUBLIE


class ActionInterneDetaillee(ActionInterne):  # type: ignore[valid-type,misc]
    """Une action, ses partenaires et ses notes."""

    partenaires: list[Participation] = Field(  # type: ignore[valid-type]
        ..., title="Partenaires", description="Qui y prend part, et à quel titre."
    )
    notes: list[Note] = Field(  # type: ignore[valid-type]
        ..., title="Notes de suivi", description="De la plus ancienne à la plus récente."
    )


class IndicateurInterneDetaille(IndicateurInterne):  # type: ignore[valid-type,misc]
    """Un indicateur et toutes ses valeurs, provisoires comprises."""

    valeurs: list[ValeurInterne] = Field(  # type: ignore[valid-type]
        ..., title="Valeurs", description="De la plus ancienne à la plus récente."
    )


class BilanInterne(Ferme):
    """Le bilan d'une année qui a au moins une version arrêtée, publié ou non."""

    plan: str = Field(..., title="Plan", description="L'adresse du plan.")
    annee: Annee = Field(..., title="Année", description="L'année que le bilan décrit.")
    etat: Literal[tuple(EtatDeBilan.values)] = Field(  # type: ignore[valid-type]
        ..., title="État", description="Arrêté, rouvert ou publié."
    )
    version: int = Field(..., ge=1, title="Version", description="Le rang de la dernière version arrêtée.")
    arrete_le: datetime = Field(..., title="Arrêté le", description="Le moment où elle l'a été.")
    motif: str = Field(..., title="Motif", description="Pourquoi une nouvelle version ; vide pour la première.")
    empreinte: str = Field(
        ...,
        pattern="^[0-9a-f]{64}$",
        title="Empreinte",
        description="SHA-256, en hexadécimal, des octets que rend l'adresse du contenu interne.",
    )
    contenu: str = Field(..., title="Contenu", description="L'adresse du contenu interne arrêté.")


class FiltreDActionsInternes(FiltreDActions):
    retard: Literal["oui", "non"] | None = Field(
        None,
        description="« oui » : celles en retard ; « non » : les autres, sans échéance comprises.",
        examples=["oui"],
    )
