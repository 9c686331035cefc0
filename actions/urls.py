from django.urls import path

from actions.views import fiches, gestes, listes, nouvelles, presence

app_name = "actions"

urlpatterns = [
    # --- Listes
    path("actions/", listes.liste, name="liste"),
    path("mes-actions/", listes.mes_actions, name="miennes"),
    path("partenaires/<slug:slug>/", listes.partenaire, name="partenaire"),
    # --- Une action
    path("actions/creer/", fiches.creer, name="creer"),
    path("actions/<int:pk>/", fiches.detail, name="detail"),
    path("actions/<int:pk>/modifier/", fiches.modifier, name="modifier"),
    path("actions/<int:pk>/statut/", gestes.changer_statut, name="statut"),
    path("actions/<int:pk>/statut/annuler/", gestes.annuler_statut, name="annuler_statut"),
    path("actions/<int:pk>/echeance/", gestes.reporter_echeance, name="echeance"),
    path("actions/<int:pk>/point-d-attention/", gestes.signaler, name="attention"),
    path("actions/<int:pk>/note/", gestes.noter, name="note"),
    path("actions/<int:pk>/rien-de-nouveau/", nouvelles.rien_de_nouveau, name="rien_de_nouveau"),
    path("actions/<int:pk>/retirer/", presence.retirer, name="retirer"),
    path("actions/<int:pk>/remettre/", presence.remettre, name="remettre"),
]
