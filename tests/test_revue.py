"""La revue : seulement ce qui déplace un chiffre ; corriger, sans toucher aux fichiers ; revenir dessus."""

import datetime
import json
import uuid
from decimal import Decimal
from html import unescape

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from comptes.droits import Role
from comptes.models import Collectivite, Siren
from marches import generations
from marches.calculs.conservation import resultat_courant
from marches.calculs.lignes import Perimetre
from marches.importation import importer
from marches.listes import ChampCorrige
from marches.models import (
    Contrat,
    CorrectionDeContrat,
    EnregistrementDecp,
    Generation,
    LieuDEtablissement,
    TitulaireDeContrat,
)
from marches.reponses import Reponse
from marches.revision import annuler, corriger, situer
from marches.revue import Sorte, anomalies
from tests import fabriques
from tests.fabriques_decp import MAUGUIO, SIREN, contrat, marche, titulaire
from tests.visites import client_de

SIRET_CONNU, SIRET_SANS_LIEU = "1" * 14, "2" * 14
OUI = {"environnement": Reponse.OUI, "social": Reponse.OUI}


@pytest.fixture
def collectivite(db):
    nouvelle = Collectivite.objects.create(nom="Collectivité d'essai")
    Siren.objects.create(collectivite=nouvelle, numero=SIREN)
    return nouvelle


def sain(**champs) -> Contrat:
    """Un contrat auquel rien ne manque, d'un montant et d'un identifiant à lui."""
    return contrat(**(OUI | champs))


def trouver(corriges=(), situes=()) -> dict[str, list[Contrat]]:
    contrats = list(Contrat.objects.all().en_vigueur().avec_leurs_titulaires().order_by("pk"))
    trouvees: dict[str, list[Contrat]] = {}
    for anomalie in anomalies(contrats, corriges=set(corriges), situes=set(situes)):
        trouvees.setdefault(anomalie.sorte.code, []).append(anomalie.contrat)
    return trouvees


# --- Ce qui est à revoir ----------------------------------------------------------------------------


def test_un_contrat_auquel_rien_ne_manque_n_est_pas_a_revoir(db):
    sain()
    assert trouver() == {}


@pytest.mark.parametrize(
    ("champs", "sorte"),
    [
        ({"date": None, "anomalies": ["sans_date"]}, "date"),
        ({"date": None, "anomalies": ["date_invalide"]}, "date"),
        ({"montant": Decimal(1), "drapeau": "symbolique"}, "montant-a-part"),
        ({"montant": None, "drapeau": "absent"}, "montant-a-part"),
        ({"montant": Decimal(5_000_001)}, "montant-eleve"),
        ({"environnement": Reponse.INCONNU}, "consideration"),
        ({"social": Reponse.INCONNU}, "consideration"),
        ({"titulaires": [titulaire()]}, "lieu"),
    ],
)
def test_ce_qui_deplace_un_chiffre_est_a_revoir(db, champs, sorte):
    for _ in range(3):
        sain()
    vise = sain(**champs)
    assert trouver() == {sorte: [vise]}


@pytest.mark.parametrize(
    "champs",
    [
        {"anomalies": ["sans_objet", "siret_invalide", "sans_identifiant"]},
        {"montant": Decimal(5_000_000)},
        {"environnement": Reponse.INCONNU, "date": datetime.date(2023, 12, 31)},
        {"titulaires": [titulaire("FR123", type_identifiant="TVA")]},
        {"doublon": True, "drapeau": "absent", "montant": None},
        {"concession": True, "date": None},
        {"subsequent": True, "environnement": Reponse.INCONNU},
        {"conflit": True},
    ],
)
def test_ce_qui_ne_deplace_aucun_chiffre_n_est_pas_a_revoir(db, champs):
    for _ in range(3):
        sain()
    sain(**champs)
    assert trouver() == {}


