"""Importer le registre : les colonnes devinées, la fusion par numéro, l'aperçu, tout ou rien, défaire."""

import datetime
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from comptes.droits import Role
from comptes.gestes import Lot
from comptes.models import Collectivite, Siren
from marches.consultations import Consultation, ContratDeConsultation, LotDeConsultation
from marches.correspondances import CorrespondanceDeColonnes
from marches.listes import MotifSansSuite, Nature, Procedure, Suite
from marches.registre_importe import cellules
from marches.registre_importe.colonnes import Sorte, proposer
from marches.registre_importe.comparaison import Apercu
from marches.registre_importe.defaire import defaire, lots_du_registre
from marches.registre_importe.imports import ApercuPerime, Depot, appliquer, correspondance_pour
from marches.reponses import Reponse
from socle.tableaux import FichierIllisible
from tests import fabriques
from tests.fabriques_marches import consultation
from tests.visites import client_de, formulaire_de

pytestmark = pytest.mark.django_db

USUELS = (
    "N° consultation;Année;Service;Acheteur;Objet;Nature;Procédure;Forme;Nb lots;Lot;Estimation HT;Date AAPC;"
    "Date limite des plis;Nb plis;Date CAO;Date notification;Titulaire;SIRET;CP/Ville;Montant HT;Clause sociale;"
    "Heures d'insertion;Clause environnementale;Critère environnemental %;Suite donnée"
)
LIGNE = (
    "2024-01;2024;Achats;Mme Durand;Nettoyage des locaux;S;MAPA;Accord-cadre;2;Lot 1;120 000,00 €;05/02/2024;"
    "12/03/2024;4;;02/05/2024;Propre SARL;73282932000074;34130 Mauguio;1 234,50 €;x;120;oui;10;notifié"
)
SECONDE = "2024-01;2024;Achats;;;;;;2;02;;;;1;;03/05/2024;;;;;non;;;0;infructueux"


def depot(*lignes: str, titres: str = USUELS) -> Depot:
    return Depot("registre.csv", "\n".join([titres, *lignes]).encode())


def etudier(*lignes: str, titres: str = USUELS) -> Apercu:
    depose = depot(*lignes, titres=titres)
    return depose.etudier(correspondance_pour(depose.ouvrir())[0])


def importer(*lignes: str, titres: str = USUELS, par=None) -> Lot | None:
    depose = depot(*lignes, titres=titres)
    colonnes, _ = correspondance_pour(depose.ouvrir())
    apercu = depose.etudier(colonnes)
    assert not apercu.refus, [str(refus) for refus in apercu.refus]
    signe = Depot(depose.nom, depose.contenu, colonnes, apercu.empreinte)
    return appliquer(signe, par=par or fabriques.utilisateur(Role.RESPONSABLE))


def refus(*lignes: str, titres: str = USUELS) -> list[str]:
    return [str(r).replace("\u00a0", " ").replace("\u202f", " ") for r in etudier(*lignes, titres=titres).refus]


@pytest.fixture(autouse=True)
def achats():
    return fabriques.service("Achats")


# --- Les colonnes -------------------------------------------------------------------------------


def test_chaque_titre_usuel_trouve_son_role():
    devine = proposer(USUELS.split(";"))
    attendu = {
        "numero": "N° consultation",
        "service": "Service",
        "acheteur": "Acheteur",
        "objet": "Objet",
        "nature": "Nature",
        "procedure": "Procédure",
        "forme": "Forme",
        "lot": "Lot",
        "estimation_ht": "Estimation HT",
        "lancee_le": "Date AAPC",
        "plis_avant_le": "Date limite des plis",
        "plis_recus": "Nb plis",
        "commission_le": "Date CAO",
        "notifie_le": "Date notification",
        "titulaire": "Titulaire",
        "siret": "SIRET",
        "cp_ville": "CP/Ville",
        "montant_ht": "Montant HT",
        "clause_sociale": "Clause sociale",
        "heures_insertion": "Heures d'insertion",
        "clause_environnementale": "Clause environnementale",
        "poids_environnemental": "Critère environnemental %",
        "suite": "Suite donnée",
    }
    assert devine == attendu


def test_les_titres_de_notre_export_se_reconnaissent_tous():
    from marches.export_du_registre import COLONNES

    titres = [colonne.titre for colonne in COLONNES]
    assert set(titres) - set(proposer(titres).values()) == {"Finalisée le"}


