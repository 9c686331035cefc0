from django.urls import URLPattern, URLResolver, path

from marches.views import article35, contrats, territoires

app_name = "marches"

urlpatterns: list[URLPattern | URLResolver] = [
    path("article-35/", article35.article_35, name="article_35"),
    path("contrats/", contrats.contrats, name="contrats"),
    path("contrats/<uuid:souche>/", contrats.contrat, name="contrat"),
    path("territoires/", territoires.territoires, name="territoires"),
]
