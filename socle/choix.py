"""Retrouver, dans une liste fermée, ce que désigne un texte tapé, collé ou lu dans un classeur."""

from django.db import models

from socle.formats import plier


def membre_de(liste: type[models.TextChoices], texte: str) -> str | None:
    """La valeur que ce texte nomme par son code ou son libellé, sans souci d'accents ni de casse ; None sinon.

    Un libellé au féminin se reconnaît aussi au masculin : « Terminé » est « Terminée ».
    """
    cherche = plier(texte)
    for valeur, libelle in liste.choices:
        feminin = plier(str(libelle))
        if cherche and cherche in (plier(valeur), feminin, feminin.removesuffix("e")):
            return str(valeur)
    return None
