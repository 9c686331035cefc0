"""Les captures d'écran : le nom des fichiers, une adresse par route, ce qu'aucun lien ne donne."""

import pytest

from scripts import captures
from scripts.captures import Vue
from tests import resolveur

ORIGINE = "http://127.0.0.1:8071"


@pytest.mark.parametrize(
    ("vue", "attendu"),
    [
        (Vue("actions:detail", "/actions/3/"), "actions-detail-admin-375.png"),
        (Vue("actions:liste", "/actions/?q=x", "vide"), "actions-liste-vide-admin-375.png"),
        (Vue("admin:admin/(?P<url>.*)$", "/admin/x"), "admin-admin-P-url-admin-375.png"),
    ],
)
def test_un_fichier_porte_le_nom_de_sa_route(vue, attendu):
    assert captures.nom_de_fichier(vue, "admin", 375) == attendu


@pytest.mark.parametrize(
    ("chemin", "route"),
    [
        ("/", "accueil:tableau_de_bord"),
        ("/actions/?statut=EN_COURS", "actions:liste"),
        ("/actions/12/", "actions:detail"),
        ("/admin/actions/action/12/", "admin:admin/actions/action/<path:object_id>/"),
        ("/nulle-part/", None),
    ],
)
def test_une_adresse_donne_le_nom_de_sa_route(chemin, route):
    assert captures.route_de(chemin) == route
    assert route is None or resolveur.route(route)


def test_seuls_les_liens_vers_le_site_sont_suivis_une_fois_chacun():
    liens = [
        f"{ORIGINE}/actions/#contenu",
        f"{ORIGINE}/actions/",
        f"{ORIGINE}/actions/?page=2",
        f"{ORIGINE}/static/css/site.css",
        f"{ORIGINE}9/ailleurs/",
        "https://exemple.fr/actions/",
        "mailto:quelqu-un@exemple.fr",
    ]
    assert captures.chemins_du_site(liens, ORIGINE) == ["/actions/", "/actions/?page=2"]


def test_une_seule_adresse_par_route_la_premiere():
    chemins = ["/", "/actions/3/", "/actions/4/", "/nulle-part/", "/actions/?page=2"]
    assert captures.premieres(chemins, {"accueil:tableau_de_bord"}) == {
        "actions:detail": "/actions/3/",
        "actions:liste": "/actions/?page=2",
    }


def test_les_routes_sans_lien_sont_celles_du_site_moins_les_donnees():
    toutes = {route.nom for route in resolveur.routes()}
    assert set(captures.manquantes(["actions:liste"])) == toutes - {"actions:liste"}
    assert captures.manquantes(toutes) == []


@pytest.mark.parametrize("qui", ["admin", "responsable", "agent", "lecteur", captures.ANONYME])
def test_chaque_page_a_son_fichier(qui):
    adresses = {"actions:detail": "/actions/1/", "actions:statut": "/actions/1/statut/"}
    vues = captures.pages_de(qui, adresses)
    assert vues
    assert len({captures.nom_de_fichier(vue, qui, 375) for vue in vues}) == len(vues)
    assert [vue for vue in vues if vue.code == 200 and captures.route_de(vue.chemin) != vue.route] == []
