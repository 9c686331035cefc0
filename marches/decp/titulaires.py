"""Les titulaires d'un enregistrement : triés, sans doublon, quelle que soit la façon dont ils sont rangés."""

import re
from collections.abc import Collection
from typing import Any, NamedTuple

from marches.decp.contrats import TitulaireLu
from marches.decp.identifiants import lire_l_identifiant_du_titulaire, lire_le_type, siret_plausible
from marches.decp.textes import champs, feuilles, premiere_feuille, scalaire, texte

LONGUEUR_DE_NOM = 250
_COMMUNE = re.compile(r"[0-9][0-9AB][0-9]{3}")
_DEPARTEMENT = re.compile(r"[0-9][0-9AB]|9[78][0-9]")
_CATEGORIES = {"PME", "ETI", "GE"}
_EMBALLAGES = ("titulaire", "concessionnaire")


class TitulairesLus(NamedTuple):
    titulaires: tuple[TitulaireLu, ...]
    anomalies: frozenset[str]


RIEN = TitulairesLus((), frozenset())


def lire_les_titulaires(valeur: Any) -> TitulairesLus:
    """D'une liste à plat (v1), d'objets `{"titulaire": …}` (v2), de listes de listes, ou de simples identifiants."""
    if not valeur:
        return RIEN
    lus: dict[tuple[str, ...], TitulaireLu] = {}
    for element in feuilles(valeur):
        if not isinstance(element, dict):
            _ajouter(lus, _titulaire(element, None, None))
            continue
        propre = champs(element)
        emballes = [propre[nom] for nom in _EMBALLAGES if nom in propre]
        for dedans in feuilles(emballes) if emballes else [propre]:
            if isinstance(dedans, dict):
                dedans = champs(dedans)
                nom = dedans.get("denominationSociale") or dedans.get("nom")
                _ajouter(lus, _titulaire(dedans.get("id"), dedans.get("typeIdentifiant"), nom))
            else:
                _ajouter(lus, _titulaire(dedans, None, None))
    return _avec_anomalies(lus.values())


def titulaire_de_la_ligne(ligne: dict[str, Any]) -> TitulairesLus:
    """Celui d'une ligne tabulaire, avec son lieu : code commune INSEE et département, « » si la colonne manque."""
    lu = _titulaire(ligne.get("titulaire_id"), ligne.get("titulaire_typeIdentifiant"), ligne.get("titulaire_nom"))
    if lu is None:
        return RIEN
    commune = texte(ligne.get("titulaire_commune_code")).upper()
    departement = texte(ligne.get("titulaire_departement_code")).upper()
    categorie = texte(ligne.get("titulaire_categorie")).upper()
    return _avec_anomalies(
        {
            TitulaireLu(
                lu.identifiant,
                lu.type_identifiant,
                lu.nom,
                commune if _COMMUNE.fullmatch(commune) else "",
                departement if _DEPARTEMENT.fullmatch(departement) else "",
                categorie if categorie in _CATEGORIES else "",
            )
        }
    )


def _ajouter(lus: dict[tuple[str, ...], TitulaireLu], titulaire: TitulaireLu | None) -> None:
    """Un identifiant n'est qu'un titulaire, même sous deux noms : le premier dans l'ordre, « » après les autres."""
    if titulaire is None:
        return
    cle = (titulaire.identifiant, titulaire.type_identifiant, "" if titulaire.identifiant else titulaire.nom)
    ancien = lus.get(cle)
    if ancien is None or not ancien.nom or "" < titulaire.nom < ancien.nom:
        lus[cle] = titulaire


def _titulaire(identifiant: Any, genre: Any, nom: Any) -> TitulaireLu | None:
    """None si ni identifiant ni nom. Un identifiant de quatorze chiffres sans type est un SIRET."""
    if not isinstance(identifiant, str):
        identifiant = scalaire(premiere_feuille(identifiant)) or ""
    lu = lire_l_identifiant_du_titulaire(identifiant)
    denomination = texte(nom, LONGUEUR_DE_NOM)
    if not lu and not denomination:
        return None
    type_lu = lire_le_type(genre) if isinstance(genre, str) else ""
    if not type_lu and len(lu) == 14 and lu.isascii() and lu.isdigit():
        type_lu = "SIRET"
    return TitulaireLu(lu, type_lu, denomination)


def _avec_anomalies(lus: Collection[TitulaireLu]) -> TitulairesLus:
    anomalies = set()
    for titulaire in lus:
        if not titulaire.identifiant:
            anomalies.add("titulaire_sans_identifiant")
        elif titulaire.type_identifiant == "SIRET" and not (
            len(titulaire.identifiant) == 14 and siret_plausible(titulaire.identifiant)
        ):
            anomalies.add("titulaire_siret_invalide")
    return TitulairesLus(tuple(sorted(lus)), frozenset(anomalies))
