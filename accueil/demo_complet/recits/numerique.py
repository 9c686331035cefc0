"""Axe 5 : outils, données, numérique. Trois actions terminées, six en cours, trois non initiées, une retirée."""

from accueil.demo_complet.recits.recit import AxeRaconte, Recit
from actions.statuts import PointAttention

AXE = AxeRaconte(
    code="5",
    intitule="Outiller les achats et acheter un numérique responsable",
    elus=(5,),
    partenaires=("RFA", "UFE", "FFEI", "RF"),
    cadres=(
        ("Stratégie numérique responsable", ("Objectif 2", "Objectif 5")),
        ("ISO 9001", ("7.5", "9.1")),
        ("PCAET", ("6.1",)),
    ),
    actions=(
        Recit(
            "Adopter la stratégie numérique responsable et son volet achats",
            "DSI",
            debut=2023,
            fin=2024,
            echeances="01/01/2025",
        ),
        Recit(
            "Acheter des ordinateurs et des téléphones reconditionnés",
            "DSI",
            debut=2022,
            echeances="2024 > 2026",
            description="20 % des renouvellements annuels, selon les usages. Le reste a une garantie longue.",
            indicateurs=("carbone",),
        ),
        Recit(
            "Publier les données essentielles de tous les marchés en données ouvertes",
            "DCP",
            debut=2022,
            fin=2024,
            echeances="31/12/2023 > T1 2024",
        ),
        Recit(
            "Déployer un logiciel de suivi des marchés, des clauses et des indicateurs, relié à l'outil financier et "
            "au profil d'acheteur, et former ses utilisateurs",
            "DSI",
            debut=2024,
            echeances="T2 2025 > T4 2025 > T2 2026",
            attention=(PointAttention.AUTRE, "La reprise des marchés antérieurs à 2022 est plus longue que prévu."),
        ),
        Recit(
            "Exiger l'accessibilité numérique de tout service en ligne acheté",
            "DSI",
            debut=2023,
            echeances="30/06/2026",
            muette=True,
        ),
        Recit(
            "Allonger la durée d'usage des équipements informatiques à six ans",
            "DSI",
            debut=2022,
            fin=2023,
            echeances="2023",
        ),
        Recit(
            "Écoconcevoir les sites et services numériques commandés",
            "DSI",
            debut=2025,
            echeances="",
            entree=2025,
        ),
        Recit(
            "Confier la collecte et le reconditionnement du matériel en fin de vie à une structure d'insertion",
            "DSI",
            debut=2026,
            echeances="T1 2027",
            indicateurs=("montant-insertion",),
        ),
        Recit(
            "Dématérialiser la chaîne de l'achat, de la demande du service à la facture",
            "DMG",
            debut=2023,
            echeances="2025 > 2027",
        ),
        Recit(
            "Ouvrir un tableau de bord des achats aux élus et aux habitants",
            "DSI",
            echeances="T4 2026",
            muette=True,
        ),
        Recit(
            "Étudier l'hébergement des données dans un centre sobre en énergie et en eau",
            "DSI",
            echeances="2027",
            interne=True,
        ),
        Recit(
            "Évaluer les usages de l'intelligence artificielle dans la rédaction des marchés",
            "DCP",
            entree=2025,
            interne=True,
            attention=(PointAttention.ARBITRAGE, "Le cadre d'usage est à valider avant tout essai."),
        ),
        Recit(
            "Équiper chaque salle de réunion d'un écran tactile",
            "DSI",
            debut=2022,
            echeances="2023",
            retrait=(2023, "Sans lien avec l'achat responsable : reprise dans le plan d'équipement."),
        ),
    ),
)
