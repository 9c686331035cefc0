"""Les valeurs des indicateurs dans un classeur : ce qui sort revient tel quel, rien ne s'écrit sans être montré."""

import csv
import datetime
import io
import shutil
from decimal import Decimal
from html import unescape

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from comptes.droits import Role
from comptes.gestes import Geste, Trace
from indicateurs.listes import Etat, Nature, OrigineDeValeur
from indicateurs.models import Dimension, Indicateur, ValeurAnnuelle
from tests import fabriques
from tests.classeurs import en_csv, par_libreoffice, xlsx
from tests.visites import client_de, formulaire_de, photo, sans_lendemain, tables_ecrites

pytestmark = pytest.mark.django_db

D = Decimal
EXPORT, IMPORT, APPLIQUER = "/indicateurs/export/", "/indicateurs/import/", "/indicateurs/import/appliquer/"
MOTIF = "Chiffre repris des marchés notifiés."


@pytest.fixture
def responsable():
    return fabriques.utilisateur(Role.RESPONSABLE, username="responsable")


@pytest.fixture
def client(responsable):
    return client_de(responsable)


@pytest.fixture
def plan():
    return fabriques.plan(intitule="Plan d'essai")


@pytest.fixture
def consultations(plan):
    return fabriques.indicateur(plan, code="consultations", intitule="Consultations", unite="consultations")


@pytest.fixture
def part(plan, consultations):
    """Un taux qui s'appuie sur les consultations."""
    champs = {"intitule": "Part avec clause", "nature": Nature.PART, "unite": "%", "denominateur": consultations}
    return fabriques.indicateur(plan, code="part", **champs)


@pytest.fixture
def seule(plan):
    """Une part qui a ses deux nombres, ou son taux seul."""
    return fabriques.indicateur(plan, code="seule", intitule="Part réservée", nature=Nature.PART, unite="%")


@pytest.fixture
def garni(consultations, part, seule):
    """Ce que contient un vrai site : des parts, un taux seul, une indisponibilité, une remarque, des décimales."""
    fabriques.valeur(consultations, 2022, valeur=D(150))
    fabriques.valeur(consultations, 2023, valeur=D(166), remarque="Lancées dans l'année.\nHors reconductions.")
    fabriques.valeur(part, 2023, numerateur=D(42), etat=Etat.VALIDEE)
    fabriques.valeur(seule, 2021, valeur=D("0.5"))
    fabriques.valeur(seule, 2022, numerateur=D("3.25"), denominateur=D("12.5"))
    fabriques.valeur(seule, 2023, indisponible=True, motif_indisponibilite="registre : perdu")
    fabriques.valeur(
        fabriques.indicateur(intitule="=Montant", code="montant", nature=Nature.MONTANT, unite="€"),
        2023,
        valeur=D("999999999999.123456"),
        remarque="-1 erreur",
    )


def exporter(client, format_choisi: str = "xlsx", **demande) -> bytes:
    reponse = client.get(EXPORT, {"format": format_choisi} | demande)
    assert reponse.status_code == 200, reponse.content
    return reponse.content


def rangees(contenu: bytes) -> dict[str, dict]:
    """Les cellules du classeur .xlsx, par code et titre."""
    feuille = openpyxl.load_workbook(io.BytesIO(contenu)).worksheets[0]
    titres, *lignes = feuille.iter_rows(values_only=True)
    return {ligne[0]: dict(zip(titres, ligne, strict=True)) for ligne in lignes}


def modifier(contenu: bytes, changements: dict[tuple[str, str], object]) -> bytes:
    """Le même classeur .xlsx, ces cellules changées : par code d'indicateur et titre de colonne."""
    classeur = openpyxl.load_workbook(io.BytesIO(contenu))
    feuille = classeur.worksheets[0]
    lignes = {rangee[0].value: rangee for rangee in feuille.iter_rows()}
    places = {cellule.value: cellule.column - 1 for cellule in lignes["Code"]}
    for (code, titre), valeur in changements.items():
        lignes[code][places[titre]].value = valeur
    sortie = io.BytesIO()
    classeur.save(sortie)
    return sortie.getvalue()


