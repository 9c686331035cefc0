from django.urls import path

from bilans.views import arreter, changements, comparer, docx, ecarts, liste, page, pdf, preparer, references

app_name = "bilans"

urlpatterns = [
    path("", liste.liste, name="liste"),
    # Avant les plans, dont l'adresse pourrait sinon les prendre pour une année.
    path("tirages/<int:tirage>/", pdf.tirage, name="tirage"),
    path("tirages/<int:tirage>/fichier/", pdf.fichier_de_tirage, name="fichier_de_tirage"),
    path("<slug:plan>/<int:annee>/", page.bilan, name="bilan"),
    path("<slug:plan>/<int:annee>/versions/<int:rang>/", page.version, name="version"),
    path("<slug:plan>/<int:annee>/versions/<int:rang>/<str:portee>.json", page.contenu_arrete, name="contenu_arrete"),
    path("<slug:plan>/<int:annee>/pdf/", pdf.pdf, name="pdf"),
    path("<slug:plan>/<int:annee>/versions/<int:rang>/pdf/", pdf.pdf_de_version, name="pdf_de_version"),
    # --- Autour de l'arrêt
    path("<slug:plan>/<int:annee>/preparer/", preparer.preparer, name="preparer"),
    path("<slug:plan>/<int:annee>/arreter/", arreter.arreter, name="arreter"),
    path("<slug:plan>/<int:annee>/rouvrir/", arreter.rouvrir, name="rouvrir"),
    path("<slug:plan>/<int:annee>/publier/", arreter.publier, name="publier"),
    path("<slug:plan>/<int:annee>/depublier/", arreter.depublier, name="depublier"),
    path("<slug:plan>/<int:annee>/references/", references.references, name="references"),
    path("<slug:plan>/<int:annee>/ecarts/", ecarts.ecarts, name="ecarts"),
    path("<slug:plan>/changements/", changements.changements, name="changements"),
    path("<slug:plan>/comparer/", comparer.comparer, name="comparer"),
    path("<slug:plan>/<int:annee>/docx/", docx.docx, name="docx"),
]
