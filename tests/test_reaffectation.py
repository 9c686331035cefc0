"""Les actions de quelqu'un qui part ou s'absente passent à un autre d'un geste ; il l'apprend par un courriel."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from actions.lots import defaire
from actions.models import Action
from actions.modifications import Signature, modifier
from actions.statuts import Statut
from comptes.droits import Role
from comptes.models import Courriel, Lot
from tests import fabriques
from tests.decor import plan_garni
from tests.visites import LecteurDeFormulaires, client_de

pytestmark = pytest.mark.django_db


@pytest.fixture
def responsable():
    return fabriques.utilisateur(Role.RESPONSABLE, nom="Responsable")


@pytest.fixture
def ancienne():
    return fabriques.utilisateur(Role.AGENT, prenom="Anne", nom="Partante")


@pytest.fixture
def nouveau():
    return fabriques.utilisateur(Role.AGENT, prenom="Noé", nom="Arrivant", courriel="noe@exemple.fr")


@pytest.fixture
def plan():
    return fabriques.plan()


@pytest.fixture
def action(plan, ancienne):
    return fabriques.action(plan, intitule="Réviser le guide d'achat", pilote=ancienne)


def relue(action) -> Action:
    return Action.objects.get(pk=action.pk)


def texte(reponse) -> str:
    return re.sub(r"\s+", " ", unescape(reponse.content.decode()).replace("\u00a0", " ").replace("\u202f", " "))


def apercu(compte, ancien, nouveau, geste="depart", client=None, **autres):
    """La page qui montre ce qui changera : (client, adresse, réponse)."""
    client = client or client_de(compte)
    parametres = {"ancien": ancien.pk, "nouveau": nouveau.pk, "geste": geste, **autres}
    adresse = reverse("actions:reaffecter") + "?" + "&".join(f"{nom}={valeur}" for nom, valeur in parametres.items())
    return client, adresse, client.get(adresse)


def confirmer(client, adresse, vu, **options):
    jetons = [
        champs["jeton"][0] for _, champs in LecteurDeFormulaires(vu.content.decode()).formulaires if "jeton" in champs
    ]
    return client.post(adresse, {"jeton": jetons[0]}, **options)


def reaffecter(compte, ancien, nouveau, geste="depart", **autres):
    client, adresse, vu = apercu(compte, ancien, nouveau, geste, **autres)
    return confirmer(client, adresse, vu, follow=True)


# --- Il part ------------------------------------------------------------------------------------


def test_celui_qui_part_laisse_sa_place_partout(plan, responsable, ancienne, nouveau, action):
    autre = fabriques.utilisateur(nom="Autre")
    suppleee = fabriques.action(plan, pilote=autre, suppleant=ancienne)
    reponse = reaffecter(responsable, ancienne, nouveau)
    assert "2 actions confiées à Noé Arrivant" in texte(reponse)
    assert (relue(action).pilote, relue(suppleee).pilote, relue(suppleee).suppleant) == (nouveau, autre, nouveau)


def test_une_personne_ne_tient_pas_deux_places(plan, responsable, ancienne, nouveau):
    """Le suppléant devient pilote : il n'y a plus de suppléant. Le pilote remplace son suppléant : pas davantage."""
    montee = fabriques.action(plan, pilote=ancienne, suppleant=nouveau)
    liberee = fabriques.action(plan, pilote=nouveau, suppleant=ancienne)
    reaffecter(responsable, ancienne, nouveau)
    assert [(relue(a).pilote, relue(a).suppleant) for a in (montee, liberee)] == [(nouveau, None), (nouveau, None)]


def test_une_terminee_ne_passe_que_si_on_le_demande(plan, responsable, ancienne, nouveau, action):
    terminee = fabriques.action(plan, statut=Statut.TERMINEE, pilote=ancienne)
    retiree = fabriques.action(plan, pilote=ancienne)
    retiree.retirer(auteur=responsable, version=retiree.version, motif="Abandonnée.")
    reaffecter(responsable, ancienne, nouveau)
    assert [relue(a).pilote for a in (action, terminee, retiree)] == [nouveau, ancienne, ancienne]
    reaffecter(responsable, ancienne, nouveau, toutes="on")
    assert [relue(a).pilote for a in (terminee, retiree)] == [nouveau, ancienne]


