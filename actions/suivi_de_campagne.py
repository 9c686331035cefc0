"""Le tableau d'une campagne : qui a répondu, personne par personne et service par service."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from actions.campagnes import Campagne, DemandeDActualisation
from actions.destinataires import Injoignable, repartir
from comptes.courriels import Courriel
from comptes.models import Service, Utilisateur


@dataclass(frozen=True)
class Avancee:
    """Des demandes, et combien ont leur réponse. `derniere` : le moment de la plus récente."""

    demandees: int
    repondues: int
    derniere: datetime | None

    @classmethod
    def de(cls, demandes: Iterable[DemandeDActualisation]) -> "Avancee":
        demandes = list(demandes)
        moments = [moment for demande in demandes if (moment := demande.repondue_le)]
        return cls(len(demandes), len(moments), max(moments, default=None))

    @property
    def complete(self) -> bool:
        return self.repondues == self.demandees


@dataclass(frozen=True)
class LigneDePersonne:
    """Ce qu'on attend d'une personne. `courriel` : le dernier que la campagne lui a écrit, ou None."""

    personne: Utilisateur
    avancee: Avancee
    courriel: Courriel | None


@dataclass(frozen=True)
class LigneDeService:
    service: Service | None
    avancee: Avancee


@dataclass(frozen=True)
class Tableau:
    """`personnes` : celles qui n'ont pas fini d'abord. `sans_personne` : les actions sans réponse que personne ne
    tient ; `injoignables` : ceux qui n'ont pas fini et à qui la campagne ne peut pas écrire."""

    campagne: Campagne
    ensemble: Avancee
    personnes: list[LigneDePersonne]
    services: list[LigneDeService]
    sans_personne: list[Any]
    injoignables: list[Injoignable]

    @property
    def ont_fini(self) -> int:
        return sum(ligne.avancee.complete for ligne in self.personnes)

    @property
    def a_relancer(self) -> bool:
        return self.campagne.close_le is None and any(not ligne.avancee.complete for ligne in self.personnes)


def tableau(campagne: Campagne) -> Tableau:
    """Quatre requêtes, quel que soit le nombre d'actions demandées."""
    demandes = list(campagne.demandes.avec_moments().avec_l_action())
    repartition = repartir([demande.action for demande in demandes])
    par_personne: dict[Utilisateur, list[DemandeDActualisation]] = {}
    par_service: dict[Service | None, list[DemandeDActualisation]] = {}
    for demande in demandes:
        attendu = repartition.attendu(demande.action)
        if attendu is not None:
            par_personne.setdefault(attendu, []).append(demande)
        service = demande.action.service_pilote or (attendu.service if attendu else None)
        par_service.setdefault(service, []).append(demande)
    courriels = {c.destinataire_id: c for c in Courriel.objects.filter(cle__startswith=campagne.cle).order_by("pk")}
    personnes = [
        LigneDePersonne(personne, Avancee.de(siennes), courriels.get(personne.pk))
        for personne, siennes in par_personne.items()
    ]
    services = [LigneDeService(service, Avancee.de(siennes)) for service, siennes in par_service.items()]
    muettes = {demande.action for demande in demandes if demande.repondue_le is None}
    return Tableau(
        campagne=campagne,
        ensemble=Avancee.de(demandes),
        personnes=sorted(personnes, key=_rang),
        services=sorted(services, key=lambda s: (s.service is None, str(s.service).casefold())),
        sans_personne=[action for action in repartition.sans_personne if action in muettes],
        injoignables=[sans for sans in repartition.injoignables if not muettes.isdisjoint(sans.actions)],
    )


def _rang(ligne: LigneDePersonne) -> tuple[bool, str, int]:
    """Ceux dont on attend encore quelque chose d'abord."""
    return ligne.avancee.complete, ligne.personne.nom.casefold(), ligne.personne.pk
