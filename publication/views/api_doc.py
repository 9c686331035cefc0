"""Le document de l'API, et la page qui le montre."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from publication.api.porte import gardable, ouverte
from publication.reponses import page


@ouverte
def document(request: HttpRequest) -> HttpResponse:
    """Le document OpenAPI, en JSON."""
    from publication.api.document import document as composer

    return gardable(request, JsonResponse(composer(), json_dumps_params={"ensure_ascii": False}))


@ouverte
def documentation(request: HttpRequest) -> HttpResponse:
    """Le même document, en page : une adresse après l'autre."""
    from publication.api.presentation import presenter

    return page(request, "publication/api.html", {"api": presenter(), "plans": settings.PAGES_PUBLIQUES})
