"""Les calculs du produit : un code stable, une définition à lire, une version qui change quand la règle change."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from marches.calculs import contrats, mandats, registre, regroupement
from marches.calculs.lignes import Donnees, Perimetre
from marches.calculs.resultats import Resultat

# Les considérations ne sont dans les données essentielles que depuis l'arrêté du 22 décembre 2022, en vigueur le 1er
# janvier 2024.
PREMIERE_ANNEE_DES_CONSIDERATIONS = 2024


class Source(Enum):
    """D'où viennent les lignes d'un calcul, et le nom que la page lui donne."""

    DECP = "decp", "Données essentielles (DECP)"
    REGISTRE = "registre", "Registre des consultations"
    MANDATS = "mandats", "Mandats"

    def __init__(self, code: str, nom: str) -> None:
        self.code = code
        self.nom = nom


@dataclass(frozen=True)
class Calcul:
    """Un calcul et ce qu'il faut en dire.

    `unite` : « % », « marchés », « consultations ». `premiere_annee` : avant elle, la donnée n'existe pas ; None si
    elle a toujours existé. `en_montant` : numérateur et dénominateur sont des euros.
    """

    code: str
    libelle: str
    definition: str
    unite: str
    source: Source
    fonction: Callable[[Donnees, Perimetre], Resultat]
    version: int = 1
    territorial: bool = False
    en_montant: bool = False
    premiere_annee: int | None = None
    estimation: bool = False

    def calculer(self, donnees: Donnees, perimetre: Perimetre) -> Resultat:
        return self.fonction(donnees, perimetre)

    def indisponible(self, annee: int) -> str:
        """La phrase qui dit pourquoi l'année n'a pas cette donnée ; vide si elle peut l'avoir."""
        if self.premiere_annee is not None and annee < self.premiere_annee:
            return f"Donnée inexistante avant {self.premiere_annee}."
        return ""


def _des_contrats(fonction: Callable[..., Resultat]) -> Callable[[Donnees, Perimetre], Resultat]:
    return lambda donnees, perimetre: fonction(donnees.contrats, perimetre)


def _des_groupes(donnees: Donnees, perimetre: Perimetre) -> Resultat:
    return regroupement.consultations_estimees(donnees.contrats, perimetre, donnees.groupes)


def _du_registre(fonction: Callable[..., Resultat]) -> Callable[[Donnees, Perimetre], Resultat]:
    return lambda donnees, perimetre: fonction(donnees.consultations, perimetre)


def _des_mandats(fonction: Callable[..., Resultat]) -> Callable[[Donnees, Perimetre], Resultat]:
    return lambda donnees, perimetre: fonction(donnees.mandats, perimetre)


