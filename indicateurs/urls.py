from django.urls import path

from indicateurs.views import objectifs, pages, valeurs

app_name = "indicateurs"

urlpatterns = [
    path("", pages.liste, name="liste"),
    path("objectifs/", objectifs.objectifs, name="objectifs"),
    path("<slug:code>/", pages.detail, name="detail"),
    path("<slug:code>/valeurs/<int:annee>/", valeurs.valeur, name="valeur"),
]