def test_un_montant_n_est_inhabituel_qu_au_dela_de_vingt_fois_la_mediane_de_l_acheteur(db):
    for _ in range(3):
        sain(montant=Decimal(1_000_000) + Contrat.objects.count())
    sain(montant=Decimal(19_000_000))
    vise = sain(montant=Decimal(21_000_000))
    assert trouver() == {"montant-eleve": [vise]}
    assert trouver(corriges=[(vise.souche, ChampCorrige.MONTANT)]) == {}


def test_deux_contrats_du_meme_identifiant_sont_a_revoir_tant_que_les_deux_comptent(db):
    freres = [sain(identifiant="MEME", conflit=True) for _ in range(2)]
    assert trouver() == {"conflit": freres}
    Contrat.objects.filter(pk=freres[1].pk).update(doublon=True)
    assert trouver() == {}


def test_meme_date_meme_montant_meme_titulaire_sous_deux_identifiants_est_un_doublon_possible(db):
    deux = [sain(identifiant=nom, montant=Decimal(70_000)) for nom in ("A", "B")]
    sain(identifiant="C", montant=Decimal(70_000), titulaires=[titulaire(SIRET_CONNU[:-1] + "9", commune=MAUGUIO)])
    sain(identifiant="D", montant=Decimal(70_000), date=datetime.date(2024, 3, 2))
    assert trouver() == {"double": deux}
    assert trouver(corriges=[(deux[0].souche, ChampCorrige.DISTINCT)]) == {}


def test_chaque_anomalie_dit_le_chiffre_qu_elle_deplace(db):
    sain(date=None)
    sain(montant=Decimal(1), drapeau="symbolique", titulaires=[titulaire()], environnement=Reponse.INCONNU)
    lues = list(Contrat.objects.all().en_vigueur().avec_leurs_titulaires())
    dits = {a.sorte: a.chiffre for a in anomalies(lues, corriges=(), situes=())}
    assert dits[Sorte.DATE].startswith("Le nombre de marchés notifiés")
    assert dits[Sorte.A_PART].startswith("Les parts en montant 2024")
    assert dits[Sorte.LIEU].startswith("La part locale 2024")
    assert dits[Sorte.CONSIDERATION].startswith("La part environnementale 2024")


# --- Corriger ---------------------------------------------------------------------------------------


def importer_des_marches(tmp_path, *marches: dict) -> None:
    chemin = tmp_path / f"{uuid.uuid4()}.json"
    chemin.write_text(json.dumps({"marches": {"marche": list(marches)}}))
    importer(chemin)


@pytest.fixture
def auteur(db):
    return fabriques.utilisateur(Role.RESPONSABLE)


@pytest.fixture
def importe(collectivite, tmp_path) -> Contrat:
    importer_des_marches(tmp_path, marche("2024-1", montant=1), marche("2024-2"), marche("2024-3", montant=80_000))
    return en_vigueur("2024-1")


def en_vigueur(identifiant: str) -> Contrat:
    return Contrat.objects.all().en_vigueur().get(identifiant=identifiant)


def notifies(annee: int) -> Decimal | None:
    resultat = resultat_courant("marches_notifies", Perimetre.annee(SIREN, annee))
    return None if resultat is None else resultat.valeur


@pytest.mark.parametrize(
    ("champ", "valeur", "attendus"),
    [
        (ChampCorrige.DATE, "2023-05-02", {"date": datetime.date(2023, 5, 2)}),
        (ChampCorrige.MONTANT, "61000.50", {"montant": Decimal("61000.50"), "drapeau": ""}),
        (ChampCorrige.ENVIRONNEMENT, "OUI", {"environnement": Reponse.OUI}),
        (ChampCorrige.SOCIAL, "NON", {"social": Reponse.NON}),
    ],
)
def test_une_correction_change_le_contrat_et_s_annule(importe, auteur, champ, valeur, attendus):
    avant = {nom: getattr(importe, nom) for nom in attendus}
    correction = corriger(importe, champ, valeur, motif="Vu au dossier", auteur=auteur)
    assert {nom: getattr(en_vigueur("2024-1"), nom) for nom in attendus} == attendus
    annuler(correction, auteur=auteur)
    assert {nom: getattr(en_vigueur("2024-1"), nom) for nom in attendus} == avant


