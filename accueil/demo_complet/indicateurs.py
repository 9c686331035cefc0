"""Les indicateurs synthétiques : définitions et objectifs ici, chiffres dans `chiffres.py`."""

import datetime
from dataclasses import dataclass
from typing import Any

from accueil.demo_complet.calendrier import Calendrier, ouvre
from accueil.demo_complet.chiffres import CHIFFRES, Releve
from accueil.demo_complet.ecriture import enregistrer
from accueil.demo_complet.personnes import Equipe
from accueil.demo_complet.recits.recit import Recit
from actions.models import Action, Plan
from indicateurs.listes import Nature, OrigineDeCible, Sens
from indicateurs.models import Cible, Dimension, Indicateur, IndicateurDuPlan, ValeurAnnuelle
from indicateurs.references import PAR_CLE
from marches.models import Territoire

CREATION = datetime.date(2022, 3, 14)
PLAN = OrigineDeCible.PLAN


@dataclass(frozen=True)
class Mesure:
    """`objectifs` : année, valeur, origine, référence ; `references` : les clés de ceux qu'on reprend.

    `calculs` : ceux des registres qui le recalculent ; `territoire` : le code de celui qu'ils regardent.
    """

    code: str
    intitule: str
    nature: Nature
    unite: str
    sens: Sens
    service: str
    definition: str
    mode_de_calcul: str
    source: str
    denominateur: str = ""
    chiffre_cle: bool = False
    objectifs: tuple[tuple[int, int, OrigineDeCible, str], ...] = ()
    references: tuple[str, ...] = ()
    dimension: str = ""
    calculs: tuple[str, ...] = ()
    territoire: str = ""


# Un dénominateur vient avant les parts qui s'appuient sur lui.
MESURES = (
    Mesure(
        "consultations",
        "Consultations finalisées dans l'année",
        Nature.COMPTE,
        "consultations",
        Sens.NEUTRE,
        "DCP",
        "Consultations dont chaque lot est notifié ou déclaré sans suite, quel qu'en soit le montant ; l'année est "
        "celle de la dernière de ces dates.",
        "Dénombrement au registre des consultations, lots non comptés.",
        "Registre des consultations",
        dimension="par nature d'achat",
        calculs=("consultations_finalisees",),
    ),
    Mesure(
        "clauses-environnementales",
        "Part des consultations avec une considération environnementale",
        Nature.PART,
        "%",
        Sens.HAUSSE,
        "DTE",
        "Consultations dont une condition d'exécution ou un critère d'attribution porte sur l'environnement.",
        "Consultations avec considération environnementale / consultations finalisées dans l'année.",
        "Registre des consultations, colonne « environnement »",
        denominateur="consultations",
        calculs=("part_environnementale_consultations", "part_environnementale_nombre"),
        chiffre_cle=True,
        objectifs=(
            (2024, 60, PLAN, "Plan, objectif 3.1"),
            (2026, 90, PLAN, "Plan, objectif 3.1"),
        ),
        references=("environnement-pnad", "environnement-climat-resilience"),
    ),
    Mesure(
        "clauses-sociales",
        "Part des consultations avec une considération sociale",
        Nature.PART,
        "%",
        Sens.HAUSSE,
        "DEI",
        "Consultations dont une condition d'exécution ou un critère d'attribution porte sur l'emploi ou l'insertion.",
        "Consultations avec considération sociale / consultations finalisées dans l'année.",
        "Registre des consultations, colonne « social »",
        denominateur="consultations",
        calculs=("part_sociale_consultations", "part_sociale_nombre"),
        chiffre_cle=True,
        objectifs=((2026, 40, PLAN, "Plan, objectif 2.2"),),
        references=("social-pnad",),
    ),
    Mesure(
        "heures-insertion",
        "Heures d'insertion réalisées dans les marchés",
        Nature.COMPTE,
        "heures",
        Sens.HAUSSE,
        "DEI",
        "Heures travaillées par des personnes éloignées de l'emploi, au titre d'une clause d'insertion.",
        "Somme des heures attestées par les titulaires et validées par le facilitateur.",
        "Tableau du facilitateur des clauses sociales",
        chiffre_cle=True,
        objectifs=(
            (2023, 12_000, PLAN, "Plan, objectif 2.1"),
            (2024, 16_000, PLAN, "Plan, objectif 2.1"),
            (2025, 20_000, PLAN, "Plan, objectif 2.1"),
            (2026, 25_000, PLAN, "Plan, objectif 2.1"),
        ),
    ),
    Mesure(
        "montant-achats",
        "Montant des achats de l'année",
        Nature.MONTANT,
        "€",
        Sens.NEUTRE,
        "DMG",
        "Dépenses mandatées de travaux, fournitures et services, hors subventions et masse salariale.",
        "Somme des mandats de l'exercice, hors taxes.",
        "Outil financier",
    ),
    Mesure(
        "achats-locaux",
        "Part des achats réalisés auprès de fournisseurs du territoire",
        Nature.PART,
        "%",
        Sens.NEUTRE,
        "DMG",
        "Indicateur d'observation : la provenance n'est jamais un critère de choix.",
        "Montant mandaté aux fournisseurs dont l'établissement est sur le territoire / montant des achats de l'année.",
        "Outil financier, code postal de l'établissement",
        denominateur="montant-achats",
        calculs=("part_locale_achats", "part_locale_nombre", "part_locale_montant"),
        territoire="pays-de-l-or",
    ),
    Mesure(
        "marches-pme",
        "Part des marchés attribués à des PME",
        Nature.PART,
        "%",
        Sens.HAUSSE,
        "DCP",
        "Marchés, lots compris, dont le titulaire ou le mandataire est une petite ou moyenne entreprise.",
        "Marchés attribués à des PME / marchés notifiés dans l'année dont la taille du titulaire est connue.",
        "Données essentielles des marchés",
        objectifs=((2026, 70, PLAN, "Plan, objectif 4.1"),),
    ),
    Mesure(
        "montant-insertion",
        "Montant confié à l'insertion par l'activité économique et au handicap",
        Nature.MONTANT,
        "€",
        Sens.HAUSSE,
        "DEI",
        "Dépenses mandatées aux structures d'insertion et aux entreprises adaptées, marchés réservés ou non.",
        "Somme des mandats de l'exercice, hors taxes.",
        "Outil financier, liste des structures tenue par le service",
        objectifs=((2026, 600_000, PLAN, "Plan, objectif 2.5"),),
    ),
    Mesure(
        "acheteurs-formes",
        "Part des acheteurs et prescripteurs formés",
        Nature.PART,
        "%",
        Sens.HAUSSE,
        "DCP",
        "Agents ayant suivi au moins une journée de formation à l'achat responsable depuis 2022.",
        "Agents formés encore en poste / acheteurs et prescripteurs en poste au 31 décembre.",
        "Fichier des formations",
        objectifs=(
            (2024, 60, PLAN, "Plan, objectif 1.2"),
            (2026, 90, PLAN, "Plan, objectif 1.2"),
        ),
    ),
    Mesure(
        "carbone",
        "Empreinte carbone estimée des achats",
        Nature.COMPTE,
        "t CO₂e",
        Sens.BAISSE,
        "DTE",
        "Émissions amont des achats de l'année, estimées par famille.",
        "Montant de chaque famille × facteur d'émission de la famille.",
        "Outil financier, facteurs d'émission monétaires",
        objectifs=(
            (2025, 21_000, PLAN, "PCAET, action 4.2"),
            (2026, 20_000, PLAN, "PCAET, action 4.2"),
        ),
    ),
)


