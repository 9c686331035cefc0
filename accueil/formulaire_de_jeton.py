"""Demander un jeton d'API : ce qu'il lit, combien de temps, et un nom pour le reconnaître."""

import secrets

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms

from comptes.gestes import Jeton
from comptes.jetons_d_api import PORTEES, Duree, ouvrir
from comptes.models import Utilisateur


class FormulaireDeJeton(forms.Form):
    """`alea` : de quoi reconnaître un envoi reçu deux fois (double clic, rechargement)."""

    nom = forms.CharField(
        label="Nom", max_length=60, help_text="Le programme qui s'en servira : « Tableau de bord », « Entrepôt »."
    )
    portees = forms.MultipleChoiceField(
        label="Ce qu'il lit",
        choices=[(portee.value, libelle) for portee, libelle in PORTEES.items()],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choisissez au moins une portée."},
    )
    duree = forms.TypedChoiceField(
        label="Il expire dans", choices=Duree.choices, coerce=lambda jours: Duree(int(jours)), initial=Duree.TROIS_MOIS
    )
    alea = forms.CharField(max_length=64, min_length=16, widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["alea"].initial = secrets.token_urlsafe(24)
        self.helper = FormHelper()
        self.helper.add_input(Submit("", "Créer le jeton"))

    def enregistrer(self, utilisateur: Utilisateur) -> Jeton:
        donnees = self.cleaned_data
        return ouvrir(
            utilisateur,
            nom=donnees["nom"],
            portees=donnees["portees"],
            duree=donnees["duree"],
            alea=donnees["alea"],
        )