def test_une_correction_ecrit_une_ligne_de_la_meme_souche_et_une_generation(importe, auteur):
    avant = Generation.objects.get().numero
    corriger(importe, ChampCorrige.MONTANT, "61000", motif="Vu", auteur=auteur)
    importe.refresh_from_db()
    nouvelle = en_vigueur("2024-1")
    assert Generation.objects.get().numero == avant + 1
    assert (importe.a, nouvelle.de, nouvelle.a) == (avant + 1, avant + 1, None)
    assert nouvelle.souche == importe.souche
    assert Contrat.objects.a_la_generation(avant).get(identifiant="2024-1").montant == 1
    assert en_vigueur("2024-2").de == avant


def test_une_correction_laisse_l_enregistrement_du_fichier_tel_quel(importe, auteur):
    bruts = list(EnregistrementDecp.objects.values_list("brut", flat=True))
    corriger(importe, ChampCorrige.MONTANT, "61000", motif="Vu", auteur=auteur)
    assert list(EnregistrementDecp.objects.values_list("brut", flat=True)) == bruts


def test_une_correction_survit_a_un_import_qui_redit_le_contrat(importe, auteur, tmp_path):
    corriger(importe, ChampCorrige.MONTANT, "61000", motif="Vu", auteur=auteur)
    importer_des_marches(tmp_path, marche("2024-1", montant=1, datePublicationDonnees="2024-06-01", dureeMois=12))
    assert (en_vigueur("2024-1").montant, en_vigueur("2024-1").duree_mois) == (61_000, 12)


def test_les_chiffres_suivent_la_correction(importe, auteur):
    assert (notifies(2023), notifies(2024)) in {(None, 3), (0, 3)}
    correction = corriger(importe, ChampCorrige.DATE, "2023-05-02", motif="Vu", auteur=auteur)
    assert (notifies(2023), notifies(2024)) == (1, 2)
    annuler(correction, auteur=auteur)
    assert notifies(2024) == 3


def test_un_doublon_sort_des_chiffres_et_l_original_ne_peut_plus_en_etre_un(importe, auteur):
    original = en_vigueur("2024-2")
    corriger(importe, ChampCorrige.DOUBLON, str(original.souche), motif="Publié deux fois", auteur=auteur)
    assert notifies(2024) == 2
    with pytest.raises(ValidationError, match="doit rester compté"):
        corriger(original, ChampCorrige.DOUBLON, str(en_vigueur("2024-3").souche), motif="Non", auteur=auteur)
    with pytest.raises(ValidationError, match="pas lui-même un doublon"):
        corriger(en_vigueur("2024-3"), ChampCorrige.DOUBLON, str(importe.souche), motif="Non", auteur=auteur)


@pytest.mark.parametrize("valeur", ["", "00000000-0000-0000-0000-000000000000"])
def test_un_contrat_n_est_pas_le_doublon_de_rien_ni_de_lui_meme(importe, auteur, valeur):
    for souche in (valeur, str(importe.souche)):
        with pytest.raises(ValidationError):
            corriger(importe, ChampCorrige.DOUBLON, souche, motif="Non", auteur=auteur)


def test_un_conflit_verifie_n_en_est_plus_un(collectivite, auteur, tmp_path):
    lots = [marche("MEME", objet=f"Lot {n} du gymnase", titulaires=[str(n) * 14]) for n in (1, 2)]
    importer_des_marches(tmp_path, *lots)
    premier = Contrat.objects.all().en_vigueur().order_by("pk")[0]
    assert premier.conflit
    corriger(premier, ChampCorrige.DISTINCT, "", motif="Deux lots", auteur=auteur)
    assert not Contrat.objects.all().en_vigueur().get(souche=premier.souche).conflit


