"""Ce qui est public ne dépend de personne : ni cookie lu, ni cookie posé."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

ADRESSES = ("/public/", "/api/")


class SansCookie:
    """Sous ces adresses, cache les cookies au reste du site et n'en laisse sortir aucun.

    Une personne connectée et un passant reçoivent donc les mêmes octets, qu'un cache partagé peut garder.
    """

    def __init__(self, suite: Callable[[HttpRequest], HttpResponse]) -> None:
        self.suite = suite

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(ADRESSES):
            return self.suite(request)
        request.META.pop("HTTP_COOKIE", None)
        reponse = self.suite(request)
        reponse.cookies.clear()
        varie = [nom for nom in re.split(r"\s*,\s*", reponse.get("Vary", "")) if nom and nom.lower() != "cookie"]
        if varie:
            reponse["Vary"] = ", ".join(varie)
        else:
            del reponse["Vary"]
        return reponse
