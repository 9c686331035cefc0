"""Ce que montre la page d'une consultation, au-delà de ses propres champs."""

from dataclasses import dataclass

from marches import registre
from marches.consultations import Consultation, LotDeConsultation
from marches.contrats import Contrat
from marches.historique_du_registre import Changement, historique
from marches.regles_du_registre import avertissements_du_lot
from marches.reponses import Reponse


@dataclass(frozen=True)
class Fiche:
    lots: list[LotDeConsultation]
    finalisation: registre.Finalisation
    environnement: Reponse
    social: Reponse
    contrats: list[Contrat]
    historique: list[Changement]
    avertissements: list[str]


def fiche_de(consultation: Consultation) -> Fiche:
    """`consultation` : lue avec ses lots. Cinq requêtes de plus, quel que soit leur nombre."""
    lots = list(consultation.lots.all())
    souches = consultation.contrats.values("souche")
    phrases = [f"Lot {lot.numero} : {phrase}" for lot in lots for phrase in avertissements_du_lot(lot, consultation)]
    return Fiche(
        lots=lots,
        finalisation=registre.finalisation(lots),
        environnement=registre.environnement(lots),
        social=registre.social(lots),
        contrats=list(Contrat.objects.en_vigueur().filter(souche__in=souches).avec_leurs_titulaires()),
        historique=historique(consultation),
        avertissements=phrases,
    )