_TOUS = (
    Calcul(
        "marches_notifies",
        "Marchés notifiés",
        "Nombre de marchés publiés dont la notification est de l'année, lots compris ; les concessions, les marchés "
        "subséquents et les doublons n'y sont pas.",
        "marchés",
        Source.DECP,
        _des_contrats(contrats.marches_notifies),
    ),
    Calcul(
        "consultations_estimees",
        "Consultations estimées",
        "Nombre estimé de consultations : les marchés de même procédure et de même objet avant « lot n° … », "
        "notifiés à soixante jours au plus l'un de l'autre, n'en font qu'une, comptée l'année du premier.",
        "consultations",
        Source.DECP,
        _des_groupes,
        estimation=True,
    ),
    Calcul(
        "part_environnementale_nombre",
        "Marchés à considération environnementale",
        "Part des marchés notifiés qui ont une clause ou un critère environnemental, parmi ceux qui disent oui ou "
        "non.",
        "%",
        Source.DECP,
        _des_contrats(contrats.part_environnementale_nombre),
        premiere_annee=PREMIERE_ANNEE_DES_CONSIDERATIONS,
    ),
    Calcul(
        "part_environnementale_montant",
        "Marchés à considération environnementale, en montant",
        "Part du montant hors taxes des marchés notifiés qui ont une clause ou un critère environnemental, parmi "
        "ceux qui disent oui ou non ; les montants douteux sont écartés, celui d'un accord-cadre est un montant "
        "maximum.",
        "%",
        Source.DECP,
        _des_contrats(contrats.part_environnementale_montant),
        en_montant=True,
        premiere_annee=PREMIERE_ANNEE_DES_CONSIDERATIONS,
    ),
    Calcul(
        "part_sociale_nombre",
        "Marchés à considération sociale",
        "Part des marchés notifiés qui ont une clause ou un critère social, ou qui sont réservés, parmi ceux qui "
        "disent oui ou non.",
        "%",
        Source.DECP,
        _des_contrats(contrats.part_sociale_nombre),
        premiere_annee=PREMIERE_ANNEE_DES_CONSIDERATIONS,
    ),
    Calcul(
        "part_sociale_montant",
        "Marchés à considération sociale, en montant",
        "Part du montant hors taxes des marchés notifiés qui ont une clause ou un critère social, ou qui sont "
        "réservés, parmi ceux qui disent oui ou non ; les montants douteux sont écartés, celui d'un accord-cadre est "
        "un montant maximum.",
        "%",
        Source.DECP,
        _des_contrats(contrats.part_sociale_montant),
        en_montant=True,
        premiere_annee=PREMIERE_ANNEE_DES_CONSIDERATIONS,
    ),
    Calcul(
        "part_locale_nombre",
        "Marchés à titulaire du territoire",
        "Part des marchés notifiés dont au moins un titulaire est du territoire, parmi ceux dont le lieu des "
        "titulaires permet de le dire ; part constatée, jamais visée.",
        "%",
        Source.DECP,
        _des_contrats(contrats.part_locale_nombre),
        territorial=True,
    ),
    Calcul(
        "part_locale_nombre_tous",
        "Marchés dont tous les titulaires sont du territoire",
        "Part des marchés notifiés dont tous les titulaires sont du territoire, parmi ceux dont tous les lieux sont "
        "connus ; part constatée, jamais visée.",
        "%",
        Source.DECP,
        _des_contrats(contrats.part_locale_nombre_tous),
        territorial=True,
    ),
    Calcul(
        "part_locale_montant",
        "Montant des marchés à titulaire du territoire",
        "Part du montant hors taxes des marchés notifiés qui va à des titulaires du territoire, à parts égales entre "
        "cotitulaires, parmi ceux dont tous les lieux sont connus ; les montants douteux sont écartés, celui d'un "
        "accord-cadre est un montant maximum.",
        "%",
        Source.DECP,
        _des_contrats(contrats.part_locale_montant),
        territorial=True,
        en_montant=True,
    ),
    Calcul(
        "part_locale_montant_tous",
        "Montant des marchés dont tous les titulaires sont du territoire",
        "Part du montant hors taxes des marchés notifiés dont tous les titulaires sont du territoire, parmi ceux "
        "dont tous les lieux sont connus ; les montants douteux sont écartés, celui d'un accord-cadre est un montant "
        "maximum.",
        "%",
        Source.DECP,
        _des_contrats(contrats.part_locale_montant_tous),
        territorial=True,
        en_montant=True,
    ),
    Calcul(
        "consultations_finalisees",
        "Consultations finalisées",
        "Nombre de consultations dont chaque lot est notifié ou déclaré sans suite, la dernière fois dans l'année ; "
        "les lots abandonnés avant publication ne comptent pas.",
        "consultations",
        Source.REGISTRE,
        _du_registre(registre.consultations_finalisees),
    ),
    Calcul(
        "part_environnementale_consultations",
        "Consultations à considération environnementale",
        "Part des consultations finalisées dont au moins un lot a une condition d'exécution ou un critère "
        "environnemental, parmi celles qui disent oui ou non : oui si au moins un lot.",
        "%",
        Source.REGISTRE,
        _du_registre(registre.part_environnementale_consultations),
    ),
    Calcul(
        "part_sociale_consultations",
        "Consultations à considération sociale",
        "Part des consultations finalisées dont au moins un lot a une condition d'exécution ou un critère social, "
        "parmi celles qui disent oui ou non : oui si au moins un lot.",
        "%",
        Source.REGISTRE,
        _du_registre(registre.part_sociale_consultations),
    ),
    Calcul(
        "part_locale_achats",
        "Achats payés à des tiers du territoire",
        "Part du montant mandaté dans l'exercice, chapitres d'achats seulement, payée à des tiers du territoire, "
        "parmi ceux dont le lieu est connu ; part constatée, jamais visée.",
        "%",
        Source.MANDATS,
        _des_mandats(mandats.part_locale_achats),
        territorial=True,
        en_montant=True,
    ),
)

CALCULS: dict[str, Calcul] = {calcul.code: calcul for calcul in _TOUS}


def calculer(donnees: Donnees, perimetre: Perimetre) -> list[Resultat]:
    """Tous les calculs, dans l'ordre du registre ; sans territoire, ceux qui n'en demandent pas."""
    return [
        calcul.calculer(donnees, perimetre)
        for calcul in CALCULS.values()
        if perimetre.territoire is not None or not calcul.territorial
    ]
