from django.urls import path

from accueil import views, views_compte, views_jetons, views_recherche

app_name = "accueil"

urlpatterns = [
    path("", views.tableau_de_bord, name="tableau_de_bord"),
    path("recherche/", views_recherche.recherche, name="recherche"),
    path("mon-compte/", views_compte.mon_compte, name="mon_compte"),
    path("mon-compte/jetons/", views_jetons.jetons, name="jetons"),
    path("mon-compte/jetons/<int:jeton>/revoquer/", views_jetons.revoquer, name="jeton_revoquer"),
    path("accent/<str:couleur>.css", views.accent, name="accent"),
    path("sante/", views.sante, name="sante"),
]
