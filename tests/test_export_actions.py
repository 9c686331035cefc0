"""La liste des actions dans un fichier : ce qu'on y lit, ce qu'on y choisit, et ce qui n'en sort jamais."""

import csv
import datetime
import io
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from odf import opendocument, table, teletype

from actions.annuaire import Annuaire
from actions.classeur.colonnes import COLONNES, Colonne, colonne_de
from actions.classeur.export import Format, exporter
from actions.models import Action, Axe, Plan, ReferenceCadre
from actions.modifications import Signature, modifier
from actions.statuts import PointAttention, Priorite, Statut
from comptes.droits import Role
from comptes.gestes import Geste, Trace
from socle.echeances import Echeance
from socle.tableaux import FichierIllisible, Limites, Tableau, lire
from tests import fabriques
from tests.classeurs import par_libreoffice
from tests.decor import plan_garni
from tests.visites import client_de

pytestmark = pytest.mark.django_db

FORMES = ["xlsx", "ods", "csv"]
LIMITES = Limites(octets=10_000_000, octets_deplies=200_000_000, lignes=5000, colonnes=60)
DANGEREUX = ["=1+1", "+33 4", "-3", "@SUM(A1)", "\t=1", "'=1", "'texte", " =1"]


def reconnu(titre: str) -> bool:
    return colonne_de(titre) is not None


def demander(client, forme: str = "xlsx", **filtres: Any) -> bytes:
    reponse = client.get(reverse("actions:export"), {"format": forme, **filtres})
    assert reponse.status_code == 200
    assert reponse["Content-Disposition"].endswith(f'.{forme}"')
    return reponse.content


def lu(contenu: bytes, forme: str = "xlsx") -> Tableau:
    return lire(f"actions.{forme}", contenu, limites=LIMITES, reconnu=reconnu)


def dictionnaires(tableau: Tableau) -> list[dict[str, Any]]:
    """Chaque ligne, par titre de colonne, sans ce qui est vide."""
    return [
        {titre: valeur for titre, valeur in zip(tableau.titres, ligne.cellules, strict=True) if valeur is not None}
        for ligne in tableau.lignes
    ]


def feuille_de(contenu: bytes, rang: int = 0):
    return openpyxl.load_workbook(io.BytesIO(contenu)).worksheets[rang]


def textes_de(contenu: bytes, feuille: str) -> str:
    """Tout ce qu'une feuille du classeur dit, sans espaces insécables."""
    rangees = openpyxl.load_workbook(io.BytesIO(contenu))[feuille].iter_rows(values_only=True)
    texte = "\n".join(str(cellule) for rangee in rangees for cellule in rangee if cellule is not None)
    return texte.replace("\u00a0", " ").replace("\u202f", " ")


def titre(champ: str) -> str:
    return next(colonne.titre for colonne in COLONNES if colonne.champ == champ)


@pytest.fixture
def responsable():
    return fabriques.utilisateur(Role.RESPONSABLE, nom="Martin", prenom="Rita")


@pytest.fixture
def bureau(responsable):
    return client_de(responsable)


@pytest.fixture
def plan() -> Plan:
    return fabriques.plan(intitule="Plan d'essai", slug="plan-essai")


