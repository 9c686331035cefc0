"""Envoyer les courriels préparés : hors des pages, hors de toute transaction, et sans en perdre.

Un courriel est d'abord réservé (une écriture courte), puis le dialogue a lieu, puis son issue s'écrit. Un ouvrier tué
entre l'envoi et cette écriture fera partir le message une seconde fois, sous le même Message-ID.
"""

import logging
import smtplib
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import Enum
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.utils import timezone
from django_tasks import task
from django_tasks_db.models import DBTaskResult

from comptes.courriels import DESINSCRIPTION, RESERVATION, Courriel
from socle.formats import accorder

# Un refus définitif de l'adresse se redemande : une boîte pleine ou un filtre répond parfois 5xx à tort.
ESSAIS_AVANT_ABANDON = 3
# Ce qu'un serveur demande de représenter ne l'est pas sans fin : une boîte pleine cinq jours le restera.
DELAI_D_ABANDON = timedelta(days=5)
# Assez pour qu'un serveur qui fait attendre les inconnus (liste grise) accepte, et qu'une réservation soit passée.
DELAI_DE_REPRISE = RESERVATION + timedelta(minutes=5)
SERVEUR_FERME = 421
DEFINITIF = 500

journal = logging.getLogger(__name__)


class Echec(Enum):
    """Ce qu'un échec dit : le serveur ne va pas, ce message est à représenter, ou il n'est pas voulu."""

    PANNE = "panne"
    PLUS_TARD = "plus tard"
    REFUS = "refus"


@dataclass(frozen=True)
class Envoi:
    """Ce qu'un passage a donné, en nombre de courriels. `restants` : à réessayer ; `raison` : la dernière erreur."""

    envoyes: int = 0
    abandonnes: int = 0
    restants: int = 0
    raison: str = ""

    @property
    def complet(self) -> bool:
        return not (self.abandonnes or self.restants)

    @property
    def phrase(self) -> str:
        morceaux = [accorder(self.envoyes, "courriel envoyé", "courriels envoyés")]
        if self.restants:
            morceaux.append(f"{accorder(self.restants, 'gardé', 'gardés')} pour un nouvel essai")
        if self.abandonnes:
            morceaux.append(accorder(self.abandonnes, "abandonné", "abandonnés"))
        return ", ".join(morceaux) + (f". {self.raison}" if self.raison else ".")


# --- Demander l'envoi ---------------------------------------------------------------------------


def envoyer_des_que_possible() -> None:
    """À appeler dans la transaction qui prépare des courriels : l'ouvrier les enverra une fois qu'elle aura réussi."""
    transaction.on_commit(_mettre_en_file, robust=True)


def _mettre_en_file(apres: timedelta | None = None) -> None:
    """Une tâche qui attend déjà enverra aussi ceux-ci : en mettre une par courriel ne servirait à rien."""
    en_attente = DBTaskResult.objects.filter(task_path=envoyer_les_courriels.module_path)
    if apres is None:
        if not en_attente.ready().exists():
            envoyer_les_courriels.enqueue()
        return
    maintenant = timezone.now()
    # Une tâche mise en file sans heure a la dernière qui soit : celle d'un passage qui vient tout de suite.
    if not en_attente.filter(status="READY", run_after__gt=maintenant, run_after__lte=maintenant + apres).exists():
        envoyer_les_courriels.using(run_after=maintenant + apres).enqueue()


@task()
def envoyer_les_courriels() -> dict:
    return asdict(envoyer_ce_qui_attend())


# --- Envoyer ------------------------------------------------------------------------------------


def envoyer_ce_qui_attend() -> Envoi:
    """Envoie ce qui attend, après avoir mis en file de quoi y revenir : une panne, un refus passager ou un processus
    tué en route ne laissent rien derrière eux."""
    if not Courriel.objects.a_envoyer().exists():
        return Envoi()
    _mettre_en_file(DELAI_DE_REPRISE)
    envoi = envoyer()
    if not envoi.complet:
        journal.warning("Courriels : %s", envoi.phrase)
    return envoi


def envoyer() -> Envoi:
    """Envoie tout ce qui peut l'être, un courriel à la fois, hors de toute transaction (RuntimeError sinon).

    Une adresse refusée n'arrête pas le passage ; une panne du serveur, si, sauf sur une connexion qui a servi : il en
    coupe parfois une qui dure.
    """
    envoyes = abandonnes = 0
    raison, servie = "", False
    vus: list[int] = []
    connexion = get_connection()
    while courriel := _reserver(vus):
        vus.append(courriel.pk)
        echec, phrase = _tenter(courriel, connexion)
        courriel.refermer(phrase, abandonner=_a_abandonner(courriel, echec))
        envoyes += courriel.envoye_le is not None
        abandonnes += courriel.abandonne_le is not None
        raison = phrase or raison
        if echec is Echec.PANNE:
            _fermer(connexion)
            if not servie:
                break
        servie = echec is not Echec.PANNE
    _fermer(connexion)
    return Envoi(envoyes, abandonnes, Courriel.objects.disponibles(timezone.now()).count(), raison)


def essayer_le_serveur() -> str:
    """Ouvre une connexion au serveur de courriels, avec le compte s'il y en a un, et la referme sans rien envoyer.
    Rend une phrase si c'est impossible, sinon rien."""
    connexion = get_connection()
    try:
        connexion.open()
    except (OSError, ValueError) as erreur:
        return _juger(erreur)[1]
    finally:
        _fermer(connexion)
    return ""


