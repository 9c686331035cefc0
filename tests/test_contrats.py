"""La liste des contrats et la page de chacun, jusqu'aux enregistrements des fichiers."""

import datetime
import json
import re
import uuid
from decimal import Decimal
from html import unescape

import pytest
from django.urls import reverse

from comptes.droits import Role
from comptes.gestes import Trace
from comptes.models import Collectivite, Siren
from marches.models import (
    Consultation,
    Contrat,
    ContratDeConsultation,
    CorrectionDeContrat,
    Generation,
    LieuDEtablissement,
    RepriseDEnregistrement,
)
from marches.reponses import Reponse
from marches.signalements import signalements_de
from marches.tables import TableContrats
from tests import fabriques, fabriques_decp
from tests.fabriques_decp import AUTRE_SIREN, MAUGUIO, SIREN, contrat, enregistrement, fichier, marche, titulaire
from tests.visites import client_de

LISTE = "marches:contrats"


@pytest.fixture
def client(db):
    collectivite = Collectivite.objects.create(nom="Collectivité d'essai")
    Siren.objects.create(collectivite=collectivite, numero=SIREN)
    return client_de(fabriques.utilisateur(Role.LECTEUR))


def lire(client, requete: str = "") -> str:
    return unescape(client.get(reverse(LISTE) + requete).content.decode())


def objets(page: str) -> set[str]:
    return set(re.findall(r'data-libelle="Objet"><a href="[^"]*">([^<]*)</a>', page))


CAS = {
    "Ordinaire": {},
    "Vert": {"environnement": Reponse.OUI, "social": Reponse.NON},
    "Gris": {"environnement": Reponse.NON},
    "Symbolique": {"montant": Decimal(1), "drapeau": "symbolique"},
    "Sans date": {"date": None, "anomalies": ["sans_date"]},
    "Double": {"doublon": True},
    "Concession": {"concession": True},
    "Ancien": {"date": datetime.date(2019, 12, 31)},
    "En conflit": {"conflit": True, "anomalies": ["titulaire_siret_invalide"]},
}


@pytest.fixture
def contrats(client):
    for objet, champs in CAS.items():
        contrat(objet=objet, **champs)
    contrat(objet="D'un autre", siren=AUTRE_SIREN, titulaires=[titulaire(nom="Menuiserie du Lez")])
    return client


@pytest.mark.parametrize(
    ("requete", "attendu"),
    [
        ("", set(CAS)),
        ("?acheteurs=tous", {*CAS, "D'un autre"}),
        (f"?acheteur={AUTRE_SIREN}", {"D'un autre"}),
        (f"?acheteur={AUTRE_SIREN}00017", {"D'un autre"}),
        ("?annee=2019", {"Ancien"}),
        ("?environnement=OUI", {"Vert"}),
        ("?environnement=NON", {"Gris"}),
        ("?social=NON", {"Vert"}),
        ("?montant=part", {"Symbolique"}),
        ("?montant=symbolique", {"Symbolique"}),
        ("?signalement=sans-date", {"Sans date"}),
        ("?signalement=sans_date", {"Sans date"}),
        ("?signalement=titulaire_siret_invalide", {"En conflit"}),
        ("?signalement=conflit", {"En conflit"}),
        ("?signalement=doublon", {"Double"}),
        ("?compte=non", {"Double", "Concession", "Sans date"}),
        ("?q=sYMBO", {"Symbolique"}),
        ("?acheteurs=tous&q=menuiserie+autre", {"D'un autre"}),
    ],
)
def test_un_filtre_choisit_les_contrats(contrats, requete, attendu):
    assert objets(lire(contrats, requete)) == attendu


@pytest.mark.parametrize("requete", ["?annee=deux", "?acheteur=12", "?environnement=VERT", "?signalement=rien"])
def test_un_filtre_absurde_se_dit_et_la_liste_ne_se_montre_pas(contrats, requete):
    reponse = contrats.get(reverse(LISTE) + requete)
    assert reponse.status_code == 400
    assert objets(reponse.content.decode()) == set()


def test_seule_la_version_en_vigueur_est_dans_la_liste(client):
    souche = uuid.uuid4()
    contrat(objet="Avant", souche=souche, a=2)
    Generation.objects.update(numero=2)
    contrat(objet="Après", souche=souche, de=2)
    contrat(objet="À venir", de=3)
    assert objets(lire(client)) == {"Après"}


def test_la_liste_s_emporte_avec_ses_filtres(contrats):
    lignes = contrats.get(reverse(LISTE) + "?annee=2019&format=csv").content.decode("utf-8-sig").splitlines()
    assert len(lignes) == 2
    assert lignes[1].startswith("31/12/2019;")
    assert Trace.objects.get(objet="Contrats").details["filtres"] == {"Année de notification": "2019"}


def test_sans_contrat_la_liste_le_dit(client):
    assert "Aucun contrat de la collectivité n'est encore importé" in lire(client)


# --- Signalements ---------------------------------------------------------------------------------


