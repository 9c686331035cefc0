"""La grille de saisie : une ligne par indicateur, chacune enregistrée pour elle-même, rien n'écrase personne."""

from html import unescape

import pytest

from comptes.droits import Role
from indicateurs.listes import Nature
from indicateurs.models import Indicateur, ValeurAnnuelle
from tests import fabriques
from tests.visites import client_de, formulaire_de

pytestmark = pytest.mark.django_db

ANNEE = 2024
GRILLE = f"/indicateurs/saisie/{ANNEE}/"


@pytest.fixture
def responsable():
    return fabriques.utilisateur(Role.RESPONSABLE, username="responsable")


@pytest.fixture
def plan():
    return fabriques.plan(intitule="Plan d'essai")


@pytest.fixture
def achats():
    return fabriques.service("Achats")


@pytest.fixture
def agent(achats):
    return fabriques.utilisateur(Role.AGENT, username="agent", service=achats)


@pytest.fixture
def consultations(plan):
    return fabriques.indicateur(plan, intitule="Consultations", unite="consultations")


@pytest.fixture
def part(plan, consultations, achats):
    """Un taux qui s'appuie sur les consultations, du service des achats."""
    return fabriques.indicateur(
        plan, intitule="Part avec clause", nature=Nature.PART, unite="%", denominateur=consultations, service=achats
    )


@pytest.fixture
def heures(plan, achats):
    return fabriques.indicateur(plan, intitule="Heures d'insertion", service=achats)


@pytest.fixture
def client(responsable):
    return client_de(responsable)


def saisie(client, requete="", **cellules) -> dict:
    """Ce qu'un navigateur enverrait de la page, ces cellules changées : `i12_valeur` est celle du 12."""
    page = client.get(GRILLE + requete)
    assert page.status_code == 200
    return formulaire_de(page) | {nom.replace("_", "-", 1): valeur for nom, valeur in cellules.items()}


def cellules(indicateur: Indicateur, **valeurs) -> dict:
    return {f"i{indicateur.pk}_{champ}": valeur for champ, valeur in valeurs.items()}


def envoyer(client, requete="", **changements):
    return client.post(GRILLE + requete, saisie(client, requete, **changements))


def enregistree(indicateur: Indicateur, annee: int = ANNEE) -> ValeurAnnuelle | None:
    return ValeurAnnuelle.objects.avec_valeur().filter(indicateur=indicateur, annee=annee).first()


def ligne(reponse, indicateur: Indicateur):
    return next(ligne for ligne in reponse.context["lignes"] if ligne.indicateur.pk == indicateur.pk)


def refus(reponse, indicateur: Indicateur) -> dict[str, str]:
    return {champ: " ".join(phrases) for champ, phrases in ligne(reponse, indicateur).erreurs.items()}


def page_de(reponse) -> str:
    return unescape(reponse.content.decode())


# --- Enregistrer --------------------------------------------------------------------------------


def test_un_denominateur_et_son_taux_se_donnent_d_un_envoi(client, consultations, part):
    reponse = envoyer(client, **cellules(consultations, valeur="171"), **cellules(part, numerateur="60"))
    assert (reponse.status_code, reponse["Location"]) == (302, f"{GRILLE}?plan=plan-dessai")
    assert enregistree(part).detail == "60 / 171 = 35,1\u00a0%"
    page = page_de(client.get(reponse["Location"]))
    assert "2\u00a0lignes enregistrées." in page
    assert "60 / 171 = 35,1" in page
