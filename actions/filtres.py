"""Filtres de la liste des actions : tout est dans l'adresse, pour qu'un lien montre la même liste à tous."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import django_filters
from django import forms
from django.conf import settings
from django.db.models import Exists, Model, OuterRef

from actions.models import Action, Axe, Document, Plan
from actions.statuts import PointAttention, Priorite, Statut
from comptes.models import Service, Utilisateur
from partenaires.models import Partenaire
from socle.champs import ChampDate
from socle.formats import formater_date
from socle.instants import (
    AUJOURD_HUI,
    ChampJourPasse,
    ChampMomentPasse,
    FormulaireAvecInstant,
    Instant,
    dire_le_moment,
)
from socle.relecture import moment_relu


@dataclass(frozen=True)
class FiltrePose:
    """Un filtre tel qu'on le lit : « Statut : En cours ». `sans` : l'adresse de la liste sans lui."""

    libelle: str
    valeur: str
    sans: str


class FiltreDate(django_filters.Filter):
    field_class = ChampDate


class FiltreJourPasse(django_filters.Filter):
    field_class = ChampJourPasse


class FiltreMomentPasse(django_filters.Filter):
    field_class = ChampMomentPasse


class FormulaireDeFiltre(FormulaireAvecInstant):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if moment := moment_relu():
            for champ in self.fields.values():
                if isinstance(champ, forms.ModelChoiceField):
                    champ.error_messages["invalid_choice"] = (
                        f"Ce choix n'existe pas, ou n'était pas encore saisi au {dire_le_moment(moment)}."
                    )


class FiltreActions(django_filters.FilterSet):
    """À construire sur toutes les actions : le filtre choisit d'abord l'instant de l'état (`au`, `saisi_au`).

    Avec `saisi_au`, à construire et à lire dans `socle.relecture.relire` : les choix proposés sont ceux d'alors.
    """

    q = django_filters.CharFilter(label="Texte ou numéro", method="chercher", max_length=200)
    plan = django_filters.ModelChoiceFilter(
        label="Plan", queryset=lambda request: Plan.objects.all(), to_field_name="slug", empty_label="Tous"
    )
    statut = django_filters.ChoiceFilter(
        label="Statut",
        field_name="etat_statut",
        choices=Statut,
        empty_label="Tous",
        null_label="Inconnu",
    )
    axe = django_filters.ModelChoiceFilter(
        label="Axe", queryset=lambda request: Axe.objects.all(), empty_label="Tous", null_label="Sans axe"
    )
    service = django_filters.ModelChoiceFilter(
        label="Service pilote",
        field_name="service_pilote",
        queryset=lambda request: Service.objects.all(),
        empty_label="Tous",
        null_label="Sans service pilote",
    )
    pilote = django_filters.ModelChoiceFilter(
        label="Pilote",
        queryset=lambda request: Utilisateur.objects.filter(actions_pilotees__isnull=False).distinct(),
        empty_label="Tous",
        null_label="Sans pilote",
    )
    partenaire = django_filters.ModelChoiceFilter(
        label="Partenaire",
        field_name="partenaires",
        queryset=lambda request: Partenaire.objects.all(),
        to_field_name="slug",
        empty_label="Tous",
    )
    priorite = django_filters.ChoiceFilter(label="Priorité", choices=Priorite, empty_label="Toutes")
    retard = django_filters.ChoiceFilter(
        label="En retard",
        choices=[("oui", "Oui"), ("non", "Non"), ("inconnu", "Non calculable, sans échéance")],
        method="filtrer_retard",
        empty_label="—",
    )
    echeance = django_filters.ChoiceFilter(
        label="Échéance", choices=[("aucune", "Aucune")], method="filtrer_echeance", empty_label="—"
    )
    reste = django_filters.ChoiceFilter(
        label="Reste à faire", choices=[("oui", "Oui, pas terminée")], method="filtrer_reste", empty_label="—"
    )
    miennes = django_filters.ChoiceFilter(
        label="Les miennes",
        choices=[("oui", "À moi ou à mon service")],
        method="filtrer_miennes",
        empty_label="Toutes",
    )
    nouvelles = django_filters.ChoiceFilter(
        label="Nouvelles",
        choices=[("aucune", f"Aucune depuis {settings.MOIS_SANS_NOUVELLE}\u00a0mois")],
        method="filtrer_nouvelles",
        empty_label="—",
    )
    silence = FiltreDate(label="Sans nouvelle depuis le", method="filtrer_silence")
    visible = django_filters.ChoiceFilter(
        label="Visible du public",
        choices=[("oui", "Oui"), ("non", "Non")],
        method="filtrer_visible",
        empty_label="—",
    )
    depuis = FiltreDate(label="Statut changé depuis le", method="filtrer_depuis")
    attention = django_filters.ChoiceFilter(
        label="Point d'attention",
        choices=[("oui", "Oui, quel qu'il soit"), *PointAttention.choices],
        method="filtrer_attention",
        empty_label="—",
    )
    preuve = django_filters.ChoiceFilter(
        label="Preuve",
        choices=[("oui", "Avec une preuve"), ("non", "Sans preuve")],
        method="filtrer_preuve",
        empty_label="—",
    )
    presence = django_filters.ChoiceFilter(
        label="Présence",
        choices=[("retirees", "Retirées du plan"), ("toutes", "Toutes")],
        method="filtrer_presence",
        empty_label="Au plan",
    )
    # Cachés : ils se choisissent à part (templates/socle/_instant.html), et suivent les autres filtres.
    au = FiltreJourPasse(label="Situation au", method="passer", widget=forms.HiddenInput)
    saisi_au = FiltreMomentPasse(label="Tel que saisi au", method="passer", widget=forms.HiddenInput)

    class Meta:
        model = Action
        fields: list[str] = []
        form = FormulaireDeFiltre

    @property
    def poses(self) -> list["FiltrePose"]:
        """Les filtres demandés, en clair, chacun avec l'adresse qui s'en passe ; aucun si l'un est absurde."""
        if not self.form.is_valid():
            return []
        return [
            FiltrePose(self.filters[nom].label, self._en_clair(nom), self._sans(nom))
            for nom, valeur in self.form.cleaned_data.items()
            if valeur not in (None, "")
        ]

    def _en_clair(self, nom: str) -> str:
        valeur = self.form.cleaned_data[nom]
        if isinstance(valeur, datetime):
            return dire_le_moment(valeur)
        if isinstance(valeur, date):
            return formater_date(valeur)
        champ = self.form.fields[nom]
        if valeur == getattr(champ, "null_value", None):
            return champ.null_label
        # Une liste d'objets a déjà rendu l'objet : relire ses choix serait une requête.
        choix = {} if isinstance(valeur, Model) else dict(getattr(champ, "choices", []))
        return str(choix.get(valeur, valeur))

    def _sans(self, nom: str) -> str:
        demande = self.data.copy()
        demande.pop(nom, None)
        demande.pop("page", None)
        return f"?{demande.urlencode()}"

    @property
    def instant(self) -> Instant:
        """Celui que la liste montre ; aujourd'hui si un filtre est absurde."""
        return self.form.instant if self.form.is_valid() else AUJOURD_HUI

    @property
    def jour(self) -> date | None:
        """La date de l'état demandée ; None = aujourd'hui."""
        return self.instant.jour

    def filter_queryset(self, queryset):
        instant = self.instant
        actions = queryset.etat_au(instant.jour, instant.saisi_au).avec_retard(instant.le)
        if not self.form.cleaned_data["presence"]:
            actions = actions.au_plan()
        return super().filter_queryset(actions)

    def chercher(self, actions, nom, texte):
        return actions.correspondant_tel_que_saisi(texte) if moment_relu() else actions.correspondant_a(texte)

    def filtrer_retard(self, actions, nom, reponse):
        return actions.filter(est_en_retard={"oui": True, "non": False, "inconnu": None}[reponse])

    def filtrer_echeance(self, actions, nom, reponse):
        return actions.filter(etat_echeance__isnull=True)

    def filtrer_reste(self, actions, nom, reponse):
        return actions.non_terminees()

    def filtrer_miennes(self, actions, nom, reponse):
        return actions.qui_relevent_de(self.request.user)

    def filtrer_nouvelles(self, actions, nom, reponse):
        return actions.avec_silence(self.instant.le).filter(sans_nouvelle=True)

    def filtrer_silence(self, actions, nom, depuis):
        return actions.avec_silence(self.instant.le, depuis).filter(sans_nouvelle=True)

    def filtrer_visible(self, actions, nom, reponse):
        return actions.filter(visible_du_public=reponse == "oui")

    def filtrer_depuis(self, actions, nom, jour):
        return actions.avec_statut_d_avant(jour).filter(statut_a_change=True)

    def filtrer_attention(self, actions, nom, nature):
        return actions.avec_point_attention() if nature == "oui" else actions.filter(attention_nature=nature)

    def filtrer_preuve(self, actions, nom, reponse):
        preuve = Exists(Document.objects.presents().filter(action=OuterRef("pk"), preuve=True))
        return actions.filter(preuve if reponse == "oui" else ~preuve)

    def filtrer_presence(self, actions, nom, choix):
        return actions.retirees() if choix == "retirees" else actions

    def passer(self, actions, nom, valeur):
        """L'instant n'écarte aucune action : elle choisit l'état montré, dans `filter_queryset`."""
        return actions