def test_une_date_corrigee_n_est_plus_signalee_absente():
    absente = Contrat(anomalies=["sans_date"])
    corrigee = Contrat(anomalies=["sans_date"], date=datetime.date(2024, 1, 1))
    assert [s.code for s in signalements_de(absente)] == ["sans_date"]
    assert signalements_de(corrigee) == []


def test_un_montant_absent_n_est_dit_qu_une_fois():
    assert [s.code for s in signalements_de(Contrat(anomalies=["sans_montant"], drapeau="absent"))] == ["absent"]


# --- La page d'un contrat -------------------------------------------------------------------------


def page(client, quoi: Contrat) -> str:
    reponse = client.get(quoi.get_absolute_url())
    assert reponse.status_code == 200
    return unescape(reponse.content.decode())


def test_la_page_montre_l_enregistrement_du_fichier_tel_quel(client):
    brut = marche("2024-7", objet="Des <b>gants</b>")
    importe = fichier("aws.json")
    source = enregistrement(brut, dans=importe)
    lu = client.get(contrat(enregistrements=[source.pk]).get_absolute_url()).content.decode()
    assert "<b>gants</b>" not in lu
    montre = unescape(re.search(r'<pre class="brut" tabindex="0">(.*?)</pre>', lu, re.DOTALL)[1])
    assert json.loads(montre) == brut
    assert f"aws.json, enregistrement {source.position}" in lu
    assert importe.sha256 in lu


def test_la_page_dit_les_fichiers_qui_redisent_un_enregistrement(client):
    source = enregistrement()
    RepriseDEnregistrement.objects.create(import_decp=fichier("second.json"), enregistrement=source, position=12)
    assert "second.json (enregistrement 12)" in page(client, contrat(enregistrements=[source.pk]))


def test_la_page_montre_ce_que_le_contrat_a_ete(client):
    souche = uuid.uuid4()
    contrat(souche=souche, objet="Gants", montant=Decimal(100_000), a=2)
    Generation.objects.update(numero=2)
    apres = contrat(souche=souche, objet="Gants", montant=Decimal(120_000), de=2)
    versions = page(client, apres).split('id="versions"')[1]
    assert re.search(r"Montant HT : 100.000,00.€ → 120.000,00.€", versions)


def test_un_contrat_qui_n_est_plus_en_vigueur_se_montre_et_le_dit(client):
    parti = contrat(a=2)
    Generation.objects.update(numero=2)
    assert "n'est plus compté" in page(client, parti)


def test_la_page_dit_la_consultation_a_laquelle_il_est_rattache(client):
    sien = contrat()
    consultation = Consultation.objects.create(numero="2024-12", objet="Gants")
    ContratDeConsultation.objects.create(consultation=consultation, souche=sien.souche)
    assert "2024-12" in page(client, sien)
    assert "Non rattaché" in page(client, contrat())


def test_une_commune_dite_a_la_revue_se_distingue_de_celle_d_un_fichier(client):
    sien = contrat(titulaires=[titulaire("9" * 14)])
    assert "Lieu inconnu" in page(client, sien)
    LieuDEtablissement.objects.create(siret="9" * 14, commune=MAUGUIO, source="Annuaire")
    assert "Mauguio, dit à la revue : Annuaire" in page(client, sien).replace("\u00a0", " ")


def test_un_doublon_mene_a_l_original(client):
    original, double = contrat(identifiant="ORIGINAL"), contrat(doublon=True)
    CorrectionDeContrat.objects.create(
        souche=double.souche,
        champ="DOUBLON",
        valeur=str(original.souche),
        motif="Publié deux fois",
        auteur=fabriques.utilisateur(Role.RESPONSABLE),
    )
    lu = page(client, double)
    assert f'<a href="{original.get_absolute_url()}">ORIGINAL</a>' in lu
    assert "Publié deux fois" in lu


def test_un_contrat_inconnu_est_introuvable(client):
    assert client.get(reverse("marches:contrat", args=[uuid.uuid4()])).status_code == 404


def test_la_page_fait_autant_de_requetes_pour_un_contrat_que_pour_vingt_enregistrements(
    client, django_assert_num_queries
):
    petit = contrat()
    grand = contrat(
        enregistrements=[enregistrement().pk for _ in range(20)],
        titulaires=[titulaire(f"{n:014}") for n in range(20)],
    )
    for un_contrat in (petit, grand):
        with django_assert_num_queries(12):
            page(client, un_contrat)


def test_la_fabrique_ecrit_des_enregistrements_que_le_produit_sait_lire(db):
    from marches.decp.contrats import Brut, ContratLu, Format
    from marches.decp.normalisation import normaliser

    source = fabriques_decp.enregistrement()
    assert isinstance(normaliser(Brut(1, source.contenu), Format(source.format)), ContratLu)


def test_la_colonne_des_titulaires_porte_leur_nom():
    assert [colonne.header for colonne in TableContrats([]).columns][1:4] == ["Objet", "Titulaires", "Montant HT"]
