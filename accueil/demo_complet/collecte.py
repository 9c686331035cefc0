"""La collecte synthétique des premiers chiffres de 2026, à tous ses stades."""

import datetime

from accueil.demo_complet.calendrier import Calendrier
from accueil.demo_complet.ecriture import enregistrer
from accueil.demo_complet.personnes import Equipe
from actions.models import Plan
from indicateurs.listes import PhaseDeDemande
from indicateurs.models import Collecte, DemandeDeValeur, Indicateur

OUVERTE_LE = datetime.date(2026, 10, 12)
A_REMETTRE = datetime.date(2027, 1, 22)
TRANSMISES = ("consultations", "clauses-environnementales")
RENVOIS = {"heures-insertion": "Les heures de septembre manquent : le facilitateur les a reçues le 9 octobre."}


def collecter(plan: Plan, equipe: Equipe, calendrier: Calendrier, maintenant: datetime.datetime) -> None:
    """Rien n'est écrit si ce jour est encore à venir."""
    le = calendrier.saisie(OUVERTE_LE)
    if le > maintenant:
        return
    message = "Les chiffres à fin septembre suffisent ; ceux de l'année entière viendront en janvier."
    collecte = Collecte(
        plan=plan,
        annee=OUVERTE_LE.year,
        avant_le=A_REMETTRE,
        message=message,
        ouverte_le=le,
        ouverte_par=equipe.responsable,
    )
    enregistrer(collecte, le, equipe.responsable)
    for indicateur in Indicateur.objects.filter(places__plan=plan).order_by("places__ordre"):
        motif = RENVOIS.get(indicateur.code, "")
        phase = PhaseDeDemande.TRANSMISE if indicateur.code in TRANSMISES else PhaseDeDemande.OUVERTE
        demande = DemandeDeValeur(
            collecte=collecte,
            indicateur=indicateur,
            phase=PhaseDeDemande.RENVOYEE if motif else phase,
            motif_de_renvoi=motif,
            version_renvoyee=1 if motif else None,
        )
        enregistrer(demande, le, equipe.responsable)
