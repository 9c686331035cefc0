"""Ce qu'une valeur ne peut pas être, dit avant d'écrire et sans interroger la base.

`ValeurAnnuelle.enregistrer` en reste le juge : ce qui passerait ici par mégarde y est refusé, et rien n'est écrit.
"""

from collections.abc import Iterator

from django.core.exceptions import ValidationError
from django.core.validators import DecimalValidator

from indicateurs.classeur.colonnes import Champ
from indicateurs.classeur.releve import Releve
from indicateurs.listes import Nature
from indicateurs.models import ValeurAnnuelle
from indicateurs.saisie import CHIFFRES
from socle.formats import CHIFFRES_MAX, DECIMALES_MAX, formater_nombre

_CHAMPS = {"valeur": Champ.VALEUR, "numerateur": Champ.NUMERATEUR, "denominateur": Champ.DENOMINATEUR}
_BORNE = DecimalValidator(CHIFFRES_MAX, DECIMALES_MAX)
Objection = tuple[Champ, str]


def objections(valeur: ValeurAnnuelle, releve: Releve) -> Iterator[Objection]:
    """`valeur` : telle qu'elle serait, rapportée à son dénominateur."""
    for nom in CHIFFRES:
        nombre = getattr(valeur, nom)
        if nombre is None:
            continue
        if nombre < 0:
            yield _CHAMPS[nom], "Une valeur ne peut pas être négative."
        try:
            _BORNE(nombre)
        except ValidationError as refus:
            yield _CHAMPS[nom], " ".join(refus.messages)
    if valeur.valeur is not None and valeur.numerateur is not None:
        yield Champ.VALEUR, "Donnez une valeur ou un numérateur, pas les deux."
    elif valeur.indicateur.nature == Nature.PART:
        yield from _d_une_part(valeur)
    else:
        yield from _d_un_compte(valeur, releve)
    for nom, somme in releve.ventilees[valeur.pk] if valeur.pk else ():
        if somme != valeur.a_ventiler:
            attendu = formater_nombre(valeur.a_ventiler)
            yield (
                Champ.VALEUR if valeur.numerateur is None else Champ.NUMERATEUR,
                f"La ventilation « {nom} » totalise {formater_nombre(somme)}, il faut {attendu} : corrigez les deux "
                "ensemble, sur la page de la valeur.",
            )


def _d_une_part(valeur: ValeurAnnuelle) -> Iterator[Objection]:
    if valeur.valeur is not None and valeur.valeur > 100:
        yield Champ.VALEUR, "Une part se donne de 0 à 100 %."
    if valeur.denominateur is not None and valeur.numerateur is None:
        yield Champ.DENOMINATEUR, "Un dénominateur ne se donne qu'avec un numérateur."
    elif valeur.denominateur is not None and valeur.denominateur <= 0:
        yield Champ.DENOMINATEUR, "Un dénominateur est supérieur à zéro."
    elif valeur.numerateur is not None:
        if valeur.denominateur is None and valeur.indicateur.denominateur_id is None:
            yield Champ.NUMERATEUR, "Donnez le dénominateur : aucun autre indicateur ne le fournit."
        elif valeur.denominateur_retenu is not None and valeur.numerateur > valeur.denominateur_retenu:
            sur = formater_nombre(valeur.denominateur_retenu)
            yield Champ.NUMERATEUR, f"Le numérateur dépasse le dénominateur ({sur})."


def _d_un_compte(valeur: ValeurAnnuelle, releve: Releve) -> Iterator[Objection]:
    for nom in ("numerateur", "denominateur"):
        if getattr(valeur, nom) is not None:
            yield _CHAMPS[nom], "Un numérateur et un dénominateur ne se donnent que pour une part."
    if valeur.valeur is None:
        return
    if valeur.indicateur.nature == Nature.COMPTE and valeur.valeur != valeur.valeur.to_integral_value():
        yield Champ.VALEUR, "Un compte est un nombre entier."
    for taux in releve.taux_appuyes(valeur.indicateur, valeur.annee):
        if taux.numerateur is not None and taux.numerateur > valeur.valeur:
            numerateur = formater_nombre(taux.numerateur)
            yield Champ.VALEUR, f"Le numérateur de « {taux.indicateur} » ({numerateur}) dépasserait cette valeur."
