"""Le bilan en .docx : toutes les lignes de la page imprimée, dans leur ordre, en styles de Word."""

import datetime
import io
import re
import zipfile

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from docx import Document
from docx.oxml.ns import qn

from actions.models import Action, Axe, Plan
from bilans.arret import rouvrir
from bilans.bilan import Bilan
from bilans.contenu.composition import composer
from bilans.contenu.schema import BilanLu, Portee, lire
from bilans.rendu_docx import ecrire_docx
from comptes.droits import Role
from indicateurs.listes import Etat, Nature
from indicateurs.models import ValeurAnnuelle
from socle.echeances import Echeance
from socle.formats import FINE, INSECABLE
from tests import fabriques
from tests.fabriques_bilans import bilan_arrete
from tests.visites import client_de

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("plan_publie")]

PAGE = settings.BASE_DIR / "tests" / "donnees" / "fiche_action_2023.txt"


@pytest.fixture
def plan() -> Plan:
    call_command("charger_plan", verbosity=0)
    return Plan.objects.get()


def normaliser(texte: str) -> str:
    """Seules les espaces insécables se confondent avec l'espace."""
    return texte.replace(INSECABLE, " ").replace(FINE, " ")


def lu(plan: Plan, annee: int = 2023, portee: Portee = Portee.PUBLIQUE) -> BilanLu:
    bilan = Bilan.objects.filter(plan=plan, annee=annee).first() or Bilan(plan=plan, annee=annee)
    return lire(composer(bilan).de(portee))


def document(plan: Plan, **options) -> Document:
    return Document(io.BytesIO(ecrire_docx(lu(plan, **options))))


def lignes(doc: Document) -> list[tuple[str, str]]:
    """[(style, texte)] dans l'ordre du document, les cases des tableaux comprises."""
    trouvees = []
    for bloc in doc.iter_inner_content():
        if hasattr(bloc, "rows"):
            trouvees += [("Table", normaliser(case.text)) for rangee in bloc.rows for case in rangee.cells]
        else:
            trouvees.append((bloc.style.name, normaliser(bloc.text)))
    return [(style, texte) for style, texte in trouvees if texte]


def texte(doc: Document) -> str:
    return "\n".join(ligne for _, ligne in lignes(doc))


def imprimees() -> list[str]:
    """Ce que la page imprime : une ligne par titre, action et chiffre ; un texte coupé, recollé."""
    blocs = re.split(r"\n{2,}", normaliser(PAGE.read_text(encoding="utf-8")))
    attendues = []
    for bloc in filter(str.strip, blocs):
        debut, *reste = [ligne.strip() for ligne in bloc.strip().splitlines()]
        if re.fullmatch(r"\d+( %)?", debut):
            attendues += [debut, " ".join(reste)]
        else:
            attendues += [ligne.removeprefix("- ") for ligne in (debut, *reste)]
    return attendues


# --- La page imprimée ---------------------------------------------------------------------------


def test_toutes_les_lignes_et_tous_les_chiffres_de_la_page_y_sont_dans_son_ordre(plan):
    attendues = imprimees()
    assert len(attendues) == 24
    restantes = iter([ligne for _, ligne in lignes(document(plan))])
    assert [attendue for attendue in attendues if attendue not in restantes] == []


def test_rien_d_autre_que_l_etat_du_bilan_ne_se_glisse_avant_les_tableaux(plan):
    vues = [ligne for _, ligne in lignes(document(plan))]
    en_plus = [ligne for ligne in vues[: vues.index("Tableaux")] if ligne not in imprimees()]
    res_occ = "Avec Réseau des achats responsables en Occitanie (RES'OCC)"
    assert en_plus == [
        "Bilan 2023 · Situation au 31 décembre 2023 · Brouillon",
        "4 actions sur 12 terminées, 5 en cours, 3 non initiées.",
        res_occ,
        res_occ,
    ]


