"""Les adresses de l'API. Toutes sont connues du site, qu'elle soit ouverte ou non : fermée, chacune est un 404.

Rien ici n'importe django-ninja ni pydantic : la première demande servie les charge (`publication.api.porte`).
"""

from django.urls import path

from publication.api.porte import inconnue, porte
from publication.api.routes import ROUTES
from publication.views.api_doc import document, documentation

app_name = "api"

urlpatterns = [
    path("", documentation, name="documentation"),
    path("openapi.json", document, name="openapi"),
    *(
        path(adresse.replace("{", "<str:").replace("}", ">"), porte, {"nom": nom}, name=nom)
        for nom, adresse in ROUTES.items()
    ),
    # Ce qui n'existe pas se dit en JSON aussi.
    path("<path:reste>", inconnue, name="inconnue"),
]