def deposer(client, contenu: bytes, nom: str = "valeurs.xlsx"):
    reponse = client.post(IMPORT, {"fichier": SimpleUploadedFile(nom, contenu)})
    assert reponse.status_code == 200
    return reponse


def appliquer(client, apercu, **champs):
    return client.post(APPLIQUER, formulaire_de(apercu) | champs)


def importer(client, contenu: bytes, nom: str = "valeurs.xlsx", **champs):
    """Le dépôt, puis l'envoi de l'aperçu tel qu'un navigateur l'envoie."""
    return appliquer(client, deposer(client, contenu, nom), **champs)


def a_la_main(*lignes) -> bytes:
    return xlsx(lignes)


def page_de(reponse) -> str:
    return unescape(reponse.content.decode()).replace("\u00a0", " ").replace("\u202f", " ")


def refus(reponse) -> list[str]:
    return [phrase.replace("\u00a0", " ").replace("\u202f", " ") for phrase in reponse.context["refus"]]


def enregistree(indicateur: Indicateur, annee: int) -> ValeurAnnuelle | None:
    valeurs = ValeurAnnuelle.objects.avec_valeur().select_related("indicateur")
    return valeurs.filter(indicateur=indicateur, annee=annee).first()


def valeurs() -> list[tuple]:
    return photo()["indicateurs_valeurannuelle"]


# --- Exporter -----------------------------------------------------------------------------------


def test_chaque_annee_a_ses_colonnes_et_chaque_nombre_est_un_nombre(client, garni):
    lues = rangees(exporter(client))
    assert lues["consultations"]["2023 valeur"] == 166
    assert lues["consultations"]["2023 taux"] is None
    assert lues["part"] == lues["part"] | {
        "Intitulé": "Part avec clause",
        "Unité": "%",
        "2023 valeur": None,
        "2023 numérateur": 42,
        "2023 dénominateur": None,
        "2023 taux": 25.3,
        "2023 état": "Validée",
        "2023 version": 1,
        "2022 version": 0,
    }
    assert lues["seule"]["2022 dénominateur"] == 12.5
    assert lues["seule"]["2023 valeur"] == "indisponible : registre : perdu"
    assert lues["montant"]["2023 remarque"] == "-1 erreur"


def test_aucune_cellule_n_est_une_formule(client, garni):
    feuilles = openpyxl.load_workbook(io.BytesIO(exporter(client))).worksheets
    cellules = [cellule for feuille in feuilles for rangee in feuille.iter_rows() for cellule in rangee]
    assert not [cellule.coordinate for cellule in cellules if cellule.data_type == "f"]
    assert [feuille.title for feuille in feuilles] == ["Indicateurs", "Lisez-moi"]


def test_un_classeur_montre_les_cinq_dernieres_annees_connues_ou_celles_qu_on_demande(client, consultations):
    for annee in range(2015, 2024):
        fabriques.valeur(consultations, annee, valeur=D(1))
    titres = set(rangees(exporter(client))["consultations"])
    assert {titre[:4] for titre in titres if titre.endswith("valeur")} == {"2019", "2020", "2021", "2022", "2023"}
    titres = set(rangees(exporter(client, de="2016", a="2017"))["consultations"])
    assert {titre[:4] for titre in titres if titre.endswith("valeur")} == {"2016", "2017"}


@pytest.mark.parametrize(
    ("demande", "phrase"),
    [
        ({"de": "2023"}, "Les années se demandent ensemble"),
        ({"de": "hier", "a": "2023"}, "Les années se demandent ensemble"),
        ({"de": "2023", "a": "2022"}, "De 2023 à 2022"),
        ({"de": "2023", "a": "2190"}, "aucune n'est à venir"),
        ({"de": "2000", "a": "2025"}, "25 années au plus"),
        ({"format": "pdf"}, "Ce format d'export n'existe pas"),
    ],
)
def test_une_demande_d_export_absurde_est_refusee_avec_une_phrase(client, garni, demande, phrase):
    reponse = client.get(EXPORT, demande)
    assert reponse.status_code == 400
    assert phrase in page_de(reponse)


