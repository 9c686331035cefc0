"""Filtres de la liste des indicateurs : tout est dans l'adresse, pour qu'un lien montre la même liste à tous."""

import django_filters
from django import forms
from django.utils import timezone

from actions.filtres import FiltreJourPasse, FiltreMomentPasse
from actions.filtres import FormulaireDeFiltre as FormulaireDeFiltreDate
from actions.models import Plan
from indicateurs.models import Indicateur, IndicateurQuerySet
from socle.formats import ANNEE_MAX, ANNEE_MIN
from socle.instants import AUJOURD_HUI, Instant


class FiltreAnnee(django_filters.Filter):
    field_class = forms.IntegerField


class FormulaireDeFiltre(FormulaireDeFiltreDate):
    def clean_sans_valeur(self) -> int | None:
        return self._pas_a_venir("sans_valeur")

    def clean_provisoire(self) -> int | None:
        return self._pas_a_venir("provisoire")

    def _pas_a_venir(self, champ: str) -> int | None:
        annee = self.cleaned_data[champ]
        if annee and annee > timezone.localdate().year:
            raise forms.ValidationError(f"L'année {annee} est à venir : aucune valeur n'y est attendue.")
        return annee


class FiltreIndicateurs(django_filters.FilterSet):
    """Les valeurs se lisent à l'instant demandé ; avec `saisi_au`, dans `socle.relecture.relire`."""

    plan = django_filters.ModelChoiceFilter(
        label="Plan",
        field_name="places__plan",
        queryset=lambda request: Plan.objects.all(),
        to_field_name="slug",
        empty_label="Tous",
    )
    sans_valeur = FiltreAnnee(
        label="Sans valeur en",
        method="sans_reponse",
        min_value=ANNEE_MIN,
        max_value=ANNEE_MAX,
        # Un champ « number » viderait une faute de frappe au lieu de la montrer à côté de son message.
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )

    provisoire = FiltreAnnee(
        label="De valeur provisoire en",
        method="de_valeur_provisoire",
        min_value=ANNEE_MIN,
        max_value=ANNEE_MAX,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    # Cachés : ils se choisissent à part (templates/socle/_instant.html), et suivent les autres filtres.
    au = FiltreJourPasse(label="Situation au", method="passer", widget=forms.HiddenInput)
    saisi_au = FiltreMomentPasse(label="Tel que saisi au", method="passer", widget=forms.HiddenInput)

    class Meta:
        model = Indicateur
        fields: list[str] = []
        form = FormulaireDeFiltre

    @property
    def annee(self) -> int | None:
        """L'année dont on cherche ce qui manque."""
        return self.form.cleaned_data.get("sans_valeur") if self.form.is_valid() else None

    @property
    def instant(self) -> Instant:
        """Celui que la liste montre ; aujourd'hui si un filtre est absurde."""
        return self.form.instant if self.form.is_valid() else AUJOURD_HUI

    def sans_reponse(self, indicateurs: IndicateurQuerySet, nom: str, annee: int) -> IndicateurQuerySet:
        return indicateurs.sans_reponse(annee, self.instant.jour)

    def de_valeur_provisoire(self, indicateurs: IndicateurQuerySet, nom: str, annee: int) -> IndicateurQuerySet:
        return indicateurs.de_valeur_provisoire(annee, self.instant.jour)

    def passer(self, indicateurs: IndicateurQuerySet, nom: str, valeur: object) -> IndicateurQuerySet:
        """L'instant n'écarte aucun indicateur : il choisit les valeurs montrées."""
        return indicateurs
