"""L'administration du site : la collectivité, ses services, ses comptes, et ce qu'ils ont fait."""

from allauth.account.admin import EmailAddress
from allauth.account.decorators import secure_admin_login
from allauth.mfa.admin import Authenticator
from allauth.socialaccount.admin import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.admin import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db.models import Count
from django.urls import reverse
from django.utils.html import format_html
from django_tasks_db.admin import DBTaskResult

from comptes import second_facteur, sessions
from comptes.administration import (
    AdminEnLecture,
    AdminHistorise,
    AdminVersionne,
    LignesEnTableau,
)
from comptes.courriels import EtatDeCourriel
from comptes.droits import Droit, Role
from comptes.envoi import envoyer_des_que_possible
from comptes.gestes import Geste, PorteeDeJeton, objet_du_compte
from comptes.invitations import inviter, pourquoi_pas
from comptes.models import Collectivite, Courriel, Jeton, LigneDeLot, Lot, Service, Siren, Utilisateur
from comptes.traces import tracer
from socle.champs import ChampPlusieurs
from socle.formats import accorder

admin.site.site_header = admin.site.site_title = "Administration"
admin.site.index_title = "Référentiels, plans et comptes"
admin.site.site_url = "/"
admin.site.empty_value_display = "—"
# Une seule page de connexion, celle du site ; un compte sans droit reçoit 403 au lieu d'un second formulaire.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

# Les rôles sont créés par le code ; le courriel est un champ du compte ; l'issue d'une tâche, des noms de fonctions en
# anglais, se lit là où on l'a demandée ; le reste a ses pages, ou se règle.
for _modele in (Group, EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken, UserSession, DBTaskResult):
    admin.site.unregister(_modele)


# --- Collectivité, services ---------------------------------------------------------------------


class SirensEnTableau(LignesEnTableau):
    model = Siren
    suppression_permise = True
    fields = ["numero", "libelle"]


@admin.register(Collectivite)
class CollectiviteAdmin(AdminVersionne):
    list_display = ["nom", "sigle", "demo", "donnees_synthetiques"]
    inlines = [SirensEnTableau]
    # Tant qu'aucune page ne montre le logo, ne pas le demander.
    exclude = ["logo"]

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "couleur":
            kwargs["widget"] = forms.TextInput(attrs={"type": "color"})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def has_add_permission(self, request, obj=None) -> bool:
        return super().has_add_permission(request) and not Collectivite.objects.exists()


@admin.register(Service)
class ServiceAdmin(AdminVersionne):
    droit_de_chercher = Droit.TENIR_LES_REFERENTIELS
    suppression_permise = True
    list_display = ["nom", "sigle", "actif", "nombre_de_comptes", "nombre_d_actions"]
    list_filter = ["actif"]
    search_fields = ["nom", "sigle"]

    def get_queryset(self, request):
        comptes, actions = Count("agents", distinct=True), Count("actions", distinct=True)
        return super().get_queryset(request).annotate(_comptes=comptes, _actions=actions)

    @admin.display(description="comptes", ordering="_comptes")
    def nombre_de_comptes(self, service) -> int:
        return service._comptes

    @admin.display(description="actions pilotées", ordering="_actions")
    def nombre_d_actions(self, service) -> int:
        return service._actions


# --- Comptes ------------------------------------------------------------------------------------


