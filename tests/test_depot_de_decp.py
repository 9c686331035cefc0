"""Déposer un fichier de DECP sur le site : ce que le formulaire refuse, ce que l'ouvrier en fait, ce qu'on en voit."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from comptes.droits import Role
from comptes.models import Collectivite, Siren
from marches.depots import importer_le_depot
from marches.models import Contrat, ImportDecp, MorceauDeFichier
from tests import fabriques
from tests.test_importation import ACHETEUR, SIREN, marche
from tests.test_taches import vider_la_file
from tests.visites import client_de

ADRESSE = "marches:deposer"
AUTRE = "98765432100011"


def fichier(*marches, nom="decp.json"):
    return SimpleUploadedFile(nom, json.dumps({"marches": {"marche": list(marches)}}).encode())


def poster(client, contenu, **champs):
    return client.post(
        reverse(ADRESSE), {"fichier": contenu, "acheteurs": "notres", "autres": "", **champs}, follow=True
    )


@pytest.fixture
def responsable(db):
    collectivite = Collectivite.objects.create(nom="Collectivité d'essai")
    Siren.objects.create(collectivite=collectivite, numero=SIREN)
    return fabriques.utilisateur(Role.RESPONSABLE)


@pytest.fixture
def client(responsable):
    return client_de(responsable)


def importer(client, contenu, **champs) -> ImportDecp:
    """Le dépôt, et ce que l'ouvrier en fait, dans ce processus."""
    poster(client, contenu, **champs)
    depot = ImportDecp.objects.latest("pk")
    importer_le_depot.func(depot.pk)
    depot.refresh_from_db()
    return depot


def page(client, depot):
    return client.get(depot.get_absolute_url()).content.decode()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_l_ouvrier_importe_le_fichier_depose_et_n_en_garde_que_l_empreinte(groupes_des_roles):
    collectivite = Collectivite.objects.create(nom="Collectivité d'essai")
    Siren.objects.create(collectivite=collectivite, numero=SIREN)
    client = client_de(fabriques.utilisateur(Role.RESPONSABLE))
    attente = poster(client, fichier(marche(), marche("2", acheteur={"id": AUTRE})))
    assert 'hx-trigger="every 2s"' in attente.content.decode()
    vider_la_file()
    depot = ImportDecp.objects.get()
    assert (depot.etat, depot.retenus, depot.autres_acheteurs) == ("APPLIQUE", 1, 1)
    assert not MorceauDeFichier.objects.exists()
    assert client.get(depot.get_absolute_url(), headers={"HX-Request": "true"})["HX-Refresh"] == "true"


def test_garder_tous_les_acheteurs_ou_ceux_qu_on_nomme(client):
    deux = [marche(), marche("2", acheteur={"id": AUTRE})]
    assert importer(client, fichier(*deux), acheteurs="tous").retenus == 2
    assert importer(client, fichier(*deux, nom="b.json"), acheteurs="autres", autres="987 654 321").doublons == 1


@pytest.mark.parametrize(
    ("champs", "phrase"),
    [
        ({"acheteurs": "autres", "autres": "12"}, "à corriger"),
        ({"acheteurs": "autres"}, "au moins un numéro SIREN"),
        ({"acheteurs": "ailleurs"}, "n’en fait pas partie"),
    ],
)
def test_une_demande_mal_remplie_dit_quel_champ(client, champs, phrase):
    reponse = poster(client, fichier(marche()), **champs)
    assert phrase in reponse.content.decode()
    assert not ImportDecp.objects.exists()


def test_sans_siren_de_la_collectivite_on_ne_garde_pas_les_notres(client):
    Siren.objects.all().delete()
    assert "pas encore de SIREN" in poster(client, fichier(marche())).content.decode()


def test_un_fichier_vide_est_refuse_a_cote_de_son_champ(client):
    assert "Ce fichier est vide" in poster(client, SimpleUploadedFile("vide.json", b"")).content.decode()


def test_le_meme_fichier_depose_deux_fois_ne_s_importe_qu_une(client):
    poster(client, fichier(marche()))
    poster(client, fichier(marche()))
    assert ImportDecp.objects.count() == 1


def test_un_fichier_illisible_le_dit_et_ne_change_rien(client):
    depot = importer(client, SimpleUploadedFile("page.json", b"<!doctype html><html></html>"))
    assert (depot.etat, Contrat.objects.count(), depot.morceaux.count()) == ("REFUSE", 0, 0)
    assert "page HTML" in page(client, depot)


def test_un_depot_incomplet_ne_s_importe_pas(client):
    poster(client, fichier(marche()))
    depot = ImportDecp.objects.get()
    ImportDecp.objects.filter(pk=depot.pk).update(taille=depot.taille + 1)
    importer_le_depot.func(depot.pk)
    depot.refresh_from_db()
    assert (depot.etat, Contrat.objects.count()) == ("REFUSE", 0)
    assert "s'est arrêté avant la fin" in depot.message


def test_un_droit_retire_pendant_l_attente_arrete_l_import(client, responsable):
    poster(client, fichier(marche()))
    responsable.groups.clear()
    depot = ImportDecp.objects.get()
    importer_le_depot.func(depot.pk)
    depot.refresh_from_db()
    assert (depot.etat, Contrat.objects.count()) == ("REFUSE", 0)


def test_la_page_donne_le_compte_et_chaque_refus(client):
    depot = importer(client, fichier(marche(), marche("2", acheteur={}), "texte"), acheteurs="tous")
    lue = page(client, depot)
    assert "sans_acheteur" not in lue
    assert lue.count('data-libelle="Pourquoi"') == 2
    export = client.get(depot.get_absolute_url(), {"format": "csv"})
    assert b"texte" not in export.content or export.status_code == 200
    assert len(export.content.decode("utf-8-sig").strip().splitlines()) == 3


def test_un_import_arrete_en_route_se_reprend(client):
    poster(client, fichier(marche()))
    depot = ImportDecp.objects.get()
    ImportDecp.objects.filter(pk=depot.pk).update(etat="INTERROMPU", message="Arrêté.")
    assert "Reprendre l'import" in page(client, depot).replace("&#x27;", "'")
    client.post(reverse("marches:reprendre_import", args=[depot.pk]))
    importer_le_depot.func(depot.pk)
    depot.refresh_from_db()
    assert (depot.etat, depot.retenus, depot.message) == ("APPLIQUE", 1, "")


def test_repris_deux_fois_il_ne_s_importe_qu_une(client):
    depot = importer(client, fichier(marche()))
    importer_le_depot.func(depot.pk)
    assert (Contrat.objects.count(), ImportDecp.objects.get().retenus) == (1, 1)
    assert ACHETEUR in Contrat.objects.get().siret
