"""La grille du registre : chaque ligne s'enregistre pour elle-même, rien ne s'écrase, rien ne se perd."""

import datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from comptes.droits import Role
from marches.consultations import LotDeConsultation
from marches.listes import MotifSansSuite, Suite
from marches.reponses import Reponse
from tests import fabriques
from tests.fabriques_marches import consultation, lot
from tests.visites import client_de, formulaire_de

pytestmark = pytest.mark.django_db

GRILLE = "marches:grille_des_consultations"


@pytest.fixture
def responsable():
    return fabriques.utilisateur(Role.RESPONSABLE)


def remplir(client, saisies: dict[LotDeConsultation, dict[str, str]], requete: str = ""):
    """La page telle qu'elle s'envoie, avec ces cellules tapées."""
    adresse = reverse(GRILLE) + requete
    envoi = formulaire_de(client.get(adresse))
    for sur, cellules in saisies.items():
        envoi |= {f"l{sur.pk}-{champ}": texte for champ, texte in cellules.items()}
    return client.post(adresse, envoi)


def test_plusieurs_lots_se_remplissent_d_un_envoi(responsable):
    un, deux = lot(), lot()
    reponse = remplir(
        client_de(responsable),
        {
            un: {"suite": "NOTIFIE", "date_de_suite": "01/03/2024", "montant_ht": "1 234,50 €"},
            deux: {"clause_sociale": "OUI", "critere_environnemental": "oui", "poids_environnemental": "10 %"},
        },
    )
    assert reponse.status_code == 302
    un.refresh_from_db()
    deux.refresh_from_db()
    assert (un.suite, un.date_de_suite, un.montant_ht) == (
        *(Suite.NOTIFIE, datetime.date(2024, 3, 1), Decimal("1234.50")),
    )
    assert (deux.clause_sociale, deux.critere_environnemental, deux.poids_environnemental) == (
        *(Reponse.OUI, Reponse.OUI, Decimal(10)),
    )
    assert un.history.first().history_user == responsable


def test_une_ligne_refusee_garde_sa_saisie_et_n_arrete_pas_les_autres(responsable):
    un, deux = lot(), lot()
    page = remplir(
        client_de(responsable), {un: {"date_de_suite": "31/02/2024"}, deux: {"montant_ht": "10"}}
    ).content.decode()
    assert "31/02/2024" in page
    assert "1\u00a0ligne enregistrée, 1\u00a0refusée" in page
    deux.refresh_from_db()
    assert deux.montant_ht == 10


def test_une_regle_entre_deux_cellules_se_dit_a_cote_de_la_bonne(responsable):
    un = lot(clause_sociale=Reponse.NON)
    page = remplir(client_de(responsable), {un: {"critere_social": "NON", "poids_social": "5"}})
    [ligne] = [ligne for ligne in page.context["lignes"] if ligne.lot == un]
    assert list(ligne.erreurs) == ["poids_social"]


def test_un_lot_sans_suite_recoit_son_motif(responsable):
    un = lot()
    remplir(
        client_de(responsable),
        {un: {"suite": "SANS_SUITE", "date_de_suite": "01/03/2024", "motif_sans_suite": "INFRUCTUEUX"}},
    )
    un.refresh_from_db()
    assert un.motif_sans_suite == MotifSansSuite.INFRUCTUEUX


def test_ce_qu_un_autre_a_mis_entre_temps_n_est_pas_ecrase(responsable):
    un = lot()
    client = client_de(responsable)
    envoi = formulaire_de(client.get(reverse(GRILLE))) | {f"l{un.pk}-montant_ht": "10"}
    un.modifier({"montant_ht": Decimal(99)}, auteur=fabriques.utilisateur(), version=1)
    page = client.post(reverse(GRILLE), envoi).content.decode()
    assert "Modifiée par quelqu'un d'autre" in page.replace("&#x27;", "'")
    assert "<strong>99</strong>" in page
    un.refresh_from_db()
    assert un.montant_ht == 99


def test_un_agent_ne_remplit_que_les_lots_de_son_service():
    agent = fabriques.utilisateur(Role.AGENT, service=fabriques.service("Achats"))
    sien = consultation(service=agent.service).lots.get()
    autre = consultation(service=fabriques.service("Voirie")).lots.get()
    sans = lot()
    client = client_de(agent)
    page = client.get(reverse(GRILLE))
    assert [ligne.lot for ligne in page.context["lignes"]] == [sien]
    for interdit in (autre, sans):
        envoi = {"lignes": interdit.pk, f"l{interdit.pk}-version": 1, f"l{interdit.pk}-montant_ht": "10"}
        assert client.post(reverse("marches:ligne_du_registre", args=[interdit.pk]), envoi).status_code == 403
        assert "autre service" in client.post(reverse(GRILLE), envoi).content.decode()
        interdit.refresh_from_db()
        assert interdit.montant_ht is None


def test_une_ligne_s_enregistre_seule_sur_place(responsable):
    un = lot()
    envoi = {f"l{un.pk}-version": "1", f"l{un.pk}-montant_ht": "10"}
    client = client_de(responsable)
    reponse = client.post(reverse("marches:ligne_du_registre", args=[un.pk]), envoi, headers={"HX-Request": "true"})
    assert 'data-etat="enregistree"' in reponse.content.decode()
    assert client.post(reverse("marches:ligne_du_registre", args=[0]), envoi).status_code == 404


@pytest.mark.parametrize(
    ("requete", "attendus"),
    [
        ("", {"court", "fini", "muet", "abandonne"}),
        ("?manque=suite", {"court", "muet"}),
        ("?manque=environnement", {"court", "muet"}),
        ("?manque=social", {"muet"}),
        ("?annee=2024", {"court"}),
    ],
)
def test_la_grille_montre_ce_qui_manque_et_son_compte(responsable, requete, attendus):
    non = dict.fromkeys(
        ("clause_environnementale", "critere_environnemental", "clause_sociale", "critere_social"), Reponse.NON
    )
    lancee = consultation(lots=[], lancee_le=datetime.date(2024, 1, 1))
    lot(lancee, objet="court", clause_sociale=Reponse.OUI, clause_environnementale=Reponse.NON)
    lot(objet="fini", suite=Suite.NOTIFIE, date_de_suite=datetime.date(2024, 1, 1), **non)
    lot(objet="muet", suite=Suite.NOTIFIE)
    lot(objet="abandonne", suite=Suite.ABANDONNE)
    page = client_de(responsable).get(reverse(GRILLE) + requete)
    assert {ligne.lot.objet for ligne in page.context["lignes"]} == attendus
    [courant] = [choix for choix in page.context["grille"].manques if choix.courant]
    assert courant.nombre == len(attendus)


@pytest.mark.parametrize("requete", ["?manque=rien", "?annee=bientot"])
def test_un_filtre_absurde_est_refuse(responsable, requete):
    assert client_de(responsable).get(reverse(GRILLE) + requete).status_code == 400