@pytest.fixture
def remplie(plan, responsable) -> Action:
    """Une action dont chaque champ dit quelque chose."""
    agent = fabriques.utilisateur(Role.AGENT, nom="Durand", prenom="Léa", username="lea")
    action = fabriques.action(plan, statut=Statut.EN_COURS, date_effet=datetime.date(2024, 1, 10))
    valeurs = {
        "intitule": "Acheter autrement",
        "description": "Première ligne\r\nseconde ligne",
        "axe": Axe.objects.create(plan=plan, code="A1", intitule="Acheter mieux"),
        "service_pilote": fabriques.service("Commande publique"),
        "pilote": agent,
        "suppleant": responsable,
        "elu_referent": "Mme Élue",
        "priorite": Priorite.HAUTE,
        "date_debut": datetime.date(2024, 2, 1),
        "budget_previsionnel": Decimal("1234.50"),
        "budget_realise": Decimal("0.10"),
        "attention_nature": PointAttention.ARBITRAGE,
        "attention": "À décider.",
        "visible_du_public": False,
        "avancement": 40,
        "echeance": Echeance.lire("31/12/2026"),
        "partenaires": {fabriques.partenaire("Ademe"): "FINANCEUR", fabriques.partenaire("Réseau", sigle="R"): ""},
        "references": ["PCAET : 4.2", "SPASER"],
    }
    modifier(action, valeurs, Signature(responsable, date_effet=datetime.date(2024, 1, 11)))
    return Action.objects.get(pk=action.pk)


# --- Ce qu'on lit -------------------------------------------------------------------------------


@pytest.mark.parametrize("forme", ["xlsx", "ods"])
def test_chaque_champ_sort_en_francais_et_dans_son_type(bureau, remplie, forme):
    [ligne] = dictionnaires(lu(demander(bureau, forme), forme))
    assert ligne == {
        "N°": remplie.numero,
        "Action": "Acheter autrement",
        "Axe": "A1 Acheter mieux",
        "Statut": "En cours",
        "Avancement (%)": 40,
        "Échéance": datetime.date(2026, 12, 31),
        "Service pilote": "Commande publique",
        "Pilote": "Léa Durand",
        "Suppléant·e": "Rita Martin",
        "Élu·e référent·e": "Mme Élue",
        "Priorité": "Haute",
        "Description": "Première ligne\nseconde ligne",
        "Partenaires": "Ademe (financeur) ; Réseau (R)",
        "Autres cadres": "PCAET : 4.2 ; SPASER",
        "Début": datetime.date(2024, 2, 1),
        "Budget prévisionnel": 1234.5,
        "Budget réalisé": 0.1,
        "Point d'attention": "Arbitrage demandé",
        "Point d'attention, en une phrase": "À décider.",
        "Visible du public": "non",
        "Plan": "Plan d'essai",
        "Identifiant": remplie.pk,
        "Version": remplie.version,
    }


def test_le_csv_s_ouvre_dans_un_tableur_francais(bureau, remplie):
    contenu = demander(bureau, "csv")
    assert contenu.startswith(b"\xef\xbb\xbf")
    [ligne] = csv.DictReader(io.StringIO(contenu.decode("utf-8-sig"), newline=""), delimiter=";")
    lues = {nom: ligne[nom] for nom in ("Échéance", "Budget prévisionnel", "Statut", "Visible du public", "Début")}
    assert lues == {
        "Échéance": "31/12/2026",
        "Budget prévisionnel": "1234,50",
        "Statut": "En cours",
        "Visible du public": "non",
        "Début": "01/02/2024",
    }


@pytest.mark.parametrize("forme", FORMES)
@pytest.mark.parametrize("ecrite", ["T2 2026", "2026"])
def test_un_trimestre_ou_une_annee_sort_en_texte(bureau, plan, forme, ecrite):
    fabriques.action(plan, echeance=Echeance.lire(ecrite))
    assert dictionnaires(lu(demander(bureau, forme), forme))[0]["Échéance"] == ecrite


@pytest.mark.parametrize("forme", FORMES)
def test_ce_qu_on_ignore_sort_vide(bureau, plan, forme):
    action = fabriques.action(plan)
    [ligne] = dictionnaires(lu(demander(bureau, forme), forme))
    assert set(ligne) == {
        *("N°", "Action", "Statut", "Avancement (%)", "Visible du public", "Plan", "Identifiant", "Version")
    }
    assert str(ligne["N°"]) == str(action.numero)


