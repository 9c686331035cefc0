"""Les pages de compte d'allauth sous nos adresses ; les noms de route sont les siens."""

from allauth.account import views
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from django.urls import path, re_path

from comptes.second_facteur import lisible
from comptes.sessions import MesSessions
from comptes.vues_identite import va_chez_le_fournisseur

urlpatterns = [
    path("connexion/", va_chez_le_fournisseur(views.login), name="account_login"),
    path("deconnexion/", views.logout, name="account_logout"),
    path("compte/inactif/", views.account_inactive, name="account_inactive"),
    path("compte/mot-de-passe/", views.password_change, name="account_change_password"),
    path("mot-de-passe/oublie/", views.password_reset, name="account_reset_password"),
    path("mot-de-passe/oublie/envoye/", views.password_reset_done, name="account_reset_password_done"),
    # Une expression, comme chez allauth : la clé contient elle-même un tiret.
    re_path(
        r"^mot-de-passe/nouveau/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("mot-de-passe/change/", views.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    path("compte/confirmer/", views.reauthenticate, name="account_reauthenticate"),
    path("compte/confirmer/code/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("connexion/code/", mfa.authenticate, name="mfa_authenticate"),
    path("compte/second-facteur/", mfa.index, name="mfa_index"),
    path("compte/second-facteur/poser/", totp.activate_totp, name="mfa_activate_totp"),
    path("compte/second-facteur/retirer/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("compte/second-facteur/codes/", lisible(codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path(
        "compte/second-facteur/codes/refaire/",
        lisible(codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path("compte/sessions/", MesSessions.as_view(), name="usersessions_list"),
]
