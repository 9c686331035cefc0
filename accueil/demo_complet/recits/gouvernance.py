"""Axe 1 : piloter la commande publique responsable. Six actions terminées, cinq en cours, une non initiée."""

from accueil.demo_complet.recits.recit import AxeRaconte, Recit
from actions.statuts import PointAttention

AXE = AxeRaconte(
    code="1",
    intitule="Piloter et partager la commande publique responsable",
    elus=(1, 2),
    partenaires=("RFA", "DF", "UFE"),
    cadres=(
        ("SPASER", ("1.1", "1.2", "1.4")),
        ("ISO 9001", ("5.2", "8.4", "9.1")),
        ("Projet d'administration", ("Chantier 3", "Chantier 7")),
    ),
    actions=(
        Recit(
            "Adopter le schéma de promotion des achats publics socialement et écologiquement responsables (SPASER)",
            "DCP",
            debut=2022,
            fin=2023,
            echeances="T2 2023 > T4 2023",
            description=(
                "Rédiger le schéma avec les services, le soumettre à la commission de la commande publique, puis au "
                "conseil. Le schéma fixe les objectifs chiffrés repris par les indicateurs du plan."
            ),
            indicateurs=("clauses-environnementales", "clauses-sociales"),
        ),
        Recit(
            "Dresser la cartographie des achats par famille homogène",
            "DCP",
            debut=2022,
            fin=2022,
            echeances="31/12/2022",
            indicateurs=("montant-achats",),
        ),
        Recit(
            "Former les acheteurs et les prescripteurs aux considérations sociales et environnementales",
            "DCP",
            debut=2022,
            echeances="2026",
            description="Deux sessions par an, l'une pour les acheteurs, l'autre pour les services qui prescrivent.",
            indicateurs=("acheteurs-formes",),
        ),
        Recit(
            "Installer le comité de suivi du plan, réuni deux fois par an",
            "DCP",
            debut=2022,
            fin=2022,
            echeances="T2 2022",
        ),
        Recit(
            "Publier chaque année le bilan des achats responsables",
            "DCP",
            debut=2023,
            echeances="31/03/2024 > 31/03/2026",
            muette=True,
            attention=(PointAttention.AUTRE, "Le bilan 2025 attend les chiffres de deux services."),
        ),
        Recit(
            "Désigner un référent achats responsables dans chaque direction",
            "DMG",
            debut=2022,
            fin=2023,
            echeances="2023",
            pilote="agent",
        ),
        Recit(
            "Adopter une charte de déontologie des achats, avec des règles simples sur les cadeaux, les invitations "
            "et les rencontres de fournisseurs",
            "DCP",
            debut=2024,
            fin=2025,
            echeances="T4 2024 > T2 2025",
        ),
        Recit(
            "Préparer la candidature au label Relations fournisseurs et achats responsables (RFAR)",
            "DCP",
            debut=2024,
            echeances="T4 2025 > 2026",
            description=(
                "Autoévaluation, plan de progrès, puis dossier. Le délai de paiement et la médiation sont les deux "
                "points faibles relevés par l'autoévaluation."
            ),
        ),
        Recit(
            "Mettre à disposition une bibliothèque de clauses types, tenue à jour",
            "DCP",
            debut=2023,
            fin=2024,
            echeances="30/06/2024",
            indicateurs=("clauses-environnementales", "clauses-sociales"),
        ),
        Recit(
            "Associer les communes membres par un groupement de commandes responsable",
            "DCP",
            debut=2025,
            echeances="T2 2026",
            muette=True,
            attention=(
                PointAttention.ARBITRAGE,
                "Qui, de l'agglomération ou d'une commune, coordonne le groupement ?",
            ),
        ),
        Recit(
            "Mesurer la satisfaction des services acheteurs",
            "DMG",
            entree=2024,
            echeances="2025",
            pilote="personne",
            muette=True,
            attention=(PointAttention.NON_DEMARRAGE, "Le questionnaire attend que le poste de pilote soit pourvu."),
        ),
        Recit(
            "Programmer les achats à trois ans et publier cette programmation",
            "DCP",
            debut=2024,
            entree=2023,
            echeances="31/01/2025 > 31/01/2027",
        ),
    ),
)
