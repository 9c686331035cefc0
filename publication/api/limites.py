"""Combien de demandes un client peut faire : un compte par minute, dans le cache en base que les processus partagent.

La minute est celle de l'horloge : un client peut donc, à cheval sur deux minutes, faire deux fois le compte. Lire
puis écrire n'est pas d'un seul tenant : des demandes simultanées peuvent ne compter que pour une, et le dépasser
d'autant que le site a de fils d'exécution. C'est assez pour qu'aucun client n'accapare le site.
"""

import ipaddress
import math
import time

from django.core.cache import caches
from django.utils.crypto import salted_hmac

FENETRE = 60  # secondes


def attente(sujet: str, limite: int) -> int | None:
    """Compte une demande de ce client. None si elle passe, sinon le nombre de secondes à attendre.

    `sujet` : « jeton:12 », ou « adresse:… » (voir `groupe`). Il n'est gardé que haché : une adresse est une donnée
    personnelle.
    """
    maintenant = time.time()
    fenetre = int(maintenant // FENETRE)
    cle = salted_hmac("publication.api.limites", f"{sujet}:{fenetre}", algorithm="sha256").hexdigest()
    comptes = caches["limites"]
    deja = comptes.get(cle, 0)
    if deja >= limite:
        return max(1, math.ceil((fenetre + 1) * FENETRE - maintenant))
    comptes.set(cle, deja + 1, timeout=2 * FENETRE)
    return None


def groupe(adresse: str) -> str:
    """L'adresse, ou son réseau en IPv6 : un même abonné y a un /64 entier. Une adresse IPv4 relevée par un serveur qui
    écoute en IPv6 (« ::ffff:192.0.2.1 ») reste la sienne : elles ont toutes le même /64."""
    try:
        lue = ipaddress.ip_address(adresse)
    except ValueError:
        return "inconnue"
    lue = getattr(lue, "ipv4_mapped", None) or lue
    return str(ipaddress.ip_network((lue, 64), strict=False)) if lue.version == 6 else str(lue)
