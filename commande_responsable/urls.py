from django.contrib import admin
from django.urls import include, path

from commande_responsable import erreurs

urlpatterns = [
    path("", include("accueil.urls")),
    path("sante/", include("exploitation.sante.urls")),
    path("", include("comptes.urls")),
    path("", include("comptes.urls_identite")),
    path("", include("actions.urls")),
    path("partenaires/", include("partenaires.urls")),
    path("marches/", include("marches.urls")),
    path("indicateurs/", include("indicateurs.urls")),
    path("bilans/", include("bilans.urls")),
    path("", include("publication.urls_internes")),
    path("public/", include("publication.urls")),
    path("api/v1/", include("publication.api.urls")),
    path("", include("exploitation.urls_personnes")),
    path("admin/", admin.site.urls),
]

handler400 = erreurs.demande_illisible
handler403 = erreurs.interdit
handler404 = erreurs.introuvable
handler429 = erreurs.trop_de_demandes
handler500 = erreurs.panne
