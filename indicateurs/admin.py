"""Les indicateurs, leurs valeurs annuelles, leurs objectifs, leur place dans les plans.

Une valeur ne s'écrit que par `ValeurAnnuelle.enregistrer` : changer une valeur validée demande son motif.
"""

import copy
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import OuterRef, Subquery

from actions.admin import PlanAdmin
from actions.models import Plan
from comptes.administration import (
    AdminVersionne,
    FormulaireDAdministration,
    FormulaireDeLigne,
    LignesEnTableau,
    LignesVersionnees,
)
from comptes.droits import Droit
from indicateurs.apercu import AvecApercu
from indicateurs.models import Cible, Dimension, Indicateur, IndicateurDuPlan, ValeurAnnuelle
from indicateurs.recalcul import calculs_par_source
from socle.champs import ChampPlusieurs


class FormulaireDeValeur(FormulaireDAdministration):
    """Formulaire d'une valeur annuelle : les refus de `enregistrer` s'affichent à côté de leur champ."""

    motif = forms.CharField(
        label="Motif",
        required=False,
        max_length=500,
        help_text="Obligatoire pour changer une valeur validée, ou un dénominateur dont un taux validé dépend.",
    )
    champs_sans_donnee = frozenset({"version", "motif"})

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding and "annee" in self.fields:
            # Une autre année serait une autre valeur ; celle-ci a pu servir de dénominateur.
            self.fields["annee"].disabled = True

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if not self.errors and not self.deja_fait and self.has_changed():
            self._a_blanc(lambda: copy.copy(self.instance).enregistrer(motif=self.cleaned_data["motif"]))

    def enregistrer(self) -> None:
        self.instance.enregistrer(motif=self.cleaned_data["motif"])

    def save(self, commit: bool = True) -> ValeurAnnuelle:
        """Une seule voie d'écriture, que la ligne soit ajoutée dans une fiche ou changée dans la sienne."""
        if commit and not self.deja_fait:
            self.enregistrer()
            self.save_m2m = lambda: None  # type: ignore[method-assign]
            return self.instance
        return super().save(commit=commit)


class FormulaireDeCible(FormulaireDAdministration):
    """Un objectif ; sur un indicateur neutre, il faut dire qu'on le veut malgré l'avertissement."""

    confirmer = forms.BooleanField(
        label="Fixer quand même cet objectif",
        required=False,
        help_text="Ne sert qu'à un indicateur neutre, après avoir lu l'avertissement.",
    )
    champs_sans_donnee = frozenset({"version", "confirmer"})

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.errors or not self.instance.indicateur_id or not self.has_changed():
            return
        if self.instance.avertissement and not self.cleaned_data["confirmer"]:
            self.add_error("confirmer", self.instance.avertissement)


class LigneDeCible(FormulaireDeCible, FormulaireDeLigne):
    """Le même, dans la fiche de son indicateur."""


class LigneDeValeur(FormulaireDeValeur, FormulaireDeLigne):
    """La même, dans la fiche de son indicateur."""


# --- Lignes d'un indicateur ---------------------------------------------------------------------


class ValeursDeLIndicateur(LignesVersionnees):
    model = ValeurAnnuelle
    form = LigneDeValeur
    droit = Droit.TENIR_LES_REFERENTIELS
    # Neuf champs ne tiennent pas dans la largeur d'un tableau.
    template = "admin/edit_inline/stacked.html"
    fields = [
        ("annee", "etat", "connue_le"),
        ("valeur", "numerateur", "denominateur"),
        ("indisponible", "motif_indisponibilite"),
        "motif",
    ]
    ordering = ["-annee"]
    show_change_link = True


class CiblesDeLIndicateur(LignesVersionnees):
    model = Cible
    form = LigneDeCible
    droit = Droit.TENIR_LES_REFERENTIELS
    fields = ["annee", "valeur", "origine", "reference", "active", "confirmer"]


class DimensionsDeLIndicateur(LignesVersionnees):
    model = Dimension
    droit = Droit.TENIR_LES_REFERENTIELS
    fields = ["nom"]


class PlacesDeLIndicateur(LignesEnTableau):
    model = IndicateurDuPlan
    droit = Droit.TENIR_LES_REFERENTIELS
    suppression_permise = True
    fields = ["plan", "ordre", "chiffre_cle"]
    autocomplete_fields = ["plan"]


class IndicateursDuPlan(LignesEnTableau):
    model = IndicateurDuPlan
    suppression_permise = True
    fields = ["ordre", "indicateur", "chiffre_cle"]
    autocomplete_fields = ["indicateur"]


# --- Fiches -------------------------------------------------------------------------------------


