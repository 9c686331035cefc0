"""Ce qu'on peut demander d'une liste, sur la requête d'une table."""

from django.db.models import Q, QuerySet

from actions.requetes import numero_demande
from socle.recherche import mots_de, replier


def d_actions(actions: QuerySet, *, statut: str | None, axe: str | None, q: str | None) -> QuerySet:
    """Les actions de ce statut, de cet axe (son code ou son intitulé), et qui disent ces mots."""
    if statut:
        actions = actions.filter(etat_statut=statut)
    if axe:
        actions = actions.filter(Q(axe__code=axe) | Q(axe__intitule=axe))
    return qui_disent(actions, q) if q else actions


def qui_disent(actions: QuerySet, demande: str) -> QuerySet:
    """Celles dont l'intitulé ou la description ont chacun de ces mots, ou le début, et celle de ce numéro.

    La colonne de recherche du site n'y sert pas : elle contient le point d'attention, qui est interne, et le fait de
    trouver ou non une action dirait ce qu'il contient. Une requête lit donc les textes de la liste.
    """
    mots, numero = mots_de(demande), numero_demande(demande)
    if not mots:
        return actions
    lus = actions.order_by().values_list("pk", "numero", "intitule", "description")
    trouvees = [
        pk
        for pk, rang, intitule, description in lus
        if rang == numero or all(f" {mot}" in replier(f"{intitule} {description}") for mot in mots)
    ]
    return actions.filter(pk__in=trouvees)


def de_valeurs(valeurs: QuerySet, *, annee: int | None, indicateur: str | None) -> QuerySet:
    if annee is not None:
        valeurs = valeurs.filter(annee=annee)
    if indicateur:
        valeurs = valeurs.filter(indicateur__code=indicateur)
    return valeurs