def test_un_homonyme_sort_avec_de_quoi_le_retrouver(bureau, plan):
    jean, _ = (fabriques.utilisateur(nom="Petit", prenom="Jean", username=nom) for nom in ("jpetit", "jpetit2"))
    fabriques.action(plan, pilote=jean)
    [ligne] = dictionnaires(lu(demander(bureau)))
    assert ligne["Pilote"] == "Jean Petit (jpetit)"
    assert Annuaire.lire().compte(ligne["Pilote"]) == jean


def test_les_titres_sont_ceux_de_la_table_des_colonnes_et_chacun_n_en_nomme_qu_une(bureau, plan):
    fabriques.action(plan)
    assert lu(demander(bureau)).titres == [colonne.titre for colonne in COLONNES]
    noms = [nom for colonne in COLONNES for nom in (colonne.titre, colonne.champ, *colonne.aussi)]
    assert {nom: colonne_de(nom) for nom in noms} == {
        nom: colonne for colonne in COLONNES for nom in (colonne.titre, colonne.champ, *colonne.aussi)
    }


@pytest.mark.parametrize(
    ("ecrit", "champ"), [("ÉCHEANCE", "echeance"), ("  date  d’effet ", "date_effet"), ("Pilote :", "pilote")]
)
def test_une_colonne_se_retrouve_sans_souci_d_accents_de_casse_ni_d_espaces(ecrit, champ):
    trouvee = colonne_de(ecrit)
    assert isinstance(trouvee, Colonne)
    assert trouvee.champ == champ


# --- Le classeur --------------------------------------------------------------------------------


def test_le_classeur_a_ses_titres_en_gras_figes_et_filtrables_et_des_largeurs(bureau, remplie):
    feuille = feuille_de(demander(bureau))
    assert feuille.title == "Actions"
    assert all(cellule.font.bold for cellule in feuille[1])
    assert (feuille.freeze_panes, feuille.auto_filter.ref) == ("C2", "A1:Y2")
    assert feuille.column_dimensions["B"].width > 40
    assert feuille.print_title_rows == "$1:$1"


def test_les_dates_et_les_montants_sont_au_format_francais(bureau, remplie):
    feuille = feuille_de(demander(bureau))
    formats = {titre.value: cellule.number_format for titre, cellule in zip(feuille[1], feuille[2], strict=True)}
    assert (formats["Début"], formats["Échéance"]) == ("dd/mm/yyyy", "dd/mm/yyyy")
    assert formats["Budget prévisionnel"].startswith("#,##0.00")
    assert formats["Action"] == "@"


def test_ce_qui_relie_la_ligne_a_l_action_est_en_gris(bureau, remplie):
    feuille = feuille_de(demander(bureau))
    gris = {titre.value for titre, cellule in zip(feuille[1], feuille[2], strict=True) if _est_gris(cellule)}
    assert gris == {"Plan", "Identifiant", "Version"}


def _est_gris(cellule) -> bool:
    return cellule.value is not None and cellule.font.color is not None and cellule.font.color.rgb == "00808080"


def menus(contenu: bytes) -> dict[str, list[str]]:
    """Ce que propose le menu de chaque colonne, lu dans la feuille des listes ; « ! » devant s'il n'accepte rien
    d'autre."""
    classeur = openpyxl.load_workbook(io.BytesIO(contenu))
    feuille = classeur.worksheets[0]
    trouves = {}
    for menu in feuille.data_validations.dataValidation:
        [zone] = menu.sqref.ranges
        # Les lignes qu'on ajoute dessous ont le même menu.
        assert (zone.min_row, zone.max_row > feuille.max_row) == (2, True)
        nom, _, plage = menu.formula1.partition("!")
        choix = [cellule.value for [cellule] in classeur[nom][plage.replace("$", "")]]
        trouves[("!" if menu.errorStyle == "stop" else "") + feuille.cell(1, zone.min_col).value] = choix
    return trouves


