"""Les chiffres inventés, année par année. 2026 n'est connu qu'en partie, et provisoire."""

import datetime
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from indicateurs.listes import Etat, OrigineDeValeur

AU_TROISIEME_TRIMESTRE = "Au 30 septembre 2026."


@dataclass(frozen=True)
class Releve:
    """Une valeur et le jour où on l'a connue ; `champs` : ceux de ValeurAnnuelle ; `ventilation` : par modalité."""

    connue_le: datetime.date
    champs: dict[str, Any]
    ventilation: dict[str, Decimal] = field(default_factory=dict)


def _releve(annee: int, **champs: Any) -> Releve:
    """Validée, et connue à la fin janvier suivante ; 2026, provisoire et connue début octobre."""
    en_cours = annee == 2026
    connue_le = datetime.date(2026, 10, 5) if en_cours else datetime.date(annee + 1, 1, 26)
    defauts: dict[str, Any] = {
        "etat": Etat.PROVISOIRE if en_cours else Etat.VALIDEE,
        "origine": OrigineDeValeur.SAISIE,
    }
    if en_cours:
        defauts["remarque"] = AU_TROISIEME_TRIMESTRE
    nombres = {nom: Decimal(n) if isinstance(n, int) and not isinstance(n, bool) else n for nom, n in champs.items()}
    return Releve(connue_le, defauts | nombres | {"annee": annee})


def _comptes(**par_annee: int) -> tuple[Releve, ...]:
    """Une suite de valeurs : `a2022=142`."""
    return tuple(_releve(int(annee[1:]), valeur=valeur) for annee, valeur in par_annee.items())


def _parts(**par_annee: int) -> tuple[Releve, ...]:
    """Une suite de numérateurs, au dénominateur partagé."""
    return tuple(_releve(int(annee[1:]), numerateur=numerateur) for annee, numerateur in par_annee.items())


def _par_nature(annee: int, travaux: int, fournitures: int, services: int) -> Releve:
    """Un compte et sa ventilation, qui en fait le total."""
    nombres = {"Travaux": travaux, "Fournitures": fournitures, "Services": services}
    total = _releve(annee, valeur=sum(nombres.values()))
    return replace(total, ventilation={nom: Decimal(nombre) for nom, nombre in nombres.items()})


CHIFFRES = {
    "consultations": (
        _par_nature(2022, 38, 45, 59),
        _par_nature(2023, 46, 50, 70),
        _par_nature(2024, 51, 48, 72),
        _par_nature(2025, 46, 45, 72),
        _par_nature(2026, 33, 34, 54),
    ),
    "clauses-environnementales": _parts(a2022=24, a2023=42, a2024=60, a2025=78, a2026=74),
    "clauses-sociales": _parts(a2022=18, a2023=29, a2024=44, a2025=53),
    "heures-insertion": _comptes(a2022=8_420, a2023=11_950, a2024=17_310, a2025=19_480, a2026=15_725),
    "montant-achats": _comptes(a2022=38_412_650, a2023=41_087_300, a2024=44_930_120, a2025=43_265_880),
    "achats-locaux": _parts(a2022=18_822_000, a2023=21_776_300, a2024=25_160_900, a2025=23_363_600),
    "marches-pme": (
        _releve(
            2022,
            valeur=Decimal("57.5"),
            origine=OrigineDeValeur.CLASSEUR,
            remarque="Repris du tableau tenu avant le plan ; le détail n'a pas été conservé.",
        ),
        _releve(
            2023,
            numerateur=118,
            denominateur=196,
            rupture="Les lots sont comptés un par un ; avant 2023, un marché comptait pour un.",
        ),
        _releve(2024, numerateur=137, denominateur=214),
        _releve(2025, numerateur=141, denominateur=209),
    ),
    "montant-insertion": (
        _releve(
            2022,
            indisponible=True,
            motif_indisponibilite="La liste des structures n'existait pas : les mandats ne se trient pas.",
        ),
        *_comptes(a2023=214_300, a2024=352_870, a2025=468_150, a2026=391_400),
    ),
    "acheteurs-formes": (
        _releve(2022, numerateur=14, denominateur=86),
        _releve(2023, numerateur=33, denominateur=88),
        _releve(2024, numerateur=55, denominateur=91),
        _releve(2025, numerateur=64, denominateur=90),
        _releve(2026, numerateur=71, denominateur=92),
    ),
    "carbone": (
        *_comptes(a2022=24_150, a2023=23_480, a2024=23_910),
        _releve(
            2025,
            valeur=22_260,
            etat=Etat.PROVISOIRE,
            origine=OrigineDeValeur.CALCUL,
            remarque="Deux familles sont estimées d'après 2024, faute de facteurs à jour.",
        ),
    ),
}
