"""Le PDF d'un bilan : ce qu'il dit, dans quel ordre, sa structure (PDF/UA-1, PDF/A-2a), et rien qui vienne d'ailleurs.

Aucun validateur externe n'est là : les règles se vérifient sur la structure, avec pikepdf.
"""

import datetime
import gc
import itertools
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pikepdf
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import transaction

from actions.models import Axe, NoteDeSuivi, Plan
from actions.suivi import PorteeDeNote
from bilans import rendu_pdf
from bilans.arret import bilan_de
from bilans.contenu.canonique import empreinte, relire
from bilans.contenu.composition import Arret, composer
from bilans.contenu.schema import BilanLu, Portee, lire
from bilans.dessins_du_pdf import pour_le_papier
from bilans.rendu_pdf import (
    FEUILLE,
    RACINE,
    SERVIS,
    AdresseRefusee,
    ImpressionImpossible,
    fichier_servi,
    imprimer,
    lisible,
)
from socle.formats import FINE, INSECABLE
from tests import fabriques
from tests.lecture_pdf import PdfLu

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("pdf")]

PAGE = settings.BASE_DIR / "tests" / "donnees" / "fiche_action_2023.txt"
ARRETE = Arret(datetime.datetime(2024, 1, 15, 9, 30, tzinfo=datetime.UTC), 1, "")
EMPREINTE = "0123456789abcdef" * 4
POIDS_MAX = 500_000
ESPACES = {INSECABLE: " ", FINE: " "}


def lu(plan: Plan, arret: Arret | None = ARRETE, portee: Portee = Portee.PUBLIQUE) -> BilanLu:
    return lire(composer(bilan_de(plan, 2023), arret).de(portee))


def normaliser(texte: str) -> str:
    return " ".join(re.sub(f"[{INSECABLE}{FINE}]", " ", texte).split())


def _sans_trace(django_db_blocker, preparer: Callable[[], BilanLu]) -> BilanLu:
    """Ce contenu, sa base oubliée : il suffit à tous les essais de ce fichier."""
    with django_db_blocker.unblock(), transaction.atomic():
        contenu = preparer()
        transaction.set_rollback(True)
    return contenu


def _plan_publie() -> BilanLu:
    call_command("charger_plan", verbosity=0)
    return lu(Plan.objects.get())


def _plan_garni() -> BilanLu:
    """De tout : axes, descriptions, notes, avant-propos, commentaires, longue liste, plusieurs années."""
    plan = fabriques.plan(intitule="Plan garni")
    axes = [Axe.objects.create(plan=plan, code=str(rang), intitule=f"Axe {rang}") for rang in (1, 2)]
    for rang in range(45):
        action = fabriques.action(
            plan,
            intitule=f"Action de rang {rang}, dont l'intitulé tient sur deux lignes pour peu que la page soit étroite",
            axe=axes[rang % 2],
            statut=("TERMINEE", "EN_COURS", "NON_INITIEE")[rang % 3],
            description="Une description." if rang % 4 == 0 else "",
        )
        if rang % 5 == 0:
            NoteDeSuivi.objects.create(
                action=action, date=datetime.date(2023, 6, 1), texte="Fait.", portee=PorteeDeNote.BILAN
            )
    for _ in range(2):
        indicateur = fabriques.indicateur(plan, definition="Ce qu'il compte.")
        for annee in range(2004, 2024):
            fabriques.valeur(indicateur, annee, valeur=annee - 1990)
        fabriques.cible(indicateur, 2023, 50)
    bilan = bilan_de(plan, 2023)
    bilan.avant_propos, bilan.commentaire_graphiques = "Deux mots d'abord.", "À lire avec prudence."
    return lire(composer(bilan, ARRETE).de(Portee.PUBLIQUE))


@pytest.fixture(scope="module")
def publie(django_db_setup, django_db_blocker) -> BilanLu:
    return _sans_trace(django_db_blocker, _plan_publie)


@pytest.fixture(scope="module")
def octets(publie) -> bytes:
    return imprimer(publie, empreinte=EMPREINTE)


@pytest.fixture(scope="module")
def pdf(octets) -> PdfLu:
    return PdfLu(octets)


