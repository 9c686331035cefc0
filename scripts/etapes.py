"""Enchaîner des commandes sans s'arrêter à la première qui échoue, puis dire l'issue de chacune."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

RACINE = Path(__file__).resolve().parent.parent

# Des valeurs explicites pour tout ce que settings.py lit : ni le fichier .env ni l'environnement
# d'un poste ne doivent changer l'issue d'un essai.
REGLAGES_NEUTRES = {
    "DJANGO_SETTINGS_MODULE": "tests.reglages",
    "DEBUG": "0",
    "HTTPS": "0",
    "SECRET_KEY": "cle-des-essais-0123456789-abcdefghijklmnopqrstuvwxyz-essais",
    "SECRET_KEY_FALLBACKS": "",
    "SECOND_FACTEUR_EXIGE": "",
    "MINUTES_D_INACTIVITE": "120",
    "ALLOWED_HOSTS": "127.0.0.1,localhost",
    "CSRF_TRUSTED_ORIGINS": "",
    "PROXYS_DE_CONFIANCE": "0",
    "EMAIL_URL": "console:",
    "DEFAULT_FROM_EMAIL": "ne-pas-repondre@localhost",
    "MOIS_SANS_NOUVELLE": "6",
    "JOURS_AVANT_COMITE": "14",
    "ECART_PLAUSIBLE_EN_POINTS": "20",
    "ECART_PLAUSIBLE_EN_POURCENT": "50",
    "ARTICLE_35_DEPUIS": "2026-08-21",
    "SEUILS_EUROPEENS_TRAVAUX": "5404000",
    "SEUIL_EUROPEEN_FOURNITURES_SERVICES": "216000",
    "TERRITOIRES_COMPARES": "",
    "CHAPITRES_DES_ACHATS": "011,20,21,23",
    "API": "0",
    "API_DEMANDES_PAR_MINUTE": "60",
    "API_DEMANDES_PAR_JETON": "300",
    "OIDC_SERVEUR": "",
    "OIDC_CLIENT": "",
    "OIDC_SECRET": "",
    "OIDC_NOM": "",
    "OIDC_CHAMP_DES_GROUPES": "",
    "OIDC_GROUPES": "",
    "OIDC_CREER_LES_COMPTES": "0",
    "OIDC_RATTACHER_PAR_COURRIEL": "0",
    "INVITATION_JOURS": "7",
    "ADRESSE_DU_SITE": "http://127.0.0.1:8000",
    "PAGES_PUBLIQUES": "1",
    "LICENCE_DES_DONNEES": "etalab-2.0",
    "CONTACT_DONNEES": "",
    "JOURS_DE_TRACES": "365",
    "NIVEAU_DE_JOURNAL": "WARNING",
    "FORMAT_DES_JOURNAUX": "texte",
}


@dataclass(frozen=True)
class Etape:
    """Une commande à lancer depuis la racine du projet, avec les variables à ajouter à l'environnement."""

    nom: str
    commande: list[str]
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Issue:
    """Ce qu'une étape a donné ; durée en secondes, sortie vide si elle a déjà été affichée."""

    nom: str
    code: int
    duree: float
    sortie: str = ""


def lancer(etape: Etape, capturer: bool = False) -> Issue:
    """Lance l'étape ; `capturer` garde sa sortie au lieu de l'afficher.

    Une commande introuvable donne le code 127, comme dans un terminal.
    """
    debut = time.monotonic()
    try:
        processus = subprocess.Popen(  # noqa: S603 - commandes écrites dans le projet
            etape.commande,
            cwd=RACINE,
            env=os.environ | REGLAGES_NEUTRES | etape.variables,
            stdout=subprocess.PIPE if capturer else None,
            stderr=subprocess.STDOUT if capturer else None,
            text=True,
        )
        try:
            sortie = processus.communicate()[0] or ""
        except KeyboardInterrupt:
            # La commande a reçu le même Ctrl-C : on lui laisse le temps d'arrêter son PostgreSQL jetable,
            # que subprocess.run ne lui donnerait pas.
            processus.wait()
            raise
        code = processus.returncode
    except FileNotFoundError as erreur:
        code, sortie = 127, f"Commande introuvable : {erreur.filename}\n"
    return Issue(etape.nom, code, time.monotonic() - debut, sortie)


def ligne(issue: Issue, verdict: str) -> str:
    """Une ligne alignée du tableau final : verdict, durée, nom."""
    duree = f"{issue.duree:.1f}".replace(".", ",")
    return f"  {verdict:<10} {duree:>7} s  {issue.nom}"


def ecrire(texte: str) -> None:
    """Écrit tout de suite, pour rester dans l'ordre des sorties des commandes."""
    sys.stdout.write(texte + "\n")
    sys.stdout.flush()
