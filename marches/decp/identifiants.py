"""Ce qui désigne un contrat, un acheteur, un titulaire."""

import re
from decimal import Decimal
from functools import lru_cache
from typing import Any

from marches.decp.contrats import Brut, Format
from marches.decp.textes import champs, est_une_absence, feuilles, plier, premiere_feuille, scalaire

_A_SOULIGNER = re.compile(r"[ ,\\./]")
_INVISIBLES = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_QUE_DES_ZEROS = re.compile(r"[0_]*")
_SEPARATEURS = re.compile(r"[\s.\-_\u00a0\u202f]")
_SIRET = re.compile(r"[0-9]{14}|[0-9]{9}")
LONGUEUR_D_IDENTIFIANT = 100
# Luhn : un chiffre sur deux compte double, moins neuf au-delà de neuf.
_DOUBLES = dict(zip("0123456789", (0, 2, 4, 6, 8, 1, 3, 5, 7, 9), strict=True))

_TYPES = {
    "siret": "SIRET",
    "tva": "TVA",
    "tvaintracommunautaire": "TVA",
    "tahiti": "TAHITI",
    "ridet": "RIDET",
    "frwf": "FRWF",
    "frw": "FRWF",
    "irep": "IREP",
    "horsue": "HORS-UE",
}


@lru_cache(maxsize=4096)
def _souligner(texte: str) -> str:
    propre = _A_SOULIGNER.sub("_", _INVISIBLES.sub("", texte).strip())[:LONGUEUR_D_IDENTIFIANT]
    if _QUE_DES_ZEROS.fullmatch(propre) or est_une_absence(propre):
        return ""
    return propre


def normaliser_l_identifiant(valeur: Any) -> str:
    """L'identifiant d'un contrat, comme l'écrit decp.info : `[ ,\\\\./]` devient `_`. « » s'il manque ou n'est que
    zéros."""
    texte = valeur if isinstance(valeur, str) else scalaire(premiere_feuille(valeur))
    return _souligner(texte) if texte else ""


@lru_cache(maxsize=65536)
def siret_plausible(siret: str) -> bool:
    """La clé de Luhn d'un SIRET ou d'un SIREN ; les établissements de La Poste (356000000) ont la leur."""
    if not _SIRET.fullmatch(siret) or not siret.strip("0"):
        return False
    if siret.startswith("356000000") and len(siret) == 14 and sum(map(int, siret)) % 5 == 0:
        return True
    return (sum(map(int, siret[-1::-2])) + sum(map(_DOUBLES.__getitem__, siret[-2::-2]))) % 10 == 0


@lru_cache(maxsize=65536)
def lire_le_siret(texte: str) -> str:
    """Les 14 chiffres d'un SIRET ou les 9 d'un SIREN, espaces ôtées ; « » si ce n'en est pas un.

    Quatorze zéros en sont un : des plateformes l'écrivent pour un acheteur qu'elles nomment ; gardé, et signalé
    invalide.
    """
    chiffres = texte if texte.isdigit() else _SEPARATEURS.sub("", texte)
    return chiffres if _SIRET.fullmatch(chiffres) else ""


def _siret(valeur: Any) -> str:
    if isinstance(valeur, str):
        return lire_le_siret(valeur)
    valeur = premiere_feuille(valeur)
    if isinstance(valeur, dict):
        return ""
    lu = lire_le_siret(scalaire(valeur) or "")
    if not lu and isinstance(valeur, int | float | Decimal) and not isinstance(valeur, bool):
        # Un SIRET écrit comme un nombre perd ses zéros de tête.
        complet = (scalaire(valeur) or "").zfill(14)
        return complet if siret_plausible(complet) else ""
    return lu


def siret_de_l_acheteur(contenu: dict[str, Any]) -> str:
    """Le SIRET (ou SIREN) de l'acheteur ou de l'autorité concédante, sans rien lire d'autre ; « » s'il n'y en a
    pas."""
    acheteur = contenu.get("acheteur")
    if isinstance(acheteur, dict):
        identifiant = acheteur.get("id")
        if isinstance(identifiant, str) and (siret := lire_le_siret(identifiant)):
            return siret
    propres = champs(contenu)
    for nom in ("acheteur", "autoriteConcedante"):
        for partie in feuilles(propres.get(nom)):
            siret = _siret(champs(partie).get("id")) if isinstance(partie, dict) else _siret(partie)
            if siret:
                return siret
    return ""


def siret_de_la_ligne(contenu: dict[str, Any]) -> str:
    """Le SIRET de l'acheteur d'une ligne tabulaire : sa colonne, ou les quatorze premiers caractères de `uid`."""
    acheteur = contenu.get("acheteur_id")
    if isinstance(acheteur, str) and (siret := lire_le_siret(acheteur)):
        return siret
    uid = contenu.get("uid")
    return lire_le_siret(uid.strip()[:14]) if isinstance(uid, str) and not acheteur else ""


def acheteur_de(brut: Brut, format: Format) -> str:
    """L'acheteur d'un enregistrement, 14 ou 9 chiffres, « » s'il manque : assez peu coûteux pour trier avant de
    lire."""
    if not isinstance(brut.contenu, dict):
        return ""
    return siret_de_la_ligne(brut.contenu) if format is Format.TABULAIRE else siret_de_l_acheteur(brut.contenu)


@lru_cache(maxsize=1024)
def lire_le_type(texte: str) -> str:
    """Le type d'identifiant du schéma (SIRET, TVA, HORS-UE…) sous toutes ses graphies ; « » s'il est inconnu."""
    return _TYPES.get(re.sub(r"[\s_-]", "", plier(texte)), "")


@lru_cache(maxsize=16384)
def lire_l_identifiant_du_titulaire(texte: str) -> str:
    """L'identifiant d'un titulaire, sans espaces ; « » s'il manque, se dit non renseigné ou n'est que zéros."""
    propre = "".join(_INVISIBLES.sub("", texte).split())
    if est_une_absence(propre) or not propre.strip("0"):
        return ""
    return propre[:LONGUEUR_D_IDENTIFIANT]
