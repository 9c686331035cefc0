"""Ce que l'agglomération inventée achète : objets de consultations et de lots, services qui les lancent."""

LIEUX_DITS = (
    "du gymnase fictif des Étangs",
    "de la médiathèque fictive du Canal",
    "de la crèche fictive des Salicornes",
    "du siège de l'agglomération fictive",
    "de l'école de musique fictive",
    "de la piscine fictive du Ponant",
    "du port fictif de la Dune",
    "du parc d'activités fictif du Levant",
    "de la déchèterie fictive de la Roubine",
    "du centre technique fictif",
    "de la halle fictive des Flamants",
    "du stade fictif de la Garrigue",
    "de la station d'épuration fictive",
)

# Par nature (listes.Nature) : objet, service qui lance. « {lieu} » se remplace.
OBJETS = {
    "TRAVAUX": (
        ("Réfection de la toiture {lieu}", "DBEP"),
        ("Rénovation énergétique {lieu}", "DTE"),
        ("Mise en accessibilité {lieu}", "DBEP"),
        ("Remplacement des menuiseries {lieu}", "DBEP"),
        ("Aménagement des abords {lieu}", "DBEP"),
        ("Désimperméabilisation de la cour {lieu}", "DTE"),
        ("Extension {lieu}", "DBEP"),
        ("Reprise des réseaux {lieu}", "DBEP"),
        ("Pose d'ombrières photovoltaïques {lieu}", "DTE"),
    ),
    "FOURNITURES": (
        ("Mobilier {lieu}", "DMG"),
        ("Postes informatiques reconditionnés pour les agents {lieu}", "DSI"),
        ("Végétaux pour les abords {lieu}", "DTE"),
        ("Vêtements de travail pour les équipes {lieu}", "DMG"),
        ("Produits d'entretien {lieu}", "DMG"),
        ("Signalétique {lieu}", "DBEP"),
        ("Matériel de sonorisation {lieu}", "DMG"),
        ("Équipements réseau {lieu}", "DSI"),
        ("Véhicules électriques pour les équipes {lieu}", "DMG"),
    ),
    "SERVICES": (
        ("Nettoyage des locaux {lieu}", "DMG"),
        ("Entretien des espaces verts {lieu}", "DTE"),
        ("Gardiennage {lieu}", "DMG"),
        ("Maintenance du chauffage {lieu}", "DBEP"),
        ("Collecte des biodéchets {lieu}", "DTE"),
        ("Restauration des agents {lieu}", "DEI"),
        ("Transport des publics {lieu}", "DMG"),
        ("Hébergement du logiciel {lieu}", "DSI"),
        ("Tri et réemploi du mobilier {lieu}", "DEI"),
    ),
    "PI": (
        ("Maîtrise d'œuvre pour la rénovation {lieu}", "DBEP"),
        ("Étude de programmation {lieu}", "DBEP"),
        ("Audit énergétique {lieu}", "DTE"),
        ("Assistance à maîtrise d'ouvrage pour l'extension {lieu}", "DBEP"),
        ("Accompagnement à l'achat responsable des équipes {lieu}", "DCP"),
    ),
}

OBJETS_DE_LOT = {
    "TRAVAUX": ("Gros œuvre", "Couverture", "Menuiseries", "Électricité", "Plomberie et chauffage", "Peinture"),
    "FOURNITURES": ("Matériel courant", "Matériel spécialisé", "Pièces détachées", "Petites séries"),
    "SERVICES": ("Secteur littoral", "Secteur plaine", "Bâtiments administratifs", "Équipements sportifs"),
    "PI": ("Mission de base", "Missions complémentaires"),
}
