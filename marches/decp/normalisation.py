"""D'un enregistrement brut, quel que soit son format, à un contrat ; jamais une exception, quoi qu'il contienne."""

import datetime
from functools import lru_cache
from typing import Any

from django.utils import timezone

from marches.decp.considerations import ENVIRONNEMENTALES, SOCIALES, lire_les_considerations
from marches.decp.contrats import Brut, ContratLu, Format, ModificationLue, Motif, Refus
from marches.decp.dates import lire_la_date
from marches.decp.identifiants import (
    acheteur_de,
    normaliser_l_identifiant,
    siret_plausible,
)
from marches.decp.montants import lire_l_entier, lire_le_montant
from marches.decp.textes import champs, est_une_absence, feuilles, liste, plier, premiere_feuille, texte
from marches.decp.titulaires import TitulairesLus, lire_les_titulaires, titulaire_de_la_ligne

LONGUEUR_D_OBJET = 2000
LONGUEUR_DE_NOM = 250
LONGUEUR_DE_LIBELLE = 150
OFFRES_AU_PLUS = 99_999

# Les graphies officielles, par leur forme pliée : « DELEGATION DE SERVICE PUBLIC » est « Délégation de service
# public ».
LIBELLES = {
    plier(libelle): libelle
    for libelle in [
        "Marché",
        "Marché de partenariat",
        "Marché de défense ou de sécurité",
        "Accord-cadre",
        "Marché subséquent",
        "Concession de travaux",
        "Concession de service",
        "Concession de service public",
        "Délégation de service public",
        "Procédure adaptée",
        "Appel d'offres ouvert",
        "Appel d'offres restreint",
        "Procédure avec négociation",
        "Marché passé sans publicité ni mise en concurrence préalable",
        "Dialogue compétitif",
        "Procédure négociée ouverte",
        "Procédure non négociée ouverte",
        "Procédure négociée restreinte",
        "Procédure non négociée restreinte",
        "Concours",
        "Système de qualification",
        "Système d'acquisition dynamique",
        "Catalogue électronique",
        "Enchère électronique",
    ]
}
CONCESSIONS = {"concession de travaux", "concession de service", "concession de service public"} | {
    "delegation de service public",
    "contrat de concession",
}


def normaliser(brut: Brut, format: Format, aujourd_hui: datetime.date | None = None) -> ContratLu | Refus:
    """Le contrat que dit l'enregistrement, ou pourquoi on ne le garde pas. `aujourd_hui` : la date que rien ne
    dépasse.

    Ne sont refusés que l'illisible, l'enregistrement sans acheteur, et celui qui ne décrit rien : une date, un
    montant ou un titulaire manquants sont signalés dans `anomalies`.
    """
    if not isinstance(brut.contenu, dict):
        return Refus(Motif.ILLISIBLE, brut.defaut)
    siret = acheteur_de(brut, format)
    if not siret:
        return Refus(Motif.SANS_ACHETEUR, _acheteur_ecrit(brut.contenu))
    aujourd_hui = aujourd_hui or timezone.localdate()
    if format is Format.TABULAIRE:
        contrat = _de_la_ligne(brut.contenu, siret, aujourd_hui)
    else:
        contrat = _de_l_enregistrement(champs(brut.contenu), siret, aujourd_hui)
    if not (contrat.objet or contrat.date or contrat.montant is not None or contrat.titulaires):
        return Refus(Motif.SANS_CONTENU)
    return contrat


def est_un_marche_subsequent(contrat: ContratLu) -> bool:
    """Un marché passé sur un accord-cadre : sa nature le dit (v1), ou il nomme un autre que lui (`idAccordCadre`, v2).

    Son montant est déjà dans celui de l'accord-cadre : on ne les additionne pas.
    """
    if plier(contrat.nature) == "marche subsequent":
        return True
    return bool(contrat.accord_cadre) and contrat.accord_cadre != contrat.identifiant


