"""L'essai d'un classeur, tel que le dépôt le garde et que sa page le montre : du texte, prêt à lire."""

from typing import Any

from actions.champs import LIBELLES, Ecart, en_clair
from actions.classeur.comparaison import Comparaison, LigneComparee, Sort
from actions.classeur.conflits import Passage
from socle.formats import ABSENT, formater_moment

# Ce qui se montre, dans cet ordre : ce qui empêche, ce qui se décide, ce qui sera écrit.
TITRES = {
    Sort.REFUSEE: "Refusées",
    Sort.CONFLIT: "En conflit avec le site",
    Sort.CHANGEE: "À changer",
    Sort.CREEE: "À créer",
}
# Une longue description se lit dans le fichier ; l'essai n'a qu'à la faire reconnaître.
LONGUEUR_MONTREE = 200


def apercu_de(comparaison: Comparaison, feuille: str) -> dict[str, Any]:
    """Ce que le dépôt en garde : les comptes, et une entrée par ligne qui n'est pas inchangée."""
    ordre = {sort: rang for rang, sort in enumerate(TITRES)}
    montrees = sorted(comparaison.de_sort(*TITRES), key=lambda ligne: (ordre[ligne.sort], ligne.numero))
    return {
        "empreinte": comparaison.empreinte,
        "feuille": feuille,
        "comptes": comparaison.comptes,
        "changements": sum(len(ligne.ecarts) for ligne in comparaison.de_sort(Sort.CHANGEE)),
        "motifs": {
            sort.value: sum(ligne.motif_attendu for ligne in comparaison.de_sort(sort))
            for sort in (Sort.CHANGEE, Sort.CONFLIT)
        },
        "du_site": comparaison.entete.du_site,
        "ignorees": list(comparaison.entete.ignorees),
        "lignes": [_ligne(ligne) for ligne in montrees],
    }


def _ligne(ligne: LigneComparee) -> dict[str, Any]:
    dite: dict[str, Any] = {
        "numero": ligne.numero,
        "sort": ligne.sort.value,
        "nom": ligne.nom[:LONGUEUR_MONTREE],
        "action": ligne.action.pk if ligne.action is not None else None,
    }
    if ligne.refus:
        return dite | {"refus": [[refus.colonne, refus.raison] for refus in ligne.refus]}
    if ligne.action is None:
        donnees = ((champ, valeur) for champ, valeur in ligne.valeurs.items() if champ != "intitule")
        cellules = [[LIBELLES[champ], _court(en_clair(champ, valeur))] for champ, valeur in donnees]
        return dite | {"cellules": [cellule for cellule in cellules if cellule[1] != ABSENT]}
    dite["cellules"] = [_cellule(ecart) for ecart in ligne.ecarts]
    if ligne.motif_attendu:
        dite["motif_attendu"] = True
    if ligne.passage is not None:
        dite["bouge"] = _qui_est_passe(ligne.passage)
        for cellule, ecart in zip(dite["cellules"], ligne.ecarts, strict=True):
            cellule.append(_court(ligne.passage.en_clair(ecart.champ)))
    return dite


def _cellule(ecart: Ecart) -> list[str]:
    return [ecart.libelle, _court(ecart.avant_en_clair), _court(ecart.apres_en_clair)]


def _qui_est_passe(passage: Passage) -> str:
    if passage.le is None:
        return "Changée sur le site depuis l'export."
    qui = f" par {passage.par}" if passage.par else ""
    return f"Changée sur le site le {formater_moment(passage.le)}{qui}."


def _court(texte: str) -> str:
    return texte if len(texte) <= LONGUEUR_MONTREE else f"{texte[: LONGUEUR_MONTREE - 1]}…"
