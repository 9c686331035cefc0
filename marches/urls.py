from django.urls import URLPattern, URLResolver

app_name = "marches"

urlpatterns: list[URLPattern | URLResolver] = []
