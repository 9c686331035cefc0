"""Les consultations que suggèrent les contrats : confirmer, réunir, séparer, rattacher, détacher."""

import uuid
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from comptes.droits import Droit, exiger
from comptes.models import Utilisateur
from marches.models import Consultation, Contrat, ContratDeConsultation
from marches.regroupements import confirmer, detacher, numero_propose, objet_propose, rattacher, suggestions
from marches.views.commun import LIGNES_PAR_PAGE, lecture_ou_envoi, qui_demande, sirens_de_la_collectivite
from socle.erreurs import DemandeIllisible, Introuvable
from socle.formats import ANNEE_MAX, ANNEE_MIN

CONFIRMEES_MONTREES = 100


class FormulaireDeRegroupement(forms.Form):
    """Les contrats cochés, et où ils vont : une consultation nouvelle, ou une du registre."""

    souches = forms.MultipleChoiceField(
        label="Contrats",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Cochez au moins un contrat."},
    )
    existante = forms.ModelChoiceField(
        Consultation.objects.all(),
        label="Consultation du registre",
        to_field_name="numero",
        required=False,
        widget=forms.TextInput,
        help_text="Son numéro, si elle y est déjà ; les deux champs suivants ne servent alors pas.",
        error_messages={"invalid_choice": "Aucune consultation du registre ne porte ce numéro."},
    )
    numero = forms.CharField(label="Numéro de la nouvelle consultation", max_length=60, required=False)
    objet = forms.CharField(label="Objet de la nouvelle consultation", max_length=1000, required=False)

    def __init__(self, *args: Any, contrats: list[Contrat], **kwargs: Any) -> None:
        kwargs["initial"] = {
            "souches": [str(contrat.souche) for contrat in contrats],
            "numero": numero_propose(contrats),
            "objet": objet_propose(contrats),
        }
        super().__init__(*args, **kwargs)
        self.contrats = contrats
        self.fields["souches"].choices = [(str(c.souche), _resume(c)) for c in contrats]  # type: ignore[attr-defined]

    @property
    def helper(self) -> FormHelper:
        helper = FormHelper()
        helper.form_tag = False
        return helper

    def clean(self) -> dict[str, Any]:
        lu = super().clean() or {}
        if not lu.get("existante") and "existante" not in self.errors:
            for nom in ("numero", "objet"):
                if not lu.get(nom):
                    self.add_error(nom, "À renseigner pour une nouvelle consultation.")
        return lu

    def enregistrer(self, auteur: Utilisateur) -> Consultation | None:
        lu = self.cleaned_data
        choisis = [contrat for contrat in self.contrats if str(contrat.souche) in lu["souches"]]
        try:
            if lu["existante"] is None:
                return confirmer(choisis, numero=lu["numero"], objet=lu["objet"], auteur=auteur)
            rattacher(choisis, lu["existante"])
        except ValidationError as refus:
            self.add_error(None, refus.messages)
        return lu["existante"] if not self.errors else None


def _resume(contrat: Contrat) -> str:
    noms = ", ".join(str(titulaire) for titulaire in contrat.titulaires.all())
    return " · ".join(dit for dit in (contrat.identifiant, str(contrat), noms) if dit)


class FiltreDAnnee(forms.Form):
    annee = forms.IntegerField(
        label="Année de la première notification",
        required=False,
        min_value=ANNEE_MIN,
        max_value=ANNEE_MAX,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )


@require_safe
def regroupements(request: HttpRequest) -> HttpResponse:
    """Les suggestions d'une année, ou de toutes, puis les consultations confirmées."""
    exiger(request.user, Droit.CONSULTER)
    filtre = FiltreDAnnee(request.GET)
    lisible = filtre.is_valid()
    proposees = suggestions(sirens_de_la_collectivite(), filtre.cleaned_data["annee"]) if lisible else []
    tenus = ContratDeConsultation.objects.select_related("consultation").order_by("-pk")
    confirmees = list(tenus[:CONFIRMEES_MONTREES])
    en_vigueur = Contrat.objects.all().en_vigueur().filter(souche__in=[lien.souche for lien in confirmees])
    par_souche = {contrat.souche: contrat for contrat in en_vigueur}
    contexte = {
        "filtre": {"form": filtre},
        "page": Paginator(proposees, LIGNES_PAR_PAGE).get_page(request.GET.get("page")),
        "confirmees": [(lien, par_souche.get(lien.souche)) for lien in confirmees],
    }
    return render(request, "marches/regroupements.html", contexte, status=200 if lisible else 400)


@lecture_ou_envoi
def regrouper(request: HttpRequest) -> HttpResponse:
    """Les contrats des suggestions `de` : on en coche, on dit leur consultation. Cocher moins, c'est séparer."""
    exiger(request.user, Droit.IMPORTER)
    if "de" not in request.GET:
        messages.warning(request, "Choisissez au moins une suggestion.")
        return redirect("marches:regroupements")
    contrats = _contrats_demandes(request)
    formulaire = FormulaireDeRegroupement(request.POST or None, contrats=contrats)
    if formulaire.is_valid():
        consultation = formulaire.enregistrer(qui_demande(request))
        if consultation is not None:
            messages.success(request, f"Les contrats sont rattachés à la consultation {consultation.numero}.")
            return redirect("marches:regroupements")
    return render(request, "marches/regrouper.html", {"formulaire": formulaire, "contrats": contrats})


def _contrats_demandes(request: HttpRequest) -> list[Contrat]:
    """Ceux des suggestions nommées par un de leurs contrats ; déjà confirmés, ces contrats seuls."""
    demandees = request.GET.getlist("de")
    try:
        souches = {uuid.UUID(texte) for texte in demandees}
    except ValueError as erreur:
        raise DemandeIllisible("Cette adresse ne nomme pas un contrat.") from erreur
    proposees = suggestions(sirens_de_la_collectivite())
    contrats = [c for s in proposees if souches & {c.souche for c in s.contrats} for c in s.contrats]
    if not contrats:
        # Un envoi reçu deux fois : ils ont déjà leur consultation.
        tenues = ContratDeConsultation.objects.filter(souche__in=souches).values("consultation")
        souches |= set(ContratDeConsultation.objects.filter(consultation__in=tenues).values_list("souche", flat=True))
        en_vigueur = Contrat.objects.all().en_vigueur().avec_leurs_titulaires()
        contrats = list(en_vigueur.filter(souche__in=souches).order_by("date", "pk"))
    if not contrats:
        raise Introuvable("Aucune suggestion n'est choisie, ou elle n'existe plus.")
    return contrats


@require_POST
def detacher_un_contrat(request: HttpRequest, souche: uuid.UUID) -> HttpResponse:
    exiger(request.user, Droit.IMPORTER)
    detacher(souche)
    messages.success(request, "Le contrat est détaché de sa consultation.")
    return redirect("marches:regroupements")
