"""Ce que toutes les pages de /admin/ partagent : les droits, la version, l'historique, les formats français.

Rien ici ne lit de permission en base : la table des droits décide, dans l'administration comme ailleurs.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models, transaction
from django.utils.functional import cached_property
from simple_history.admin import SimpleHistoryAdmin
from simple_history.models import DeletedObject, ModelChange
from simple_history.template_utils import HistoricalRecordContextHelper

from comptes.droits import Droit, peut
from socle.champs import ChampDate, ChampNombre, SaisieDate
from socle.formulaires import FormulaireVersionne, afficher
from socle.modeles import ConflitDeVersion

FORMATS_FRANCAIS: dict[type[models.Field], dict[str, Any]] = {
    models.DecimalField: {"form_class": ChampNombre},
    models.DateField: {"form_class": ChampDate, "widget": SaisieDate},
}


class SansCleIllisible:
    """Devant une liste déroulante qui cherche pendant qu'on tape. Une clé qui n'en est pas une est refusée par le
    champ ; la liste de Django la chercherait encore pour réafficher la page, et tomberait."""

    def optgroups(self, name, value, attr=None):
        cles = [cle for cle in map(str, value) if cle.isascii() and cle.isdigit() and len(cle) < 19]
        return super().optgroups(name, cles, attr)  # type: ignore[misc]


class ListeACompleter(SansCleIllisible, AutocompleteSelect):
    """Un choix."""


class ListesACompleter(SansCleIllisible, AutocompleteSelectMultiple):
    """Plusieurs choix."""


# --- Droits -------------------------------------------------------------------------------------


# Toujours devant une classe d'administration de Django, dont elle emploie les méthodes.
_DEVANT: Any = admin.options.BaseModelAdmin if TYPE_CHECKING else object


class AdminSelonDroits(_DEVANT):
    """À mettre devant ModelAdmin et les inlines : un seul droit ouvre le modèle, tout ou rien.

    On ne supprime que ce qui le déclare : ailleurs on désactive, on retire, on dit indisponible.
    """

    droit = Droit.ADMINISTRER
    # Droit de trouver ces lignes dans les listes déroulantes d'un autre formulaire, sans pouvoir les ouvrir.
    droit_de_chercher: Droit | None = None
    lecture_seule = False
    suppression_permise = False

    def has_module_permission(self, request) -> bool:
        return peut(request.user, self.droit)

    def has_view_permission(self, request, obj=None) -> bool:
        if peut(request.user, self.droit):
            return True
        recherche = request.resolver_match is not None and request.resolver_match.url_name == "autocomplete"
        return recherche and self.droit_de_chercher is not None and peut(request.user, self.droit_de_chercher)

    def has_add_permission(self, request, obj=None) -> bool:
        return not self.lecture_seule and peut(request.user, self.droit)

    def has_change_permission(self, request, obj=None) -> bool:
        return not self.lecture_seule and peut(request.user, self.droit)

    def has_delete_permission(self, request, obj=None) -> bool:
        return self.suppression_permise and self.has_change_permission(request)

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", ListeACompleter(db_field, self.admin_site))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", ListesACompleter(db_field, self.admin_site))
        return super().formfield_for_manytomany(db_field, request, **kwargs)


class AdminBase(AdminSelonDroits, admin.ModelAdmin):
    """Une liste de cinquante lignes par page, les formats français à la saisie."""

    list_per_page = 50
    formfield_overrides = FORMATS_FRANCAIS

    def get_ordering(self, request):
        """Celui du modèle, écrit : un décompte par ligne (GROUP BY) fait oublier à Django l'ordre par défaut, et une
        liste déroulante paginée sans ordre répète ou saute des lignes."""
        return super().get_ordering(request) or self.opts.ordering

    def get_deleted_objects(self, objs, request):
        """Ce qui est protégé ne sera pas supprimé : inutile de dire qu'on n'a pas le droit de le supprimer."""
        supprimes, nombres, sans_droit, proteges = super().get_deleted_objects(objs, request)
        return supprimes, nombres, set() if proteges else sans_droit, proteges

    def log_change(self, request, obj, message):
        """Un envoi qui n'a rien changé n'encombre pas les actions récentes."""
        return super().log_change(request, obj, message) if message else None


class AdminEnLecture(AdminBase):
    """Ce qui ne s'écrit que par le produit : on le lit, on le filtre, on n'y touche pas."""

    lecture_seule = True
    list_display_links: Any = None


class ChangementEnClair(HistoricalRecordContextHelper):
    """Les deux valeurs d'un champ comme le produit les écrit : jamais un code, « None » ni de l'anglais."""

    def prepare_delta_change_value(self, change: ModelChange, value: Any) -> Any:
        valeur = super().prepare_delta_change_value(change, value)
        if isinstance(valeur, DeletedObject):
            return "—" if valeur.pk is None else f"n° {valeur.pk}, supprimé depuis"
        choix = dict(getattr(self.model._meta.get_field(change.field), "flatchoices", ()))
        return afficher(choix.get(valeur, valeur) if isinstance(valeur, str) else valeur)


class AdminHistorise(AdminBase, SimpleHistoryAdmin):
    """L'historique des champs, en lecture : y revenir passerait à côté des règles d'écriture."""

    object_history_list_template = "admin/historique.html"

    def get_urls(self):
        return super(SimpleHistoryAdmin, self).get_urls()

    def revert_disabled(self, request, obj=None) -> bool:
        return True

    def get_history_queryset(self, request, history_manager, pk_name, object_id):
        # simple_history perd l'auteur quand le modèle ne suit aucune clé étrangère : une requête par version.
        versions = super().get_history_queryset(request, history_manager, pk_name, object_id)
        return versions.select_related("history_user")

    def history_view_title(self, request, obj) -> str:
        return f"Historique : {obj}"

    def get_historical_record_context_helper(self, request, historical_record) -> ChangementEnClair:
        return ChangementEnClair(self.model, historical_record)

    def history_view(self, request, object_id, extra_context=None):
        if self.get_object(request, unquote(object_id)) is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return super().history_view(request, object_id, extra_context)


# --- Lignes versionnées -------------------------------------------------------------------------


class FormulaireDAdministration(FormulaireVersionne):
    """FormulaireVersionne que l'administration construit elle-même : l'auteur vient de la requête."""

    auteur_de_la_requete: Any = None
    champs_sans_donnee = frozenset({"version"})

    def __init__(self, *args, **kwargs) -> None:
        kwargs.setdefault("auteur", self.auteur_de_la_requete)
        super().__init__(*args, **kwargs)
        for champ in self.fields.values():
            # On compare à ce qui est enregistré : la version, elle, dit déjà ce qui était affiché.
            champ.show_hidden_initial = False

    @cached_property
    def changed_data(self) -> list[str]:
        """La version lue, le motif… accompagnent un changement ; ils n'en sont pas un."""
        return [nom for nom in super().changed_data if nom not in self.champs_sans_donnee]

    def _a_blanc(self, ecrire: Callable[[], Any]) -> None:
        """Essaie l'écriture puis la défait : ses refus deviennent des erreurs à côté de leur champ.

        La méthode d'écriture reste la seule à connaître ses règles.
        """
        try:
            with transaction.atomic():
                ecrire()
                transaction.set_rollback(True)
        except ValidationError as refus:
            for champ, erreurs in refus.update_error_dict({}).items():
                self.add_error(champ if champ in self.fields and champ != NON_FIELD_ERRORS else None, erreurs)


