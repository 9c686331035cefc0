"""Les partenaires dans un tableau : ce qui sort se relit, ce qui n'est pas compris est refusé sans rien écrire."""

import csv
import io
import zipfile

import openpyxl
import pytest
from django.urls import reverse

from actions.models import PartenaireDuPlan
from comptes.droits import Role
from comptes.gestes import Geste, Trace
from partenaires import import_export
from partenaires.classeurs import COLONNES, LIGNES_MAX, TAILLE_MAX, lire_fichier
from partenaires.models import Partenaire, TypeDePartenaire
from socle.ecriture import ClasseurEcrit, ColonneEcrite
from socle.ecriture_ods import ecrire_ods
from tests import fabriques
from tests.visites import client_de

pytestmark = pytest.mark.django_db

TITRES = list(COLONNES.values())
IMPORT = "admin:partenaires_partenaire_import"
APPLIQUER = "admin:partenaires_partenaire_import_appliquer"
LISTE = "admin:partenaires_partenaire_changelist"


@pytest.fixture
def responsable():
    return fabriques.utilisateur(Role.RESPONSABLE, username="rita")


@pytest.fixture
def bureau(responsable):
    return client_de(responsable)


def ligne(nom="", *, sigle="", alias="", type="", site="", description="", contact="", actif="oui") -> list:
    return [nom, sigle, alias, type, site, description, contact, actif]


def classeur(*lignes: list, titres: list | None = None) -> bytes:
    tableau = openpyxl.Workbook()
    for rangee in [titres or TITRES, *lignes]:
        tableau.active.append(rangee)
    tampon = io.BytesIO()
    tableau.save(tampon)
    return tampon.getvalue()


def tableau_csv(*lignes: list, titres: list | None = None, separateur=";", encodage="utf-8") -> bytes:
    tampon = io.StringIO()
    csv.writer(tampon, delimiter=separateur).writerows([titres or TITRES, *lignes])
    return tampon.getvalue().encode(encodage)


def deposer(bureau, contenu: bytes, nom: str = "partenaires.xlsx"):
    fichier = io.BytesIO(contenu)
    fichier.name = nom
    return bureau.post(reverse(IMPORT), {"fichier": fichier})


def appliquer(bureau, apercu, **options):
    return bureau.post(reverse(APPLIQUER), {"depot": apercu.context["depot"]}, **options)


def importer(bureau, *lignes: list):
    """Dépose et applique ; rend l'aperçu."""
    apercu = deposer(bureau, classeur(*lignes))
    assert apercu.context["apercu"].erreurs == []
    assert appliquer(bureau, apercu).status_code == 302
    return apercu.context["apercu"]


def refus_du_fichier(reponse) -> str:
    assert reponse.status_code == 200
    assert "apercu" not in reponse.context
    return " ".join(reponse.context["formulaire"].errors["fichier"])


def refus_des_lignes(reponse) -> dict[int, str]:
    assert reponse.status_code == 200
    apercu = reponse.context["apercu"]
    assert "Appliquer" not in reponse.content.decode()
    return {refusee.numero: " ".join(refusee.erreurs) for refusee in apercu.erreurs}


# --- Lire ---------------------------------------------------------------------------------------


def test_un_classeur_est_montre_puis_applique(bureau, responsable):
    connu = fabriques.partenaire("Chambre d'essai", description="Avant")
    contenu = classeur(
        ligne("Chambre d'essai", description="Après"),
        ligne("Réseau neuf", sigle="RN", alias="Le réseau;Réseau", type="Réseau d'acheteurs", site="https://rn.test"),
    )
    apercu = deposer(bureau, contenu)
    lu = apercu.context["apercu"]
    assert (lu.nouveaux, lu.modifies, lu.inchanges) == (1, 1, 0)
    assert "Avant → Après" in apercu.content.decode()
    # Rien n'est écrit par l'aperçu.
    connu.refresh_from_db()
    assert (connu.description, Partenaire.objects.count(), Trace.objects.filter(geste=Geste.IMPORT).count()) == (
        "Avant",
        1,
        0,
    )

    suite = appliquer(bureau, apercu, follow=True)
    assert "1 nouveau partenaire, 1 modifié, 0 inchangé" in suite.content.decode().replace("\xa0", " ")
    connu.refresh_from_db()
    assert (connu.description, connu.version) == ("Après", 2)
    assert connu.history.first().history_user == responsable
    neuf = Partenaire.objects.get(nom="Réseau neuf")
    assert (neuf.type, neuf.alias, neuf.slug, neuf.actif) == ("RESEAU_ACHETEURS", "Le réseau\nRéseau", "rn", True)
    trace = Trace.objects.get(geste=Geste.IMPORT)
    assert trace.utilisateur == responsable
    assert trace.details == {"fichier": "partenaires.xlsx", "nouveaux": 1, "modifiés": 1, "inchangés": 0}


