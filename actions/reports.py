"""Ce qu'une échéance est devenue : celle du départ, chaque report avec son motif, et de combien elle a glissé.

Rien n'en est gardé : tout se relit dans le journal.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from actions.journaux import ReportEcheance
from socle.echeances import Echeance, Precision
from socle.formats import INSECABLE, MOINS, accorder

SANS = "sans échéance"


@dataclass(frozen=True)
class Report:
    """Un changement d'échéance. `jours` : de combien la fin s'éloigne (négatif : se rapproche) ; None si l'une des
    deux manque."""

    ligne: ReportEcheance
    avant: Echeance | None
    apres: Echeance | None

    @property
    def jours(self) -> int | None:
        return (self.apres.fin - self.avant.fin).days if self.avant and self.apres else None

    @property
    def phrase(self) -> str:
        """« de T2 2025 à 2026 (+ 549 jours) »."""
        de_a = de_l_une_a_l_autre(self.avant, self.apres)
        return f"{de_a} ({ecart(self.jours)})" if self.jours else de_a


@dataclass(frozen=True)
class HistoireDeLEcheance:
    """`initiale` : la première échéance fixée ; None si aucune ne l'a été. `reports` : du premier au dernier."""

    initiale: Echeance | None
    actuelle: Echeance | None
    reports: tuple[Report, ...]

    @property
    def repoussee(self) -> int:
        """Combien de fois elle a été remise à plus tard."""
        return sum(1 for report in self.reports if (report.jours or 0) > 0)

    @property
    def decalage(self) -> int | None:
        """De l'échéance initiale à celle d'aujourd'hui, en jours ; None si l'une des deux manque."""
        return (self.actuelle.fin - self.initiale.fin).days if self.initiale and self.actuelle else None

    @property
    def phrase(self) -> str:
        """« Reportée 2 fois : de T2 2025 à 2026, + 549 jours. » ; vide si elle n'a jamais bougé."""
        if not self.reports:
            return ""
        verbe = f"Reportée {self.repoussee} fois" if self.repoussee else f"Changée {len(self.reports)} fois"
        total = f", {ecart(self.decalage)}" if self.decalage else ""
        return f"{verbe} : {de_l_une_a_l_autre(self.initiale, self.actuelle)}{total}."


def de_l_une_a_l_autre(avant: Echeance | None, apres: Echeance | None) -> str:
    """« de T2 2025 à 2026 », « du 31/12/2025 au 30/06/2026 »."""
    depart = f"{'du' if _est_un_jour(avant) else 'de'} {avant}" if avant else f"de {SANS}"
    return f"{depart} {'au' if _est_un_jour(apres) else 'à'} {apres or SANS}"


def _est_un_jour(echeance: Echeance | None) -> bool:
    return echeance is not None and echeance.precision == Precision.JOUR


def ecart(jours: int | None) -> str:
    """« + 549 jours », « − 30 jours »."""
    if not jours:
        return ""
    return f"{'+' if jours > 0 else MOINS}{INSECABLE}{accorder(abs(jours), 'jour')}"


def histoire_de_l_echeance(lignes: Iterable[ReportEcheance]) -> HistoireDeLEcheance:
    """Depuis les lignes en vigueur (aucune corrigée), dans n'importe quel ordre. Redire la même échéance n'est pas
    la reporter ; ce qui précède la première échéance fixée non plus."""
    initiale: Echeance | None = None
    courante: Echeance | None = None
    reports = []
    for ligne in sorted(lignes, key=lambda ligne: (ligne.date_effet, ligne.pk)):
        if initiale is None:
            initiale = ligne.valeur
        elif ligne.valeur != courante:
            reports.append(Report(ligne, courante, ligne.valeur))
        courante = ligne.valeur
    return HistoireDeLEcheance(initiale, courante, tuple(reports))
