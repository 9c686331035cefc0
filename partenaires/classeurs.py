"""Lire un tableau de partenaires, classeur ou CSV, sans rien deviner.

Un fichier qu'on ne comprend pas est refusé en entier, avec la phrase qui dit pourquoi. Aucun modèle ici.
"""

import tablib

from socle.formats import accorder, plier
from socle.tableaux import FichierIllisible, Limites, TitresAbsents, lire

COLONNES = {
    "nom": "Nom",
    "sigle": "Sigle",
    "alias": "Autres noms",
    "type": "Type",
    "site": "Site internet",
    "description": "Description",
    "contact": "Contact",
    "actif": "Actif",
}
# Numéro de la ligne dans le fichier d'origine, gardé à côté des colonnes.
LIGNE = "\u2116"

TAILLE_MAX = 1_000_000
LIGNES_MAX = 1000
LIMITES = Limites(octets=TAILLE_MAX, octets_deplies=20_000_000, lignes=LIGNES_MAX, colonnes=50)

_TITRES = {plier(titre): titre for titre in COLONNES.values()}


def lire_fichier(nom: str, contenu: bytes) -> tablib.Dataset:
    """Les lignes non vides, sous les titres de COLONNES, avec leur numéro d'origine. FichierIllisible sinon."""
    try:
        tableau = lire(nom, contenu, limites=LIMITES, reconnu=lambda titre: plier(titre) in _TITRES)
    except TitresAbsents as refus:
        _verifier_les_titres(refus.premiers)
        raise
    _verifier_les_titres(tableau.titres)
    if not tableau.lignes:
        raise FichierIllisible("Ce fichier n'a que des titres : aucun partenaire à lire.")
    redige = tablib.Dataset(headers=[*(_TITRES[plier(titre)] for titre in tableau.titres), LIGNE])
    for ligne in tableau.lignes:
        redige.append([*ligne.cellules, ligne.numero])
    return redige


def _verifier_les_titres(titres: list[str]) -> None:
    """Toutes les colonnes, et elles seules : un export d'un autre site ne passe pas pour une liste de partenaires."""
    inconnues = [titre for titre in titres if plier(titre) not in _TITRES]
    connues = {_TITRES.get(plier(titre)) for titre in titres}
    manquantes = [titre for titre in COLONNES.values() if titre not in connues]
    fautes = [
        f"{accorder(len(noms), sorte, sortes)} : {', '.join(f'« {nom[:60]} »' for nom in noms[:10])}"
        for noms, sorte, sortes in (
            (inconnues, "colonne inconnue", "colonnes inconnues"),
            (manquantes, "colonne manquante", "colonnes manquantes"),
        )
        if noms
    ]
    if fautes:
        attendues = ", ".join(COLONNES.values())
        raise FichierIllisible(f"{' ; '.join(fautes)}. La ligne des titres dit : {attendues}.")
