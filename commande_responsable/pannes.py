"""Quand la machine tombe : reconnaître une panne de base ou de disque, et dire ce qu'il est advenu de l'envoi.

Une panne passe d'elle-même ou se répare sans toucher au programme : elle mérite une phrase et un 503. Le reste est une
erreur de programmation, et reste un 500.
"""

import contextlib
import errno
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse

# En secondes : le temps que met PostgreSQL à redémarrer, ou un écrivain à finir.
REESSAYER_DANS = 30
# En octets : ce dont SQLite a besoin pour ses fichiers annexes.
PLACE_MINIMALE = 1 << 20


class Panne(Enum):
    """Ce qui ne va pas, dit à qui attendait une page."""

    BASE = "La base de données ne répond pas."
    OCCUPEE = "La base de données est occupée par une autre écriture."
    LECTURE_SEULE = (
        "La base de données n'accepte que la lecture en ce moment : les pages se lisent, rien ne s'enregistre."
    )
    DISQUE_PLEIN = "Le disque du serveur est plein."
    DISQUE = "Le disque du serveur n'accepte plus d'écriture."


# --- Reconnaître --------------------------------------------------------------------------------

# https://www.sqlite.org/rescode.html : le code primaire. SQLITE_ERROR (une table absente, du SQL faux) n'y est pas.
_SQLITE = {
    sqlite3.SQLITE_BUSY: Panne.OCCUPEE,
    sqlite3.SQLITE_LOCKED: Panne.OCCUPEE,
    sqlite3.SQLITE_PROTOCOL: Panne.OCCUPEE,
    sqlite3.SQLITE_READONLY: Panne.LECTURE_SEULE,
    sqlite3.SQLITE_FULL: Panne.DISQUE_PLEIN,
    sqlite3.SQLITE_IOERR: Panne.BASE,
    sqlite3.SQLITE_CORRUPT: Panne.BASE,
    sqlite3.SQLITE_CANTOPEN: Panne.BASE,
    sqlite3.SQLITE_NOTADB: Panne.BASE,
}
# https://www.postgresql.org/docs/15/errcodes-appendix.html : un code entier, sinon sa classe (deux premiers signes).
_POSTGRES = {
    "53100": Panne.DISQUE_PLEIN,
    "25006": Panne.LECTURE_SEULE,
    "40001": Panne.OCCUPEE,
    "40P01": Panne.OCCUPEE,
    "55P03": Panne.OCCUPEE,
    "57014": Panne.OCCUPEE,
    "08": Panne.BASE,
    "53": Panne.BASE,
    "57": Panne.BASE,
    "58": Panne.BASE,
    # Le compte ou la base refusés à la connexion : un réglage ou un serveur en travaux, pas le programme.
    "28": Panne.BASE,
    "3D": Panne.BASE,
}
_DISQUE = {
    errno.ENOSPC: Panne.DISQUE_PLEIN,
    errno.EDQUOT: Panne.DISQUE_PLEIN,
    errno.EFBIG: Panne.DISQUE_PLEIN,
    errno.EROFS: Panne.DISQUE,
    errno.EIO: Panne.DISQUE,
}


def panne_de(erreur: BaseException | None) -> Panne | None:
    """La panne à l'origine de cette erreur ; None pour une erreur de programmation.

    Une panne en entraîne d'autres (transaction fermée, page qui ne s'écrit plus) : toute la suite est lue.
    """
    for cause in _origines(erreur):
        if isinstance(cause, Error):
            panne = _de_la_base(cause.__cause__)
        elif isinstance(cause, OSError):
            panne = _DISQUE.get(cause.errno or 0)
        else:
            panne = None
        if panne is not None:
            return panne
    return None


def _origines(erreur: BaseException | None) -> Iterator[BaseException]:
    vues: set[int] = set()
    while erreur is not None and id(erreur) not in vues:
        vues.add(id(erreur))
        yield erreur
        erreur = erreur.__cause__ or (None if erreur.__suppress_context__ else erreur.__context__)