class ChampRoles(ChampPlusieurs):
    """Les quatre rôles, sous leur nom français ; un groupe étranger à l'application n'est pas proposé."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **options) -> None:
        options.setdefault("label", "Rôles")
        options.setdefault("required", False)
        options.setdefault("help_text", "Plusieurs rôles s'additionnent. Sans rôle, le compte n'ouvre rien.")
        super().__init__(queryset=Group.objects.filter(name__in=Role.values).order_by("pk"), **options)

    def label_from_instance(self, groupe: Group) -> str:
        return Role(groupe.name).label


class FormulaireDeCompte(UserChangeForm):
    groups = ChampRoles()

    class Meta(UserChangeForm.Meta):
        model = Utilisateur

    def clean(self):
        donnees = super().clean() or {}
        administre = donnees.get("is_active") and any(
            groupe.name == Role.ADMINISTRATEUR for groupe in donnees.get("groups", ())
        )
        autres = Utilisateur.objects.filter(is_active=True, groups__name=Role.ADMINISTRATEUR).exclude(
            pk=self.instance.pk
        )
        if self.instance.is_superuser and not administre and not autres.exists():
            self.add_error("groups", "C'est le dernier administrateur actif : nommez-en un autre d'abord.")
        return donnees


class FormulaireDeNouveauCompte(AdminUserCreationForm):
    """Invitée par courriel, la personne choisit son mot de passe : personne d'autre ne l'aura connu."""

    groups = ChampRoles()
    # Le nom est celui de Django, dont la feuille de style cache les mots de passe quand on n'en donne pas.
    usable_password = forms.ChoiceField(
        label="Pour se connecter",
        required=False,
        initial="invitation",
        choices={
            "invitation": "Inviter par courriel à choisir un mot de passe",
            "true": "Donner un mot de passe maintenant",
            "false": "Sans mot de passe : par le fournisseur d'identité",
        },
        widget=forms.RadioSelect(attrs={"class": "radiolist"}),
    )

    invitation = False

    class Meta:
        model = Utilisateur
        fields = ("username",)

    def validate_passwords(self, *args, **kwargs) -> None:
        self.invitation = self.cleaned_data.get("usable_password") == "invitation"
        if self.invitation:
            self.cleaned_data["usable_password"] = "false"  # noqa: S105 - le choix, pas un mot de passe
        super().validate_passwords(*args, **kwargs)

    def clean(self):
        donnees = super().clean() or {}
        if self.invitation and not donnees.get("courriel") and "courriel" not in self.errors:
            self.add_error("courriel", "Il faut un courriel pour inviter cette personne.")
        return donnees


class FiltreParRole(admin.SimpleListFilter):
    title = "rôle"
    parameter_name = "role"

    def lookups(self, request, model_admin):
        return [*Role.choices, ("aucun", "Aucun rôle")]

    def queryset(self, request, queryset):
        match self.value():
            case None:
                return queryset
            case "aucun":
                return queryset.exclude(groups__name__in=Role.values)
            case role:
                return queryset.filter(groups__name=role)


@admin.register(Utilisateur)
class UtilisateurAdmin(AdminHistorise, UserAdmin):
    form = FormulaireDeCompte
    add_form = FormulaireDeNouveauCompte
    add_form_template = "admin/comptes/utilisateur/add_form.html"
    fieldsets = [
        (None, {"fields": ["username", "password", "is_active"]}),
        ("Personne", {"fields": ["prenom", "nom", "courriel", "service", "rappels"]}),
        ("Droits", {"fields": ["groups"]}),
        ("Connexion", {"fields": ["sub_oidc", "last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["username", "usable_password", "password1", "password2"]}),
        ("Personne", {"fields": ["prenom", "nom", "courriel", "service"]}),
        ("Droits", {"fields": ["groups"]}),
    ]
    readonly_fields = ["last_login", "date_joined"]
    list_display = ["username", "prenom", "nom", "courriel", "service", "libelle_des_roles", "is_active"]
    list_filter = [FiltreParRole, "is_active", ("service", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["service"]
    search_fields = ["username", "prenom", "nom", "courriel"]
    ordering = ["nom", "prenom", "username"]
    filter_horizontal = ()
    autocomplete_fields = ["service"]
    actions = ["inviter", "fermer_les_sessions", "retirer_le_second_facteur"]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("groups")

    @admin.action(description="Fermer les sessions des comptes choisis", permissions=["change"])
    def fermer_les_sessions(self, request, queryset) -> None:
        nombre = sum(sessions.fermer(compte, request.user) for compte in queryset)
        messages.success(request, f"{accorder(nombre, 'session fermée', 'sessions fermées')}.")

    @admin.action(description="Retirer le second facteur des comptes choisis", permissions=["change"])
    def retirer_le_second_facteur(self, request, queryset) -> None:
        """Pour qui a perdu son téléphone et ses codes : il se connecte alors avec son seul mot de passe."""
        nombre = sum(second_facteur.retirer(compte, request.user) for compte in queryset)
        messages.success(request, f"{accorder(nombre, 'second facteur retiré', 'seconds facteurs retirés')}.")

    def has_change_permission(self, request, obj=None) -> bool:
        """Un compte anonymisé se lit : actif ou renommé, il désignerait de nouveau quelqu'un."""
        return super().has_change_permission(request, obj) and (obj is None or obj.anonymise_le is None)

    def user_change_password(self, request, id, form_url=""):
        """Django n'en dit rien à personne : la trace, si."""
        reponse = super().user_change_password(request, id, form_url)
        change = request.method == "POST" and reponse.status_code == 302
        if change and (compte := self.get_object(request, unquote(id))) is not None:
            fait = {"fait": "changé par l'administrateur"}
            tracer(Geste.MOT_DE_PASSE, request.user, objet_du_compte(compte.username), details=fait)
        return reponse

    @admin.display(description="rôles")
    def libelle_des_roles(self, compte: Utilisateur) -> str:
        return ", ".join(_libelles(compte.groups.all())) or "—"

    def save_model(self, request, obj, form, change) -> None:
        """Désactiver quelqu'un laisse ses actions sans personne : le dire, avec de quoi les confier à un autre."""
        super().save_model(request, obj, form, change)
        if not change or "is_active" in form.changed_data:
            fait = "créé" if not change else "activé" if obj.is_active else "désactivé"
            tracer(Geste.COMPTE, request.user, objet_du_compte(obj.username), details={"fait": fait})
        if change and "courriel" in form.changed_data and not pourquoi_pas(obj):
            messages.warning(
                request, "L'invitation envoyée à l'ancien courriel ne vaut plus : invitez cette personne de nouveau."
            )
        desactive = change and "is_active" in form.changed_data and not obj.is_active
        # Relation inverse : les actions nomment leur pilote, jamais l'inverse.
        if desactive and (nombre := obj.actions_pilotees.exclude(statut="TERMINEE").count()):
            adresse = f"{reverse('actions:reaffecter')}?ancien={obj.pk}"
            phrase = '{} pilote encore {} : <a href="{}">les réaffecter</a>.'
            a_mener = accorder(nombre, "action à mener", "actions à mener")
            messages.warning(request, format_html(phrase, obj, a_mener, adresse))

    def save_related(self, request, form, formsets, change) -> None:
        """Donner ou retirer un rôle laisse une trace : l'historique des champs ne voit pas les groupes."""
        avant = _libelles(form.instance.groups.order_by("pk"))
        super().save_related(request, form, formsets, change)
        apres = _libelles(form.instance.groups.order_by("pk"))
        if avant != apres:
            objet = objet_du_compte(form.instance.username)
            tracer(Geste.DROITS, request.user, objet, details={"avant": avant, "apres": apres})
        if getattr(form, "invitation", False) and inviter(form.instance, request.user):
            messages.success(request, f"Une invitation part à {form.instance.courriel}.")

    @admin.action(description="Inviter par courriel à choisir un mot de passe", permissions=["change"])
    def inviter(self, request, queryset) -> None:
        """Une première fois, ou de nouveau : le lien d'avant ne vaut plus."""
        comptes = list(queryset)
        laisses = [f"{compte} : {raison}" for compte in comptes if (raison := pourquoi_pas(compte))]
        invites = sum(inviter(compte, request.user) for compte in comptes)
        if invites:
            messages.success(request, f"{accorder(invites, 'invitation part', 'invitations partent')}.")
        if laisses:
            messages.warning(request, f"Pas d'invitation pour {' ; '.join(laisses)}.")