@pytest.mark.parametrize("separateur", [";", ",", "\t"])
@pytest.mark.parametrize("encodage", ["utf-8", "utf-8-sig", "cp1252"])
def test_un_csv_se_lit_quels_que_soient_son_separateur_et_son_encodage(bureau, separateur, encodage):
    contenu = tableau_csv(
        ligne("Médiathèque d'œuvres", description="Une, deux ; trois"), separateur=separateur, encodage=encodage
    )
    apercu = deposer(bureau, contenu, "partenaires.csv")
    assert appliquer(bureau, apercu).status_code == 302
    assert Partenaire.objects.get().nom == "Médiathèque d'œuvres"
    assert Partenaire.objects.get().description == "Une, deux ; trois"


def test_un_classeur_ods_se_lit_comme_les_autres(bureau):
    colonnes = [ColonneEcrite(titre) for titre in TITRES]
    contenu = ecrire_ods(ClasseurEcrit("Partenaires", colonnes, [ligne("Réseau libre", sigle="RL")]))
    assert appliquer(bureau, deposer(bureau, contenu, "partenaires.ods")).status_code == 302
    assert Partenaire.objects.get().sigle == "RL"


def test_les_colonnes_viennent_dans_n_importe_quel_ordre_et_sans_souci_d_accents(bureau):
    titres = [titre.upper() for titre in reversed(TITRES)]
    apercu = deposer(bureau, classeur(list(reversed(ligne("Inversé", sigle="INV"))), titres=titres))
    assert appliquer(bureau, apercu).status_code == 302
    assert Partenaire.objects.get().sigle == "INV"


def test_les_lignes_vides_sont_sautees_et_la_numerotation_reste_celle_du_fichier(bureau):
    contenu = classeur(ligne("Premier"), [None] * 8, ["", " ", *[None] * 6], ligne("Second", actif="peut-être"))
    assert list(refus_des_lignes(deposer(bureau, contenu))) == [5]


def test_un_numero_tape_comme_un_nombre_reste_un_texte(bureau):
    importer(bureau, ligne(2024.0, contact=467000000))
    partenaire = Partenaire.objects.get()
    assert (partenaire.nom, partenaire.contact) == ("2024", "467000000")


@pytest.mark.parametrize("ecrit", [*TypeDePartenaire.labels, *TypeDePartenaire.values, "reseau d’acheteurs", ""])
def test_un_type_s_ecrit_par_son_libelle_ou_son_code(bureau, ecrit):
    importer(bureau, ligne("Quelqu'un", type=ecrit))
    assert Partenaire.objects.get().type in TypeDePartenaire.values or ecrit == ""


@pytest.mark.parametrize(("ecrit", "lu"), [("oui", True), ("Non", False), (True, True), (False, False)])
def test_actif_s_ecrit_oui_ou_non(bureau, ecrit, lu):
    importer(bureau, ligne("Quelqu'un", actif=ecrit))
    assert Partenaire.objects.get().actif is lu


# --- Refuser ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fausse", "phrase"),
    [
        (ligne("Faux", type="Mairie"), "Colonne « Type » : « Mairie » n'est pas un type connu"),
        (ligne("Faux", actif="peut-être"), "Colonne « Actif » : « peut-être » ne se lit pas"),
        (ligne("Faux", actif=""), "Colonne « Actif »"),
        (ligne("Faux", site="javascript:alert(1)"), "Colonne « Site internet »"),
        (ligne("", sigle="X"), "Colonne « Nom »"),
        (ligne("x" * 201), "Colonne « Nom »"),
        (ligne("???"), "au moins une lettre"),
    ],
)
def test_une_ligne_fausse_est_refusee_avec_sa_ligne_et_sa_colonne_et_rien_n_est_ecrit(bureau, fausse, phrase):
    fabriques.partenaire("Déjà là")
    refus = refus_des_lignes(deposer(bureau, classeur(ligne("Juste"), fausse, ligne("Juste aussi"))))
    assert list(refus) == [3]
    assert phrase in refus[3]
    assert [partenaire.nom for partenaire in Partenaire.objects.all()] == ["Déjà là"]


