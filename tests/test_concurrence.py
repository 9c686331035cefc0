"""Plusieurs personnes à la fois, avec de vrais fils et de vraies connexions, sur la base configurée."""

import datetime
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial

import pytest
from django.db import connections

from actions.duplication import dupliquer
from actions.models import Action, ChangementDeStatut, Plan
from actions.statuts import Statut
from comptes.droits import Role
from indicateurs.classeur.imports import ApercuPerime, Depot, Import, appliquer
from indicateurs.saisie import Saisie, saisir
from socle.modeles import ConflitDeVersion
from tests import fabriques

# Les groupes viennent d'une migration : ils sont remis après que l'essai d'avant a vidé la base.
pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

N = 4


def ensemble(gestes):
    """Lance les gestes au même moment, un par fil ; rend ce que chacun a rendu ou levé, dans l'ordre."""
    depart = threading.Barrier(len(gestes), timeout=30)

    def partir(geste):
        try:
            connections["default"].ensure_connection()
            depart.wait()
            return geste()
        except Exception as erreur:
            return erreur
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(gestes)) as fils:
        return list(fils.map(partir, gestes))


@pytest.fixture
def action():
    return fabriques.action()


def changement(action, auteur, statut=Statut.EN_COURS, **options):
    """Le geste d'une personne qui a ouvert la page à la version de `action`."""
    return partial(action.changer_statut, statut, auteur=auteur, version=action.version, **options)


def test_le_meme_geste_parti_plusieurs_fois_ecrit_une_seule_ligne(action):
    auteur = fabriques.utilisateur(Role.RESPONSABLE)
    rendus = ensemble([changement(action, auteur, commentaire="Lancée") for _ in range(N)])
    (ligne,) = ChangementDeStatut.objects.filter(action=action, auteur=auteur)
    assert rendus == [ligne] * N
    action.refresh_from_db()
    assert action.statut == Statut.EN_COURS


def test_de_plusieurs_auteurs_un_seul_passe_et_les_autres_sont_en_conflit(action):
    auteurs = [fabriques.utilisateur(Role.RESPONSABLE) for _ in range(N)]
    rendus = ensemble([changement(action, auteur) for auteur in auteurs])
    (ligne,) = [rendu for rendu in rendus if isinstance(rendu, ChangementDeStatut)]
    conflits = [rendu for rendu in rendus if isinstance(rendu, ConflitDeVersion)]
    assert len(conflits) == N - 1
    assert {conflit.actuelle.statut for conflit in conflits} == {Statut.EN_COURS}
    assert action.changementdestatuts.order_by("pk").last() == ligne
    assert action.changementdestatuts.count() == 2


def test_le_meme_auteur_avec_deux_contenus_n_en_ecrit_qu_un(action):
    auteur = fabriques.utilisateur(Role.RESPONSABLE)
    rendus = ensemble([changement(action, auteur, statut=s) for s in (Statut.EN_COURS, Statut.TERMINEE)])
    assert sum(isinstance(rendu, ConflitDeVersion) for rendu in rendus) == 1
    assert action.changementdestatuts.count() == 2


def test_une_ligne_ne_se_corrige_qu_une_fois_meme_a_plusieurs(action):
    ligne = action.changementdestatuts.get()
    rendus = ensemble([partial(ligne.corriger, statut=Statut.EN_COURS, avancement=n) for n in (10, 20, 30)])
    assert sum(isinstance(rendu, ChangementDeStatut) for rendu in rendus) == 1
    assert action.changementdestatuts.count() == 2


def test_les_actions_creees_ensemble_dans_un_plan_ont_des_numeros_differents():
    plan = fabriques.plan()
    creees = ensemble([lambda: Action.objects.creer(plan=plan, auteur=None, intitule="x") for _ in range(N)])
    assert sorted(creee.numero for creee in creees) == list(range(1, N + 1))


def test_un_plan_duplique_plusieurs_fois_ensemble_ne_l_est_qu_une(action):
    periode = {"intitule": "La suite", "annee_debut": 2026, "annee_fin": 2028, "depart": datetime.date(2026, 1, 5)}
    rendus = ensemble([partial(dupliquer, action.plan, auteur=None, **periode) for _ in range(N)])
    (suite,) = Plan.objects.exclude(pk=action.plan_id)
    assert [plan for plan, _ in rendus] == [suite] * N
    assert sorted(nouveau for _, nouveau in rendus) == [False] * (N - 1) + [True]
    assert Action.objects.filter(source=action).count() == 1


def test_deux_enregistrements_d_une_valeur_lue_a_la_meme_version_font_un_conflit():
    valeur = fabriques.valeur(fabriques.indicateur(), 2023, valeur=Decimal(1))

    def saisir(nombre):
        relue = type(valeur).objects.get(pk=valeur.pk)
        relue.valeur = nombre
        relue.enregistrer(version=valeur.version)

    rendus = ensemble([lambda: saisir(Decimal(2)), lambda: saisir(Decimal(3))])
    assert sum(isinstance(rendu, ConflitDeVersion) for rendu in rendus) == 1
    assert type(valeur).objects.get().version == valeur.version + 1


def test_des_imports_et_une_saisie_partis_ensemble_ne_s_ecrasent_pas():
    valeur = fabriques.valeur(fabriques.indicateur(code="heures"), 2023, valeur=Decimal(1))
    auteur = fabriques.utilisateur(Role.RESPONSABLE)
    depots = [Depot("valeurs.csv", f"Code;2023\nheures;{nombre}\n".encode()) for nombre in (2, 3)]
    annonces = [Depot(depot.nom, depot.contenu, depot.etudier().empreinte) for depot in depots]
    gestes = [partial(appliquer, annonce, (), "", par=auteur) for annonce in annonces]
    seul = partial(saisir, valeur.indicateur, 2023, {"valeur": Decimal(4)}, auteur=auteur, version=valeur.version)
    rendus = ensemble([*gestes, seul])
    assert sum(isinstance(rendu, Import | Saisie) for rendu in rendus) == 1
    assert sum(isinstance(rendu, ApercuPerime | ConflitDeVersion) for rendu in rendus) == 2
    assert type(valeur).objects.get().version == valeur.version + 1
