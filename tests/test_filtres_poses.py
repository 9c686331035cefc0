"""Les pastilles de la liste des actions : chaque filtre posé se lit en clair et se retire d'un lien."""

import datetime
import re
from urllib.parse import parse_qs

import pytest
from django.http import QueryDict
from django.test import Client

from actions.filtres import FiltreActions
from actions.models import Action, Axe
from comptes.droits import Role
from tests import fabriques
from tests.visites import client_de

pytestmark = pytest.mark.django_db


def filtre(adresse: str) -> FiltreActions:
    return FiltreActions(QueryDict(adresse), queryset=Action.objects.all())


def poses(adresse: str) -> dict[str, str]:
    return {pose.libelle: pose.valeur for pose in filtre(adresse).poses}


@pytest.fixture
def action() -> Action:
    """Une action dont chaque lien a un nom."""
    plan = fabriques.plan(intitule="Plan d'essai")
    camille = fabriques.utilisateur(prenom="Camille", nom="Martin")
    axe = Axe.objects.create(plan=plan, code="A1", intitule="Acheter mieux")
    ademe = fabriques.partenaire("Ademe")
    return fabriques.action(
        plan, axe=axe, service_pilote=fabriques.service("Achats"), pilote=camille, partenaires=[ademe]
    )


# --- En clair -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("adresse", "libelle", "valeur"),
    [
        ("q=clauses", "Texte ou numéro", "clauses"),
        ("q=12", "Texte ou numéro", "12"),
        ("statut=EN_COURS", "Statut", "En cours"),
        ("statut=null", "Statut", "Inconnu"),
        ("axe=null", "Axe", "Sans axe"),
        ("service=null", "Service pilote", "Sans service pilote"),
        ("pilote=null", "Pilote", "Sans pilote"),
        ("priorite=HAUTE", "Priorité", "Haute"),
        ("retard=oui", "En retard", "Oui"),
        ("retard=inconnu", "En retard", "Non calculable, sans échéance"),
        ("nouvelles=aucune", "Nouvelles", "Aucune depuis 6\u00a0mois"),
        ("depuis=2024-12-31", "Statut changé depuis le", "31/12/2024"),
        ("attention=oui", "Point d'attention", "Oui, quel qu'il soit"),
        ("attention=ARBITRAGE", "Point d'attention", "Arbitrage demandé"),
        ("presence=retirees", "Présence", "Retirées du plan"),
        ("au=31/12/2024", "Situation au", "31/12/2024"),
    ],
)
def test_un_filtre_se_lit_en_toutes_lettres(adresse, libelle, valeur):
    assert poses(adresse) == {libelle: valeur}


def test_un_objet_se_lit_par_son_nom(action):
    adresse = (
        f"plan={action.plan.slug}&axe={action.axe_id}&service={action.service_pilote_id}"
        f"&pilote={action.pilote_id}&partenaire=ademe"
    )
    assert poses(adresse) == {
        "Plan": "Plan d'essai",
        "Axe": "A1 Acheter mieux",
        "Service pilote": "Achats",
        "Pilote": "Camille Martin",
        "Partenaire": "Ademe",
    }


def test_chaque_filtre_a_sa_pastille(action):
    adresse = QueryDict(
        "q=x&statut=EN_COURS&service=null&partenaire=ademe&priorite=HAUTE&retard=non&nouvelles=aucune&attention=AUTRE"
        "&presence=toutes&echeance=aucune&reste=oui&miennes=oui&preuve=non&depuis=2024-01-01&au=2024-12-31"
        "&saisi_au=2025-01-15&silence=2024-01-01&visible=oui",
        mutable=True,
    )
    adresse.update({"plan": action.plan.slug, "axe": action.axe_id, "pilote": action.pilote_id})
    assert set(adresse) == set(FiltreActions.base_filters)
    assert list(poses(adresse.urlencode())) == [f.label for f in FiltreActions.base_filters.values()]


@pytest.mark.parametrize("adresse", ["", "q=", "q=%20%20", "statut=&axe=", "page=2", "sort=-echeance", "inconnu=1"])
def test_sans_filtre_il_n_y_a_pas_de_pastille(adresse):
    assert filtre(adresse).poses == []


