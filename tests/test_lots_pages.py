"""Les lots se lisent action par action, et se défont d'un clic ; ce qui ne l'est pas est dit, et pourquoi."""

import pytest
from django.urls import reverse

from actions.lots import defaire
from actions.models import Action
from actions.modifications import Signature, modifier
from actions.statuts import Priorite, Statut
from comptes.droits import Role
from comptes.models import Lot
from tests import fabriques
from tests.visites import client_de

pytestmark = pytest.mark.django_db


@pytest.fixture
def responsable():
    return fabriques.utilisateur(Role.RESPONSABLE, nom="Responsable")


@pytest.fixture
def agent():
    return fabriques.utilisateur(Role.AGENT, nom="Agente", service=fabriques.service("Achats"))


@pytest.fixture
def action(responsable):
    return fabriques.action(auteur=responsable, statut=Statut.EN_COURS, priorite=Priorite.BASSE)


def lot_de(auteur, action, **valeurs) -> Lot:
    lot = Lot.objects.create(intitule="Essai de lot", auteur=auteur)
    modifier(action, valeurs, Signature(auteur, lot=lot))
    return lot


def page(compte, lot) -> str:
    return client_de(compte).get(reverse("actions:lot", args=[lot.pk])).content.decode()


def envoyer_defaire(compte, lot):
    return client_de(compte).post(reverse("actions:defaire_lot", args=[lot.pk]), follow=True)


def test_la_liste_dit_quand_qui_quoi_combien_et_si_c_est_defait(responsable, action):
    lot = lot_de(responsable, action, priorite="HAUTE")
    defaire(lot, auteur=responsable)
    texte = client_de(responsable).get(reverse("actions:lots")).content.decode()
    for attendu in ("Essai de lot", "Annulation\u00a0: Essai de lot", "1\u00a0action", "Responsable"):
        assert attendu in texte


def test_la_page_d_un_lot_dit_l_avant_et_l_apres_de_chaque_champ(responsable, agent, action):
    partenaire = fabriques.partenaire("Réseau")
    valeurs = {"priorite": "HAUTE", "pilote": agent, "statut": "TERMINEE", "partenaires": {partenaire: "PORTEUR"}}
    texte = page(responsable, lot_de(responsable, action, **valeurs))
    for attendu in ("Basse", "Haute", "Agente", "En cours", "Terminée", "Réseau (porteur)", action.intitule):
        assert attendu in texte


def test_une_fiche_supprimee_depuis_ne_casse_pas_la_page(responsable, action):
    provisoire = fabriques.service("Provisoire")
    lot = lot_de(responsable, action, service_pilote=provisoire)
    modifier(Action.objects.get(pk=action.pk), {"service_pilote": None}, Signature(responsable))
    provisoire.delete()
    assert "fiche supprimée depuis" in page(responsable, lot)


def test_la_page_previent_de_ce_qui_a_bouge_depuis(responsable, action):
    lot = lot_de(responsable, action, priorite="HAUTE", statut="TERMINEE")
    modifier(Action.objects.get(pk=action.pk), {"priorite": "NORMALE"}, Signature(responsable))
    texte = page(responsable, lot)
    assert "vaut maintenant «\u00a0Normale\u00a0»" in texte
    assert texte.count("inchangé") == 1


def test_defaire_dit_ce_qui_est_rendu_et_garde_les_refus_a_l_ecran(responsable, action):
    lot = lot_de(responsable, action, priorite="HAUTE", elu_referent="Mme Untel")
    modifier(Action.objects.get(pk=action.pk), {"priorite": "NORMALE"}, Signature(responsable))
    reponse = envoyer_defaire(responsable, lot)
    texte = reponse.content.decode()
    assert "Lot défait en partie" in texte
    assert "Priorité, vaut maintenant «\u00a0Normale\u00a0»" in texte
    encore = reponse.client.get(reverse("actions:lot", args=[lot.pk])).content.decode()
    assert "Priorité, vaut maintenant" in encore
    assert "non : vaut maintenant" in encore
    assert Action.objects.get(pk=action.pk).elu_referent == ""


def test_rien_a_rendre_se_dit_et_le_lot_reste_a_defaire(responsable, action):
    lot = lot_de(responsable, action, priorite="HAUTE")
    modifier(Action.objects.get(pk=action.pk), {"priorite": "NORMALE"}, Signature(responsable))
    texte = envoyer_defaire(responsable, lot).content.decode()
    assert "Rien n'a pu être défait" in texte.replace("&#x27;", "'")
    assert "Défaire ce changement" in texte


def test_defaire_deux_fois_ne_defait_qu_une_fois(responsable, action):
    lot = lot_de(responsable, action, priorite="HAUTE")
    envoyer_defaire(responsable, lot)
    version = Action.objects.get(pk=action.pk).version
    assert "déjà défait" in envoyer_defaire(responsable, lot).content.decode()
    assert Action.objects.get(pk=action.pk).version == version


def test_l_auteur_contributeur_defait_son_lot(agent, action, responsable):
    modifier(action, {"pilote": agent}, Signature(responsable))
    lot = lot_de(agent, Action.objects.get(pk=action.pk), statut="TERMINEE")
    assert "Défaire ce changement" in page(agent, lot)
    assert envoyer_defaire(agent, lot).status_code == 200
    assert Action.objects.get(pk=action.pk).statut == Statut.EN_COURS


@pytest.mark.parametrize("champ", ["action", "champ"])
def test_un_contributeur_ne_defait_pas_ce_qu_il_ne_pourrait_plus_faire(agent, action, responsable, champ):
    """Son action a été confiée à un autre, ou il n'a plus le rôle qui change ce champ."""
    if champ == "action":
        lot = lot_de(agent, action, statut="TERMINEE")
    else:
        modifier(action, {"pilote": agent}, Signature(responsable))
        lot = lot_de(agent, Action.objects.get(pk=action.pk), priorite="HAUTE")
    avant = Action.objects.get(pk=action.pk)
    assert "Défaire ce changement" not in page(agent, lot)
    assert envoyer_defaire(agent, lot).status_code == 403
    assert Action.objects.get(pk=action.pk).version == avant.version


def test_le_lot_d_un_autre_se_lit_sans_bouton(agent, responsable, action):
    assert "Défaire ce changement" not in page(agent, lot_de(responsable, action, priorite="HAUTE"))


def test_un_lot_qui_n_existe_pas_est_introuvable(responsable):
    assert client_de(responsable).get(reverse("actions:lot", args=[999999])).status_code == 404
