"""Ce qu'on choisit pour son propre compte."""

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms


class FormulaireDeRappels(forms.Form):
    """Deux boutons et non une case : un envoi vide ne désabonne personne."""

    rappels = forms.TypedChoiceField(
        label="Recevoir les rappels",
        choices=[("oui", "Oui"), ("non", "Non")],
        coerce=lambda valeur: valeur == "oui",
        widget=forms.RadioSelect,
        help_text="Un courriel par mois, et avant un comité, quand quelque chose est attendu de vous. Les demandes "
        "d'un responsable du plan et les actions qu'on vous confie s'annoncent toujours.",
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.add_input(Submit("", "Enregistrer mon choix"))
