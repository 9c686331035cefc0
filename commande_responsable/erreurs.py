"""Pages d'erreur : une phrase, ce qu'on peut faire, et ce qui avait été saisi pour ne pas le retaper."""

import sys
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from commande_responsable.pannes import REESSAYER_DANS, Panne, panne_de, rien_n_est_enregistre
from comptes.demande import demande_en_cours
from publication.api.erreurs import erreur as erreur_json
from publication.api.routes import RACINE
from socle.erreurs import DemandeIllisible, Introuvable

# Ce qu'une page d'erreur ne réaffiche pas, ni aucun champ de mot de passe quel que soit son nom.
CHAMPS_TUS = ("csrfmiddlewaretoken", "version")


@dataclass(frozen=True)
class PageErreur:
    code: int
    titre: str
    phrase: str


def _page(request: HttpRequest, erreur: PageErreur) -> HttpResponse:
    if request.path_info.startswith(RACINE):
        # Un programme ne lit pas une page.
        return erreur_json(erreur.code, erreur.phrase, demande=demande_en_cours().numero)
    contexte = {"erreur": erreur, "saisies": saisies(request), "numero": demande_en_cours().numero}
    return render(request, "erreur.html", contexte, status=erreur.code)


def saisies(request: HttpRequest) -> list[tuple[str, str]]:
    """Ce qui avait été tapé, champ par champ, sauf ce qui est secret ou sans intérêt."""
    return [
        (champ, valeur)
        for champ, valeurs in request.POST.lists()
        if champ not in CHAMPS_TUS and "password" not in champ
        for valeur in valeurs
        if valeur.strip()
    ]


def demande_illisible(request, exception=None) -> HttpResponse:
    phrase = "L'adresse ou le formulaire envoyé n'est pas compréhensible."
    if isinstance(exception, DemandeIllisible):
        phrase = str(exception)
    return _page(request, PageErreur(400, "Demande incompréhensible", phrase))


def interdit(request, exception=None) -> HttpResponse:
    phrase = "Votre rôle ne permet pas ce geste."
    if isinstance(exception, PermissionDenied) and exception.args:
        phrase = str(exception)
    return _page(request, PageErreur(403, "Geste refusé", phrase))


def jeton_csrf_refuse(request, reason="") -> HttpResponse:
    phrase = (
        "Le formulaire a été ouvert dans une autre session, ou il est trop ancien : rien n'a été enregistré. "
        "Rouvrez la page et recommencez."
    )
    return _page(request, PageErreur(403, "Formulaire périmé", phrase))


def introuvable(request, exception=None) -> HttpResponse:
    phrase = "Cette page n'existe pas, ou n'existe plus."
    if isinstance(exception, Introuvable):
        phrase = str(exception)
    return _page(request, PageErreur(404, "Page introuvable", phrase))


def trop_d_essais(request, *args, **kwargs) -> HttpResponse:
    """Réponse d'axes après trop d'essais de connexion ratés."""
    phrase = (
        "Trop d'essais de connexion ont échoué. Attendez un quart d'heure, choisissez un nouveau mot de passe par "
        "« Mot de passe oublié », ou demandez à l'administrateur de vous débloquer."
    )
    return _page(request, PageErreur(429, "Trop d'essais", phrase))


def trop_de_demandes(request, exception=None) -> HttpResponse:
    """Réponse d'allauth à qui change ou redemande son mot de passe sans s'arrêter."""
    phrase = "Trop de demandes en peu de temps. Attendez quelques minutes avant de recommencer."
    return _page(request, PageErreur(429, "Trop de demandes", phrase))


def panne(request) -> HttpResponse:
    """Sans base ni session : la panne peut venir d'elles. Celle de la machine se dit (503), le reste est un 500."""
    de_la_machine = panne_de(sys.exc_info()[1])
    if de_la_machine is not None:
        return indisponible(request, de_la_machine)
    if request.path_info.startswith(RACINE):
        phrase = "Une erreur est survenue : elle est notée, et rien n'a été modifié."
        return erreur_json(500, phrase, demande=demande_en_cours().numero)
    tapees, fichiers = _recu(request)
    contexte = {
        "saisies": tapees,
        "fichiers": fichiers,
        "numero": demande_en_cours().numero,
        "rien": rien_n_est_enregistre(),
    }
    return render(None, "500.html", contexte, status=500)


def indisponible(request: HttpRequest, quoi: Panne) -> HttpResponse:
    """503, sans base ni session : la phrase dit ce qui manque, et ce qu'il est advenu de l'envoi."""
    envoi = request.method not in ("GET", "HEAD", "OPTIONS")
    if not envoi:
        suite = "Réessayez dans un instant : rien n'est perdu."
    elif rien_n_est_enregistre():
        suite = "Rien de votre envoi n'a été enregistré. Réessayez dans un instant."
    else:
        suite = "Votre envoi est peut-être enregistré : rouvrez la page pour le voir avant de recommencer."
    erreur = PageErreur(503, "Le site ne peut pas répondre pour l'instant", f"{quoi.value} {suite}")
    if request.path_info.startswith(RACINE):
        reponse: HttpResponse = erreur_json(503, erreur.phrase, demande=demande_en_cours().numero)
    else:
        tapees, fichiers = _recu(request) if envoi else ([], [])
        contexte = {"erreur": erreur, "saisies": tapees, "fichiers": fichiers, "numero": demande_en_cours().numero}
        reponse = render(None, "503.html", contexte, status=503)
    reponse["Retry-After"] = str(REESSAYER_DANS)
    reponse["Cache-Control"] = "no-store"
    return reponse


def _recu(request: HttpRequest) -> tuple[list[tuple[str, str]], list[str]]:
    """Ce qui était tapé et les noms des fichiers joints ; rien si l'envoi lui-même n'a pas pu être gardé."""
    try:
        return saisies(request), [str(fichier.name) for _, tous in request.FILES.lists() for fichier in tous]
    except Exception:
        # Un envoi qu'on ne sait plus lire ne doit pas empêcher la page de dire la panne.
        return [], []
