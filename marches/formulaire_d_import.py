"""Déposer un fichier de DECP : lequel, et quels acheteurs en garder."""

import re
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.core.exceptions import ValidationError

from marches.depots import MO, TAILLE_MAX
from socle.formats import formater_nombre, typographie

LES_NOTRES, AUTRES, TOUS = "notres", "autres", "tous"


class FormulaireDImport(forms.Form):
    """`sirens` : ceux de la collectivité."""

    fichier = forms.FileField(
        label="Fichier",
        help_text=f"JSON ou XML réglementaires, ou CSV de decp.info, de {formater_nombre(TAILLE_MAX // MO)} Mo au "
        "plus. Le contenu décide, pas l'extension.",
        widget=forms.FileInput(attrs={"accept": ".json,.xml,.csv"}),
        error_messages={"empty": "Ce fichier est vide."},
    )
    acheteurs = forms.ChoiceField(
        label="Acheteurs à garder",
        choices=[
            (LES_NOTRES, "Les nôtres"),
            (AUTRES, "Ceux dont je donne le SIREN"),
            (TOUS, "Tous ceux du fichier, pour comparer"),
        ],
        initial=LES_NOTRES,
        widget=forms.RadioSelect,
    )
    autres = forms.CharField(
        label="Numéros SIREN", required=False, help_text="Neuf chiffres chacun, séparés par une virgule."
    )

    def __init__(self, *args: Any, sirens: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.notres = sirens
        self.helper = FormHelper()
        self.helper.add_input(Submit("", "Importer"))
        if sirens:
            self.fields["acheteurs"].help_text = f"Les nôtres : {', '.join(sirens)}."

    def clean_fichier(self):
        fichier = self.cleaned_data["fichier"]
        if fichier.size > TAILLE_MAX:
            raise ValidationError(
                typographie(
                    f"Ce fichier pèse {formater_nombre(fichier.size // MO)} Mo : "
                    f"{formater_nombre(TAILLE_MAX // MO)} Mo au plus par cette page. La commande "
                    "« manage.py importer_decp » n'a pas de limite."
                )
            )
        return fichier

    def clean(self) -> dict[str, Any]:
        dit = super().clean() or {}
        if dit.get("acheteurs") == LES_NOTRES and not self.notres:
            self.add_error("acheteurs", "La collectivité n'a pas encore de SIREN : un administrateur peut le donner.")
        if dit.get("acheteurs") == AUTRES:
            demandes = _numeros(dit.get("autres", ""))
            if faux := [d for d in demandes if not re.fullmatch(r"\d{9}", d)]:
                refus = f"Un SIREN compte neuf chiffres ; à corriger : {', '.join(faux)}."
                self.add_error("autres", typographie(refus))
            if not demandes:
                self.add_error("autres", "Donnez au moins un numéro SIREN.")
            dit["sirens"] = demandes
        return dit

    @property
    def sirens(self) -> list[str]:
        """Ceux à garder ; vide : tous."""
        choix = self.cleaned_data["acheteurs"]
        if choix == TOUS:
            return []
        return self.notres if choix == LES_NOTRES else self.cleaned_data["sirens"]


def _numeros(texte: str) -> list[str]:
    """« 243 400 470, 243400017 » : deux numéros."""
    serres = re.sub(r"(?<=\d)[ \u00a0](?=\d{3})", "", texte)
    return [numero for numero in re.split(r"[\s,;]+", serres) if numero]