def test_l_export_suit_les_filtres_de_la_liste_et_sait_n_emporter_qu_un_indicateur(client, garni, plan):
    fabriques.indicateur(code="hors-plan")
    assert set(rangees(exporter(client, plan=plan.slug))) == {"consultations", "part", "seule"}
    assert set(rangees(exporter(client, code="part"))) == {"part"}
    assert "part" not in rangees(exporter(client, sans_valeur="2023"))
    assert client.get(EXPORT, {"code": "inconnu"}).status_code == 404
    assert client.get(EXPORT, {"plan": "inconnu"}).status_code == 400


def test_un_export_en_csv_s_ouvre_dans_un_tableur_francais(client, garni):
    texte = exporter(client, "csv").decode("utf-8-sig")
    lignes = list(csv.DictReader(io.StringIO(texte, newline=""), delimiter=";"))
    assert next(ligne for ligne in lignes if ligne["Code"] == "seule")["2022 numérateur"] == "3,25"


def test_export_et_import_laissent_une_trace(client, consultations):
    importer(client, modifier(exporter(client, de="2023", a="2023"), {("consultations", "2023 valeur"): 12}))
    gestes = dict(Trace.objects.filter(objet="Indicateurs").values_list("geste", "details"))
    assert gestes[Geste.EXPORT]["lignes"] == 1
    assert gestes[Geste.IMPORT] == {"fichier": "valeurs.xlsx", "valeurs": 1}


# --- L'aller-retour -----------------------------------------------------------------------------


@pytest.mark.parametrize("forme", ["xlsx", "ods", "csv"])
def test_exporter_puis_importer_sans_rien_toucher_ne_change_rien(client, garni, forme):
    apercu = deposer(client, exporter(client, forme), f"valeurs.{forme}")
    assert (refus(apercu), apercu.context["apercu"].lignes, apercu.context["apercu"].conflits) == ([], [], [])
    assert "Ce classeur ne change rien" in page_de(apercu)


@pytest.mark.parametrize(("de", "vers"), [("xlsx", "ods"), ("ods", "xlsx"), ("xlsx", "csv")])
def test_ouvert_et_enregistre_par_libreoffice_un_export_ne_change_toujours_rien(client, garni, tmp_path, de, vers):
    if shutil.which("soffice") is None:
        pytest.fail("LibreOffice est introuvable. Sur Debian : apt install libreoffice-calc-nogui.", pytrace=False)
    enregistre = par_libreoffice(exporter(client, de), de, vers, tmp_path)
    apercu = deposer(client, enregistre, f"valeurs.{vers}")
    assert refus(apercu) == []
    assert [(ligne.detail_avant, ligne.apres.detail) for ligne in apercu.context["apercu"].lignes] == []


def test_ce_qu_on_change_dans_le_classeur_est_montre_puis_enregistre_avec_son_origine(client, consultations, part):
    fabriques.valeur(consultations, 2023, valeur=D(166))
    contenu = modifier(
        exporter(client, de="2023", a="2024"),
        {
            ("consultations", "2024 valeur"): 171,
            ("part", "2024 numérateur"): 60,
            ("part", "2024 remarque"): "Nouvelle règle.",
            ("consultations", "2023 remarque"): "Hors reconductions.",
        },
    )
    apercu = deposer(client, contenu)
    page = page_de(apercu)
    assert "3 valeurs à écrire" in page
    assert "60 / 171 = 35,1 %" in page
    assert enregistree(part, 2024) is None
    reponse = appliquer(client, apercu)
    assert (reponse.status_code, reponse["Location"]) == (302, "/indicateurs/")
    ecrite = enregistree(part, 2024)
    assert (ecrite.detail, ecrite.remarque) == ("60 / 171 = 35,1\u00a0%", "Nouvelle règle.")
    assert ecrite.origine == OrigineDeValeur.CLASSEUR
    assert ecrite.history.latest().history_user.username == "responsable"
    assert enregistree(consultations, 2023).origine == OrigineDeValeur.SAISIE
    assert "3 valeurs enregistrées" in page_de(client.get("/indicateurs/"))