def test_les_colonnes_choisies_sont_retenues_par_leurs_en_tetes():
    titres = "Réf.;Machin;Objet"
    depose = depot("A1;x;Fourniture", titres=titres)
    colonnes = {"numero": "Réf.", "acheteur": "Machin", "objet": "Objet"}
    apercu = depose.etudier(colonnes)
    appliquer(
        Depot(depose.nom, depose.contenu, colonnes, apercu.empreinte), par=fabriques.utilisateur(Role.RESPONSABLE)
    )
    assert CorrespondanceDeColonnes.objects.get().colonnes == colonnes
    # L'ordre et la casse des titres n'y changent rien.
    assert correspondance_pour(depot("z;A2;y", titres="OBJET;réf.;machin").ouvrir()) == (
        {"numero": "réf.", "acheteur": "machin", "objet": "OBJET"},
        True,
    )


# --- Les cellules -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sorte", "cellule", "lu"),
    [
        (Sorte.REPONSE, "Oui", Reponse.OUI),
        (Sorte.REPONSE, "x", Reponse.OUI),
        (Sorte.REPONSE, "N", Reponse.NON),
        (Sorte.REPONSE, "non renseigné", None),
        (Sorte.REPONSE, "", None),
        (Sorte.REPONSE, "10 %", Reponse.OUI),
        (Sorte.NATURE, "T", Nature.TRAVAUX),
        (Sorte.NATURE, "PI", Nature.INTELLECTUELLES),
        (Sorte.NATURE, "prestations intellectuelles", Nature.INTELLECTUELLES),
        (Sorte.PROCEDURE, "MAPA", Procedure.MAPA),
        (Sorte.PROCEDURE, "Procédure adaptée", Procedure.MAPA),
        (Sorte.PROCEDURE, "AOO", Procedure.AOO),
        (Sorte.PROCEDURE, "marché subséquent", Procedure.SUBSEQUENT),
        (Sorte.PROCEDURE, "négociation", Procedure.NEGOCIATION),
        (Sorte.PROCEDURE, "sans publicité ni mise en concurrence", Procedure.SANS_PUBLICITE),
        (Sorte.SUITE, "notifiée", Suite.NOTIFIE),
        (Sorte.SUITE, "Sans suite", Suite.SANS_SUITE),
        (Sorte.MOTIF, "infructueux", MotifSansSuite.INFRUCTUEUX),
        (Sorte.MONTANT, "1 234,50 €", Decimal("1234.50")),
        (Sorte.DATE, "05/02/2024", datetime.date(2024, 2, 5)),
        (Sorte.DATE, "05.02.2024", datetime.date(2024, 2, 5)),
        (Sorte.DATE, "12/03/2024 12:00", datetime.date(2024, 3, 12)),
        (Sorte.DATE, datetime.datetime(2024, 2, 5, 12), datetime.date(2024, 2, 5)),  # noqa: DTZ001 - un tableur n'en a pas
        (Sorte.NUMERO_DE_LOT, "Lot n° 02", "2"),
        (Sorte.NUMERO_DE_LOT, 3, "3"),
        (Sorte.NUMERO_DE_LOT, "2A", "2A"),
        (Sorte.CODE_POSTAL, 1000, "01000"),
        (Sorte.SIREN, "24340047000221", "243400470"),
    ],
)
def test_une_cellule_francaise_se_lit(sorte, cellule, lu):
    assert cellules.lire(cellule, sorte) == lu


@pytest.mark.parametrize(
    ("sorte", "cellule", "phrase"),
    [
        (Sorte.REPONSE, "peut-être", "oui, non, x ou vide"),
        (Sorte.NATURE, "Z", "n'est pas une nature"),
        (Sorte.PROCEDURE, "au hasard", "n'est pas une procédure"),
        (Sorte.DATE, "31/02/2024", "n'est pas une date"),
        (Sorte.MONTANT, "environ 10", "ne contient pas un montant"),
        (Sorte.MONTANT, "-3", "négatif"),
        (Sorte.SIRET, "3,4E+13", "arrondi par un tableur"),
        (Sorte.POIDS, "120 %", "de 0 à 100"),
        (Sorte.ENTIER, "2,5", "nombre entier"),
    ],
)
def test_une_cellule_qui_ne_se_lit_pas_dit_pourquoi(sorte, cellule, phrase):
    with pytest.raises(cellules.ValeurIllisible, match=phrase):
        cellules.lire(cellule, sorte)


# --- La fusion ----------------------------------------------------------------------------------


