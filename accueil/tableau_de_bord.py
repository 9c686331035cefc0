"""Assemblage du tableau de bord : des décomptes et des listes courtes, jamais un calcul métier."""

from dataclasses import dataclass
from datetime import date

from actions.models import Action
from actions.situation import (
    Nouveaute,
    Repartition,
    Situation,
    nouveautes,
    premieres_par_statut,
    repartition,
    situation,
)
from actions.statuts import PointAttention, Statut
from bilans.annees import BilanDeLAnnee, bilans_des_annees
from bilans.cadre import Cadre, cadrer
from bilans.demande import Demande
from bilans.evolution import graphique_evolution
from indicateurs.requetes import ChiffresDuPlan, chiffres_du_plan
from partenaires.models import Partenaire
from socle.graphiques import Graphique

ACTIONS_PAR_COLONNE = 6
LIGNES_PAR_BLOC = 3


@dataclass(frozen=True)
class Colonne:
    """Les premières actions d'un statut, celle que l'on vient de changer, et combien il y en a en tout."""

    statut: Statut
    nombre: int
    actions: list[Action]

    @property
    def reste(self) -> int:
        return self.nombre - len(self.actions)


@dataclass(frozen=True)
class TableauDeBord:
    """Tout ce que la page montre, dans son ordre."""

    cadre: Cadre
    bilan: BilanDeLAnnee
    situation: Situation
    indicateurs: ChiffresDuPlan
    a_decider: list[Action]
    nouveautes: list[Nouveaute]
    colonnes: list[Colonne]
    evolution: Graphique
    repartition: Repartition
    partenaires: list[Partenaire]

    @property
    def depuis_connu(self) -> date:
        """La fin de l'année d'avant, ou le premier jour connu s'il vient après : une première ligne ne change rien."""
        return _depuis_connu(self.cadre)

    @property
    def comparable(self) -> bool:
        """Vrai si la situation à la fin de l'année d'avant est connue."""
        return self.cadre.debut is not None and self.cadre.debut <= self.cadre.depuis


def _depuis_connu(cadre: Cadre) -> date:
    return max(cadre.depuis, cadre.debut or cadre.depuis)


def assembler(demande: Demande, en_vue: int | None = None) -> TableauDeBord | None:
    """None tant qu'il n'y a aucun plan. Mêmes erreurs que `cadrer`, et comme lui dans `socle.relecture.relire` si l'on
    demande un moment de saisie.

    `en_vue` : l'action que l'on vient de changer, qui doit rester sous les yeux dans sa nouvelle colonne.
    """
    cadre = cadrer(demande)
    if cadre is None:
        return None
    plan, le, depuis = cadre.plan, cadre.le, cadre.depuis
    actions = plan.actions.etat_au(cadre.jour, cadre.saisi_au)
    point = situation(actions, le, depuis)
    premieres = premieres_par_statut(actions.avec_retard(le).select_related("plan"), ACTIONS_PAR_COLONNE, en_vue)
    arbitrages = actions.au_plan().filter(attention_nature=PointAttention.ARBITRAGE).order_by("numero")
    return TableauDeBord(
        cadre=cadre,
        bilan=bilans_des_annees(plan, [cadre.annee_du_bilan])[cadre.annee_du_bilan],
        situation=point,
        indicateurs=chiffres_du_plan(
            plan,
            annee=cadre.annee,
            au=cadre.jour if cadre.annee is None else None,
            reference=cadre.annee_du_bilan,
            fige=cadre.saisi_au is not None,
        ),
        a_decider=list(arbitrages[:LIGNES_PAR_BLOC]) if cadre.attention_connue else [],
        nouveautes=nouveautes(plan, _depuis_connu(cadre), le, LIGNES_PAR_BLOC),
        colonnes=[
            Colonne(statut, nombre, premieres[statut]) for statut, nombre in point.decompte.par_statut().items()
        ],
        evolution=graphique_evolution(cadre),
        repartition=repartition(actions),
        # Par les citations : un partenaire cité par deux plans n'y est qu'une fois, à la place que ce plan lui donne.
        partenaires=[citation.partenaire for citation in plan.citations.select_related("partenaire")],
    )