class SansDoublon(forms.ModelForm):
    """Une ligne ajoutée à l'identique d'une ligne déjà là est un envoi reçu deux fois : rien à faire."""

    def has_changed(self) -> bool:
        return super().has_changed() and not (self.instance._state.adding and self._deja_la())

    def _deja_la(self) -> bool:
        modele = self._meta.model
        colonnes = {champ.name for champ in modele._meta.concrete_fields if not champ.primary_key}
        try:
            valeurs = {nom: champ.clean(self[nom].data) for nom, champ in self.fields.items() if nom in colonnes}
        except ValidationError:
            return False
        valeurs.pop("version", None)
        if any(isinstance(valeur, models.Model) and valeur.pk is None for valeur in valeurs.values()):
            return False
        return modele._base_manager.filter(**valeurs).exists()


class FormulaireDeLigne(SansDoublon, FormulaireDAdministration):
    """Ligne versionnée dans la fiche d'une autre. Identique à ce qui est enregistré, il n'y a rien à en dire,
    quel que soit celui qui l'a écrite."""

    def _vient_de(self, actuelle: models.Model, lue: int) -> bool:
        return True


def _sans_champs_declares(champs, formulaire: type[forms.ModelForm]) -> list[str] | None:
    """Les champs à demander au modèle : ceux que le formulaire déclare (version, motif…) n'en viennent pas."""
    return None if champs is None else [champ for champ in champs if champ not in formulaire.declared_fields]


