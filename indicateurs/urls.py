from django.urls import path

from indicateurs.views import justificatifs, objectifs, pages, saisie, valeurs

app_name = "indicateurs"

urlpatterns = [
    path("", pages.liste, name="liste"),
    path("objectifs/", objectifs.objectifs, name="objectifs"),
    path("saisie/<int:annee>/", saisie.saisie, name="saisie"),
    path("saisie/<int:annee>/<slug:code>/", saisie.enregistrer_la_ligne, name="saisie_ligne"),
    path("<slug:code>/", pages.detail, name="detail"),
    path("<slug:code>/valeurs/<int:annee>/", valeurs.valeur, name="valeur"),
    path("<slug:code>/valeurs/<int:annee>/historique/", pages.historique_de_la_valeur, name="historique_de_la_valeur"),
    path("<slug:code>/valeurs/<int:annee>/justificatifs/ajouter/", justificatifs.ajouter, name="justificatif_ajouter"),
    path("<slug:code>/valeurs/<int:annee>/justificatifs/<int:justificatif>/", justificatifs.lire, name="justificatif"),
    path(
        "<slug:code>/valeurs/<int:annee>/justificatifs/<int:justificatif>/retirer/",
        justificatifs.retirer,
        name="justificatif_retirer",
    ),
]