def test_un_registre_usuel_cree_la_consultation_et_ses_lots(achats):
    lot = importer(LIGNE, SECONDE)
    creee = Consultation.objects.get()
    assert (creee.numero, creee.service, creee.nature, creee.procedure) == (
        *("2024-01", achats, Nature.SERVICES, Procedure.MAPA),
    )
    assert (creee.estimation_ht, creee.lancee_le) == (Decimal(120000), datetime.date(2024, 2, 5))
    premier, second = creee.lots.all()
    assert (premier.numero, premier.suite, premier.date_de_suite) == ("1", Suite.NOTIFIE, datetime.date(2024, 5, 2))
    assert (premier.montant_ht, premier.code_postal, premier.ville) == (Decimal("1234.50"), "34130", "Mauguio")
    assert (premier.clause_sociale, premier.heures_insertion) == (Reponse.OUI, 120)
    assert (premier.critere_environnemental, premier.poids_environnemental) == (Reponse.OUI, 10)
    assert (second.numero, second.suite, second.critere_environnemental) == ("2", Suite.SANS_SUITE, Reponse.NON)
    assert second.clause_environnementale == Reponse.INCONNU
    assert lot.lignes.count() == 3
    assert creee.history.get().history_user == lot.auteur


def test_redire_le_meme_fichier_ne_change_rien():
    importer(LIGNE, SECONDE)
    assert etudier(LIGNE, SECONDE).vide
    assert importer(LIGNE, SECONDE) is None


def test_un_numero_ecrit_dans_une_autre_casse_est_celui_de_la_meme_consultation():
    importer("mapa-12;Nettoyage;1;oui", titres="N° consultation;Objet;Lot;Clause environnementale")
    importer("MAPA-12;Nettoyage;1;non", titres="N° consultation;Objet;Lot;Clause environnementale")
    lot = LotDeConsultation.objects.get()
    assert (Consultation.objects.get().numero, lot.clause_environnementale) == ("mapa-12", Reponse.NON)


def test_un_export_du_profil_d_acheteur_complete_sans_rien_effacer():
    importer(LIGNE, SECONDE)
    importer("2024-01;Nettoyage des locaux et des vitres;AOO", titres="Référence consultation;Objet;Procédure")
    relue = Consultation.objects.get()
    assert (relue.objet, relue.procedure, relue.acheteur) == (
        *("Nettoyage des locaux et des vitres", Procedure.AOO, "Mme Durand"),
    )
    premier = relue.lots.first()
    assert (premier.titulaire, premier.suite, premier.clause_sociale) == ("Propre SARL", Suite.NOTIFIE, Reponse.OUI)


def test_une_cellule_vide_ou_non_renseignee_n_efface_rien():
    existante = consultation(numero="A1", lots=[{"clause_sociale": Reponse.NON, "titulaire": "Propre"}])
    assert etudier("A1;nr;", titres="N° consultation;Clause sociale;Titulaire").vide
    assert existante.lots.get().clause_sociale == Reponse.NON


def test_le_siren_distingue_deux_consultations_du_meme_numero():
    collectivite = Collectivite.objects.create(nom="Agglo")
    Siren.objects.create(collectivite=collectivite, numero="243400470")
    Siren.objects.create(collectivite=collectivite, numero="243400017")
    consultation(numero="A1", siren="243400470", objet="L'une")
    consultation(numero="A1", siren="243400017", objet="L'autre")
    importer("A1;243400017;Changé", titres="N° consultation;SIREN;Objet")
    assert set(Consultation.objects.values_list("siren", "objet")) == {
        ("243400470", "L'une"),
        ("243400017", "Changé"),
    }
    assert "plusieurs consultations de ce numéro" in refus("A1;Changé", titres="N° consultation;Objet")[0]


def test_une_date_de_notification_seule_dit_que_le_lot_est_notifie():
    consultation(numero="A1")
    importer("A1;02/05/2024", titres="N° consultation;Date de notification")
    lot = LotDeConsultation.objects.get()
    assert (lot.suite, lot.date_de_suite) == (Suite.NOTIFIE, datetime.date(2024, 5, 2))


