"""Filtres de la liste des consultations : tout est dans l'adresse, pour qu'un lien montre la même liste à tous."""

from dataclasses import dataclass
from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, Model, OuterRef

from comptes.models import Service
from marches.consultations import Consultation, ConsultationQuerySet, LotDeConsultation
from marches.listes import Nature, Procedure, Suite
from marches.reponses import Reponse
from socle.formats import ANNEE_MAX, ANNEE_MIN

AUCUNE = "AUCUNE"


@dataclass(frozen=True)
class FiltrePose:
    """Un filtre tel qu'on le lit. `sans` : l'adresse de la liste sans lui."""

    libelle: str
    valeur: str
    sans: str


class FiltreAnnee(django_filters.Filter):
    field_class = forms.IntegerField


class FiltreConsultations(django_filters.FilterSet):
    """Rend des consultations annotées : finalisation, considérations, nombre de lots."""

    q = django_filters.CharFilter(label="Numéro, objet ou acheteur", method="chercher", max_length=200)
    annee = FiltreAnnee(
        label="Finalisée en",
        method="filtrer_annee",
        min_value=ANNEE_MIN,
        max_value=ANNEE_MAX,
        # Un champ « number » viderait une faute de frappe au lieu de la montrer à côté de son message.
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    finalisee = django_filters.ChoiceFilter(
        label="Finalisée",
        choices=[("non", "Non"), ("oui", "Oui"), ("sans-date", "Oui, sans année : une date manque")],
        method="filtrer_finalisee",
        empty_label="—",
    )
    service = django_filters.ModelChoiceFilter(
        label="Service",
        queryset=lambda request: Service.objects.all(),
        empty_label="Tous",
        null_label="Sans service",
    )
    procedure = django_filters.ChoiceFilter(label="Procédure", choices=Procedure, empty_label="Toutes")
    nature = django_filters.ChoiceFilter(label="Nature", choices=Nature, empty_label="Toutes")
    suite = django_filters.ChoiceFilter(
        label="Un lot est",
        choices=[*Suite.choices, (AUCUNE, "Sans suite donnée : la consultation court")],
        method="filtrer_suite",
        empty_label="—",
    )
    environnement = django_filters.ChoiceFilter(
        label="Considération environnementale", choices=Reponse, empty_label="—"
    )
    social = django_filters.ChoiceFilter(label="Considération sociale", choices=Reponse, empty_label="—")

    class Meta:
        model = Consultation
        fields: list[str] = []

    def filter_queryset(self, queryset: ConsultationQuerySet) -> Any:
        annotees = queryset.avec_finalisation().avec_considerations().avec_nombre_de_lots()
        return super().filter_queryset(annotees)

    def chercher(self, consultations: ConsultationQuerySet, nom: str, texte: str) -> ConsultationQuerySet:
        return consultations.correspondant_a(texte)

    def filtrer_annee(self, consultations: Any, nom: str, annee: int) -> Any:
        return consultations.filter(finalisee_le__year=annee)

    def filtrer_finalisee(self, consultations: Any, nom: str, choix: str) -> Any:
        if choix == "sans-date":
            return consultations.filter(finalisee=True, finalisee_le__isnull=True)
        return consultations.filter(finalisee=choix == "oui")

    def filtrer_suite(self, consultations: ConsultationQuerySet, nom: str, suite: str) -> ConsultationQuerySet:
        lots = LotDeConsultation.objects.filter(consultation=OuterRef("pk"))
        return consultations.filter(Exists(lots.filter(suite="" if suite == AUCUNE else suite)))

    @property
    def poses(self) -> list[FiltrePose]:
        """Les filtres demandés, en clair ; aucun si l'un est absurde."""
        if not self.form.is_valid():
            return []
        return [
            FiltrePose(str(self.filters[nom].label), self._en_clair(nom), self._sans(nom))
            for nom, valeur in self.form.cleaned_data.items()
            if valeur not in (None, "")
        ]

    def _en_clair(self, nom: str) -> str:
        valeur, champ = self.form.cleaned_data[nom], self.form.fields[nom]
        if valeur == getattr(champ, "null_value", None):
            return champ.null_label
        # Une liste d'objets a déjà rendu l'objet : relire ses choix serait une requête.
        choix = {} if isinstance(valeur, Model) else dict(getattr(champ, "choices", []))
        return str(choix.get(valeur, valeur))

    def _sans(self, nom: str) -> str:
        demande = self.data.copy()
        for parti in (nom, "page", "format"):
            demande.pop(parti, None)
        return f"?{demande.urlencode()}"