def _libelles(groupes) -> list[str]:
    return [Role(groupe.name).label for groupe in groupes if groupe.name in Role.values]


# --- Ce qui a été fait --------------------------------------------------------------------------


class LignesDuLot(LignesEnTableau):
    model = LigneDeLot
    lecture_seule = True
    fields = readonly_fields = ("objet_touche", "champ", "avant", "apres")

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("type_d_objet").prefetch_related("objet")

    @admin.display(description="objet")
    def objet_touche(self, ligne: LigneDeLot) -> str:
        return f"{ligne.type_d_objet.name} : {ligne.objet or ligne.id_objet}"


@admin.register(Lot)
class LotAdmin(AdminEnLecture):
    list_display = ["intitule", "auteur", "fait_le", "nombre_de_lignes", "defait_par"]
    list_display_links = ["intitule"]
    list_select_related = ["auteur", "defait_par"]
    list_filter = ["fait_le"]
    search_fields = ["intitule", "auteur__nom", "auteur__username"]
    date_hierarchy = "fait_le"
    fields = readonly_fields = ("intitule", "auteur", "fait_le", "defait_par")
    inlines = [LignesDuLot]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(_lignes=Count("lignes"))

    @admin.display(description="lignes", ordering="_lignes")
    def nombre_de_lignes(self, lot) -> int:
        return lot._lignes


