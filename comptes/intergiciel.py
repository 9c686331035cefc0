"""Connexion exigée partout, sans perdre ce qui vient d'être tapé."""

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.core.exceptions import PermissionDenied


class ConnexionRequise(LoginRequiredMiddleware):
    """Renvoie à la connexion ; mais un envoi de formulaire, session expirée, montre ce qui avait été saisi."""

    def handle_no_permission(self, request, view_func):
        if request.method == "POST":
            raise PermissionDenied("Votre session a expiré : rien n'a été enregistré. Reconnectez-vous.")
        return super().handle_no_permission(request, view_func)
