"""Axe 3 : l'achat durable. Cinq actions terminées, cinq en cours, deux non initiées, une retirée du plan."""

from accueil.demo_complet.recits.recit import AxeRaconte, Recit
from actions.statuts import PointAttention

AXE = AxeRaconte(
    code="3",
    intitule="Réduire l'empreinte environnementale des achats",
    elus=(4,),
    partenaires=("ANFC", "RFC", "RF", "UFE", "DF"),
    cadres=(
        ("PCAET", ("2.3", "4.1", "4.2", "5.6")),
        ("SPASER", ("3.1", "3.3", "3.4")),
        ("Agenda 2030", ("ODD 12", "ODD 13")),
    ),
    actions=(
        Recit(
            "Inscrire une considération environnementale dans chaque marché avant le 21 août 2026",
            "DTE",
            debut=2022,
            echeances="21/08/2026",
            description=(
                "Condition d'exécution et critère d'attribution, selon la famille d'achat. Chaque dossier de "
                "consultation dit laquelle a été retenue, et pourquoi."
            ),
            indicateurs=("clauses-environnementales",),
            attention=(PointAttention.AUTRE, "Douze accords-cadres anciens courent encore au-delà de l'échéance."),
        ),
        Recit(
            "Estimer chaque année l'empreinte carbone des achats, par famille",
            "DTE",
            debut=2023,
            fin=2024,
            echeances="T4 2024",
            indicateurs=("carbone",),
        ),
        Recit(
            "Acheter des biens issus du réemploi ou intégrant des matières recyclées",
            "DMG",
            pilote="agent",
            debut=2022,
            echeances="2026",
            description="Mobilier, informatique, papeterie, vêtements de travail : les familles que vise la loi AGEC.",
        ),
        Recit(
            "Supprimer les plastiques à usage unique des réceptions et de la restauration",
            "DMG",
            debut=2022,
            fin=2022,
            echeances="30/09/2022",
        ),
        Recit(
            "Généraliser le diagnostic « produits, équipements, matériaux et déchets » avant démolition et orienter "
            "les matériaux vers le réemploi",
            "DBEP",
            debut=2023,
            fin=2025,
            echeances="T2 2024 > T2 2025",
        ),
        Recit(
            "Recourir à des matériaux biosourcés dans les rénovations de bâtiments publics",
            "DBEP",
            debut=2024,
            entree=2023,
            echeances="31/12/2025 > T4 2026",
            indicateurs=("carbone",),
        ),
        Recit(
            "Verdir la flotte de véhicules au rythme fixé par la loi",
            "DMG",
            debut=2022,
            fin=2025,
            echeances="2025",
            indicateurs=("carbone",),
        ),
        Recit(
            "Raisonner en coût global pour les équipements énergivores",
            "DBEP",
            debut=2025,
            echeances="30/06/2026",
            muette=True,
            indicateurs=("carbone",),
        ),
        Recit(
            "Réduire les livraisons par le regroupement des commandes de fournitures",
            "DMG",
            pilote="agent",
            debut=2023,
            fin=2024,
            echeances="2023 > T2 2024",
        ),
        Recit(
            "Introduire un critère de préservation de la biodiversité dans les marchés d'espaces verts",
            "DTE",
            debut=2025,
            entree=2024,
            echeances="T1 2027",
        ),
        Recit(
            "Créer une plateforme interne de don et d'échange de mobilier entre services",
            "DMG",
            echeances="2025 > 2027",
            muette=True,
            attention=(PointAttention.ARBITRAGE, "Local de stockage à trouver, ou convention avec une ressourcerie."),
        ),
        Recit(
            "Limiter la consommation d'eau dans les marchés de nettoyage et d'arrosage",
            "DTE",
            pilote="personne",
            muette=True,
        ),
        Recit(
            "Compenser les émissions des déplacements professionnels",
            "DTE",
            echeances="2024",
            retrait=(2024, "Le comité de suivi préfère réduire les déplacements, objet d'un autre plan."),
        ),
    ),
)
