"""Les erreurs de l'API : toujours du JSON, une phrase en français, jamais le détail d'une panne."""

from collections.abc import Mapping

from django.http import JsonResponse

FERMEE = "L'API n'est pas ouverte sur ce site."
INCONNUE = "Cette adresse n'existe pas dans l'API : voir /api/v1/openapi.json."
METHODE = "L'API est en lecture seule : GET ou HEAD."
SANS_JETON = "Il faut un jeton : « Authorization: Bearer … »."
JETON_REFUSE = "Ce jeton n'ouvre rien : inconnu, expiré, révoqué, ou d'un compte qui n'a plus le droit de lire."


def erreur(code: int, phrase: str, parametres: Mapping[str, str] | None = None, *, demande: str = "") -> JsonResponse:
    """`parametres` : ce qui ne va pas, par paramètre de l'adresse ; `demande` : le numéro à donner à l'administrateur,
    que tout en-tête X-Numero-De-Demande porte aussi."""
    corps: dict[str, object] = {"erreur": phrase}
    if parametres:
        corps["parametres"] = dict(parametres)
    if demande:
        corps["demande"] = demande
    return JsonResponse(corps, status=code, json_dumps_params={"ensure_ascii": False})


def methode_refusee() -> JsonResponse:
    reponse = erreur(405, METHODE)
    reponse["Allow"] = "GET, HEAD"
    return reponse


def sans_droit(phrase: str) -> JsonResponse:
    """401 : le défi dit comment s'authentifier (RFC 6750)."""
    reponse = erreur(401, phrase)
    reponse["WWW-Authenticate"] = 'Bearer realm="api"'
    return reponse


def trop_de_demandes(attente: int) -> JsonResponse:
    """`attente` : en secondes."""
    reponse = erreur(429, f"Trop de demandes en une minute. Réessayez dans {attente} s.")
    reponse["Retry-After"] = str(attente)
    return reponse