def test_une_cellule_vide_n_efface_jamais(client, garni):
    avant = valeurs()
    contenu = modifier(
        exporter(client),
        {
            ("consultations", "2023 valeur"): None,
            ("consultations", "2023 remarque"): None,
            ("seule", "2023 valeur"): "—",
        },
    )
    assert "Ce classeur ne change rien" in page_de(deposer(client, contenu))
    assert valeurs() == avant


def test_une_valeur_se_dit_indisponible_puis_recoit_son_chiffre(client, consultations):
    ligne = a_la_main(["Code", "2023"], ["consultations", "Indisponible : registre perdu"])
    importer(client, ligne)
    assert enregistree(consultations, 2023).detail == "Indisponible : registre perdu"
    importer(client, a_la_main(["Code", "2023"], ["consultations", 12]))
    assert (enregistree(consultations, 2023).valeur, enregistree(consultations, 2023).indisponible) == (12, False)


# --- Un classeur fait à la main -----------------------------------------------------------------


def test_un_classeur_fait_a_la_main_se_lit_par_code_ou_par_intitule(client, consultations, part, seule):
    contenu = a_la_main(
        ["Suivi des achats"],
        [],
        ["Indicateur", 2022, "2023", "Commentaires du service"],
        ["CONSULTATIONS", 150, 160, "à revoir"],
        ["part  réservée", None, "35,1 %", None],
    )
    apercu = deposer(client, contenu)
    assert "Commentaires du service" in page_de(apercu)
    appliquer(client, apercu)
    assert [enregistree(consultations, annee).valeur for annee in (2022, 2023)] == [150, 160]
    assert enregistree(seule, 2023).valeur == D("35.1")


def test_un_csv_a_la_virgule_francaise_se_lit(client, seule):
    importer(client, en_csv([["Indicateur", "Valeur 2023"], ["seule", "35,1"]]), "valeurs.csv")
    assert enregistree(seule, 2023).valeur == D("35.1")


def test_une_cellule_en_pour_cent_vaut_ce_que_son_ecran_montre(client, seule):
    """35,1 % est enregistré 0.351 par le tableur."""

    def en_pour_cent(feuille):
        feuille["B2"].number_format = "0.0%"

    importer(client, xlsx([["Code", "2023"], ["seule", 0.351]], en_pour_cent))
    assert enregistree(seule, 2023).valeur == D("35.1")


def test_une_cellule_en_pour_cent_de_libreoffice_vaut_aussi_ce_que_son_ecran_montre(client, seule, tmp_path):
    def en_pour_cent(feuille):
        feuille["B2"].number_format = "0.0%"

    contenu = par_libreoffice(xlsx([["Code", "2023"], ["seule", 0.351]], en_pour_cent), "xlsx", "ods", tmp_path)
    importer(client, contenu, "valeurs.ods")
    assert enregistree(seule, 2023).valeur == D("35.1")


def test_un_taux_redit_a_cote_de_ses_parts_ne_les_remplace_pas(client, garni, part):
    importer(client, a_la_main(["Code", "2023"], ["part", 25.3]))
    assert enregistree(part, 2023).numerateur == 42
    apercu = deposer(client, a_la_main(["Code", "2023"], ["part", 30]))
    assert "« 30 » n'est pas ce que disent les parts (42 / 166 = 25,3 %)" in refus(apercu)[0]


def test_des_parts_remplacent_un_taux_seul(client, seule):
    fabriques.valeur(seule, 2023, valeur=D(25))
    contenu = modifier(exporter(client), {("seule", "2023 numérateur"): 42, ("seule", "2023 dénominateur"): 166})
    importer(client, contenu)
    assert enregistree(seule, 2023).detail == "42 / 166 = 25,3\u00a0%"


