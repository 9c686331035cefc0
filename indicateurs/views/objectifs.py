"""Les objectifs de référence, et les reprendre pour un indicateur."""

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from actions.views.commun import lecture_ou_envoi
from comptes.droits import Droit, exiger
from indicateurs.listes import Nature, Sens
from indicateurs.models import Cible, Indicateur
from indicateurs.references import OBJECTIFS, PAR_CLE


class FormulaireDeReprise(forms.Form):
    """Un objectif de référence et l'indicateur qui le prend."""

    objectif = forms.ChoiceField(
        label="Objectif",
        choices=[(objectif.cle, f"{objectif.intitule} ({objectif.vigueur})") for objectif in OBJECTIFS],
    )
    indicateur = forms.ModelChoiceField(
        label="Pour l'indicateur",
        queryset=Indicateur.objects.filter(nature=Nature.PART).exclude(sens=Sens.NEUTRE),
        to_field_name="code",
        empty_label="Choisissez une part",
        help_text="Une part dont la hausse ou la baisse est un progrès : neutre, elle s'observe, elle ne se vise pas.",
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.add_input(Submit("", "Fixer cet objectif"))


@lecture_ou_envoi
def objectifs(request: HttpRequest) -> HttpResponse:
    """Chacun lit les objectifs et leur source ; qui tient les indicateurs en fixe un."""
    if request.method == "POST":
        exiger(request.user, Droit.TENIR_LES_REFERENTIELS)
    formulaire = FormulaireDeReprise(request.POST or None, initial={"indicateur": request.GET.get("indicateur")})
    if formulaire.is_valid():
        indicateur = formulaire.cleaned_data["indicateur"]
        try:
            Cible.objects.all().reprendre(PAR_CLE[formulaire.cleaned_data["objectif"]], indicateur)
        except ValidationError as refus:
            formulaire.add_error("indicateur", refus.messages)
        else:
            messages.success(request, f"Objectif fixé pour « {indicateur} ».")
            return redirect(f"{indicateur.get_absolute_url()}#objectifs-titre")
    return render(request, "indicateurs/objectifs.html", {"objectifs": OBJECTIFS, "formulaire": formulaire})