def test_un_compte_desactive_se_reaffecte_aussi(responsable, ancienne, nouveau, action):
    ancienne.is_active = False
    ancienne.save()
    page = client_de(responsable).get(reverse("actions:reaffecter"))
    assert "Anne Partante (compte désactivé)" in texte(page)
    reaffecter(responsable, ancienne, nouveau)
    assert relue(action).pilote == nouveau


# --- Elle est absente ---------------------------------------------------------------------------


def test_l_absence_pose_un_suppleant_et_laisse_la_pilote(responsable, ancienne, nouveau, action):
    reaffecter(responsable, ancienne, nouveau, "absence")
    assert (relue(action).pilote, relue(action).suppleant) == (ancienne, nouveau)


def test_une_suppleance_deja_confiee_n_est_pas_reprise(plan, responsable, ancienne, nouveau, action):
    autre = fabriques.utilisateur(nom="Autre")
    deja = fabriques.action(plan, pilote=ancienne, suppleant=autre)
    _, _, vu = apercu(responsable, ancienne, nouveau, "absence")
    assert "Autre en est déjà suppléant·e" in texte(vu)
    reaffecter(responsable, ancienne, nouveau, "absence")
    assert (relue(deja).suppleant, relue(action).suppleant) == (autre, nouveau)


# --- Un lot -------------------------------------------------------------------------------------


def test_l_apercu_n_ecrit_rien_et_montre_chaque_changement(responsable, ancienne, nouveau, action):
    _, _, vu = apercu(responsable, ancienne, nouveau)
    assert "Confier 1 action à Noé Arrivant" in texte(vu)
    assert "Réviser le guide d'achat" in texte(vu)
    assert "noe@exemple.fr" in texte(vu)
    assert (relue(action).version, Lot.objects.count(), Courriel.objects.count()) == (action.version, 0, 0)


def test_une_reaffectation_se_defait(responsable, ancienne, nouveau, action):
    reponse = reaffecter(responsable, ancienne, nouveau)
    lot = Lot.objects.get()
    assert lot.intitule == "Réaffectation — Noé Arrivant prend la place de Anne Partante"
    assert "Défaire ce changement" in texte(reponse)
    assert defaire(lot, auteur=responsable).refus == []
    assert relue(action).pilote == ancienne


def test_un_double_clic_ne_fait_qu_un_lot_et_qu_un_courriel(responsable, ancienne, nouveau, action):
    client, adresse, vu = apercu(responsable, ancienne, nouveau)
    confirmer(client, adresse, vu)
    assert "C'était déjà fait" in texte(confirmer(client, adresse, vu, follow=True))
    assert (Lot.objects.count(), Courriel.objects.count()) == (1, 1)


def test_une_action_a_bouge_et_l_apercu_se_refait(plan, responsable, ancienne, nouveau, action):
    seconde = fabriques.action(plan, pilote=ancienne)
    client, adresse, vu = apercu(responsable, ancienne, nouveau)
    modifier(seconde, {"pilote": None}, Signature(responsable))
    refait = confirmer(client, adresse, vu)
    assert "Rien n'est écrit" in texte(refait)
    assert "Confier 1 action à Noé Arrivant" in texte(refait)
    assert relue(action).pilote == ancienne
    assert not Courriel.objects.exists()


def test_l_apercu_d_une_autre_reaffectation_est_refuse(responsable, ancienne, nouveau, action):
    client, adresse, vu = apercu(responsable, ancienne, nouveau)
    assert confirmer(client, adresse.replace("depart", "absence"), vu).status_code == 400
    assert relue(action).pilote == ancienne


