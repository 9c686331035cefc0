from django.urls import path

from accueil import views

app_name = "accueil"

urlpatterns = [
    path("", views.tableau_de_bord, name="tableau_de_bord"),
    path("sante/", views.sante, name="sante"),
]
