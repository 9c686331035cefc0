"""Ce que dit chaque ligne du journal : la demande ou la tâche en cours, aucun secret, rien qu'un visiteur forge."""

import logging
import re
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from commande_responsable.journalisation import SansSecret
from comptes.demande import demande_en_cours, tache_en_cours

# Un retour à la ligne ferait croire à une ligne du site ; un code d'échappement réécrirait le terminal de qui la lit.
_CONTROLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# Devant chaque ligne d'une trace d'exécution : une ligne du site commence par sa date.
SUITE = "    | "
# En JSON, ce qu'une ligne dit et sous quel nom.
NOMS = {"asctime": "moment", "levelname": "niveau", "name": "journal", "exc_info": "exception"}
CHAMPS = ("demande", "tache", "methode", "chemin", "code", "duree_ms", "compte")


def sans_secret(texte: str) -> str:
    """Le même texte, les adresses qui valent un secret masquées (`SansSecret`)."""
    ligne = logging.makeLogRecord({"msg": texte})
    SansSecret().filter(ligne)
    return ligne.getMessage()


def sans_controle(texte: str) -> str:
    """Chaque caractère de contrôle écrit comme Python l'écrirait : « \\n », « \\x1b »."""
    return _CONTROLE.sub(lambda trouve: trouve[0].encode("unicode_escape").decode(), texte)


class DOuVientLaLigne(logging.Filter):
    """Ajoute `demande` (le numéro de la demande en cours), `tache` (l'identifiant de la tâche) et `origine`, pour le
    texte : l'une ou l'autre, ou un tiret."""

    def filter(self, record: logging.LogRecord) -> bool:
        rendue = getattr(record, "request", None)
        demande = demande_en_cours().numero or getattr(rendue, "numero_de_demande", "")
        tache = tache_en_cours()
        origine = demande or (f"tâche {tache}" if tache else "-")
        vars(record).update(demande=demande, tache=tache, origine=origine)
        return True


class LigneDeTexte(logging.Formatter):
    """Une ligne par message ; une trace d'exécution suit, chacune de ses lignes en retrait."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = sans_controle(record.message)
        return sans_secret(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        return self._en_retrait(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:
        return self._en_retrait(super().formatStack(stack_info))

    def _en_retrait(self, texte: str) -> str:
        return "\n".join(SUITE + sans_controle(ligne) for ligne in sans_secret(texte).split("\n"))


class LigneJson(JsonFormatter):
    """Un objet JSON par ligne : moment (ISO 8601, avec le décalage horaire), niveau, journal, message et, s'il y a
    lieu, exception et CHAMPS. Ce qu'une bibliothèque joint d'autre n'y entre pas : ce peut être une donnée."""

    default_time_format = "%Y-%m-%dT%H:%M:%S%z"
    default_msec_format = ""

    def __init__(self) -> None:
        super().__init__(["asctime", "levelname", "name", "message"], rename_fields=NOMS)

    def format(self, record: logging.LogRecord) -> str:
        return sans_secret(super().format(record))

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        fixes = {*NOMS.values(), "message"}
        return {
            nom: valeur
            for nom, valeur in log_data.items()
            if nom in fixes or (nom in CHAMPS and valeur not in ("", None))
        }
