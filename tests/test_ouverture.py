"""Derrière chaque nombre, sa liste : le compte ou la somme de la liste est le nombre montré."""

import datetime
import io
from decimal import Decimal

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from comptes.droits import Role
from comptes.gestes import Geste, Trace
from marches.calculs.catalogue import CALCULS
from marches.calculs.conservation import calculer
from marches.calculs.lignes import Perimetre
from marches.models import LieuDEtablissement, ResultatDeCalcul
from marches.ouverture import Liste, nombre_de, ouvrir
from tests import fabriques, fabriques_marches, fabriques_resultats
from tests.fabriques_decp import BEZIERS, MAUGUIO, SIREN, contrat, territoire, titulaire
from tests.fabriques_resultats import mandats, resultat

pytestmark = pytest.mark.django_db

OUI, NON = "OUI", "NON"
LE = datetime.date(2024, 5, 2)


@pytest.fixture(autouse=True)
def collectivite(db):
    return fabriques_resultats.collectivite()


@pytest.fixture
def client(client):
    client.force_login(fabriques.utilisateur(Role.LECTEUR))
    return client


@pytest.fixture
def resultats() -> dict[str, ResultatDeCalcul]:
    """Chaque calcul de 2024, sur des enregistrements de toutes les sortes."""
    ici = territoire()
    d_ici, d_ailleurs = titulaire(commune=MAUGUIO), titulaire("22222222200022", commune=BEZIERS)
    contrat(environnement=OUI, social=NON, titulaires=[d_ici])
    contrat(environnement=NON, social=OUI, titulaires=[d_ailleurs], montant=Decimal("100000.01"))
    contrat(titulaires=[titulaire("33333333300033")])
    contrat(
        environnement=OUI,
        social=OUI,
        montant=Decimal("100000.00"),
        titulaires=[
            titulaire(commune=MAUGUIO),
            titulaire("22222222200022", commune=BEZIERS),
            titulaire("44444444400044", commune="", departement=""),
        ],
    )
    LieuDEtablissement.objects.create(siret="44444444400044", commune=MAUGUIO, source="Téléphone")
    contrat(environnement=OUI, montant=Decimal(1), drapeau="symbolique", titulaires=[titulaire(commune=MAUGUIO)])
    contrat(date=None)
    contrat(concession=True)
    contrat(subsequent=True)
    contrat(doublon=True)
    contrat(objet="Toitures, lot n° 1"), contrat(objet="Toitures, lot n° 2")
    finie = {"suite": "NOTIFIE", "date_de_suite": LE}
    tout_non = dict.fromkeys(
        ("clause_environnementale", "critere_environnemental", "clause_sociale", "critere_social"), NON
    )
    fabriques_marches.consultation(siren=SIREN, lots=[finie | {"clause_environnementale": OUI}, finie | tout_non])
    fabriques_marches.consultation(siren=SIREN, lots=[finie | tout_non])
    fabriques_marches.consultation(siren=SIREN, lots=[finie])
    fabriques_marches.consultation(siren=SIREN, lots=[{"suite": "NOTIFIE"}])
    fabriques_marches.consultation(siren=SIREN, lots=[{"suite": "ABANDONNE", "date_de_suite": LE}])
    mandats("530.50", siret="11111111100011", nom="Entreprise d'ici", commune=MAUGUIO, code_postal="34130")
    mandats("469.75", commune=BEZIERS, code_postal="34500")
    mandats("12.00")
    return {garde.code: garde for garde in calculer(Perimetre.annee(SIREN, 2024, ici), ici)}


@pytest.mark.parametrize("code", list(CALCULS))
def test_le_compte_ou_la_somme_de_chaque_liste_est_le_nombre_montre(resultats, code):
    garde = resultats[code]
    ouvertes = [ouvrir(garde, liste) for liste in Liste] + [ouvrir(garde, "exclus", motif) for motif in garde.exclus]
    for ouverture in ouvertes:
        nombre = nombre_de(garde, ouverture.liste, ouverture.motif)
        if ouverture.en_euros:
            assert ouverture.somme() == nombre
            assert nombre
        elif nombre is not None:
            assert len(ouverture.lignes(ouverture.cles)) == nombre
        assert ouverture.disparus == ""


@pytest.mark.parametrize("code", list(CALCULS))
def test_chaque_page_montre_son_nombre_et_toutes_ses_lignes(client, resultats, code):
    garde = resultats[code]
    for liste in Liste:
        reponse = client.get(f"/marches/resultats/{garde.pk}/{liste.value}/")
        texte = reponse.content.decode()
        ouverture = reponse.context["ouverture"]
        assert ouverture.nombre_ecrit in texte
        assert texte.count("<tr>") - bool(ouverture.cles) == len(ouverture.cles)
    assert CALCULS[code].libelle.replace("'", "&#x27;") in texte
    assert "Année 2024" in texte


def test_aucune_liste_d_un_nombre_n_est_vide(resultats):
    vides = [
        (garde.code, liste)
        for garde in resultats.values()
        for liste in Liste
        if nombre_de(garde, liste) and not ouvrir(garde, liste).cles
    ]
    assert vides == []


