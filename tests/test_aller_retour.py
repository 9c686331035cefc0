"""Exporter mille actions, les réimporter : ce qu'on n'a pas touché ne change pas, le reste change, et se défait."""

import datetime
import io
import shutil

import openpyxl
import pytest
from django.urls import reverse

from actions.champs import LIBELLES, pour_le_lot, valeur_de
from actions.classeur.comparaison import Comparaison, Sort, comparer
from actions.classeur.imports import lire_le_tableau
from actions.classeur.releve import Releve
from actions.models import Action, ChangementDeStatut, DepotDeClasseur, Plan, PresenceAuPlan, ReportEcheance
from actions.statuts import Statut
from comptes.gestes import Lot
from tests.classeurs import deposer, modifier, par_libreoffice
from tests.decor import Decor, plan_garni
from tests.test_taches import vider_la_file
from tests.visites import client_de

MILLE = 1000


def exporter(client, format_choisi: str = "xlsx") -> bytes:
    reponse = client.get(reverse("actions:export"), {"plan": "plan-garni", "format": format_choisi})
    assert reponse.status_code == 200
    return reponse.content


def essai(plan: Plan, contenu: bytes, nom: str) -> Comparaison:
    return comparer(lire_le_tableau(nom, contenu), Releve.du_plan(plan))


def champs_metier(plan: Plan) -> dict[int, dict]:
    """Chaque champ de chaque action, sous la forme où deux valeurs égales s'écrivent pareil."""
    lues = plan.actions.select_related("axe", "service_pilote", "pilote", "suppleant")
    actions = lues.prefetch_related("participations__partenaire", "references")
    return {a.pk: {champ: pour_le_lot(champ, valeur_de(a, champ)) for champ in LIBELLES} for a in actions}


def cellules(contenu: bytes) -> list[list]:
    """Les cellules du classeur, version mise à part."""
    feuille = openpyxl.load_workbook(io.BytesIO(contenu)).worksheets[0]
    rangees = [[cellule.value for cellule in rangee] for rangee in feuille.iter_rows()]
    place = rangees[0].index("Version")
    return [rangee[:place] + rangee[place + 1 :] for rangee in rangees]


def traces_du_temps() -> dict[str, int]:
    tables = (ChangementDeStatut, ReportEcheance, PresenceAuPlan, Action.history.model, Lot)
    return {table.__name__: table.objects.count() for table in tables}


@pytest.fixture
def garni(db) -> Decor:
    return plan_garni(MILLE, indicateurs=2, annees=1)


# --- Rien n'est touché --------------------------------------------------------------------------


def test_reimporte_sans_y_toucher_un_export_ne_change_rien_quel_que_soit_son_format(garni):
    client = client_de(garni.comptes["responsable"])
    for format_choisi in ("xlsx", "ods", "csv"):
        trouve = essai(garni.plan, exporter(client, format_choisi), f"actions.{format_choisi}")
        assert trouve.comptes == {"refusee": 0, "conflit": 0, "changee": 0, "creee": 0, "inchangee": MILLE}


@pytest.mark.parametrize(("de", "vers"), [("xlsx", "xlsx"), ("ods", "ods"), ("xlsx", "ods")])
def test_ouvert_et_enregistre_par_libreoffice_un_export_ne_change_toujours_rien(garni, tmp_path, de, vers):
    if shutil.which("soffice") is None:
        pytest.fail("LibreOffice est introuvable. Sur Debian : apt install libreoffice-calc-nogui.", pytrace=False)
    client = client_de(garni.comptes["responsable"])
    enregistre = par_libreoffice(exporter(client, de), de, vers, tmp_path)
    trouve = essai(garni.plan, enregistre, f"actions.{vers}")
    refus = [(ligne.numero, ligne.refus, ligne.ecarts) for ligne in trouve.lignes if ligne.sort != Sort.INCHANGEE]
    assert refus[:3] == []
    assert trouve.comptes["inchangee"] == MILLE


def test_ce_que_d_autres_ont_change_depuis_n_est_pas_repris_par_un_fichier_qu_on_n_a_pas_touche(garni):
    client = client_de(garni.comptes["responsable"])
    bougee = Action.objects.get(numero=12)
    bougee.save()
    contenu = exporter(client)
    bougee.intitule = "Réécrite sur le site"
    bougee.save()
    assert essai(garni.plan, contenu, "actions.xlsx").comptes["inchangee"] == MILLE


