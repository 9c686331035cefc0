"""Ce que les calculs lisent : des lignes nues, sans base ni fichier, pour qu'un calcul se rejoue et s'essaie partout.

Montants en euros : hors taxes pour les contrats ; hors taxes ou toutes taxes comprises, dites par `base`, pour les
mandats.
"""

import datetime
import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Protocol

from marches.reponses import Reponse


class Territoire(Protocol):
    """Un ensemble nommé de communes (codes INSEE) ou de départements (« 34 », « 2A », « 974 »)."""

    @property
    def communes(self) -> Collection[str]: ...

    @property
    def departements(self) -> Collection[str]: ...


@dataclass(frozen=True, slots=True)
class LieuDeTitulaire:
    """Un titulaire et son lieu : code commune INSEE et département, vides s'ils ne sont pas connus.

    `type` : celui de la publication (SIRET, TVA, TAHITI, RIDET, FRWF, IREP, HORS-UE), vide s'il manque.
    """

    siret: str
    type: str = "SIRET"
    commune: str = ""
    departement: str = ""


@dataclass(frozen=True, slots=True)
class LigneDeContrat:
    """Un contrat publié (DECP), à son état initial.

    `montant` : euros hors taxes, montant maximum pour un accord-cadre ; None s'il manque. `drapeau` : pourquoi ce
    montant ne se croit pas (« symbolique », « neufs »…), vide s'il se croit. `subsequent` : marché passé sur un
    accord-cadre déjà compté. `exclu` : le motif qui l'écarte de tout calcul (« doublon »), vide s'il compte.
    `consultation` : la consultation confirmée qui le tient, None s'il n'y en a pas.
    """

    id: int
    siren: str
    identifiant: str
    objet: str
    procedure: str
    nature: str
    concession: bool
    date: datetime.date | None
    montant: Decimal | None
    drapeau: str = ""
    environnement: str = Reponse.INCONNU
    social: str = Reponse.INCONNU
    subsequent: bool = False
    exclu: str = ""
    titulaires: tuple[LieuDeTitulaire, ...] = ()
    consultation: int | None = None


@dataclass(frozen=True, slots=True)
class LigneDeLot:
    """Un lot du registre : sa suite donnée, la date de cette suite, et ce qu'il demande.

    `suite` : code de la suite donnée (`listes.Suite`), vide tant qu'elle n'est pas dite. La condition
    d'exécution (la clause) et le critère d'attribution sont tenus à part : ils sont cumulatifs pour les consultations
    lancées à partir du 21/08/2026 (loi 2021-1104, article 35).
    """

    suite: str = ""
    date_de_suite: datetime.date | None = None
    environnement_condition: str = Reponse.INCONNU
    environnement_critere: str = Reponse.INCONNU
    social_condition: str = Reponse.INCONNU
    social_critere: str = Reponse.INCONNU
    id: int | None = None


@dataclass(frozen=True, slots=True)
class LigneDeConsultation:
    """Une consultation du registre et tous ses lots ; sans allotissement, elle en a un."""

    id: int
    numero: str
    lots: tuple[LigneDeLot, ...] = ()


@dataclass(frozen=True, slots=True)
class LigneDeMandats:
    """Ce qui a été mandaté à un tiers dans l'exercice, net des annulations, en euros.

    `base` : « HT » ou « TTC ». `communes` : celles que son code postal peut désigner, None si rien ne dit où il est.
    """

    id: int
    exercice: int
    budget: str
    base: str
    montant: Decimal
    communes: frozenset[str] | None = None
    departement: str = ""


@dataclass(frozen=True, slots=True)
class Groupe:
    """Une consultation estimée : des contrats du même acheteur, de la même procédure, de la même racine d'objet,
    rapprochés.

    `contrats` : leurs identifiants, par date de notification. `racine` : l'objet plié, avant la mention du lot.
    `consultation` : la consultation confirmée qui les tient ; alors ni la racine ni les dates ne comptent.
    """

    siren: str
    procedure: str
    racine: str
    premiere: datetime.date
    derniere: datetime.date
    contrats: tuple[int, ...]
    consultation: int | None = None


@dataclass(frozen=True)
class Donnees:
    """Tout ce qu'un calcul peut lire, quels que soient l'année et l'acheteur : c'est le calcul qui choisit.

    `groupes` : les consultations estimées de tous les contrats, quand elles sont déjà faites ; `contrats` peut alors
    n'avoir que ceux de la période et ceux qui n'ont pas de date.
    """

    contrats: tuple[LigneDeContrat, ...] = ()
    consultations: tuple[LigneDeConsultation, ...] = ()
    mandats: tuple[LigneDeMandats, ...] = ()
    groupes: tuple[Groupe, ...] | None = None


@dataclass(frozen=True)
class Perimetre:
    """Sur quoi porte un calcul : des acheteurs, du jour `debut` au jour `fin` compris, un territoire s'il en faut un.

    `acheteurs` : un SIREN, ou plusieurs, triés et joints par « + » (`ResultatDeCalcul.perimetre`).
    """

    acheteurs: str
    debut: datetime.date
    fin: datetime.date
    territoire: Territoire | None = field(default=None, compare=False)

    @classmethod
    def annee(cls, acheteurs: str, annee: int, territoire: Territoire | None = None) -> "Perimetre":
        """Du 1er janvier au 31 décembre."""
        return cls(acheteurs, datetime.date(annee, 1, 1), datetime.date(annee, 12, 31), territoire)

    @cached_property
    def sirens(self) -> frozenset[str]:
        return frozenset(self.acheteurs.split("+")) - {""}

    def contient(self, jour: datetime.date) -> bool:
        return self.debut <= jour <= self.fin


Ligne = LigneDeContrat | LigneDeConsultation | LigneDeMandats


def empreinte(ligne: Ligne) -> str:
    """Le sha256 de ce que dit cette ligne : il change si, et seulement si, elle change."""
    return hashlib.sha256(f"{type(ligne).__name__}{_texte(ligne)}".encode()).hexdigest()


def _texte(valeur: object) -> str:
    """Une écriture qui ne dépend ni de l'ordre d'un ensemble, ni de l'écriture d'un décimal (1 et 1,00)."""
    slots = getattr(valeur, "__slots__", None)
    if isinstance(valeur, Decimal):
        return format(valeur.normalize(), "f")
    if isinstance(valeur, frozenset):
        return repr(sorted(valeur))
    if isinstance(valeur, tuple):
        return "(" + ",".join(_texte(element) for element in valeur) + ")"
    if slots and not isinstance(valeur, str | datetime.date):
        return "{" + ",".join(f"{nom}={_texte(getattr(valeur, nom))}" for nom in slots) + "}"
    return repr(str(valeur)) if isinstance(valeur, str) else repr(valeur)
