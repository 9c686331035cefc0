"""Écrire des contrats, un seul à la fois, et les montrer d'un seul coup.

Les lignes s'écrivent d'avance pour la génération suivante ; `publier` les rend visibles en avançant un numéro. Le
verrou est celui du système (PostgreSQL, ou un fichier à côté de la base SQLite) : il tombe avec le processus qui le
tient, fût-il tué.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection, transaction
from django.db.models import QuerySet

from marches.contrats import Contrat, EnregistrementDecp, TitulaireDeContrat
from marches.imports import Generation, ImportDecp, RefusDecp
from marches.listes import EtatDImport

# Arbitraire, mais le même partout : la clé du verrou consultatif de PostgreSQL.
_CLE = 0x4445_4350
_PAS = 1000
_DANS_CE_PROCESSUS = threading.Lock()


class ContratsOccupes(Exception):
    """Un import écrit en ce moment ; il faut réessayer quand il aura fini."""


@contextmanager
def ecriture_des_contrats(*, attendre: bool = True) -> Iterator[int]:
    """Seul à écrire le temps du bloc ; rend le numéro de la génération à écrire, à passer à `publier`.

    Efface d'abord ce qu'un import tué a laissé. Lève ContratsOccupes si un autre écrit et qu'`attendre` est faux.
    """
    with _verrou(attendre):
        courante, _ = Generation.objects.get_or_create(pk=1)
        effacer_les_restes(courante.numero)
        yield courante.numero + 1


def publier(suivante: int) -> None:
    """Montre tout ce qui est écrit pour cette génération. L'appelant est dans sa transaction."""
    Generation.objects.filter(pk=1).update(numero=suivante)


def generation_visible() -> int:
    """Le numéro de l'état que le site montre ; 0 tant que rien n'est importé."""
    return Generation.objects.values_list("numero", flat=True).first() or 0


@contextmanager
def _verrou(attendre: bool) -> Iterator[None]:
    """Entre les fils du processus, puis entre processus : un verrou de PostgreSQL se reprend dans sa session."""
    entre_processus = _verrou_postgresql if connection.vendor == "postgresql" else _verrou_de_fichier
    with _verrou_de_processus(attendre), entre_processus(attendre):
        yield


@contextmanager
def _verrou_postgresql(attendre: bool) -> Iterator[None]:
    with connection.cursor() as curseur:
        curseur.execute("SELECT pg_try_advisory_lock(%s)", [_CLE])
        if not curseur.fetchone()[0]:
            if not attendre:
                raise ContratsOccupes
            curseur.execute("SELECT pg_advisory_lock(%s)", [_CLE])
    try:
        yield
    finally:
        # Une transaction en échec n'admet plus d'ordre : le verrou tombera avec la connexion.
        if not connection.needs_rollback and connection.is_usable():
            with connection.cursor() as curseur:
                curseur.execute("SELECT pg_advisory_unlock(%s)", [_CLE])


@contextmanager
def _verrou_de_processus(attendre: bool) -> Iterator[None]:
    if not _DANS_CE_PROCESSUS.acquire(blocking=attendre):
        raise ContratsOccupes
    try:
        yield
    finally:
        _DANS_CE_PROCESSUS.release()


@contextmanager
def _verrou_de_fichier(attendre: bool) -> Iterator[None]:
    base = str(connection.settings_dict["NAME"])
    if ":memory:" in base or "mode=memory" in base:
        yield
        return
    descripteur = os.open(Path(f"{base}-contrats.verrou"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descripteur, fcntl.LOCK_EX | (0 if attendre else fcntl.LOCK_NB))
        yield
    except BlockingIOError as occupe:
        raise ContratsOccupes from occupe
    finally:
        os.close(descripteur)


def effacer_les_restes(visible: int) -> None:
    """Ce qu'un import tué en route a écrit d'avance. L'appelant tient le verrou : un import « en cours » est mort."""
    morts = ImportDecp.objects.filter(etat=EtatDImport.LECTURE)
    if not morts.exists():
        return
    _effacer(TitulaireDeContrat.objects.filter(contrat__de__gt=visible))
    _effacer(Contrat.objects.filter(de__gt=visible))
    _effacer(EnregistrementDecp.objects.filter(de__gt=visible))
    _effacer(RefusDecp.objects.filter(import_decp__in=morts))
    with transaction.atomic():
        Contrat.objects.filter(a__gt=visible).update(a=None)
        EnregistrementDecp.objects.filter(cohabite_depuis__gt=visible).update(cohabite_depuis=None)
        morts.update(
            etat=EtatDImport.INTERROMPU,
            message="L'import a été interrompu avant la fin : il n'a rien changé. Reprenez-le.",
        )


def _effacer(lignes: QuerySet) -> None:
    """Par petites transactions : personne n'attend longtemps son tour d'écrire."""
    while cles := list(lignes.order_by().values_list("pk", flat=True)[:_PAS]):
        with transaction.atomic():
            lignes.model._base_manager.filter(pk__in=cles).delete()
        laisser_ecrire_les_autres()


def laisser_ecrire_les_autres() -> None:
    """SQLite ne fait pas la queue : qui rend le verrou et le reprend aussitôt prive les autres de leur tour."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        time.sleep(0.02)
