"""La grille du registre : les suites et les considérations de beaucoup de lots, remplies d'affilée."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, Q
from django.db.models.functions import ExtractYear
from django.urls import reverse

from comptes.droits import Droit, Portee, portee
from comptes.models import Utilisateur
from marches.consultations import Consultation
from marches.ligne_de_registre import LigneDeRegistre, lignes_du_registre, lots_de_la_grille
from marches.listes import Suite
from marches.reponses import Reponse
from socle.erreurs import DemandeIllisible
from socle.grilles import cles_envoyees

LIGNES_PAR_PAGE = 25


def _muette(clause: str, critere: str) -> Q:
    """Ni oui, ni non aux deux : on ne sait pas."""
    pas_oui = ~Q(**{clause: Reponse.OUI}) & ~Q(**{critere: Reponse.OUI})
    return pas_oui & (Q(**{clause: Reponse.INCONNU}) | Q(**{critere: Reponse.INCONNU}))


# Ce qui manque → son libellé et la condition. Un lot abandonné n'a plus rien à dire.
MANQUES = {
    "suite": (
        "Sans suite, ou sans sa date",
        Q(suite__in=("", Suite.ATTRIBUE)) | Q(suite__in=(Suite.NOTIFIE, Suite.SANS_SUITE), date_de_suite=None),
    ),
    "environnement": (
        "Environnement non renseigné",
        _muette("clause_environnementale", "critere_environnemental") & ~Q(suite=Suite.ABANDONNE),
    ),
    "social": ("Social non renseigné", _muette("clause_sociale", "critere_social") & ~Q(suite=Suite.ABANDONNE)),
}


@dataclass(frozen=True)
class Choix:
    """Un filtre de la page : son libellé, combien de lots il garde, l'adresse qui le pose."""

    libelle: str
    nombre: int
    adresse: str
    courant: bool


@dataclass(frozen=True)
class GrilleDuRegistre:
    """Ce que la page demande de voir. `annee` : celle du lancement, None pour toutes."""

    auteur: Utilisateur
    manque: str
    annee: int | None
    numero_de_page: str

    @classmethod
    def demandee(cls, demande: Mapping[str, str], auteur: Utilisateur) -> Self:
        """Lève DemandeIllisible si un filtre n'en est pas un."""
        manque, annee = demande.get("manque", ""), demande.get("annee", "").strip()
        if manque and manque not in MANQUES:
            raise DemandeIllisible("Ce filtre n'existe pas : suite, environnement, social, ou aucun.")
        if annee and not (annee.isascii() and annee.isdigit() and len(annee) == 4):
            raise DemandeIllisible("Une année s'écrit avec quatre chiffres.")
        return cls(auteur, manque, int(annee) if annee else None, demande.get("page", "1"))

    # --- Les lignes ----------------------------------------------------------------------------

    def _siens(self) -> Any:
        """Les lots que l'auteur peut remplir : un agent, ceux de son service."""
        lots = lots_de_la_grille()
        if portee(self.auteur, Droit.SAISIR_UNE_DONNEE) is Portee.SIENS:
            lots = lots.filter(consultation__service__isnull=False, consultation__service=self.auteur.service_id)
        return lots.filter(consultation__lancee_le__year=self.annee) if self.annee else lots

    @cached_property
    def _nombres(self) -> dict[str, int]:
        # Préfixés : un alias du nom d'un champ le cacherait aux conditions suivantes.
        par_filtre = {f"n_{nom}": Count("pk", filter=condition) for nom, (_, condition) in MANQUES.items()}
        comptes = self._siens().aggregate(n_=Count("pk"), **par_filtre)
        return {nom.removeprefix("n_"): nombre for nom, nombre in comptes.items()}

    @cached_property
    def page(self) -> Page:
        lots = self._siens().filter(MANQUES[self.manque][1]) if self.manque else self._siens()
        ordre = (F("consultation__lancee_le").desc(nulls_last=True), "-consultation", "pk")
        pages = Paginator(lots.order_by(*ordre), LIGNES_PAR_PAGE)
        # Déjà comptés : le demander au Paginator serait une requête de plus.
        pages.count = self._nombres[self.manque]
        return pages.get_page(self.numero_de_page)

    @cached_property
    def lignes(self) -> list[LigneDeRegistre]:
        return lignes_du_registre(self.page, self.auteur)

    def envoyees(self, envoi: Mapping[str, str], cles: Iterable[str]) -> list[LigneDeRegistre]:
        """Les lignes d'un envoi, telles que tapées, dans l'ordre de la page. `cles` : celles qu'elle montrait."""
        rangs = {cle: rang for rang, cle in enumerate(cles_envoyees(cles))}
        lots = sorted(lots_de_la_grille().filter(pk__in=rangs), key=lambda lot: rangs[lot.pk])
        return lignes_du_registre(lots, self.auteur, envoi)

    # --- Les liens -----------------------------------------------------------------------------

    @property
    def manques(self) -> list[Choix]:
        choix = {"": "Tous les lots", **{nom: libelle for nom, (libelle, _) in MANQUES.items()}}
        return [
            Choix(libelle, self._nombres[nom], self._adresse(manque=nom), nom == self.manque)
            for nom, libelle in choix.items()
        ]

    @cached_property
    def annees(self) -> list[int]:
        """Celles où une consultation a été lancée, la dernière d'abord."""
        annees = Consultation.objects.filter(lancee_le__isnull=False).order_by()
        return sorted(set(annees.annotate(an=ExtractYear("lancee_le")).values_list("an", flat=True)), reverse=True)

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

    def _adresse(self, page: int = 1, **filtres: str) -> str:
        demande = {"manque": self.manque, "annee": self.annee or "", "page": page if page > 1 else "", **filtres}
        parametres = urlencode({nom: v for nom, v in demande.items() if v})
        return reverse("marches:grille_des_consultations") + (f"?{parametres}" if parametres else "")