# --- Ce qui est refusé --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lignes", "phrase"),
    [
        ([["Code", "2023"], ["inconnu", 1]], "Feuille « Sheet », ligne 2 : aucun indicateur n'a le code « inconnu »."),
        ([["Indicateur", "2023"], ["Inconnu", 1]], "ligne 2 : aucun indicateur ne s'intitule « Inconnu »."),
        ([["Code", "2023"], [None, 1]], "ligne 2 : ne dit ni le code ni l'intitulé de l'indicateur."),
        ([["Code", "2023"], ["part", 1], ["Part", 2]], "ligne 3 : désigne « Part avec clause », comme la ligne 2"),
        ([["Code", "2190"], ["consultations", 1]], "colonne « 2190 » : l'année 2190 est à venir"),
        ([["Code", "2023"], ["consultations", "douze"]], "ligne 2, colonne « 2023 » : « douze » n'est pas un nombre."),
        ([["Code", "2023"], ["consultations", "n.c."]], "« n.c. » n'est pas un nombre."),
        ([["Code", "2023"], ["consultations", True]], "« vrai » n'est pas un nombre."),
        ([["Code", "2023"], ["consultations", datetime.date(2023, 5, 1)]], "la cellule est au format date"),
        ([["Code", "2023"], ["consultations", 12.5]], "un compte est un nombre entier."),
        ([["Code", "2023"], ["consultations", -1]], "une valeur ne peut pas être négative."),
        ([["Code", "2023"], ["consultations", 10**15]], "colonne « 2023 » : assurez-vous"),
        ([["Code", "2023"], ["seule", 101]], "une part se donne de 0 à 100 %."),
        ([["Code", "2023"], ["seule", 0.351]], "0,351 se lit de deux façons : écrivez 35,1 pour 35,1 %"),
        ([["Code", "2023"], ["seule", "0,351"]], "0,351 se lit de deux façons"),
        ([["Code", "2023"], ["seule", "indisponible"]], "dites pourquoi : « indisponible : motif »"),
        ([["Code", "2023"], ["seule", "indisponible : " + "x" * 301]], "le motif fait 301 signes, 300 au plus"),
        ([["Code", "2023 numérateur"], ["seule", 3]], "colonne « 2023 numérateur » : donnez le dénominateur"),
        ([["Code", "2023 dénominateur"], ["seule", 3]], "un dénominateur ne se donne qu'avec un numérateur."),
        ([["Code", "2023 numérateur"], ["consultations", 3]], "ne se donnent que pour une part."),
        ([["Code", "2023 remarque"], ["consultations", "Bien."]], "donnez d'abord un chiffre"),
        (
            [["Code", "2023 numérateur", "2023 dénominateur"], ["seule", 4, 3]],
            "le numérateur dépasse le dénominateur (3).",
        ),
        (
            [["Code", "2023", "2023 numérateur"], ["seule", "indisponible : x", 3]],
            "la valeur est dite indisponible et elle a un chiffre",
        ),
        (
            [["Code", "2023 numérateur", "2023 dénominateur"], ["part", 4, 30]],
            "ce dénominateur est la valeur 2023 de « Consultations » : tapez-le à sa ligne.",
        ),
        ([["Code", "2023", "2023 version"], ["consultations", 1, "hier"]], "« hier » n'est pas une version"),
    ],
)
def test_ce_qui_ne_se_comprend_pas_est_refuse_avec_sa_place_et_rien_n_est_ecrit(
    client, consultations, part, seule, lignes, phrase
):
    apercu = deposer(client, a_la_main(*lignes))
    assert len(refus(apercu)) == 1
    assert phrase in refus(apercu)[0]
    assert "Enregistrer" not in page_de(apercu)
    appliquer(client, apercu)
    assert valeurs() == []


