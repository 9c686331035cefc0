"""Branchement de l'authentification : ni inscription libre, ni courriel obligatoire."""

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.backends import ModelBackend
from django.urls import reverse

from comptes.blocages import debloquer_le_compte
from comptes.droits import Droit, Portee, portee
from comptes.provenance import adresse_du_client
from comptes.sessions import adresse_a_garder


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
        "incorrect_password": "Ce n'est pas votre mot de passe.",
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

    def get_client_ip(self, request) -> str:
        """La même que celle de la trace : celle d'un relais de confiance, jamais un en-tête quelconque."""
        return adresse_a_garder(adresse_du_client(request))

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        """Aucun courriel ne part pendant une page : le lien d'un mot de passe oublié passe par la boîte d'envoi."""
        raise NotImplementedError(f"{template_prefix} ne passe pas par la boîte d'envoi (comptes.courriels).")

    def is_open_for_signup(self, request) -> bool:
        return False
