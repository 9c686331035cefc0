from django.urls import path

from bilans.views import changements, comparer, docx, liste

app_name = "bilans"

urlpatterns = [
    path("", liste.liste, name="liste"),
    path("<slug:plan>/changements/", changements.changements, name="changements"),
    path("<slug:plan>/comparer/", comparer.comparer, name="comparer"),
    path("<slug:plan>/<int:annee>/docx/", docx.docx, name="docx"),
]