def avec_version(blocs):
    """Ajoute la version, cachée, au premier bloc du formulaire."""
    if "version" in flatten_fieldsets(blocs):
        return blocs
    (titre, options), *suite = blocs
    return [(titre, {**options, "fields": [*options["fields"], "version"]}), *suite]


class AdminVersionne(AdminHistorise):
    """Fiche éditée à plusieurs : le second voit les deux versions, l'envoi reçu deux fois n'écrit qu'une fois."""

    form = FormulaireDAdministration

    def get_fieldsets(self, request, obj=None):
        return avec_version(super().get_fieldsets(request, obj))

    def get_form(self, request, obj=None, change=False, **kwargs):
        if "fields" in kwargs:
            kwargs["fields"] = _sans_champs_declares(kwargs["fields"], kwargs.get("form", self.form))
        formulaire: Any = super().get_form(request, obj, change, **kwargs)
        formulaire.auteur_de_la_requete = request.user
        return formulaire

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except (ValidationError, ConflitDeVersion):
            # Une autre transaction est passée entre la validation et l'écriture : tout est défait, et une seconde
            # validation dit le refus à côté de son champ.
            return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request, obj, form, change) -> None:
        if not change or (form.changed_data and not form.deja_fait):
            super().save_model(request, obj, form, change)


class LignesEnTableau(AdminSelonDroits, admin.TabularInline):
    """Lignes sans version propre dans la fiche d'une autre."""

    form = SansDoublon
    extra = 0
    formfield_overrides = FORMATS_FRANCAIS

    def get_queryset(self, request):
        """Chaque ligne a pour titre ce qu'elle relie : lu avec elle, et non par une requête de plus."""
        liens = [champ.name for champ in self.opts.fields if champ.many_to_one]
        return super().get_queryset(request).select_related(*liens)


class LignesVersionnees(LignesEnTableau):
    """Lignes versionnées dans la fiche d'une autre."""

    form = FormulaireDeLigne

    def get_fieldsets(self, request, obj=None):
        return avec_version(super().get_fieldsets(request, obj))

    def get_formset(self, request, obj=None, **kwargs):
        champs = kwargs["fields"] if "fields" in kwargs else flatten_fieldsets(self.get_fieldsets(request, obj))
        kwargs["fields"] = _sans_champs_declares(champs, self.form)
        formset: Any = super().get_formset(request, obj, **kwargs)
        formset.form.auteur_de_la_requete = request.user
        return formset


class JournalEnLecture(AdminSelonDroits, admin.TabularInline):
    """Un journal se lit dans la fiche de son sujet ; il ne s'écrit que par sa méthode."""

    lecture_seule = True
    extra = 0
