"""Les bilans dans l'administration : à lire, avec leur histoire. Seules les dates et références s'y corrigent."""

from django.contrib import admin
from django.utils.html import format_html

from bilans.formulaires import FormulaireDeReferences
from bilans.models import Bilan, Tirage, VersionDeBilan
from comptes.administration import AdminEnLecture, AdminVersionne

# Ce qui ne se corrige pas ici : les textes ont leur page, le reste ne s'écrit que par les gestes du produit.
REFERENCES = list(FormulaireDeReferences.Meta.fields)


@admin.register(Bilan)
class BilanAdmin(AdminVersionne):
    list_display = ["__str__", "plan", "annee", "rouvert_le", "publie_le"]
    list_filter = ["plan", "annee"]
    list_select_related = ["plan"]
    fields = [
        *("plan", "annee", "page"),
        *REFERENCES,
        *("avant_propos", *(f"commentaire_{section}" for section in ("terminees", "en_cours", "non_initiees"))),
        *("commentaire_partenaires", "commentaire_chiffres", "commentaire_graphiques"),
        *("rouvert_le", "motif_de_reouverture", "publie_le", "version_publiee"),
    ]

    def get_readonly_fields(self, request, obj=None):
        return [champ for champ in self.fields if champ not in REFERENCES]

    def has_add_permission(self, request, obj=None) -> bool:
        """Un bilan naît de sa page : arrêter, ou écrire ses textes."""
        return False

    def get_queryset(self, request):
        bilans = super().get_queryset(request).select_related("plan", "version_publiee__bilan__plan")
        return bilans.defer("version_publiee__contenu_interne", "version_publiee__contenu_public")

    @admin.display(description="page du bilan")
    def page(self, bilan: Bilan):
        return format_html('<a href="{}">{}</a>', bilan.get_absolute_url(), bilan)


@admin.register(VersionDeBilan)
class VersionDeBilanAdmin(AdminEnLecture):
    """Les contenus sont longs : on les lit à leur page, on n'en montre ici que les empreintes."""

    list_display = ["bilan", "rang", "schema", "arretee_le", "auteur", "motif"]
    list_display_links = ["bilan"]
    list_filter = ["bilan__plan", "bilan__annee"]
    fields = ["page", "rang", "schema", "arretee_le", "auteur", "motif", "empreinte_interne", "empreinte_publique"]
    readonly_fields = ["page"]

    def get_queryset(self, request):
        versions = super().get_queryset(request).defer("contenu_interne", "contenu_public")
        return versions.select_related("bilan__plan", "auteur")

    @admin.display(description="page de la version")
    def page(self, version: VersionDeBilan):
        return format_html('<a href="{}">{}</a>', version.get_absolute_url(), version)


@admin.register(Tirage)
class TirageAdmin(AdminEnLecture):
    list_display = ["demande_le", "bilan", "version", "etat", "demande_par"]
    list_display_links = ["demande_le"]
    list_filter = ["etat"]
    fields = ["bilan", "version", "etat", "progression", "message", "demande_par", "demande_le", "fini_le"]

    def get_queryset(self, request):
        tirages = super().get_queryset(request).defer("contenu")
        liens = ("bilan__plan", "version__bilan__plan", "demande_par")
        return tirages.select_related(*liens).defer("version__contenu_interne", "version__contenu_public")
