"""Importer des DECP : le compte de chaque fichier, ce qu'on garde, ce qui se montre, et la commande pour machines."""

import io
import itertools
import json
import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from comptes.models import Collectivite, Siren
from marches.decp.contrats import FichierIllisible
from marches.importation import importer
from marches.models import Contrat, EnregistrementDecp, ImportDecp, RefusDecp, ResultatDeCalcul
from tests.decp_synthetique import ecrire_en_json, en_tabulaire, en_xml, jeu

pytestmark = pytest.mark.django_db

ACHETEUR = "24340047000221"
SIREN = ACHETEUR[:9]


def marche(identifiant="2024-01", **champs):
    """Un marché synthétique au format v2, réduit à ce qui décide."""
    return {
        "id": identifiant,
        "acheteur": {"id": ACHETEUR},
        "nature": "Marché",
        "objet": "Entretien des berges",
        "procedure": "Procédure adaptée",
        "dateNotification": "2024-02-01",
        "datePublicationDonnees": "2024-02-10",
        "montant": 50000,
        "titulaires": [{"titulaire": {"id": "11111111100011", "typeIdentifiant": "SIRET"}}],
        **champs,
    }


@pytest.fixture
def fichier(tmp_path):
    rang = itertools.count()

    def ecrire(*marches, nom=None):
        chemin = tmp_path / (nom or f"decp-{next(rang)}.json")
        chemin.write_text(json.dumps({"marches": {"marche": list(marches)}}), encoding="utf-8")
        return chemin

    return ecrire


def comptes(fait):
    return {nom: nombre for nom, nombre in fait.comptes.items() if nombre}


def etat() -> list[str]:
    """Tout ce que disent les contrats visibles, sans leurs clés ni leur temps."""
    return sorted(Contrat.objects.en_vigueur().values_list("empreinte", flat=True))


def test_chaque_enregistrement_est_compte_une_fois(fichier):
    bon = marche()
    chemin = fichier(
        bon,
        bon,
        marche("2024-02", acheteur={"id": "98765432100011"}),
        marche("2024-03", acheteur={}),
        "texte",
    )
    fait = importer(chemin, sirens=[SIREN])
    assert comptes(fait) == {
        "lus": 5,
        "retenus": 1,
        "autres_acheteurs": 1,
        "doublons": 1,
        "refuses": 2,
        "marches": 1,
    }
    assert list(RefusDecp.objects.values_list("position", "motif")) == [(4, "sans_acheteur"), (5, "illisible")]


def test_le_meme_fichier_importe_deux_fois_ne_garde_rien_de_nouveau(fichier):
    chemin = fichier(marche(), marche(), marche("2024-02"))
    premier, avant = importer(chemin), etat()
    second = importer(chemin)
    assert comptes(second) == {"lus": 3, "doublons": premier.retenus + premier.doublons}
    assert etat() == avant


def test_une_republication_corrigee_met_le_contrat_a_jour_et_garde_l_ancienne_version(fichier):
    importer(fichier(marche()))
    avant = Contrat.objects.en_vigueur().get()
    fait = importer(fichier(marche(montant=60000, datePublicationDonnees="2024-03-01")))
    apres = Contrat.objects.en_vigueur().get()
    assert (comptes(fait)["mis_a_jour"], apres.montant, apres.souche == avant.souche) == (1, 60000, True)
    assert Contrat.objects.a_la_generation(avant.de).get().montant == 50000


def test_deux_lots_d_un_meme_identifiant_sont_deux_contrats_en_conflit(fichier):
    importer(fichier(marche(objet="Voirie - lot 1"), marche(objet="Voirie - lot 2")))
    assert list(Contrat.objects.en_vigueur().values_list("conflit", flat=True)) == [True, True]


def test_un_identifiant_fait_de_zeros_ne_rapproche_rien(fichier):
    importer(fichier(marche("0000")))
    importer(fichier(marche("0000", datePublicationDonnees="2024-04-01")))
    assert Contrat.objects.en_vigueur().filter(conflit=False).count() == 2


def test_un_fichier_qui_redit_deux_contrats_ensemble_les_separe(fichier):
    """Vus chacun dans son fichier, c'était une correction ; vus ensemble, ce sont deux lots."""
    un, deux = marche(objet="Lot 1"), marche(objet="Lot 2", datePublicationDonnees="2024-05-01")
    importer(fichier(un))
    importer(fichier(deux))
    assert Contrat.objects.en_vigueur().count() == 1
    fait = importer(fichier(un, deux))
    assert (fait.retenus, fait.doublons, Contrat.objects.en_vigueur().count()) == (0, 2, 2)


def effacer():
    for table in (Contrat, EnregistrementDecp, ImportDecp):
        table.objects.all().delete()


def test_l_ordre_des_fichiers_ne_change_pas_l_etat(fichier):
    un, deux = marche(objet="Lot 1"), marche(objet="Lot 2", datePublicationDonnees="2024-05-01")
    chemins = [fichier(un), fichier(deux), fichier(un, deux), fichier(marche(objet="Lot 2", montant=1))]
    etats = []
    for ordre in itertools.islice(itertools.permutations(chemins), 0, None, 4):
        effacer()
        for chemin in ordre:
            importer(chemin)
        etats.append(etat())
    assert all(e == etats[0] for e in etats)


