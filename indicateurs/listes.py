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
