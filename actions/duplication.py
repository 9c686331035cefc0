"""Repartir d'un plan pour sa période suivante : sa structure est reprise, sa vie ne l'est pas."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models import Count, Q
from django.utils import timezone
from simple_history.utils import bulk_create_with_history

from actions.models import Action, Axe, PartenaireDeLAction, PartenaireDuPlan, Plan, ReferenceCadre
from actions.requetes import ActionQuerySet
from comptes.models import Utilisateur
from partenaires.models import Partenaire
from socle.contraintes import LONGUEUR_D_ADRESSE, adresse_de_page
from socle.formats import formater_date

# Ce qui se recopie tel quel. Un nouveau plan n'est jamais publié d'office.
CHAMPS_DU_PLAN = ("label", "description", "affiche_avancement")
CHAMPS_DE_L_AXE = ("code", "intitule", "ordre")
CHAMPS_DE_L_ACTION = (
    "numero",
    "intitule",
    "description",
    "service_pilote_id",
    "elu_referent",
    "priorite",
    "visible_du_public",
)

Ligne = TypeVar("Ligne", bound=models.Model)


@dataclass(frozen=True)
class Apercu:
    """Ce qu'une duplication reprendrait, en nombres. `retirees` : les actions sorties du plan, laissées où elles sont.

    `partenaires` : ceux que citent le plan ou ses actions ; `pilotes` : comptes actifs, pilotes ou suppléants.
    """

    axes: int
    actions: int
    retirees: int
    services: int
    partenaires: int
    indicateurs: int
    pilotes: int


def a_reprendre(source: Plan) -> ActionQuerySet:
    """Les actions au plan aujourd'hui, dans leur ordre."""
    return Action.objects.filter(plan=source).etat_au().au_plan().order_by("numero")


def apercu(source: Plan) -> Apercu:
    actions = a_reprendre(source).order_by()
    nombres = actions.aggregate(actions=Count("pk"), services=Count("service_pilote", distinct=True))
    partenaires = Partenaire.objects.filter(Q(citations_de_plan__plan=source) | Q(participations__action__in=actions))
    pilotes = Utilisateur.objects.filter(Q(actions_pilotees__in=actions) | Q(actions_suppleees__in=actions))
    return Apercu(
        axes=source.axes.count(),
        retirees=Action.objects.filter(plan=source).etat_au().retirees().count(),
        partenaires=partenaires.distinct().count(),
        # Relation inverse : les indicateurs nomment leurs plans, jamais l'inverse.
        indicateurs=source.places_d_indicateur.count(),
        pilotes=pilotes.filter(is_active=True).distinct().count(),
        **nombres,
    )


@dataclass(frozen=True)
class Suite:
    """La période qui suit, telle que la propose le formulaire. None : le plan d'origine ne dit pas ses années."""

    intitule: str
    annee_debut: int | None
    annee_fin: int | None
    depart: date


def suite_de(source: Plan) -> Suite:
    """Aussi longue que la première, et juste après ; les années écrites dans l'intitulé suivent."""
    if source.annee_fin is None:
        return Suite(source.intitule, None, None, timezone.localdate())
    debut = source.annee_fin + 1
    fin = source.annee_fin + debut - source.annee_debut if source.annee_debut else None
    annees = f"{debut}-{fin}" if fin else str(debut)
    ecrites = re.compile(rf"\b{source.annee_debut}\s*[-–/]\s*{source.annee_fin}\b")
    intitule, remplacees = ecrites.subn(annees, source.intitule)
    return Suite(intitule if remplacees else f"{source.intitule} {annees}", debut, fin, date(debut, 1, 1))


def dupliquer(
    source: Plan,
    *,
    intitule: str,
    annee_debut: int,
    annee_fin: int,
    depart: date,
    auteur: Utilisateur | None,
    avec_pilotes: bool = False,
) -> tuple[Plan, bool]:
    """Crée le plan et tout ce qu'il reprend, ou rien. Rend (plan, vrai s'il vient d'être créé).

    La même demande reçue deux fois (double clic, rechargement) rend le plan déjà créé. `depart` : le jour où les
    actions deviennent « non initiées » ; s'il est à venir, leur journal commence aujourd'hui et le dit, car rien ne
    s'y inscrit d'avance. `avec_pilotes` : reprend aussi pilotes et suppléants, quand leur compte est actif.
    Lève ValidationError.
    """
    with transaction.atomic():
        source = source.verrouillee()
        deja = source.copies.filter(intitule=intitule, annee_debut=annee_debut, annee_fin=annee_fin).first()
        if deja is not None:
            return deja, False
        plan = Plan(
            intitule=intitule,
            slug=_adresse_libre(intitule),
            annee_debut=annee_debut,
            annee_fin=annee_fin,
            source=source,
            **_reprendre(source, CHAMPS_DU_PLAN),
        )
        plan.full_clean()
        plan._history_user = auteur  # type: ignore[attr-defined]
        plan.save()
        _Copie(source, plan, auteur).ecrire(depart, avec_pilotes=avec_pilotes)
    return plan, True


