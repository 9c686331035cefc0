"""Trace des connexions : la seule règle confiée à des signaux, car Django n'en dit rien d'autre."""

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from comptes.gestes import Geste, Trace


@receiver(user_logged_in)
def tracer_connexion(sender, user, **kwargs) -> None:
    Trace.objects.create(geste=Geste.CONNEXION, utilisateur=user)


@receiver(user_logged_out)
def tracer_deconnexion(sender, user, **kwargs) -> None:
    if user is not None:
        Trace.objects.create(geste=Geste.DECONNEXION, utilisateur=user)


@receiver(user_login_failed)
def tracer_echec(sender, credentials, **kwargs) -> None:
    identifiant = str(credentials.get("username", ""))[:150].replace("\x00", "")
    Trace.objects.create(geste=Geste.ECHEC, identifiant=identifiant)