@admin.register(Indicateur)
class IndicateurAdmin(AvecApercu, AdminVersionne):
    droit = Droit.TENIR_LES_REFERENTIELS
    suppression_permise = True
    list_display = ["intitule", "code", "nature", "unite", "sens", "service", "derniere_annee"]
    list_filter = ["nature", "sens", ("service", admin.RelatedOnlyFieldListFilter), "places__plan"]
    list_select_related = ["service"]
    search_fields = ["code", "intitule", "definition"]
    prepopulated_fields = {"code": ["intitule"]}
    autocomplete_fields = ["denominateur", "actions", "service"]
    fieldsets = [
        (None, {"fields": ["intitule", "code", "nature", "unite", "decimales", "sens"]}),
        ("Définition", {"fields": ["definition", "mode_de_calcul", "source", "service"]}),
        ("Liens", {"fields": ["denominateur", "actions"]}),
        ("Calculs", {"fields": ["calculs", "territoire"]}),
    ]

    def indicateur_de(self, obj: Indicateur) -> Indicateur:
        return obj

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        return super().formfield_for_manytomany(db_field, request, **{"form_class": ChampPlusieurs, **kwargs})

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        """Les calculs se cochent dans le catalogue : un code inconnu ne se tape pas."""
        if db_field.name != "calculs":
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        return forms.MultipleChoiceField(
            label="Calculs sur les registres",
            required=False,
            choices=calculs_par_source,
            widget=forms.CheckboxSelectMultiple,
            help_text="Ce que les enregistrements permettent de recalculer, montré à côté de la valeur retenue.",
        )

    def get_inlines(self, request, obj):
        """Une valeur se juge sur la nature de son indicateur : il est créé d'abord."""
        series = [ValeursDeLIndicateur, CiblesDeLIndicateur, DimensionsDeLIndicateur] if obj else []
        return [*series, PlacesDeLIndicateur]

    def get_queryset(self, request):
        derniere = ValeurAnnuelle.objects.filter(indicateur=OuterRef("pk")).order_by("-annee").values("annee")[:1]
        return super().get_queryset(request).annotate(_derniere_annee=Subquery(derniere))

    @admin.display(description="dernière valeur", ordering="_derniere_annee")
    def derniere_annee(self, indicateur) -> str | None:
        return str(indicateur._derniere_annee) if indicateur._derniere_annee else None


@admin.register(ValeurAnnuelle)
class ValeurAnnuelleAdmin(AdminVersionne):
    droit = Droit.TENIR_LES_REFERENTIELS
    form = FormulaireDeValeur
    list_display = ["indicateur", "annee_simple", "retenue", "etat", "origine", "connue_le"]
    list_filter = ["annee", "etat", "origine", "indisponible", ("indicateur", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["indicateur"]
    search_fields = ["indicateur__intitule", "indicateur__code", "remarque"]
    autocomplete_fields = ["indicateur"]
    fieldsets = [
        (None, {"fields": ["indicateur", "annee", "etat", "motif"]}),
        ("Valeur", {"fields": ["valeur", "numerateur", "denominateur", "indisponible", "motif_indisponibilite"]}),
        ("Ce qu'on en dit", {"fields": ["libelle", "remarque", "source", "rupture", "origine", "connue_le"]}),
    ]

    def get_readonly_fields(self, request, obj=None):
        return ["indicateur"] if obj else []

    def get_queryset(self, request):
        valeurs: Any = super().get_queryset(request)
        return valeurs.avec_valeur()

    @admin.display(description="année", ordering="annee")
    def annee_simple(self, valeur: ValeurAnnuelle) -> str:
        return str(valeur.annee)

    @admin.display(description="valeur retenue", ordering="valeur_retenue")
    def retenue(self, valeur: ValeurAnnuelle) -> str:
        return valeur.detail

    def save_model(self, request, obj, form, change) -> Any:
        if not change or (form.changed_data and not form.deja_fait):
            form.enregistrer()


@admin.register(Cible)
class CibleAdmin(AvecApercu, AdminVersionne):
    droit = Droit.TENIR_LES_REFERENTIELS
    form = FormulaireDeCible
    fields = ["indicateur", "annee", "valeur", "origine", "reference", "active", "confirmer"]
    list_display = ["indicateur", "annee_simple", "valeur", "origine", "reference", "active"]
    list_filter = ["annee", "origine", "active"]
    list_select_related = ["indicateur"]
    search_fields = ["indicateur__intitule", "reference"]
    autocomplete_fields = ["indicateur"]

    def indicateur_de(self, obj: Cible) -> Indicateur:
        return obj.indicateur

    @admin.display(description="année", ordering="annee")
    def annee_simple(self, cible: Cible) -> str:
        return str(cible.annee)


# Le plan ne connaît pas les indicateurs : c'est ici, à sa droite, que sa fiche les reçoit.
admin.site.unregister(Plan)


@admin.register(Plan)
class PlanEtIndicateursAdmin(PlanAdmin):
    inlines = [*PlanAdmin.inlines, IndicateursDuPlan]
