"""Les tables de l'application ; chaque sujet a son module."""

from marches.consultations import Consultation, ContratDeConsultation, LotDeConsultation
from marches.contrats import (
    Contrat,
    CorrectionDeContrat,
    EnregistrementDecp,
    LieuDEtablissement,
    RepriseDEnregistrement,
    TitulaireDeContrat,
)
from marches.correspondances import CorrespondanceDeColonnes
from marches.imports import Generation, ImportDecp, MorceauDeFichier, RefusDecp
from marches.mandats_importes import BudgetDeMandats, ImportDeMandats, TotalDeMandats
from marches.resultats import ResultatDeCalcul
from marches.territoires import Territoire

__all__ = [
    "BudgetDeMandats",
    "Consultation",
    "Contrat",
    "ContratDeConsultation",
    "CorrectionDeContrat",
    "CorrespondanceDeColonnes",
    "EnregistrementDecp",
    "Generation",
    "ImportDeMandats",
    "ImportDecp",
    "LieuDEtablissement",
    "LotDeConsultation",
    "MorceauDeFichier",
    "RefusDecp",
    "RepriseDEnregistrement",
    "ResultatDeCalcul",
    "Territoire",
    "TitulaireDeContrat",
    "TotalDeMandats",
]
