"""Le registre des consultations : l'écrire, le lire, qui peut quoi."""

import datetime
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.urls import NoReverseMatch, reverse

from comptes.droits import Role
from marches import rubriques
from marches.consultations import Consultation, ContratDeConsultation, LotDeConsultation
from marches.listes import MotifSansSuite, Nature, Procedure, Suite
from marches.regles_du_registre import avertissements_du_lot, siret_plausible
from marches.reponses import Reponse
from socle.modeles import ConflitDeVersion
from tests import fabriques
from tests.fabriques_decp import contrat
from tests.fabriques_marches import consultation, lot
from tests.visites import client_de, formulaire_de

pytestmark = pytest.mark.django_db

FEVRIER, MARS, AVRIL = (datetime.date(2024, mois, 1) for mois in (2, 3, 4))
DEMAIN = datetime.date(2199, 1, 1)


@pytest.fixture
def responsable():
    return fabriques.utilisateur(Role.RESPONSABLE)


@pytest.fixture
def agent():
    return fabriques.utilisateur(Role.AGENT, service=fabriques.service("Achats"))


def refus_de(erreur) -> dict[str, list[str]]:
    return erreur.value.message_dict


# --- Écrire -------------------------------------------------------------------------------------


def test_une_consultation_se_cree_avec_ses_lots_signee_de_son_auteur(responsable):
    lots = [{"objet": "Gros œuvre"}, {"objet": "Électricité"}]
    creee = Consultation.objects.creer({"numero": "A1", "objet": "École"}, lots, auteur=responsable)
    assert [(lot.numero, lot.objet) for lot in creee.lots.all()] == [("1", "Gros œuvre"), ("2", "Électricité")]
    assert creee.history.get().history_user == responsable
    assert creee.lots.first().history.get().history_user == responsable


def test_sans_lot_dit_elle_en_a_un(responsable):
    assert Consultation.objects.creer({"numero": "A1", "objet": "x"}, [], auteur=responsable).lots.get().numero == "1"


def test_le_meme_envoi_recu_deux_fois_n_ecrit_qu_une_consultation(responsable):
    valeurs = {"numero": "A1", "objet": "École"}
    premiere = Consultation.objects.creer(valeurs, [{}], auteur=responsable)
    assert Consultation.objects.creer(valeurs, [{}], auteur=responsable) == premiere
    with pytest.raises(ValidationError) as erreur:
        Consultation.objects.creer(valeurs | {"objet": "Crèche"}, [{}], auteur=responsable)
    assert refus_de(erreur) == {"numero": ["Une consultation porte déjà ce numéro."]}


def test_un_lot_refuse_et_rien_n_est_cree(responsable):
    with pytest.raises(ValidationError) as erreur:
        Consultation.objects.creer({"numero": "A1", "objet": "x"}, [{"siret": "12"}], auteur=responsable)
    assert list(refus_de(erreur)) == ["lot-siret"]
    assert not Consultation.objects.exists()


def test_une_consultation_s_allotit_une_fois_par_envoi(responsable):
    de = consultation()
    second = de.ajouter_un_lot({"numero": "2", "objet": "Voirie"}, auteur=responsable)
    assert de.ajouter_un_lot({"numero": "2", "objet": "Voirie"}, auteur=responsable) == second
    with pytest.raises(ValidationError) as erreur:
        de.ajouter_un_lot({"numero": "2", "objet": "Autre"}, auteur=responsable)
    assert refus_de(erreur) == {"numero": ["La consultation a déjà un lot de ce numéro."]}


def test_un_lot_recoit_sa_suite(responsable):
    lot_1 = lot()
    assert lot_1.donner_une_suite(
        Suite.SANS_SUITE, AVRIL, motif=MotifSansSuite.INFRUCTUEUX, auteur=responsable, version=1
    )
    lot_1.refresh_from_db()
    assert (lot_1.suite, lot_1.date_de_suite, lot_1.version) == (Suite.SANS_SUITE, AVRIL, 2)
    # Un second clic ne change rien.
    assert not lot_1.donner_une_suite(
        Suite.SANS_SUITE, AVRIL, motif=MotifSansSuite.INFRUCTUEUX, auteur=responsable, version=1
    )
    assert lot_1.history.count() == 2


