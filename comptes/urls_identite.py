"""Fournisseur d'identité, invitations, connexions bloquées."""

from django.urls import path

from comptes import vues_blocages, vues_identite, vues_invitation

urlpatterns = [
    path("connexion/fournisseur/", vues_identite.partir, name="identite_partir"),
    path("connexion/fournisseur/retour/", vues_identite.revenir, name="identite_retour"),
    path("invitation/", vues_invitation.choisir, name="invitation_choisir"),
    path("invitation/<str:jeton_d_invitation>/", vues_invitation.ouvrir, name="invitation_ouvrir"),
    path("connexions-bloquees/", vues_blocages.liste, name="blocages"),
    path("connexions-bloquees/debloquer/", vues_blocages.debloquer, name="debloquer"),
]
