"""La revue : ce qui déplace un chiffre, et de quoi le corriger sans toucher à ce que disent les fichiers."""

import uuid
from collections import Counter

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from comptes.droits import Droit, exiger
from marches.exports import Format, exporter, format_demande
from marches.formulaires_de_revue import (
    OCCUPE,
    FormulaireDeCorrection,
    FormulaireDeLieu,
    champ_de_l_adresse,
)
from marches.generations import ContratsOccupes
from marches.models import Contrat, CorrectionDeContrat, LieuDEtablissement, TitulaireDeContrat
from marches.revision import annuler
from marches.revue import Anomalie, Sorte, anomalies
from marches.views.commun import LIGNES_PAR_PAGE, lecture_ou_envoi, qui_demande, sirens_de_la_collectivite
from socle.ecriture import ColonneEcrite
from socle.ecriture import Sorte as SorteDeColonne
from socle.erreurs import Introuvable
from socle.formats import ANNEE_MAX, ANNEE_MIN

_COLONNES = [
    ColonneEcrite("Ce qui ne va pas", largeur=30),
    ColonneEcrite("Identifiant"),
    ColonneEcrite("Objet", largeur=50),
    ColonneEcrite("Notifié le", SorteDeColonne.DATE, 12),
    ColonneEcrite("Montant HT", SorteDeColonne.NOMBRE, 16),
    ColonneEcrite("Constat", largeur=50),
    ColonneEcrite("Chiffre déplacé", largeur=60),
    ColonneEcrite("Référence", largeur=38),
]


class FiltreDeRevue(forms.Form):
    sorte = forms.ChoiceField(
        label="Ce qui ne va pas", required=False, choices=[("", "Tout"), *((s.code, s.libelle) for s in Sorte)]
    )
    annee = forms.IntegerField(
        label="Année de notification",
        required=False,
        min_value=ANNEE_MIN,
        max_value=ANNEE_MAX,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )

    def de_l_annee(self, trouvees: list[Anomalie]) -> list[Anomalie]:
        annee = self.cleaned_data["annee"]
        return [a for a in trouvees if not annee or (a.contrat.date and a.contrat.date.year == annee)]

    def de_la_sorte(self, trouvees: list[Anomalie]) -> list[Anomalie]:
        return [a for a in trouvees if self.cleaned_data["sorte"] in ("", a.sorte.code)]


def a_revoir() -> list[Anomalie]:
    """Cinq requêtes, quel que soit le nombre de contrats."""
    sirens = sirens_de_la_collectivite()
    contrats = Contrat.objects.all().en_vigueur().de_l_acheteur(*sirens).avec_leurs_titulaires()
    corriges = CorrectionDeContrat.objects.filter(annulee_le__isnull=True).values_list("souche", "champ")
    situes = LieuDEtablissement.objects.values_list("siret", flat=True)
    return anomalies(list(contrats), corriges=set(corriges), situes=set(situes))


@require_safe
def revue(request: HttpRequest) -> HttpResponse:
    """Les anomalies par sorte, puis celles que les filtres retiennent, ou dans un fichier."""
    exiger(request.user, Droit.CONSULTER)
    filtre = FiltreDeRevue(request.GET)
    lisible = filtre.is_valid()
    de_l_annee = filtre.de_l_annee(a_revoir()) if lisible else []
    retenues = filtre.de_la_sorte(de_l_annee) if lisible else []
    if lisible and (forme := format_demande(request)):
        lignes = [_ligne(anomalie) for anomalie in retenues]
        poses = [(nom, str(dit)) for nom, dit in filtre.cleaned_data.items() if dit]
        return exporter(request, forme, sujet="Revue", colonnes=_COLONNES, lignes=lignes, filtres=poses)
    nombres = Counter(anomalie.sorte for anomalie in de_l_annee)
    contexte = {
        "filtre": {"form": filtre},
        "nombres": [(sorte, nombres[sorte]) for sorte in Sorte],
        "page": Paginator(retenues, LIGNES_PAR_PAGE).get_page(request.GET.get("page")),
        "exports": Format,
    }
    return render(request, "marches/revue.html", contexte, status=200 if lisible else 400)


def _ligne(anomalie: Anomalie) -> list[object]:
    contrat = anomalie.contrat
    return [
        anomalie.sorte.libelle,
        contrat.identifiant,
        contrat.objet,
        contrat.date,
        contrat.montant,
        anomalie.constat,
        anomalie.chiffre,
        str(contrat.souche),
    ]


@lecture_ou_envoi
def corriger_un_contrat(request: HttpRequest, souche: uuid.UUID, champ: str) -> HttpResponse:
    """Un champ d'un contrat, et pourquoi."""
    exiger(request.user, Droit.IMPORTER)
    contrat = Contrat.objects.all().en_vigueur().avec_leurs_titulaires().filter(souche=souche).first()
    corrige = champ_de_l_adresse(champ)
    if contrat is None or corrige is None:
        raise Introuvable("Ce contrat n'existe pas, ou ce champ ne se corrige pas.")
    formulaire = FormulaireDeCorrection(request.POST or None, contrat=contrat, champ=corrige)
    if formulaire.is_valid() and formulaire.enregistrer(qui_demande(request)):
        messages.success(request, "La correction est enregistrée, et les chiffres sont recalculés.")
        return redirect(contrat)
    return render(request, "marches/corriger.html", {"contrat": contrat, "formulaire": formulaire})


@require_POST
def annuler_une_correction(request: HttpRequest, correction: int) -> HttpResponse:
    exiger(request.user, Droit.IMPORTER)
    trouvee = CorrectionDeContrat.objects.filter(pk=correction).first()
    if trouvee is None:
        raise Introuvable("Cette correction n'existe pas.")
    try:
        annuler(trouvee, auteur=qui_demande(request))
    except ContratsOccupes:
        messages.error(request, OCCUPE)
    else:
        messages.success(request, "La correction est annulée : le contrat redevient ce qu'en disent les fichiers.")
    return redirect("marches:contrat", trouvee.souche)


@lecture_ou_envoi
def situer_un_etablissement(request: HttpRequest, siret: str) -> HttpResponse:
    """La commune d'un titulaire que les fichiers ne donnent pas."""
    exiger(request.user, Droit.IMPORTER)
    titulaire = TitulaireDeContrat.objects.filter(identifiant=siret).order_by("-pk").first()
    if titulaire is None:
        raise Introuvable("Aucun titulaire n'a ce SIRET.")
    formulaire = FormulaireDeLieu(request.POST or None, siret=siret)
    if formulaire.is_valid() and formulaire.enregistrer(qui_demande(request)):
        messages.success(request, "La commune est enregistrée, et les chiffres sont recalculés.")
        return redirect("marches:revue")
    contexte = {
        "titulaire": titulaire,
        "lieu": LieuDEtablissement.objects.filter(siret=siret).first(),
        "formulaire": formulaire,
    }
    return render(request, "marches/situer.html", contexte)