def _de_la_base(pilote: BaseException | None) -> Panne | None:
    """D'après l'erreur du pilote ; celles de Django ne distinguent pas une table absente d'un disque plein."""
    if isinstance(pilote, sqlite3.Error):
        panne = _SQLITE.get(getattr(pilote, "sqlite_errorcode", 0) & 0xFF)
        return Panne.DISQUE_PLEIN if panne is Panne.BASE and _disque_de_la_base_plein() else panne
    if pilote is None or type(pilote).__module__.partition(".")[0] != "psycopg2":
        return None
    code = getattr(pilote, "pgcode", None)
    if code is not None:
        return _POSTGRES.get(code) or _POSTGRES.get(code[:2])
    # Sans code, rien n'est venu du serveur : la connexion n'a pas pu s'ouvrir, ou s'est coupée.
    noms = {classe.__name__ for classe in type(pilote).__mro__}
    coupee = noms & {"OperationalError", "InterfaceError"} or "closed" in str(pilote)
    return Panne.BASE if coupee else None


def _disque_de_la_base_plein() -> bool:
    """SQLite ne dit que « entrée-sortie » quand ce sont ses fichiers annexes (-wal, -shm) qui n'ont plus la place."""
    with contextlib.suppress(OSError):
        return shutil.disk_usage(Path(connection.settings_dict["NAME"]).parent).free < PLACE_MINIMALE
    return False


# --- Ce qu'il est advenu de l'envoi ---------------------------------------------------------------

_MOTS_QUI_ECRIVENT = ("INSERT", "UPDATE", "DELETE")
# Ce que la connexion note d'elle-même n'est pas ce que la personne envoyait.
_TABLES_DE_SESSION = ('"django_session"', '"usersessions_', '"axes_')


@dataclass
class Ecritures:
    """Ce qu'une demande a écrit jusqu'ici, vu de ses requêtes (`connection.execute_wrapper`).

    `confirmees` : une transaction qui écrivait s'est refermée. `en_attente` : on a écrit, et on ne sait pas encore.
    `refusee` : la dernière requête a échoué, et emporte la transaction où elle se trouvait.
    """

    confirmees: bool = False
    en_attente: bool = False
    refusee: bool = False
    # La liste que Django remplace chaque fois qu'une transaction se referme.
    transaction: list | None = None

    def __call__(self, executer: Callable, sql: str, params, many: bool, contexte: dict):
        en_cours = contexte["connection"].run_on_commit if contexte["connection"].in_atomic_block else None
        if self.en_attente and (en_cours is None or en_cours is not self.transaction):
            self.confirmees, self.en_attente = True, False
        self.transaction, self.refusee = en_cours, True
        resultat = executer(sql, params, many, contexte)
        self.refusee = False
        if sql.lstrip()[:6].upper() in _MOTS_QUI_ECRIVENT and not any(table in sql for table in _TABLES_DE_SESSION):
            self.en_attente = True
        return resultat

    @property
    def rien(self) -> bool:
        """Sûr : rien n'a été enregistré. Faux aussi quand la connexion se coupe pendant la validation."""
        return not self.confirmees and (not self.en_attente or self.refusee)


_ecritures: ContextVar[Ecritures | None] = ContextVar("ecritures_de_la_demande", default=None)


def rien_n_est_enregistre() -> bool:
    """Si la demande en cours n'a, à coup sûr, rien changé."""
    ecritures = _ecritures.get()
    return ecritures is None or ecritures.rien


class SuivreLesEcritures:
    """Retient ce qu'un envoi a écrit, pour qu'une page de panne dise vrai. Une simple lecture n'en paie rien."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        ecritures = None if request.method in ("GET", "HEAD", "OPTIONS") else Ecritures()
        jeton = _ecritures.set(ecritures)
        try:
            with connection.execute_wrapper(ecritures) if ecritures else contextlib.nullcontext():
                return self.get_response(request)
        finally:
            _ecritures.reset(jeton)
