from django.urls import path, re_path

from publication.fichiers import FICHIERS
from publication.views import bilans, donnees, plans

app_name = "publication"

urlpatterns = [
    path("", plans.plans, name="plans"),
    path("<slug:plan>/", plans.plan, name="plan"),
    path("<slug:plan>/fil.atom", plans.fil, name="fil"),
    # --- Bilans
    path("<slug:plan>/bilans/<int:annee>/", bilans.bilan, name="bilan"),
    path("<slug:plan>/bilans/<int:annee>/pdf/", bilans.pdf, name="pdf"),
    path("<slug:plan>/bilans/<int:annee>/bilan.json", bilans.donnees, name="json"),
    # --- Données ouvertes
    path("<slug:plan>/donnees/", donnees.donnees, name="donnees"),
    *(
        path(f"<slug:plan>/donnees/{fichier.nom}", donnees.fichier, {"nom": fichier.nom}, name=fichier.route)
        for fichier in FICHIERS.values()
    ),
    # --- Le reste : le 404 des pages publiques, à garder en dernier. Une adresse sans « / » final y gagne le sien.
    re_path(r"^(?P<reste>.*/)$", plans.introuvable_ici, name="introuvable"),
]