# --- Trente-sept cellules -----------------------------------------------------------------------


def trente_sept_cellules(garni: Decor) -> dict[tuple[int, str], object]:
    """Une cellule par action, de toutes les sortes ; aucune ne redit ce qui y est."""
    par_statut = {s: list(Action.objects.filter(statut=s).values_list("numero", flat=True)[5:12]) for s in Statut}
    en_cours, non_initiees = par_statut[Statut.EN_COURS], par_statut[Statut.NON_INITIEE]
    return {
        **{(n, "Statut"): "Terminée" for n in en_cours[:4]},
        **{(n, "Statut"): "En cours" for n in non_initiees[:4]},
        (en_cours[4], "Avancement (%)"): 40,
        (en_cours[5], "Avancement (%)"): "65 %",
        **{(n, "Échéance"): "T3 2027" for n in (101, 102)},
        **{(n, "Échéance"): datetime.date(2027, 5, 4) for n in (103, 104)},
        (105, "Échéance"): None,
        **{(n, "Action"): f"Intitulé réécrit {n}" for n in (111, 112, 113, 114)},
        (121, "Description"): "Une autre\ndescription",
        (122, "Description"): None,
        (131, "Pilote"): "Camille Martin 007",
        (132, "Pilote"): None,
        (133, "Suppléant·e"): "pilote9",
        (141, "Service pilote"): "Service 001",
        (142, "Axe"): "Axe 3",
        (151, "Budget prévisionnel"): 12345.67,
        (152, "Budget réalisé"): "1 200,50",
        (161, "Début"): datetime.date(2025, 2, 3),
        (162, "Visible du public"): "non",
        (163, "Élu·e référent·e"): "Mme Durand",
        (171, "Partenaires"): "Partenaire 001 (financeur)",
        (172, "Autres cadres"): "SPASER : 3.1 ; PCAET : 4.2",
        (176, "Point d'attention, en une phrase"): None,
        (176, "Point d'attention"): None,
        (174, "Partenaires"): None,
        # La priorité suit le numéro, de trois en trois.
        (202, "Priorité"): "Basse",
    }


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_trente_sept_cellules_changees_changent_et_se_defont(groupes_des_roles):
    garni = plan_garni(MILLE, indicateurs=2, annees=1)
    client = client_de(garni.comptes["responsable"])
    contenu, avant, traces = exporter(client), champs_metier(garni.plan), traces_du_temps()
    voulues = trente_sept_cellules(garni)
    assert len(voulues) == 37
    assert deposer(client, garni.plan, modifier(contenu, voulues)).status_code == 302
    depot = DepotDeClasseur.objects.latest("pk")
    # Mille lignes : l'ouvrier s'en charge.
    assert depot.etat == "DEPOSE"
    vider_la_file()
    depot.refresh_from_db()
    assert depot.etat == "LU", depot.message
    assert depot.apercu["changements"] == 37
    assert depot.apercu["comptes"] == {"refusee": 0, "conflit": 0, "changee": 36, "creee": 0, "inchangee": MILLE - 36}
    page = client.get(depot.get_absolute_url()).content.decode()
    assert "Enregistrer 37\u00a0changements" in page
    envoi = {"empreinte": depot.apercu["empreinte"], "motif": "Le calendrier est revu."}
    client.post(reverse("actions:appliquer_depot", args=[depot.pk]), envoi)
    depot.refresh_from_db()
    assert depot.etat == "APPLIQUE", depot.message
    assert depot.lot.lignes.count() == 37
    apres = champs_metier(garni.plan)
    assert sum(apres[pk] != avant[pk] for pk in avant) == 36
    client.post(reverse("actions:defaire_lot", args=[depot.lot.pk]))
    assert champs_metier(garni.plan) == avant
    assert cellules(exporter(client)) == cellules(contenu)
    fin = traces_du_temps()
    assert fin["ChangementDeStatut"] == traces["ChangementDeStatut"] + 2 * 10
    assert fin["ReportEcheance"] == traces["ReportEcheance"] + 2 * 5
    assert fin["HistoricalAction"] > traces["HistoricalAction"]
    assert fin["Lot"] == traces["Lot"] + 2
