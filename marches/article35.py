"""Ce que l'article 35 de la loi Climat et résilience demande à chaque lot, et ce qui y manque.

Source : loi 2021-1104 du 22 août 2021, article 35 ; code de la commande publique, articles L2112-2 (condition
d'exécution prenant en compte l'environnement), L2152-7 (au moins un critère d'attribution prenant en compte
l'environnement), L2112-2-1 (condition d'exécution sociale, marchés dont la valeur estimée atteint le seuil européen) ;
décret 2022-767 du 2 mai 2022 : consultations lancées à partir du 21 août 2026. Condition et critère sont cumulatifs.

Rien ici ne lit la base : des lots entrent, des constats sortent. Montants en euros hors taxes.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Protocol

from marches.listes import Nature, Suite
from marches.reponses import Reponse


class Point(Enum):
    """Ce qui est vérifié : le code de l'adresse, le libellé, l'article."""

    CONDITION = "condition", "Condition d'exécution environnementale", "L2112-2"
    CRITERE = "critere", "Critère d'attribution environnemental", "L2152-7"
    SOCIAL = "social", "Condition d'exécution sociale, au-dessus du seuil européen", "L2112-2-1"

    def __init__(self, code: str, libelle: str, article: str) -> None:
        self.code = code
        self.libelle = libelle
        self.article = article


class Etat(Enum):
    """Ce qu'un lot dit d'un point. Non renseigné n'est pas non ; NON_FAIT : de quoi vérifier manque."""

    NON = "non", "Non"
    INCONNU = "inconnu", "Non renseigné"
    EN_REGLE = "oui", "Oui"
    NON_FAIT = "non-fait", "Vérification impossible"
    SANS_OBJET = "sans-objet", "Sous le seuil"

    def __init__(self, code: str, libelle: str) -> None:
        self.code = code
        self.libelle = libelle

    @property
    def manque(self) -> bool:
        return self in (Etat.NON, Etat.INCONNU)


_DE_LA_REPONSE = {Reponse.OUI: Etat.EN_REGLE, Reponse.NON: Etat.NON, Reponse.INCONNU: Etat.INCONNU}


@dataclass(frozen=True)
class Seuils:
    """Les seuils européens, en euros hors taxes ; None tant qu'il n'est pas renseigné : le point ne se vérifie pas."""

    travaux: Decimal | None
    fournitures_services: Decimal | None

    def pour(self, nature: str) -> Decimal | None:
        """Celui de cette nature ; None si elle n'est pas dite."""
        if nature == Nature.TRAVAUX:
            return self.travaux
        return self.fournitures_services if nature else None


class Lot(Protocol):
    """Ce qu'on lit d'un lot : `marches.models.LotDeConsultation` convient."""

    suite: str
    montant_ht: Decimal | None
    maximum_ht: Decimal | None
    clause_environnementale: str
    critere_environnemental: str
    clause_sociale: str
    motif_derogation: str


@dataclass(frozen=True)
class Examen:
    """Un lot et ce que chaque point en dit."""

    lot: Lot
    etats: dict[Point, Etat]

    @property
    def motif(self) -> str:
        return self.lot.motif_derogation

    @property
    def manques(self) -> tuple[Point, ...]:
        return tuple(point for point, etat in self.etats.items() if etat.manque)

    @property
    def lignes(self) -> list[tuple[Point, Etat]]:
        """Chaque point et son état, à montrer."""
        return list(self.etats.items())


def concerne(lancee_le: datetime.date | None, depuis: datetime.date) -> bool:
    return lancee_le is not None and lancee_le >= depuis


def valeur_estimee(estimation: Decimal | None, lots: Iterable[Lot]) -> Decimal | None:
    """La valeur de toute la consultation, lots additionnés : son estimation, à défaut le maximum ou le montant de ses
    lots ; None si rien ne la dit."""
    if estimation is not None:
        return estimation
    montants = [lot.maximum_ht if lot.maximum_ht is not None else lot.montant_ht for lot in lots]
    dits = [montant for montant in montants if montant is not None]
    return sum(dits, Decimal(0)) if dits else None


def examiner(nature: str, estimation: Decimal | None, lots: Sequence[Lot], seuils: Seuils) -> list[Examen]:
    """Chaque lot de la consultation ; ceux qu'on a abandonnés avant publication n'ont rien à dire."""
    social = _etat_du_seuil(valeur_estimee(estimation, lots), seuils.pour(nature))
    return [
        Examen(
            lot,
            {
                Point.CONDITION: _DE_LA_REPONSE[Reponse(lot.clause_environnementale)],
                Point.CRITERE: _DE_LA_REPONSE[Reponse(lot.critere_environnemental)],
                Point.SOCIAL: social or _DE_LA_REPONSE[Reponse(lot.clause_sociale)],
            },
        )
        for lot in lots
        if lot.suite != Suite.ABANDONNE
    ]


def _etat_du_seuil(valeur: Decimal | None, seuil: Decimal | None) -> Etat | None:
    """Pourquoi le point social n'a pas à se lire sur le lot ; None s'il le faut."""
    if valeur is None or seuil is None:
        return Etat.NON_FAIT
    return Etat.SANS_OBJET if valeur < seuil else None


@dataclass(frozen=True)
class Case:
    """Un nombre de la page et les filtres qui montrent ses lots."""

    nombre: int
    filtres: str


@dataclass(frozen=True)
class Decompte:
    """Une ligne du tableau : un point, et ses lots par état."""

    point: Point
    non: Case
    non_motive: Case
    inconnu: Case
    inconnu_motive: Case
    en_regle: Case
    sans_objet: Case
    non_fait: Case


def decompter(examens: Sequence[Examen]) -> list[Decompte]:
    return [_decompte(point, examens) for point in Point]


def _decompte(point: Point, examens: Sequence[Examen]) -> Decompte:
    def case(etat: Etat, motif: bool | None = None) -> Case:
        nombre = sum(correspond(examen, point, etat, motif) for examen in examens)
        dit = "" if motif is None else f"&motif={'oui' if motif else 'non'}"
        return Case(nombre, f"?point={point.code}&etat={etat.code}{dit}")

    return Decompte(
        point,
        non=case(Etat.NON, False),
        non_motive=case(Etat.NON, True),
        inconnu=case(Etat.INCONNU, False),
        inconnu_motive=case(Etat.INCONNU, True),
        en_regle=case(Etat.EN_REGLE),
        sans_objet=case(Etat.SANS_OBJET),
        non_fait=case(Etat.NON_FAIT),
    )


def correspond(examen: Examen, point: Point | None, etat: Etat | None, motif: bool | None) -> bool:
    """L'examen répond-il à ces filtres ? Sans état, un lot auquel rien ne manque n'y répond pas."""
    points = examen.etats if point is None else {point: examen.etats[point]}
    trouve = any(e is etat if etat else e.manque for e in points.values())
    return trouve and (motif is None or bool(examen.motif) is motif)
