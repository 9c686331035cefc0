"""Ce qui étonne dans une valeur au regard de l'année d'avant : on demande un commentaire, on ne refuse rien."""

from django.conf import settings

from indicateurs.comparaisons import Comparaison, ecrire_l_ecart
from indicateurs.listes import Nature
from socle.formats import INSECABLE, MOINS, formater_pourcentage


def etonnement(comparaison: Comparaison) -> str:
    """Le constat, suivi de ce qu'on demande à qui saisit ; vide s'il n'y a rien à en dire."""
    constat = ecart_etonnant(comparaison)
    return f"{constat} : dites pourquoi en remarque." if constat else ""


def ecart_etonnant(comparaison: Comparaison) -> str:
    """Le constat seul, quand l'écart avec l'année d'avant dépasse le réglage ; vide s'il n'y a rien à en dire.

    Une part se compare en points (ECART_PLAUSIBLE_EN_POINTS), le reste en pour cent de l'année d'avant
    (ECART_PLAUSIBLE_EN_POURCENT). Ni une rupture de série, ni une année sans précédente ne se comparent.
    """
    ecart, precedente = comparaison.ecart, comparaison.precedente
    if ecart is None or precedente is None or precedente.valeur_retenue is None:
        return ""
    if comparaison.indicateur.nature == Nature.PART:
        seuil, mesure = settings.ECART_PLAUSIBLE_EN_POINTS, abs(ecart)
        ecrit = ecrire_l_ecart(comparaison.indicateur, ecart)
    elif precedente.valeur_retenue == 0:
        return ""
    else:
        seuil, pour_cent = settings.ECART_PLAUSIBLE_EN_POURCENT, 100 * ecart / precedente.valeur_retenue
        mesure = abs(pour_cent)
        ecrit = f"{'+' if ecart > 0 else MOINS}{INSECABLE}{formater_pourcentage(mesure, 0)}"
    if mesure <= seuil:
        return ""
    return f"{ecrit} par rapport à {precedente.annee} ({precedente.taux_ecrit})"