@pytest.mark.parametrize(
    ("code", "titre", "phrase"),
    [
        ("consultations", "2023", "cet indicateur n'est pas une part"),
        ("seule", "2023 numérateur", "la cellule est en pourcentage, un nombre y est attendu"),
    ],
)
def test_un_pour_cent_la_ou_il_n_en_faut_pas_est_refuse(client, consultations, seule, code, titre, phrase):
    def en_pour_cent(feuille):
        feuille["B2"].number_format = "0%"

    apercu = deposer(client, xlsx([["Code", titre], [code, 0.5]], en_pour_cent))
    assert phrase in refus(apercu)[0]


@pytest.mark.parametrize(
    ("lignes", "phrase"),
    [
        ([["Code", "Unité"], ["part", "%"]], "Aucune colonne n'est celle d'une année"),
        ([["2022", "2023"], [1, 2]], "Aucune colonne ne nomme les indicateurs"),
        ([["Code", "2023", "2023 valeur"], ["part", 1, 2]], "« 2023 » et « 2023 valeur » disent la même chose"),
        ([["Code", "2023"]], "Ce fichier n'a que des titres"),
        ([["Bonjour"]], "Aucun titre de colonne n'est reconnu"),
        ([["Code", "2023"], ["part", "=1+1"]], "ligne 2 : la cellule B2 est une formule dont le résultat"),
        ([["Code", "2023"], ["part", "#REF!"]], "la cellule B2 est en erreur"),
    ],
)
def test_un_fichier_qui_ne_se_lit_pas_est_refuse_a_cote_de_son_champ(client, part, lignes, phrase):
    reponse = deposer(client, a_la_main(*lignes))
    assert phrase in page_de(reponse).replace("« Sheet »", "")
    assert "apercu" not in reponse.context
    assert reponse.context["formulaire"].errors["fichier"]


def test_deux_indicateurs_du_meme_intitule_ne_se_devinent_pas(client, consultations):
    fabriques.indicateur(code="autre", intitule="consultations")
    apercu = deposer(client, a_la_main(["Indicateur", "2023"], ["Consultations", 3]))
    assert refus(apercu) == []  # l'un porte ce code
    fabriques.indicateur(code="a1", intitule="Heures")
    fabriques.indicateur(code="a2", intitule="HEURES")
    apercu = deposer(client, a_la_main(["Indicateur", "2023"], ["Heures", 3]))
    assert "plusieurs indicateurs s'intitulent « Heures » : donnez le code" in refus(apercu)[0]


def test_un_code_et_un_intitule_qui_ne_vont_pas_ensemble_sont_refuses(client, consultations, seule):
    """Une colonne triée sans les autres donnerait à chacun la valeur de son voisin."""
    titres = ["Code", "Intitulé", "2023"]
    apercu = deposer(client, a_la_main(titres, ["consultations", "Part réservée", 12], ["seule", "Consultations", 9]))
    assert len(refus(apercu)) == 2
    assert (
        "ligne 2 : le code « consultations » est celui de « Consultations », l'intitulé est celui de « seule »"
        in refus(apercu)[0]
    )
    appliquer(client, apercu)
    assert valeurs() == []


def test_un_intitule_retouche_n_empeche_pas_de_reconnaitre_le_code(client, consultations):
    importer(client, a_la_main(["Code", "Intitulé", "2023"], ["consultations", "Nombre de consultations", 12]))
    assert enregistree(consultations, 2023).valeur == 12


def test_un_seul_refus_et_aucune_ligne_n_est_ecrite(client, consultations, seule):
    importer(client, a_la_main(["Code", "2023"], ["consultations", 12], ["seule", "trop"]))
    assert valeurs() == []


def test_une_ventilation_qui_ne_ferait_plus_le_total_est_refusee(client, consultations):
    dimension = Dimension.objects.create(indicateur=consultations, nom="par nature")
    valeur = ValeurAnnuelle(indicateur=consultations, annee=2023, valeur=D(10))
    valeur.enregistrer(ventilation={dimension: {"Travaux": D(4), "Services": D(6)}})
    apercu = deposer(client, a_la_main(["Code", "2023"], ["consultations", 12]))
    assert "la ventilation « par nature » totalise 10, il faut 12" in refus(apercu)[0]


# --- Ce qui est validé, ce qui bouge ------------------------------------------------------------


