"""« Mes actions » : ce qu'on attend de chacun, le plus pressant d'abord, et les files de travail."""

import datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from actions.mes_actions import TERMINEES_MONTREES, MesActions
from actions.models import Action, Etape
from actions.requetes import JOURS_PROCHES, Urgence
from actions.statuts import PointAttention
from comptes.droits import Role
from socle.echeances import Echeance, Precision
from tests import fabriques
from tests.visites import client_de

pytestmark = pytest.mark.django_db

LOIN = Echeance.lire("31/12/2099")


def dans(jours: int) -> Echeance:
    return Echeance(timezone.localdate() + datetime.timedelta(days=jours), Precision.JOUR)


@pytest.fixture
def agent():
    return fabriques.utilisateur(Role.AGENT, service=fabriques.service("Achats"))


@pytest.fixture
def plan():
    return fabriques.plan()


@pytest.fixture
def creer(agent, plan):
    """Une action de l'agent qui n'attend rien, sauf ce que l'essai en dit. `jours` : d'ici à son échéance ;
    `recente` : on vient d'en dire quelque chose."""

    def creer(*, recente: bool = True, attention: str = "", jours: int | None = None, **champs) -> Action:
        champs = {"statut": "EN_COURS", "echeance": LOIN if jours is None else dans(jours), "pilote": agent} | champs
        date_effet = timezone.localdate() if recente else fabriques.FIN_2023
        action = fabriques.action(plan, date_effet=date_effet, **champs)
        return action.signaler(PointAttention.ARBITRAGE, attention, version=action.version) if attention else action

    return creer


def etape(action: Action, echeance: Echeance | None, **champs) -> Etape:
    colonnes = {"echeance": echeance.fin, "precision": echeance.precision} if echeance else {}
    return Etape.objects.create(action=action, intitule="Rédiger la clause", **colonnes, **champs)


def ouvrir(qui, suite: str = "") -> MesActions:
    reponse = client_de(qui).get(f"/mes-actions/{suite}")
    assert reponse.status_code == 200
    return reponse.context["miennes"]


def texte(qui) -> str:
    return " ".join(client_de(qui).get("/mes-actions/").content.decode().split())


def rangees(qui) -> dict[Urgence, list[Action]]:
    """Les actions que la page montre, par urgence ; les terminées comprises."""
    miennes = ouvrir(qui)
    groupes = {groupe.urgence: groupe.actions for groupe in miennes.groupes}
    return groupes | ({Urgence.TERMINEE: miennes.terminees} if miennes.terminees else {})


# --- Les groupes ----------------------------------------------------------------------------------

CAS = {
    "échéance passée": ({"jours": -1}, Urgence.RETARD),
    "échéance aujourd'hui": ({"jours": 0}, Urgence.PROCHE),
    "le trentième jour": ({"jours": JOURS_PROCHES}, Urgence.PROCHE),
    "le trente et unième": ({"jours": JOURS_PROCHES + 1}, Urgence.RESTE),
    "rien dit depuis 2023": ({"recente": False}, Urgence.SILENCE),
    "sans échéance, suivie": ({"echeance": None}, Urgence.RESTE),
    "en retard et sans nouvelle": ({"jours": -1, "recente": False}, Urgence.RETARD),
    "proche et sans nouvelle": ({"jours": 5, "recente": False}, Urgence.PROCHE),
    "terminée après son échéance": ({"jours": -1, "statut": "TERMINEE", "recente": False}, Urgence.TERMINEE),
}


@pytest.mark.parametrize(("champs", "urgence"), CAS.values(), ids=CAS)
def test_une_action_est_dans_le_premier_groupe_qui_s_applique_et_dans_lui_seul(creer, agent, champs, urgence):
    action = creer(**champs)
    assert rangees(agent) == {urgence: [action]}


def test_dans_un_groupe_la_plus_proche_echeance_vient_d_abord_et_sans_echeance_a_la_fin(creer, agent):
    sans, loin, proche = creer(echeance=None), creer(), creer(jours=60)
    assert rangees(agent) == {Urgence.RESTE: [proche, loin, sans]}


def test_on_y_voit_celles_qu_on_pilote_qu_on_supplee_et_de_son_service_pas_les_autres(creer, agent):
    autre = fabriques.utilisateur(Role.AGENT)
    siennes = [
        creer(),
        creer(pilote=autre, suppleant=agent),
        creer(pilote=None, service_pilote=agent.service),
    ]
    creer(pilote=autre)
    assert rangees(agent) == {Urgence.RESTE: siennes}


