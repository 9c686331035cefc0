from django.urls import path

from indicateurs.views import classeur, objectifs, pages, saisie, valeurs

app_name = "indicateurs"

urlpatterns = [
    path("", pages.liste, name="liste"),
    path("objectifs/", objectifs.objectifs, name="objectifs"),
    path("export/", classeur.export, name="export"),
    path("import/", classeur.importer, name="importer"),
    path("import/appliquer/", classeur.appliquer_l_import, name="appliquer_import"),
    path("saisie/<int:annee>/", saisie.saisie, name="saisie"),
    path("saisie/<int:annee>/<slug:code>/", saisie.enregistrer_la_ligne, name="saisie_ligne"),
    path("<slug:code>/", pages.detail, name="detail"),
    path("<slug:code>/valeurs/<int:annee>/", valeurs.valeur, name="valeur"),
]
