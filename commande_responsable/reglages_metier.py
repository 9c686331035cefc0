"""Les réglages du produit : le suivi du plan, les marchés, ce que le public voit. Lus par `settings.py`."""

import datetime
from decimal import Decimal, InvalidOperation

from django.core.exceptions import ImproperlyConfigured

from commande_responsable.lecture import env
from commande_responsable.lecture import lire as _lire

# --- Suivi du plan ------------------------------------------------------------------------------

# Au bout de combien de mois une action dont on ne dit plus rien est à relancer.
MOIS_SANS_NOUVELLE = _lire(env.int, "MOIS_SANS_NOUVELLE", 6)
if MOIS_SANS_NOUVELLE < 1:
    raise ImproperlyConfigured("Réglage MOIS_SANS_NOUVELLE : un nombre de mois, 1 au moins.")

# Combien de jours avant un comité de pilotage partent les rappels.
JOURS_AVANT_COMITE = _lire(env.int, "JOURS_AVANT_COMITE", 14)
if JOURS_AVANT_COMITE < 1:
    raise ImproperlyConfigured("Réglage JOURS_AVANT_COMITE : un nombre de jours, 1 au moins.")

# Au-delà de quel écart avec l'année d'avant une valeur saisie demande une remarque : en points pour une part, en pour
# cent pour le reste.
ECART_PLAUSIBLE_EN_POINTS = _lire(env.int, "ECART_PLAUSIBLE_EN_POINTS", 20)
ECART_PLAUSIBLE_EN_POURCENT = _lire(env.int, "ECART_PLAUSIBLE_EN_POURCENT", 50)
if min(ECART_PLAUSIBLE_EN_POINTS, ECART_PLAUSIBLE_EN_POURCENT) < 1:
    raise ImproperlyConfigured("Réglages ECART_PLAUSIBLE_… : un nombre, 1 au moins.")

# L'adresse que portent les courriels et les calendriers, écrits sans qu'une page soit demandée.
ADRESSE_DU_SITE = _lire(env.str, "ADRESSE_DU_SITE", "http://127.0.0.1:8000").rstrip("/")
if not ADRESSE_DU_SITE.startswith(("https://", "http://")):
    raise ImproperlyConfigured("Réglage ADRESSE_DU_SITE : une adresse entière, qui commence par https:// ou http://.")

# --- Marchés ------------------------------------------------------------------------------------


def _seuil(nom: str, texte: str) -> Decimal | None:
    """Un seuil en euros hors taxes ; vide : à renseigner, ce qui s'y compare ne se vérifie pas."""
    if not texte.strip():
        return None
    try:
        seuil = Decimal(texte.strip().replace(",", "."))
    except InvalidOperation:
        seuil = Decimal("NaN")
    if not seuil.is_finite() or seuil <= 0:
        raise ImproperlyConfigured(f"Réglage {nom} : un montant en euros, sans espace, ou rien.")
    return seuil


# À partir de quel lancement l'article 35 de la loi 2021-1104 s'impose (décret 2022-767), et les seuils européens des
# pouvoirs adjudicateurs autres que l'État (règlement délégué (UE) 2025/2152, du 01/01/2026 au 31/12/2027).
ARTICLE_35_DEPUIS = _lire(env.date, "ARTICLE_35_DEPUIS", datetime.date(2026, 8, 21))
SEUILS_EUROPEENS_TRAVAUX = _seuil("SEUILS_EUROPEENS_TRAVAUX", _lire(env.str, "SEUILS_EUROPEENS_TRAVAUX", "5404000"))
SEUIL_EUROPEEN_FOURNITURES_SERVICES = _seuil(
    "SEUIL_EUROPEEN_FOURNITURES_SERVICES", _lire(env.str, "SEUIL_EUROPEEN_FOURNITURES_SERVICES", "216000")
)

# Les codes des deux territoires que la page des territoires montre d'abord, le plus proche en premier. Sans eux, les
# deux qui ont le moins de communes.
TERRITOIRES_COMPARES = [code.strip() for code in _lire(env.list, "TERRITOIRES_COMPARES", []) if code.strip()]
if len(TERRITOIRES_COMPARES) not in (0, 2):
    raise ImproperlyConfigured("Réglage TERRITOIRES_COMPARES : deux codes de territoire, séparés par une virgule.")

# Les chapitres dont les mandats sont des achats (M57, M4) ; les subventions d'équipement (204) ne sont pas du 20.
CHAPITRES_DES_ACHATS = [
    code.strip() for code in _lire(env.list, "CHAPITRES_DES_ACHATS", ["011", "20", "21", "23"]) if code.strip()
]
if not CHAPITRES_DES_ACHATS or not all(code.isdigit() and len(code) <= 4 for code in CHAPITRES_DES_ACHATS):
    raise ImproperlyConfigured("Réglage CHAPITRES_DES_ACHATS : des codes de chapitre, séparés par une virgule.")

# --- Publication --------------------------------------------------------------------------------

# 0 ferme d'un coup tout ce qui se lit sans connexion. Ouvertes, elles ne montrent que les plans marqués « publié ».
PAGES_PUBLIQUES = _lire(env.bool, "PAGES_PUBLIQUES", True)


# Les licences qu'une administration peut donner à des données sans homologation (code des relations entre le public et
# l'administration, art. D. 323-2-1) : titre, adresse du texte. Le code est celui de SPDX.
LICENCES_CONNUES = {
    "etalab-2.0": ("Licence Ouverte 2.0", "https://www.etalab.gouv.fr/licence-ouverte-open-licence/"),
    "ODbL-1.0": ("Open Database License 1.0", "https://opendatacommons.org/licenses/odbl/1-0/"),
}
LICENCE_DES_DONNEES = _lire(env.str, "LICENCE_DES_DONNEES", "etalab-2.0").strip()
if LICENCE_DES_DONNEES not in LICENCES_CONNUES:
    raise ImproperlyConfigured(f"Réglage LICENCE_DES_DONNEES : {' ou '.join(LICENCES_CONNUES)}.")

# --- Données personnelles -----------------------------------------------------------------------

# À qui s'adresser pour ses données personnelles, sur la page d'information : un nom de fonction, une adresse.
CONTACT_DONNEES = " ".join(_lire(env.str, "CONTACT_DONNEES", "").split())
if len(CONTACT_DONNEES) > 200:
    raise ImproperlyConfigured("Réglage CONTACT_DONNEES : 200 caractères au plus.")

# --- API ----------------------------------------------------------------------------------------

# /api/v1/ ne répond que si on l'ouvre ; fermée, elle ne charge rien au démarrage.
API = _lire(env.bool, "API", False)
# Combien de demandes une même adresse peut faire en une minute, et combien un même jeton.
API_DEMANDES_PAR_MINUTE = _lire(env.int, "API_DEMANDES_PAR_MINUTE", 60)
API_DEMANDES_PAR_JETON = _lire(env.int, "API_DEMANDES_PAR_JETON", 300)
if min(API_DEMANDES_PAR_MINUTE, API_DEMANDES_PAR_JETON) < 1:
    raise ImproperlyConfigured("Réglages API_DEMANDES_PAR_… : un nombre de demandes par minute, 1 au moins.")
