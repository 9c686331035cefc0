"""La forme d'un récit : ce qu'il faut dire d'une action pour que sa vie s'écrive."""

from dataclasses import dataclass

from actions.statuts import PointAttention


@dataclass(frozen=True)
class Recit:
    """Une action. Les jours, dans chaque année, sont tirés ; le reste est dit ici.

    `debut`, `fin` : années où elle passe en cours, puis terminée ; None, pas encore.
    `echeances` : « T4 2023 > 2025 », l'échéance fixée à l'entrée puis chaque report ; vide, aucune.
    `entree` : année de l'entrée au plan ; après 2022, lors de la revue annuelle.
    `pilote` : un identifiant ; vide, quelqu'un du service ; « personne », à désigner.
    `muette` : sans nouvelle depuis le début de 2026 au plus tard.
    `fin_par_erreur` : année où elle fut dite terminée à tort, ligne corrigée ensuite.
    `retrait` : année et motif de sa sortie du plan.
    """

    intitule: str
    service: str
    debut: int | None = None
    fin: int | None = None
    echeances: str = ""
    description: str = ""
    entree: int = 2022
    pilote: str = ""
    muette: bool = False
    attention: tuple[PointAttention, str] | None = None
    indicateurs: tuple[str, ...] = ()
    fin_par_erreur: int | None = None
    retrait: tuple[int, str] | None = None
    interne: bool = False


@dataclass(frozen=True)
class AxeRaconte:
    """Un axe et ses actions. `partenaires` (sigles) et `cadres` (cadre, codes) : où ses actions puisent."""

    code: str
    intitule: str
    elus: tuple[int, ...]
    partenaires: tuple[str, ...]
    cadres: tuple[tuple[str, tuple[str, ...]], ...]
    actions: tuple[Recit, ...]