def test_les_menus_proposent_ce_que_le_site_connait(bureau, remplie, responsable):
    fabriques.utilisateur(nom="Partie", prenom="Ana", is_active=False)
    autre = Axe.objects.create(plan=fabriques.plan(), intitule="D'un autre plan")
    proposes = menus(demander(bureau, plan="plan-essai"))
    assert proposes == {
        "!Axe": ["A1 Acheter mieux"],
        "!Statut": ["Terminée", "En cours", "Non initiée"],
        "!Priorité": ["Haute", "Normale", "Basse"],
        "!Point d'attention": [str(libelle) for libelle in PointAttention.labels],
        "!Visible du public": ["oui", "non"],
        "Service pilote": ["Commande publique"],
        "Pilote": ["Léa Durand", "Rita Martin"],
        "Suppléant·e": ["Léa Durand", "Rita Martin"],
    }
    assert str(autre) not in textes_de(demander(bureau, plan="plan-essai"), "Listes")


def test_le_menu_d_un_ods_puise_dans_ses_listes(bureau, remplie):
    document = opendocument.load(io.BytesIO(demander(bureau, "ods")))
    conditions = [menu.getAttribute("condition") for menu in document.getElementsByType(table.ContentValidation)]
    assert "of:cell-content-is-in-list([$Listes.$A$2:.$A$4])" in conditions
    listes = document.getElementsByType(table.Table)[2]
    premieres = [teletype.extractText(r.getElementsByType(table.TableCell)[0]) for r in _rangees(listes)]
    assert (listes.getAttribute("name"), premieres[:4]) == (
        "Listes",
        ["Statuts", "Terminée", "En cours", "Non initiée"],
    )


def _rangees(feuille) -> list:
    return feuille.getElementsByType(table.TableRow)


def test_le_mode_d_emploi_dit_la_date_les_filtres_et_comment_revenir(bureau, remplie):
    dit = textes_de(demander(bureau, plan="plan-essai", priorite="HAUTE"), "Lisez-moi")
    for attendu in (
        "1 action",
        timezone.localdate().strftime("%d/%m/%Y"),
        "Plan : Plan d'essai ; Priorité : Haute",
        "« Date d'effet du statut » et « Motif du report »",
        "« Identifiant » et « Version »",
        "Importer un classeur",
    ):
        assert attendu in dit
    assert "Situation passée" not in dit


# --- Les filtres --------------------------------------------------------------------------------


@pytest.mark.parametrize("forme", FORMES)
def test_l_export_a_les_lignes_de_la_liste_filtree_et_elles_seules(bureau, plan, forme):
    haute = fabriques.action(plan, priorite=Priorite.HAUTE)
    fabriques.action(plan)
    fabriques.action(fabriques.plan(), priorite=Priorite.HAUTE)
    retiree = fabriques.action(plan, priorite=Priorite.HAUTE)
    retiree.retirer(motif="Abandonnée.", auteur=None, version=retiree.version)
    lues = dictionnaires(lu(demander(bureau, forme, plan="plan-essai", priorite="HAUTE"), forme))
    assert [str(ligne["Identifiant"]) for ligne in lues] == [str(haute.pk)]


def test_une_liste_vide_s_exporte_avec_ses_titres(bureau, plan):
    for forme in FORMES:
        tableau = lu(demander(bureau, forme), forme)
        assert (len(tableau.titres), tableau.lignes) == (len(COLONNES), [])


def test_a_une_date_passee_l_etat_est_celui_d_alors_et_la_version_celle_de_personne(bureau, remplie):
    modifier(remplie, {"statut": Statut.TERMINEE}, Signature(remplie.suppleant))
    contenu = demander(bureau, au="2024-01-15")
    [ligne] = dictionnaires(lu(contenu))
    assert (ligne["Statut"], ligne["Avancement (%)"], ligne["Version"]) == ("En cours", 40, 0)
    assert "ceux du 15/01/2024" in textes_de(contenu, "Lisez-moi")
    [ligne] = dictionnaires(lu(demander(bureau)))
    assert (ligne["Statut"], ligne["Avancement (%)"]) == ("Terminée", 100)


