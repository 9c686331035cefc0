"""Un plan publié, aujourd'hui, tel que le public le lit. Aucun retard, aucune personne, aucune valeur provisoire."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from actions.models import Action, Plan
from actions.requetes import Decompte
from actions.statuts import Statut
from indicateurs.cibles import cible_visee
from indicateurs.models import Cible, Indicateur, ValeurAnnuelle
from partenaires.models import Partenaire
from publication import acces
from publication.acces import BilanPublic
from socle.formats import INSECABLE, formater_valeur


@dataclass(frozen=True)
class LigneDAction:
    """Ce qu'on dit d'une action."""

    numero: int
    intitule: str
    description: str
    axe: str
    partenaires: Sequence[Partenaire]
    avancement: int | None


@dataclass(frozen=True)
class Groupe:
    """Les actions d'un statut ; `statut` None : celles dont il n'est pas connu."""

    statut: Statut | None
    actions: Sequence[LigneDAction]

    @property
    def titre(self) -> str:
        return f"Actions {self.statut.libelle_pluriel}" if self.statut else "Statut non renseigné"

    @property
    def cle(self) -> str:
        return self.statut.value if self.statut else "INCONNU"


@dataclass(frozen=True)
class Chiffre:
    """La dernière valeur validée d'un chiffre clé, celles d'avant, et l'objectif qui vient."""

    indicateur: Indicateur
    valeur: ValeurAnnuelle
    precedentes: Sequence[ValeurAnnuelle]
    cible: Cible | None

    @property
    def libelle(self) -> str:
        return self.valeur.libelle or self.indicateur.intitule

    @property
    def unite(self) -> str:
        """L'unité, quand elle est un mot que rien d'autre ne dit : un symbole est déjà collé au nombre, et le texte
        publié sous le chiffre se suffit."""
        return "" if self.valeur.libelle or self.indicateur.unite in ("%", "€") else self.indicateur.unite

    @property
    def source(self) -> str:
        return self.valeur.source or self.indicateur.source

    @property
    def objectif(self) -> str:
        """« Objectif 2026 : 30 % » ; vide sans objectif à venir."""
        if self.cible is None:
            return ""
        return f"Objectif {self.cible.annee}{INSECABLE}: {formater_valeur(self.cible.valeur, self.indicateur.unite)}"


@dataclass(frozen=True)
class PlanPublic:
    """Tout ce que la page d'un plan montre."""

    plan: Plan
    le: date
    decompte: Decompte
    groupes: Sequence[Groupe]
    chiffres: Sequence[Chiffre]
    partenaires: Sequence[Partenaire]
    bilans: Sequence[BilanPublic]


def lire_le_plan(plan: Plan) -> PlanPublic:
    """En un nombre constant de requêtes. `plan` : rendu par `acces.plan_publie`."""
    actions = list(acces.actions_publiques(plan))
    return PlanPublic(
        plan=plan,
        le=timezone.localdate(),
        decompte=Decompte.de(_compter(actions)),
        groupes=_groupes(plan, actions),
        chiffres=_chiffres(plan),
        partenaires=list(acces.partenaires_publics(plan)),
        bilans=acces.bilans_publies(plan),
    )


def _compter(actions: Iterable[Action]) -> dict[str | None, int]:
    nombres: defaultdict[str | None, int] = defaultdict(int)
    for action in actions:
        nombres[action.etat_statut] += 1
    return nombres


def _groupes(plan: Plan, actions: Sequence[Action]) -> list[Groupe]:
    """Dans l'ordre de la page publiée ; un statut sans action n'a pas de groupe."""
    par_statut: defaultdict[str | None, list[LigneDAction]] = defaultdict(list)
    for action in actions:
        par_statut[action.etat_statut].append(_ligne(plan, action))
    statuts: list[Statut | None] = [*Statut, None]
    return [Groupe(statut, par_statut[statut]) for statut in statuts if par_statut[statut]]


def _ligne(plan: Plan, action: Action) -> LigneDAction:
    en_cours = action.etat_statut == Statut.EN_COURS
    return LigneDAction(
        numero=action.numero,
        intitule=action.intitule,
        description=action.description,
        axe=str(action.axe) if action.axe else "",
        partenaires=acces.partenaires_de(action),
        avancement=action.etat_avancement if plan.affiche_avancement and en_cours else None,
    )


def _chiffres(plan: Plan) -> list[Chiffre]:
    """Trois requêtes : les places, les valeurs validées, les objectifs. Sans valeur validée, pas de chiffre."""
    cles = [place.indicateur for place in acces.indicateurs_publics(plan) if place.chiffre_cle]
    valeurs: defaultdict[int, list[ValeurAnnuelle]] = defaultdict(list)
    for valeur in acces.valeurs_publiques(plan).renseignees():
        valeurs[valeur.indicateur_id].append(valeur)
    cibles: defaultdict[int, list[Cible]] = defaultdict(list)
    for cible in Cible.objects.filter(indicateur__in=cles, active=True):
        cibles[cible.indicateur_id].append(cible)
    chiffres = []
    for indicateur in cles:
        if valeurs[indicateur.pk]:
            *precedentes, derniere = valeurs[indicateur.pk]
            vise = cible_visee(cibles[indicateur.pk], derniere.annee)
            chiffres.append(Chiffre(indicateur, derniere, precedentes[::-1][:4], vise))
    return chiffres
