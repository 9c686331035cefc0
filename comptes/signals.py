"""Trace des connexions : la seule règle confiée à des signaux, car Django n'en dit rien d'autre."""

from allauth.account.signals import password_changed, password_reset
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import (
    authentication_failed,
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
    authenticator_used,
)
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from comptes import second_facteur, sessions
from comptes.gestes import Geste
from comptes.traces import tracer


@receiver(user_logged_in)
def tracer_connexion(sender, user, request=None, **kwargs) -> None:
    if request is not None:
        sessions.ouvrir(request)
    tracer(Geste.CONNEXION, user)


@receiver(user_logged_out)
def tracer_deconnexion(sender, user, **kwargs) -> None:
    if user is not None:
        tracer(Geste.DECONNEXION, user)


@receiver(user_login_failed)
def tracer_echec(sender, credentials, **kwargs) -> None:
    tracer(Geste.ECHEC, identifiant=str(credentials.get("username", "")))


@receiver(password_changed)
def tracer_un_changement(sender, user, **kwargs) -> None:
    tracer(Geste.MOT_DE_PASSE, user, f"Compte {user.username}", details={"fait": "changé"})


@receiver(password_reset)
def tracer_une_reinitialisation(sender, user, **kwargs) -> None:
    tracer(Geste.MOT_DE_PASSE, None, f"Compte {user.username}", details={"fait": "choisi par le lien reçu"})


def _tracer_le_second_facteur(user, authenticator: Authenticator, fait: str) -> None:
    codes = authenticator.type == Authenticator.Type.RECOVERY_CODES
    details = {"fait": f"codes de secours : {fait}" if codes else fait}
    tracer(Geste.SECOND_FACTEUR, user, f"Compte {user.username}", details=details)


@receiver(authenticator_added)
def tracer_une_pose(sender, user, authenticator, **kwargs) -> None:
    _tracer_le_second_facteur(user, authenticator, "créés" if _sont_des_codes(authenticator) else "posé")


@receiver(authenticator_removed)
def tracer_un_retrait(sender, user, authenticator, **kwargs) -> None:
    _tracer_le_second_facteur(user, authenticator, "effacés" if _sont_des_codes(authenticator) else "retiré")


@receiver(authenticator_reset)
def tracer_des_codes_refaits(sender, user, authenticator, **kwargs) -> None:
    _tracer_le_second_facteur(user, authenticator, "refaits")


@receiver(authenticator_used)
def tracer_un_code_de_secours(sender, user, authenticator, **kwargs) -> None:
    """Un code de secours qui sert se remarque ; celui de l'application, la connexion le dit déjà."""
    if _sont_des_codes(authenticator):
        _tracer_le_second_facteur(user, authenticator, "un a servi")


@receiver(authentication_failed)
def tracer_un_code_faux(sender, user, **kwargs) -> None:
    tracer(Geste.ECHEC, None, second_facteur.OBJET_D_UN_ECHEC, identifiant=user.username)


def _sont_des_codes(authenticator: Authenticator) -> bool:
    return authenticator.type == Authenticator.Type.RECOVERY_CODES