def test_json_xml_tabulaire_et_rectificatif_dans_n_importe_quel_ordre(tmp_path):
    faux = jeu(1, consultations=12)
    (tmp_path / "d.xml").write_text(en_xml(faux.rectificatif), encoding="utf-8")
    (tmp_path / "d.csv").write_text(en_tabulaire(faux.fichier, faux.lieux), encoding="utf-8")
    chemins = [ecrire_en_json(faux.fichier, tmp_path / "d.json"), tmp_path / "d.xml", tmp_path / "d.csv"]
    etats = []
    for ordre in itertools.permutations(chemins):
        effacer()
        for chemin in ordre:
            importer(chemin)
        etats.append(etat())
    assert etats[0]
    assert all(e == etats[0] for e in etats)


def test_un_fichier_coupe_ne_change_rien_et_dit_pourquoi(fichier):
    importer(fichier(marche()))
    avant = etat()
    coupe = fichier(*(marche(f"2025-{n}") for n in range(1200)), nom="coupe.json")
    coupe.write_bytes(coupe.read_bytes()[:-40])
    with pytest.raises(FichierIllisible):
        importer(coupe)
    refuse = ImportDecp.objects.first()
    assert (refuse.etat, refuse.retenus, bool(refuse.message)) == ("REFUSE", 0, True)
    assert (etat(), EnregistrementDecp.objects.count(), Contrat.objects.count()) == (avant, 1, 1)


def test_l_import_d_un_acheteur_de_la_collectivite_refait_ses_calculs(fichier):
    collectivite = Collectivite.objects.create(nom="Collectivité d'essai")
    Siren.objects.create(collectivite=collectivite, numero=SIREN)
    importer(fichier(marche()))
    notifies = ResultatDeCalcul.objects.get(code="marches_notifies", debut__year=2024)
    assert (notifies.valeur, notifies.listes["numerateur"]) == (1, [Contrat.objects.get().pk])


def test_un_titulaire_un_acheteur_ou_un_objet_demesures_tiennent_dans_leur_colonne(fichier):
    long = "x" * 5000
    importer(
        fichier(marche(objet=long, nature=long, titulaires=[{"titulaire": {"id": long, "typeIdentifiant": long}}]))
    )
    assert Contrat.objects.get().titulaires.count() == 1


def test_un_caractere_nul_ou_un_demi_caractere_ne_casse_pas_la_base(fichier):
    importer(fichier(marche(objet="a\x00b\ud800c")))
    assert Contrat.objects.get().objet.startswith("a")
    assert EnregistrementDecp.objects.get().contenu["objet"].startswith("a")


# --- La commande -------------------------------------------------------------------------------


def commande(*arguments):
    sortie, erreurs = io.StringIO(), io.StringIO()
    try:
        call_command("importer_decp", *map(str, arguments), stdout=sortie, stderr=erreurs)
    except CommandError as refus:
        erreurs.write(str(refus))
    return sortie.getvalue(), erreurs.getvalue()


def test_un_objet_json_par_fichier(fichier):
    sortie, _ = commande(fichier(marche(), nom="a.json"), fichier(marche("2"), nom="b.json"), "--tous", "--json")
    rendus = [json.loads(ligne) for ligne in sortie.splitlines()]
    assert [r["fichier"] for r in rendus] == ["a.json", "b.json"]
    assert set(rendus[0]) == {
        *("fichier", "sha256", "format", "lus", "retenus", "autres_acheteurs", "doublons", "refuses"),
        *("mis_a_jour", "marches"),
    }
    for r in rendus:
        assert r["lus"] == r["retenus"] + r["autres_acheteurs"] + r["doublons"] + r["refuses"]


def test_un_fichier_refuse_n_empeche_pas_les_suivants(fichier, tmp_path):
    faux = tmp_path / "page.json"
    faux.write_text("<!doctype html><html></html>")
    sortie, erreurs = commande(faux, fichier(marche()), "--tous", "--json")
    assert json.loads(sortie)["retenus"] == 1
    assert "page.json" in erreurs
    assert "1\u00a0fichier sur 2" in erreurs


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        ([], "n'a pas de SIREN"),
        (["--siren", "12"], "neuf chiffres"),
        (["--tous", "--siren", SIREN], "ne donnez pas --siren"),
    ],
)
def test_une_demande_impossible_le_dit_sans_rien_importer(fichier, arguments, phrase):
    _, erreurs = commande(fichier(marche()), *arguments)
    assert phrase in erreurs
    assert not ImportDecp.objects.exists()


def test_un_fichier_absent_se_dit(tmp_path):
    _, erreurs = commande(tmp_path / "absent.json", "--tous")
    assert "absent.json : fichier impossible à lire" in erreurs


def test_plusieurs_siren_se_gardent_ensemble(fichier):
    autre = marche("2", acheteur={"id": "98765432100011"})
    sortie, _ = commande(fichier(marche(), autre), "--siren", SIREN, "--siren", "987654321", "--json")
    assert json.loads(sortie)["retenus"] == 2


# --- À plusieurs -------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_deux_imports_a_la_fois_passent_l_un_apres_l_autre(fichier):
    chemins = [fichier(*(marche(f"{annee}-{n}") for n in range(40))) for annee in ("2024", "2025")]
    echecs = []

    def mener(chemin):
        try:
            importer(chemin)
        except DatabaseError as echec:
            echecs.append(echec)
        finally:
            connection.close()

    fils = [threading.Thread(target=mener, args=[chemin]) for chemin in chemins]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join()
    assert (echecs, Contrat.objects.en_vigueur().count()) == ([], 80)