def _acheteur_ecrit(contenu: dict[str, Any]) -> str:
    """Ce que l'enregistrement dit de son acheteur, pour le montrer à côté du refus."""
    for nom in ("acheteur", "autoriteConcedante", "acheteur_id", "uid"):
        for partie in feuilles(champs(contenu).get(nom)):
            ecrit = texte(champs(partie).get("id"), 40) if isinstance(partie, dict) else texte(partie, 40)
            if ecrit:
                return f"« {ecrit} »"
    return ""


def _libelle(valeur: Any) -> str:
    return _officiel(valeur if isinstance(valeur, str) else texte(valeur))


@lru_cache(maxsize=4096)
def _officiel(ecrit: str) -> str:
    lu = texte(ecrit, LONGUEUR_DE_LIBELLE)
    return LIBELLES.get(plier(lu), lu) if lu else ""


def _techniques(valeur: Any) -> tuple[str, ...]:
    return _officielles(liste(valeur)) if valeur else ()


@lru_cache(maxsize=4096)
def _officielles(libelles: tuple[str, ...]) -> tuple[str, ...]:
    lues = (LIBELLES.get(plier(lue), lue)[:LONGUEUR_DE_LIBELLE] for lue in libelles)
    return tuple(dict.fromkeys(lue for lue in lues if plier(lue) != "sans objet"))


def _cpv(valeur: Any) -> str:
    """Le code CPV sans sa clé : huit chiffres, ou ce qui est écrit."""
    return _libelle(valeur)[:20].partition("-")[0]


def _accord_cadre(valeur: Any) -> str:
    lu = texte(valeur)
    return "" if not lu or plier(lu) == "sans objet" else normaliser_l_identifiant(lu)


def _premier(contenu: dict[str, Any], *noms: str) -> Any:
    """Le premier de ces champs qui dise quelque chose : les concessions et les marchés ne les nomment pas pareil."""
    for nom in noms:
        valeur = contenu.get(nom)
        if valeur is not None and valeur != "" and not (isinstance(valeur, str) and est_une_absence(valeur[:40])):
            return valeur
    return None


def _est_une_concession(contenu: dict[str, Any], nature: str) -> bool:
    genre = contenu.get("_type")
    if isinstance(genre, str) and plier(genre[:100]) in CONCESSIONS:
        return True
    if plier(nature) in CONCESSIONS:
        return True
    return contenu.get("acheteur") is None and contenu.get("autoriteConcedante") is not None


def _de_l_enregistrement(contenu: dict[str, Any], siret: str, aujourd_hui: datetime.date) -> ContratLu:
    """D'un élément JSON ou XML, schéma 1 ou 2 : leurs champs ne se contredisent pas, on lit ceux qu'on trouve."""
    nature = _libelle(contenu.get("nature"))
    concession = _est_une_concession(contenu, nature)
    noms_de_date = ("dateNotification", "dateSignature")
    noms_de_montant = ("montant", "valeurGlobale")
    noms_de_titulaires = ("titulaires", "concessionnaires")
    if concession:
        noms_de_date, noms_de_montant = noms_de_date[::-1], noms_de_montant[::-1]
        noms_de_titulaires = noms_de_titulaires[::-1]
    acheteur = premiere_feuille(_premier(contenu, "acheteur", "autoriteConcedante"))
    return _contrat(
        contenu,
        aujourd_hui,
        siret=siret,
        identifiant=normaliser_l_identifiant(contenu.get("id")),
        date=_premier(contenu, *noms_de_date),
        montant=_premier(contenu, *noms_de_montant),
        titulaires=lire_les_titulaires(_premier(contenu, *noms_de_titulaires)),
        acheteur=texte(champs(acheteur).get("nom"), LONGUEUR_DE_NOM),
        nature=nature,
        concession=concession,
        modifications=_modifications(contenu.get("modifications"), aujourd_hui),
    )


