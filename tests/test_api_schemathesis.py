"""L'API tient ce que son document annonce : schemathesis en tire des demandes, bonnes et mauvaises, et vérifie tout.

En mémoire, à travers l'application WSGI, sur un site garni : une demande bien formée y trouve de quoi répondre.
"""

import json
from datetime import timedelta

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.utils import timezone
from werkzeug.test import Client as Requete

from actions.models import Axe, NoteDeSuivi
from comptes.droits import Role
from comptes.gestes import PorteeDeJeton
from comptes.models import Jeton
from indicateurs.listes import Etat, Nature
from socle.echeances import Echeance
from tests import fabriques
from tests.fabriques_bilans import bilan_publie

pytestmark = pytest.mark.django_db

# Chaque paramètre passe par ses bornes de toute façon ; ceci ne borne que la part tirée au hasard.
EXEMPLES = 6
CONFIGURATION = {
    "generation": {"max-examples": EXEMPLES, "deterministic": True},
    "phases": {"stateful": {"enabled": False}},
}

# L'appel en mémoire ne décompresse pas.
EN_CLAIR = {"Accept-Encoding": "identity"}


@pytest.fixture
def action(db):
    """Un plan publié où chaque adresse du document, avec les valeurs qu'il donne en exemple, a de quoi répondre."""
    lecteur = fabriques.utilisateur(Role.LECTEUR)
    plan = fabriques.plan(intitule="Acheter mieux", slug="commande-publique-responsable", publie=True)
    axe = Axe.objects.create(plan=plan, code="1", intitule="Acheter")
    options = {"axe": axe, "pilote": lecteur, "echeance": Echeance.lire("T2 2020"), "budget_previsionnel": "1200.50"}
    action = fabriques.action(plan, intitule="Développer les clauses", **options)
    fabriques.action(plan, intitule="Cachée", visible_du_public=False)
    NoteDeSuivi.objects.create(action=action, date="2023-06-01", texte="Une note.", auteur=lecteur)
    compte = fabriques.indicateur(plan, code="consultations-finalisees", nature=Nature.COMPTE)
    part = fabriques.indicateur(plan, code="part", nature=Nature.PART, unite="%", denominateur=compte)
    fabriques.valeur(compte, 2023, valeur=166, etat=Etat.VALIDEE)
    fabriques.valeur(part, 2023, numerateur=42, etat=Etat.VALIDEE)
    fabriques.valeur(compte, 2024, valeur=12)
    bilan_publie(plan, 2023)
    return action


@pytest.fixture
def application(db):
    """L'application WSGI dans la transaction de l'essai : sans les signaux qui fermeraient sa connexion."""
    signaux = (request_started, request_finished)
    for signal in signaux:
        signal.disconnect(close_old_connections)
    yield get_wsgi_application()
    for signal in signaux:
        signal.connect(close_old_connections)


@pytest.fixture
def annonce(action, application):
    """Le document tel que servi ; la clé de l'action, que la base choisit, y remplace celle de l'exemple."""
    document = json.loads(Requete(application).get("/api/v1/openapi.json").data)
    for chemin in document["paths"].values():
        for parametre in chemin["get"]["parameters"]:
            if parametre["name"] in ("id", "action"):
                parametre["example"] = action.pk
    schema = schemathesis.openapi.from_dict(document, config=schemathesis.Config.from_dict(CONFIGURATION))
    schema.app = application
    return schema


@pytest.fixture
def en_tetes():
    compte = fabriques.utilisateur(Role.LECTEUR)
    demain = timezone.now() + timedelta(days=1)
    _, secret = Jeton.objects.emettre(compte, "Essai", [PorteeDeJeton.API], expire_le=demain)
    return EN_CLAIR | {"Authorization": f"Bearer {secret}"}


selon_le_document = schemathesis.pytest.from_fixture("annonce")


@selon_le_document.include(tag="Public").parametrize()
def test_les_adresses_publiques_tiennent_le_document(case):
    case.call_and_validate(headers=EN_CLAIR)


@selon_le_document.include(tag="Interne").parametrize()
def test_les_adresses_internes_tiennent_le_document_avec_un_jeton(case, en_tetes):
    case.call_and_validate(headers=en_tetes)


@selon_le_document.include(operation_id=["interne_action", "interne_valeurs", "interne_bilan"]).parametrize()
def test_les_adresses_internes_tiennent_le_document_sans_jeton(case):
    """Une par portée : le refus est le même pour toutes, à la porte."""
    case.call_and_validate(headers=EN_CLAIR)
