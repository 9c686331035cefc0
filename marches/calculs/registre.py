"""Ce que le registre des consultations dit d'une année : les finalisées, et celles qui ont intégré une considération.

Source : registre du service, un lot par ligne, suite donnée par lot. Une consultation est finalisée quand chacun de
ses lots est notifié ou déclaré sans suite ; les lots abandonnés avant publication ne comptent pas ; son année est
celle de la dernière de ces dates. Définition à confirmer par la collectivité, affichée avec le chiffre.
"""

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from marches.calculs.lignes import LigneDeConsultation, LigneDeLot, Perimetre
from marches.calculs.resultats import Resultat, compte, part_en_nombre
from marches.listes import Suite
from marches.reponses import Reponse, au_moins_un

FINALES = frozenset({Suite.NOTIFIE, Suite.SANS_SUITE})

SANS_DATE = "sans_date"
MOTIF_ABANDONNEE = "abandonnee"


@dataclass
class Finalisees:
    """Les consultations finalisées dans la période, et les écartées par motif."""

    retenues: list[LigneDeConsultation] = field(default_factory=list)
    exclus: dict[str, list[int]] = field(default_factory=dict)


def lots_publies(consultation: LigneDeConsultation) -> list[LigneDeLot]:
    """Les lots qui comptent : tous, moins les abandonnés avant publication."""
    return [lot for lot in consultation.lots if lot.suite != Suite.ABANDONNE]


def est_finalisee(consultation: LigneDeConsultation) -> bool:
    """Chaque lot publié est notifié ou déclaré sans suite ; sans lot publié, rien n'est finalisé."""
    lots = lots_publies(consultation)
    return bool(lots) and all(lot.suite in FINALES for lot in lots)


def finalisee_le(consultation: LigneDeConsultation) -> datetime.date | None:
    """Le jour de la dernière suite donnée ; None si elle n'est pas finalisée, ou si une date manque : ce peut être
    la dernière.
    """
    dates = [lot.date_de_suite for lot in lots_publies(consultation)]
    connues = [jour for jour in dates if jour is not None]
    return max(connues) if est_finalisee(consultation) and len(connues) == len(dates) else None


def finalisees(consultations: Iterable[LigneDeConsultation], perimetre: Perimetre) -> Finalisees:
    """Celles de la période. Écartées : `sans_date`, finalisées dont une date manque, quelle que soit l'année ;
    `abandonnee`, celles dont tous les lots l'ont été, la dernière fois dans la période.
    """
    tri = Finalisees()
    for consultation in consultations:
        jour = finalisee_le(consultation)
        if jour is not None:
            if perimetre.contient(jour):
                tri.retenues.append(consultation)
        elif est_finalisee(consultation):
            tri.exclus.setdefault(SANS_DATE, []).append(consultation.id)
        elif consultation.lots and not lots_publies(consultation):
            dates = [lot.date_de_suite for lot in consultation.lots if lot.date_de_suite is not None]
            if dates and perimetre.contient(max(dates)):
                tri.exclus.setdefault(MOTIF_ABANDONNEE, []).append(consultation.id)
    return tri


def consultations_finalisees(consultations: Iterable[LigneDeConsultation], perimetre: Perimetre) -> Resultat:
    """Le nombre de consultations finalisées dans la période.

    Numérateur : elles. Pas de dénominateur. Exclus : `sans_date`, `abandonnee`. Version 1.
    """
    tri = finalisees(consultations, perimetre)
    return compte("consultations_finalisees", (consultation.id for consultation in tri.retenues), tri.exclus)


def part_environnementale_consultations(
    consultations: Iterable[LigneDeConsultation], perimetre: Perimetre
) -> Resultat:
    """La part des consultations finalisées dont un lot au moins a une condition d'exécution ou un critère
    environnemental.

    Un lot dit oui si l'un des deux dit oui, non si les deux disent non. Une consultation dit oui si au moins un lot
    dit oui, non si tous disent non. Numérateur : les oui. Dénominateur : les oui et les non. Inconnus : les autres.
    Version 1.
    """
    return _part("part_environnementale_consultations", consultations, perimetre, environnement_du_lot)


def part_sociale_consultations(consultations: Iterable[LigneDeConsultation], perimetre: Perimetre) -> Resultat:
    """La part des consultations finalisées dont un lot au moins a une condition ou un critère social ; mêmes
    règles. Version 1.
    """
    return _part("part_sociale_consultations", consultations, perimetre, social_du_lot)


def environnement_du_lot(lot: LigneDeLot) -> Reponse:
    return au_moins_un((Reponse(lot.environnement_condition), Reponse(lot.environnement_critere)))


def social_du_lot(lot: LigneDeLot) -> Reponse:
    return au_moins_un((Reponse(lot.social_condition), Reponse(lot.social_critere)))


def _part(
    code: str,
    consultations: Iterable[LigneDeConsultation],
    perimetre: Perimetre,
    du_lot: Callable[[LigneDeLot], Reponse],
) -> Resultat:
    tri = finalisees(consultations, perimetre)
    par_reponse: dict[Reponse, list[int]] = {reponse: [] for reponse in Reponse}
    for consultation in tri.retenues:
        par_reponse[au_moins_un(du_lot(lot) for lot in lots_publies(consultation))].append(consultation.id)
    return part_en_nombre(
        code, par_reponse[Reponse.OUI], par_reponse[Reponse.NON], par_reponse[Reponse.INCONNU], tri.exclus
    )