def test_personne_n_ecrase_personne(responsable):
    de = consultation()
    autre = Consultation.objects.get(pk=de.pk)
    de.modifier({"objet": "Premier"}, auteur=responsable, version=1)
    with pytest.raises(ConflitDeVersion):
        autre.modifier({"objet": "Second"}, auteur=responsable, version=1)


def test_un_lot_saisi_par_erreur_se_retire_mais_jamais_le_dernier(responsable):
    de = consultation(lots=[{}, {}])
    premier, second = de.lots.all()
    premier.retirer(auteur=responsable)
    premier.retirer(auteur=responsable)
    assert LotDeConsultation.history.filter(history_type="-").get().history_user == responsable
    with pytest.raises(ValidationError, match="garde au moins un lot"):
        second.retirer(auteur=responsable)


# --- Les règles ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("champs", "champ"),
    [
        ({"lancee_le": MARS, "plis_avant_le": FEVRIER}, "plis_avant_le"),
        ({"plis_avant_le": MARS, "commission_le": FEVRIER}, "commission_le"),
        ({"lancee_le": MARS, "commission_le": FEVRIER}, "commission_le"),
        ({"siren": "12"}, "siren"),
        ({"estimation_ht": Decimal(-1)}, "estimation_ht"),
    ],
)
def test_une_consultation_incoherente_nomme_le_champ(champs, champ):
    with pytest.raises(ValidationError) as erreur:
        consultation(**champs)
    assert list(refus_de(erreur)) == [champ]


@pytest.mark.parametrize(
    ("champs", "champ"),
    [
        ({"suite": Suite.NOTIFIE, "date_de_suite": DEMAIN}, "date_de_suite"),
        ({"suite": Suite.NOTIFIE, "date_de_suite": FEVRIER}, "date_de_suite"),
        ({"date_de_suite": AVRIL}, "suite"),
        ({"suite": Suite.NOTIFIE, "motif_sans_suite": MotifSansSuite.AUTRE}, "motif_sans_suite"),
        ({"critere_environnemental": Reponse.NON, "poids_environnemental": 10}, "poids_environnemental"),
        ({"critere_social": Reponse.NON, "poids_social": 5}, "poids_social"),
        ({"clause_sociale": Reponse.NON, "heures_insertion": 10}, "heures_insertion"),
        ({"minimum_ht": 10, "maximum_ht": 5}, "maximum_ht"),
    ],
)
def test_un_lot_incoherent_nomme_le_champ(champs, champ):
    with pytest.raises(ValidationError) as erreur:
        lot(consultation(lots=[], lancee_le=MARS), **champs)
    assert list(refus_de(erreur)) == [champ]


def test_ce_qui_n_est_pas_incoherent_passe():
    de = consultation(lots=[], lancee_le=MARS)
    lot(de, suite=Suite.ABANDONNE, date_de_suite=FEVRIER)
    lot(de, critere_social=Reponse.NON, poids_social=0)
    lot(de, poids_environnemental=10)
    assert de.lots.count() == 3


def test_la_date_d_une_consultation_ne_passe_pas_apres_la_suite_d_un_lot(responsable):
    de = consultation(lancee_le=FEVRIER, lots=[{"suite": Suite.NOTIFIE, "date_de_suite": MARS}])
    with pytest.raises(ValidationError) as erreur:
        de.modifier({"lancee_le": AVRIL}, auteur=responsable, version=1)
    assert refus_de(erreur) == {"lancee_le": ["Le lot 1 a reçu sa suite avant cette date."]}


def test_un_siret_a_la_cle_fausse_avertit_sans_refuser():
    assert siret_plausible("73282932000074")
    assert siret_plausible("35600000049837")
    ecrit = lot(siret="73282932000075")
    assert avertissements_du_lot(ecrit) == [
        "Le SIRET 73282932000075 a une clé fausse : un chiffre est sans doute mal recopié."
    ]


# --- Qui ----------------------------------------------------------------------------------------


