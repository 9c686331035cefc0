"""Le registre dans un tableur : une ligne par lot, aux titres que l'import reconnaît."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from marches.consultations import Consultation, LotDeConsultation
from marches.registre import DEFINITION, finalisation
from marches.reponses import Reponse
from socle.ecriture import ColonneEcrite, Sorte

SUJET = "Registre des consultations"
NOTES = [
    ("Une ligne par lot", "Ce qui est de la consultation se répète à chacun de ses lots."),
    ("Finalisée le", DEFINITION),
    ("Oui, non ou vide", "Une cellule vide veut dire non renseigné : ce n'est pas un non."),
    (
        "Réimporter",
        "Page Consultations, « Importer ». Une cellule vide n'efface rien ; rien ne s'écrit avant l'aperçu.",
    ),
]


@dataclass(frozen=True)
class _Colonne:
    ecrite: ColonneEcrite
    lire: Callable[[Consultation, LotDeConsultation | None], Any]


def _de(titre: str, champ: str, sorte: Sorte = Sorte.TEXTE, largeur: int = 16) -> _Colonne:
    return _Colonne(ColonneEcrite(titre, sorte, largeur), lambda consultation, lot: _valeur(consultation, champ))


def _du_lot(titre: str, champ: str, sorte: Sorte = Sorte.TEXTE, largeur: int = 16) -> _Colonne:
    return _Colonne(ColonneEcrite(titre, sorte, largeur), lambda consultation, lot: _valeur(lot, champ))


def _valeur(ligne: Any, champ: str) -> Any:
    if ligne is None:
        return None
    valeur = getattr(ligne, champ)
    if isinstance(valeur, str) and valeur in Reponse.values:
        return {"OUI": "oui", "NON": "non"}.get(valeur)
    if ligne._meta.get_field(champ).choices and valeur:
        return getattr(ligne, f"get_{champ}_display")()
    return str(valeur) if champ == "service" and valeur else valeur


_COLONNES = (
    _de("N° consultation", "numero"),
    _de("SIREN", "siren"),
    _de("Pour le compte de", "pour_le_compte_de", largeur=24),
    _de("Service", "service", largeur=24),
    _de("Acheteur", "acheteur", largeur=20),
    _de("Objet", "objet", largeur=50),
    _de("Nature", "nature"),
    _de("Procédure", "procedure", largeur=28),
    _de("Forme", "forme"),
    _de("Estimation HT", "estimation_ht", Sorte.NOMBRE),
    _de("Date AAPC", "lancee_le", Sorte.DATE, 12),
    _de("Date limite des plis", "plis_avant_le", Sorte.DATE, 12),
    _de("Date CAO", "commission_le", Sorte.DATE, 12),
    _du_lot("Lot", "numero", largeur=8),
    _du_lot("Objet du lot", "objet", largeur=40),
    _du_lot("Nb plis", "plis_recus", Sorte.ENTIER, 8),
    _du_lot("Suite donnée", "suite", largeur=22),
    _du_lot("Date de la suite", "date_de_suite", Sorte.DATE, 12),
    _du_lot("Motif sans suite", "motif_sans_suite"),
    _du_lot("Titulaire", "titulaire", largeur=30),
    _du_lot("SIRET", "siret"),
    _du_lot("CP", "code_postal", largeur=8),
    _du_lot("Ville", "ville", largeur=20),
    _du_lot("Montant HT", "montant_ht", Sorte.NOMBRE),
    _du_lot("Minimum HT", "minimum_ht", Sorte.NOMBRE),
    _du_lot("Maximum HT", "maximum_ht", Sorte.NOMBRE),
    _du_lot("Clause environnementale", "clause_environnementale"),
    _du_lot("Critère environnemental", "critere_environnemental"),
    _du_lot("Critère environnemental %", "poids_environnemental", Sorte.NOMBRE),
    _du_lot("Clause sociale", "clause_sociale"),
    _du_lot("Critère social", "critere_social"),
    _du_lot("Critère social %", "poids_social", Sorte.NOMBRE),
    _du_lot("Heures d'insertion", "heures_insertion", Sorte.ENTIER),
    _du_lot("Motif de dérogation", "motif_derogation", largeur=30),
)
COLONNES = [*(colonne.ecrite for colonne in _COLONNES), ColonneEcrite("Finalisée le", Sorte.DATE, 12, effacee=True)]


def lignes(consultations: Iterable[Consultation]) -> list[list[Any]]:
    """`consultations` : lues avec leurs lots."""
    rendues = []
    for consultation in consultations:
        lots: list[LotDeConsultation | None] = list(consultation.lots.all())
        le = finalisation(lot for lot in lots if lot is not None).le
        for lot in lots or [None]:
            rendues.append([*(colonne.lire(consultation, lot) for colonne in _COLONNES), le])
    return rendues