def test_les_titres_les_listes_et_les_chiffres_ont_les_styles_de_word(plan):
    styles = {ligne: style for style, ligne in reversed(lignes(document(plan)))}
    assert styles["DÉVELOPPER UNE COMMANDE PUBLIQUE RESPONSABLE"] == "Title"
    assert styles["Avancement général de l'action"] == "Heading 1"
    assert styles["ACTIONS TERMINÉES"] == styles["ACTIONS NON INITIÉES"] == "Heading 2"
    assert styles["Participer à la gouvernance du RES'OCC."] == "List Bullet"
    assert styles["166"] == styles["53 %"] == "Chiffre clé"


def test_les_tableaux_disent_la_methode_et_la_provenance_et_repetent_leur_entete(plan):
    doc = document(plan)
    premiere = doc.tables[1].rows[0]
    assert [case.text for case in premiere.cells] == ["Année", "Valeur", "État", "Provenance"]
    assert [normaliser(case.text) for case in doc.tables[1].rows[1].cells][:3] == [
        "2023",
        "166 consultations",
        "Validée",
    ]
    # La provenance, la plus longue, a la plus large des colonnes ; toutes tiennent dans la page.
    largeurs = [case.width.cm for case in premiere.cells]
    assert max(largeurs) == largeurs[-1]
    assert round(sum(largeurs), 1) == 16.6
    for tableau in doc.tables:
        assert tableau.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
        assert tableau.style.name == "Table Grid"
        # Court, il reste d'un seul tenant : chaque rangée retient la suivante, la dernière rien.
        retenues = [rangee.cells[0].paragraphs[0].paragraph_format.keep_with_next for rangee in tableau.rows]
        assert retenues == [True] * (len(tableau.rows) - 1) + [None]
    remarque = ValeurAnnuelle.objects.get(indicateur__code="achats-locaux").remarque
    assert normaliser(remarque) in texte(doc)


def test_le_document_est_en_francais_en_a4_et_ne_nomme_personne(plan):
    doc = document(plan)
    assert {langue.get(qn("w:val")) for langue in doc.styles.element.iter(qn("w:lang"))} == {"fr-FR"}
    assert doc.core_properties.language == "fr-FR"
    assert (round(doc.sections[0].page_width.cm), round(doc.sections[0].page_height.cm)) == (21, 30)
    assert doc.core_properties.title == "Bilan 2023, Développer une commande publique responsable"
    assert (doc.core_properties.author, doc.core_properties.last_modified_by) == ("", "")
    assert "python" not in doc.core_properties.comments


# --- Brouillon ou arrêté ------------------------------------------------------------------------


def en_tete(doc: Document) -> str:
    return normaliser(doc.sections[0].header.paragraphs[0].text)


def test_un_brouillon_le_dit_en_haut_de_chaque_page(plan):
    assert en_tete(document(plan)).startswith("Brouillon : rien n'est arrêté")


def telecharger(client, plan: Plan, suite: str = "", attendu: int = 200):
    reponse = client.get(f"/bilans/{plan.slug}/2023/docx/{suite}")
    assert reponse.status_code == attendu
    return reponse


@pytest.fixture
def lecteur():
    return client_de(fabriques.utilisateur(Role.LECTEUR))


def test_un_bilan_arrete_se_telecharge_tel_qu_arrete_avec_son_empreinte(plan, lecteur):
    version = bilan_arrete(plan)
    action = Action.objects.get(numero=1)
    action.intitule = "Un intitulé revu"
    action.save()
    reponse = telecharger(lecteur, plan)
    doc = Document(io.BytesIO(reponse.content))
    assert en_tete(doc) == ""
    assert "Un intitulé revu" not in texte(doc)
    assert "4 actions sur 12 terminées" in texte(doc)
    assert f"version 1. Empreinte SHA-256 du contenu public : {version.empreinte_publique}" in texte(doc)
    assert f'filename="bilan-2023-{plan.slug}-public-version-1.docx"' in reponse["Content-Disposition"]


