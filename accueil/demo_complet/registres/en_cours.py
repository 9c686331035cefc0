"""Les consultations qui courent fin octobre 2026, dont celles que vise l'article 35 de la loi Climat et résilience."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from accueil.demo_complet.calendrier import ouvre
from accueil.demo_complet.registres.consultations import Dossier, Registre
from marches.listes import Nature, Procedure, Suite
from marches.reponses import Reponse

OUI, NON, INCONNU = Reponse.OUI, Reponse.NON, Reponse.INCONNU
ACHAT_SANS_RAPPORT = "Achat sans rapport avec l'insertion : prestation purement intellectuelle (motif fictif)."
URGENCE = "Urgence impérieuse après sinistre, reprise à l'identique (motif fictif)."


@dataclass(frozen=True)
class Cas:
    """Une consultation lancée, qui n'est pas finie. Estimation en euros hors taxes.

    `condition` et `critere` : environnement ; `clause` : condition d'exécution sociale.
    """

    nature: Nature
    procedure: Procedure
    estimation: int
    condition: Reponse = INCONNU
    critere: Reponse = INCONNU
    clause: Reponse = NON
    motif: str = ""
    lots: int = 1
    attribuee: bool = False


_T, _F, _S, _PI = Nature.TRAVAUX, Nature.FOURNITURES, Nature.SERVICES, Nature.INTELLECTUELLES
_MAPA, _AOO = Procedure.MAPA, Procedure.AOO

# Lancées tous les quatre jours depuis le 6 juillet 2026 : l'article 35 ne les vise pas.
ETE = datetime.date(2026, 7, 6)
AVANT = (
    Cas(_T, _MAPA, 320_000, OUI, NON, attribuee=True),
    Cas(_S, _AOO, 460_000, OUI, OUI, attribuee=True),
    Cas(_F, _MAPA, 48_000, NON, NON, attribuee=True),
    Cas(_S, _MAPA, 95_000, NON, OUI, attribuee=True),
    Cas(_PI, _MAPA, 62_000, NON, NON, attribuee=True),
    Cas(_T, _MAPA, 890_000, OUI, OUI),
    Cas(_F, _AOO, 270_000, OUI, NON),
    Cas(_S, _MAPA, 74_000, INCONNU, INCONNU),
    Cas(_T, _MAPA, 150_000, NON, NON),
)
# Lancées tous les trois jours depuis le 24 août : tout y est, ou il manque l'un, l'autre ou les deux, avec ou sans
# motif ; au-dessus des seuils européens, avec ou sans clause sociale.
RENTREE = datetime.date(2026, 8, 24)
DEPUIS = (
    Cas(_S, _MAPA, 88_000, OUI, OUI),
    Cas(_F, _MAPA, 41_000, OUI, OUI),
    Cas(_T, _MAPA, 640_000, OUI, OUI, OUI, lots=4),
    Cas(_S, _AOO, 520_000, OUI, OUI, OUI),
    Cas(_S, _AOO, 310_000, OUI, OUI, NON),
    Cas(_PI, _AOO, 260_000, OUI, OUI, NON, motif=ACHAT_SANS_RAPPORT),
    Cas(_F, _AOO, 480_000, OUI, NON, OUI, lots=3),
    Cas(_F, _MAPA, 36_000, NON, OUI),
    Cas(_T, _MAPA, 210_000, OUI, NON),
    Cas(_S, _MAPA, 54_000, NON, NON),
    Cas(_T, _MAPA, 72_000, NON, NON, NON, motif=URGENCE),
    Cas(_S, _MAPA, 130_000, INCONNU, INCONNU, INCONNU),
    Cas(_T, _AOO, 6_200_000, OUI, OUI, NON, lots=5),
    Cas(_PI, _MAPA, 58_000, NON, OUI),
    Cas(_F, _MAPA, 92_000, OUI, OUI),
    Cas(_S, _AOO, 245_000, OUI, INCONNU, OUI),
    Cas(_T, _MAPA, 380_000, OUI, OUI, OUI),
    Cas(_F, _MAPA, 44_000, NON, NON, NON, motif=URGENCE),
    Cas(_S, _MAPA, 67_000, OUI, OUI, NON, lots=2),
    Cas(_S, _MAPA, 175_000, OUI, NON),
)


def en_cours(registre: Registre) -> Iterator[Dossier]:
    lances = [(ETE + datetime.timedelta(days=4 * rang), cas) for rang, cas in enumerate(AVANT)]
    lances += [(RENTREE + datetime.timedelta(days=3 * rang), cas) for rang, cas in enumerate(DEPUIS)]
    for lancee_le, cas in lances:
        dossier = registre.dossier(cas.nature, None, cas.lots)
        consultation = dossier.consultation
        consultation.procedure = cas.procedure
        consultation.estimation_ht = Decimal(cas.estimation)
        registre.dater(consultation, ouvre(lancee_le))
        dossier.inscrite_le = ouvre(lancee_le)
        for lot in dossier.lots:
            lot.clause_environnementale, lot.critere_environnemental = cas.condition, cas.critere
            lot.poids_environnemental = Decimal(10) if cas.critere == OUI else None
            lot.clause_sociale = cas.clause
            lot.critere_social = INCONNU if cas.clause == INCONNU else NON
            lot.motif_derogation = cas.motif
            if cas.attribuee:
                lot.suite, lot.plis_recus = Suite.ATTRIBUE, 3
        yield dossier
