"""Beaucoup de monde, longtemps : aucune erreur, et une mémoire qui ne monte pas.

Longue avec `make epreuves` : EPREUVE_UTILISATEURS, EPREUVE_DUREE (secondes), EPREUVE_ACTIONS. `docs/epreuves.md` garde
les derniers chiffres.
"""

import os

import pytest

from tests.epreuves.charge import Charge

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("kill_9")]

UTILISATEURS = int(os.environ.get("EPREUVE_UTILISATEURS", "6"))
DUREE = float(os.environ.get("EPREUVE_DUREE", "8"))
ACTIONS = int(os.environ.get("EPREUVE_ACTIONS", "0"))
REFLEXION = (2.0, 8.0) if DUREE > 60 else (0.1, 0.5)
# La part dont la mémoire d'un processus peut encore monter du deuxième au dernier tiers de l'épreuve. Sur quelques
# secondes, chaque page se charge encore pour la première fois : seule la longue juge.
CROISSANCE = 0.05

PLUS_D_ACTIONS = """
from django.db.models import Max
from actions.models import Action, Plan
from comptes.models import Service, Utilisateur
from tests import fabriques
plan = Plan.objects.par_defaut()
service = Utilisateur.objects.get(username="agent").service
auteur = Utilisateur.objects.get(username="responsable")
for numero in range(Action.objects.count(), {nombre}):
    fabriques.action(plan, auteur=auteur, intitule=f"Action synthétique n° {{numero}}", service_pilote=service)
"""


def test_beaucoup_de_monde_travaille_sans_erreur_et_sans_que_la_memoire_monte(monter):
    site = monter()
    if ACTIONS:
        site.gerer("shell", "-c", PLUS_D_ACTIONS.format(nombre=ACTIONS))
    site.demarrer()
    releve = Charge(site, utilisateurs=UTILISATEURS, duree=DUREE, reflexion=REFLEXION).jouer()
    print(f"\n{site.moteur}, {UTILISATEURS} utilisateurs, {DUREE:.0f} s : {dict(releve.codes)}")  # noqa: T201
    print(releve.tableau())  # noqa: T201
    assert releve.fautes == []
    assert max(releve.codes) < 500, dict(releve.codes)
    assert sum(releve.codes.values()) > 3 * UTILISATEURS, "ils n'ont presque rien fait"
    assert len(releve.memoire) == 2, "un processus est mort en route"
    if DUREE > 60:
        assert {"changer un statut", "ajouter une note"} <= set(releve.temps)
        montees = {
            pid: (avant, apres)
            for pid, (avant, apres) in releve.croissance().items()
            if apres > avant * (1 + CROISSANCE)
        }
        assert montees == {}
    site.gerer("verifier_journal")
