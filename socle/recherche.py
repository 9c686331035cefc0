"""Chercher sans accents, par débuts de mots, pareil sur SQLite et sur PostgreSQL.

Chaque table cherchée porte une colonne repliée, remplie à l'enregistrement : la base n'a plus qu'à comparer du texte,
sans extension ni règle de langue qui changerait d'un moteur à l'autre.
"""

import re
from typing import Any

from django.db import models
from django.db.models import Q

from socle.formats import plier

COLONNE = "recherche"
_IMPLICITES: dict[str, Any] = {"blank": True, "default": "", "editable": False}
_ENTRE_LES_MOTS = re.compile(r"[\W_]+")


def replier(texte: str) -> str:
    """Les mots du texte, pliés, chacun précédé d'une espace : « RES'OCC » donne « res occ » après une espace."""
    return _ENTRE_LES_MOTS.sub(" ", f" {plier(texte)}").rstrip()


def condition_de_recherche(demande: str) -> Q | None:
    """Chaque mot demandé commence un mot de la colonne ; None si la demande n'a aucun mot."""
    mots = replier(demande).split()
    condition = Q()
    for mot in mots:
        condition &= Q(**{f"{COLONNE}__contains": f" {mot}"})
    return condition if mots else None


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
        textes = (getattr(model_instance, source) for source in self.sources)
        valeur = replier(" ".join(str(texte) for texte in textes if texte not in (None, "")))
        setattr(model_instance, self.attname, valeur)
        return valeur

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
        super().save(*args, **kwargs)
