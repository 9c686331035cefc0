"""Ce qu'un contrat porte d'incomplet ou de douteux, dit en clair. Les codes sont ceux de `marches.decp`."""

from dataclasses import dataclass

from marches.decp.montants import DrapeauDeMontant
from marches.models import Contrat

ANOMALIES = {
    "sans_date": "Sans date de notification",
    "date_invalide": "Date de notification impossible ou à venir",
    "sans_montant": "Sans montant",
    "montant_illisible": "Montant illisible",
    "sans_titulaire": "Sans titulaire",
    "sans_objet": "Sans objet",
    "sans_identifiant": "Sans identifiant",
    "siret_invalide": "SIRET de l'acheteur invalide",
    "titulaire_sans_identifiant": "Titulaire sans identifiant",
    "titulaire_siret_invalide": "SIRET d'un titulaire invalide",
}


@dataclass(frozen=True)
class Signalement:
    """Le code du filtre qui retrouve les contrats pareils, et la phrase."""

    code: str
    phrase: str


def phrase_du_drapeau(code: str) -> str:
    return str(dict(DrapeauDeMontant.choices).get(code, code))


def signalements_de(contrat: Contrat) -> list[Signalement]:
    """Ce qui l'exclut des chiffres, puis ce qui l'exclut des montants, puis le reste."""
    dits = [Signalement(code, phrase) for code, phrase, vrai in _etats(contrat) if vrai]
    if contrat.drapeau:
        dits.append(
            Signalement(contrat.drapeau, f"Montant à part\u00a0: {phrase_du_drapeau(contrat.drapeau).lower()}")
        )
    # Un montant absent est déjà dit par son drapeau ; une date corrigée n'est plus absente.
    redites = {"sans_montant", "montant_illisible"} | ({"sans_date", "date_invalide"} if contrat.date else set())
    return dits + [Signalement(code, ANOMALIES.get(code, code)) for code in contrat.anomalies if code not in redites]


def _etats(contrat: Contrat) -> list[tuple[str, str, bool]]:
    return [
        ("doublon", "Doublon, écarté", contrat.doublon),
        ("concession", "Concession, comptée à part", contrat.concession),
        ("subsequent", "Marché subséquent", contrat.subsequent),
        ("conflit", "Même identifiant qu'un autre contrat", contrat.conflit),
    ]
