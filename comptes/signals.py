"""Trace des connexions : la seule règle confiée à des signaux, car Django n'en dit rien d'autre."""

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from comptes.gestes import Geste
from comptes.traces import tracer


@receiver(user_logged_in)
def tracer_connexion(sender, user, **kwargs) -> None:
    tracer(Geste.CONNEXION, user)


@receiver(user_logged_out)
def tracer_deconnexion(sender, user, **kwargs) -> None:
    if user is not None:
        tracer(Geste.DECONNEXION, user)


@receiver(user_login_failed)
def tracer_echec(sender, credentials, **kwargs) -> None:
    tracer(Geste.ECHEC, identifiant=str(credentials.get("username", "")))
