from django.urls import path

from bilans.views import arreter, ecarts, liste, page, preparer, references

app_name = "bilans"

urlpatterns = [
    path("", liste.liste, name="liste"),
    path("<slug:plan>/<int:annee>/", page.bilan, name="bilan"),
    path("<slug:plan>/<int:annee>/versions/<int:rang>/", page.version, name="version"),
    path("<slug:plan>/<int:annee>/versions/<int:rang>/<str:portee>.json", page.contenu_arrete, name="contenu_arrete"),
    # --- Autour de l'arrêt
    path("<slug:plan>/<int:annee>/preparer/", preparer.preparer, name="preparer"),
    path("<slug:plan>/<int:annee>/arreter/", arreter.arreter, name="arreter"),
    path("<slug:plan>/<int:annee>/rouvrir/", arreter.rouvrir, name="rouvrir"),
    path("<slug:plan>/<int:annee>/publier/", arreter.publier, name="publier"),
    path("<slug:plan>/<int:annee>/depublier/", arreter.depublier, name="depublier"),
    path("<slug:plan>/<int:annee>/references/", references.references, name="references"),
    path("<slug:plan>/<int:annee>/ecarts/", ecarts.ecarts, name="ecarts"),
]
