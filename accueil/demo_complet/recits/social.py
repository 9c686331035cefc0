"""Axe 2 : l'achat social. Quatre actions terminées, six en cours, deux non initiées."""

from accueil.demo_complet.recits.recit import AxeRaconte, Recit
from actions.statuts import PointAttention

AXE = AxeRaconte(
    code="2",
    intitule="Favoriser l'insertion, l'emploi et l'égalité",
    elus=(3,),
    partenaires=("PLIF", "FFEI", "DF", "VPI"),
    cadres=(
        ("SPASER", ("2.1", "2.2", "2.5")),
        ("Plan égalité", ("Mesure 4", "Mesure 9")),
        ("Agenda 2030", ("ODD 5", "ODD 8", "ODD 10")),
    ),
    actions=(
        Recit(
            "Intégrer une clause sociale d'insertion dans tout marché de travaux de plus de 500 000 € HT",
            "DEI",
            debut=2022,
            fin=2023,
            echeances="31/12/2023",
            description="La clause est calibrée avec le facilitateur : 5 % au moins des heures travaillées.",
            indicateurs=("heures-insertion", "clauses-sociales"),
        ),
        Recit(
            "Étendre les clauses d'insertion aux marchés de services et de prestations intellectuelles",
            "DEI",
            debut=2024,
            echeances="2025 > 2026",
            indicateurs=("heures-insertion", "clauses-sociales"),
        ),
        Recit(
            "Recruter un facilitateur des clauses sociales, mutualisé avec les communes",
            "DEI",
            debut=2022,
            fin=2022,
            echeances="T3 2022",
        ),
        Recit(
            "Réserver des marchés aux structures de l'insertion par l'activité économique et du handicap",
            "DEI",
            debut=2023,
            echeances="T4 2026",
            description="Entretien des espaces verts, blanchisserie, mise sous pli : trois familles repérées en 2023.",
            indicateurs=("montant-insertion",),
        ),
        Recit(
            "Organiser un forum annuel entre entreprises titulaires et structures d'insertion",
            "DEI",
            debut=2023,
            fin=2024,
            echeances="15/11/2024",
        ),
        Recit(
            "Suivre les heures d'insertion réalisées, marché par marché",
            "DEI",
            debut=2022,
            echeances="31/12/2024 > 30/06/2026",
            indicateurs=("heures-insertion",),
            fin_par_erreur=2024,
        ),
        Recit(
            "Demander aux titulaires leurs engagements en matière d'égalité entre les femmes et les hommes",
            "DCP",
            debut=2023,
            echeances="2024 > 2026",
            muette=True,
        ),
        Recit(
            "Intégrer l'accessibilité aux personnes handicapées dans la définition de chaque besoin",
            "DBEP",
            debut=2023,
            fin=2025,
            echeances="2025",
        ),
        Recit(
            "Expérimenter une clause de lutte contre les discriminations, avec accompagnement du titulaire pendant "
            "toute la durée du marché et bilan partagé à son terme",
            "DEI",
            entree=2023,
            echeances="T4 2025",
            attention=(PointAttention.ARBITRAGE, "Choisir le marché pilote : nettoyage des locaux ou restauration."),
        ),
        Recit(
            "Faciliter l'accueil d'apprentis et de stagiaires chez les titulaires",
            "DEI",
            debut=2025,
            echeances="",
        ),
        Recit(
            "Vérifier la traçabilité sociale des textiles et des équipements de travail",
            "DMG",
            pilote="agent",
            echeances="2026",
            attention=(PointAttention.NON_DEMARRAGE, "Le marché d'habillement en cours finit en mars 2027."),
        ),
        Recit(
            "Acheter des denrées issues du commerce équitable pour les réceptions",
            "DMG",
            debut=2024,
            entree=2023,
            echeances="",
            muette=True,
        ),
    ),
)