def test_la_derniere_version_arretee_vaut(plan, lecteur):
    bilan_arrete(plan)
    action = Action.objects.get(numero=1)
    action.intitule = "Un intitulé revu."
    action.save()
    bilan_arrete(plan)
    doc = Document(io.BytesIO(telecharger(lecteur, plan).content))
    assert "Un intitulé revu." in texte(doc)
    assert "version 2." in texte(doc)


def test_un_bilan_rouvert_redonne_un_brouillon(plan, lecteur):
    bilan_arrete(plan)
    bilan = plan.bilans.get()
    rouvrir(bilan, auteur=fabriques.utilisateur(Role.RESPONSABLE), version=bilan.version, motif="Une erreur")
    assert "brouillon.docx" in telecharger(lecteur, plan)["Content-Disposition"]


def test_un_bilan_arrete_se_lit_sans_rien_demander_aux_actions_aux_indicateurs_ni_aux_partenaires(plan, lecteur):
    bilan_arrete(plan)
    with CaptureQueriesContext(connection) as faites:
        telecharger(lecteur, plan, "?portee=interne")
    tables = {table for requete in faites for table in re.findall(r'(?:FROM|JOIN) "(\w+)"', requete["sql"])}
    assert {table for table in tables if table.startswith(("actions_", "indicateurs_", "partenaires_"))} <= {
        "actions_plan"
    }


# --- Public ou interne --------------------------------------------------------------------------


@pytest.fixture
def garni() -> Plan:
    """Une action dont tout ce qui est interne porte un marqueur, et une que le public ne voit pas."""
    plan = fabriques.plan(intitule="Plan d'essai", affiche_avancement=True)
    axe = Axe.objects.create(plan=plan, code="A", intitule="Environnement")
    action = fabriques.action(
        plan,
        intitule="Acheter local",
        statut="EN_COURS",
        avancement=40,
        axe=axe,
        service_pilote=fabriques.service("MARQUEUR service"),
        pilote=fabriques.utilisateur(Role.AGENT, prenom="MARQUEUR", nom="Personne"),
        echeance=Echeance.lire("2022"),
        priorite="HAUTE",
    )
    action.noter("Pour tous.\n\nEn deux paragraphes.", auteur=None, le=fabriques.FIN_2023, portee="BILAN")
    action.noter("MARQUEUR note", auteur=None, le=fabriques.FIN_2023)
    fabriques.action(plan, intitule="MARQUEUR invisible", visible_du_public=False)
    return plan


def test_le_contenu_public_ne_dit_rien_d_interne(garni):
    octets = ecrire_docx(lu(garni))
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        parties = {nom: archive.read(nom).decode("utf-8", "ignore") for nom in archive.namelist()}
    assert [nom for nom, contenu in parties.items() if "MARQUEUR" in contenu] == []
    assert "retard" not in parties["word/document.xml"]


def test_le_contenu_interne_dit_l_echeance_le_service_les_notes_et_les_actions_cachees(garni):
    vu = texte(document(garni, portee=Portee.INTERNE))
    assert "action n° 1 · depuis le 31/12/2023 · MARQUEUR service · échéance 2022 · en retard · priorité haute" in vu
    assert "Note interne du 31/12/2023 : MARQUEUR note" in vu
    assert "MARQUEUR invisible" in vu
    assert "non visible du public" in vu
    assert "Personne" not in vu


def test_l_avancement_l_axe_et_les_paragraphes_d_une_note_se_gardent(garni):
    vues = lignes(document(garni))
    assert ("Heading 3", "A Environnement") in vues
    assert ("List Bullet", "Acheter local (40 %)") in vues
    assert ("List Continue", "31/12/2023 : Pour tous.") in vues
    assert ("List Continue", "En deux paragraphes.") in vues


