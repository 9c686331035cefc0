"""Les plans, leurs axes, leurs actions. L'état d'une action ne s'y écrit qu'à sa création, par ses journaux."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count
from django.utils import timezone

from actions.models import (
    Action,
    Axe,
    ChangementDeStatut,
    NoteDeSuivi,
    PartenaireDeLAction,
    PartenaireDuPlan,
    Plan,
    PresenceAuPlan,
    ReferenceCadre,
    ReportEcheance,
)
from actions.statuts import Statut
from comptes.administration import (
    AdminHistorise,
    AdminVersionne,
    FormulaireDAdministration,
    JournalEnLecture,
    LignesEnTableau,
    LignesVersionnees,
    avec_version,
)
from comptes.droits import Droit
from socle.champs import ChampDate, ChampEcheance
from socle.echeances import Echeance

# Deux fois la même action du même auteur en moins d'une minute : un envoi reçu deux fois.
DELAI_DE_DOUBLON = timedelta(minutes=1)


# --- Plans --------------------------------------------------------------------------------------


class PartenairesDuPlan(LignesEnTableau):
    model = PartenaireDuPlan
    suppression_permise = True
    fields = ["ordre", "partenaire"]
    autocomplete_fields = ["partenaire"]


class AxesDuPlan(LignesVersionnees):
    model = Axe
    suppression_permise = True
    fields = ["ordre", "code", "intitule"]
    show_change_link = True


@admin.register(Plan)
class PlanAdmin(AdminVersionne):
    droit_de_chercher = Droit.TENIR_LES_REFERENTIELS
    suppression_permise = True
    list_display = ["intitule", "label", "annee_debut", "annee_fin", "publie", "nombre_d_actions"]
    list_filter = ["label", "publie"]
    search_fields = ["intitule", "description"]
    prepopulated_fields = {"slug": ["intitule"]}
    fieldsets = [
        (None, {"fields": ["intitule", "label", "description", ("annee_debut", "annee_fin")]}),
        ("Affichage", {"fields": ["slug", "affiche_avancement", "publie"]}),
    ]
    inlines = [AxesDuPlan, PartenairesDuPlan]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(_actions=Count("actions"))

    @admin.display(description="actions", ordering="_actions")
    def nombre_d_actions(self, plan) -> int:
        return plan._actions


@admin.register(Axe)
class AxeAdmin(AdminVersionne):
    suppression_permise = True
    list_display = ["code", "intitule", "plan", "ordre", "nombre_d_actions"]
    list_display_links = ["code", "intitule"]
    list_filter = ["plan"]
    list_select_related = ["plan"]
    search_fields = ["code", "intitule"]
    autocomplete_fields = ["plan"]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(_actions=Count("actions"))

    @admin.display(description="actions", ordering="_actions")
    def nombre_d_actions(self, axe) -> int:
        return axe._actions


# --- Actions ------------------------------------------------------------------------------------


class PartenairesDeLAction(LignesEnTableau):
    model = PartenaireDeLAction
    suppression_permise = True
    fields = ["partenaire", "role"]
    autocomplete_fields = ["partenaire"]


class ReferencesDeLAction(LignesEnTableau):
    model = ReferenceCadre
    suppression_permise = True
    fields = ["cadre", "code"]


class NotesDeLAction(LignesEnTableau):
    """On ajoute une note ici ; on la reprend dans sa propre fiche."""

    model = NoteDeSuivi
    fields = ["date", "texte", "portee", "auteur"]
    readonly_fields = ["auteur"]
    show_change_link = True

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("auteur")


class JournalDeLAction(JournalEnLecture):
    fields = readonly_fields = ("date_effet", "saisi_le", "auteur", "valeur_inscrite", "commentaire", "sort")

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("auteur", "annule").prefetch_related("corrections")

    @admin.display(description="valeur")
    def valeur_inscrite(self, ligne) -> str:
        motif = getattr(ligne, "motif", "")
        return f"{ligne} ({motif})" if motif else str(ligne)

    @admin.display(description="correction")
    def sort(self, ligne) -> str:
        corrige = f"Corrige « {ligne.annule} »" if ligne.annule_id else ""
        return "Corrigée depuis" if ligne.corrections.all() else corrige or "—"


class StatutsDeLAction(JournalDeLAction):
    model = ChangementDeStatut


class EcheancesDeLAction(JournalDeLAction):
    model = ReportEcheance


class PresencesDeLAction(JournalDeLAction):
    model = PresenceAuPlan


class FormulaireDeNouvelleAction(FormulaireDAdministration):
    """Les champs de l'action et la première ligne de ses journaux ; tout passe par `Action.objects.creer`."""

    statut = forms.ChoiceField(label="Statut", choices=Statut, initial=Statut.NON_INITIEE)
    avancement = forms.IntegerField(
        label="Avancement (%)", required=False, help_text="De 1 à 99, pour une action en cours seulement."
    )
    date_effet = ChampDate(label="Date d'effet", help_text="Depuis quand ce statut est vrai.")
    echeance = ChampEcheance(label="Échéance", required=False)
    commentaire = forms.CharField(label="Commentaire", required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["date_effet"].initial = timezone.localdate
        self.fields["numero"].required = False
        self.fields["numero"].help_text = "Vide : le rang suivant du plan."

    def clean(self) -> dict[str, Any]:
        donnees = super().clean()
        if donnees.get("plan") and donnees.get("intitule"):
            jumelle = self._jumelle(donnees)
            if jumelle is not None:
                raise forms.ValidationError(
                    f"Vous venez de créer cette action (numéro {jumelle.numero}) : l'envoi a été reçu deux fois."
                )
        return donnees

    def _jumelle(self, donnees: dict[str, Any]) -> Action | None:
        donnees["plan"].verrouillee()
        return Action.objects.filter(
            plan=donnees["plan"],
            axe=donnees.get("axe"),
            intitule=donnees["intitule"],
            presenceauplans__auteur=self.auteur,
            presenceauplans__saisi_le__gte=timezone.now() - DELAI_DE_DOUBLON,
        ).first()

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if not self.errors:
            self._a_blanc(self.creer)

    def creer(self) -> Action:
        etat = {nom: self.cleaned_data[nom] for nom in self.declared_fields if nom != "version"}
        champs = {nom: getattr(self.instance, nom) for nom in self._meta.fields or () if nom in self.cleaned_data}
        return Action.objects.creer(auteur=self.auteur, **etat, **champs)


@admin.register(Action)
class ActionAdmin(AdminVersionne):
    droit_de_chercher = Droit.TENIR_LES_REFERENTIELS
    list_display = ["numero", "intitule", "axe", "statut", "echeance_lisible", "pilote", "service_pilote"]
    list_display_links = ["numero", "intitule"]
    list_select_related = ["axe", "pilote", "service_pilote"]
    list_filter = [
        "plan",
        "statut",
        "presence",
        ("axe", admin.RelatedOnlyFieldListFilter),
        ("service_pilote", admin.RelatedOnlyFieldListFilter),
        "priorite",
        "attention_nature",
        "visible_du_public",
    ]
    search_fields = ["numero", "intitule", "description"]
    autocomplete_fields = ["plan", "axe", "pilote", "suppleant", "service_pilote"]
    readonly_fields = ["statut", "avancement", "echeance_lisible", "presence"]
    inlines = [
        PartenairesDeLAction,
        ReferencesDeLAction,
        NotesDeLAction,
        StatutsDeLAction,
        EcheancesDeLAction,
        PresencesDeLAction,
    ]
    _blocs = [
        (None, {"fields": ["plan", "numero", "axe", "intitule", "description"]}),
        ("Qui", {"fields": ["pilote", "suppleant", "service_pilote", "elu_referent"]}),
        ("Quand et combien", {"fields": ["priorite", "date_debut", "budget_previsionnel", "budget_realise"]}),
        ("Point d'attention", {"fields": ["attention_nature", "attention"]}),
        ("Publication", {"fields": ["visible_du_public"]}),
    ]
    _etat = (
        "État aujourd'hui",
        {
            "fields": ["statut", "avancement", "echeance_lisible", "presence"],
            "description": "Se change sur la page de l'action : chaque changement entre au journal.",
        },
    )
    _premier_etat = (
        "Premier état",
        {"fields": ["statut", "avancement", "date_effet", "echeance", "commentaire"]},
    )

    def get_fieldsets(self, request, obj=None):
        principal, *suite = self._blocs
        return avec_version([principal, self._etat if obj else self._premier_etat, *suite])

    def get_readonly_fields(self, request, obj=None):
        return [*self.readonly_fields, "plan"] if obj else []

    def get_inlines(self, request, obj):
        return self.inlines if obj else [PartenairesDeLAction, ReferencesDeLAction]

    def get_form(self, request, obj=None, change=False, **kwargs):
        if obj is None:
            kwargs["form"] = FormulaireDeNouvelleAction
        return super().get_form(request, obj, change, **kwargs)

    def save_model(self, request, obj, form, change) -> None:
        if change:
            return super().save_model(request, obj, form, change)
        obj.pk = form.creer().pk
        obj._state.adding = False
        return obj.refresh_from_db()

    def save_formset(self, request, form, formset, change) -> None:
        if formset.model is NoteDeSuivi:
            for ligne in formset.extra_forms:
                ligne.instance.auteur = request.user
        super().save_formset(request, form, formset, change)

    @admin.display(description="échéance", ordering="echeance")
    def echeance_lisible(self, action: Action) -> Echeance | str:
        # La fiche écrirait « None » : Django n'y remplace le vide que pour les champs.
        return action.valeur_echeance or self.get_empty_value_display()


@admin.register(NoteDeSuivi)
class NoteDeSuiviAdmin(AdminHistorise):
    suppression_permise = True
    list_display = ["date", "action", "texte_court", "portee", "auteur", "saisi_le"]
    list_select_related = ["action", "auteur"]
    list_filter = ["portee", "date"]
    search_fields = ["texte", "action__intitule"]
    autocomplete_fields = ["action"]
    fields = ["action", "date", "texte", "portee", "auteur", "saisi_le"]
    readonly_fields = ["auteur", "saisi_le"]
    date_hierarchy = "date"

    @admin.display(description="texte")
    def texte_court(self, note: NoteDeSuivi) -> str:
        return str(note)

    def save_model(self, request, obj, form, change) -> None:
        if not change:
            obj.auteur = request.user
        super().save_model(request, obj, form, change)
