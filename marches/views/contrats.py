"""Les contrats que disent les DECP : la liste, et la page de chacun, jusqu'aux enregistrements des fichiers."""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_tables2 import RequestConfig

from comptes.droits import Droit, exiger
from marches.exports import Format, exporter, format_demande
from marches.fiche_de_contrat import fiche_de
from marches.filtres_de_contrats import FiltreContrats
from marches.models import Contrat
from marches.reponses import Reponse
from marches.signalements import signalements_de
from marches.tables import TableContrats
from marches.views.commun import LIGNES_PAR_PAGE, sirens_de_la_collectivite
from socle.ecriture import ColonneEcrite, Sorte
from socle.erreurs import Introuvable

_COLONNES = [
    ColonneEcrite("Notifié le", Sorte.DATE, 12),
    ColonneEcrite("Identifiant"),
    ColonneEcrite("SIRET de l'acheteur", largeur=16),
    ColonneEcrite("Objet", largeur=60),
    ColonneEcrite("Procédure", largeur=30),
    ColonneEcrite("Titulaires", largeur=40),
    ColonneEcrite("Montant HT", Sorte.NOMBRE, 16),
    ColonneEcrite("Considération environnementale"),
    ColonneEcrite("Considération sociale"),
    ColonneEcrite("Signalements", largeur=50),
    ColonneEcrite("Référence", largeur=38),
]
NOTES = [
    (
        "Montant HT",
        "Celui de l'état initial du contrat ; pour un accord-cadre, un montant maximum, pas une dépense.",
    ),
    ("Non renseigné", "Le fichier ne dit ni oui ni non : ce n'est pas un non."),
]


@require_safe
def contrats(request: HttpRequest) -> HttpResponse:
    """La liste, filtrée et triée par l'adresse, ou dans un fichier. Un filtre absurde : 400, à côté du champ."""
    exiger(request.user, Droit.CONSULTER)
    sirens = sirens_de_la_collectivite()
    filtre = FiltreContrats(request.GET, queryset=Contrat.objects.all().en_vigueur(), sirens=sirens)
    lisible = filtre.form.is_valid()
    lus = filtre.qs.avec_leurs_titulaires() if lisible else Contrat.objects.none()
    if lisible and (forme := format_demande(request)):
        lignes = [_ligne(contrat) for contrat in lus]
        return exporter(
            request, forme, sujet="Contrats", colonnes=_COLONNES, lignes=lignes, filtres=filtre.poses, notes=NOTES
        )
    table = TableContrats(lus)
    RequestConfig(request, paginate={"per_page": LIGNES_PAR_PAGE}).configure(table)
    contexte = {"filtre": filtre, "table": table, "exports": Format, "sans_siren": not sirens}
    return render(request, "marches/contrats.html", contexte, status=200 if lisible else 400)


@require_safe
def contrat(request: HttpRequest, souche: uuid.UUID) -> HttpResponse:
    """Ce qu'il vaut, d'où il vient, ce qu'il a été, ce qu'on en a corrigé."""
    exiger(request.user, Droit.CONSULTER)
    fiche = fiche_de(souche)
    if fiche is None:
        raise Introuvable("Ce contrat n'existe pas.")
    return render(request, "marches/contrat.html", {"fiche": fiche})


def _ligne(contrat: Contrat) -> list[Any]:
    return [
        contrat.date,
        contrat.identifiant,
        contrat.siret,
        contrat.objet,
        contrat.procedure,
        " ; ".join(str(titulaire) for titulaire in contrat.titulaires.all()),
        contrat.montant,
        str(Reponse(contrat.environnement).label),
        str(Reponse(contrat.social).label),
        " ; ".join(signalement.phrase for signalement in signalements_de(contrat)),
        str(contrat.souche),
    ]