def test_appliquer_un_fichier_qui_a_une_ligne_fausse_n_ecrit_aucune_des_autres():
    donnees = lire_fichier("partenaires.xlsx", classeur(ligne("Juste"), ligne("Faux", type="Mairie")))
    assert [refusee.numero for refusee in import_export.importer(donnees, a_blanc=False).erreurs] == [3]
    assert Partenaire.objects.count() == 0


@pytest.mark.parametrize(
    ("titres", "phrase"),
    [
        ([*TITRES, "Couleur"], "1 colonne inconnue : « Couleur »"),
        (TITRES[:-1], "1 colonne manquante : « Actif »"),
        ([*TITRES, "nom"], "1 colonne en double : « Nom »"),
        (["a", "b"], "2 colonnes inconnues"),
    ],
)
@pytest.mark.parametrize("forme", [classeur, tableau_csv])
def test_une_colonne_inconnue_manquante_ou_double_est_dite(bureau, titres, phrase, forme):
    contenu = forme([*ligne("Quelqu'un"), "x"][: len(titres)], titres=titres)
    assert phrase in refus_du_fichier(deposer(bureau, contenu)).replace("\xa0", " ")


def test_une_cellule_remplie_sous_aucun_titre_est_dite(bureau):
    assert "ligne 3" in refus_du_fichier(deposer(bureau, classeur(ligne("Un"), [*ligne("Deux"), "perdue"])))


def _bombe() -> bytes:
    tampon = io.BytesIO()
    with zipfile.ZipFile(tampon, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 30_000_000)
    return tampon.getvalue()