def mesurer(
    plan: Plan,
    equipe: Equipe,
    actions: dict[Recit, Action],
    calendrier: Calendrier,
    maintenant: datetime.datetime,
) -> None:
    """Crée chaque indicateur, sa place au plan, ses objectifs, ses actions liées et ses valeurs connues."""
    crees: dict[str, Indicateur] = {}
    territoires = {territoire.code: territoire for territoire in Territoire.objects.all()}
    for ordre, mesure in enumerate(MESURES, start=1):
        le = calendrier.saisie(CREATION)
        signature: dict[str, Any] = {"saisi_le": le, "auteur": equipe.responsable}
        indicateur = Indicateur(
            code=mesure.code,
            intitule=mesure.intitule,
            definition=mesure.definition,
            mode_de_calcul=mesure.mode_de_calcul,
            nature=mesure.nature,
            unite=mesure.unite,
            sens=mesure.sens,
            source=mesure.source,
            service=equipe.services[mesure.service],
            denominateur=crees.get(mesure.denominateur),
            calculs=[*mesure.calculs],
            territoire=territoires.get(mesure.territoire),
        )
        crees[mesure.code] = enregistrer(indicateur, **signature)
        indicateur.actions.set([action for recit, action in actions.items() if mesure.code in recit.indicateurs])
        place = IndicateurDuPlan(plan=plan, indicateur=indicateur, ordre=ordre, chiffre_cle=mesure.chiffre_cle)
        enregistrer(place, **signature)
        for annee, valeur, origine, reference in mesure.objectifs:
            cible = Cible(indicateur=indicateur, annee=annee, valeur=valeur, origine=origine, reference=reference)
            enregistrer(cible, **signature)
        for cle in mesure.references:
            enregistrer(Cible(indicateur=indicateur, **PAR_CLE[cle].champs), **signature)
        if mesure.dimension:
            enregistrer(Dimension(indicateur=indicateur, nom=mesure.dimension), **signature)
    for mesure in MESURES:
        for releve in CHIFFRES[mesure.code]:
            relever(crees[mesure.code], releve, equipe, calendrier, maintenant)


def relever(
    indicateur: Indicateur,
    releve: Releve,
    equipe: Equipe,
    calendrier: Calendrier,
    maintenant: datetime.datetime,
) -> None:
    """Écrit une valeur annuelle le jour où on l'a connue ; omise si ce jour est encore à venir."""
    connue_le = ouvre(releve.connue_le)
    saisi_le = calendrier.saisie(connue_le)
    if saisi_le > maintenant:
        return
    valeur = ValeurAnnuelle(indicateur=indicateur, connue_le=connue_le, **releve.champs)
    valeur._history_date = saisi_le  # type: ignore[attr-defined]
    valeur._history_user = equipe.responsable  # type: ignore[attr-defined]
    ventilation = {dimension: releve.ventilation for dimension in indicateur.dimensions.all() if releve.ventilation}
    valeur.enregistrer(ventilation=ventilation)
