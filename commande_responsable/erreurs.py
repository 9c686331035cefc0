"""Pages d'erreur : une phrase, ce qu'on peut faire, et ce qui avait été saisi pour ne pas le retaper."""

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

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
        return erreur_json(erreur.code, erreur.phrase)
    saisies = [
        (champ, valeur)
        for champ, valeurs in request.POST.lists()
        if champ not in CHAMPS_TUS and "password" not in champ
        for valeur in valeurs
        if valeur.strip()
    ]
    return render(request, "erreur.html", {"erreur": erreur, "saisies": saisies}, status=erreur.code)


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
    """Sans base ni session : la panne peut venir d'elles."""
    if request.path_info.startswith(RACINE):
        return erreur_json(500, "Une erreur est survenue : elle est notée, et rien n'a été modifié.")
    return render(None, "500.html", status=500)
