"""Les listes fermées des indicateurs : chaque libellé n'est écrit qu'ici."""

from django.db import models


class Nature(models.TextChoices):
    COMPTE = "COMPTE", "Compte"
    PART = "PART", "Part"
    MONTANT = "MONTANT", "Montant"


class Sens(models.TextChoices):
    HAUSSE = "HAUSSE", "Une hausse est un progrès"
    BAISSE = "BAISSE", "Une baisse est un progrès"
    NEUTRE = "NEUTRE", "Neutre : ni la hausse ni la baisse n'est un progrès"


class Etat(models.TextChoices):
    PROVISOIRE = "PROVISOIRE", "Provisoire"
    VALIDEE = "VALIDEE", "Validée"


class OrigineDeValeur(models.TextChoices):
    PAGE_PUBLIEE = "PAGE_PUBLIEE", "Page publiée"
    SAISIE = "SAISIE", "Saisie"
    CLASSEUR = "CLASSEUR", "Classeur"
    CALCUL = "CALCUL", "Calcul"


class OrigineDeCible(models.TextChoices):
    PLAN = "PLAN", "Plan"
    OBLIGATION = "OBLIGATION", "Obligation"
    OBJECTIF_NATIONAL = "OBJECTIF_NATIONAL", "Objectif national"


class Appreciation(models.TextChoices):
    """Où en est un indicateur face à son objectif ; `indicateurs.appreciation` la décide."""

    ATTEINT = "ATTEINT", "Atteint"
    EN_BONNE_VOIE = "EN_BONNE_VOIE", "En bonne voie"
    A_SURVEILLER = "A_SURVEILLER", "À surveiller"
    SANS_OBJECTIF = "SANS_OBJECTIF", "Sans objectif"
    NON_RENSEIGNE = "NON_RENSEIGNE", "Non renseigné"


class PhaseDeDemande(models.TextChoices):
    """Ce qui est gardé d'une demande de valeur ; le reste se lit sur la valeur (`EtatDeDemande`)."""

    OUVERTE = "OUVERTE", "Ouverte"
    TRANSMISE = "TRANSMISE", "Transmise"
    RENVOYEE = "RENVOYEE", "Renvoyée"


class EtatDeDemande(models.TextChoices):
    """Où en est une ligne de collecte : déduit de sa phase et de la valeur, jamais gardé."""

    MANQUANTE = "MANQUANTE", "Manquant"
    RENVOYEE = "RENVOYEE", "Renvoyé"
    RECUE = "RECUE", "Reçu"
    A_VALIDER = "A_VALIDER", "À valider"
    INDISPONIBLE = "INDISPONIBLE", "Indisponible"
    VALIDEE = "VALIDEE", "Validé"
