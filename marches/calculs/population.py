"""Les contrats d'un acheteur et d'une période, et ceux qu'on écarte, chacun avec un seul motif.

Source : décompte des marchés notifiés, arrêté du 22 décembre 2022 (`dateNotification`, `idAccordCadre`) ; v1 : nature
« Marché subséquent ».
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from marches.calculs.lignes import LigneDeContrat, Perimetre

SANS_DATE = "sans_date"
CONCESSION = "concession"
SUBSEQUENT = "subsequent"
MONTANT = "montant_"
MONTANT_ABSENT = "absent"


@dataclass
class Population:
    """Les contrats retenus, par date puis identifiant, et les identifiants écartés par motif."""

    retenus: list[LigneDeContrat] = field(default_factory=list)
    exclus: dict[str, list[int]] = field(default_factory=dict)

    def ecarter(self, motif: str, ligne: LigneDeContrat) -> None:
        self.exclus.setdefault(motif, []).append(ligne.id)


def motif_d_exclusion(ligne: LigneDeContrat) -> str:
    """Pourquoi cette ligne n'est pas un marché à compter ; vide si elle l'est.

    Un seul motif par ligne, dans cet ordre : sans date, écartée à la main ou doublon (`exclu`), concession, marché
    subséquent.
    """
    if ligne.date is None:
        return SANS_DATE
    if ligne.exclu:
        return ligne.exclu
    if ligne.concession:
        return CONCESSION
    return SUBSEQUENT if ligne.subsequent else ""


def marches_de(contrats: Iterable[LigneDeContrat], perimetre: Perimetre) -> Population:
    """Les marchés des acheteurs notifiés dans la période.

    Un contrat sans date n'est d'aucune période : tous ceux des acheteurs sont écartés sous `sans_date`, quelle que
    soit l'année. Les autres motifs ne comptent que des contrats de la période.
    """
    population = Population()
    for ligne in contrats:
        if ligne.siren not in perimetre.sirens or (ligne.date is not None and not perimetre.contient(ligne.date)):
            continue
        motif = motif_d_exclusion(ligne)
        if motif:
            population.ecarter(motif, ligne)
        else:
            population.retenus.append(ligne)
    population.retenus.sort(key=lambda ligne: (ligne.date, ligne.id))
    return population


def aux_montants_surs(population: Population) -> tuple[list[tuple[LigneDeContrat, Decimal]], dict[str, list[int]]]:
    """Les marchés dont le montant se croit, avec ce montant ; les autres rejoignent les exclus sous
    `montant_<drapeau>`.
    """
    surs: list[tuple[LigneDeContrat, Decimal]] = []
    exclus = {motif: list(ids) for motif, ids in population.exclus.items()}
    for ligne in population.retenus:
        if ligne.drapeau or ligne.montant is None:
            exclus.setdefault(f"{MONTANT}{ligne.drapeau or MONTANT_ABSENT}".lower(), []).append(ligne.id)
        else:
            surs.append((ligne, ligne.montant))
    return surs, exclus
