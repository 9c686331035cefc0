from django.urls import path

from bilans.views import liste, page

app_name = "bilans"

urlpatterns = [
    path("", liste.liste, name="liste"),
    path("<slug:plan>/<int:annee>/", page.bilan, name="bilan"),
    path("<slug:plan>/<int:annee>/versions/<int:rang>/", page.version, name="version"),
    path("<slug:plan>/<int:annee>/versions/<int:rang>/<str:portee>.json", page.contenu_arrete, name="contenu_arrete"),
]
