"""Tenir les partenaires et leurs conventions ; les échanger avec un tableur.

django-import-export n'est chargé que par les vues qui s'en servent.
"""

import base64
import binascii
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from comptes.administration import AdminVersionne, LignesVersionnees
from comptes.droits import Droit
from comptes.gestes import Geste
from comptes.traces import tracer
from partenaires.models import Convention, Partenaire
from socle.formats import accorder

_SEL_APERCU = "partenaires.import"
_DUREE_APERCU = 3600


class ConventionsEnTableau(LignesVersionnees):
    model = Convention
    droit = Droit.TENIR_LES_REFERENTIELS
    suppression_permise = True
    fields = ["intitule", "debut", "fin"]


class FormulaireDImport(forms.Form):
    fichier = forms.FileField(
        label="Fichier",
        help_text="Classeur .xlsx ou .ods, ou CSV séparé par des points-virgules ou des virgules.",
        widget=forms.FileInput(attrs={"accept": ".xlsx,.ods,.csv"}),
        error_messages={"empty": "Ce fichier est vide."},
    )


@admin.register(Partenaire)
class PartenaireAdmin(AdminVersionne):
    droit = Droit.TENIR_LES_REFERENTIELS
    suppression_permise = True
    change_list_template = "admin/partenaires/liste.html"
    list_display = ["nom", "sigle", "type", "actif", "nombre_de_plans", "nombre_d_actions"]
    list_filter = ["type", "actif"]
    search_fields = ["nom", "sigle", "alias"]
    prepopulated_fields = {"slug": ["nom"]}
    fieldsets = [
        (None, {"fields": ["nom", "sigle", "alias", "type", "actif"]}),
        ("Page du partenaire", {"fields": ["slug", "site", "description"]}),
        ("Interne", {"fields": ["contact"]}),
    ]
    inlines = [ConventionsEnTableau]
    actions = ["desactiver", "reactiver"]

    def get_queryset(self, request):
        plans, actions = Count("plans", distinct=True), Count("actions", distinct=True)
        return super().get_queryset(request).annotate(_plans=plans, _actions=actions)

    @admin.display(description="plans", ordering="_plans")
    def nombre_de_plans(self, partenaire) -> int:
        return partenaire._plans

    @admin.display(description="actions", ordering="_actions")
    def nombre_d_actions(self, partenaire) -> int:
        return partenaire._actions

    @admin.action(description="Désactiver les partenaires choisis", permissions=["change"])
    def desactiver(self, request, queryset) -> None:
        faits = self._rendre_actifs(queryset, actif=False)
        messages.success(request, f"{accorder(faits, 'partenaire désactivé', 'partenaires désactivés')}.")

    @admin.action(description="Réactiver les partenaires choisis", permissions=["change"])
    def reactiver(self, request, queryset) -> None:
        faits = self._rendre_actifs(queryset, actif=True)
        messages.success(request, f"{accorder(faits, 'partenaire réactivé', 'partenaires réactivés')}.")

    def _rendre_actifs(self, choisis, *, actif: bool) -> int:
        """Un par un : chaque changement entre dans l'historique. Rend le nombre de partenaires changés."""
        a_changer = Partenaire.objects.filter(pk__in=choisis.values("pk"), actif=not actif)
        with transaction.atomic():
            partenaires = list(a_changer.select_for_update(of=("self",)))
            for partenaire in partenaires:
                partenaire.actif = actif
                partenaire.save(update_fields=["actif"])
        return len(partenaires)

    # --- Import, export ------------------------------------------------------------------------

    def get_urls(self):
        vues = [
            path("import/", self.admin_site.admin_view(self.vue_import), name="partenaires_partenaire_import"),
            path(
                "import/appliquer/",
                self.admin_site.admin_view(require_POST(self.vue_appliquer)),
                name="partenaires_partenaire_import_appliquer",
            ),
            path(
                "export/<str:format_choisi>/",
                self.admin_site.admin_view(require_safe(self.vue_export)),
                name="partenaires_partenaire_export",
            ),
        ]
        return vues + super().get_urls()

    def vue_import(self, request):
        """Lit le fichier et montre ce qu'il changerait ; n'écrit rien."""
        from partenaires.classeurs import COLONNES
        from socle.tableaux import FichierIllisible

        self._exiger_le_droit(request)
        envoi = request.method == "POST"
        formulaire = FormulaireDImport(request.POST, request.FILES) if envoi else FormulaireDImport()
        contexte = {"formulaire": formulaire, "colonnes": COLONNES.values()}
        if envoi and formulaire.is_valid():
            fichier = formulaire.cleaned_data["fichier"]
            try:
                contexte |= self._apercu(fichier.name, fichier.read())
            except FichierIllisible as refus:
                formulaire.add_error("fichier", str(refus))
        return self._page_import(request, contexte)

    def vue_appliquer(self, request):
        """Applique le fichier qui vient d'être montré, si rien n'a bougé depuis."""
        from partenaires.classeurs import COLONNES, lire_fichier
        from partenaires.import_export import empreinte_des_partenaires, importer

        self._exiger_le_droit(request)
        try:
            nom, contenu, empreinte = self._depot(request.POST.get("depot", ""))
        except (signing.BadSignature, binascii.Error, ValueError):
            messages.error(request, "Cet aperçu a expiré : déposez le fichier de nouveau.")
            return HttpResponseRedirect(reverse("admin:partenaires_partenaire_import"))
        with transaction.atomic():
            list(Partenaire.objects.select_for_update(of=("self",)).values_list("pk"))
            if empreinte == empreinte_des_partenaires():
                apercu = importer(lire_fichier(nom, contenu), a_blanc=False)
                if not apercu.erreurs:
                    self._tracer(request, Geste.IMPORT, nom, importes=apercu)
                    messages.success(request, f"Import de « {nom} » : {apercu.phrase}.")
                    return HttpResponseRedirect(reverse("admin:partenaires_partenaire_changelist"))
        contexte = self._apercu(nom, contenu) | {"formulaire": FormulaireDImport(), "colonnes": COLONNES.values()}
        messages.warning(request, "Des partenaires ont changé depuis l'aperçu : en voici un autre, rien n'est écrit.")
        return self._page_import(request, contexte)

    def vue_export(self, request, format_choisi: str) -> HttpResponse:
        """La liste telle qu'elle est filtrée à l'écran."""
        from partenaires.import_export import exporter

        self._exiger_le_droit(request)
        types = {
            "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "csv": "text/csv; charset=utf-8",
        }
        if format_choisi not in types:
            raise Http404("Format inconnu.")
        try:
            partenaires = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters as erreur:
            raise Http404("Filtre inconnu.") from erreur
        nom = f"partenaires-{timezone.localdate().isoformat()}.{format_choisi}"
        reponse = HttpResponse(exporter(partenaires, format_choisi), content_type=types[format_choisi])
        reponse["Content-Disposition"] = f'attachment; filename="{nom}"'
        self._tracer(request, Geste.EXPORT, nom, exportes=partenaires.count())
        return reponse

    def _exiger_le_droit(self, request) -> None:
        if not self.has_change_permission(request):
            raise PermissionDenied("Votre rôle ne permet pas de tenir les partenaires.")

    def _apercu(self, nom: str, contenu: bytes) -> dict[str, Any]:
        from partenaires.classeurs import lire_fichier
        from partenaires.import_export import empreinte_des_partenaires, importer

        empreinte = empreinte_des_partenaires()
        apercu = importer(lire_fichier(nom, contenu), a_blanc=True)
        # Le fichier attend, signé, dans la page de l'aperçu : rien ne reste sur le serveur si l'on renonce.
        depot = signing.dumps([nom, base64.b64encode(contenu).decode(), empreinte], salt=_SEL_APERCU, compress=True)
        return {"apercu": apercu, "depot": depot, "nom_du_fichier": nom}

    @staticmethod
    def _depot(signe: str) -> tuple[str, bytes, str]:
        nom, contenu, empreinte = signing.loads(signe, salt=_SEL_APERCU, max_age=_DUREE_APERCU)
        return nom, base64.b64decode(contenu), empreinte

    @staticmethod
    def _tracer(request, geste: Geste, fichier: str, *, importes=None, exportes: int | None = None) -> None:
        if importes is None:
            details = {"lignes": exportes}
        else:
            details = {
                "nouveaux": importes.nouveaux,
                "modifiés": importes.modifies,
                "inchangés": importes.inchanges,
            }
        tracer(geste, request.user, "Partenaires", details={"fichier": fichier[:200], **details})

    def _page_import(self, request, contexte: dict[str, Any]) -> TemplateResponse:
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request,
            "admin/partenaires/import.html",
            {**self.admin_site.each_context(request), "opts": self.opts, "title": "Importer des partenaires"}
            | contexte,
        )


@admin.register(Convention)
class ConventionAdmin(AdminVersionne):
    droit = Droit.TENIR_LES_REFERENTIELS
    suppression_permise = True
    list_display = ["intitule", "partenaire", "debut", "fin"]
    list_filter = ["debut", "fin"]
    list_select_related = ["partenaire"]
    search_fields = ["intitule", "partenaire__nom", "partenaire__sigle"]
    autocomplete_fields = ["partenaire"]
    date_hierarchy = "debut"
