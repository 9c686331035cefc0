from django.urls import path

from indicateurs.views import classeur, collectes, justificatifs, objectifs, pages, retenue, saisie, valeurs

app_name = "indicateurs"

urlpatterns = [
    path("", pages.liste, name="liste"),
    path("collectes/", collectes.liste, name="collectes"),
    path("collectes/ouvrir/", collectes.ouvrir, name="collecte_ouvrir"),
    path("collectes/<int:collecte>/", collectes.detail, name="collecte"),
    path("collectes/<int:collecte>/repondre/", collectes.repondre, name="collecte_repondre"),
    path("collectes/<int:collecte>/relancer/", collectes.relancer, name="collecte_relancer"),
    path("collectes/<int:collecte>/clore/", collectes.clore, name="collecte_clore"),
    path("collectes/<int:collecte>/rouvrir/", collectes.rouvrir, name="collecte_rouvrir"),
    path("collectes/<int:collecte>/valider/", collectes.valider_tout, name="collecte_valider_tout"),
    path("collectes/<int:collecte>/<int:demande>/valider/", collectes.valider, name="demande_valider"),
    path("collectes/<int:collecte>/<int:demande>/renvoyer/", collectes.renvoyer, name="demande_renvoyer"),
    path("objectifs/", objectifs.objectifs, name="objectifs"),
    path("export/", classeur.export, name="export"),
    path("import/", classeur.importer, name="importer"),
    path("import/appliquer/", classeur.appliquer_l_import, name="appliquer_import"),
    path("saisie/<int:annee>/", saisie.saisie, name="saisie"),
    path("saisie/<int:annee>/<slug:code>/", saisie.enregistrer_la_ligne, name="saisie_ligne"),
    path("<slug:code>/", pages.detail, name="detail"),
    path("<slug:code>/valeurs/<int:annee>/", valeurs.valeur, name="valeur"),
    path("<slug:code>/valeurs/<int:annee>/retenir/<int:resultat>/", retenue.retenir, name="retenir"),
    path("<slug:code>/valeurs/<int:annee>/historique/", pages.historique_de_la_valeur, name="historique_de_la_valeur"),
    path("<slug:code>/valeurs/<int:annee>/justificatifs/ajouter/", justificatifs.ajouter, name="justificatif_ajouter"),
    path("<slug:code>/valeurs/<int:annee>/justificatifs/<int:justificatif>/", justificatifs.lire, name="justificatif"),
    path(
        "<slug:code>/valeurs/<int:annee>/justificatifs/<int:justificatif>/retirer/",
        justificatifs.retirer,
        name="justificatif_retirer",
    ),
]
