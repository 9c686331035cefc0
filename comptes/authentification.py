"""Branchement de l'authentification : ni inscription libre, ni courriel obligatoire."""

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.backends import ModelBackend
from django.urls import reverse

from comptes.blocages import debloquer_le_compte
from comptes.droits import Droit, Portee, portee


class BackendDesRoles(ModelBackend):
    """Identifiant et mot de passe. Les droits viennent de la table des rôles, jamais de permissions en base."""

    def has_perm(self, user_obj, perm, obj=None) -> bool:
        return user_obj.is_active and user_obj.is_superuser

    def has_module_perms(self, user_obj, app_label) -> bool:
        return self.has_perm(user_obj, app_label)


class Adaptateur(DefaultAccountAdapter):
    """allauth ne sert qu'à se connecter : les comptes sont créés par l'administrateur."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": "L'identifiant ou le mot de passe n'est pas le bon.",
    }

    def get_login_redirect_url(self, request) -> str:
        """Qui n'a que les siennes à tenir arrive sur elles ; les autres, sur le tableau de bord."""
        if portee(request.user, Droit.METTRE_A_JOUR) is Portee.SIENS:
            return reverse("actions:miennes")
        return super().get_login_redirect_url(request)

    def set_password(self, user, password) -> None:
        """Choisi par un lien reçu dans sa boîte ou depuis son compte : l'attente due aux essais ratés finit."""
        super().set_password(user, password)
        debloquer_le_compte(user)

    def is_open_for_signup(self, request) -> bool:
        return False
