from django.urls import path

from indicateurs.views import pages

app_name = "indicateurs"

urlpatterns = [
    path("", pages.liste, name="liste"),
    path("<slug:code>/", pages.detail, name="detail"),
]
