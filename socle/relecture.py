"""Relire la base telle qu'elle était saisie à un moment, sans rien changer aux questions que posent les pages.

Dans `relire(moment)`, chaque lecture est précédée d'une clause WITH qui donne, sous le nom de la table, ce qu'elle
contenait alors : la dernière version de chaque ligne gardée par django-simple-history, les lignes déjà saisies des
journaux et des tables où l'on ne fait qu'ajouter (attribut SAISIE_LE). Filtres, tris, jointures et comptes lisent
donc les valeurs d'alors, en autant de requêtes qu'aujourd'hui ; aucune page n'a à y penser, aucune ne peut l'oublier.
Le SQL ne se compose que de noms de tables et de colonnes de nos modèles ; le moment est un paramètre.

Ce qui n'est pas relu : les comptes (un nom effacé le reste, et les droits sont ceux d'aujourd'hui), les tables sans
histoire, et les adresses (slug, code) : un lien de la page mène à la page d'aujourd'hui. Les colonnes que l'histoire
ne garde pas (projections des journaux, texte replié) y sont vides : l'état se lit par `etat_au`. Un modèle dit
RELU_DES_L_ORIGINE quand il n'est là que pour nommer : cité avant sa première version, il se nomme comme elle.
"""
# ruff: noqa: S608 - noms de tables et de colonnes de nos modèles, valeurs en paramètres

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import cache, wraps
from typing import Any

from django.apps import apps
from django.db import connection, models
from django.http import HttpRequest, HttpResponse
from simple_history.models import HistoricalRecords

from socle.instants import instant_lisible
from socle.journal import LigneDeJournal

_LECTURE = re.compile(r"\s*\(?\s*SELECT\b")
_CIBLE = re.compile(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM) "(\w+)"')

_moment: ContextVar[datetime | None] = ContextVar("relecture", default=None)


class EcritureDansLePasse(RuntimeError):
    """Une page qui montre ce qui était saisi autrefois a voulu écrire dans une table relue."""


@dataclass(frozen=True)
class TableRelue:
    """`sql` : son contenu d'alors ; chaque « %s » y attend le moment."""

    nom: str
    sql: str

    @property
    def clause(self) -> str:
        # Sans NOT MATERIALIZED, la table entière se relirait, sans ses index, dès qu'une requête la cite deux fois.
        return f'"{self.nom}" AS NOT MATERIALIZED ({self.sql})'


@contextmanager
def relire(saisi_au: datetime | None) -> Iterator[None]:
    """La base telle que saisie à ce moment, le temps du bloc ; None : telle qu'aujourd'hui, même dans un autre bloc.

    Lève EcritureDansLePasse si l'on veut y écrire dans une table relue.
    """
    jeton = _moment.set(saisi_au)
    try:
        if saisi_au is None:
            yield
        else:
            with connection.execute_wrapper(_executer):
                yield
    finally:
        _moment.reset(jeton)


def moment_relu() -> datetime | None:
    """Le moment que relit le bloc en cours ; None = aujourd'hui."""
    return _moment.get()