@pytest.mark.parametrize("filtre", [{"statut": "FINI"}, {"au": "2999-01-01"}, {"plan": "nulle-part"}])
def test_un_filtre_absurde_montre_la_liste_et_son_champ_en_erreur(bureau, remplie, filtre):
    reponse = bureau.get(reverse("actions:export"), {"format": "csv", **filtre})
    assert (reponse.status_code, reponse["Content-Type"].partition(";")[0]) == (400, "text/html")
    assert "Un filtre n'est pas compréhensible" in reponse.content.decode()
    assert list(reponse.context["filtre"].form.errors) == list(filtre)
    assert not Trace.objects.filter(geste=Geste.EXPORT).exists()


def test_un_format_inconnu_est_refuse_en_francais(bureau):
    reponse = bureau.get(reverse("actions:export"), {"format": "exe"})
    assert reponse.status_code == 400
    assert "Choisissez xlsx, ods ou csv." in reponse.content.decode()


def test_la_liste_mene_a_l_export_de_ce_qu_elle_montre(bureau, remplie):
    page = bureau.get(reverse("actions:liste"), {"priorite": "HAUTE", "page": "1", "sort": "-numero"}).content.decode()
    for forme in FORMES:
        assert f'href="{reverse("actions:export")}?priorite=HAUTE&amp;format={forme}"' in page


# --- Ce qui n'en sort jamais --------------------------------------------------------------------


