from django.urls import path

from actions.views import (
    corrections,
    documents,
    en_nombre,
    etapes,
    export,
    fiches,
    gestes,
    grille,
    imports,
    listes,
    lots,
    nouvelles,
    plans,
    presence,
    reaffectation,
)

app_name = "actions"

urlpatterns = [
    # --- Listes
    path("actions/", listes.liste, name="liste"),
    path("actions/export/", export.export, name="export"),
    path("actions/grille/", grille.grille, name="grille"),
    path("mes-actions/", listes.mes_actions, name="miennes"),
    path("partenaires/<slug:slug>/", listes.partenaire, name="partenaire"),
    # --- Plusieurs à la fois
    path("actions/en-nombre/", en_nombre.en_nombre, name="en_nombre"),
    path("actions/en-nombre/appliquer/", en_nombre.appliquer_en_nombre, name="appliquer_en_nombre"),
    path("actions/reaffecter/", reaffectation.reaffecter, name="reaffecter"),
    path("actions/import/", imports.importer, name="importer"),
    path("actions/import/<int:depot>/", imports.depot, name="depot"),
    path("actions/import/<int:depot>/enregistrer/", imports.appliquer, name="appliquer_depot"),
    path("actions/import/<int:depot>/abandonner/", imports.abandonner_le_depot, name="abandonner_depot"),
    path("actions/import/<int:depot>/reprendre/", imports.reprendre_le_depot, name="reprendre_depot"),
    path("actions/lots/", lots.liste, name="lots"),
    path("actions/lots/<int:lot>/", lots.detail, name="lot"),
    path("actions/lots/<int:lot>/defaire/", lots.defaire_le_lot, name="defaire_lot"),
    # --- Un plan
    path("plans/<slug:plan>/dupliquer/", plans.dupliquer, name="dupliquer"),
    # --- Une action
    path("actions/creer/", fiches.creer, name="creer"),
    path("actions/<int:pk>/", fiches.detail, name="detail"),
    path("actions/<int:pk>/modifier/", fiches.modifier, name="modifier"),
    path("actions/<int:pk>/grille/", grille.enregistrer_la_ligne, name="grille_ligne"),
    path("actions/<int:pk>/statut/", gestes.changer_statut, name="statut"),
    path("actions/<int:pk>/statut/annuler/", gestes.annuler_statut, name="annuler_statut"),
    path("actions/<int:pk>/echeance/", gestes.reporter_echeance, name="echeance"),
    path("actions/<int:pk>/point-d-attention/", gestes.signaler, name="attention"),
    path("actions/<int:pk>/note/", gestes.noter, name="note"),
    path("actions/<int:pk>/notes/<int:note>/corriger/", corrections.note, name="note_corriger"),
    path("actions/<int:pk>/corriger/<slug:journal>/<int:ligne>/", corrections.journal, name="corriger"),
    path("actions/<int:pk>/etapes/ajouter/", etapes.ajouter, name="etape_ajouter"),
    path("actions/<int:pk>/etapes/<int:etape>/modifier/", etapes.modifier, name="etape_modifier"),
    path("actions/<int:pk>/etapes/<int:etape>/faite/", etapes.faite, name="etape_faite"),
    path("actions/<int:pk>/etapes/<int:etape>/deplacer/", etapes.deplacer, name="etape_deplacer"),
    path("actions/<int:pk>/etapes/<int:etape>/retirer/", etapes.retirer, name="etape_retirer"),
    path("actions/<int:pk>/etapes/<int:etape>/remettre/", etapes.remettre, name="etape_remettre"),
    path("actions/<int:pk>/documents/ajouter/", documents.ajouter, name="document_ajouter"),
    path("actions/<int:pk>/documents/<int:document>/", documents.lire, name="document"),
    path("actions/<int:pk>/documents/<int:document>/modifier/", documents.modifier, name="document_modifier"),
    path("actions/<int:pk>/documents/<int:document>/retirer/", documents.retirer, name="document_retirer"),
    path("actions/<int:pk>/rien-de-nouveau/", nouvelles.rien_de_nouveau, name="rien_de_nouveau"),
    path("actions/<int:pk>/retirer/", presence.retirer, name="retirer"),
    path("actions/<int:pk>/remettre/", presence.remettre, name="remettre"),
]
