from django.urls import URLPattern, URLResolver, path

from marches.views import article35, resultats

app_name = "marches"

urlpatterns: list[URLPattern | URLResolver] = [
    path("article-35/", article35.article_35, name="article_35"),
    path("resultats/<int:resultat>/<slug:liste>/", resultats.resultat, name="resultat"),
    path("resultats/<int:resultat>/<slug:liste>/export/", resultats.resultat_export, name="resultat_export"),
]
