"""La règle des mots de passe, et le lien qui permet d'en choisir un autre."""

import re
import secrets

from allauth.account.forms import default_token_generator
from allauth.account.utils import filter_users_by_email, user_pk_to_url_str
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django_tasks import task

from comptes.courriels import Courriel, Lettre
from comptes.envoi import envoyer_des_que_possible
from comptes.gestes import Geste
from comptes.models import Utilisateur
from comptes.traces import tracer
from socle.formats import accorder

# Délibération 2022-100 de la CNIL, du 21 juillet 2022 : les trois exemples qu'elle donne d'un mot de passe seul.
AVEC_SIGNES = 12
SANS_SIGNE = 14
MOTS_D_UNE_PHRASE = 7

REGLE = (
    f"{AVEC_SIGNES} caractères au moins, avec des majuscules, des minuscules, des chiffres et des signes ; "
    f"ou {SANS_SIGNE} sans signe ; ou une phrase d'au moins {MOTS_D_UNE_PHRASE} mots différents."
)


class RegleDeLaCnil:
    """Douze caractères de quatre sortes, quatorze de trois, ou une phrase : délibération CNIL 2022-100."""

    def validate(self, password: str, user=None) -> None:
        """Lève ValidationError, avec ce qui manque, si aucune des trois formes n'est tenue."""
        manque = ce_qui_manque(password)
        if manque:
            raise ValidationError(f"Il manque {manque}. La règle : {REGLE}", code="mot_de_passe_trop_faible")

    def get_help_text(self) -> str:
        return REGLE


def ce_qui_manque(mot_de_passe: str) -> str:
    """« 3 caractères, une majuscule » pour la forme la plus courte ; vide si le mot de passe convient."""
    sortes = {
        "une majuscule": any(signe.isupper() for signe in mot_de_passe),
        "une minuscule": any(signe.islower() for signe in mot_de_passe),
        "un chiffre": any(signe.isdecimal() for signe in mot_de_passe),
    }
    trois = all(sortes.values())
    signe = any(not signe.isalnum() for signe in mot_de_passe)
    longueur = len(mot_de_passe)
    if (trois and (longueur >= SANS_SIGNE or (signe and longueur >= AVEC_SIGNES))) or _est_une_phrase(mot_de_passe):
        return ""
    if trois and longueur >= AVEC_SIGNES:
        return f"un signe, ou {accorder(SANS_SIGNE - longueur, 'caractère')}"
    courts = [accorder(AVEC_SIGNES - longueur, "caractère")] if longueur < AVEC_SIGNES else []
    absents = [nom for nom, la in (*sortes.items(), ("un signe", signe)) if not la]
    return ", ".join(courts + absents)


def _est_une_phrase(mot_de_passe: str) -> bool:
    """Le même mot répété n'en fait pas une ; sept lettres espacées non plus."""
    mots = {mot.casefold() for mot in re.findall(r"[^\W_]+", mot_de_passe)}
    return len(mots) >= MOTS_D_UNE_PHRASE and len(mot_de_passe) > SANS_SIGNE


# --- Mot de passe oublié ------------------------------------------------------------------------


@task()
def envoyer_un_lien(adresse: str) -> None:
    """Prépare le lien de qui a cette adresse, si quelqu'un l'a.

    L'ouvrier la cherche, et non la page : elle répond ainsi la même chose, aussi vite, que le compte existe ou non.
    """
    with transaction.atomic():
        for compte in filter_users_by_email(adresse, is_active=True, prefer_verified=True):
            preparer_le_lien(compte)


def preparer_le_lien(compte: Utilisateur) -> None:
    """Écrit au compte un lien qui ne sert qu'une fois, dans la transaction de l'appelant."""
    cle = f"{user_pk_to_url_str(compte)}-{default_token_generator.make_token(compte)}"
    uid, _, jeton = cle.partition("-")
    chemin = reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": jeton})
    contexte = {
        # L'adresse vient du réglage, jamais de l'en-tête Host d'une demande que n'importe qui peut écrire.
        "lien": f"{settings.ADRESSE_DU_SITE}{chemin}",
        "duree": accorder(settings.PASSWORD_RESET_TIMEOUT // 3600, "heure"),
    }
    cle_d_envoi = f"mot-de-passe-{compte.pk}-{secrets.token_hex(8)}"
    Courriel.objects.preparer_tous(
        [Lettre(compte, cle_d_envoi, "courriels/mot_de_passe", contexte, confidentiel=True)]
    )
    tracer(Geste.MOT_DE_PASSE, None, f"Compte {compte.username}", details={"fait": "lien demandé"})
    envoyer_des_que_possible()