@pytest.mark.parametrize(
    "absurde", ["statut=ABANDONNEE", "axe=999999", "plan=inconnu", "au=2999-01-01", "depuis=hier", "priorite=null"]
)
def test_un_filtre_absurde_ne_laisse_aucune_pastille(absurde):
    assert filtre(f"q=clauses&{absurde}").poses == []


# --- Sans lui -------------------------------------------------------------------------------------


def sans(adresse: str, libelle: str) -> dict[str, list[str]]:
    (pose,) = (pose for pose in filtre(adresse).poses if pose.libelle == libelle)
    assert pose.sans.startswith("?")
    return parse_qs(pose.sans[1:])


def test_retirer_un_filtre_garde_les_autres_et_le_tri():
    reste = sans("q=clauses&statut=EN_COURS&sort=-echeance", "Statut")
    assert reste == {"q": ["clauses"], "sort": ["-echeance"]}


def test_retirer_un_filtre_ramene_a_la_premiere_page():
    assert sans("statut=EN_COURS&q=clauses&page=3", "Statut") == {"q": ["clauses"]}


def test_retirer_un_filtre_donne_deux_fois_le_retire_deux_fois():
    assert sans("statut=EN_COURS&statut=TERMINEE", "Statut") == {}


def test_un_texte_garde_ses_signes_dans_l_adresse():
    assert sans("q=50 %25 %26 plus&statut=EN_COURS", "Statut") == {"q": ["50 % & plus"]}


# --- Sur la page ----------------------------------------------------------------------------------


@pytest.fixture
def lecteur() -> Client:
    return client_de(fabriques.utilisateur(Role.LECTEUR))


def pastilles(client: Client, requete: str, attendu: int = 200) -> list[tuple[str, str]]:
    """(ce qu'on lit, où mène « Retirer ») de chaque pastille."""
    reponse = client.get(f"/actions/?{requete}")
    assert reponse.status_code == attendu
    liste = reponse.content.decode().partition('class="filtres-poses"')[2].partition("</ul>")[0]
    lues = re.findall(r"<li>(.*?) <a href=\"(.*?)\">Retirer", liste)
    return [(re.sub("<[^>]+>", "", lu), adresse.replace("&amp;", "&")) for lu, adresse in lues]


def test_la_liste_montre_ses_filtres_et_de_quoi_les_retirer(lecteur, action):
    requete = "statut=NON_INITIEE&retard=inconnu"
    assert pastilles(lecteur, requete) == [
        ("Statut : Non initiée", "?retard=inconnu"),
        ("En retard : Non calculable, sans échéance", "?statut=NON_INITIEE"),
    ]


def test_suivre_le_lien_retire_la_pastille_et_rend_les_lignes(lecteur, action):
    ((_, tout),) = pastilles(lecteur, "statut=TERMINEE")
    assert pastilles(lecteur, tout[1:]) == []
    assert "1\u00a0action<" in lecteur.get(f"/actions/{tout}").content.decode()


def test_un_filtre_absurde_ne_montre_aucune_pastille(lecteur, action):
    assert pastilles(lecteur, "statut=ABANDONNEE&q=clauses", attendu=400) == []


def test_un_texte_tape_est_montre_sans_etre_interprete(lecteur, action):
    assert "<b>gras</b>" not in lecteur.get("/actions/?q=<b>gras</b>").content.decode()


def test_les_pastilles_ne_font_aucune_requete(action, django_assert_num_queries):
    pose = filtre(
        f"plan={action.plan.slug}&axe={action.axe_id}&service={action.service_pilote_id}&pilote={action.pilote_id}"
        "&partenaire=ademe&statut=EN_COURS&au=2024-12-31"
    )
    assert pose.jour == datetime.date(2024, 12, 31)
    sans_rien = filtre("axe=null&service=null&pilote=null&statut=null")
    assert sans_rien.form.is_valid()
    with django_assert_num_queries(0):
        assert (len(pose.poses), len(sans_rien.poses)) == (7, 4)
