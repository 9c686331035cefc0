"""Arrêter à plusieurs, et arrêter pendant que d'autres écrivent : de vrais fils, de vraies connexions."""

import threading
from functools import partial

import pytest
from django.db import connection, connections

from actions.models import ChangementDeStatut
from bilans.arret import arreter, rouvrir
from bilans.contenu.schema import Portee
from bilans.formulaires import FormulaireDeTextes
from bilans.models import Bilan, VersionDeBilan
from comptes.droits import Role
from comptes.models import Utilisateur
from tests import fabriques
from tests.fabriques_bilans import bilan_arrete
from tests.test_concurrence import ensemble

# Les groupes viennent d'une migration : ils sont remis après que l'essai d'avant a vidé la base.
pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

ANNEE = 2023


@pytest.fixture
def plan():
    plan = fabriques.plan(intitule="Plan d'essai", annee_debut=2022)
    for _ in range(3):
        fabriques.action(plan)
    fabriques.valeur(fabriques.indicateur(plan), ANNEE, valeur=12)
    return plan


@pytest.mark.parametrize("deja", [False, True], ids=["première", "nouvelle"])
def test_arrete_a_plusieurs_un_bilan_n_a_qu_une_version_de_plus(plan, deja):
    """La première comme une suivante, après une réouverture."""
    auteurs = [fabriques.utilisateur(Role.RESPONSABLE) for _ in range(3)]
    rang = 1
    if deja:
        bilan = bilan_arrete(plan, ANNEE, auteurs[0]).bilan
        bilan.refresh_from_db()
        rouvrir(bilan, auteur=auteurs[0], version=bilan.version, motif="Une erreur.")
        rang = 2
    rendus = ensemble([partial(arreter, plan, ANNEE, auteur=auteur, attendue=rang) for auteur in auteurs])
    version = VersionDeBilan.objects.get(rang=rang)
    assert rendus == [version] * 3
    assert VersionDeBilan.objects.count() == rang
    assert Bilan.objects.count() == 1


def test_ce_qui_s_ecrit_pendant_un_arret_n_y_entre_pas_a_moitie(plan):
    """Un autre corrige un statut et une valeur juste après que l'arrêt a lu les actions : l'évolution des statuts et
    les valeurs, lues ensuite, doivent être du même instant qu'elles."""
    auteur = fabriques.utilisateur(Role.RESPONSABLE)
    action, valeur = plan.actions.first(), plan.places_d_indicateur.get().indicateur.valeurs.get()

    def corriger() -> None:
        try:
            ChangementDeStatut.en_vigueur_pour(action).corriger(statut="TERMINEE")
            valeur.valeur = 13
            valeur.enregistrer()
        finally:
            connections.close_all()

    autre = threading.Thread(target=corriger)

    def guetter(execute, sql, params, many, context):
        resultat = execute(sql, params, many, context)
        if autre.ident is None and '"actions_action"' in sql and "SELECT" in sql:
            autre.start()
            # Sur SQLite l'autre attend la fin de l'arrêt ; sur PostgreSQL il écrit tout de suite.
            if connection.vendor == "postgresql":
                autre.join(timeout=30)
        return resultat

    with connection.execute_wrapper(guetter):
        version = arreter(plan, ANNEE, auteur=auteur, attendue=1)
    autre.join(timeout=30)
    action.refresh_from_db()
    assert action.statut == "TERMINEE", "l'autre n'a pas écrit : l'essai ne dit rien"
    lu = version.lu(Portee.INTERNE)
    assert lu.decompte == lu.evolution[lu.au]
    (indicateur,) = lu.indicateurs
    assert (lu.decompte.terminees, indicateur.valeur_de(ANNEE).valeur) == (0, 12)


def test_deux_premieres_saisies_a_la_fois_ne_font_qu_un_bilan(plan):
    """L'une passe ; l'autre garde ce qu'elle a tapé et voit les deux textes."""

    def ecrire(texte: str, auteur: Utilisateur) -> FormulaireDeTextes:
        formulaire = FormulaireDeTextes(
            {"avant_propos": texte, "version": 1}, instance=Bilan(plan=plan, annee=ANNEE), auteur=auteur
        )
        formulaire.enregistrer()
        return formulaire

    textes = ("Le premier.", "Le second.")
    rendus = ensemble([partial(ecrire, texte, fabriques.utilisateur(Role.RESPONSABLE)) for texte in textes])
    bilan = Bilan.objects.get()
    passes = [formulaire for formulaire in rendus if formulaire.is_valid()]
    (refuse,) = [formulaire for formulaire in rendus if not formulaire.is_valid()]
    assert [formulaire.cleaned_data["avant_propos"] for formulaire in passes] == [bilan.avant_propos]
    assert "Rien n'a été écrasé" in refuse.non_field_errors()[0]
    assert refuse["avant_propos"].value() != bilan.avant_propos
