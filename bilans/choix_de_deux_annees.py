"""Le choix des deux années d'une comparaison, et de la version de chacune."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils import timezone

from bilans.cadre import Cadre
from bilans.comparaison import DeuxAnnees, annees_par_defaut, deux_annees
from bilans.versions import VersionDeBilan


class FormulaireDeDeuxAnnees(forms.Form):
    """« Comparer 2023 à 2024 ». Vides : la dernière année arrêtée, sinon finie, et celle d'avant.

    `possible` : faux tant que la base ne connaît qu'une année. Une version qu'une année n'a pas (on vient de changer
    d'année) laisse la dernière.
    """

    de = forms.TypedChoiceField(label="Comparer", coerce=int)
    a = forms.TypedChoiceField(label="à", coerce=int)
    rang_de = forms.TypedChoiceField(label="Version de la première", coerce=int, required=False, empty_value=None)
    rang_a = forms.TypedChoiceField(label="Version de la seconde", coerce=int, required=False, empty_value=None)

    def __init__(self, donnees: Mapping[str, str], *, cadre: Cadre) -> None:
        self.cadre = cadre
        self.rangs: dict[int, list[int]] = {}
        versions = VersionDeBilan.objects.filter(bilan__plan=cadre.plan).order_by("-bilan__annee", "-rang")
        for annee, rang in versions.values_list("bilan__annee", "rang"):
            self.rangs.setdefault(annee, []).append(rang)
        par_defaut = annees_par_defaut(cadre.annees, list(self.rangs), timezone.localdate())
        self.possible = par_defaut is not None
        demande = {nom: donnees.get(nom, "").strip() for nom in self.base_fields}
        for nom, annee in zip(("de", "a"), par_defaut or (), strict=False):
            demande[nom] = demande[nom] or str(annee)
        rangs = {nom: self._rangs(demande[nom]) for nom in ("de", "a")}
        for nom in ("de", "a"):
            if demande[f"rang_{nom}"] not in map(str, rangs[nom]):
                demande[f"rang_{nom}"] = ""
        super().__init__(demande)
        champs: dict[str, Any] = self.fields
        for nom in ("de", "a"):
            champs[nom].choices = [(annee, annee) for annee in cadre.annees]
            champs[f"rang_{nom}"].choices = [(rang, f"version {rang}") for rang in rangs[nom]]
        for champ in champs.values():
            champ.widget.attrs["class"] = "form-select form-select-sm"

    def _rangs(self, annee: str) -> list[int]:
        """Les versions arrêtées de l'année demandée, la dernière d'abord."""
        return self.rangs.get(int(annee), []) if re.fullmatch("[0-9]{4}", annee) else []

    @property
    def visibles(self) -> list[forms.BoundField]:
        """Les deux années, et le choix de la version là où il y en a plusieurs."""
        champs: dict[str, Any] = self.fields
        return [
            self[nom] for nom in ("de", "rang_de", "a", "rang_a") if nom in ("de", "a") or len(champs[nom].choices) > 1
        ]

    def clean(self) -> dict[str, Any]:
        donnees = self.cleaned_data
        if "de" in donnees and donnees["de"] == donnees.get("a"):
            self.add_error("a", "Choisissez deux années différentes.")
        return donnees

    def comparer(self) -> DeuxAnnees:
        """Le formulaire est valide."""
        donnees = self.cleaned_data
        rangs = {donnees[nom]: donnees[f"rang_{nom}"] for nom in ("de", "a") if donnees[f"rang_{nom}"]}
        return deux_annees(self.cadre.plan, donnees["de"], donnees["a"], rangs)
