"""Déposer un classeur, puis décider devant l'essai."""

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Submit
from django import forms
from django.core.exceptions import ValidationError

from actions.classeur.comparaison import LONGUEUR_DU_MOTIF
from actions.classeur.ecriture import Choix
from actions.classeur.imports import LIMITES
from actions.depot_de_fichier import nom_sur, poids_lisible
from actions.depots import DepotDeClasseur
from actions.models import Plan
from socle.formats import INSECABLE, accorder


class FormulaireDeDepot(forms.Form):
    """Le plan, et le fichier."""

    plan = forms.ModelChoiceField(label="Plan", queryset=Plan.objects.none(), empty_label=None)
    fichier = forms.FileField(
        label="Classeur",
        help_text=f"Excel (.xlsx), LibreOffice (.ods) ou CSV, de {poids_lisible(LIMITES.octets)} et "
        f"{accorder(LIMITES.lignes, 'ligne')} au plus, sans macros.",
        widget=forms.FileInput(attrs={"accept": ".xlsx,.ods,.csv"}),
        error_messages={"empty": "Ce fichier est vide."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # L'ordre dépend du jour.
        self.fields["plan"].queryset = Plan.objects.du_plus_recent()  # type: ignore[attr-defined]
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


GARDER, PRENDRE = "garder", "prendre"


class FormulaireDeChoix(forms.Form):
    """Ce qu'il reste à décider avant d'enregistrer : rien, souvent."""

    empreinte = forms.CharField(widget=forms.HiddenInput)
    conflits = forms.ChoiceField(
        label="Lignes en conflit",
        choices=[
            (GARDER, "Garder ce que dit le site : ces lignes du fichier sont laissées de côté"),
            (PRENDRE, "Prendre ce que dit le fichier, à la place de ce que dit le site"),
        ],
        initial=GARDER,
        widget=forms.RadioSelect,
    )
    motif = forms.CharField(
        label="Motif des échéances déplacées",
        max_length=LONGUEUR_DU_MOTIF,
        required=False,
        help_text="Une échéance déjà fixée ne change pas sans motif. Il vaut pour les lignes qui n'ont pas le leur.",
    )

    def __init__(self, *args: Any, depot: DepotDeClasseur, **kwargs: Any) -> None:
        self.essai = depot.essai
        super().__init__(*args, **kwargs)
        self.initial["empreinte"] = self.essai["empreinte"]
        if not self.essai["comptes"]["conflit"]:
            del self.fields["conflits"]
        if not any(self.essai["motifs"].values()):
            del self.fields["motif"]
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or {}
        motifs = self.essai["motifs"]
        attendus = motifs["changee"] + (motifs["conflit"] if donnees.get("conflits") == PRENDRE else 0)
        if attendus and "motif" in self.fields and not donnees.get("motif"):
            self.add_error(
                "motif", "Une échéance déjà fixée ne change pas sans motif : dites pourquoi elles changent."
            )
        return donnees

    @property
    def choix(self) -> Choix:
        """Une fois validé."""
        donnees = self.cleaned_data
        return Choix(donnees.get("motif", "").strip(), donnees.get("conflits") == PRENDRE)
