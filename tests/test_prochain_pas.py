"""Le prochain pas d'une action : le plus pressant d'abord, rien quand rien ne presse."""

import datetime

import pytest
from django.utils import timezone

from actions.models import Action
from actions.prochain_pas import Pas, prochain_pas
from comptes.droits import Role
from socle.echeances import Echeance
from tests import fabriques
from tests.visites import client_de

pytestmark = pytest.mark.django_db

PASSEE, A_VENIR = Echeance.lire("2024"), Echeance.lire("31/12/2099")


def creer(*, recente: bool = True, **champs) -> Action:
    """Une action en cours qui n'a besoin de rien, sauf ce que l'essai en dit."""
    champs = {"statut": "EN_COURS", "echeance": A_VENIR, "service_pilote": fabriques.service()} | champs
    return fabriques.action(date_effet=timezone.localdate() if recente else fabriques.FIN_2023, **champs)


def pas_de(action: Action) -> Pas | None:
    aujourdhui = timezone.localdate()
    return prochain_pas(Action.objects.etat_au().avec_retard(aujourdhui).avec_silence(aujourdhui).get(pk=action.pk))


def geste(action: Action) -> str:
    pas = pas_de(action)
    return pas.geste if pas else ""


# --- Chaque cas -----------------------------------------------------------------------------------


def test_une_action_pilotee_datee_et_suivie_n_a_pas_de_prochain_pas():
    assert pas_de(creer()) is None


def test_en_retard_on_demande_si_elle_est_terminee_et_l_on_reporte():
    action = creer(echeance=PASSEE)
    assert pas_de(action) == Pas(
        "L'échéance (2024) est passée : l'action est-elle terminée ?",
        "Reporter l'échéance",
        f"/actions/{action.pk}/echeance/",
    )


def test_sans_pilote_ni_service_on_designe_un_pilote_ce_qui_est_reserve():
    action = creer(service_pilote=None)
    pas = pas_de(action)
    assert (pas.geste, pas.adresse, pas.reserve) == ("Désigner un pilote", f"/actions/{action.pk}/modifier/", True)


def test_un_pilote_sans_service_suffit():
    assert pas_de(creer(service_pilote=None, pilote=fabriques.utilisateur())) is None


def test_sans_echeance_on_en_fixe_une():
    action = creer(echeance=None)
    pas = pas_de(action)
    assert (pas.geste, pas.adresse, pas.reserve) == ("Fixer l'échéance", f"/actions/{action.pk}/echeance/", False)


def test_sans_nouvelle_on_en_donne():
    action = creer(recente=False)
    assert pas_de(action) == Pas(
        "Rien n'a été dit depuis 6\u00a0mois.", "Donner des nouvelles", f"/actions/{action.pk}/note/"
    )


def test_le_silence_se_compte_en_mois_du_reglage(settings):
    settings.MOIS_SANS_NOUVELLE = 12
    assert "12\u00a0mois" in pas_de(creer(recente=False)).phrase


# --- Leur ordre -----------------------------------------------------------------------------------


def test_le_retard_passe_devant_le_pilote():
    assert geste(creer(echeance=PASSEE, service_pilote=None, recente=False)) == "Reporter l'échéance"


def test_le_pilote_passe_devant_l_echeance():
    assert geste(creer(echeance=None, service_pilote=None, recente=False)) == "Désigner un pilote"


def test_l_echeance_passe_devant_les_nouvelles():
    assert geste(creer(echeance=None, recente=False)) == "Fixer l'échéance"


# --- Ce qui n'en a pas ----------------------------------------------------------------------------


def test_une_terminee_n_a_plus_de_pas():
    assert pas_de(creer(statut="TERMINEE", echeance=PASSEE, service_pilote=None, recente=False)) is None


def test_une_retiree_n_a_plus_de_pas():
    action = creer(echeance=PASSEE, service_pilote=None)
    action.retirer(auteur=None, version=action.version, motif="Doublon")
    assert pas_de(action) is None


def test_une_remise_au_plan_en_a_de_nouveau_un():
    action = creer(echeance=PASSEE)
    action.retirer(auteur=None, version=action.version, motif="Doublon")
    action.refresh_from_db()
    action.remettre(auteur=None, version=action.version)
    assert geste(action) == "Reporter l'échéance"


def test_une_action_sans_statut_a_un_pas():
    action = Action.objects.create(plan=fabriques.plan(), numero=1, intitule="x")
    assert geste(action) == "Désigner un pilote"


def test_le_jour_de_l_echeance_elle_n_est_pas_encore_passee():
    aujourdhui = timezone.localdate()
    assert pas_de(creer(echeance=Echeance.lire(f"{aujourdhui:%d/%m/%Y}"))) is None
    assert geste(creer(echeance=Echeance.lire(f"{aujourdhui - datetime.timedelta(1):%d/%m/%Y}")))


# --- Sur la fiche ---------------------------------------------------------------------------------


def encart(role: Role, action: Action) -> str:
    compte = fabriques.utilisateur(role, service=action.service_pilote)
    page = client_de(compte).get(action.get_absolute_url()).content.decode().replace("&#x27;", "'")
    return page.partition('<p class="prochain-pas">')[2].partition("</p>")[0]


@pytest.mark.parametrize(
    ("role", "lien"),
    [(Role.LECTEUR, False), (Role.AGENT, True), (Role.RESPONSABLE, True), (Role.ADMINISTRATEUR, True)],
)
def test_le_lien_est_pour_qui_peut_mettre_l_action_a_jour(role, lien):
    action = creer(echeance=None)
    lu = encart(role, action)
    assert "Aucune échéance n'est fixée." in lu
    assert (f'href="/actions/{action.pk}/echeance/"' in lu) == lien


@pytest.mark.parametrize(
    ("role", "lien"),
    [(Role.LECTEUR, False), (Role.AGENT, False), (Role.RESPONSABLE, True), (Role.ADMINISTRATEUR, True)],
)
def test_designer_un_pilote_est_pour_qui_peut_modifier_la_fiche(role, lien):
    action = creer(service_pilote=None)
    lu = encart(role, action)
    assert "Personne ne pilote cette action." in lu
    assert (f'href="/actions/{action.pk}/modifier/"' in lu) == lien


def test_un_contributeur_d_ailleurs_lit_le_pas_sans_lien():
    action = creer(echeance=None)
    page = client_de(fabriques.utilisateur(Role.AGENT, service=fabriques.service())).get(action.get_absolute_url())
    lu = page.content.decode().partition('<p class="prochain-pas">')[2].partition("</p>")[0]
    assert "Prochain pas" in lu
    assert "<a " not in lu


def test_rien_a_faire_ne_laisse_pas_d_encart():
    assert encart(Role.RESPONSABLE, creer()) == ""