def _adresse_libre(intitule: str) -> str:
    """Le slug de l'intitulé, suivi d'un rang s'il est pris : deux périodes portent souvent le même nom."""
    debut = adresse_de_page(intitule, "intitule")
    prises = set(Plan.objects.values_list("slug", flat=True))
    adresse, rang = debut, 1
    while adresse in prises:
        rang += 1
        adresse = f"{debut[: LONGUEUR_D_ADRESSE - len(str(rang)) - 1]}-{rang}"
    return adresse


def _reprendre(objet: models.Model, champs: Iterable[str]) -> dict[str, Any]:
    return {champ: getattr(objet, champ) for champ in champs}


@dataclass(frozen=True)
class _Copie:
    """La copie en cours. Tout s'écrit en masse, table par table : mille actions tiennent en une seconde."""

    source: Plan
    plan: Plan
    auteur: Utilisateur | None

    def ecrire(self, depart: date, *, avec_pilotes: bool) -> None:
        actions = self._actions(self._axes(), depart, avec_pilotes=avec_pilotes)
        self._suivre(PartenaireDeLAction, ("partenaire_id", "role"), actions)
        self._suivre(ReferenceCadre, ("cadre", "code"), actions)
        self._placer(self.source.citations.all(), ("partenaire_id", "ordre"), PartenaireDuPlan)
        places = self.source.places_d_indicateur.all()
        self._placer(places, ("indicateur_id", "ordre", "chiffre_cle"), places.model)

    def _en_masse(self, modele: type[Ligne], lignes: Iterable[Ligne]) -> list[Ligne]:
        return bulk_create_with_history(list(lignes), modele, default_user=self.auteur)

    def _axes(self) -> dict[int | None, Axe | None]:
        """Par axe d'origine, sa copie ; sans axe, aucun."""
        anciens = list(self.source.axes.all())
        nouveaux = self._en_masse(Axe, (Axe(plan=self.plan, **_reprendre(axe, CHAMPS_DE_L_AXE)) for axe in anciens))
        return {None: None} | {ancien.pk: nouveau for ancien, nouveau in zip(anciens, nouveaux, strict=True)}

    def _actions(self, axes: dict[int | None, Axe | None], depart: date, *, avec_pilotes: bool) -> dict[int, Action]:
        """Par action d'origine, sa copie."""
        anciennes = list(a_reprendre(self.source).select_related("pilote", "suppleant"))
        copies = [
            Action(
                plan=self.plan,
                axe=axes[ancienne.axe_id],
                source=ancienne,
                pilote=_actif(ancienne.pilote) if avec_pilotes else None,
                suppleant=_actif(ancienne.suppleant) if avec_pilotes else None,
                **_reprendre(ancienne, CHAMPS_DE_L_ACTION),
            )
            for ancienne in anciennes
        ]
        aujourdhui = timezone.localdate()
        commentaire = f"Reprise du plan « {self.source} »."
        if depart > aujourdhui:
            commentaire += f" Départ prévu le {formater_date(depart)}."
        nouvelles = Action.objects.creer_en_masse(
            copies, auteur=self.auteur, date_effet=min(depart, aujourdhui), commentaire=commentaire
        )
        return {ancienne.pk: nouvelle for ancienne, nouvelle in zip(anciennes, nouvelles, strict=True)}

    def _suivre(
        self,
        modele: type[PartenaireDeLAction] | type[ReferenceCadre],
        champs: tuple[str, ...],
        actions: dict[int, Action],
    ) -> None:
        """Recopie ce qui s'attache aux actions reprises."""
        anciennes = modele.objects.filter(action__plan=self.source).order_by("pk")
        self._en_masse(
            modele,
            (
                modele(action=actions[ancienne.action_id], **_reprendre(ancienne, champs))
                for ancienne in anciennes
                if ancienne.action_id in actions
            ),
        )

    def _placer(self, anciennes: Iterable[Any], champs: tuple[str, ...], modele: type[models.Model]) -> None:
        """Recopie ce qui a sa place dans le plan, dans le même ordre."""
        self._en_masse(modele, (modele(plan=self.plan, **_reprendre(ancienne, champs)) for ancienne in anciennes))


def _actif(compte: Utilisateur | None) -> Utilisateur | None:
    return compte if compte is not None and compte.is_active else None
