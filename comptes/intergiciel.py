"""Connexion exigée partout, sans perdre ce qui vient d'être tapé."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh

from comptes import second_facteur, sessions
from comptes.droits import Droit, exiger


class ConnexionRequise(LoginRequiredMiddleware):
    """Renvoie à la connexion ; mais un envoi de formulaire, session expirée, montre ce qui avait été saisi."""

    def process_view(self, request, view_func, view_args, view_kwargs):
        """Un compte connecté sans le droit d'entrer est refusé dès ici : sans rôle il ne lit rien, et /admin/ le
        renverrait à une connexion déjà faite en perdant sa saisie."""
        # Une page ouverte à tous ne lit pas la session : /sante/ répond quand la base est tombée, un calendrier ne
        # dépend que de son jeton.
        if not getattr(view_func, "login_required", True):
            return None
        if request.user.is_authenticated:
            sessions.veiller(request)
        if request.user.is_authenticated:
            exiger(request.user, Droit.CONSULTER)
            if (reponse := self._sans_second_facteur(request)) is not None:
                return reponse
            if request.resolver_match.app_name == "admin" and not request.user.is_staff:
                raise PermissionDenied("Votre rôle n'ouvre pas l'administration.")
        return super().process_view(request, view_func, view_args, view_kwargs)

    def _sans_second_facteur(self, request):
        """Ce que reçoit qui doit en poser un et ne l'a pas fait ; None pour les autres."""
        # La vue dit son nom de route, jamais l'adresse que le visiteur écrit.
        if request.resolver_match.view_name in second_facteur.PAGES_OUVERTES:
            return None
        if not second_facteur.manque_a(request):
            return None
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied(
                "Votre rôle demande un second facteur : rien n'a été enregistré. Posez-le depuis « Mon compte », "
                "puis recommencez."
            )
        messages.info(request, "Votre rôle demande un second facteur : posez-le pour continuer.")
        adresse = reverse("mfa_activate_totp")
        return HttpResponseClientRedirect(adresse) if request.htmx else redirect(adresse)

    def handle_no_permission(self, request, view_func):
        if request.htmx and request.method != "POST":
            # Sinon htmx poserait la page de connexion au milieu de celle-ci.
            return HttpResponseClientRefresh()
        if request.method == "POST":
            raise PermissionDenied("Votre session a expiré : rien n'a été enregistré. Reconnectez-vous.")
        if request.get_full_path() == "/":
            # Qui tape l'adresse du site ne demande pas une page : chacun arrive chez lui (Adaptateur).
            return redirect(settings.LOGIN_URL)
        return super().handle_no_permission(request, view_func)
