"""Les mêmes contrats inventés, à plat, comme decp.info les republie : seul ce fichier situe les titulaires."""

import csv
import io
from collections.abc import Iterator
from random import Random
from typing import Any

from accueil.demo_complet.registres.decp import FIN_DU_TABULAIRE, Publication
from accueil.demo_complet.registres.fournisseurs import AUTRES_ACHETEURS, SIREN

ACHETEURS = {SIREN: "Communauté d'agglomération fictive", **AUTRES_ACHETEURS}
COLONNES = (
    *("uid", "id", "nature", "acheteur_id", "acheteur_nom", "titulaire_id", "titulaire_typeIdentifiant"),
    *("titulaire_nom", "objet", "montant", "codeCPV", "procedure", "dureeMois", "offresRecues", "dateNotification"),
    *("datePublicationDonnees", "considerationsSociales", "considerationsEnvironnementales", "idAccordCadre"),
    *("titulaire_commune_code", "titulaire_departement_code", "modification_id", "sourceDataset"),
)
# Un contrat sur seize n'a pas été republié, un établissement sur seize n'est pas situé.
MANQUE = 1 / 16


def en_csv(publication: Publication, hasard: Random) -> str:
    """Une ligne par contrat et titulaire, à l'état initial. Cinq contrats ne sont que là, sans considération."""
    sortie = io.StringIO()
    plume = csv.DictWriter(sortie, COLONNES, lineterminator="\n")
    plume.writeheader()
    vus: set[str] = set()
    perdus = {siret for siret in publication.fournisseurs if hasard.random() < MANQUE}
    for marche in publication.marches:
        uid = marche["acheteur"]["id"] + marche["id"]
        if uid in vus or marche["dateNotification"] > str(FIN_DU_TABULAIRE) or hasard.random() < MANQUE:
            continue
        vus.add(uid)
        plume.writerows(_lignes(uid, marche, publication, perdus))
    for rang, marche in enumerate(publication.marches[5:150:30], start=1):
        sans = marche | {"id": f"SYN-TAB-{rang:02d}", "objet": f"{marche['objet']}, complément"}
        sans |= {"considerationsSociales": {}, "considerationsEnvironnementales": {}}
        plume.writerows(_lignes(sans["acheteur"]["id"] + sans["id"], sans, publication, perdus))
    return sortie.getvalue()


def _lignes(uid: str, marche: dict[str, Any], publication: Publication, perdus: set[str]) -> Iterator[dict[str, Any]]:
    for entree in marche["titulaires"]:
        siret = entree["titulaire"]["id"]
        fournisseur = publication.fournisseurs[siret]
        commune = "" if siret in perdus else fournisseur.commune
        yield {
            "uid": uid,
            **{nom: marche[nom] for nom in COLONNES if nom in marche and not isinstance(marche[nom], dict | list)},
            "acheteur_id": marche["acheteur"]["id"],
            "acheteur_nom": ACHETEURS[marche["acheteur"]["id"][:9]],
            "titulaire_id": siret,
            "titulaire_typeIdentifiant": "SIRET",
            "titulaire_nom": fournisseur.nom,
            "considerationsSociales": ", ".join(marche["considerationsSociales"].get("considerationSociale", [])),
            "considerationsEnvironnementales": ", ".join(
                marche["considerationsEnvironnementales"].get("considerationEnvironnementale", [])
            ),
            "titulaire_commune_code": commune,
            "titulaire_departement_code": commune[:2],
            "modification_id": 0,
            "sourceDataset": "donnees_synthetiques",
        }
