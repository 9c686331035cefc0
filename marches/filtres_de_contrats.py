"""Filtres de la liste des contrats : tout est dans l'adresse, pour qu'un lien montre la même liste à tous."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from marches.decp.montants import DrapeauDeMontant
from marches.models import Contrat
from marches.reponses import Reponse
from marches.signalements import ANOMALIES
from socle.formats import ANNEE_MAX, ANNEE_MIN

SANS_DATE = "sans"


class FiltreEntier(django_filters.Filter):
    field_class = forms.IntegerField


class FormulaireDeFiltre(forms.Form):
    def clean_acheteur(self) -> str:
        """Un SIREN, ou un SIRET dont on garde le SIREN."""
        lu = self.cleaned_data["acheteur"].replace(" ", "")
        if lu and not (lu.isdigit() and len(lu) in (9, 14)):
            raise forms.ValidationError("Un SIREN compte neuf chiffres.")
        return lu[:9]


class FiltreContrats(django_filters.FilterSet):
    """À construire sur les contrats en vigueur. Sans acheteur dit, ce sont ceux de la collectivité (`sirens`)."""

    q = django_filters.CharFilter(label="Objet, identifiant ou titulaire", method="chercher", max_length=200)
    annee = FiltreEntier(
        label="Année de notification",
        field_name="date__year",
        min_value=ANNEE_MIN,
        max_value=ANNEE_MAX,
        # Un champ « number » viderait une faute de frappe au lieu de la montrer à côté de son message.
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    acheteur = django_filters.CharFilter(label="Acheteur (SIREN)", method="passer", max_length=20)
    acheteurs = django_filters.ChoiceFilter(
        label="Acheteurs",
        choices=[("tous", "Tous ceux qui sont importés")],
        method="passer",
        empty_label="La collectivité",
    )
    environnement = django_filters.ChoiceFilter(
        label="Considération environnementale", choices=Reponse, empty_label="Toutes"
    )
    social = django_filters.ChoiceFilter(label="Considération sociale", choices=Reponse, empty_label="Toutes")
    montant = django_filters.ChoiceFilter(
        label="Montant",
        choices=[("sur", "Compté"), ("part", "À part, quel qu'en soit le motif"), *DrapeauDeMontant.choices],
        method="filtrer_montant",
        empty_label="Tous",
    )
    signalement = django_filters.ChoiceFilter(
        label="Signalement",
        choices=[
            ("sans-date", "Sans date"),
            ("conflit", "Même identifiant qu'un autre"),
            ("doublon", "Doublon, écarté"),
            ("concession", "Concession"),
            ("subsequent", "Marché subséquent"),
            *ANOMALIES.items(),
        ],
        method="filtrer_signalement",
        empty_label="Tous",
    )
    compte = django_filters.ChoiceFilter(
        label="Dans les chiffres",
        choices=[("oui", "Comptés"), ("non", "Écartés")],
        method="filtrer_compte",
        empty_label="Comptés ou non",
    )

    class Meta:
        model = Contrat
        fields: list[str] = []
        form = FormulaireDeFiltre

    def __init__(self, *args: Any, sirens: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sirens = sirens

    @property
    def poses(self) -> list[tuple[str, str]]:
        """Les filtres demandés, en clair ; aucun si l'un est absurde."""
        if not self.form.is_valid():
            return []
        return [
            (str(self.filters[nom].label), str(dict(getattr(self.form.fields[nom], "choices", [])).get(dit, dit)))
            for nom, dit in self.form.cleaned_data.items()
            if dit not in (None, "")
        ]

    def filter_queryset(self, queryset: Any) -> Any:
        lu = self.form.cleaned_data
        if lu["acheteur"]:
            queryset = queryset.de_l_acheteur(lu["acheteur"])
        elif not lu["acheteurs"]:
            queryset = queryset.de_l_acheteur(*self.sirens)
        return super().filter_queryset(queryset)

    def passer(self, contrats: Any, nom: str, dit: str) -> Any:
        """L'acheteur se choisit dans `filter_queryset`."""
        return contrats

    def chercher(self, contrats: Any, nom: str, texte: str) -> Any:
        """Chaque mot dans l'objet, l'identifiant, le nom ou le SIRET d'un titulaire."""
        for mot in texte.split():
            titulaire = Q(titulaires__nom__icontains=mot) | Q(titulaires__identifiant__startswith=mot)
            trouves = Contrat.objects.filter(Q(objet__icontains=mot) | Q(identifiant__icontains=mot) | titulaire)
            contrats = contrats.filter(pk__in=trouves.values("pk"))
        return contrats

    def filtrer_montant(self, contrats: Any, nom: str, dit: str) -> Any:
        match dit:
            case "sur":
                return contrats.filter(drapeau="")
            case "part":
                return contrats.exclude(drapeau="")
        return contrats.filter(drapeau=dit)

    def filtrer_signalement(self, contrats: Any, nom: str, dit: str) -> Any:
        match dit:
            case "sans-date":
                return contrats.filter(date__isnull=True)
            case "conflit" | "doublon" | "concession" | "subsequent":
                return contrats.filter(**{dit: True})
        # Une liste JSON : les deux moteurs n'ont en commun que son texte.
        return contrats.annotate(dites=Cast("anomalies", TextField())).filter(dites__contains=f'"{dit}"')

    def filtrer_compte(self, contrats: Any, nom: str, dit: str) -> Any:
        comptes = Q(date__isnull=False, doublon=False, concession=False, subsequent=False)
        return contrats.filter(comptes if dit == "oui" else ~comptes)