def test_une_action_retiree_du_plan_n_attend_plus_rien(creer, agent):
    action = creer(jours=-1)
    action.retirer(auteur=None, version=action.version, motif="Abandonnée.")
    assert (rangees(agent), ouvrir(agent).files) == ({}, [])


# --- Les étapes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("jours", [-3, 0, JOURS_PROCHES])
def test_une_etape_qui_presse_met_son_action_a_faire_et_se_lit_dessous(creer, agent, jours):
    action = creer()
    voulue = etape(action, dans(jours))
    [montree] = rangees(agent)[Urgence.PROCHE]
    assert (montree, montree.etapes_pressantes) == (action, [voulue])
    page = texte(agent).partition("Rédiger la clause")[2].partition("</li>")[0]
    assert ("En retard" in page) == (jours < 0)


@pytest.mark.parametrize(
    ("jours", "champs"),
    [
        (JOURS_PROCHES + 1, {}),
        (None, {}),
        (-3, {"retiree": True}),
        (-3, {"faite_le": datetime.date(2024, 1, 1)}),
    ],
    ids=["lointaine", "sans échéance", "retirée", "faite"],
)
def test_les_autres_etapes_ne_pressent_pas_et_ne_se_montrent_pas(creer, agent, jours, champs):
    action = creer()
    etape(action, None if jours is None else dans(jours), **champs)
    assert rangees(agent) == {Urgence.RESTE: [action]}
    assert "Rédiger la clause" not in texte(agent)


def test_les_etapes_se_lisent_aussi_sous_une_action_en_retard(creer, agent):
    etape(creer(jours=-1), dans(-1))
    assert "Rédiger la clause" in texte(agent)


# --- Ce que la page dit ---------------------------------------------------------------------------


def test_la_premiere_phrase_dit_ce_qu_on_attend(creer, agent):
    for _ in range(2):
        creer(jours=-1)
    creer(jours=3)
    attendu = texte(agent).partition('class="attendu">')[2].partition("</p>")[0]
    attendu = attendu.replace("<strong>", "").replace("</strong>", "").replace("\u00a0", " ")
    assert attendu == "On attend de vous : 2 actions en retard, 1 autre à faire sous 30 jours."


def test_quand_rien_ne_presse_la_page_le_dit(creer, agent):
    creer()
    assert "Rien ne presse" in texte(agent)


def test_sans_action_la_page_mene_a_toutes(agent):
    page = texte(agent)
    assert "Aucune action ne vous est confiée" in page
    assert 'href="/actions/">Voir toutes les actions' in page


def test_un_lecteur_lit_qu_on_n_attend_rien_de_lui():
    page = texte(fabriques.utilisateur(Role.LECTEUR))
    assert "Votre rôle permet de consulter le plan" in page
    assert "Aucune action ne vous est confiée" not in page


def test_un_lecteur_designe_pilote_voit_ses_actions_sans_geste_ni_file(creer):
    lecteur = fabriques.utilisateur(Role.LECTEUR)
    action = creer(pilote=lecteur, recente=False)
    page = texte(lecteur)
    assert action.intitule in page
    assert "Rien de nouveau" not in page
    assert "<form" not in page.partition("<main")[2].partition("</main>")[0]
    assert ouvrir(lecteur).files == []


def test_les_terminees_sont_repliees_et_la_liste_les_a_toutes(creer, agent):
    for _ in range(TERMINEES_MONTREES + 2):
        creer(statut="TERMINEE", echeance=None)
    page = client_de(agent).get("/mes-actions/")
    assert len(page.context["miennes"].terminees) == TERMINEES_MONTREES
    assert '<details class="terminees">' in page.content.decode()
    suite = "/actions/?miennes=oui&statut=TERMINEE"
    assert suite.replace("&", "&amp;") in page.content.decode()
    assert nombre_dans_la_liste(client_de(agent), suite) == TERMINEES_MONTREES + 2


def test_celle_qu_on_vient_de_terminer_reste_sous_les_yeux_avec_de_quoi_se_reprendre(creer, agent):
    for _ in range(TERMINEES_MONTREES):
        creer(statut="TERMINEE", echeance=None)
    derniere, client = creer(), client_de(agent)
    envoi = {"statut": "TERMINEE", "version": derniere.version, "date_effet": timezone.localdate().isoformat()}
    client.post(f"/actions/{derniere.pk}/statut/", envoi | {"suite": "/mes-actions/"})
    page = client.get("/mes-actions/")
    assert page.context["miennes"].terminees[0] == derniere
    assert '<details class="terminees" open>' in page.content.decode()
    assert f"/actions/{derniere.pk}/statut/annuler/" in page.content.decode()


