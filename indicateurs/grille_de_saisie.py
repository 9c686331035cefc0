"""La grille de saisie d'une année : une ligne par indicateur, ses dénominateurs tapés une fois."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.urls import reverse
from django.utils import timezone

from actions.models import Plan
from comptes.droits import Droit, Portee, portee
from comptes.models import Utilisateur
from indicateurs.feuille_de_saisie import dans_l_ordre_de_saisie, indicateurs_a_saisir
from indicateurs.ligne_de_saisie import LigneDeSaisie, lignes_de_saisie
from indicateurs.models import Indicateur, ValeurAnnuelle
from socle.contraintes import PREMIERE_ANNEE
from socle.erreurs import DemandeIllisible, Introuvable
from socle.grilles import cles_envoyees

LIGNES_PAR_PAGE = 25
OUI = "oui"
TOUS = "tous"


def derniere_annee_finie() -> int:
    """Celle dont on saisit les valeurs quand on n'en demande pas une autre."""
    return timezone.localdate().year - 1


def exiger_une_annee(annee: int) -> None:
    """Lève DemandeIllisible si aucune valeur ne peut être attendue de cette année."""
    if annee > timezone.localdate().year:
        raise DemandeIllisible(f"L'année {annee} est à venir : aucune valeur n'y est attendue.")
    if annee < PREMIERE_ANNEE:
        raise DemandeIllisible(f"L'année {annee} est trop ancienne : rien avant {PREMIERE_ANNEE}.")


@dataclass(frozen=True)
class Choix:
    """Un filtre de la page : son libellé, combien de lignes il garde, l'adresse qui le pose."""

    libelle: str
    nombre: int
    adresse: str
    courant: bool


@dataclass(frozen=True)
class GrilleDeSaisie:
    """Ce que la page demande de voir. `plan` : None pour tous les indicateurs, ceux d'aucun plan compris ; `manque` :
    seulement les lignes sans réponse ; `tous_les_services` : pour qui ne saisit que les siens, les autres aussi."""

    annee: int
    auteur: Utilisateur
    plan: Plan | None
    plans: list[Plan]
    manque: bool
    tous_les_services: bool
    numero_de_page: str

    @classmethod
    def demandee(cls, annee: int, demande: Mapping[str, str], auteur: Utilisateur) -> Self:
        """Lève Introuvable sans ce plan, DemandeIllisible si l'année ou un filtre n'en est pas un."""
        exiger_une_annee(annee)
        plans = list(Plan.objects.du_plus_recent())
        slug = demande.get("plan")
        plan = next((plan for plan in plans if slug is None or plan.slug == slug), None)
        if slug and plan is None:
            raise Introuvable("Ce plan n'existe pas.")
        if demande.get("manque", "") not in ("", OUI) or demande.get("services", "") not in ("", TOUS):
            raise DemandeIllisible("Ce filtre n'existe pas : « manque=oui », « services=tous », ou aucun.")
        return cls(
            annee,
            auteur,
            plan,
            plans,
            manque=demande.get("manque") == OUI,
            tous_les_services=demande.get("services") == TOUS,
            numero_de_page=demande.get("page", "1"),
        )

    # --- Les lignes ----------------------------------------------------------------------------

    @cached_property
    def _du_plan(self) -> list[Indicateur]:
        """Tous, dans l'ordre du plan. Une requête."""
        indicateurs = indicateurs_a_saisir().order_by("intitule", "pk")
        if self.plan is not None:
            indicateurs = indicateurs.filter(places__plan=self.plan).order_by("places__ordre", "places__pk")
        return list(indicateurs)

    @cached_property
    def _ont_repondu(self) -> set[int]:
        """Les indicateurs qui ont, pour l'année, une valeur ou une indisponibilité."""
        reponses = ValeurAnnuelle.objects.qui_repondent().filter(annee=self.annee)
        return set(reponses.values_list("indicateur", flat=True))

    @cached_property
    def restreint(self) -> bool:
        """L'auteur ne saisit que ce que son service produit."""
        return portee(self.auteur, Droit.SAISIR_UNE_DONNEE) is Portee.SIENS

    @cached_property
    def _les_siens(self) -> list[Indicateur]:
        return [indicateur for indicateur in self._du_plan if indicateur.releve_de(self.auteur)]

    @property
    def _montres(self) -> list[Indicateur]:
        return self._les_siens if self.restreint and not self.tous_les_services else self._du_plan

    @cached_property
    def page(self) -> Page:
        montres = [i for i in self._montres if not self.manque or i.pk not in self._ont_repondu]
        # Un numéro de page absurde mène à la première ou à la dernière.
        return Paginator(dans_l_ordre_de_saisie(montres), LIGNES_PAR_PAGE).get_page(self.numero_de_page)

    @cached_property
    def lignes(self) -> list[LigneDeSaisie]:
        return lignes_de_saisie(self.page, self.annee, self.auteur)

    def envoyees(self, envoi: Mapping[str, str], cles: Iterable[str]) -> list[LigneDeSaisie]:
        """Les lignes d'un envoi, telles que tapées, dans l'ordre de la page. `cles` : celles qu'elle montrait."""
        rangs = {cle: rang for rang, cle in enumerate(cles_envoyees(cles))}
        indicateurs = sorted(indicateurs_a_saisir().filter(pk__in=rangs), key=lambda indicateur: rangs[indicateur.pk])
        return lignes_de_saisie(indicateurs, self.annee, self.auteur, envoi)

    # --- Les liens -----------------------------------------------------------------------------

    @property
    def services(self) -> list[Choix]:
        """Les siens, ou tous ; vide pour qui saisit tout."""
        if not self.restreint:
            return []
        return [
            Choix("Mon service", len(self._les_siens), self._adresse(services=""), not self.tous_les_services),
            Choix("Tous les services", len(self._du_plan), self._adresse(services=TOUS), self.tous_les_services),
        ]

    @property
    def manques(self) -> list[Choix]:
        sans_reponse = sum(indicateur.pk not in self._ont_repondu for indicateur in self._montres)
        return [
            Choix("Toutes les lignes", len(self._montres), self._adresse(manque=""), not self.manque),
            Choix("Sans réponse", sans_reponse, self._adresse(manque=OUI), self.manque),
        ]

    @property
    def adresse(self) -> str:
        """Celle de la page telle qu'elle est demandée : où son formulaire s'envoie, où l'on revient."""
        return self._adresse(page=self.page.number)

    @property
    def precedente(self) -> str:
        return self._adresse(page=self.page.previous_page_number()) if self.page.has_previous() else ""

    @property
    def suivante(self) -> str:
        return self._adresse(page=self.page.next_page_number()) if self.page.has_next() else ""

    @property
    def annee_d_avant(self) -> str:
        return self._adresse(annee=self.annee - 1) if self.annee > PREMIERE_ANNEE else ""

    @property
    def annee_d_apres(self) -> str:
        return self._adresse(annee=self.annee + 1) if self.annee < timezone.localdate().year else ""

    def _adresse(self, annee: int | None = None, page: int = 1, **filtres: str) -> str:
        demande = {
            "manque": OUI if self.manque else "",
            "services": TOUS if self.tous_les_services else "",
            "page": str(page) if page > 1 else "",
            **filtres,
        }
        parametres = {"plan": self.plan.slug if self.plan else ""} | {nom: v for nom, v in demande.items() if v}
        return f"{reverse('indicateurs:saisie', args=[annee or self.annee])}?{urlencode(parametres)}"
