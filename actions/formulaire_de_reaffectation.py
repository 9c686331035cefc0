"""De qui, à qui, et pourquoi."""

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms

from actions.reaffectation import Geste, Reaffectation, ceux_qui_pilotent
from comptes.models import Utilisateur


class ChampCompte(forms.ModelChoiceField):
    """Un compte ; désactivé, il se dit."""

    def label_from_instance(self, compte: Any) -> str:
        return str(compte) if compte.is_active else f"{compte} (compte désactivé)"


class FormulaireDeReaffectation(forms.Form):
    """Se lit dans l'adresse : l'aperçu est une page qu'on peut rouvrir ou transmettre."""

    ancien = ChampCompte(label="De", queryset=Utilisateur.objects.none(), empty_label="Qui part ou s'absente ?")
    nouveau = ChampCompte(label="À", queryset=Utilisateur.objects.none(), empty_label="Qui prend le relais ?")
    geste = forms.ChoiceField(label="Pourquoi", choices=Geste, initial=Geste.DEPART, widget=forms.RadioSelect)
    toutes = forms.BooleanField(label="Les actions terminées aussi", required=False)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        # Sa dernière action vient peut-être de passer à l'autre : l'envoi reçu deux fois doit encore se comprendre.
        lu = str(self.data.get("ancien", ""))
        aussi = [int(lu)] if lu.isascii() and lu.isdigit() and len(lu) < 19 else []
        self.fields["ancien"].queryset = ceux_qui_pilotent(*aussi)  # type: ignore[attr-defined]
        self.fields["nouveau"].queryset = Utilisateur.objects.filter(is_active=True)  # type: ignore[attr-defined]
        self.helper = FormHelper()
        self.helper.form_method = "get"
        self.helper.add_input(Submit("", "Voir ce qui changera"))

    def clean(self) -> dict:
        donnees = super().clean() or {}
        if donnees.get("ancien") and donnees.get("ancien") == donnees.get("nouveau"):
            self.add_error("nouveau", "C'est la même personne : choisissez quelqu'un d'autre.")
        return donnees

    def reaffectation(self, auteur: Utilisateur) -> Reaffectation:
        """Une fois validé."""
        donnees = self.cleaned_data
        return Reaffectation(
            ancien=donnees["ancien"], nouveau=donnees["nouveau"], geste=donnees["geste"], auteur=auteur
        )