def test_l_apercu_ne_fait_pas_plus_de_requetes_pour_plus_d_actions(responsable, nouveau):
    decor = plan_garni(60)
    pilote = Action.objects.exclude(pilote=decor.comptes["agent"]).first().pilote
    client, _, _ = apercu(responsable, pilote, nouveau, toutes="on")

    def requetes() -> int:
        with CaptureQueriesContext(connection) as faites:
            apercu(responsable, pilote, nouveau, client=client, toutes="on")
        return len(faites)

    peu = requetes()
    for action in Action.objects.exclude(pilote=pilote)[:20]:
        modifier(action, {"pilote": pilote}, Signature(responsable))
    assert requetes() == peu <= 12


# --- Qui, et d'où -------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.LECTEUR, Role.AGENT, None])
def test_seul_qui_decrit_le_plan_reaffecte(role, ancienne, nouveau, action):
    _, _, vu = apercu(fabriques.utilisateur(role), ancienne, nouveau)
    assert vu.status_code == 403


def test_se_remplacer_soi_meme_n_a_pas_de_sens(responsable, ancienne, action):
    _, _, vu = apercu(responsable, ancienne, ancienne)
    assert "C'est la même personne" in texte(vu)


def test_la_liste_d_un_pilote_mene_a_la_reaffectation(responsable, ancienne, action):
    lien = f"{reverse('actions:reaffecter')}?ancien={ancienne.pk}"
    liste = reverse("actions:liste")
    assert lien in client_de(responsable).get(f"{liste}?pilote={ancienne.pk}").content.decode()
    assert "reaffecter" not in client_de(responsable).get(liste).content.decode()
    assert "reaffecter" not in client_de(ancienne).get(f"{liste}?pilote={ancienne.pk}").content.decode()
    page = client_de(responsable).get(lien).content.decode()
    assert re.search(rf'<option value="{ancienne.pk}"\s+selected', page)


def test_desactiver_un_compte_dit_ce_qu_il_pilote_encore(ancienne, action):
    administrateur = fabriques.utilisateur(Role.ADMINISTRATEUR)
    client, adresse = client_de(administrateur), reverse("admin:comptes_utilisateur_change", args=[ancienne.pk])
    formulaires = LecteurDeFormulaires(client.get(adresse).content.decode()).formulaires
    champs = next(champs for _, champs in formulaires if "username" in champs)
    champs.pop("is_active")
    reponse = client.post(adresse, champs, follow=True)
    assert "pilote encore 1 action à mener" in texte(reponse)
    assert f"{reverse('actions:reaffecter')}?ancien={ancienne.pk}" in reponse.content.decode()


# --- Le courriel --------------------------------------------------------------------------------


def test_le_nouveau_recoit_la_liste_de_ses_actions(plan, responsable, ancienne, nouveau, action):
    """Seulement celles qu'on lui confie, avec leur adresse entière."""
    fabriques.action(plan, intitule="Celle d'un autre")
    reponse = reaffecter(responsable, ancienne, nouveau)
    courriel = Courriel.objects.get()
    assert (courriel.destinataire, courriel.adresse) == (nouveau, "noe@exemple.fr")
    assert courriel.objet.replace("\u00a0", " ") == "Vous reprenez des actions de Anne Partante : 1 action"
    for corps in (courriel.texte, unescape(courriel.html)):
        assert "Réviser le guide d'achat" in corps
        assert re.search(rf"https?://[^\s\"]+{reverse('actions:detail', args=[action.pk])}", corps)
        assert "Celle d'un autre" not in corps
    assert "Un courriel part à noe@exemple.fr" in texte(reponse)


def test_le_suppleant_apprend_qu_il_supplee(responsable, ancienne, nouveau, action):
    reaffecter(responsable, ancienne, nouveau, "absence")
    assert Courriel.objects.get().objet.replace("\u00a0", " ") == "Vous suppléez Anne Partante : 1 action"


def test_sans_adresse_la_page_demande_de_prevenir(responsable, ancienne, action):
    muet = fabriques.utilisateur(nom="Sans adresse")
    _, _, vu = apercu(responsable, ancienne, muet)
    assert "prévenez cette personne" in texte(vu)
    assert "prévenez cette personne" in texte(reaffecter(responsable, ancienne, muet))
    assert relue(action).pilote == muet
    assert not Courriel.objects.exists()
