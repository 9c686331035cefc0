"""La grille de rattrapage : le premier jour, douze actions sans pilote ni échéance se remplissent en dix minutes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q
from django.urls import reverse

from actions.annuaire import Annuaire
from actions.ligne_de_grille import LigneDeGrille, actions_de_la_grille
from actions.models import Plan
from actions.requetes import ActionQuerySet
from socle.erreurs import DemandeIllisible, Introuvable
from socle.grilles import cles_envoyees

LIGNES_PAR_PAGE = 25

# Ce qui manque → son libellé et la condition. L'ordre est celui des liens de la page.
MANQUES = {
    "pilote": ("Sans pilote", Q(pilote__isnull=True)),
    "echeance": ("Sans échéance", Q(echeance__isnull=True)),
    "service": ("Sans service", Q(service_pilote__isnull=True)),
}
TOUTES = "toutes"


@dataclass(frozen=True)
class Manque:
    """Un filtre de la page : son libellé, combien d'actions il garde, l'adresse qui le pose."""

    libelle: str
    nombre: int
    adresse: str
    courant: bool


@dataclass(frozen=True)
class Grille:
    """Ce que la page demande de voir : un plan, ce qui y manque, une page de lignes."""

    plan: Plan
    plans: list[Plan]
    manque: str
    numero_de_page: str

    @classmethod
    def demandee(cls, demande: Mapping[str, str]) -> Self:
        """Lève Introuvable sans ce plan, DemandeIllisible si le filtre n'en est pas un."""
        plans = list(Plan.objects.du_plus_recent())
        slug, manque = demande.get("plan"), demande.get("manque", "")
        plan = next((plan for plan in plans if not slug or plan.slug == slug), None)
        if plan is None:
            raise Introuvable("Ce plan n'existe pas : créez-le d'abord dans l'administration.")
        if manque and manque not in MANQUES:
            raise DemandeIllisible("Ce filtre n'existe pas : sans pilote, sans échéance, sans service, ou aucun.")
        return cls(plan, plans, manque, demande.get("page", "1"))

    @cached_property
    def annuaire(self) -> Annuaire:
        return Annuaire.lire()

    @cached_property
    def page(self) -> Page:
        actions = self._au_plan().filter(MANQUES[self.manque][1]) if self.manque else self._au_plan()
        pages = Paginator(actions.order_by("numero"), LIGNES_PAR_PAGE)
        # Déjà comptées : le demander au Paginator serait une requête de plus.
        pages.count = self._nombres[self.manque or TOUTES]
        # Un numéro de page absurde mène à la première ou à la dernière.
        return pages.get_page(self.numero_de_page)

    @cached_property
    def lignes(self) -> list[LigneDeGrille]:
        return [LigneDeGrille(action, self.annuaire) for action in self.page]

    def envoyees(self, envoi: Mapping[str, str], cles: Iterable[str]) -> list[LigneDeGrille]:
        """Les lignes d'un envoi, telles que tapées. `cles` : celles que la page montrait."""
        actions = actions_de_la_grille().filter(plan=self.plan, pk__in=cles_envoyees(cles)).order_by("numero")
        return [LigneDeGrille(action, self.annuaire, envoi) for action in actions]

    @cached_property
    def _nombres(self) -> dict[str, int]:
        """Combien d'actions du plan, et combien par filtre."""
        par_filtre = {nom: Count("pk", filter=condition) for nom, (_, condition) in MANQUES.items()}
        return self._au_plan().aggregate(**{TOUTES: Count("pk")}, **par_filtre)

    @property
    def manques(self) -> list[Manque]:
        choix = {"": "Toutes", **{nom: libelle for nom, (libelle, _) in MANQUES.items()}}
        return [
            Manque(libelle, self._nombres[nom or TOUTES], self._adresse(nom), nom == self.manque)
            for nom, libelle in choix.items()
        ]

    def _au_plan(self) -> ActionQuerySet:
        return actions_de_la_grille().filter(plan=self.plan).au_plan()

    @property
    def adresse(self) -> str:
        """Celle de la page telle qu'elle est demandée : où son formulaire s'envoie, où l'on revient."""
        return self._adresse(self.manque, self.page.number)

    @property
    def precedente(self) -> str:
        return self._adresse(self.manque, self.page.previous_page_number()) if self.page.has_previous() else ""

    @property
    def suivante(self) -> str:
        return self._adresse(self.manque, self.page.next_page_number()) if self.page.has_next() else ""

    def _adresse(self, manque: str, page: int = 1) -> str:
        demande = {"plan": self.plan.slug, "manque": manque, "page": page if page > 1 else ""}
        return f"{reverse('actions:grille')}?{urlencode({nom: v for nom, v in demande.items() if v})}"
