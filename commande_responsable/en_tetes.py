"""Les en-têtes que toute réponse porte, quel que soit l'étage qui l'a écrite."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# SecurityMiddleware en pose l'essentiel, mais ne voit pas les réponses écrites avant lui (un hôte refusé).
PAR_DEFAUT = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    # Aucun autre site n'affiche nos images ni ne charge nos fichiers dans ses pages.
    "Cross-Origin-Resource-Policy": "same-origin",
    # Une page qui n'a pas dit comment se garder ne se garde nulle part : sur un poste partagé, le bouton « précédent »
    # ne la remontre pas à qui vient après une déconnexion.
    "Cache-Control": "no-store, private",
}
# Des données ouvertes se lisent depuis n'importe quel site : elles le disent aussi par CORS.
OUVERT_A_TOUS = "Access-Control-Allow-Origin"


class EnTetesParDefaut:
    """Complète sans rien remplacer : qui sert un fichier public dit lui-même combien de temps il se garde."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        reponse = self.get_response(request)
        if OUVERT_A_TOUS in reponse.headers:
            reponse.headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin")
        for nom, valeur in PAR_DEFAUT.items():
            reponse.headers.setdefault(nom, valeur)
        return reponse