def test_la_meme_correction_recue_deux_fois_ne_s_ecrit_qu_une_fois(importe, auteur):
    for _ in range(2):
        corriger(importe, ChampCorrige.MONTANT, "61000", motif="Vu", auteur=auteur)
    numero = Generation.objects.get().numero
    assert CorrectionDeContrat.objects.count() == 1
    annuler(CorrectionDeContrat.objects.get(), auteur=auteur)
    annuler(CorrectionDeContrat.objects.get(), auteur=auteur)
    assert Generation.objects.get().numero == numero + 1


def test_une_seconde_correction_du_meme_champ_se_refuse_et_rien_n_est_ecrit(importe, auteur):
    corriger(importe, ChampCorrige.MONTANT, "61000", motif="Vu", auteur=auteur)
    with pytest.raises(ValidationError, match="annulez-la"):
        corriger(importe, ChampCorrige.MONTANT, "62000", motif="Relu", auteur=auteur)
    assert en_vigueur("2024-1").montant == 61_000


# --- Les pages --------------------------------------------------------------------------------------


@pytest.fixture
def client(auteur):
    return client_de(auteur)


def adresse(quoi: Contrat, champ: str) -> str:
    return reverse("marches:corriger_contrat", args=[quoi.souche, champ])


def test_la_revue_compte_par_sorte_et_chaque_nombre_mene_a_sa_liste(importe, client):
    page = unescape(client.get(reverse("marches:revue")).content.decode())
    assert '<a href="?sorte=montant-a-part">Montant mis à part <strong>1</strong></a>' in page
    for sorte, nombre in (("montant-a-part", 1), ("consideration", 3), ("lieu", 3), ("date", 0)):
        lue = client.get(reverse("marches:revue") + f"?sorte={sorte}").context["page"]
        assert lue.paginator.count == nombre
    assert client.get(reverse("marches:revue") + "?sorte=consideration&annee=2023").context["page"].object_list == []


@pytest.mark.parametrize(
    ("champ", "envoi"),
    [
        ("date", {"valeur": "02/05/2023"}),
        ("montant", {"valeur": "61 000,50"}),
        ("environnement", {"valeur": "OUI"}),
        ("social", {"valeur": "NON"}),
        ("distinct", {}),
    ],
)
def test_corriger_sur_la_page_ecrit_une_correction_signee(importe, client, auteur, champ, envoi):
    reponse = client.post(adresse(importe, champ), {**envoi, "motif": "Vu au dossier"})
    assert (reponse.status_code, reponse.url) == (302, importe.get_absolute_url())
    faite = CorrectionDeContrat.objects.get()
    assert (faite.champ.lower(), faite.motif, faite.auteur) == (champ, "Vu au dossier", auteur)


@pytest.mark.parametrize(
    ("champ", "envoi", "erreur"),
    [
        ("date", {"valeur": "02/05/2199", "motif": "x"}, "est à venir"),
        ("date", {"valeur": "02/05/1999", "motif": "x"}, "commencent en 2005"),
        ("date", {"valeur": "hier", "motif": "x"}, "n'est pas une date"),
        ("montant", {"valeur": "-3", "motif": "x"}, "supérieure ou égale à 0"),
        ("montant", {"valeur": "61000", "motif": ""}, "obligatoire"),
        ("environnement", {"valeur": "INCONNU", "motif": "x"}, "Sélectionnez un choix valide"),
        ("doublon", {"motif": "x"}, "Aucun autre contrat compté"),
    ],
)
def test_une_saisie_absurde_se_dit_a_cote_du_champ_et_n_ecrit_rien(importe, client, champ, envoi, erreur):
    reponse = client.post(adresse(importe, champ), envoi)
    assert reponse.status_code == 200
    assert erreur in unescape(reponse.content.decode())
    assert not CorrectionDeContrat.objects.exists()