def test_un_agent_tient_les_consultations_de_son_service(agent):
    sienne, autre = consultation(service=agent.service), consultation(service=fabriques.service("Voirie"))
    client = client_de(agent)
    assert client.get(reverse("marches:consultation_modifier", args=[sienne.pk])).status_code == 200
    assert client.get(reverse("marches:consultation_modifier", args=[autre.pk])).status_code == 403
    assert client.get(reverse("marches:consultation", args=[autre.pk])).status_code == 200
    assert client.get(reverse("marches:lot_modifier", args=[autre.pk, autre.lots.get().pk])).status_code == 403


def test_un_agent_ne_donne_pas_sa_consultation_a_un_autre_service(agent):
    autre = fabriques.service("Voirie")
    client = client_de(agent)
    envoi = {"numero": "A1", "objet": "x", "service": autre.pk, "lot-numero": "1"} | REPONSES
    reponse = client.post(reverse("marches:consultation_ajouter"), envoi)
    assert reponse.status_code == 200
    assert "service" in reponse.context["formulaire"].errors
    assert not Consultation.objects.exists()


def test_le_lot_d_une_autre_consultation_ne_s_ouvre_pas(responsable):
    une, autre = consultation(), consultation()
    adresse = reverse("marches:lot_modifier", args=[une.pk, autre.lots.get().pk])
    assert client_de(responsable).get(adresse).status_code == 404


# --- Les pages ----------------------------------------------------------------------------------

REPONSES = {
    f"lot-{champ}": "INCONNU"
    for champ in ("clause_environnementale", "critere_environnemental", "clause_sociale", "critere_social")
}


def test_la_saisie_rapide_ecrit_la_consultation_et_son_premier_lot(agent):
    client = client_de(agent)
    adresse = reverse("marches:consultation_ajouter")
    envoi = formulaire_de(client.get(adresse)) | {
        "numero": "2024-01",
        "objet": "Nettoyage",
        "lancee_le": "2024-02-01",
        "lot-suite": Suite.NOTIFIE,
        "lot-date_de_suite": "01/03/2024",
        "lot-montant_ht": "1 234,50",
        "lot-siret": "73282932000075",
    }
    page = client.post(adresse, envoi, follow=True).content.decode()
    creee = Consultation.objects.get()
    assert (creee.service, creee.lots.get().montant_ht) == (agent.service, Decimal("1234.50"))
    assert "clé fausse" in page
    assert "Finalisée le 01/03/2024" in page
    # Le même envoi reçu deux fois n'écrit rien de plus.
    client.post(adresse, envoi)
    assert Consultation.objects.count() == LotDeConsultation.objects.count() == 1


def test_une_faute_du_lot_ne_perd_rien_de_ce_qui_est_tape(responsable):
    envoi = {"numero": "A1", "objet": "Tapé", "lot-numero": "1", "lot-montant_ht": "cher"} | REPONSES
    page = client_de(responsable).post(reverse("marches:consultation_ajouter"), envoi)
    assert "montant_ht" in page.context["lot"].errors
    assert "Tapé" in page.content.decode()
    assert "cher" in page.content.decode()
    assert not Consultation.objects.exists()


def test_un_numero_deja_pris_se_dit_a_cote_du_champ(responsable):
    consultation(numero="A1")
    envoi = {"numero": "A1", "objet": "Autre", "lot-numero": "1"} | REPONSES
    page = client_de(responsable).post(reverse("marches:consultation_ajouter"), envoi)
    assert page.context["formulaire"].errors == {"numero": ["Une consultation porte déjà ce numéro."]}


def test_deux_personnes_sur_la_meme_fiche_voient_les_deux_versions(responsable):
    de = consultation(objet="Avant")
    client = client_de(responsable)
    adresse = reverse("marches:consultation_modifier", args=[de.pk])
    envoi = formulaire_de(client.get(adresse)) | {"objet": "Le mien"}
    de.modifier({"objet": "Le sien"}, auteur=fabriques.utilisateur(), version=1)
    page = client.post(adresse, envoi).content.decode()
    assert "Deux versions" in page
    de.refresh_from_db()
    assert de.objet == "Le sien"


