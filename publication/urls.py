from django.urls import path, re_path

from publication.views import bilans, plans

app_name = "publication"

urlpatterns = [
    path("", plans.plans, name="plans"),
    path("<slug:plan>/", plans.plan, name="plan"),
    path("<slug:plan>/fil.atom", plans.fil, name="fil"),
    # --- Bilans
    path("<slug:plan>/bilans/<int:annee>/", bilans.bilan, name="bilan"),
    path("<slug:plan>/bilans/<int:annee>/pdf/", bilans.pdf, name="pdf"),
    path("<slug:plan>/bilans/<int:annee>/bilan.json", bilans.donnees, name="json"),
    # --- Le reste : le 404 des pages publiques, à garder en dernier. Une adresse sans « / » final y gagne le sien.
    re_path(r"^(?P<reste>.*/)$", plans.introuvable_ici, name="introuvable"),
]
