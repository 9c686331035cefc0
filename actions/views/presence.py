"""Retirer une action du plan, l'y remettre."""

from django.http import HttpRequest, HttpResponse

from actions.presence import FormulaireDeRetour, FormulaireDeRetrait
from actions.views.commun import geste_sur, lecture_ou_envoi
from comptes.droits import Droit


@lecture_ou_envoi
def retirer(request: HttpRequest, pk: int) -> HttpResponse:
    return geste_sur(request, pk, FormulaireDeRetrait, Droit.MODIFIER_LE_PLAN)


@lecture_ou_envoi
def remettre(request: HttpRequest, pk: int) -> HttpResponse:
    return geste_sur(request, pk, FormulaireDeRetour, Droit.MODIFIER_LE_PLAN)
