from django.urls import path

from actions import views

app_name = "actions"

urlpatterns = [
    path("actions/", views.liste, name="liste"),
    path("mes-actions/", views.mes_actions, name="miennes"),
    path("actions/creer/", views.creer, name="creer"),
    path("actions/<int:pk>/", views.detail, name="detail"),
    path("actions/<int:pk>/modifier/", views.modifier, name="modifier"),
    path("actions/<int:pk>/statut/", views.changer_statut, name="statut"),
    path("actions/<int:pk>/statut/annuler/", views.annuler_statut, name="annuler_statut"),
    path("actions/<int:pk>/echeance/", views.reporter_echeance, name="echeance"),
    path("actions/<int:pk>/point-d-attention/", views.signaler, name="attention"),
    path("actions/<int:pk>/note/", views.noter, name="note"),
    path("partenaires/<slug:slug>/", views.partenaire, name="partenaire"),
]
