"""Erreurs dont la phrase, écrite par nous, peut être montrée telle quelle."""

from django.core.exceptions import BadRequest
from django.http import Http404


class Introuvable(Http404):
    """404 avec une phrase en français."""


class DemandeIllisible(BadRequest):
    """400 avec une phrase en français : un paramètre d'adresse absurde ou contradictoire."""
