from django.urls import path

from bilans.views import liste, page, pdf

app_name = "bilans"

urlpatterns = [
    path("", liste.liste, name="liste"),
    path("<slug:plan>/<int:annee>/", page.bilan, name="bilan"),
    path("<slug:plan>/<int:annee>/versions/<int:rang>/", page.version, name="version"),
    path("<slug:plan>/<int:annee>/versions/<int:rang>/<str:portee>.json", page.contenu_arrete, name="contenu_arrete"),
    path("<slug:plan>/<int:annee>/pdf/", pdf.pdf, name="pdf"),
    path("<slug:plan>/<int:annee>/versions/<int:rang>/pdf/", pdf.pdf_de_version, name="pdf_de_version"),
    path("tirages/<int:tirage>/", pdf.tirage, name="tirage"),
    path("tirages/<int:tirage>/fichier/", pdf.fichier_de_tirage, name="fichier_de_tirage"),
]
