"""L'aperçu, dans l'administration : la page de l'indicateur telle qu'elle serait, sans rien enregistrer."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from indicateurs.models import Indicateur
from indicateurs.views.pages import detail

DEMANDE = "_apercu"
RIEN_N_EST_ENREGISTRE = "Aperçu : rien n'est enregistré. Fermez cet onglet pour revenir à la fiche."


class AvecApercu:
    """À mettre devant AdminVersionne : un bouton montre la page, dans un autre onglet, puis tout est défait.

    Une fiche refusée se montre avec ses erreurs, comme à l'enregistrement.
    """

    def indicateur_de(self, obj: Any) -> Indicateur:
        raise NotImplementedError

    def changeform_view(self, request: HttpRequest, object_id=None, form_url="", extra_context=None):
        ouvrir: Any = super()  # type: ignore[misc]
        if DEMANDE not in request.POST:
            return ouvrir.changeform_view(request, object_id, form_url, extra_context)
        with transaction.atomic():
            reponse = ouvrir.changeform_view(request, object_id, form_url, extra_context)
            if hasattr(reponse, "render"):
                # La fiche refusée se rend ici, sur ce qui est en base.
                reponse.render()
            transaction.set_rollback(True)
        return reponse

    def response_add(self, request: HttpRequest, obj: Any, *suite) -> HttpResponse:
        return self._montrer(request, obj) or super().response_add(request, obj, *suite)  # type: ignore[misc]

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._montrer(request, obj) or super().response_change(request, obj)  # type: ignore[misc]

    def _montrer(self, request: HttpRequest, obj: Any) -> HttpResponse | None:
        if DEMANDE not in request.POST:
            return None
        messages.warning(request, RIEN_N_EST_ENREGISTRE)
        # Une page se lit, même quand la fiche l'a envoyée.
        request.method = "GET"
        return detail(request, self.indicateur_de(obj).code)
