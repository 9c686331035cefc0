"""Les bilans synthétiques : trois années arrêtées et publiées, et celle qui se prépare."""

import datetime
from dataclasses import dataclass

from accueil.demo_complet.calendrier import Calendrier
from accueil.demo_complet.ecriture import enregistrer
from accueil.demo_complet.personnes import Equipe
from actions.models import Plan
from bilans.arret import arreter
from bilans.models import Bilan


@dataclass(frozen=True)
class Histoire:
    """Ce que devient le bilan d'une année ; `arret` None : il se prépare encore."""

    annee: int
    avant_propos: str
    terminees: str = ""
    chiffres: str = ""
    arret: datetime.date | None = None
    commission: datetime.date | None = None
    conseil: datetime.date | None = None
    deliberation: str = ""
    publication: datetime.date | None = None


HISTOIRES = (
    Histoire(
        2022,
        "Première année du plan : les actions se lancent, les indicateurs se mettent en place.",
        arret=datetime.date(2023, 3, 14),
        commission=datetime.date(2023, 3, 28),
        conseil=datetime.date(2023, 4, 11),
        deliberation="D-2023-041 (inventée)",
        publication=datetime.date(2023, 4, 25),
    ),
    Histoire(
        2023,
        "Le plan entre dans sa deuxième année. Les premières actions s'achèvent ; les clauses environnementales "
        "deviennent habituelles dans les consultations de travaux.",
        terminees="Les actions de formation ont été menées plus vite que prévu.",
        chiffres="La part des consultations qui ont une considération environnementale se compte désormais sur le "
        "registre, consultation par consultation.",
        arret=datetime.date(2024, 3, 12),
        commission=datetime.date(2024, 3, 26),
        conseil=datetime.date(2024, 4, 9),
        deliberation="D-2024-037 (inventée)",
        publication=datetime.date(2024, 4, 23),
    ),
    Histoire(
        2024,
        "Troisième année : l'essentiel des actions est engagé. L'audit des pratiques d'achat a fait bouger plusieurs "
        "échéances.",
        arret=datetime.date(2025, 3, 18),
        commission=datetime.date(2025, 4, 1),
        conseil=datetime.date(2025, 4, 15),
        deliberation="D-2025-052 (inventée)",
        publication=datetime.date(2025, 4, 29),
    ),
    Histoire(2025, "Quatrième année du plan. (Avant-propos à relire.)"),
)


def dresser(plan: Plan, equipe: Equipe, calendrier: Calendrier, maintenant: datetime.datetime) -> None:
    """Chaque bilan garde l'état de la fin de son année ; ce qui serait encore à venir est omis."""
    for histoire in HISTOIRES:
        bilan = Bilan(
            plan=plan,
            annee=histoire.annee,
            avant_propos=histoire.avant_propos,
            commentaire_terminees=histoire.terminees,
            commentaire_chiffres=histoire.chiffres,
        )
        enregistrer(bilan, calendrier.saisie(datetime.date(histoire.annee + 1, 2, 3)), equipe.responsable)
        if histoire.arret and (le := calendrier.saisie(histoire.arret, (0,))) <= maintenant:
            _arreter(bilan, histoire, le, equipe)


def _arreter(bilan: Bilan, histoire: Histoire, le: datetime.datetime, equipe: Equipe) -> None:
    version = arreter(bilan.plan, bilan.annee, auteur=equipe.responsable, attendue=1, le=le)
    bilan.refresh_from_db()
    bilan.presente_en_commission_le = histoire.commission
    bilan.presente_en_conseil_le = histoire.conseil
    bilan.numero_de_deliberation = histoire.deliberation
    bilan.relu_par_la_communication_le = histoire.publication
    bilan.publie_le, bilan.version_publiee = histoire.publication, version
    enregistrer(bilan, le + datetime.timedelta(days=42), equipe.responsable)