@pytest.fixture(scope="module")
def pdf_garni(django_db_setup, django_db_blocker) -> PdfLu:
    return PdfLu(imprimer(_sans_trace(django_db_blocker, _plan_garni)))


@pytest.fixture(scope="module", params=["publié", "garni"])
def structure(request, pdf, pdf_garni) -> PdfLu:
    """Les deux bilans passent les mêmes vérifications."""
    return {"publié": pdf, "garni": pdf_garni}[request.param]


# --- Ce qu'il dit -------------------------------------------------------------------------------


def test_chaque_ligne_et_chaque_chiffre_de_la_page_publiee_s_y_lisent_dans_cet_ordre(pdf):
    texte = normaliser(pdf.texte)
    blocs = [normaliser(bloc) for bloc in re.split(r"\n\s*\n", PAGE.read_text(encoding="utf-8"))]
    attendus = [ligne for bloc in blocs if bloc for ligne in _lignes(bloc)]
    assert len(attendus) == 1 + 1 + 3 + 12 + 1 + 6
    place = 0
    for attendu in attendus:
        trouve = texte.find(attendu, place)
        assert trouve >= 0, f"« {attendu} » manque, ou n'est pas à sa place."
        place = trouve + len(attendu)


def _lignes(bloc: str) -> list[str]:
    """Les actions d'un bloc, une par tiret ; un chiffre, puis son texte ; sinon le bloc."""
    if bloc.startswith("- "):
        return re.split(r"(?:^| )- (?=[A-ZÀ-Ý])", bloc)[1:]
    chiffre = re.match(r"(\d+(?: %)?) (.*)", bloc)
    return list(chiffre.groups()) if chiffre else [bloc]


def test_un_bilan_arrete_dit_sa_date_et_son_empreinte(pdf):
    assert "Arrêté le 15 janvier 2024, version 1." in normaliser(pdf.texte)
    assert EMPREINTE in pdf.texte.replace(" ", "")


def test_un_brouillon_porte_un_filigrane_qui_ne_se_lit_pas():
    plan = fabriques.plan()
    arrete, brouillon = PdfLu(imprimer(lu(plan))), PdfLu(imprimer(lu(plan, arret=None)))
    # Le filigrane est le seul dessin de pages sans graphique.
    dessins = {"arrêté": _formes(arrete), "brouillon": _formes(brouillon)}
    assert dessins["brouillon"] > dessins["arrêté"]
    assert "Brouillon : rien n'est arrêté" in normaliser(brouillon.texte)
    assert brouillon.textes_hors_de_l_arbre == []


def _formes(lu: PdfLu) -> int:
    """Les dessins de fond de la première page, dont chacun est un artefact."""
    operations = pikepdf.parse_content_stream(lu.pdf.pages[0])
    return sum(str(operateur) == "Do" for _, operateur in operations)


def test_le_pdf_public_ne_dit_rien_de_ce_qui_est_interne():
    plan = fabriques.plan()
    fabriques.action(plan, intitule="Action cachée", visible_du_public=False)
    action = fabriques.action(plan, intitule="Action montrée")
    NoteDeSuivi.objects.create(action=action, date=datetime.date(2023, 6, 1), texte="Entre nous.")
    texte = PdfLu(imprimer(lu(plan))).texte
    assert "Action montrée" in texte
    assert "Action cachée" not in texte
    assert "Entre nous" not in texte


# --- Les mêmes octets ---------------------------------------------------------------------------