def test_enregistrer_puis_ajouter_un_lot_mene_au_lot_suivant(responsable):
    client = client_de(responsable)
    envoi = {"numero": "A1", "objet": "x", "lot-numero": "1", "encore": "oui"} | REPONSES
    suite = client.post(reverse("marches:consultation_ajouter"), envoi, follow=True)
    assert suite.context["formulaire"]["numero"].value() == "2"


def test_un_lot_modifie_garde_son_historique_en_clair(responsable):
    de = consultation()
    client = client_de(responsable)
    adresse = reverse("marches:lot_modifier", args=[de.pk, de.lots.get().pk])
    envoi = formulaire_de(client.get(adresse)) | {"clause_sociale": "OUI"}
    page = client.post(adresse, envoi, follow=True).content.decode()
    assert "condition d&#x27;exécution sociale : Non renseigné → Oui" in page


def test_la_page_montre_les_contrats_publies_de_la_consultation(responsable):
    de = consultation()
    publie = contrat(objet="Nettoyage publié")
    ContratDeConsultation.objects.create(consultation=de, souche=publie.souche)
    page = client_de(responsable).get(reverse("marches:consultation", args=[de.pk])).content.decode()
    assert "Nettoyage publié" in page


@pytest.fixture
def registre():
    achats, voirie = fabriques.service("Achats"), fabriques.service("Voirie")
    consultation(
        numero="FIN23",
        service=achats,
        nature=Nature.TRAVAUX,
        procedure=Procedure.MAPA,
        lots=[{"suite": Suite.NOTIFIE, "date_de_suite": datetime.date(2023, 5, 2), "clause_sociale": Reponse.OUI}],
    )
    consultation(
        numero="FIN24",
        service=voirie,
        lots=[{"suite": Suite.SANS_SUITE, "date_de_suite": AVRIL}, {"suite": Suite.ABANDONNE}],
    )
    consultation(numero="COURT", objet="Éclairage public", lots=[{"clause_environnementale": Reponse.OUI}])
    consultation(numero="SANSDATE", lots=[{"suite": Suite.NOTIFIE}])


@pytest.mark.parametrize(
    ("requete", "attendus"),
    [
        ("", {"FIN23", "FIN24", "COURT", "SANSDATE"}),
        ("?annee=2023", {"FIN23"}),
        ("?finalisee=non", {"COURT"}),
        ("?finalisee=oui", {"FIN23", "FIN24", "SANSDATE"}),
        ("?finalisee=sans-date", {"SANSDATE"}),
        ("?service=null", {"COURT", "SANSDATE"}),
        ("?procedure=MAPA", {"FIN23"}),
        ("?nature=TRAVAUX", {"FIN23"}),
        ("?suite=SANS_SUITE", {"FIN24"}),
        ("?suite=AUCUNE", {"COURT"}),
        ("?environnement=OUI", {"COURT"}),
        ("?social=OUI", {"FIN23"}),
        ("?social=INCONNU", {"FIN24", "COURT", "SANSDATE"}),
        ("?q=eclairage", {"COURT"}),
    ],
)
def test_chaque_filtre_garde_ce_qu_il_dit_a_l_ecran_comme_dans_l_export(registre, responsable, requete, attendus):
    client = client_de(responsable)
    liste = client.get(reverse("marches:consultations") + requete)
    assert {ligne.record.numero for ligne in liste.context["table"].rows} == attendus
    csv = client.get(f"{reverse('marches:consultations')}{requete}{'&' if requete else '?'}format=csv")
    assert {ligne.split(";")[0] for ligne in csv.content.decode("utf-8-sig").splitlines()[1:]} == attendus


def test_un_filtre_absurde_se_dit_a_cote_de_son_champ(responsable):
    reponse = client_de(responsable).get(reverse("marches:consultations") + "?annee=bientot")
    assert reponse.status_code == 400
    assert "annee" in reponse.context["filtre"].form.errors


def test_l_accueil_ne_montre_que_les_pages_qui_existent(responsable):
    page = client_de(responsable).get(reverse("marches:accueil"))
    for rubrique in page.context["rubriques"]:
        assert rubrique.adresse in page.content.decode()
    assert rubriques.adresse_ou_rien("marches:nulle_part") == ""
    with pytest.raises(NoReverseMatch):
        reverse("marches:nulle_part")