def _ods() -> bytes:
    tampon = io.BytesIO()
    with zipfile.ZipFile(tampon, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    return tampon.getvalue()


@pytest.mark.parametrize(
    ("contenu", "phrase"),
    [
        (lambda: b"", "vide"),
        (lambda: b" \r\n", "vide"),
        (lambda: classeur(ligne("Quelqu'un"))[:-300], "incomplet ou abîmé"),
        (lambda: b"PK\x03\x04du bruit", "incomplet ou abîmé"),
        (lambda: b"\x89PNG\r\n\x1a\n\x00\x00\x00", "ni un classeur"),
        (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".xls"),
        (_ods, ".ods"),
        (_bombe, "démesuré"),
        (lambda: classeur(), "aucun partenaire"),
        (lambda: tableau_csv(ligne("Quelqu'un")) + b'"Coup\xc3\xa9 ici;', "abîmé"),
        (lambda: b"\x81\x8d\x8f" + tableau_csv(ligne("x")), "ni en UTF-8"),
        (lambda: tableau_csv(*[ligne(f"P{n}") for n in range(LIGNES_MAX + 1)]), "1000 lignes au plus"),
        (lambda: classeur(*[ligne(f"P{n}") for n in range(LIGNES_MAX + 1)]), "1000 lignes au plus"),
        (lambda: b"a" * (TAILLE_MAX + 1), "mégaoctet"),
    ],
)
def test_un_fichier_illisible_est_refuse_sur_la_page_et_non_par_une_panne(bureau, contenu, phrase):
    assert phrase in refus_du_fichier(deposer(bureau, contenu()))
    assert Partenaire.objects.count() == 0


def test_un_envoi_sans_fichier_le_dit(bureau):
    reponse = bureau.post(reverse(IMPORT), {})
    assert reponse.status_code == 200
    assert "fichier" in reponse.context["formulaire"].errors


# --- Reconnaître --------------------------------------------------------------------------------


@pytest.fixture
def agence() -> Partenaire:
    return fabriques.partenaire("Agence de la transition", sigle="ADT", alias="Agence verte\nL'Agence")


@pytest.mark.parametrize("ecrit", ["AGENCE DE LA TRANSITION", "adt", "agence verte", "L’agence"])
def test_un_partenaire_est_reconnu_sous_chacun_de_ses_noms_et_garde_le_sien(bureau, agence, ecrit):
    importer(bureau, ligne(ecrit, sigle="ADT", alias=agence.alias, description="Reconnue"))
    agence.refresh_from_db()
    assert agence.description == "Reconnue"
    assert agence.nom in ("Agence de la transition", "AGENCE DE LA TRANSITION")
    assert Partenaire.objects.count() == 1


def test_un_nouveau_nom_se_donne_en_gardant_l_ancien_parmi_les_autres(bureau, agence):
    importer(bureau, ligne("Agence climat", sigle="AC", alias="Agence de la transition"))
    agence.refresh_from_db()
    assert (agence.nom, agence.alias) == ("Agence climat", "Agence de la transition")


def test_deux_lignes_pour_le_meme_partenaire_sont_refusees(bureau, agence):
    refus = refus_des_lignes(deposer(bureau, classeur(ligne("Agence verte"), ligne("Autre"), ligne("ADT"))))
    assert list(refus) == [4]
    assert "comme la ligne 2" in refus[4]
    refus = refus_des_lignes(deposer(bureau, classeur(ligne("Neuf"), ligne("NEUF"))))
    assert "comme la ligne 2" in refus[3]
    assert Partenaire.objects.count() == 1


def test_une_ligne_qui_designe_deux_partenaires_est_refusee(bureau, agence):
    fabriques.partenaire("Autre agence", alias="ADT")
    refus = refus_des_lignes(deposer(bureau, classeur(ligne("ADT"))))
    assert "plusieurs partenaires" in refus[2]
    assert "« Agence de la transition (ADT) »" in refus[2]
    assert "« Autre agence »" in refus[2]


def test_un_sigle_partage_ne_fusionne_pas_deux_organismes(bureau):
    fabriques.partenaire("Chambre de l'Hérault", sigle="CCI")
    refus = refus_des_lignes(deposer(bureau, classeur(ligne("Chambre du Gard", sigle="CCI"))))
    assert "Porte le sigle de « Chambre de l'Hérault (CCI) »" in refus[2]


def test_une_adresse_de_page_deja_prise_n_empeche_pas_l_import(bureau):
    fabriques.partenaire("A.B.", slug="ab")
    importer(bureau, ligne("A-B."), ligne("AB!"))
    assert set(Partenaire.objects.values_list("slug", flat=True)) == {"ab", "a-b", "ab-2"}


# --- À plusieurs, deux fois ---------------------------------------------------------------------


def test_appliquer_deux_fois_le_meme_apercu_n_ecrit_qu_une_fois(bureau, agence):
    apercu = deposer(bureau, classeur(ligne("ADT", sigle="ADT", description="Une fois"), ligne("Neuf")))
    assert appliquer(bureau, apercu).status_code == 302
    second = appliquer(bureau, apercu)
    assert second.status_code == 200
    assert second.context["apercu"].inchanges == 2
    assert agence.history.count() == 2
    assert Partenaire.objects.count() == 2
    assert Trace.objects.filter(geste=Geste.IMPORT).count() == 1


def test_un_partenaire_change_depuis_l_apercu_donne_un_nouvel_apercu(bureau, agence):
    apercu = deposer(bureau, classeur(ligne("ADT", sigle="ADT", description="Du fichier")))
    agence.description = "D'un collègue"
    agence.save()
    suite = appliquer(bureau, apercu)
    assert "D&#x27;un collègue → Du fichier" in suite.content.decode()
    agence.refresh_from_db()
    assert agence.description == "D'un collègue"
    assert appliquer(bureau, suite).status_code == 302
    agence.refresh_from_db()
    assert agence.description == "Du fichier"


@pytest.mark.parametrize("depot", ["", "abc", "W10:1t:x", "\x00"])
def test_un_apercu_forge_ou_perime_est_refuse(bureau, depot):
    reponse = bureau.post(reverse(APPLIQUER), {"depot": depot}, follow=True)
    assert "Cet aperçu a expiré" in reponse.content.decode()
    assert Partenaire.objects.count() == 0


def test_ce_qui_n_a_pas_change_n_est_pas_reecrit(bureau, agence):
    lu = importer(bureau, ligne(agence.nom, sigle="ADT", alias="Agence verte\r\nL'Agence"))
    assert (lu.inchanges, lu.modifies) == (1, 0)
    agence.refresh_from_db()
    assert (agence.version, agence.history.count()) == (1, 1)


# --- Exporter -----------------------------------------------------------------------------------


def exporter(bureau, forme: str, **filtres) -> bytes:
    reponse = bureau.get(reverse("admin:partenaires_partenaire_export", args=[forme]), filtres)
    assert reponse.status_code == 200
    assert reponse["Content-Disposition"].endswith(f'.{forme}"')
    return reponse.content


def rangees(contenu: bytes, forme: str) -> list[list[str]]:
    if forme == "xlsx":
        feuille = openpyxl.load_workbook(io.BytesIO(contenu)).active
        assert all(cellule.data_type != "f" for rangee in feuille for cellule in rangee)
        return [["" if c is None else c for c in rangee] for rangee in feuille.iter_rows(values_only=True)]
    return list(csv.reader(io.StringIO(contenu.decode("utf-8-sig"), newline=""), delimiter=";"))


@pytest.mark.parametrize("forme", ["xlsx", "csv"])
def test_l_export_a_des_titres_francais_et_aucune_formule(bureau, responsable, forme):
    fabriques.partenaire("=1+1", sigle="@x", type="SPL_SEM", contact="+33 4 67", description="-3", actif=False)
    titres, lue = rangees(exporter(bureau, forme), forme)
    assert titres == TITRES
    assert lue == ["'=1+1", "'@x", "", "SPL ou SEM", "", "'-3", "'+33 4 67", "non"]
    trace = Trace.objects.get(geste=Geste.EXPORT)
    assert trace.utilisateur == responsable
    assert trace.details["lignes"] == 1


@pytest.mark.parametrize("forme", ["xlsx", "csv"])
def test_ce_qui_est_exporte_se_reimporte_sans_rien_changer(bureau, forme):
    fabriques.partenaire("=1+1", sigle="@x", type="OPERATEUR_ETAT", contact="+33\r\nligne 2", site="https://x.test")
    fabriques.partenaire("Élan", alias="A\r\nB", actif=False, description='« Guillemets » ; et "autres", 100 %')
    fabriques.partenaire("Elan", slug="elan-2", alias="-moins")
    apercu = deposer(bureau, exporter(bureau, forme), f"partenaires.{forme}")
    assert apercu.context["apercu"].erreurs == []
    assert (apercu.context["apercu"].inchanges, apercu.context["apercu"].modifies) == (3, 0)


def test_l_export_suit_le_filtre_de_la_liste(bureau):
    fabriques.partenaire("Actif")
    fabriques.partenaire("Parti", actif=False)
    lues = rangees(exporter(bureau, "csv", actif__exact="0"), "csv")
    assert [lue[0] for lue in lues[1:]] == ["Parti"]
    adresse = reverse("admin:partenaires_partenaire_export", args=["csv"])
    assert bureau.get(adresse, {"actif__exact": "peut-être"}).status_code in (200, 404)
    assert bureau.get(reverse("admin:partenaires_partenaire_export", args=["pdf"])).status_code == 404


# --- Droits -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "code"),
    [(None, 403), (Role.LECTEUR, 403), (Role.AGENT, 403), (Role.RESPONSABLE, 200), (Role.ADMINISTRATEUR, 200)],
)
def test_qui_importe_et_qui_exporte(role, code):
    bureau = client_de(fabriques.utilisateur(role))
    assert bureau.get(reverse(IMPORT), follow=True).status_code == code
    assert bureau.get(reverse("admin:partenaires_partenaire_export", args=["csv"]), follow=True).status_code == code
    envois = [
        bureau.post(reverse(IMPORT), {}, follow=True),
        bureau.post(reverse(APPLIQUER), {"depot": ""}, follow=True),
    ]
    assert [envoi.status_code for envoi in envois] == [code, code]
    assert Trace.objects.filter(geste__in=[Geste.IMPORT, Geste.EXPORT]).count() == (1 if code == 200 else 0)


def test_la_liste_mene_a_l_import_et_aux_exports(bureau):
    contenu = bureau.get(reverse(LISTE)).content.decode()
    for lien in (reverse(IMPORT), reverse("admin:partenaires_partenaire_export", args=["xlsx"])):
        assert lien in contenu


def test_importer_fait_un_nombre_de_requetes_proportionne_aux_lignes(bureau, django_assert_max_num_queries):
    plan = fabriques.plan()
    for rang in range(30):
        PartenaireDuPlan.objects.create(plan=plan, partenaire=fabriques.partenaire(f"Connu {rang}"))
    contenu = classeur(*[ligne(f"Connu {rang}") for rang in range(30)])
    with django_assert_max_num_queries(100):
        assert deposer(bureau, contenu).context["apercu"].inchanges == 30
