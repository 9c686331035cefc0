"""Les jetons par lesquels un programme lit l'API au nom d'un compte.

Un jeton ne vaut que ce que son titulaire peut lire au moment de la demande : un droit retiré agit aussitôt. Il expire
toujours, un an au plus après sa création. Seule son empreinte est gardée.
"""

from datetime import datetime, timedelta

from django.db import models, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from comptes.droits import Droit, peut
from comptes.gestes import Jeton, PorteeDeJeton
from comptes.models import Utilisateur

# Reconnaissable dans un fichier où il n'aurait pas dû être copié.
DEBUT_DU_SECRET = "cpr_"  # noqa: S105 - un préfixe, pas un secret
# Les portées de l'API, et ce que chacune lit.
PORTEES = {
    PorteeDeJeton.API: "Tout",
    PorteeDeJeton.API_ACTIONS: "Plans, actions et partenaires",
    PorteeDeJeton.API_INDICATEURS: "Indicateurs et valeurs",
    PorteeDeJeton.API_BILANS: "Bilans arrêtés",
}


class Duree(models.IntegerChoices):
    """En jours. Il n'y a pas de jeton sans fin."""

    UN_MOIS = 30, "30 jours"
    TROIS_MOIS = 90, "90 jours"
    SIX_MOIS = 180, "180 jours"
    UN_AN = 365, "Un an"


def secret_de(utilisateur: Utilisateur, alea: str) -> str:
    """Le secret, tiré de la clé du site et d'un aléa de la page : le même envoi reçu deux fois donne le même jeton,
    sans que le secret soit gardé nulle part."""
    tire = salted_hmac("comptes.jetons_d_api", f"{utilisateur.pk}:{alea}", algorithm="sha256").hexdigest()
    return f"{DEBUT_DU_SECRET}{tire}"


def ouvrir(utilisateur: Utilisateur, *, nom: str, portees: list[str], duree: Duree, alea: str) -> Jeton:
    """Le nouveau jeton, ou celui que ce même envoi a déjà créé, révoqué ou non."""
    secret = secret_de(utilisateur, alea)
    with transaction.atomic():
        Utilisateur.objects.select_for_update(of=("self",)).get(pk=utilisateur.pk)
        deja = Jeton.objects.filter(empreinte=Jeton.empreinte_de(secret)).first()
        if deja:
            return deja
        fin = timezone.now() + timedelta(days=duree)
        return Jeton.objects.emettre(utilisateur, nom, portees, expire_le=fin, secret=secret)[0]


def est_de_l_api(jeton: Jeton) -> bool:
    return not {portee.value for portee in PORTEES}.isdisjoint(jeton.portees)


def jetons_de(utilisateur: Utilisateur) -> list[Jeton]:
    """Ses jetons d'API ni révoqués ni expirés, le dernier créé d'abord."""
    jetons = Jeton.objects.filter(utilisateur=utilisateur).valables(timezone.now())
    return [jeton for jeton in jetons if est_de_l_api(jeton)]


def jeton_du_secret(secret: str, le: datetime) -> Jeton | None:
    """None si ce secret n'ouvre pas l'API, quelle qu'en soit la raison : inconnu, révoqué, expiré ou sans fin, d'une
    autre portée, d'un compte désactivé ou qui n'a plus le droit de lire."""
    jetons = Jeton.objects.valables(le).filter(expire_le__isnull=False).select_related("utilisateur")
    jeton = jetons.filter(empreinte=Jeton.empreinte_de(secret)).first()
    if jeton is None or not est_de_l_api(jeton) or not peut(jeton.utilisateur, Droit.CONSULTER):
        return None
    return jeton
