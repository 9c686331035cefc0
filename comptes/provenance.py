"""D'où vient une demande : l'adresse du visiteur, que les serveurs frontaux ont relevée."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def adresse_du_client(request: HttpRequest) -> str:
    """L'adresse de la connexion ; derrière PROXYS_DE_CONFIANCE relais, celle que le plus éloigné d'entre eux a vue.

    Un client peut commencer l'en-tête X-Forwarded-For comme il veut : seuls comptent les derniers éléments, que nos
    relais ont ajoutés. Un en-tête trop court ou illisible ne dit rien.
    """
    directe = request.META.get("REMOTE_ADDR", "")
    relevees = [adresse.strip() for adresse in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    if not settings.PROXYS_DE_CONFIANCE or len(relevees) < settings.PROXYS_DE_CONFIANCE:
        return directe
    try:
        return str(ipaddress.ip_address(relevees[-settings.PROXYS_DE_CONFIANCE]))
    except ValueError:
        return directe
