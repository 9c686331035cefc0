"""La page d'un service dans une collecte : ses lignes à saisir, ce qui lui est renvoyé, ce qu'il transmet."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.http import urlencode

from comptes.droits import Droit, Portee, peut, portee
from comptes.models import Service, Utilisateur
from indicateurs.collectes import CLOSE, Collecte
from indicateurs.feuille_de_saisie import dans_l_ordre_de_saisie, indicateurs_a_saisir
from indicateurs.ligne_de_saisie import LigneDeSaisie, lignes_de_saisie
from indicateurs.lignes_de_collecte import TRANSMISSIBLES, LigneDeCollecte, lignes_de
from indicateurs.listes import EtatDeDemande
from socle.erreurs import Introuvable
from socle.formats import accorder
from socle.grilles import cles_envoyees


@dataclass(frozen=True)
class ReponseDeService:
    """Ce qu'une collecte demande à un service. Qui saisit tout peut en choisir un (`?service=`)."""

    collecte: Collecte
    service: Service
    auteur: Utilisateur
    choisi: bool

    @classmethod
    def demandee(cls, collecte: Collecte, demande: Mapping[str, str], auteur: Utilisateur) -> Self:
        """Lève Introuvable sans ce service, PermissionDenied s'il n'est pas le sien."""
        numero = demande.get("service", "")
        if not numero:
            if auteur.service is None:
                raise Introuvable("Votre compte n'a pas de service : aucune valeur ne lui est demandée.")
            return cls(collecte, auteur.service, auteur, choisi=False)
        cle = int(numero) if numero.isdecimal() and len(numero) < 10 else 0
        service = Service.objects.filter(pk=cle).first()
        if service is None:
            raise Introuvable("Ce service n'existe pas.")
        if portee(auteur, Droit.SAISIR_UNE_DONNEE) is not Portee.TOUT and service != auteur.service:
            raise PermissionDenied("Ce n'est pas votre service : vous ne répondez que pour le vôtre.")
        return cls(collecte, service, auteur, choisi=True)

    @cached_property
    def demandees(self) -> list[LigneDeCollecte]:
        return lignes_de(self.collecte.demandes.filter(indicateur__service=self.service))

    @property
    def ouvertes(self) -> list[LigneDeCollecte]:
        """Celles qui se saisissent encore ici : ni validées, ni fermées."""
        closes = (EtatDeDemande.VALIDEE, EtatDeDemande.INDISPONIBLE)
        return [ligne for ligne in self.demandees if ligne.etat not in closes]

    @property
    def fermees(self) -> list[LigneDeCollecte]:
        ouvertes = self.ouvertes
        return [ligne for ligne in self.demandees if ligne not in ouvertes]

    @property
    def renvoyees(self) -> list[LigneDeCollecte]:
        return [ligne for ligne in self.demandees if ligne.etat == EtatDeDemande.RENVOYEE]

    @property
    def dues(self) -> int:
        return sum(ligne.due for ligne in self.demandees)

    @property
    def ouverte(self) -> bool:
        return self.collecte.close_le is None

    @property
    def mene(self) -> bool:
        """L'auteur mène la collecte : son tableau lui est ouvert."""
        return peut(self.auteur, Droit.VALIDER)

    @property
    def lignes(self) -> list[LigneDeSaisie]:
        if self.collecte.close_le:
            return []
        indicateurs = dans_l_ordre_de_saisie([ligne.indicateur for ligne in self.ouvertes])
        return lignes_de_saisie(indicateurs, self.collecte.annee, self.auteur)

    def envoyees(self, envoi: Mapping[str, str], cles: Iterable[str]) -> list[LigneDeSaisie]:
        """Les lignes d'un envoi, telles que tapées ; seulement celles que la collecte demande à ce service."""
        rangs = {cle: rang for rang, cle in enumerate(cles_envoyees(cles))}
        demandes = self.collecte.demandes.filter(indicateur__service=self.service).values("indicateur")
        lus = indicateurs_a_saisir().filter(pk__in=rangs).filter(pk__in=demandes)
        indicateurs = sorted(lus, key=lambda indicateur: rangs[indicateur.pk])
        return lignes_de_saisie(indicateurs, self.collecte.annee, self.auteur, envoi)

    def transmettre(self) -> int:
        """Transmet chaque ligne qui a une réponse ; rend combien. Ce qui se refuse reste où il en était.

        Lève ValidationError si la collecte est close.
        """
        if self.collecte.close_le:
            raise ValidationError(CLOSE)
        faites = 0
        for ligne in lignes_de(self.collecte.demandes.filter(indicateur__service=self.service)):
            if ligne.etat in TRANSMISSIBLES and ligne.valeur is not None:
                try:
                    ligne.demande.transmettre(self.auteur)
                except ValidationError as refus:
                    if CLOSE in refus.messages:
                        raise
                    # Renvoyée et inchangée ; ou validée, dite indisponible par un autre entre la lecture et le verrou.
                    continue
                faites += 1
        return faites

    def compte_rendu(self, faites: int) -> str:
        """« 2 valeurs transmises. Il en manque 1. »"""
        manquent = sum(
            ligne.due for ligne in lignes_de(self.collecte.demandes.filter(indicateur__service=self.service))
        )
        transmises = accorder(faites, "valeur transmise", "valeurs transmises")
        debut = transmises if faites else "Rien de nouveau à transmettre"
        return f"{debut}. " + (f"Il en manque {manquent}." if manquent else "Il n'en manque aucune.")

    @property
    def adresse(self) -> str:
        suite = f"?{urlencode({'service': self.service.pk})}" if self.choisi else ""
        return f"{self.collecte.adresse_de_reponse}{suite}"
