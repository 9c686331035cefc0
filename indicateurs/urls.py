from django.urls import path

from indicateurs.views import pages, saisie

app_name = "indicateurs"

urlpatterns = [
    path("", pages.liste, name="liste"),
    path("saisie/<int:annee>/", saisie.saisie, name="saisie"),
    path("saisie/<int:annee>/<slug:code>/", saisie.enregistrer_la_ligne, name="saisie_ligne"),
    path("<slug:code>/", pages.detail, name="detail"),
]