def _de_la_ligne(ligne: dict[str, Any], siret: str, aujourd_hui: datetime.date) -> ContratLu:
    """D'une ligne tabulaire : un titulaire, une modification. Les colonnes se lisent par leur nom."""
    identifiant = ligne.get("id")
    if identifiant is None and isinstance(uid := ligne.get("uid"), str):
        identifiant = uid.strip()[14:]
    nature = _libelle(ligne.get("nature"))
    return _contrat(
        ligne,
        aujourd_hui,
        siret=siret,
        identifiant=normaliser_l_identifiant(identifiant),
        date=ligne.get("dateNotification"),
        montant=ligne.get("montant"),
        titulaires=titulaire_de_la_ligne(ligne),
        acheteur=texte(ligne.get("acheteur_nom"), LONGUEUR_DE_NOM),
        nature=nature,
        concession=plier(nature) in CONCESSIONS,
        modification=lire_l_entier(ligne.get("modification_id")),
    )


def _contrat(
    contenu: dict[str, Any],
    aujourd_hui: datetime.date,
    *,
    siret: str,
    identifiant: str,
    date: Any,
    montant: Any,
    titulaires: TitulairesLus,
    **autres: Any,
) -> ContratLu:
    """Ce que tous les formats nomment pareil, et ce qui manque ou ne se croit pas."""
    objet = texte(contenu.get("objet"), LONGUEUR_D_OBJET)
    lue, date_donnee = lire_la_date(date, aujourd_hui)
    euros, montant_donne = lire_le_montant(montant)
    environnement, vertes = lire_les_considerations(contenu.get("considerationsEnvironnementales"), ENVIRONNEMENTALES)
    social, sociales = lire_les_considerations(contenu.get("considerationsSociales"), SOCIALES)
    anomalies = set(titulaires.anomalies)
    if lue is None:
        anomalies.add("date_invalide" if date_donnee else "sans_date")
    if euros is None:
        anomalies.add("montant_illisible" if montant_donne else "sans_montant")
    if not titulaires.titulaires:
        anomalies.add("sans_titulaire")
    if not objet:
        anomalies.add("sans_objet")
    if not identifiant:
        anomalies.add("sans_identifiant")
    if not siret_plausible(siret):
        anomalies.add("siret_invalide")
    return ContratLu(
        siret=siret,
        identifiant=identifiant,
        objet=objet,
        date=lue,
        montant=euros,
        titulaires=titulaires.titulaires,
        publie_le=lire_la_date(contenu.get("datePublicationDonnees"), aujourd_hui)[0],
        procedure=_libelle(contenu.get("procedure")),
        cpv=_cpv(contenu.get("codeCPV")),
        techniques=_techniques(contenu.get("techniques")),
        duree_mois=lire_l_entier(contenu.get("dureeMois")),
        offres_recues=lire_l_entier(contenu.get("offresRecues"), OFFRES_AU_PLUS),
        accord_cadre=_accord_cadre(contenu.get("idAccordCadre")),
        environnement=environnement,
        social=social,
        considerations=vertes + sociales,
        anomalies=tuple(sorted(anomalies)),
        **autres,
    )


def _modifications(valeur: Any, aujourd_hui: datetime.date) -> tuple[ModificationLue, ...]:
    """Les modifications, à plat (v1) ou chacune dans `modification` (v2), dans l'ordre du fichier."""
    if not valeur:
        return ()
    lues: list[dict[str, Any]] = []
    for element in feuilles(valeur):
        modification = champs(element)
        if "modification" in modification:
            lues.extend(champs(dedans) for dedans in feuilles(modification["modification"]))
        else:
            lues.append(modification)
    return tuple(_modification(modification, aujourd_hui) for modification in lues if modification)


def _modification(contenu: dict[str, Any], aujourd_hui: datetime.date) -> ModificationLue:
    date = _premier(contenu, "dateNotificationModification", "dateSignatureModification")
    return ModificationLue(
        le=lire_la_date(date, aujourd_hui)[0],
        montant=lire_le_montant(_premier(contenu, "montant", "valeurGlobale"))[0],
        duree_mois=lire_l_entier(contenu.get("dureeMois")),
        titulaires=lire_les_titulaires(contenu.get("titulaires")).titulaires,
        objet=texte(contenu.get("objetModification"), LONGUEUR_D_OBJET),
    )
