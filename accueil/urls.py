from django.urls import path

from accueil import views

app_name = "accueil"

urlpatterns = [
    path("", views.tableau_de_bord, name="tableau_de_bord"),
    path("bilans/", views.bilans, name="bilans"),
    path("accent/<str:couleur>.css", views.accent, name="accent"),
    path("sante/", views.sante, name="sante"),
]
