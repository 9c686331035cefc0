from django.urls import path

from accueil import views, views_recherche

app_name = "accueil"

urlpatterns = [
    path("", views.tableau_de_bord, name="tableau_de_bord"),
    path("recherche/", views_recherche.recherche, name="recherche"),
    path("bilans/", views.bilans, name="bilans"),
    path("accent/<str:couleur>.css", views.accent, name="accent"),
    path("sante/", views.sante, name="sante"),
]