def tel_que_saisi(vue: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Une page de lecture qui suit `?saisi_au=`. Un moment absurde se lit comme aujourd'hui : la page le refuse."""

    @wraps(vue)
    def relue(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        saisi_au = instant_lisible(request.GET).saisi_au
        if saisi_au is None:
            return vue(request, *args, **kwargs)
        with relire(saisi_au):
            return vue(request, *args, **kwargs)

    return relue


def _executer(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    moment = _moment.get()
    if moment is None:
        return execute(sql, params, many, context)
    tables = tables_relues(connection.vendor)
    if not _LECTURE.match(sql):
        cible = _CIBLE.match(sql)
        if cible and cible[1] in tables:
            raise EcritureDansLePasse(f"« {cible[1]} » ne s'écrit pas pendant qu'on la relit telle que saisie.")
        return execute(sql, params, many, context)
    citees = [table for nom, table in tables.items() if f'"{nom}"' in sql]
    if not citees:
        return execute(sql, params, many, context)
    alors = connection.ops.adapt_datetimefield_value(moment)
    fois = sum(table.sql.count("%s") for table in citees)
    clauses = ", ".join(table.clause for table in citees)
    return execute(f"WITH {clauses} {sql}", (*[alors] * fois, *(params or ())), many, context)


@cache
def tables_relues(moteur: str) -> dict[str, TableRelue]:
    """Par nom : les tables qui ont une histoire et celles des journaux, puis les tables d'histoire elles-mêmes, qui ne
    disent alors que le passé (une clause n'y voit que celles d'avant elle : les premières lisent les vraies)."""
    vivantes, histoires = [], []
    for modele in apps.get_models():
        if issubclass(modele, LigneDeJournal):
            vivantes.append(_deja_saisies(modele, "saisi_le", moteur))
        elif saisie_le := getattr(modele, "SAISIE_LE", ""):
            vivantes.append(_deja_saisies(modele, saisie_le, moteur))
        elif hasattr(modele._meta, "simple_history_manager_attribute") and getattr(modele, "RELU_TEL_QUE_SAISI", True):
            histoire: Any = modele.history.model  # type: ignore[attr-defined]
            vivantes.append(_versions(modele, histoire, moteur))
            vivantes += [_liens(modele, champ, moteur) for champ in histoire._history_m2m_fields]
            histoires.append(_deja_saisies(histoire, "history_date", moteur))
    return {table.nom: table for table in (*vivantes, *histoires)}


def _vraie(table: str, moteur: str) -> str:
    """La table elle-même, que la clause du même nom ne cache pas."""
    return f'main."{table}"' if moteur == "sqlite" else f'"{table}"'


def _deja_saisies(modele: type[models.Model], moment: str, moteur: str) -> TableRelue:
    """Une table où l'on ne fait qu'ajouter : les lignes déjà là."""
    table = modele._meta.db_table
    return TableRelue(table, f'SELECT * FROM {_vraie(table, moteur)} WHERE "{moment}" <= %s')


def _derniere(histoire: type[models.Model], cle: str, moteur: str) -> str:
    """La dernière version d'un objet, dont l'identifiant est `cle`."""
    versions = f"SELECT x.history_id FROM {_vraie(histoire._meta.db_table, moteur)} x WHERE x.id = {cle}"
    derniere = f"({versions} AND x.history_date <= %s ORDER BY x.history_date DESC, x.history_id DESC LIMIT 1)"
    if not getattr(histoire.instance_type, "RELU_DES_L_ORIGINE", False):  # type: ignore[attr-defined]
        return derniere
    return f"COALESCE({derniere}, ({versions} ORDER BY x.history_date, x.history_id LIMIT 1))"


def _versions(modele: type[models.Model], histoire: type[models.Model], moteur: str) -> TableRelue:
    table = modele._meta.db_table
    gardees = {champ.column for champ in histoire._meta.concrete_fields}
    colonnes = ", ".join(_colonne(champ, gardees, table, moteur) for champ in modele._meta.concrete_fields)
    return TableRelue(
        table,
        f"SELECT {colonnes} FROM {_vraie(histoire._meta.db_table, moteur)} h"
        f" WHERE h.history_type <> '-' AND h.history_id = {_derniere(histoire, 'h.id', moteur)}",
    )


def _colonne(champ: Any, gardees: set[str | None], table: str, moteur: str) -> str:
    colonne = champ.column
    if isinstance(champ, models.SlugField):
        actuelle = f'(SELECT t."{colonne}" FROM {_vraie(table, moteur)} t WHERE t.id = h.id)'
        return f'COALESCE({actuelle}, h."{colonne}") AS "{colonne}"'
    if colonne in gardees:
        return f'h."{colonne}" AS "{colonne}"'
    return f'CAST(NULL AS {champ.db_type(connection)}) AS "{colonne}"'


def _liens(modele: type[models.Model], champ: Any, moteur: str) -> TableRelue:
    """Une relation à plusieurs : celle que garde la dernière version de l'objet."""
    relation = champ.remote_field.through
    colonnes = ", ".join(f'l."{colonne.column}"' for colonne in relation._meta.concrete_fields)
    liens: Any = HistoricalRecords.m2m_models[champ]
    histoire: Any = modele.history.model  # type: ignore[attr-defined]
    objet = relation._meta.get_field(champ.m2m_field_name()).column
    return TableRelue(
        relation._meta.db_table,
        f"SELECT {colonnes} FROM {_vraie(liens._meta.db_table, moteur)} l"
        f" WHERE l.history_id = {_derniere(histoire, f'l.{objet}', moteur)}",
    )
