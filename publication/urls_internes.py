"""La page de la publication que lisent ceux qui tiennent le plan : hors de /public/, elle demande une connexion."""

from django.urls import path

from publication.views import ouverture

app_name = "ouverture"

urlpatterns = [path("plans/<slug:plan>/publication/", ouverture.ouverture, name="plan")]
