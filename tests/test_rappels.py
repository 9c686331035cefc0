"""Les rappels : à chacun ce qui l'attend, une fois, et rien quand rien n'est attendu."""

import datetime
import io
from functools import partial

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accueil.rappels import tournee
from actions.models import Action, Campagne, Comite, Etape
from comptes.droits import Role
from comptes.models import Courriel
from socle.echeances import Echeance
from tests import fabriques
from tests.test_concurrence import ensemble

pytestmark = pytest.mark.django_db

PASSEE = Echeance.lire("2024")


def dans(jours: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=jours)


def echeance(jours: int) -> Echeance:
    return Echeance.lire(dans(jours).isoformat())


@pytest.fixture
def anne():
    return fabriques.utilisateur(Role.AGENT, prenom="Anne", nom="Martin", courriel="anne@exemple.fr")


@pytest.fixture
def noe():
    return fabriques.utilisateur(Role.AGENT, prenom="Noé", nom="Petit", courriel="noe@exemple.fr")


@pytest.fixture
def plan():
    return fabriques.plan(intitule="Plan d'achat")


@pytest.fixture
def en_retard(plan, anne):
    return fabriques.action(plan, intitule="Réviser l'accord-cadre", pilote=anne, echeance=PASSEE)


def a_jour(plan, pilote, **champs) -> Action:
    """Une action dont on n'attend rien : pas d'échéance proche, une nouvelle récente."""
    action = fabriques.action(plan, pilote=pilote, **champs)
    action.noter("Tout va bien.", auteur=pilote)
    return action


def ecrits(le: datetime.date | None = None) -> dict:
    """Qui recevrait un rappel ce jour-là, et ce qu'il dirait."""
    return {rappel.personne: rappel.phrase.replace("\u00a0", " ") for rappel in tournee(le).rappels}


def commander(*arguments: str) -> str:
    sortie = io.StringIO()
    call_command("envoyer_rappels", *arguments, stdout=sortie)
    return sortie.getvalue().replace("\u00a0", " ")


# --- À qui, et de quoi --------------------------------------------------------------------------


def test_rien_n_est_ecrit_quand_rien_n_est_attendu(plan, anne):
    a_jour(plan, anne, echeance=echeance(90))
    assert ecrits() == {}


def test_ce_qui_presse_se_rappelle(plan, anne, en_retard):
    a_jour(plan, anne, echeance=echeance(10))
    fabriques.action(plan, pilote=anne)
    assert ecrits() == {anne: "1 en retard, 1 à faire sous 30 jours, 1 sans nouvelle depuis 6 mois"}


def test_une_etape_proche_suffit(plan, anne):
    Etape.objects.ajouter(a_jour(plan, anne), intitule="Publier l'avis", echeance=echeance(5))
    assert ecrits() == {anne: "1 à faire sous 30 jours"}
    tournee().ecrire()
    assert "étape : Publier l'avis" in Courriel.objects.get().texte


def test_une_demande_sans_reponse_se_rappelle(plan, anne):
    action = a_jour(plan, anne)
    responsable = fabriques.utilisateur(Role.RESPONSABLE)
    actions = list(Action.objects.select_related("pilote", "suppleant"))
    campagne, _ = Campagne.objects.lancer(plan, actions, auteur=responsable, avant_le=dans(20), motif="le COPIL")
    assert ecrits() == {anne: "1 demandée"}
    tournee().ecrire()
    rappel = Courriel.objects.latest("pk")
    assert campagne.adresse_de_reponse in rappel.texte
    assert f"d'actualiser 1 action avant {campagne.echeance}" in rappel.texte.replace("\u00a0", " ")
    action.dire_rien_de_nouveau(auteur=anne)
    assert ecrits(dans(40)) == {}


def test_ni_terminee_ni_retiree_ne_se_rappelle(plan, anne, en_retard):
    en_retard.retirer(auteur=anne, version=en_retard.version, motif="Abandonnée.")
    fabriques.action(plan, pilote=anne, statut="TERMINEE", echeance=PASSEE)
    assert ecrits() == {}