def test_une_valeur_validee_ne_change_pas_sans_motif(client, consultations):
    fabriques.valeur(consultations, 2023, valeur=D(166), etat=Etat.VALIDEE)
    contenu = a_la_main(["Code", "2023"], ["consultations", 171])
    reponse = importer(client, contenu)
    assert reponse.status_code == 200
    assert "Une valeur validée ne change pas sans motif. Concerne : « Consultations » (2023)." in page_de(reponse)
    assert enregistree(consultations, 2023).valeur == 166
    assert appliquer(client, reponse, motif=MOTIF).status_code == 302
    valeur = enregistree(consultations, 2023)
    assert (valeur.valeur, valeur.etat) == (171, Etat.VALIDEE)
    assert valeur.history.latest().history_change_reason == MOTIF


def test_un_denominateur_montre_les_taux_qu_il_fait_bouger_et_demande_un_motif_s_ils_sont_valides(client, garni, part):
    apercu = deposer(client, a_la_main(["Code", "2023"], ["consultations", 171]))
    assert "42 / 166 = 25,3 % → 42 / 171 = 24,6 % (validée)" in page_de(apercu)
    reponse = appliquer(client, apercu)
    assert "Concerne : « Part avec clause » (2023)." in page_de(reponse)
    assert enregistree(part, 2023).denominateur_retenu == 166
    appliquer(client, reponse, motif=MOTIF)
    assert enregistree(part, 2023).denominateur_retenu == 171


def test_un_denominateur_et_son_numerateur_baissent_ensemble(client, consultations, part):
    """Le dénominateur écrit d'abord, le numérateur le dépasserait."""
    for annee, nombres in ((2022, (100, 90)), (2023, (50, 10))):
        fabriques.valeur(consultations, annee, valeur=D(nombres[0]))
        fabriques.valeur(part, annee, numerateur=D(nombres[1]))
    contenu = a_la_main(
        ["Code", "2022 valeur", "2022 numérateur", "2023 valeur", "2023 numérateur"],
        ["consultations", 20, None, 80, None],
        ["part", None, 15, None, 70],
    )
    assert importer(client, contenu).status_code == 302
    assert [enregistree(part, annee).parts for annee in (2022, 2023)] == ["15 / 20", "70 / 80"]


def test_un_ecart_qui_etonne_demande_une_remarque_et_n_empeche_rien(client, seule):
    fabriques.valeur(seule, 2022, valeur=D(20))
    apercu = deposer(client, a_la_main(["Code", "2023"], ["seule", 90]))
    assert "+ 70 points par rapport à 2022 (20 %) : dites pourquoi en remarque." in page_de(apercu)
    assert appliquer(client, apercu).status_code == 302


# --- À plusieurs --------------------------------------------------------------------------------


def test_deux_personnes_a_la_fois_ne_perdent_rien(client, consultations):
    """Le site a changé depuis l'export : sans accord, il garde sa valeur."""
    valeur = fabriques.valeur(consultations, 2023, valeur=D(166))
    contenu = modifier(exporter(client), {("consultations", "2023 valeur"): 171})
    valeur.valeur = D(168)
    valeur.enregistrer()
    apercu = deposer(client, contenu)
    assert [ligne.detail_avant for ligne in apercu.context["apercu"].conflits] == ["168\u00a0consultations"]
    appliquer(client, apercu)
    assert enregistree(consultations, 2023).valeur == 168
    appliquer(client, apercu, conflit=f"{consultations.pk}-2023")
    assert enregistree(consultations, 2023).valeur == 171


def test_un_vieux_classeur_ne_defait_pas_ce_qu_un_autre_a_saisi_depuis(client, consultations):
    valeur = fabriques.valeur(consultations, 2023, valeur=D(166))
    contenu = exporter(client)
    valeur.valeur = D(168)
    valeur.enregistrer()
    importer(client, contenu)
    assert enregistree(consultations, 2023).valeur == 168


