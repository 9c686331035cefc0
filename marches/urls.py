from django.urls import URLPattern, URLResolver, path

from marches.views import (
    article35,
    contrats,
    import_mandats,
    imports,
    mandats,
    resultats,
    revue,
    territoires,
)

app_name = "marches"

urlpatterns: list[URLPattern | URLResolver] = [
    path("article-35/", article35.article_35, name="article_35"),
    path("resultats/<int:resultat>/<slug:liste>/", resultats.resultat, name="resultat"),
    path("resultats/<int:resultat>/<slug:liste>/export/", resultats.resultat_export, name="resultat_export"),
    path("contrats/", contrats.contrats, name="contrats"),
    path("contrats/<uuid:souche>/", contrats.contrat, name="contrat"),
    path("imports/", imports.imports, name="imports"),
    path("imports/deposer/", imports.deposer_un_fichier, name="deposer"),
    path("imports/<int:pk>/", imports.import_decp, name="import_decp"),
    path("imports/<int:pk>/reprendre/", imports.reprendre_l_import, name="reprendre_import"),
    path("mandats/", mandats.mandats, name="mandats"),
    path("mandats/import/", import_mandats.importer, name="importer_mandats"),
    path("mandats/import/colonnes/", import_mandats.colonnes, name="colonnes_de_mandats"),
    path("mandats/import/enregistrer/", import_mandats.enregistrer, name="enregistrer_mandats"),
    path("mandats/<int:mandats>/", mandats.import_de_mandats, name="import_de_mandats"),
    path("mandats/<int:mandats>/retirer/", mandats.retirer, name="retirer_mandats"),
    path("mandats/<int:pk>/", mandats.import_de_mandats, name="import_de_mandats"),
    path("mandats/<int:pk>/retirer/", mandats.retirer, name="retirer_mandats"),
    path("revue/", revue.revue, name="revue"),
    path("contrats/<uuid:souche>/corriger/<str:champ>/", revue.corriger_un_contrat, name="corriger_contrat"),
    path("corrections/<int:correction>/annuler/", revue.annuler_une_correction, name="annuler_correction"),
    path("etablissements/<str:siret>/commune/", revue.situer_un_etablissement, name="situer_etablissement"),
    path("territoires/", territoires.territoires, name="territoires"),
]