def test_le_suppleant_aussi_mais_pas_tout_le_service(plan, anne, noe):
    service = fabriques.service("Achats")
    fabriques.utilisateur(Role.AGENT, courriel="collegue@exemple.fr", service=service)
    fabriques.action(plan, pilote=anne, suppleant=noe, service_pilote=service, echeance=PASSEE)
    assert set(ecrits()) == {anne, noe}


@pytest.mark.parametrize("role", [Role.LECTEUR, None])
def test_qui_ne_peut_pas_agir_n_en_recoit_pas(role, plan):
    fabriques.action(plan, pilote=fabriques.utilisateur(role, courriel="x@exemple.fr"), echeance=PASSEE)
    assert ecrits() == {}


def test_un_responsable_qui_pilote_en_recoit(plan):
    pilote = fabriques.utilisateur(Role.RESPONSABLE, courriel="x@exemple.fr")
    fabriques.action(plan, pilote=pilote, echeance=PASSEE)
    assert set(ecrits()) == {pilote}


def test_qui_n_en_veut_pas_ou_n_a_pas_d_adresse_est_nomme(plan, anne, en_retard):
    anne.choisir_les_rappels(False)
    fabriques.action(plan, pilote=fabriques.utilisateur(nom="Sans-Adresse"), echeance=PASSEE)
    sortie = commander()
    assert "0 rappel écrit" in sortie
    assert "Sans adresse de courriel : Sans-Adresse." in sortie
    assert "N'en veulent pas : Anne Martin." in sortie
    assert not Courriel.objects.exists()


def test_une_personne_ne_recoit_qu_un_courriel_pour_tous_ses_plans(plan, anne, en_retard):
    fabriques.action(fabriques.plan(intitule="Plan climat"), pilote=anne, echeance=PASSEE)
    assert ecrits() == {anne: "2 en retard"}
    tournee().ecrire()
    texte = Courriel.objects.get().texte
    assert "Plan d'achat" in texte
    assert "Plan climat" in texte


# --- Quand --------------------------------------------------------------------------------------


def test_une_fois_par_mois(en_retard, anne):
    assert set(ecrits()) == {anne}
    tournee().ecrire()
    assert ecrits() == {}
    mois_suivant = (timezone.localdate().replace(day=1) + datetime.timedelta(days=32)).replace(day=1)
    assert ecrits(mois_suivant - datetime.timedelta(days=1)) == {}
    assert set(ecrits(mois_suivant)) == {anne}


def comite(plan, jours: int) -> Comite:
    return Comite.objects.create(plan=plan, date=dans(jours))


def raisons(le: datetime.date) -> list[str]:
    return [raison for rappel in tournee(le).rappels for raison in rappel.raisons]


def test_avant_un_comite_et_un_jour_manque_se_rattrape(plan, en_retard, settings):
    settings.JOURS_AVANT_COMITE = 10
    a_venir = comite(plan, 40)
    tournee().ecrire()
    du_comite = f"comite-{a_venir.pk}"
    assert [du_comite in raisons(dans(jours)) for jours in (29, 30, 33, 40, 41)] == [False, True, True, True, False]


def test_un_comite_proche_et_le_mois_ne_font_qu_un_courriel(plan, anne, en_retard):
    prochain = comite(plan, 5)
    assert tournee().ecrire().courriels
    courriel = Courriel.objects.get()
    assert courriel.cle == f"rappel-{anne.pk}-{timezone.localdate():%Y-%m}+comite-{prochain.pk}"
    assert f"se tient le {prochain.date.day}" in courriel.texte.replace("\u00a0", " ").replace("1er", "1")
    assert ecrits() == {}
    # Un second comité, lui, s'annonce.
    autre = comite(plan, 8)
    assert raisons(timezone.localdate()) == [f"comite-{autre.pk}"]