# --- Les files de travail -------------------------------------------------------------------------


def nombre_dans_la_liste(client: Client, adresse: str) -> int:
    reponse = client.get(adresse)
    assert reponse.status_code == 200
    return reponse.context["table"].paginator.count


@pytest.fixture
def de_tout(creer, agent):
    """Des actions de l'agent et d'un autre, qui manquent chacune de quelque chose ; des terminées, à qui rien ne
    manque plus."""
    autre = fabriques.utilisateur(Role.AGENT)
    du_service = {"pilote": None, "service_pilote": agent.service}
    for champs in (
        {"jours": -1},
        {"echeance": None},
        {"recente": False},
        {"attention": "Budget à décider."},
        {**du_service, "jours": -1, "recente": False, "attention": "Budget à décider."},
        {**du_service, "echeance": None, "statut": "TERMINEE", "recente": False, "attention": "Budget dépassé."},
        {"pilote": autre, "jours": -1},
        {"pilote": None, "echeance": None},
        {"pilote": autre, "recente": False, "attention": "Budget à décider."},
    ):
        creer(**champs)


ATTENDUS = {
    Role.AGENT: {"en retard": 2, "sans nouvelle": 2, "sans pilote": 1, "sans échéance": 1, "point d'attention": 2},
    Role.RESPONSABLE: {
        "en retard": 3,
        "sans nouvelle": 3,
        "sans pilote": 2,
        "sans échéance": 2,
        "point d'attention": 3,
    },
}


@pytest.mark.parametrize("role", ATTENDUS)
def test_chaque_file_dit_un_nombre_et_mene_a_la_liste_qui_en_montre_autant(de_tout, agent, role):
    qui = agent if role is Role.AGENT else fabriques.utilisateur(role)
    files = ouvrir(qui).files
    assert {nom: file.nombre for file in files for nom in ATTENDUS[role] if nom in file.libelle} == ATTENDUS[role]
    client = client_de(qui)
    assert [nombre_dans_la_liste(client, file.adresse) for file in files] == [file.nombre for file in files]
    page = texte(qui)
    for file in files:
        assert f'<a href="{file.adresse.replace("&", "&amp;")}">{file.nombre} ' in page


def test_un_responsable_sans_action_voit_les_files_du_plan_en_tete(de_tout):
    responsable = fabriques.utilisateur(Role.RESPONSABLE)
    page = texte(responsable)
    assert page.index("Dans tout le plan") < page.index("Aucune action ne vous est confiée")


def test_un_responsable_voit_ses_propres_actions_sous_les_files(de_tout, creer):
    responsable = fabriques.utilisateur(Role.RESPONSABLE)
    action = creer(pilote=responsable, jours=-1)
    assert rangees(responsable) == {Urgence.RETARD: [action]}


def test_un_plan_bien_tenu_se_dit_au_responsable(creer):
    creer()
    assert "chaque action à mener a un pilote" in texte(fabriques.utilisateur(Role.RESPONSABLE))


def test_les_nombres_se_comptent_en_une_requete(de_tout, agent):
    client = client_de(agent)
    with CaptureQueriesContext(connection) as requetes:
        client.get("/mes-actions/")
    comptes = [requete["sql"] for requete in requetes if "COUNT(" in requete["sql"]]
    # Ce que les campagnes demandent est une autre question.
    assert len([compte for compte in comptes if "demandedactualisation" not in compte]) == 1


# --- Beaucoup d'actions ---------------------------------------------------------------------------


def test_soixante_actions_tiennent_en_pages_courtes_et_chaque_groupe_dit_son_total(creer, agent):
    for n in range(60):
        creer(jours=-1 if n < 30 else 5)
    premiere, deuxieme, derniere = (ouvrir(agent, suite) for suite in ("", "?page=2", "?page=99"))
    vus = [[(g.urgence, g.total, len(g.actions)) for g in page.groupes] for page in (premiere, deuxieme, derniere)]
    assert vus == [
        [(Urgence.RETARD, 30, 25)],
        [(Urgence.RETARD, 30, 5), (Urgence.PROCHE, 30, 20)],
        [(Urgence.PROCHE, 30, 10)],
    ]
    assert len({action.pk for page in (premiere, deuxieme, derniere) for action in page.page}) == 60
