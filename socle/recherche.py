"""Chercher sans accents, par débuts de mots, pareil sur SQLite et sur PostgreSQL.

Chaque table cherchée porte une colonne repliée, remplie à l'enregistrement : la base n'a plus qu'à comparer du texte,
sans extension ni règle de langue qui changerait d'un moteur à l'autre.
"""

import re
from typing import Any, Self, TypeVar

from django.db import models
from django.db.models import Func, Q
from django.db.models.signals import pre_save

from socle.formats import plier
from socle.modeles import QuerySetSuivi

COLONNE = "recherche"
_IMPLICITES: dict[str, Any] = {"blank": True, "default": "", "editable": False}
_ENTRE_LES_MOTS = re.compile(r"[\W_]+")

_M = TypeVar("_M", bound=models.Model, covariant=True)


def replier(texte: str) -> str:
    """Les mots du texte, pliés, chacun précédé d'une espace : « RES'OCC » donne « res occ » après une espace.

    Seuls restent des lettres et des chiffres : une demande repliée ne peut pas contenir de joker.
    """
    # casefold : « ß » se cherche « ss », ce que `plier` ne dit pas.
    return _ENTRE_LES_MOTS.sub(" ", f" {plier(texte).casefold()}").rstrip()


def mots_de(texte: str) -> list[str]:
    """Les mots repliés d'un texte, dans l'ordre, chacun une fois."""
    return list(dict.fromkeys(replier(texte).split()))


def condition_de_recherche(demande: str) -> Q | None:
    """Chaque mot demandé commence un mot de la colonne ; None si la demande n'a aucun mot."""
    mots = mots_de(demande)
    condition = Q()
    for mot in mots:
        condition &= Q(**{f"{COLONNE}__contains": f" {mot}"})
    return condition if mots else None


class OrdreDesTextes(Func):
    """Range un texte replié signe par signe, quelle que soit la langue de la base : pareil sur les deux moteurs."""

    template = "%(expressions)s"

    def as_postgresql(self, compiler, connection, **contexte):
        return self.as_sql(compiler, connection, template='%(expressions)s COLLATE "C"', **contexte)


class QuerySetCherchable(QuerySetSuivi[_M]):
    """Les lignes d'une table qui a une colonne `recherche`."""

    def correspondant_a(self, demande: str) -> Self:
        """Celles dont chaque mot demandé commence un mot ; aucune si la demande n'a aucun mot."""
        condition = condition_de_recherche(demande)
        return self.none() if condition is None else self.filter(condition)

    def bulk_update(self, objs, fields, batch_size=None):
        """La colonne suit le texte : Django n'appelle pas `pre_save` ici."""
        objets = tuple(objs)
        colonne = self.model._meta.get_field(COLONNE)
        if isinstance(colonne, ChampRecherche) and set(fields) & set(colonne.sources):
            for objet in objets:
                colonne.actualiser(objet)
            fields = [*fields, COLONNE]
        return super().bulk_update(objets, fields, batch_size)


class ChampRecherche(models.TextField):
    """La colonne repliée. `sources` : les attributs de l'objet dont elle réunit le texte."""

    def __init__(self, *args: Any, sources: tuple[str, ...] = (), **kwargs: Any) -> None:
        self.sources = sources
        for implicite, valeur in _IMPLICITES.items():
            kwargs.setdefault(implicite, valeur)
        super().__init__(*args, **kwargs)

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        """Calculée ici plutôt que dans `save` : une création en masse la remplit aussi."""
        # Le modèle d'une migration ne connaît pas ses sources : il garde ce qui est enregistré.
        if not self.sources:
            return super().pre_save(model_instance, add)
        return self.actualiser(model_instance)

    def actualiser(self, objet: models.Model) -> str:
        """Donne à l'objet, et rend, ce que la colonne doit valoir."""
        textes = (getattr(objet, source) for source in self.sources)
        valeur = replier(" ".join(str(texte) for texte in textes if texte not in (None, "")))
        setattr(objet, self.attname, valeur)
        return valeur

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        """`loaddata` écrit ce qu'il lit sans appeler `pre_save` : seul le signal lui fait remplir la colonne."""
        super().contribute_to_class(cls, name, private_only)
        if self.sources and not cls._meta.abstract:
            pre_save.connect(self._remplir_le_brut, sender=cls)

    def _remplir_le_brut(self, instance: models.Model, raw: bool, **_: Any) -> None:
        if raw:
            self.actualiser(instance)

    def deconstruct(self):
        nom, chemin, args, kwargs = super().deconstruct()
        for implicite in _IMPLICITES:
            kwargs.pop(implicite, None)
        return nom, chemin, args, kwargs


def remplir(modele: type[models.Model], sources: tuple[str, ...]) -> None:
    """Remplit la colonne des lignes déjà là. Pour une migration, dont le modèle n'a ni sources ni méthodes."""
    for objet in modele._default_manager.all().iterator(chunk_size=500):
        texte = " ".join(str(getattr(objet, source)) for source in sources)
        modele._default_manager.filter(pk=objet.pk).update(**{COLONNE: replier(texte)})


def poser_l_index(schema_editor: Any, table: str) -> None:
    """Sur PostgreSQL, un index de trigrammes : « contient » reste rapide sur des milliers de lignes."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        schema_editor.execute(f"CREATE INDEX {table}_trigrammes ON {table} USING gin ({COLONNE} gin_trgm_ops)")


def oter_l_index(schema_editor: Any, table: str) -> None:
    """L'extension reste : d'autres bases du serveur, ou d'autres tables, peuvent s'en servir."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP INDEX {table}_trigrammes")


class Cherchable(models.Model):
    """À mettre en tête d'un modèle qui a une colonne `recherche` : un enregistrement partiel la tient aussi à jour."""

    class Meta:
        abstract = True

    def save(self, *args, **kwargs) -> None:
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], COLONNE}
        elif COLONNE in self.get_deferred_fields():
            # Un objet lu en partie n'écrirait que ce qu'il a lu.
            setattr(self, COLONNE, "")
        super().save(*args, **kwargs)
