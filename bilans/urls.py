from django.urls import path

from bilans.views import liste

app_name = "bilans"

urlpatterns = [
    path("", liste.liste, name="liste"),
]