def _fermer(connexion) -> None:
    """Ce qui est parti l'est : un adieu qui se passe mal n'y change rien."""
    with suppress(OSError):
        connexion.close()


def _reserver(vus: list[int]) -> Courriel | None:
    """Le prochain courriel, que personne d'autre ne prendra. Sur SQLite, IMMEDIATE tient lieu de verrou."""
    with transaction.atomic(durable=True):
        maintenant = timezone.now()
        libres = Courriel.objects.disponibles(maintenant).exclude(pk__in=vus).select_related("destinataire")
        courriel = libres.select_for_update(skip_locked=True, of=("self",)).first()
        if courriel is not None:
            courriel.reserve_le = maintenant
            # Une adresse corrigée depuis qu'il est prêt est la bonne.
            courriel.adresse = courriel.destinataire.courriel or courriel.adresse
            courriel.save(update_fields=["reserve_le", "adresse"])
    return courriel


def _a_abandonner(courriel: Courriel, echec: Echec | None) -> bool:
    if not courriel.destinataire.is_active:
        return True
    if echec is Echec.PLUS_TARD:
        return timezone.now() - courriel.prepare_le > DELAI_D_ABANDON
    return echec is Echec.REFUS and courriel.essais + 1 >= ESSAIS_AVANT_ABANDON


def _tenter(courriel: Courriel, connexion) -> tuple[Echec | None, str]:
    """Un essai : rien s'il est parti, sinon ce que l'échec veut dire, et une phrase."""
    if not courriel.destinataire.is_active:
        return Echec.REFUS, "Le compte a été désactivé avant l'envoi."
    try:
        # Ouverte ici, elle sert à tout le passage ; et la refermer ne se confond pas avec l'envoi.
        connexion.open()
        _message(courriel, connexion).send()
    except (OSError, ValueError) as erreur:
        return _juger(erreur)
    return None, ""


def _message(courriel: Courriel, connexion) -> EmailMultiAlternatives:
    site = urlsplit(settings.ADRESSE_DU_SITE).hostname or "localhost"
    en_tetes = {
        # Le même à chaque essai : une messagerie qui l'aurait reçu deux fois n'en montre qu'un.
        "Message-ID": f"<courriel-{courriel.pk}-{courriel.prepare_le:%Y%m%d%H%M%S}@{site}>",
        # Ni réponse d'absence ni accusé : personne ne lirait.
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if courriel.est_un_rappel:
        en_tetes["List-Unsubscribe"] = f"<{settings.ADRESSE_DU_SITE}{DESINSCRIPTION}>"
    message = EmailMultiAlternatives(
        courriel.objet,
        courriel.texte,
        settings.DEFAULT_FROM_EMAIL,
        [courriel.adresse],
        connection=connexion,
        headers=en_tetes,
    )
    message.attach_alternative(courriel.html, "text/html")
    return message


# --- Comprendre un échec ------------------------------------------------------------------------


def _juger(erreur: Exception) -> tuple[Echec, str]:
    """Ce que dit une erreur de smtplib, du réseau ou du message lui-même."""
    serveur = f"Le serveur de courriels {settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    match erreur:
        case smtplib.SMTPRecipientsRefused():
            code, reponse = next(iter(erreur.recipients.values()))
            return _selon(code), f"{serveur} refuse l'adresse ({code} {_lisible(reponse)})."
        case smtplib.SMTPDataError():
            return _selon(erreur.smtp_code), f"{serveur} refuse le message ({_reponse(erreur)})."
        case smtplib.SMTPSenderRefused():
            return Echec.PANNE, f"{serveur} refuse l'expéditeur {settings.DEFAULT_FROM_EMAIL} ({_reponse(erreur)})."
        case smtplib.SMTPAuthenticationError():
            return Echec.PANNE, f"{serveur} refuse le compte ou le mot de passe de EMAIL_URL ({_reponse(erreur)})."
        case smtplib.SMTPResponseException():
            return Echec.PANNE, f"{serveur} refuse de servir ({_reponse(erreur)})."
        case _ if isinstance(erreur, TimeoutError) or isinstance(erreur.__context__, TimeoutError):
            return Echec.PANNE, f"{serveur} n'a pas répondu à temps."
        case smtplib.SMTPNotSupportedError():
            return Echec.PANNE, f"{serveur} ne sait pas faire ce que demande EMAIL_URL ({_lisible(erreur)})."
        case smtplib.SMTPServerDisconnected():
            return Echec.PANNE, f"{serveur} a coupé la connexion."
        case OSError():
            return Echec.PANNE, f"{serveur} est injoignable ({_lisible(erreur)})."
    return Echec.REFUS, f"Le message ne peut pas s'écrire ({_lisible(erreur)})."


def _selon(code: int) -> Echec:
    if code == SERVEUR_FERME:
        return Echec.PANNE
    return Echec.REFUS if code >= DEFINITIF else Echec.PLUS_TARD


def _reponse(erreur: smtplib.SMTPResponseException) -> str:
    return f"{erreur.smtp_code} {_lisible(erreur.smtp_error)}"


def _lisible(dit: object) -> str:
    """Ce que le serveur a répondu, sur une ligne, coupé à ce qu'un courriel garde."""
    texte = dit.decode("utf-8", "replace") if isinstance(dit, bytes) else str(dit)
    return " ".join(texte.split())[:300]