def test_l_interne_se_demande_et_le_public_se_donne_sans_rien_demander(garni, lecteur):
    public, interne = (telecharger(lecteur, garni, suite) for suite in ("", "?portee=interne"))
    assert "MARQUEUR" not in texte(Document(io.BytesIO(public.content)))
    assert "MARQUEUR" in texte(Document(io.BytesIO(interne.content)))
    assert "interne-brouillon.docx" in interne["Content-Disposition"]


# --- Ce qui manque, ce qui gêne -----------------------------------------------------------------


def test_une_valeur_absente_provisoire_ou_indisponible_se_dit(garni):
    for intitule, champs in {
        "Absente": None,
        "Provisoire": {"valeur": 12},
        "Perdue": {"indisponible": True, "motif_indisponibilite": "Registre perdu", "etat": Etat.VALIDEE},
    }.items():
        mesure = fabriques.indicateur(garni, intitule=intitule)
        if champs:
            fabriques.valeur(mesure, 2023, **champs)
    vues = [ligne for _, ligne in lignes(document(garni))]
    for attendue in ("Non renseigné pour 2023", "Valeur provisoire", "Indisponible : Registre perdu"):
        assert attendue in vues
    assert "Aucune valeur n'est renseignée." in vues


def test_un_chiffre_en_grand_dit_son_unite(garni):
    """Le texte de la page : sans l'unité, « 12 » ne dirait pas de quoi."""
    fabriques.valeur(fabriques.indicateur(garni, intitule="Insertion", unite="heures"), 2023, valeur=12)
    fabriques.indicateur(garni, intitule="Émissions", unite="tCO2e")
    vues = lignes(document(garni))
    assert ("Texte du chiffre", "Insertion (heures), 2023") in vues
    assert ("Texte du chiffre", "Émissions (tCO2e)") in vues


def test_une_part_et_son_objectif_se_lisent_dans_le_tableau(garni):
    part = fabriques.indicateur(garni, intitule="Part", nature=Nature.PART, unite="%", sens="HAUSSE")
    fabriques.valeur(part, 2023, numerateur=42, denominateur=166, etat=Etat.VALIDEE, rupture="Les lots comptent.")
    fabriques.cible(part, 2026, 30, origine="PLAN")
    tableau = document(garni).tables[-1]
    assert [[normaliser(case.text) for case in rangee.cells] for rangee in tableau.rows] == [
        ["Année", "Valeur", "Objectif", "État", "Provenance"],
        ["2023", "42 / 166 = 25,3 %", "—", "Validée", "Saisie\nRupture de série : Les lots comptent."],
        ["2026", "—", "30 %", "—", "—"],
    ]


def test_un_signe_que_word_refuse_ne_fait_rien_echouer(garni):
    action = garni.actions.get(numero=1)
    action.intitule = "Acheter\x0blocal\x02 <b>&"
    action.save()
    assert "Acheterlocal <b>& (40 %)" in texte(document(garni))


def test_un_plan_vide_se_telecharge(lecteur):
    plan = fabriques.plan(intitule="Plan vide", annee_debut=2023)
    vu = texte(Document(io.BytesIO(telecharger(lecteur, plan).content)))
    assert "Aucune action terminée." in vu
    assert "Partenaires : aucun n'est cité par le plan." in vu


@pytest.mark.parametrize(
    ("adresse", "attendu"),
    [
        ("/bilans/nulle-part/2023/docx/", 404),
        ("/bilans/{slug}/1950/docx/", 404),
        ("/bilans/{slug}/2199/docx/", 404),
        ("/bilans/{slug}/2023/docx/?portee=tout", 400),
    ],
)
def test_une_adresse_absurde_le_dit(garni, lecteur, adresse, attendu):
    assert lecteur.get(adresse.format(slug=garni.slug)).status_code == attendu


def test_un_document_se_date_de_son_arret(plan, lecteur):
    version = bilan_arrete(plan)
    doc = Document(io.BytesIO(telecharger(lecteur, plan).content))
    assert doc.core_properties.created.replace(tzinfo=datetime.UTC) == version.arretee_le.replace(microsecond=0)