# --- Les refus ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lignes", "titres", "phrase"),
    [
        (["A1;Nettoyage;12/2024"], "N° consultation;Objet;Date AAPC", "ligne 2, colonne « Date AAPC »"),
        ([";Nettoyage"], "N° consultation;Objet", "ligne 2, colonne « N° consultation » : la cellule est vide"),
        (["A1;Inconnu"], "N° consultation;Service", "aucun service ne s'appelle ainsi"),
        (["A1;x;1", "A1;y;2"], "N° consultation;Objet;Lot", "dit autre chose que la ligne 2"),
        (["A1;x;1", "A1;x;01"], "N° consultation;Objet;Lot", "redit le lot 1, déjà à la ligne 2"),
        (["A1;x;oui", "A1;x;non"], "N° consultation;Objet;Clause sociale", "dites duquel parle la ligne"),
        (["A1;oui"], "N° consultation;Clause sociale", "il faut aussi son objet"),
        (["A1;x;01/01/2200"], "N° consultation;Objet;Date notification", "colonne « Date notification »"),
        (["A1;x;non;12"], "N° consultation;Objet;Clause sociale;Heures d'insertion", "elle dit non"),
        (
            ["A1;x;05/02/2024;01/02/2024"],
            "N° consultation;Objet;Date AAPC;Date limite des plis",
            "colonne « Date limite des plis » : la cellule ne convient pas",
        ),
    ],
)
def test_ce_qui_ne_va_pas_nomme_sa_cellule(lignes, titres, phrase):
    dits = refus(*lignes, titres=titres)
    assert any(phrase in dit for dit in dits), dits


def test_un_seul_refus_et_rien_ne_s_ecrit():
    depose = depot("A1;x;oui", "A2;y;bof", titres="N° consultation;Objet;Clause sociale")
    colonnes, _ = correspondance_pour(depose.ouvrir())
    apercu = depose.etudier(colonnes)
    signe = Depot(depose.nom, depose.contenu, colonnes, apercu.empreinte)
    with pytest.raises(ApercuPerime):
        appliquer(signe, par=fabriques.utilisateur(Role.RESPONSABLE))
    assert not Consultation.objects.exists()
    assert not Lot.objects.exists()


def test_sans_colonne_de_numero_rien_ne_se_lit():
    depose = depot("x", titres="Objet")
    with pytest.raises(FichierIllisible, match="numéro de la consultation"):
        depose.etudier({"objet": "Objet"})


def test_un_siret_a_la_cle_fausse_avertit_sans_refuser():
    apercu = etudier("A1;x;73282932000075", titres="N° consultation;Objet;SIRET")
    assert not apercu.refus
    assert "clé fausse" in apercu.avertissements[0]


def test_l_apercu_perime_si_le_registre_a_bouge():
    existante = consultation(numero="A1", objet="Avant")
    depose = depot("A1;Après", titres="N° consultation;Objet")
    colonnes, _ = correspondance_pour(depose.ouvrir())
    signe = Depot(depose.nom, depose.contenu, colonnes, depose.etudier(colonnes).empreinte)
    existante.modifier({"acheteur": "M. Martin"}, auteur=fabriques.utilisateur(), version=1)
    with pytest.raises(ApercuPerime):
        appliquer(signe, par=fabriques.utilisateur(Role.RESPONSABLE))


def test_l_apercu_de_mille_lignes_fait_autant_de_requetes_que_celui_de_dix():
    titres = "N° consultation;Lot;Objet;Service;Clause sociale;Date notification"

    def requetes(nombre: int) -> int:
        for n in range(0, nombre, 20):
            consultation(numero=f"C{n}", lots=[{"clause_sociale": Reponse.NON}])
        lignes = [f"C{n // 2 * 2};{n % 2 + 1};Objet {n // 2};Achats;oui;02/05/2024" for n in range(nombre)]
        depose = depot(*lignes, titres=titres)
        colonnes, _ = correspondance_pour(depose.ouvrir())
        with CaptureQueriesContext(connection) as faites:
            apercu = depose.etudier(colonnes)
        assert not apercu.refus
        assert apercu.lues == nombre
        return len(faites)

    petit = requetes(10)
    Consultation.objects.all().delete()
    assert requetes(1000) == petit


# --- Défaire ------------------------------------------------------------------------------------


def test_defaire_rend_chaque_champ_et_retire_ce_qui_est_ne_de_l_import():
    existante = consultation(numero="A1", objet="Avant", lots=[{"montant_ht": Decimal(10)}])
    auteur = fabriques.utilisateur(Role.RESPONSABLE)
    lignes = ("A1;Après;1;20,50;oui", "A1;Après;2;5;non", "A2;Neuve;1;3;oui")
    fait = importer(*lignes, titres="N° consultation;Objet;Lot;Montant HT;Clause sociale", par=auteur)
    assert Consultation.objects.count() == 2
    resultat = defaire(fait, auteur=auteur)
    assert resultat.refus == []
    relue = Consultation.objects.get()
    assert (relue.objet, relue.lots.get().montant_ht) == ("Avant", Decimal(10))
    assert relue.lots.get().clause_sociale == Reponse.INCONNU
    assert relue.lots.get().history.first().history_user == auteur
    assert list(lots_du_registre()) == [resultat.lot, Lot.objects.get(pk=fait.pk)]
    assert existante.pk == relue.pk