def test_le_montant_d_un_marche_se_partage_a_parts_egales_entre_cotitulaires(resultats):
    ouverture = ouvrir(resultats["part_locale_montant"], "numerateur")
    partages = [ligne for ligne in ouverture.lignes(ouverture.cles) if ligne.objet.montant == 100000]
    assert [round(ligne.compte, 2) for ligne in partages] == [Decimal("66666.67")]
    assert ouverture.colonnes[-1].titre == "Montant compté"


def test_un_tiers_sans_siret_n_a_pas_de_nom(client, resultats):
    texte = client.get(f"/marches/resultats/{resultats['part_locale_achats'].pk}/denominateur/").content.decode()
    assert "Entreprise d&#x27;ici" in texte
    assert "Tiers sans SIRET" in texte


def test_un_contrat_mene_a_sa_page(client, resultats):
    texte = client.get(f"/marches/resultats/{resultats['marches_notifies'].pk}/numerateur/").content.decode()
    assert '<a href="/marches/contrats/' in texte


def test_une_liste_garde_la_version_que_le_calcul_a_lue(client, resultats):
    """Le contrat corrigé depuis a une autre ligne : celle du calcul reste derrière son nombre."""
    garde = resultats["part_environnementale_nombre"]
    lu = ouvrir(garde, "numerateur").lignes(garde.listes["numerateur"])[0].objet
    lu.a = lu.de + 1
    lu.save()
    assert len(ouvrir(garde, "numerateur").cles) == garde.numerateur


def test_une_consultation_disparue_se_dit(client):
    reponse = client.get(f"/marches/resultats/{resultat('consultations_finalisees', oui=2).pk}/numerateur/")
    texte = " ".join(reponse.content.decode().replace("&#x27;", "'").split())
    assert "2 consultations n'existent plus" in texte.replace("\xa0", " ")


# --- Un motif, une page, un fichier -------------------------------------------------------------


def test_les_ecartes_se_lisent_par_motif(client, resultats):
    garde = resultats["part_environnementale_montant"]
    texte = client.get(f"/marches/resultats/{garde.pk}/exclus/?motif=montant_symbolique").content.decode()
    assert "montant symbolique" in texte
    assert texte.count("<tr>") == 1 + garde.exclus["montant_symbolique"]


@pytest.mark.parametrize("suite", ["autre/", "exclus/?motif=inconnu", "numerateur/?motif=sans_date"])
def test_une_liste_inconnue_est_introuvable(client, resultats, suite):
    assert client.get(f"/marches/resultats/{resultats['marches_notifies'].pk}/{suite}").status_code == 404


def test_un_resultat_inconnu_est_introuvable(client):
    assert client.get("/marches/resultats/0/numerateur/").status_code == 404


def test_la_liste_se_pagine(client):
    cles = [fabriques_marches.consultation(lots=[]).pk for _ in range(51)]
    garde = resultat("consultations_finalisees", oui=cles)
    adresse = f"/marches/resultats/{garde.pk}/numerateur/"
    assert client.get(adresse).content.decode().count("<tr>") == 51
    suite = client.get(f"{adresse}?page=2").content.decode()
    assert suite.count("<tr>") == 2
    assert "51\xa0consultations" in suite


@pytest.mark.parametrize("forme", ["xlsx", "ods", "csv"])
def test_la_liste_s_emporte_entiere(client, resultats, forme):
    garde = resultats["marches_notifies"]
    reponse = client.get(f"/marches/resultats/{garde.pk}/numerateur/export/?format={forme}")
    assert reponse.status_code == 200
    assert Trace.objects.get(geste=Geste.EXPORT).details["lignes"] == garde.numerateur
    if forme == "csv":
        assert len(reponse.content.decode("utf-8-sig").splitlines()) == 1 + garde.numerateur


def test_le_fichier_d_une_part_locale_fait_le_nombre_montre(client, resultats):
    garde = resultats["part_locale_achats"]
    reponse = client.get(f"/marches/resultats/{garde.pk}/numerateur/export/")
    feuille = openpyxl.load_workbook(io.BytesIO(reponse.content)).worksheets[0]
    titres, *lignes = feuille.values
    assert Decimal(str(sum(ligne[titres.index("Montant")] for ligne in lignes))) == garde.numerateur


def test_un_format_inconnu_se_refuse(client, resultats):
    adresse = f"/marches/resultats/{resultats['marches_notifies'].pk}/numerateur/export/?format=pdf"
    assert client.get(adresse).status_code == 400


def test_la_page_fait_autant_de_requetes_pour_3_et_45_enregistrements(client):
    mesures = []
    for combien in (3, 45):
        cles = [contrat().pk for _ in range(combien)]
        garde = resultat("marches_notifies", oui=cles)
        client.get(f"/marches/resultats/{garde.pk}/numerateur/")
        with CaptureQueriesContext(connection) as requetes:
            client.get(f"/marches/resultats/{garde.pk}/numerateur/")
        mesures.append(len(requetes))
    assert mesures[0] == mesures[1]