def test_le_meme_contenu_donne_les_memes_octets_dans_un_autre_processus(tmp_path, publie, octets):
    code = (
        "import django, pickle, sys; django.setup();"
        "from bilans.rendu_pdf import imprimer; from bilans.contenu.canonique import empreinte;"
        f"lu = pickle.load(open(sys.argv[1], 'rb')); print(empreinte(imprimer(lu, empreinte='{EMPREINTE}')))"
    )
    (tmp_path / "lu").write_bytes(pickle.dumps(publie))
    sortie = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "lu")],
        cwd=settings.BASE_DIR,
        env={"DJANGO_SETTINGS_MODULE": "tests.reglages", "PYTHONHASHSEED": "7", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert sortie.stdout.strip() == empreinte(octets)


def test_ses_dates_sont_celles_de_l_arret(pdf):
    assert str(pdf.pdf.docinfo["/CreationDate"]).startswith("D:20240115093000")
    assert "<xmp:CreateDate>2024-01-15T09:30:00+00:00</xmp:CreateDate>" in pdf.xmp
    assert "<xmp:ModifyDate>2024-01-15T09:30:00+00:00</xmp:ModifyDate>" in pdf.xmp


def test_il_reste_leger(octets, pdf_garni):
    assert len(octets) < POIDS_MAX
    assert pdf_garni.poids < POIDS_MAX


# --- PDF/UA-1 -----------------------------------------------------------------------------------


def test_il_dit_sa_langue_son_titre_et_qu_il_est_balise(structure):
    racine = structure.racine
    assert str(racine.Lang) == "fr"
    assert racine.MarkInfo.Marked is True or bool(racine.MarkInfo.Marked)
    assert bool(racine.ViewerPreferences.DisplayDocTitle)
    assert str(structure.pdf.docinfo["/Title"]).startswith("Bilan 2023, ")
    assert all(str(page.Tabs) == "/S" for page in structure.pdf.pages)


def test_rien_ne_se_dessine_hors_d_une_balise_ou_d_un_artefact(structure):
    assert structure.hors_balise == []
    # Titres courants et numéros de page ne sont pas dans l'arbre : ce sont des artefacts, pas du texte perdu.
    assert structure.textes_hors_de_l_arbre == []
    assert "page 1 sur" not in structure.texte


def test_les_titres_s_emboitent_sans_saut(structure):
    niveaux = [int(b.nom[1]) for b in structure.balises if re.fullmatch(r"H\d", b.nom)]
    assert niveaux[0] == 1
    assert niveaux.count(1) == 1
    assert all(suivant <= niveau + 1 for niveau, suivant in itertools.pairwise(niveaux))


def test_chaque_figure_dit_ce_qu_elle_montre_et_son_cadre_est_dans_la_page(structure):
    figures = structure.de_nom("Figure")
    assert len(figures) >= 2
    for figure in figures:
        assert str(figure.objet.Alt).strip()
        x1, y1, x2, y2 = (float(v) for v in figure.objet.A.BBox)
        _, _, large, haut = (float(v) for v in figure.objet.Pg.MediaBox)
        assert 0 <= x1 < x2 <= large
        assert 0 <= y1 < y2 <= haut


def test_chaque_tableau_a_des_en_tetes_qui_disent_leur_portee(structure):
    tableaux = structure.de_nom("Table")
    assert tableaux
    entetes = structure.de_nom("TH")
    assert {str(entete.objet.A.Scope) for entete in entetes} == {"/Column", "/Row"}
    for entete in entetes:
        assert (str(entete.objet.A.Scope) == "/Column") == ("THead" in entete.parents)
    assert all(balise.parents[-1] in ("TBody", "THead") for balise in structure.de_nom("TR"))
    # Chaque page d'un tableau coupé reprend ses en-têtes.
    assert len(structure.de_nom("THead")) == len(tableaux)


def test_chaque_element_de_liste_a_une_etiquette_et_un_corps(structure):
    for balise in structure.balises:
        parent = balise.parents[-1] if balise.parents else ""
        if balise.nom == "LI":
            assert parent == "L"
        if balise.nom in ("Lbl", "LBody"):
            assert parent == "LI"
        assert parent != "L" or balise.nom == "LI"
        assert parent != "LI" or balise.nom in ("Lbl", "LBody")


def test_une_legende_est_dans_son_tableau(structure):
    assert all(balise.parents[-1] == "Table" for balise in structure.de_nom("Caption"))


def test_la_legende_d_un_tableau_ne_reste_pas_seule_en_bas_de_page():
    """Le tableau passe d'un bloc à la page suivante : où qu'il tombe, sa légende l'y suit."""
    import weasyprint

    feuille = weasyprint.CSS(filename=settings.BASE_DIR / "static" / FEUILLE)
    rangs = "".join(f"<tr><th>{rang}</th><td>x</td></tr>" for rang in range(8))
    tableau = f"<table><caption>Légende</caption><thead><tr><th>Année</th><th>Valeur</th></tr></thead>{rangs}</table>"
    for hauteur in range(205, 250, 3):
        corps = f'<body><div style="height: {hauteur}mm">Avant</div>{tableau}</body>'
        document = weasyprint.HTML(string=corps).render(stylesheets=[feuille])
        textes = [{getattr(boite, "text", "") for boite in page._page_box.descendants()} for page in document.pages]
        assert [("Légende" in page) == ("Valeur" in page) for page in textes] == [True] * len(textes), hauteur


def test_le_paquet_xmp_declare_les_deux_normes_et_decrit_celle_que_l_autre_ignore(structure):
    assert 'pdfuaid:part="1"' in structure.xmp
    assert 'pdfaid:part="2"' in structure.xmp
    assert 'pdfaid:conformance="A"' in structure.xmp
    assert "<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>" in structure.xmp
    with structure.pdf.open_metadata() as xmp:
        assert (xmp.pdfa_status, xmp["pdfuaid:part"]) == ("2A", "1")


def test_une_legende_ne_reste_pas_seule_en_bas_d_une_page():
    """Le texte qui précède pousse le tableau juste assez bas pour que seule sa légende tiendrait encore."""
    contenu = lire(relire((PAGE.parent / "bilan_schema_1_public.json").read_text(encoding="utf-8")))
    prelude = "Une ligne.\n\n" * 28
    court = replace(contenu, actions=[], indicateurs=[], evolution=dict([contenu.evolution.popitem()]))
    lecture = PdfLu(imprimer(replace(court, avant_propos=prelude)))
    (legende,) = lecture.de_nom("Caption")
    assert {str(balise.objet.Pg.objgen) for balise in lecture.de_nom("TH")} == {str(legende.objet.Pg.objgen)}


# --- PDF/A-2a -----------------------------------------------------------------------------------


def test_ses_couleurs_ont_un_profil(structure):
    (intention,) = structure.racine.OutputIntents
    assert str(intention.S) == "/GTS_PDFA1"
    assert intention.DestOutputProfile.N == 3
    assert b"acsp" in intention.DestOutputProfile.read_bytes()[:64]


def test_toutes_les_polices_sont_celles_du_projet_et_incluses(structure):
    descriptions = [o for o in structure.objets() if o.get("/Type") == "/FontDescriptor"]
    assert descriptions
    for description in descriptions:
        assert any(f"/FontFile{n}" in description for n in ("", "2", "3"))
        assert re.fullmatch(r"/[A-Z]{6}\+(Texte-du-bilan|Signes-du-bilan|DejaVu-Sans).*", str(description.FontName))
    assert all("/ToUnicode" in o for o in structure.objets() if o.get("/Subtype") == "/Type0")


def test_rien_de_ce_que_pdf_a_interdit_n_y_est(structure):
    interdits = {"/JavaScript", "/Launch", "/Sound", "/Movie", "/SubmitForm", "/ImportData", "/GoToR", "/URI"}
    for objet in structure.objets():
        assert str(objet.get("/S", "")) not in interdits
        assert "/AA" not in objet
        assert "/OpenAction" not in objet
        # Ni fichier joint, ni contenu pris dans un autre fichier.
        assert objet.get("/Type") not in ("/Filespec", "/EmbeddedFile")
        assert not (isinstance(objet, pikepdf.Stream) and "/F" in objet)
    assert not structure.pdf.is_encrypted
    assert "/ID" in structure.pdf.trailer


# --- Rien qui vienne d'ailleurs -----------------------------------------------------------------


@pytest.mark.parametrize(
    "adresse",
    [
        "file:///etc/passwd",
        "http://127.0.0.1:9/image.png",
        "https://exemple.fr/police.ttf",
        "data:text/css,body{}",
        f"{RACINE}../../../etc/passwd",
        f"{RACINE}css/site.css",
        f"{RACINE}css/pdf.css?x=1",
        "css/pdf.css",
    ],
)
def test_une_adresse_hors_de_la_liste_est_refusee(adresse):
    with pytest.raises(AdresseRefusee):
        fichier_servi(adresse)


def test_chaque_fichier_de_la_liste_est_dans_le_projet():
    assert all(fichier_servi(RACINE + nom).is_file() for nom in SERVIS)


def test_un_texte_hostile_s_imprime_tel_quel_et_ne_fait_rien_chercher(caplog):
    hostile = (
        '<img src="file:///etc/passwd"><style>@import "http://127.0.0.1:9/x.css"</style>'
        '<svg><image href="file:///etc/hostname"/></svg>'
    )
    plan = fabriques.plan(intitule='Plan "><link rel=attachment href=file:///etc/passwd>')
    fabriques.action(plan, intitule=hostile[:200], description=hostile)
    lecture = PdfLu(imprimer(lu(plan)))
    assert '<img src="file:///etc/passwd">' in normaliser(lecture.texte)
    assert not [o for o in lecture.objets() if o.get("/Type") in ("/Filespec", "/EmbeddedFile")]
    assert "root:" not in lecture.texte
    assert "Adresse refusée" not in caplog.text


# --- Caractères et dessins ----------------------------------------------------------------------


def test_un_caractere_qu_aucune_police_ne_dessine_se_voit_et_ne_casse_rien():
    plan = fabriques.plan()
    fabriques.action(plan, intitule="Planter 🌱 des haies ≥ 10 % ✓ שלום 漢")
    assert "Planter � des haies ≥ 10 % ✓" in normaliser(PdfLu(imprimer(lu(plan))).texte)


def test_un_signe_sans_dessin_s_ote():
    # Un sélecteur de variante que nos polices n'ont pas : ni carré, ni trou.
    assert lisible("haie\N{VARIATION SELECTOR-17} de 🌱") == "haie de �"


def test_une_valeur_cernee_se_pose_sur_un_fond():
    svg = (
        '<svg class="x"><rect x="1" y="2" fill="url(#evolution-motif-1-0f4c81)"/>'
        '<text x="40" y="30" text-anchor="middle" fill="#ffffff" stroke="#0f4c81" stroke-width="4" '
        'stroke-linejoin="round" paint-order="stroke">5</text></svg>'
    )
    recrit = pour_le_papier(f"<p>avant</p>{svg}")
    assert recrit.startswith('<p>avant</p><svg font-family="Texte du bilan, Signes du bilan"')
    assert '<rect x="1" y="2" fill="#0f4c81"/><rect x="1" y="2" fill="url(' in recrit
    assert recrit.count(">5</text>") == 1
    assert "paint-order" not in recrit
    assert 'fill="#0f4c81"/><text x="40" y="30" text-anchor="middle" fill="#ffffff">5' in recrit


# --- Le moteur ----------------------------------------------------------------------------------


def test_la_progression_avance_jusqu_au_bout(publie):
    suivi: list[tuple[int, str]] = []
    imprimer(publie, suivre=lambda part, phrase: suivi.append((part, phrase)))
    parts = [part for part, _ in suivi]
    assert parts == sorted(parts)
    assert 0 < parts[0] < 10
    assert 90 < parts[-1] < 100
    assert any(phrase.startswith("Mise en page, page") for _, phrase in suivi)


def test_le_ramasse_miettes_reprend_son_rythme_meme_apres_une_panne(publie, monkeypatch):
    avant, pendant = gc.get_threshold(), []

    def tomber(html: str) -> str:
        pendant.append(gc.get_threshold())
        raise RuntimeError

    monkeypatch.setattr(rendu_pdf, "lisible", tomber)
    with pytest.raises(ImpressionImpossible):
        imprimer(publie)
    assert pendant != [avant]
    assert gc.get_threshold() == avant


def test_sans_bibliotheques_une_phrase_dit_quoi_installer(publie, monkeypatch):
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(ImpressionImpossible, match=r"libpango-1.0-0, libpangoft2-1.0-0 et libharfbuzz-subset0"):
        imprimer(publie)


def test_le_site_demarre_sans_charger_weasyprint():
    code = "import django, sys; django.setup(); import bilans.urls; print('weasyprint' in sys.modules)"
    sortie = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env={"DJANGO_SETTINGS_MODULE": "tests.reglages", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert sortie.stdout.strip() == "False"
