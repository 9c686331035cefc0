from django.urls import URLPattern, URLResolver, path

from marches.views import article35, imports

app_name = "marches"

urlpatterns: list[URLPattern | URLResolver] = [
    path("article-35/", article35.article_35, name="article_35"),
    path("imports/", imports.imports, name="imports"),
    path("imports/deposer/", imports.deposer_un_fichier, name="deposer"),
    path("imports/<int:pk>/", imports.import_decp, name="import_decp"),
    path("imports/<int:pk>/reprendre/", imports.reprendre_l_import, name="reprendre_import"),
]
