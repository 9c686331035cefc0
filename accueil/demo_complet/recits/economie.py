"""Axe 4 : l'accès des entreprises. Quatre actions terminées, cinq en cours, trois non initiées."""

from accueil.demo_complet.recits.recit import AxeRaconte, Recit
from actions.statuts import PointAttention

AXE = AxeRaconte(
    code="4",
    intitule="Ouvrir la commande publique aux PME et au territoire",
    elus=(2, 5),
    partenaires=("CFCI", "CFMA", "SFA", "VPI"),
    cadres=(
        ("SPASER", ("4.1", "4.2")),
        ("ISO 9001", ("8.4", "8.5")),
        ("Schéma de développement économique", ("Fiche 12", "Fiche 15")),
    ),
    actions=(
        Recit(
            "Allotir systématiquement et justifier par écrit chaque marché non alloti",
            "DCP",
            debut=2022,
            fin=2022,
            echeances="2022",
            indicateurs=("marches-pme",),
        ),
        Recit(
            "Rencontrer les fournisseurs avant de consulter : un sourcing tracé pour chaque achat stratégique",
            "DCP",
            debut=2023,
            echeances="2024 > T4 2026",
            description="Un compte rendu par rencontre, joint à la consultation : tous savent la même chose.",
            indicateurs=("marches-pme",),
        ),
        Recit(
            "Payer les fournisseurs en moins de vingt jours",
            "DMG",
            debut=2022,
            echeances="31/12/2025",
            muette=True,
            attention=(PointAttention.ARBITRAGE, "Deux agents de plus, ou la signature électronique des factures ?"),
        ),
        Recit(
            "Relever l'avance versée aux petites entreprises",
            "DCP",
            debut=2022,
            fin=2023,
            echeances="T1 2023",
            indicateurs=("marches-pme",),
        ),
        Recit(
            "Alléger le dossier de candidature et le dossier de consultation des marchés à procédure adaptée",
            "DCP",
            debut=2023,
            fin=2024,
            echeances="T3 2024",
        ),
        Recit(
            "Tenir chaque année une rencontre des acheteurs et des entreprises du territoire",
            "DCP",
            debut=2022,
            echeances="",
            indicateurs=("achats-locaux", "marches-pme"),
        ),
        Recit(
            "Faire connaître aux services l'achat innovant de gré à gré, sous 100 000 € HT",
            "DCP",
            entree=2024,
            echeances="T4 2026",
        ),
        Recit(
            "Développer l'approvisionnement de proximité de la restauration collective, dans le respect de l'égalité "
            "de traitement des candidats",
            "DMG",
            debut=2024,
            echeances="01/09/2026",
            indicateurs=("achats-locaux",),
            description="Allotissement fin par produit, saisonnalité, visites pédagogiques, fréquence des livraisons.",
        ),
        Recit(
            "Informer les candidats évincés de façon personnalisée",
            "DCP",
            debut=2024,
            fin=2025,
            echeances="30/06/2025",
        ),
        Recit(
            "Insérer des clauses de révision des prix équilibrées",
            "DCP",
            debut=2026,
            entree=2025,
            echeances="2026",
        ),
        Recit(
            "Proposer un parcours de médiation avant tout contentieux avec un titulaire",
            "DCP",
            echeances="T2 2025",
            pilote="personne",
            muette=True,
            attention=(PointAttention.NON_DEMARRAGE, "En attente de la désignation d'un médiateur interne."),
        ),
        Recit(
            "Mutualiser l'achat de prestations d'ingénierie avec les communes de moins de 3 500 habitants",
            "DBEP",
        ),
    ),
)
