"""Le second facteur : secrets chiffrés en base, codes qui ne servent qu'une fois, rôles à qui on l'impose."""

import base64
import functools
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import cast

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from comptes.gestes import Geste, Trace
from comptes.identite import par_le_fournisseur
from comptes.models import Collectivite, Utilisateur
from comptes.traces import tracer

ESSAIS = 10
DELAI = timedelta(minutes=15)
OBJET_D_UN_ECHEC = "Second facteur"
ILLISIBLE = "Ce second facteur ne se lit plus : la clé du site a changé. Faites-le retirer par l'administrateur."
# Là où l'on va sans lui quand il est exigé : le poser, confirmer que c'est bien soi, partir.
PAGES_OUVERTES = frozenset({"mfa_activate_totp", "account_reauthenticate", "mfa_reauthenticate", "account_logout"})


# --- Chiffrer -----------------------------------------------------------------------------------


def _tire_de(cle: str | bytes) -> Fernet:
    tiree = salted_hmac("comptes.second_facteur", "fernet", secret=cle, algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(tiree))


def _chiffre() -> MultiFernet:
    """La clé du site d'abord, puis celles d'avant : SECRET_KEY se change sans reposer aucun second facteur."""
    return MultiFernet([_tire_de(cle) for cle in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def rechiffrer(compte: Utilisateur) -> None:
    """Met sous la clé du jour ce qui est chiffré sous une clé d'avant : celle-ci quittera un jour
    SECRET_KEY_FALLBACKS. Ce qu'aucune clé n'ouvre reste tel quel."""
    for ligne in Authenticator.objects.select_for_update().filter(user=compte).order_by("pk"):
        for nom in {"secret", "seed"} & ligne.data.keys():
            try:
                _tire_de(settings.SECRET_KEY).decrypt(ligne.data[nom].encode())
            except InvalidToken:
                with suppress(InvalidToken):
                    ligne.data[nom] = _chiffre().rotate(ligne.data[nom].encode()).decode()
                    ligne.save(update_fields=["data"])


class AdaptateurDuSecondFacteur(DefaultMFAAdapter):
    """Ce qu'allauth garde en base est chiffré ; ses messages sont les nôtres."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "Ce code n'est pas le bon, ou il a déjà servi. Attendez le suivant.",
        "cannot_generate_recovery_codes": "Posez d'abord le second facteur : les codes de secours le remplacent.",
    }

    def encrypt(self, text: str) -> str:
        return _chiffre().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Lève InvalidToken si ni SECRET_KEY ni SECRET_KEY_FALLBACKS ne l'ont chiffré : jamais un secret vide."""
        return _chiffre().decrypt(encrypted_text.encode()).decode()

    def get_totp_label(self, user) -> str:
        return user.username

    def get_totp_issuer(self) -> str:
        collectivite = Collectivite.objects.first()
        return f"Plan d'achats, {collectivite}" if collectivite else "Commande publique responsable"


# --- Vérifier un code ---------------------------------------------------------------------------


def refuser_trop_d_essais(compte: Utilisateur) -> None:
    """Lève ValidationError après dix codes faux en un quart d'heure. Comptés dans la trace, que tous les processus
    partagent : six chiffres se devinent si rien n'arrête."""
    echecs = Trace.objects.filter(
        geste=Geste.ECHEC, objet=OBJET_D_UN_ECHEC, identifiant=compte.username, le__gte=timezone.now() - DELAI
    )
    if echecs.count() >= ESSAIS:
        raise ValidationError("Trop de codes faux : attendez un quart d'heure.", code="trop_d_essais")


def consommer(second_facteur: Authenticator, code: str) -> None:
    """Retient qu'un code reconnu a servi. Lève ValidationError s'il avait déjà servi, ou un plus récent que lui
    (RFC 6238, 5.2) ; un code de secours est déjà consommé par allauth. Rechiffre sous la clé du jour."""
    with transaction.atomic():
        rechiffrer(second_facteur.user)
        if second_facteur.type != Authenticator.Type.TOTP:
            return
        ligne = Authenticator.objects.select_for_update().get(pk=second_facteur.pk)
        secret = AdaptateurDuSecondFacteur().decrypt(ligne.data["secret"])
        pas = _pas_du_code(secret, code)
        if pas is None or pas <= ligne.data.get("dernier_pas", 0):
            raise ValidationError(AdaptateurDuSecondFacteur.error_messages["incorrect_code"], code="incorrect_code")
        ligne.data["dernier_pas"] = pas
        ligne.save(update_fields=["data"])


def _pas_du_code(secret: str, code: str) -> int | None:
    """La demi-minute, comptée depuis 1970, à laquelle ce code appartient."""
    tape = "".join(code.split())
    for pas in yield_hotp_counters_from_time():
        if constant_time_compare(tape, format_hotp_value(hotp_value(secret, pas))):
            return pas
    return None


class CodeUneSeuleFois:
    """À mettre devant un formulaire de code d'allauth."""

    user: Utilisateur
    authenticator: Authenticator

    def clean_code(self) -> str:
        refuser_trop_d_essais(self.user)
        try:
            code = super().clean_code()  # type: ignore[misc]
            consommer(self.authenticator, code)
        except InvalidToken:
            raise ValidationError(ILLISIBLE) from None
        return code


def lisible(vue: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """À mettre autour d'une page qui montre des codes : une clé perdue se dit, ce n'est pas une panne."""

    @functools.wraps(vue)
    def gardee(request: HttpRequest) -> HttpResponse:
        try:
            return vue(request)
        except InvalidToken:
            raise PermissionDenied(ILLISIBLE) from None

    return gardee


# --- Exiger, retirer ----------------------------------------------------------------------------


def est_pose(compte: Utilisateur) -> bool:
    return Authenticator.objects.filter(user=compte, type=Authenticator.Type.TOTP).exists()


def manque_a(request: HttpRequest) -> bool:
    """Vrai si l'un des rôles du compte connecté exige un second facteur qu'il n'a pas posé. Qui vient du fournisseur
    d'identité l'a donné là-bas. Sans rôle concerné, aucune requête."""
    compte, exigeants = cast("Utilisateur", request.user), settings.SECOND_FACTEUR_EXIGE
    if not exigeants or compte.roles.isdisjoint(exigeants) or par_le_fournisseur(request, compte):
        return False
    return not est_pose(compte)


def retirer(compte: Utilisateur, par: Utilisateur) -> bool:
    """Retire le second facteur et les codes de secours de qui les a perdus. Rend faux s'il n'y avait rien."""
    with transaction.atomic():
        retires, _ = Authenticator.objects.filter(user=compte).delete()
        if retires:
            tracer(
                Geste.SECOND_FACTEUR, par, f"Compte {compte.username}", details={"fait": "retiré par l'administrateur"}
            )
    return bool(retires)