def test_un_import_en_cours_se_dit_et_garde_ce_qui_est_tape(importe, client, monkeypatch):
    assert generations._DANS_CE_PROCESSUS.acquire(blocking=False)
    try:
        page = client.post(adresse(importe, "montant"), {"valeur": "61000", "motif": "Vu au dossier"})
    finally:
        generations._DANS_CE_PROCESSUS.release()
    lue = unescape(page.content.decode())
    assert "Un import écrit en ce moment" in lue
    assert "Vu au dossier" in lue


def test_annuler_sur_la_page_rend_le_contrat_aux_fichiers(importe, client, auteur):
    correction = corriger(importe, ChampCorrige.MONTANT, "61000", motif="Vu", auteur=auteur)
    reponse = client.post(reverse("marches:annuler_correction", args=[correction.pk]))
    assert (reponse.status_code, reponse.url) == (302, importe.get_absolute_url())
    assert en_vigueur("2024-1").montant == 1
    correction.refresh_from_db()
    assert correction.annulee_par == auteur
    assert "annulée par" in unescape(client.get(reponse.url).content.decode())


def test_dire_la_commune_d_un_etablissement_la_situe_partout(importe, client, auteur):
    siret = TitulaireDeContrat.objects.first().identifiant
    envoi = {"code_postal": "34130", "ville": "Mauguio", "source": "Annuaire"}
    assert client.post(reverse("marches:situer_etablissement", args=[siret]), envoi).status_code == 302
    lieu = LieuDEtablissement.objects.get()
    assert (lieu.siret, lieu.commune, lieu.source, lieu.auteur) == (siret, MAUGUIO, "Annuaire", auteur)
    assert client.get(reverse("marches:revue") + "?sorte=lieu").context["page"].paginator.count == 0


@pytest.mark.parametrize(
    ("envoi", "erreur"),
    [
        ({"code_postal": "34", "source": "x"}, "cinq chiffres"),
        ({"code_postal": "34130", "ville": "Paris", "source": "x"}, "ne désignent pas une seule commune"),
        ({"code_postal": "99999", "source": "x"}, "ne désignent pas une seule commune"),
    ],
)
def test_une_commune_incertaine_se_refuse(importe, client, envoi, erreur):
    siret = TitulaireDeContrat.objects.first().identifiant
    page = client.post(reverse("marches:situer_etablissement", args=[siret]), envoi)
    assert erreur in unescape(page.content.decode())
    assert not LieuDEtablissement.objects.exists()


def test_situer_deux_fois_pareil_n_ecrit_qu_une_fois(importe, auteur):
    premier = situer(SIRET_SANS_LIEU, MAUGUIO, source="Annuaire", auteur=auteur)
    assert situer(SIRET_SANS_LIEU, MAUGUIO, source="Annuaire", auteur=auteur).le == premier.le
    assert LieuDEtablissement.objects.count() == 1


@pytest.mark.parametrize("role", [Role.LECTEUR, Role.AGENT])
def test_qui_ne_peut_pas_importer_lit_la_revue_et_n_y_corrige_rien(importe, role):
    client = client_de(fabriques.utilisateur(role))
    page = client.get(reverse("marches:revue")).content.decode()
    assert "Corriger" not in page
    assert client.post(adresse(importe, "montant"), {"valeur": "1", "motif": "x"}).status_code == 403


@pytest.mark.parametrize("champ", ["objet", "souche"])
def test_un_champ_qui_ne_se_corrige_pas_est_introuvable(importe, client, champ):
    assert client.get(adresse(importe, champ)).status_code == 404


def test_un_doublon_se_choisit_parmi_les_contrats_semblables(collectivite, client, tmp_path):
    importer_des_marches(tmp_path, marche("A"), marche("B"), marche("C", montant=3_000))
    double, original = en_vigueur("A"), en_vigueur("B")
    lue = unescape(client.get(adresse(double, "doublon")).content.decode())
    assert str(original.souche) in lue
    assert str(en_vigueur("C").souche) not in lue
    assert client.post(adresse(double, "doublon"), {"valeur": str(original.souche), "motif": "x"}).status_code == 302
    assert en_vigueur("A").doublon
