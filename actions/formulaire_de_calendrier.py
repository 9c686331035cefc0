"""Demander un calendrier : ce qu'il montre, et un nom pour le reconnaître."""

import secrets

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms

from actions.calendriers import MOI, PLAN, ouvrir
from actions.models import Plan
from comptes.gestes import Jeton
from comptes.models import Utilisateur


class FormulaireCalendrier(forms.Form):
    """`alea` : de quoi reconnaître un envoi reçu deux fois (double clic, rechargement)."""

    sujet = forms.ChoiceField(label="Ce qu'il montre")
    nom = forms.CharField(
        label="Nom", required=False, max_length=60, help_text="Pour le reconnaître : « Téléphone », « Outlook »."
    )
    alea = forms.CharField(max_length=64, min_length=16, widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["alea"].initial = secrets.token_urlsafe(24)
        plans = [(f"{PLAN}{plan.pk}", f"Les échéances de « {plan} »") for plan in Plan.objects.order_by("intitule")]
        self.sujets = dict([(MOI, "Mes échéances, et celles de mon service"), *plans])
        self.fields["sujet"].choices = list(self.sujets.items())  # type: ignore[attr-defined]
        self.helper = FormHelper()
        self.helper.add_input(Submit("", "Créer le calendrier"))

    def enregistrer(self, utilisateur: Utilisateur) -> Jeton:
        donnees = self.cleaned_data
        nom = donnees["nom"].strip() or ("Mes échéances" if donnees["sujet"] == MOI else "Échéances du plan")
        return ouvrir(utilisateur, sujet=donnees["sujet"], nom=nom, alea=donnees["alea"])
