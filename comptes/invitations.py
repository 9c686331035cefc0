"""Inviter quelqu'un à choisir son mot de passe : un lien signé, qui sert une fois et finit par ne plus valoir.

Rien n'en est gardé. La signature porte sur le compte tel qu'il était : désactivé, d'un autre courriel, avec un mot de
passe, ou invité de nouveau, le lien d'avant ne vaut plus.
"""

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from comptes.blocages import debloquer_le_compte
from comptes.courriels import Courriel, Lettre
from comptes.envoi import envoyer_des_que_possible
from comptes.gestes import Geste
from comptes.models import Utilisateur
from comptes.traces import tracer

SEL = "comptes.invitations"
SECONDES_PAR_JOUR = 24 * 3600


def pourquoi_pas(compte: Utilisateur) -> str:
    """Pourquoi ce compte ne peut pas être invité ; vide s'il peut l'être."""
    if not compte.is_active:
        return "il n'est pas actif"
    if not compte.courriel:
        return "il n'a pas de courriel"
    if compte.sub_oidc:
        return "il se connecte par le fournisseur d'identité"
    if compte.has_usable_password():
        return "il a déjà un mot de passe"
    return ""


@transaction.atomic
def inviter(compte: Utilisateur, par: Utilisateur) -> bool:
    """Prépare le courriel d'invitation ; le lien d'une invitation d'avant ne vaut plus. Faux, et rien ne change, si
    `pourquoi_pas` a quelque chose à dire."""
    compte = Utilisateur.objects.select_for_update().get(pk=compte.pk)
    if pourquoi_pas(compte):
        return False
    # Django y met chaque fois un autre aléa : c'est lui que le lien signe.
    compte.set_unusable_password()
    compte.save(update_fields=["password"])
    contexte = {"auteur": par, "jeton": jeton_pour(compte), "jours": settings.INVITATION_JOURS}
    cle = f"invitation-{compte.pk}-{_empreinte(compte)[:32]}"
    Courriel.objects.preparer_tous([Lettre(compte, cle, "courriels/invitation", contexte, confidentiel=True)])
    envoyer_des_que_possible()
    tracer(Geste.INVITATION, par, f"Compte {compte.username}", details={"invité à": compte.courriel})
    return True


def jeton_pour(compte: Utilisateur) -> str:
    """Ce que le lien porte : le numéro du compte et l'empreinte de ce qu'il est, signés et datés."""
    return signing.dumps([compte.pk, _empreinte(compte)], salt=SEL)


def compte_invite(jeton: str, *, verrouiller: bool = False) -> Utilisateur | None:
    """Le compte que ce jeton ouvre ; None s'il est faux, trop ancien, annulé ou déjà utilisé, sans dire lequel."""
    try:
        contenu = signing.loads(jeton, salt=SEL, max_age=settings.INVITATION_JOURS * SECONDES_PAR_JOUR)
    except signing.BadSignature:
        return None
    numero, empreinte = contenu
    comptes = Utilisateur.objects.filter(pk=numero)
    compte = (comptes.select_for_update() if verrouiller else comptes).first()
    if compte is None or pourquoi_pas(compte) or not constant_time_compare(empreinte, _empreinte(compte)):
        return None
    return compte


def accepter(compte: Utilisateur, mot_de_passe: str) -> None:
    """Enregistre le mot de passe choisi, déjà validé, dans la transaction de l'appelant."""
    compte.set_password(mot_de_passe)
    compte.save(update_fields=["password"])
    debloquer_le_compte(compte)
    tracer(Geste.INVITATION, compte, f"Compte {compte.username}", details={"acceptée": "mot de passe choisi"})


def _empreinte(compte: Utilisateur) -> str:
    return salted_hmac(SEL, f"{compte.pk}|{compte.password}|{compte.courriel}", algorithm="sha256").hexdigest()
