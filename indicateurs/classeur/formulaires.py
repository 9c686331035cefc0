"""Déposer un classeur d'indicateurs, puis décider devant son aperçu."""

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.core.exceptions import ValidationError

from actions.depot_de_fichier import nom_sur, poids_lisible
from indicateurs.classeur.apercu import Apercu
from indicateurs.classeur.lecture import LIMITES
from socle.formats import INSECABLE, accorder

CONFLIT = "conflit"


class FormulaireDeDepot(forms.Form):
    fichier = forms.FileField(
        label="Classeur",
        help_text=f"Excel (.xlsx), LibreOffice (.ods) ou CSV, de {poids_lisible(LIMITES.octets)} et "
        f"{accorder(LIMITES.lignes, 'ligne')} au plus, sans macros.",
        widget=forms.FileInput(attrs={"accept": ".xlsx,.ods,.csv"}),
        error_messages={"empty": "Ce fichier est vide."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.add_input(Submit("", "Voir ce que le classeur changerait"))

    def clean_fichier(self):
        fichier = self.cleaned_data["fichier"]
        if fichier.size > LIMITES.octets:
            raise ValidationError(
                f"«{INSECABLE}{nom_sur(fichier.name)}{INSECABLE}» pèse {poids_lisible(fichier.size)}{INSECABLE}: "
                f"{poids_lisible(LIMITES.octets)} au plus."
            )
        return fichier


class FormulaireDApplication(forms.Form):
    """Ce qu'il reste à décider : les conflits cochés prennent ce que dit le fichier ; un motif si du validé bouge."""

    depot = forms.CharField(widget=forms.HiddenInput)
    motif = forms.CharField(
        label="Motif du changement",
        max_length=500,
        required=False,
        help_text="Une valeur validée ne change pas sans motif ; il reste dans son historique.",
    )

    def __init__(self, *args: Any, apercu: Apercu, **kwargs: Any) -> None:
        self.apercu = apercu
        super().__init__(*args, **kwargs)
        if not apercu.motif_utile:
            del self.fields["motif"]
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or {}
        validees = self.apercu.validees
        if validees and not donnees.get("motif"):
            self.add_error("motif", f"Une valeur validée ne change pas sans motif. Concerne : {', '.join(validees)}.")
        return donnees

    @property
    def motif_donne(self) -> str:
        return self.cleaned_data.get("motif", "")
