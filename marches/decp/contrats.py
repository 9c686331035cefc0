"""Un contrat tel qu'un enregistrement DECP le dit, quel que soit le format d'où il vient.

Sources : arrêtés du 22 décembre 2022 (ECOM2235715A, marchés ; ECOM2235716A, concessions), schéma 2.0.4 ; arrêté du 22
mars 2019, schéma 1.5.0 ; format tabulaire de decp.info.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import IO, Any, Self

from marches.reponses import Reponse


class Format(Enum):
    """Ce que le contenu d'un fichier montre ; la valeur est celle du compte rendu `--json`."""

    JSON_V1 = "json-v1"
    JSON_V2 = "json-v2"
    XML = "xml"
    TABULAIRE = "tabulaire"


class FichierIllisible(Exception):
    """Le fichier entier est refusé ; le message, en français, dit pourquoi et où."""


class Motif(Enum):
    """Pourquoi un enregistrement est refusé : le code du compte rendu, et la phrase qui l'explique."""

    ILLISIBLE = "illisible", "Ce n'est pas un contrat : l'enregistrement ne se lit pas."
    SANS_ACHETEUR = "sans_acheteur", "L'acheteur n'est pas nommé par un SIRET ou un SIREN."
    SANS_CONTENU = "sans_contenu", "Ni objet, ni date, ni montant, ni titulaire : rien n'y décrit un contrat."

    def __init__(self, code: str, phrase: str) -> None:
        self.code = code
        self.phrase = phrase


def phrase_du_motif(code: str) -> str:
    """La phrase d'un code de refus ; le code lui-même s'il vient d'une autre version."""
    return next((motif.phrase for motif in Motif if motif.code == code), code)


@dataclass(frozen=True, slots=True)
class Brut:
    """Un enregistrement du fichier : sa place (à partir de 1), et ce qu'il contient, tel quel.

    `contenu` : l'élément du JSON, l'élément XML en dictionnaire, la ligne du CSV par nom de colonne. Pour une
    concession, la clé `_type` vaut « Contrat de concession » si le fichier le dit par sa liste et non par
    l'enregistrement. `contenu` est None, et `defaut` dit pourquoi, quand l'enregistrement ne se lit pas.
    """

    position: int
    contenu: dict[str, Any] | None
    defaut: str = ""


@dataclass(frozen=True, order=True)
class TitulaireLu:
    """Un titulaire. Son lieu n'est que dans le format tabulaire ; code commune INSEE, département, vides s'ils
    manquent."""

    identifiant: str
    type_identifiant: str = ""
    nom: str = ""
    commune: str = ""
    departement: str = ""
    categorie: str = ""


@dataclass(frozen=True)
class ModificationLue:
    """Une modification publiée : ce qu'elle change, et rien du reste. Montant en euros hors taxes, durée en mois."""

    le: datetime.date | None
    montant: Decimal | None = None
    duree_mois: int | None = None
    titulaires: tuple[TitulaireLu, ...] = ()
    objet: str = ""


@dataclass(frozen=True)
class ContratLu:
    """Ce qu'un enregistrement dit d'un contrat, à l'état initial. Montant en euros hors taxes.

    `siret` : celui de l'acheteur, 14 chiffres, ou 9 si le fichier ne donne que le SIREN. `identifiant` : l'id
    normalisé (`normaliser_l_identifiant`), vide s'il manque ou n'est fait que de zéros. `titulaires` est trié, sans
    doublon. `anomalies` : les codes de ce qui manque ou ne se croit pas (« sans_date », « date_invalide »,
    « sans_montant », « sans_titulaire », « sans_objet », « siret_invalide »…), signalé et jamais refusé.
    """

    siret: str
    identifiant: str
    objet: str
    date: datetime.date | None
    montant: Decimal | None
    titulaires: tuple[TitulaireLu, ...]
    publie_le: datetime.date | None = None
    acheteur: str = ""
    concession: bool = False
    nature: str = ""
    procedure: str = ""
    cpv: str = ""
    techniques: tuple[str, ...] = ()
    duree_mois: int | None = None
    offres_recues: int | None = None
    accord_cadre: str = ""
    environnement: Reponse = Reponse.INCONNU
    social: Reponse = Reponse.INCONNU
    considerations: tuple[str, ...] = ()
    modifications: tuple[ModificationLue, ...] = ()
    anomalies: tuple[str, ...] = ()
    # Format tabulaire seulement : le rang de la modification que la ligne porte (0 : l'état initial), None s'il
    # manque.
    modification: int | None = None

    @property
    def siren(self) -> str:
        return self.siret[:9]


@dataclass(frozen=True)
class Refus:
    """Un enregistrement qu'on ne garde pas, et pourquoi."""

    motif: Motif
    precision: str = ""


@dataclass
class Avancement:
    """Où en est la lecture : octets du fichier déjà lus sur `taille`, enregistrements lus (écartés compris).

    `autres_acheteurs` : ceux que `ouvrir(chemin, sirens=…)` a passés sans les donner, leur acheteur n'étant pas
    demandé.
    """

    taille: int
    octets: int = 0
    lus: int = 0
    autres_acheteurs: int = 0


@dataclass(frozen=True)
class Lecture:
    """Un fichier reconnu : son format, et de quoi le lire une fois, au fil de l'eau.

    Un fichier qui se rompt en route lève `FichierIllisible` quand la lecture y arrive : rien de ce qui précède ne
    vaut. S'emploie avec `with`, qui ferme le fichier.
    """

    format: Format
    enregistrements: Iterator[Brut] = field(repr=False)
    avancement: Avancement
    fichier: IO[bytes] = field(repr=False)

    def fermer(self) -> None:
        self.fichier.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *erreur: object) -> None:
        self.fermer()
