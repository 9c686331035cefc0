"""Les listes fermées de l'application, chacune une fois, avec ses libellés."""

from django.db import models


class Nature(models.TextChoices):
    TRAVAUX = "TRAVAUX", "Travaux"
    FOURNITURES = "FOURNITURES", "Fournitures"
    SERVICES = "SERVICES", "Services"
    INTELLECTUELLES = "PI", "Prestations intellectuelles"


class Procedure(models.TextChoices):
    MAPA = "MAPA", "Procédure adaptée (MAPA)"
    AOO = "AOO", "Appel d'offres ouvert"
    AOR = "AOR", "Appel d'offres restreint"
    NEGOCIATION = "NEGOCIATION", "Procédure avec négociation"
    DIALOGUE = "DIALOGUE", "Dialogue compétitif"
    CONCOURS = "CONCOURS", "Concours"
    SANS_PUBLICITE = "SANS_PUB", "Sans publicité ni mise en concurrence"
    SUBSEQUENT = "SUBSEQUENT", "Marché subséquent"
    DEVIS = "DEVIS", "Devis"


class Suite(models.TextChoices):
    """La suite donnée à un lot ; rien tant que la consultation court."""

    ATTRIBUE = "ATTRIBUE", "Attribué"
    NOTIFIE = "NOTIFIE", "Notifié"
    SANS_SUITE = "SANS_SUITE", "Déclaré sans suite"
    ABANDONNE = "ABANDONNE", "Abandonné avant publication"


class MotifSansSuite(models.TextChoices):
    """Code de la commande publique, articles R2185-1 et suivants."""

    INFRUCTUEUX = "INFRUCTUEUX", "Infructuosité"
    INTERET_GENERAL = "INTERET", "Intérêt général"
    AUTRE = "AUTRE", "Autre motif"


class Base(models.TextChoices):
    """Ce que comptent les montants d'un budget : les deux ne s'additionnent jamais."""

    HT = "HT", "Hors taxes"
    TTC = "TTC", "Toutes taxes comprises"


class EtatDImport(models.TextChoices):
    DEPOSE = "DEPOSE", "En attente de lecture"
    LECTURE = "LECTURE", "Lecture en cours"
    APPLIQUE = "APPLIQUE", "Importé"
    REFUSE = "REFUSE", "Illisible"
    INTERROMPU = "INTERROMPU", "Interrompu"


class SourceDeContrat(models.TextChoices):
    OFFICIELLE = "OFFICIELLE", "Fichier réglementaire"
    TABULAIRE = "TABULAIRE", "Fichier tabulaire de decp.info"


class ChampCorrige(models.TextChoices):
    """Ce qu'une revue peut corriger d'un contrat : seulement ce dont un chiffre dépend."""

    DATE = "DATE", "Date de notification"
    MONTANT = "MONTANT", "Montant HT"
    ENVIRONNEMENT = "ENVIRONNEMENT", "Considération environnementale"
    SOCIAL = "SOCIAL", "Considération sociale"
    DOUBLON = "DOUBLON", "Doublon d'un autre contrat"
    DISTINCT = "DISTINCT", "Contrat distinct, vérifié"


class SorteDeFichier(models.TextChoices):
    REGISTRE = "REGISTRE", "Registre des consultations"
    MANDATS = "MANDATS", "Mandats"
    TIERS = "TIERS", "Fichier des tiers"