@pytest.mark.parametrize("texte", DANGEREUX)
@pytest.mark.parametrize("forme", FORMES)
def test_aucune_cellule_n_est_une_formule_et_le_texte_se_relit_a_l_identique(bureau, plan, forme, texte):
    action = fabriques.action(plan, intitule=f"{texte}")
    action.elu_referent = texte
    action.save()
    contenu = demander(bureau, forme)
    [ligne] = dictionnaires(lu(contenu, forme))
    assert (ligne["Action"], ligne["Élu·e référent·e"]) == (texte, texte)
    if forme == "xlsx":
        assert all(cellule.data_type != "f" for rangee in feuille_de(contenu) for cellule in rangee)
    elif forme == "ods":
        cellules = opendocument.load(io.BytesIO(contenu)).getElementsByType(table.TableCell)
        assert not any(cellule.getAttribute("formula") for cellule in cellules)
    else:
        champs = [
            champ for rangee in csv.reader(io.StringIO(contenu.decode("utf-8-sig")), delimiter=";") for champ in rangee
        ]
        assert not [champ for champ in champs if champ.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_ni_les_listes_ni_le_mode_d_emploi_n_ont_de_formule(bureau, plan):
    fabriques.service("=1+1")
    fabriques.utilisateur(nom="=2+2", prenom="")
    fabriques.partenaire("=3+3")
    fabriques.action(plan)
    classeur = openpyxl.load_workbook(io.BytesIO(demander(bureau, q="action")))
    assert [
        cellule.value for feuille in classeur for rangee in feuille for cellule in rangee if cellule.data_type == "f"
    ] == []
    assert {"=1+1", "=3+3"} <= {cellule.value for rangee in classeur["Listes"] for cellule in rangee}


@pytest.mark.parametrize("forme", ["xlsx", "ods"])
def test_un_texte_plein_de_signes_se_relit_a_l_identique(bureau, plan, forme):
    texte = "Deux  espaces, « guillemets », <b>&amp;</b>, _x000D_, 😀\n\nligne  finale\u00a0!"
    action = fabriques.action(plan, description=texte)
    assert dictionnaires(lu(demander(bureau, forme), forme))[0]["Description"] == texte
    assert Action.objects.get(pk=action.pk).description == texte


def test_un_signe_de_controle_n_abime_pas_le_classeur(bureau, plan):
    """Le site n'en accepte plus ; une base d'avant peut en garder."""
    action = fabriques.action(plan, intitule="Avant")
    QuerySet(Action).filter(pk=action.pk).update(intitule="Avant\x07après")
    assert openpyxl.load_workbook(io.BytesIO(demander(bureau)))
    with pytest.raises(FichierIllisible, match=r"signe de contrôle invisible \(U\+0007\), après «.Avant.»"):
        lu(demander(bureau))
    assert dictionnaires(lu(demander(bureau, "ods"), "ods"))[0]["Action"] == "Avantaprès"


# --- Qui, quoi, combien -------------------------------------------------------------------------


def test_l_export_laisse_une_trace_qui_dit_qui_quoi_et_combien(bureau, responsable, remplie):
    demander(bureau, "ods", plan="plan-essai", priorite="HAUTE")
    trace = Trace.objects.get(geste=Geste.EXPORT)
    assert (trace.utilisateur, trace.objet) == (responsable, "Actions")
    assert trace.details == {
        "fichier": f"actions-plan-essai-{timezone.localdate().isoformat()}.ods",
        "filtres": {"Plan": "Plan d'essai", "Priorité": "Haute"},
        "lignes": 1,
    }


@pytest.mark.parametrize(("role", "code"), [(None, 403), *((role, 200) for role in Role)])
def test_qui_lit_le_plan_peut_l_exporter(plan, role, code):
    fabriques.action(plan)
    assert client_de(fabriques.utilisateur(role)).get(reverse("actions:export")).status_code == code


def test_les_notes_et_les_documents_reserves_ne_sortent_pas(plan):
    action = fabriques.action(plan)
    action.noter("Note interne confidentielle.", auteur=None, le=timezone.localdate())
    lecteur = client_de(fabriques.utilisateur(Role.LECTEUR))
    assert "confidentielle" not in demander(lecteur, "csv").decode()


@pytest.mark.parametrize("forme", FORMES)
def test_exporter_fait_autant_de_requetes_pour_40_actions_que_pour_4(plan, forme):
    def mesurer() -> int:
        with CaptureQueriesContext(connection) as requetes:
            exporter(Action.objects.etat_au().au_plan(), Format(forme), filtres=[])
        return len(requetes)

    nombres: list[int] = []
    for _ in range(2):
        for rang in range(4 if not nombres else 36):
            action = fabriques.action(plan, partenaires=[fabriques.partenaire()], pilote=fabriques.utilisateur())
            ReferenceCadre.objects.create(action=action, cadre="PCAET", code=str(rang))
        nombres.append(mesurer())
    assert nombres[0] == nombres[1] <= 14


# --- LibreOffice --------------------------------------------------------------------------------


@pytest.mark.skipif(
    shutil.which("soffice") is None, reason="LibreOffice est absent : apt install libreoffice-calc-nogui"
)
@pytest.mark.parametrize(("de", "vers"), [("xlsx", "xlsx"), ("xlsx", "ods"), ("ods", "xlsx"), ("ods", "ods")])
def test_ouvert_et_enregistre_par_libreoffice_le_classeur_se_relit_a_l_identique(de, vers, tmp_path: Path):
    plan_garni(30)
    # Une tabulation en tête de ligne n'y survit pas toujours : les autres dangers, si.
    for numero, texte in enumerate((dangereux for dangereux in DANGEREUX if "\t" not in dangereux), start=1):
        action = Action.objects.get(numero=numero)
        action.intitule, action.budget_realise = texte, Decimal("1234.56")
        action.save()
    contenu = exporter(Action.objects.etat_au().au_plan(), Format(de), filtres=[]).contenu
    enregistre = par_libreoffice(contenu, de, vers, tmp_path)
    assert enregistre != contenu
    avant, apres = lu(contenu, de), lu(enregistre, vers)
    assert (apres.titres, apres.feuille) == (avant.titres, avant.feuille)
    assert apres.lignes == avant.lignes
    assert len(apres.lignes) == 30