def test_defaire_laisse_ce_qui_a_bouge_depuis_et_le_dit():
    existante = consultation(numero="A1", objet="Avant", acheteur="Durand")
    auteur = fabriques.utilisateur(Role.RESPONSABLE)
    fait = importer("A1;Après;Martin", "A2;Neuve;Martin", titres="N° consultation;Objet;Acheteur", par=auteur)
    existante.refresh_from_db()
    existante.modifier({"objet": "Encore"}, auteur=auteur, version=existante.version)
    Consultation.objects.get(numero="A2").lots.get().modifier({"plis_recus": 2}, auteur=auteur, version=1)
    resultat = defaire(fait, auteur=auteur)
    existante.refresh_from_db()
    assert (existante.objet, existante.acheteur) == ("Encore", "Durand")
    assert {(refus.objet, refus.champ) for refus in resultat.refus} == {("A1 Encore", "objet"), ("A2 Neuve", "")}
    assert Consultation.objects.filter(numero="A2").exists()


def test_une_consultation_qui_a_un_contrat_ne_part_pas():
    auteur = fabriques.utilisateur(Role.RESPONSABLE)
    fait = importer("A2;Neuve", titres="N° consultation;Objet", par=auteur)
    ContratDeConsultation.objects.create(consultation=Consultation.objects.get(), souche="0" * 32)
    assert "contrat publié" in defaire(fait, auteur=auteur).refus[0].raison
    assert Consultation.objects.exists()


def test_defaire_deux_fois_ne_defait_qu_une_fois():
    auteur = fabriques.utilisateur(Role.RESPONSABLE)
    fait = importer("A2;Neuve", titres="N° consultation;Objet", par=auteur)
    premier = defaire(fait, auteur=auteur)
    assert defaire(fait, auteur=auteur).lot == premier.lot
    assert Lot.objects.count() == 2


# --- Les pages ----------------------------------------------------------------------------------


def test_de_page_en_page_jusqu_au_registre_puis_retour():
    client = client_de(fabriques.utilisateur(Role.RESPONSABLE))
    fichier = SimpleUploadedFile("registre.csv", "\n".join([USUELS, LIGNE]).encode())
    colonnes = client.post(reverse("marches:importer_le_registre"), {"registre": fichier})
    assert "Par exemple" in colonnes.content.decode()
    apercu = client.post(reverse("marches:colonnes_du_registre"), formulaire_de(colonnes))
    assert "1\u00a0consultation à créer" in apercu.content.decode()
    assert not Consultation.objects.exists()
    envoi = {"depot": apercu.context["signe"]}
    fait = client.post(reverse("marches:enregistrer_le_registre"), envoi, follow=True)
    assert "Nettoyage des locaux" in fait.content.decode()
    # Le même envoi reçu deux fois n'écrit rien de plus.
    assert (
        "rien à importer"
        in client.post(reverse("marches:enregistrer_le_registre"), envoi, follow=True).content.decode()
    )
    lot = Lot.objects.get()
    defait = client.post(reverse("marches:defaire_l_import", args=[lot.pk]), follow=True)
    assert "Import défait" in defait.content.decode()
    assert not Consultation.objects.exists()


def test_l_export_se_reimporte_sans_rien_changer():
    importer(LIGNE, SECONDE)
    client = client_de(fabriques.utilisateur(Role.RESPONSABLE))
    for forme in ("csv", "xlsx", "ods"):
        contenu = client.get(reverse("marches:consultations") + f"?format={forme}").content
        depose = Depot(f"registre.{forme}", contenu)
        apercu = depose.etudier(correspondance_pour(depose.ouvrir())[0])
        assert apercu.vide, (forme, [str(r) for r in apercu.refus], [c.en_clair for c in apercu.changements])


@pytest.mark.parametrize("nom", ["colonnes_du_registre", "enregistrer_le_registre"])
def test_un_depot_qui_n_est_pas_de_ce_site_se_redepose(nom):
    client = client_de(fabriques.utilisateur(Role.RESPONSABLE))
    reponse = client.post(reverse(f"marches:{nom}"), {"depot": "faux"}, follow=True)
    assert "déposez le fichier de nouveau" in reponse.content.decode()


def test_un_agent_n_importe_pas():
    client = client_de(fabriques.utilisateur(Role.AGENT))
    assert client.get(reverse("marches:importer_le_registre")).status_code == 403