def test_deux_comites_de_deux_plans_ne_font_qu_un_courriel(plan, anne, en_retard):
    climat = fabriques.plan(intitule="Plan climat")
    fabriques.action(climat, pilote=anne, echeance=PASSEE)
    comite(plan, 5), comite(climat, 6)
    tournee().ecrire()
    assert Courriel.objects.count() == 1
    assert ecrits() == {}


def test_le_comite_d_un_plan_ou_l_on_n_attend_rien_ne_se_rappelle_pas(plan, en_retard):
    tournee().ecrire()
    comite(fabriques.plan(), 5)
    assert ecrits() == {}


def test_un_rappel_renvoye_ne_compte_pas_deux_fois(plan, anne, en_retard):
    tournee().ecrire()
    courriel = Courriel.objects.get()
    courriel.envoye_le = timezone.now()
    courriel.save()
    assert courriel.renvoyer() is not None
    assert ecrits() == {}


# --- La commande --------------------------------------------------------------------------------


def test_a_blanc_elle_dit_qui_recevrait_quoi_et_n_ecrit_rien(en_retard):
    sortie = commander("--a-blanc")
    assert "Anne Martin <anne@exemple.fr> (le mois) : 1 en retard." in sortie
    assert "1 rappel partirait, 0 déjà reçu. Rien n'est écrit." in sortie
    assert not Courriel.objects.exists()


def test_lancee_deux_fois_elle_n_envoie_qu_une_fois(en_retard, serveur_de_courriels):
    assert commander().splitlines() == ["1 rappel écrit, 0 déjà reçu.", "1 courriel envoyé."]
    assert commander().splitlines() == ["0 rappel écrit, 1 déjà reçu.", "0 courriel envoyé."]
    (recu,) = serveur_de_courriels.recus
    assert recu["Subject"].replace("\u00a0", " ") == "1 action attend de vos nouvelles"
    assert recu["List-Unsubscribe"] == "<http://127.0.0.1:8000/mon-compte/>"
    parties = {partie.get_content_type(): partie.get_content() for partie in recu.iter_parts()}
    assert "Réviser l'accord-cadre" in parties["text/plain"]
    assert "Réviser l&#x27;accord-cadre" in parties["text/html"]
    assert "/mon-compte/" in parties["text/plain"]


@pytest.mark.parametrize("panne", ["serveur_absent", "serveur_muet"])
def test_un_serveur_en_panne_ne_perd_aucun_rappel_et_se_dit(panne, en_retard, request):
    request.getfixturevalue(panne)
    with pytest.raises(CommandError, match="gardé"):
        commander()
    assert Courriel.objects.get().en_attente
    # Le lendemain elle ne réécrit rien, et réessaie.
    with pytest.raises(CommandError, match="gardé"):
        commander()
    assert Courriel.objects.get().essais == 2


def test_une_adresse_refusee_se_dit(en_retard, noe, plan, serveur_de_courriels):
    fabriques.action(plan, pilote=noe, echeance=PASSEE)
    serveur_de_courriels.a_l_adresse = {"anne@exemple.fr": "550 Boite inconnue"}
    with pytest.raises(CommandError, match="refuse l'adresse"):
        commander()
    assert len(serveur_de_courriels.a("noe@exemple.fr")) == 1


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_deux_crons_en_meme_temps_n_ecrivent_qu_un_rappel(en_retard, noe, plan):
    fabriques.action(plan, pilote=noe, echeance=PASSEE)
    prets = [tournee(), tournee()]
    rendus = ensemble([partial(passage.ecrire) for passage in prets])
    assert sum(len(rendu.courriels) for rendu in rendus) == Courriel.objects.count() == 2


def test_autant_de_requetes_pour_beaucoup_que_pour_peu(plan, anne):
    def requetes() -> int:
        with CaptureQueriesContext(connection) as faites:
            tournee()
        return len(faites)

    fabriques.action(plan, pilote=anne, echeance=PASSEE)
    peu = requetes()
    for n in range(10):
        fabriques.action(plan, pilote=fabriques.utilisateur(courriel=f"p{n}@exemple.fr"), echeance=PASSEE)
    assert requetes() == peu <= 8
