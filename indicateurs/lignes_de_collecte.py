"""Où en est chaque ligne d'une collecte, et à qui elle est demandée. Un nombre constant de requêtes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from comptes.droits import Droit, peut, roles_qui_peuvent
from comptes.models import Service, Utilisateur
from indicateurs.collectes import Collecte
from indicateurs.comparaisons import Comparaison
from indicateurs.demandes_de_valeur import DemandeDeValeur, etat_de
from indicateurs.listes import EtatDeDemande
from indicateurs.models import Indicateur, ValeurAnnuelle
from indicateurs.plausibilite import ecart_etonnant

# Ce qu'on attend encore du service.
DUES = (EtatDeDemande.MANQUANTE, EtatDeDemande.RENVOYEE)
# Ce que le service peut transmettre.
TRANSMISSIBLES = (EtatDeDemande.RECUE, EtatDeDemande.RENVOYEE)


@dataclass(frozen=True)
class LigneDeCollecte:
    """Une demande, sa valeur face à celle de l'année d'avant, et où elle en est."""

    demande: DemandeDeValeur
    comparaison: Comparaison
    etat: EtatDeDemande
    # La dernière version de la valeur dans son historique : qui et quand. Posée par le tableau.
    saisie: Any = None

    @property
    def indicateur(self) -> Indicateur:
        return self.demande.indicateur

    @property
    def valeur(self) -> ValeurAnnuelle | None:
        return self.comparaison.valeur

    @property
    def precedente(self) -> ValeurAnnuelle | None:
        return self.comparaison.precedente

    @property
    def etonnement(self) -> str:
        return ecart_etonnant(self.comparaison)

    @property
    def renvoi(self) -> str:
        """Ce qui n'allait pas, tant que le service ne l'a pas repris ; vide sinon."""
        return self.demande.motif_de_renvoi if self.etat == EtatDeDemande.RENVOYEE else ""

    @property
    def due(self) -> bool:
        return self.etat in DUES

    @property
    def a_valider(self) -> bool:
        return self.etat in (EtatDeDemande.RECUE, EtatDeDemande.A_VALIDER)

    @property
    def se_renvoie(self) -> bool:
        return self.valeur is not None and self.etat != EtatDeDemande.RENVOYEE


@dataclass(frozen=True)
class Demandeur:
    """Un service à qui l'on demande : ceux qui peuvent y répondre et recevoir un courriel, et ce qu'il doit encore."""

    service: Service
    personnes: list[Utilisateur]
    dues: list[LigneDeCollecte]


@dataclass(frozen=True)
class Attente:
    """Une collecte ouverte, et combien de valeurs un service y doit encore."""

    collecte: Collecte
    nombre: int


def lignes_de(demandes: QuerySet[DemandeDeValeur]) -> list[LigneDeCollecte]:
    """Deux requêtes : les demandes, puis leurs valeurs et celles d'avant. Dans l'ordre des services, puis du nom."""
    liens = ("collecte", "indicateur__service", "indicateur__denominateur")
    lues = list(demandes.select_related(*liens).order_by("indicateur__service__nom", "indicateur__intitule", "pk"))
    annees = {annee for d in lues for annee in (d.collecte.annee, d.collecte.annee - 1)}
    valeurs = ValeurAnnuelle.objects.avec_valeur().filter(annee__in=annees)
    # Une sous-requête, non des centaines de clés.
    annotees = valeurs.filter(indicateur__in=demandes.order_by().values("indicateur")).select_related("indicateur")
    par_cle = {(v.indicateur_id, v.annee): v for v in annotees} if lues else {}
    return [_ligne(demande, par_cle) for demande in lues]


def _ligne(demande: DemandeDeValeur, valeurs: dict[tuple[int, int], ValeurAnnuelle]) -> LigneDeCollecte:
    annee, indicateur = demande.collecte.annee, demande.indicateur
    valeur = valeurs.get((indicateur.pk, annee))
    comparaison = Comparaison(indicateur, valeur, valeurs.get((indicateur.pk, annee - 1)))
    return LigneDeCollecte(demande, comparaison, etat_de(demande, valeur))


def demandeurs(collecte: Collecte) -> list[Demandeur]:
    """Les services qui doivent encore une valeur. Trois requêtes."""
    dues: dict[Service, list[LigneDeCollecte]] = {}
    for ligne in lignes_de(collecte.demandes.all()):
        if ligne.due and ligne.indicateur.service is not None:
            dues.setdefault(ligne.indicateur.service, []).append(ligne)
    personnes = qui_saisit(dues)
    return [Demandeur(service, personnes.get(service.pk, []), lignes) for service, lignes in dues.items()]


def qui_saisit(services: Iterable[Service]) -> dict[int, list[Utilisateur]]:
    """Par service, ceux qui peuvent y saisir une valeur et à qui un courriel peut être écrit. Une requête."""
    peuvent = Utilisateur.objects.filter(
        is_active=True, service__in=list(services), groups__name__in=roles_qui_peuvent(Droit.SAISIR_UNE_DONNEE)
    )
    par_service: dict[int, list[Utilisateur]] = {}
    for personne in peuvent.distinct().order_by("nom", "pk"):
        if personne.joignable and personne.service_id is not None:
            par_service.setdefault(personne.service_id, []).append(personne)
    return par_service


def dues_par_service(service: int | None = None) -> dict[int | None, list[Attente]]:
    """Par service (ou pour celui-là), les collectes ouvertes où il doit encore une valeur, la plus pressée d'abord.
    Deux requêtes."""
    demandes = DemandeDeValeur.objects.filter(collecte__close_le__isnull=True, indicateur__service__isnull=False)
    if service is not None:
        demandes = demandes.filter(indicateur__service=service)
    nombres: dict[tuple[int | None, Collecte], int] = {}
    for ligne in lignes_de(demandes):
        if ligne.due:
            cle = ligne.indicateur.service_id, ligne.demande.collecte
            nombres[cle] = nombres.get(cle, 0) + 1
    par_service: dict[int | None, list[Attente]] = {}
    pressees = sorted(nombres.items(), key=lambda due: (due[0][1].avant_le, due[0][1].pk))
    for (cle_du_service, collecte), nombre in pressees:
        par_service.setdefault(cle_du_service, []).append(Attente(collecte, nombre))
    return par_service


def attentes(utilisateur) -> list[Attente]:
    """Les collectes ouvertes où son service doit encore une valeur. Deux requêtes au plus."""
    if not peut(utilisateur, Droit.SAISIR_UNE_DONNEE) or utilisateur.service_id is None:
        return []
    return dues_par_service(utilisateur.service_id).get(utilisateur.service_id, [])
