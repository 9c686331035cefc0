from django.urls import URLPattern, URLResolver, path

from marches.views import (
    accueil,
    article35,
    consultations,
    grille_des_consultations,
    import_du_registre,
    import_mandats,
    imports,
    mandats,
    territoires,
)

app_name = "marches"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", accueil.accueil, name="accueil"),
    path("consultations/", consultations.consultations, name="consultations"),
    path("consultations/grille/", grille_des_consultations.grille_des_consultations, name="grille_des_consultations"),
    path(
        "consultations/grille/<int:lot_du_registre>/",
        grille_des_consultations.ligne_du_registre,
        name="ligne_du_registre",
    ),
    path("consultations/import/", import_du_registre.importer, name="importer_le_registre"),
    path("consultations/import/colonnes/", import_du_registre.colonnes, name="colonnes_du_registre"),
    path("consultations/import/enregistrer/", import_du_registre.enregistrer, name="enregistrer_le_registre"),
    path(
        "consultations/import/<int:import_du_registre>/",
        import_du_registre.import_du_registre,
        name="import_du_registre",
    ),
    path(
        "consultations/import/<int:import_du_registre>/defaire/",
        import_du_registre.defaire_l_import,
        name="defaire_l_import",
    ),
    path("consultations/ajouter/", consultations.ajouter, name="consultation_ajouter"),
    path("consultations/<int:consultation>/", consultations.consultation, name="consultation"),
    path("consultations/<int:consultation>/modifier/", consultations.modifier, name="consultation_modifier"),
    path("consultations/<int:consultation>/lots/ajouter/", consultations.ajouter_un_lot, name="lot_ajouter"),
    path(
        "consultations/<int:consultation>/lots/<int:lot_du_registre>/modifier/",
        consultations.modifier_un_lot,
        name="lot_modifier",
    ),
    path(
        "consultations/<int:consultation>/lots/<int:lot_du_registre>/retirer/",
        consultations.retirer_un_lot,
        name="lot_retirer",
    ),
    path("article-35/", article35.article_35, name="article_35"),
    path("imports/", imports.imports, name="imports"),
    path("imports/deposer/", imports.deposer_un_fichier, name="deposer"),
    path("imports/<int:pk>/", imports.import_decp, name="import_decp"),
    path("imports/<int:pk>/reprendre/", imports.reprendre_l_import, name="reprendre_import"),
    path("mandats/", mandats.mandats, name="mandats"),
    path("mandats/import/", import_mandats.importer, name="importer_mandats"),
    path("mandats/import/colonnes/", import_mandats.colonnes, name="colonnes_de_mandats"),
    path("mandats/import/enregistrer/", import_mandats.enregistrer, name="enregistrer_mandats"),
    path("mandats/<int:pk>/", mandats.import_de_mandats, name="import_de_mandats"),
    path("mandats/<int:pk>/retirer/", mandats.retirer, name="retirer_mandats"),
    path("territoires/", territoires.territoires, name="territoires"),
]
