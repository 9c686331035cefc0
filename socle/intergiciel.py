"""Ce qui se décide d'une demande avant toute page."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class ToujoursEnUtf8:
    """Lit les demandes en UTF-8, comme nos pages les envoient, quoi qu'en dise leur en-tête Content-Type.

    Django croirait cet en-tête : « charset=utf-7 », « raw-unicode-escape » ou « base64 » feraient d'octets innocents
    des textes que la base et les réponses ne savent pas écrire.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.encoding is not None:
            request.encoding = "utf-8"
        return self.get_response(request)
