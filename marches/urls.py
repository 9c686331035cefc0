from django.urls import URLPattern, URLResolver, path

from marches.views import article35

app_name = "marches"

urlpatterns: list[URLPattern | URLResolver] = [
    path("article-35/", article35.article_35, name="article_35"),
]
