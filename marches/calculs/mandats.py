"""Ce que les mandats disent des achats d'un exercice : la part payée à des tiers du territoire.

Source : export du logiciel financier, totaux par tiers et commune, chapitres d'achats seulement (011, 20 sauf 204,
21, 23 de la nomenclature M57), net des annulations. Hors taxes et toutes taxes comprises ne s'additionnent jamais.
"""

import datetime
from collections.abc import Iterable
from fractions import Fraction

from marches.calculs.lignes import LigneDeMandats, Perimetre
from marches.calculs.resultats import Pesee, Resultat, part_en_montant
from marches.lieux import local
from marches.reponses import Reponse

CODE = "part_locale_achats"
BASES_MIXTES = "bases_mixtes"
EXERCICE_PARTIEL = "exercice_partiel"

PARTS = {Reponse.OUI: Fraction(1), Reponse.NON: Fraction(0), Reponse.INCONNU: None}


def part_locale_achats(mandats: Iterable[LigneDeMandats], perimetre: Perimetre) -> Resultat:
    """La part du montant mandaté qui est allée à des tiers du territoire.

    Numérateur : Σ montant des tiers du territoire. Dénominateur : Σ montant des tiers dont le lieu est connu.
    Inconnus : les lignes dont le code postal peut désigner des communes d'ici et d'ailleurs, ou qui n'ont pas de
    lieu. Part renseignée : en nombre de lignes. Exclus : `bases_mixtes`, toutes les lignes quand la période mêle hors
    taxes et toutes taxes comprises ; `exercice_partiel`, celles d'un exercice que la période ne couvre pas en entier,
    car un total d'exercice ne se coupe pas. Part constatée, jamais visée. Version 1.
    """
    if perimetre.territoire is None:
        raise ValueError("Une part locale se calcule pour un territoire : il n'y en a pas.")
    exclus: dict[str, list[int]] = {}
    lignes = []
    for ligne in mandats:
        if perimetre.debut.year <= ligne.exercice <= perimetre.fin.year:
            if _couvert(ligne.exercice, perimetre):
                lignes.append(ligne)
            else:
                exclus.setdefault(EXERCICE_PARTIEL, []).append(ligne.id)
    if len({ligne.base for ligne in lignes}) > 1:
        exclus[BASES_MIXTES] = [ligne.id for ligne in lignes]
        lignes = []
    pesees = [
        Pesee(ligne.id, ligne.montant, PARTS[local(ligne.communes, ligne.departement, perimetre.territoire)])
        for ligne in lignes
    ]
    return part_en_montant(CODE, pesees, exclus, couverture_en_nombre=True)


def _couvert(exercice: int, perimetre: Perimetre) -> bool:
    return perimetre.debut <= datetime.date(exercice, 1, 1) and datetime.date(exercice, 12, 31) <= perimetre.fin
