"""Branchement de l'authentification : ni inscription libre, ni courriel obligatoire."""

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.backends import ModelBackend


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

    def is_open_for_signup(self, request) -> bool:
        return False