@admin.register(Jeton)
class JetonAdmin(AdminEnLecture):
    list_display = fields = readonly_fields = (
        "nom",
        "utilisateur",
        "libelle_des_portees",
        "cree_le",
        "expire_le",
        "revoque_le",
    )
    list_select_related = ["utilisateur"]
    list_filter = [("revoque_le", admin.EmptyFieldListFilter), "cree_le"]
    search_fields = ["nom", "utilisateur__username", "utilisateur__nom"]
    actions = ["revoquer"]

    @admin.display(description="portées")
    def libelle_des_portees(self, jeton: Jeton) -> str:
        return ", ".join(PorteeDeJeton(portee).label for portee in jeton.portees)

    @admin.action(description="Révoquer les jetons choisis", permissions=["revoquer"])
    def revoquer(self, request, queryset) -> None:
        jetons = list(queryset.filter(revoque_le__isnull=True))
        for jeton in jetons:
            jeton.revoquer(par=request.user)
        messages.success(request, f"{accorder(len(jetons), 'jeton révoqué', 'jetons révoqués')}.")

    def has_revoquer_permission(self, request) -> bool:
        return self.has_view_permission(request)


class FiltreParEtat(admin.SimpleListFilter):
    title = "état"
    parameter_name = "etat"

    def lookups(self, request, model_admin):
        return EtatDeCourriel.choices

    def queryset(self, request, queryset):
        return queryset if self.value() is None else queryset.dans_l_etat(self.value())


@admin.register(Courriel)
class CourrielAdmin(AdminEnLecture):
    """La boîte d'envoi : ce qui est parti, ce qui attend, et pourquoi."""

    list_display = ("objet", "destinataire", "etat", "prepare_le", "essais", "erreur")
    list_display_links = ["objet"]
    fields = readonly_fields = (*list_display, "adresse", "envoye_le", "abandonne_le", "texte_lisible")
    list_select_related = ["destinataire"]
    list_filter = [FiltreParEtat, "prepare_le"]
    search_fields = ["objet", "adresse", "destinataire__nom", "destinataire__username"]
    date_hierarchy = "prepare_le"
    actions = ["renvoyer"]

    @admin.display(description="état")
    def etat(self, courriel: Courriel) -> str:
        return courriel.etat.label

    @admin.display(description="texte")
    def texte_lisible(self, courriel: Courriel) -> str:
        """Un lien qui ouvre un compte ne se lit pas, même par qui administre."""
        return "Confidentiel : il ne se lit que chez son destinataire." if courriel.confidentiel else courriel.texte

    @admin.action(description="Renvoyer les courriels choisis", permissions=["renvoyer"])
    def renvoyer(self, request, queryset) -> None:
        """Ceux qui attendent sont essayés sans attendre ; les autres repartent, une fois par jour."""
        choisis = list(queryset.select_related("destinataire"))
        en_attente = sum(courriel.en_attente for courriel in choisis)
        renvoyes = sum(courriel.renvoyer() is not None for courriel in choisis)
        laisses = len(choisis) - en_attente - renvoyes
        if en_attente or renvoyes:
            envoyer_des_que_possible()
            messages.success(request, f"{accorder(en_attente + renvoyes, 'courriel part', 'courriels partent')}.")
        if laisses:
            sont = "laissé : déjà renvoyé aujourd'hui" if laisses < 2 else "laissés : déjà renvoyés aujourd'hui"
            messages.warning(request, f"{laisses} {sont}, ou sans adresse où l'envoyer.")

    def has_renvoyer_permission(self, request) -> bool:
        return self.has_view_permission(request)