def test_ce_qui_bouge_apres_l_apercu_fait_un_autre_apercu(client, consultations):
    valeur = fabriques.valeur(consultations, 2023, valeur=D(166))
    apercu = deposer(client, a_la_main(["Code", "2023"], ["consultations", 171]))
    valeur.valeur = D(168)
    valeur.enregistrer()
    reponse = appliquer(client, apercu)
    assert reponse.status_code == 200
    assert "en voici un autre, rien n'est écrit" in page_de(reponse)
    assert "168 consultations" in page_de(reponse)
    assert enregistree(consultations, 2023).valeur == 168
    assert appliquer(client, reponse).status_code == 302


def test_un_double_envoi_n_ecrit_qu_une_fois(client, consultations):
    apercu = deposer(client, a_la_main(["Code", "2023"], ["consultations", 171]))
    appliquer(client, apercu)
    avant = valeurs()
    reponse = appliquer(client, apercu)
    assert reponse.status_code == 302
    assert valeurs() == avant
    assert Trace.objects.filter(geste=Geste.IMPORT).count() == 1
    assert "il n'y a rien à importer" in page_de(client.get("/indicateurs/"))


def test_un_apercu_forge_ou_expire_renvoie_au_depot(client):
    reponse = client.post(APPLIQUER, {"depot": "forge"}, follow=True)
    assert "Cet aperçu a expiré" in page_de(reponse)


def test_un_apercu_n_ecrit_rien(client, consultations):
    contenu = a_la_main(["Code", "2023"], ["consultations", 171])
    with sans_lendemain() as requetes:
        deposer(client, contenu)
    assert tables_ecrites(requetes) == set()


# --- Le volume ----------------------------------------------------------------------------------


def en_nombre(nombre: int, annees: int = 20) -> None:
    indicateurs = Indicateur.objects.bulk_create(
        Indicateur(code=f"i{n}", intitule=f"Indicateur {n}", nature=Nature.COMPTE) for n in range(nombre)
    )
    ValeurAnnuelle.objects.bulk_create(
        ValeurAnnuelle(indicateur=indicateur, annee=2023 - rang, valeur=D(100 + rang))
        for indicateur in indicateurs
        for rang in range(annees)
    )


@pytest.mark.parametrize("geste", ["export", "apercu"])
def test_les_requetes_ne_dependent_ni_du_nombre_d_indicateurs_ni_des_annees(client, django_assert_num_queries, geste):
    comptes = []
    for nombre in (3, 300):
        with sans_lendemain():
            en_nombre(nombre)
            contenu = exporter(client, de="2004", a="2023")
            changees = modifier(contenu, {(f"i{n}", "2023 valeur"): 999 for n in range(nombre)})
            client.get("/indicateurs/")
            with CaptureQueriesContext(connection) as requetes:
                if geste == "export":
                    exporter(client, de="2004", a="2023")
                else:
                    apercu = deposer(client, changees)
                    assert len(apercu.context["apercu"].lignes) == nombre
            comptes.append(len(requetes))
    assert comptes[0] == comptes[1]


def test_un_classeur_trop_gros_se_coupe_en_plusieurs(client, monkeypatch, consultations, seule):
    monkeypatch.setattr("indicateurs.classeur.apercu.CHANGEMENTS_MAX", 1)
    apercu = deposer(client, a_la_main(["Code", "2023"], ["consultations", 12], ["seule", 12]))
    assert refus(apercu)[0].startswith("Ce classeur change 2 valeurs, 1 au plus par import.")
    appliquer(client, apercu)
    assert valeurs() == []


# --- Qui ----------------------------------------------------------------------------------------


def test_qui_n_importe_pas_exporte_sans_voir_le_lien_d_import(consultations):
    agent = client_de(fabriques.utilisateur(Role.AGENT))
    page = page_de(agent.get("/indicateurs/"))
    assert "/indicateurs/export/?format=xlsx" in page
    assert reverse("indicateurs:importer") not in page
    assert agent.get(IMPORT).status_code == 403
    assert agent.post(APPLIQUER, {"depot": "x"}).status_code == 403
    assert exporter(agent)
