"""« Mes actions » : ce qu'on attend de quelqu'un, le plus pressant d'abord, et les files de travail."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.db.models import BooleanField, Case, Count, Exists, ExpressionWrapper, OuterRef, Prefetch, Q, When
from django.urls import reverse
from django.utils import timezone

from actions.models import Action, NoteDeSuivi
from actions.requetes import NON_TERMINEE, ActionQuerySet, Urgence, condition_de_releve, etapes_pressantes
from actions.statuts import Statut
from comptes.droits import Droit, Portee, portee

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from comptes.models import Utilisateur

# Les actions terminées sont là pour mémoire : la liste des actions les montre toutes.
TERMINEES_MONTREES = 10


@dataclass(frozen=True)
class File:
    """Une file de travail : `nombre` actions, que la liste montre toutes à `adresse`."""

    libelle: str
    nombre: int
    adresse: str


# Ce que compte chaque file, parmi les actions au plan pas terminées, et le filtre de la liste qui dit la même chose.
_FILES: dict[str, tuple[str, Q, dict[str, str]]] = {
    "retard": ("en retard", Q(est_en_retard=True), {"retard": "oui"}),
    "silence": (
        f"sans nouvelle depuis {settings.MOIS_SANS_NOUVELLE}\u00a0mois",
        Q(sans_nouvelle=True),
        {"nouvelles": "aucune"},
    ),
    "sans_pilote": ("sans pilote", Q(pilote__isnull=True), {"pilote": "null"}),
    "sans_echeance": ("sans échéance", Q(etat_echeance__isnull=True), {"echeance": "aucune"}),
    "signalee": ("avec un point d'attention", ~Q(attention=""), {"attention": "oui"}),
}


@dataclass(frozen=True)
class Groupe:
    """Les actions de même urgence que la page montre. `total` : combien il y en a, toutes pages comprises."""

    urgence: Urgence
    total: int
    actions: list[Action]

    @property
    def repond(self) -> bool:
        """« Rien de nouveau » est une réponse : l'action est en retard, ou personne n'en a rien dit."""
        return self.urgence in (Urgence.RETARD, Urgence.SILENCE)


@dataclass(frozen=True)
class MesActions:
    """`nombres` : combien d'actions de chaque urgence relèvent de la personne. `page` : celles à mener.

    `files` : celles du plan entier (`files_du_plan`) pour qui le tient, les siennes pour les autres ; aucune pour qui
    ne peut rien mettre à jour. `terminees` : les premières.
    """

    nombres: dict[Urgence, int]
    page: Page
    terminees: list[Action]
    files: list[File]
    files_du_plan: bool
    met_a_jour: bool

    @property
    def total(self) -> int:
        return sum(self.nombres.values())

    @property
    def nombre_de_terminees(self) -> int:
        return self.nombres[Urgence.TERMINEE]

    @property
    def pressantes(self) -> list[tuple[Urgence, int]]:
        """Ce qu'on attend d'elle, en nombres ; rien si tout va bien."""
        return [
            (urgence, self.nombres[urgence])
            for urgence in (Urgence.RETARD, Urgence.PROCHE, Urgence.SILENCE)
            if self.nombres[urgence]
        ]

    @property
    def groupes(self) -> Iterator[Groupe]:
        """Les actions de la page, rangées par urgence."""
        for valeur, actions in groupby(self.page, key=lambda action: action.urgence):
            urgence = Urgence(valeur)
            yield Groupe(urgence, self.nombres[urgence], list(actions))

    @property
    def plusieurs_plans(self) -> bool:
        return len({action.plan_id for action in [*self.page, *self.terminees]}) > 1


def mes_actions(
    utilisateur: "Utilisateur | AnonymousUser", page: str | None, par_page: int, en_vue: int | None
) -> MesActions:
    """Quatre requêtes au plus. `en_vue` : une action terminée à montrer quel que soit son rang."""
    le = timezone.localdate()
    etendue = portee(utilisateur, Droit.METTRE_A_JOUR)
    toutes = Action.objects.etat_au().au_plan().avec_urgence(le)
    nombres, files = _compter(toutes, utilisateur, etendue)
    siennes = toutes.qui_relevent_de(utilisateur).select_related("plan", "pilote", "service_pilote")
    pages = Paginator(_avec_ce_qui_attend(siennes.non_terminees(), le).par_urgence(), par_page)
    # Déjà comptées : le demander au Paginator serait une requête de plus.
    pages.count = sum(nombre for urgence, nombre in nombres.items() if urgence is not Urgence.TERMINEE)
    terminees = siennes.de_statut(Statut.TERMINEE).order_by(
        Case(When(pk=en_vue, then=0), default=1), "plan_id", "numero"
    )
    return MesActions(
        nombres=nombres,
        page=pages.get_page(page),
        terminees=list(terminees[:TERMINEES_MONTREES]) if nombres[Urgence.TERMINEE] else [],
        files=files,
        files_du_plan=etendue is Portee.TOUT,
        met_a_jour=etendue is not Portee.RIEN,
    )


def _compter(
    toutes: ActionQuerySet, utilisateur: "Utilisateur | AnonymousUser", etendue: Portee
) -> tuple[dict[Urgence, int], list[File]]:
    """Les actions de chaque urgence et les files de travail, en une requête.

    Elle compte les actions par ce qui les distingue, et le reste s'additionne ici : un compte par file redirait
    chaque fois, sur chaque action, ce qu'est une action sans nouvelle.
    """
    conditions = {"a_lui": condition_de_releve(utilisateur), "a_mener": NON_TERMINEE}
    conditions |= {nom: condition for nom, (_, condition, _) in _FILES.items()}
    faits = {nom: ExpressionWrapper(condition, BooleanField()) for nom, condition in conditions.items()}
    tout = etendue is Portee.TOUT
    actions = (toutes if tout else toutes.filter(conditions["a_lui"])).annotate(**faits)
    sortes = list(actions.values("urgence", *faits).annotate(combien=Count("pk")).order_by())

    def somme(*voulus: str, **valeurs: Any) -> int:
        return sum(
            sorte["combien"]
            for sorte in sortes
            if all(sorte[nom] for nom in voulus) and all(sorte[nom] == valeur for nom, valeur in valeurs.items())
        )

    parmi = {"reste": "oui"} if tout else {"miennes": "oui", "reste": "oui"}
    files = [
        File(libelle, nombre, f"{reverse('actions:liste')}?{urlencode(parmi | filtre)}")
        for nom, (libelle, _, filtre) in _FILES.items()
        if etendue is not Portee.RIEN and (nombre := somme("a_mener", nom))
    ]
    return {urgence: somme("a_lui", urgence=urgence.value) for urgence in Urgence}, files


def _avec_ce_qui_attend(actions: ActionQuerySet, le: date) -> ActionQuerySet:
    """Avec les étapes pressantes de chacune, et `notee_aujourd_hui` : quelqu'un en a donné des nouvelles ce jour."""
    etapes = etapes_pressantes(le).avec_retard(le)
    return actions.annotate(
        notee_aujourd_hui=Exists(NoteDeSuivi.objects.en_vigueur().filter(action=OuterRef("pk"), date=le))
    ).prefetch_related(
        Prefetch("etapes", queryset=etapes.order_by("echeance", "ordre", "pk"), to_attr="etapes_pressantes")
    )
