"""Chercher : les mêmes résultats, dans le même ordre, sur les deux moteurs ; ce qu'on ne peut lire n'y est pas."""

import json
import re
from html import unescape

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from playwright.sync_api import expect
from simple_history.utils import bulk_update_with_history

from accueil.extraits import extrait, surligner
from accueil.recherche import LONGUEUR_MAX, MONTRES, Groupe, Recherche, chercher
from actions.models import Action, Document, NoteDeSuivi
from comptes.droits import Role
from indicateurs.models import Indicateur
from marches.models import Consultation
from partenaires.models import Partenaire
from socle.recherche import COLONNE, Cherchable, replier
from tests import fabriques
from tests.navigateur import ETROIT, LARGE, cookie_de_session
from tests.visites import client_de, formulaire_de

MODELES = (Action, NoteDeSuivi, Document, Partenaire, Indicateur, Consultation)


@pytest.fixture
def plan(db):
    return fabriques.plan()


def document(action: Action, titre: str, **champs) -> Document:
    nouveau = Document(action=action, titre=titre, lien="https://exemple.fr/", **champs)
    nouveau.save()
    return nouveau


def trouver(demande: str, qui=None) -> Recherche:
    return chercher(demande, qui or AnonymousUser())


def groupe(demande: str, cle: str, qui=None) -> Groupe:
    return next((g for g in trouver(demande, qui).groupes if g.cle == cle), Groupe(cle, "", 0, []))


def titres(demande: str, cle: str = "actions", qui=None) -> list[str]:
    return [unescape(re.sub("</?mark>", "", resultat.titre)) for resultat in groupe(demande, cle, qui).resultats]


# --- Les mots -------------------------------------------------------------------------------------

TROUVE = [
    ("Mettre en œuvre la charte", "oeuvre"),
    ("Mettre en oeuvre la charte", "œuvre"),
    ("ŒUVRE D'ART", "Oeuvre d’art"),
    ("Marchés de l’État", "etat"),
    ("Marchés de l'Etat", "l’état"),
    ("École", "E\u0301cole"),
    ("E\u0301cole", "école"),
    ("Straße", "strasse"),
    ("STRASSE", "straße"),
    ("Vérification des ﬁches", "fiches"),
    ("Réseau RES'OCC", "RES’OCC"),
    ("Réseau RES'OCC", "res occ"),
    ("Réseau RES’OCC", "OCC"),
    ("53 % des marchés", "53"),
    ("Loi n° 2021-1104", "2021 1104"),
    ("Loi n° 2021-1104", "2021-11"),
    ("Clauses sociales", "CLAU soc"),
    ("Clauses sociales", "sociales clauses"),
    ("Clauses\u00a0sociales\u202f!", "clauses sociales"),
    ("Achats éco-responsables", "responsables"),
    ("Achats_durables", "durables"),
    ("ΟΔΟΣ", "οδος"),
]
PAS_TROUVE = [
    ("Clauses sociales", "ciales"),  # le milieu d'un mot
    ("Clauses sociales", "clauses vertes"),
    ("Part de 153 %", "53"),
    ("100 marchés", "1_0"),
    ("100 marchés", "1%0"),
    ("Cent pour cent", "c%t"),
    ("Réseau", "r\\eseau"),
]


@pytest.mark.parametrize(("texte", "demande"), TROUVE)
def test_un_debut_de_mot_suffit_sans_accents_ni_ligatures(plan, texte, demande):
    fabriques.action(plan, intitule=texte)
    fabriques.partenaire(texte, slug="x")
    assert (groupe(demande, "actions").total, groupe(demande, "partenaires").total) == (1, 1)


@pytest.mark.parametrize(("texte", "demande"), PAS_TROUVE)
def test_ni_le_milieu_d_un_mot_ni_un_joker_ne_trouvent(plan, texte, demande):
    fabriques.action(plan, intitule=texte)
    assert groupe(demande, "actions").total == 0


@pytest.mark.parametrize(("texte", "demande"), TROUVE)
def test_le_mot_trouve_est_montre(texte, demande):
    assert "<mark>" in surligner(texte, replier(demande).split())


@pytest.mark.django_db
def test_l_ordre_ne_depend_pas_de_la_langue_de_la_base():
    """Signe par signe sur le texte replié : « l'or » passe avant « lande », ce qu'un tri français inverse."""
    if connection.vendor == "postgresql":
        with connection.cursor() as curseur:
            # Un tri qui passe sur les espaces, comme plus d'une langue système.
            curseur.execute("CREATE COLLATION sans_espaces (provider = icu, locale = 'fr-u-ka-shifted')")
            curseur.execute("ALTER TABLE partenaires_partenaire ALTER recherche TYPE text COLLATE sans_espaces")
    for nom in ("Lande", "l'Or", "Éco", "eau", "l’Orme", "34", "œuf"):
        fabriques.partenaire(f"Réseau {nom}")
    assert titres("réseau", "partenaires") == [
        f"Réseau {nom}" for nom in ("34", "eau", "Éco", "l'Or", "l’Orme", "Lande", "œuf")
    ]


# --- Les numéros ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "demande", ["12", " 12 ", "n° 12", "N°12", "nº 12", "#12", "Action 12", "action n° 12", "１２"]
)
def test_un_numero_met_son_action_en_premier(plan, demande):
    fabriques.action(plan, numero=1, intitule="Douze (12) actions n° 12")
    voulue = fabriques.action(plan, numero=12, intitule="Auditer")
    fabriques.action(plan, numero=120, intitule="Autre")
    assert titres(demande)[0] == str(voulue)
    assert "<mark>12</mark>" in groupe(demande, "actions").resultats[0].titre


@pytest.mark.parametrize("demande", ["0", "123456789", "9" * 30, "12 bis"])
def test_un_nombre_qui_n_est_pas_un_numero_ne_casse_rien(plan, demande):
    fabriques.action(plan, numero=12)
    assert trouver(demande).total == 0


# --- La page --------------------------------------------------------------------------------------

REFUS = {
    "e": "Une lettre ne suffit pas",
    "é": "Une lettre ne suffit pas",
    "%": "ni lettre ni chiffre",
    "_": "ni lettre ni chiffre",
    "«\u00a0!\u00a0»": "ni lettre ni chiffre",
    "\x00": "ni lettre ni chiffre",
    "a" * (LONGUEUR_MAX + 1): f"{LONGUEUR_MAX} signes au plus",
}


@pytest.mark.django_db
@pytest.mark.parametrize(("demande", "phrase"), REFUS.items(), ids=["e", "é", "%", "_", "guillemets", "nul", "long"])
def test_une_demande_qui_ne_dit_rien_recoit_une_phrase(demande, phrase):
    fabriques.action(intitule="Ecole")
    reponse = client_de(fabriques.utilisateur(Role.LECTEUR)).get("/recherche/", {"q": demande})
    assert reponse.status_code == 200
    assert phrase in reponse.content.decode()
    assert reponse.context["recherche"].groupes == []


@pytest.mark.django_db
@pytest.mark.parametrize("demande", ["", "   ", None])
def test_sans_demande_la_page_dit_ce_qu_on_y_cherche(demande):
    reponse = client_de(fabriques.utilisateur(Role.LECTEUR)).get(
        "/recherche/", {} if demande is None else {"q": demande}
    )
    assert reponse.status_code == 200
    assert "On cherche dans les actions" in reponse.content.decode()


def test_rien_trouve_se_dit_et_le_texte_reste_dans_la_boite(plan):
    page = client_de(fabriques.utilisateur(Role.LECTEUR)).get("/recherche/", {"q": "<b>introuvable"}).content.decode()
    assert "Rien ne répond à «&nbsp;&lt;b&gt;introuvable&nbsp;»" in page
    assert 'value="&lt;b&gt;introuvable"' in page


def test_les_cinq_sortes_se_trouvent_chacune_dans_son_groupe(plan):
    action = fabriques.action(plan, intitule="Cartographie des achats")
    action.noter("La cartographie est faite.", auteur=None)
    document(action, "Cartographie 2024")
    fabriques.partenaire("Cartographes associés")
    fabriques.indicateur(plan, intitule="Part cartographiée")
    trouvee = trouver("cartogra")
    assert [(g.cle, g.total) for g in trouvee.groupes] == [
        ("actions", 1),
        ("partenaires", 1),
        ("indicateurs", 1),
        ("notes", 1),
        ("documents", 1),
    ]
    client = client_de(fabriques.utilisateur(Role.LECTEUR))
    for g in trouvee.groupes:
        assert client.get(g.resultats[0].adresse).status_code == 200


def test_dix_se_montrent_et_la_liste_les_a_toutes_les_retirees_comprises(plan):
    for _ in range(MONTRES + 3):
        derniere = fabriques.action(plan, intitule="Former l’acheteur")
    derniere.retirer(auteur=None, version=derniere.version, motif="Faite autrement.")
    client = client_de(fabriques.utilisateur(Role.LECTEUR))
    page = client.get("/recherche/", {"q": "L'acheteur"})
    (trouvees,) = page.context["recherche"].groupes
    assert (trouvees.total, len(trouvees.resultats)) == (MONTRES + 3, MONTRES)
    assert f"Voir les {MONTRES + 3} actions" in page.content.decode()
    assert client.get(trouvees.suite).context["table"].paginator.count == trouvees.total


def test_la_liste_et_la_recherche_trouvent_les_memes(plan):
    for intitule in ("Marchés de l’État", "Œuvre", "Autre"):
        fabriques.action(plan, intitule=intitule)
    client = client_de(fabriques.utilisateur(Role.LECTEUR))
    for demande in ("etat", "ŒUV", "2", "aut", "%"):
        dans_la_liste = client.get("/actions/", {"q": demande}).context["table"].paginator.count
        assert (demande, dans_la_liste) == (demande, groupe(demande, "actions").total)


def test_une_recherche_fait_une_requete_par_sorte(plan):
    for n in range(MONTRES + 2):
        action = fabriques.action(plan, intitule=f"Clause {n}")
        action.noter(f"Clause {n} relue.", auteur=fabriques.utilisateur())
        document(action, f"Clause {n}")
    with CaptureQueriesContext(connection) as requetes:
        assert trouver("clause", AnonymousUser()).total == 3 * (MONTRES + 2)
    assert len(requetes) == len(MODELES)


# --- L'extrait ------------------------------------------------------------------------------------


def test_l_extrait_montre_le_mot_tel_qu_il_est_ecrit(plan):
    texte = "Recenser les achats. " * 20 + "Rédiger la clause d’exécution avec le service. " + "Relire. " * 40
    fabriques.action(plan, intitule="Auditer", description=texte)
    (resultat,) = groupe("EXECUTION", "actions").resultats
    assert "clause d’<mark>exécution</mark> avec" in resultat.extrait
    assert resultat.extrait.startswith("… ")
    assert resultat.extrait.endswith(" …")
    assert len(resultat.extrait) < 300


def test_rien_de_ce_qui_est_ecrit_ne_devient_du_html(plan):
    piege = "<script>alert(1)</script> & <mark>clause</mark> \"'"
    action = fabriques.action(plan, intitule=piege, description=piege)
    action.noter(piege, auteur=None)
    document(action, piege)
    page = client_de(fabriques.utilisateur(Role.LECTEUR)).get("/recherche/", {"q": "clause script"}).content.decode()
    assert "<script>alert" not in page
    assert "&lt;<mark>script</mark>&gt;alert(1)" in page
    assert "&lt;mark&gt;<mark>clause</mark>&lt;/mark&gt;" in page


@pytest.mark.parametrize(
    ("texte", "mots", "voulu"),
    [
        ("Le réseau RES'OCC", ["occ"], "Le réseau RES&#x27;<mark>OCC</mark>"),
        ("Moitié : ½ des lots", ["1"], "Moitié\u00a0: <mark>½</mark> des lots"),
        ("E\u0301cole", ["ecole"], "<mark>École</mark>"),
        ("un deux un", ["un"], "<mark>un</mark> deux <mark>un</mark>"),
        ("rien", ["autre"], "rien"),
    ],
)
def test_surligner(texte, mots, voulu):
    assert surligner(texte, mots) == voulu


def test_un_mot_demesure_ne_casse_pas_l_extrait():
    assert extrait("a" * 1000, ["aaa"]) == f"<mark>{'a' * 1000}</mark>"
    assert extrait("", ["a"]) is None


# --- Ce qu'on a le droit de lire ------------------------------------------------------------------


@pytest.fixture
def documents(plan):
    """Un document réservé et un ouvert, sur l'action de l'agent et sur celle d'un autre ; un autre, retiré."""
    agent = fabriques.utilisateur(Role.AGENT, username="agent")
    sienne = fabriques.action(plan, suppleant=agent)
    autre = fabriques.action(plan, pilote=fabriques.utilisateur(Role.AGENT))
    for nom, action in (("sienne", sienne), ("autre", autre)):
        document(action, f"Convention {nom} ouverte")
        document(action, f"Convention {nom} réservée", restreint=True)
    document(sienne, "Convention retirée", retire_le="2024-01-01T00:00:00Z")
    return {role: agent if role is Role.AGENT else fabriques.utilisateur(role) for role in Role}


def test_un_document_reserve_n_apparait_qu_a_qui_peut_le_lire(documents):
    vus = {role: set(titres("convention", "documents", qui)) for role, qui in documents.items()}
    ouverts = {"Convention sienne ouverte", "Convention autre ouverte"}
    tous = ouverts | {"Convention sienne réservée", "Convention autre réservée"}
    assert vus == {
        Role.LECTEUR: ouverts,
        Role.AGENT: ouverts | {"Convention sienne réservée"},
        Role.RESPONSABLE: tous,
        Role.ADMINISTRATEUR: tous,
    }


def test_la_liste_lisible_est_celle_des_documents_lisibles_un_a_un(documents):
    for qui in documents.values():
        un_a_un = {d.pk for d in Document.objects.all() if d.lisible_par(qui)}
        assert {d.pk for d in Document.objects.lisibles_par(qui)} == un_a_un


def test_une_note_corrigee_ne_se_trouve_plus_celle_qui_la_corrige_oui(plan):
    action = fabriques.action(plan)
    fausse = action.noter("Réunion reportée en mai.", auteur=None)
    NoteDeSuivi.objects.create(action=action, texte="Réunion reportée en juin.", date=fausse.date, annule=fausse)
    (resultat,) = groupe("reportée", "notes").resultats
    assert "juin" in resultat.extrait


def test_le_contact_d_un_partenaire_ne_se_cherche_pas(db):
    fabriques.partenaire("Réseau", contact="Camille Martin, 04 67 00 00 00")
    assert trouver("Camille").total == 0


# --- La colonne suit le texte ---------------------------------------------------------------------


def perimees() -> list[str]:
    """Les lignes dont la colonne ne dit pas le texte."""
    return [
        f"{modele.__name__} {ligne.pk} : {ligne.recherche!r}"
        for modele in MODELES
        for ligne in modele._default_manager.all()
        if ligne.recherche != modele._meta.get_field(COLONNE).actualiser(modele._default_manager.get(pk=ligne.pk))
    ]


def test_tous_les_modeles_cherches_tiennent_leur_colonne():
    assert {m for m in Cherchable.__subclasses__() if not m._meta.abstract} == set(MODELES)


@pytest.fixture
def partenaire(db) -> Partenaire:
    return fabriques.partenaire("Avant")


def _save(partenaire):
    partenaire.nom = "Après"
    partenaire.save()


def _save_update_fields(partenaire):
    partenaire.nom = "Après"
    partenaire.save(update_fields=["nom"])


def _save_d_un_objet_lu_en_partie(partenaire):
    lu = Partenaire.objects.only("nom").get(pk=partenaire.pk)
    lu.nom = "Après"
    lu.save()


def _bulk_update(partenaire):
    partenaire.nom = "Après"
    Partenaire.objects.bulk_update([partenaire], ["nom"])


def _bulk_update_avec_historique(partenaire):
    partenaire.nom = "Après"
    bulk_update_with_history([partenaire], Partenaire, ["nom"])


def _bulk_create(partenaire):
    Partenaire.objects.bulk_create([Partenaire(nom="Après", slug="apres")])


def _administration(partenaire):
    client = client_de(fabriques.utilisateur(Role.RESPONSABLE))
    adresse = reverse("admin:partenaires_partenaire_change", args=[partenaire.pk])
    assert client.post(adresse, formulaire_de(client.get(adresse)) | {"nom": "Après"}).status_code == 302


VOIES = [
    _save,
    _save_update_fields,
    _save_d_un_objet_lu_en_partie,
    _bulk_update,
    _bulk_update_avec_historique,
    _bulk_create,
    _administration,
]


@pytest.mark.parametrize("ecrire", VOIES, ids=lambda voie: voie.__name__.strip("_"))
def test_chaque_voie_d_ecriture_tient_la_colonne_a_jour(partenaire, ecrire):
    ecrire(partenaire)
    assert titres("apres", "partenaires") == ["Après"]
    assert perimees() == []


def test_les_gestes_sur_une_action_tiennent_la_colonne_a_jour(plan):
    action = fabriques.action(plan, intitule="Auditer", description="Recenser")
    action.signaler("ARBITRAGE", "Le budget est à décider.", version=action.version)
    action.noter("Réunion tenue.", auteur=None)
    assert titres("budget decider") == [str(action)]
    assert perimees() == []


def test_un_loaddata_sans_la_colonne_la_remplit(partenaire, tmp_path):
    fichier = tmp_path / "partenaires.json"
    champs = {"nom": "Après", "slug": "apres", "recherche": " perimee"}
    lignes = [
        {"model": "partenaires.partenaire", "pk": 1000 + n, "fields": champs | {"slug": f"a{n}"}} for n in (1, 2)
    ]
    del lignes[0]["fields"]["recherche"]
    lignes[1]["fields"]["nom"] = "Encore"
    fichier.write_text(json.dumps(lignes))
    call_command("loaddata", fichier, verbosity=0)
    assert (titres("apres", "partenaires"), titres("encore", "partenaires")) == (["Après"], ["Encore"])
    assert perimees() == []


@pytest.mark.django_db
def test_le_plan_publie_se_cherche_des_qu_il_est_charge():
    call_command("charger_plan", verbosity=0)
    assert len(titres("resocc") + titres("res'occ")) == 2
    assert perimees() == []


# --- Les index ------------------------------------------------------------------------------------


def plan_d_execution(modele) -> str:
    with connection.cursor() as curseur:
        if connection.vendor == "postgresql":
            curseur.execute("SET LOCAL enable_seqscan = off")
    return modele.objects.correspondant_a("clause").order_by().explain()


@pytest.mark.django_db
@pytest.mark.parametrize("modele", MODELES, ids=lambda modele: modele.__name__)
def test_chercher_ne_lit_la_table_qu_une_fois_et_par_l_index_quand_la_base_en_a_un(modele):
    """PostgreSQL : l'index de trigrammes. SQLite n'en a pas de tel : une seule lecture, rien de plus."""
    execution = plan_d_execution(modele)
    if connection.vendor == "postgresql":
        assert f"Bitmap Index Scan on {modele._meta.db_table}_trigrammes" in execution
    else:
        assert re.findall(r"(SCAN|SEARCH) (\w+)", execution) == [("SCAN", modele._meta.db_table)]


# --- Dans l'en-tête -------------------------------------------------------------------------------


@pytest.mark.django_db
def test_la_boite_de_l_en_tete_est_un_formulaire_ordinaire():
    page = client_de(fabriques.utilisateur(Role.LECTEUR)).get("/actions/").content.decode()
    entete = page.partition("<header")[2].partition("</header>")[0]
    assert '<form class="recherche" method="get" action="/recherche/"' in entete
    assert 'type="search" name="q"' in entete


@pytest.fixture
def ouvrir(groupes_des_roles, ouvrir_une_fenetre):
    def ouvrir(chemin: str, **options):
        fenetre = ouvrir_une_fenetre(**options)
        compte = fabriques.utilisateur(Role.RESPONSABLE)
        fenetre.page.context.add_cookies([cookie_de_session(compte, fenetre.origine)])
        fenetre.page.goto(f"{fenetre.origine}{chemin}")
        return fenetre.page

    return ouvrir


@pytest.mark.navigateur
def test_la_barre_oblique_mene_a_la_boite_sauf_a_qui_ecrit(ouvrir):
    page = ouvrir("/actions/", viewport=LARGE)
    boite = page.get_by_role("searchbox", name="Chercher dans tout le site")
    page.keyboard.press("/")
    expect(boite).to_be_focused()
    expect(boite).to_have_value("")
    page.keyboard.type("1/2")
    expect(boite).to_have_value("1/2")
    page.get_by_text("Filtrer les actions").click()
    champ = page.get_by_label("Texte ou numéro")
    champ.fill("clauses")
    page.keyboard.press("/")
    expect(champ).to_be_focused()
    expect(champ).to_have_value("clauses/")


@pytest.mark.navigateur
def test_au_telephone_la_loupe_mene_a_la_recherche_et_la_barre_oblique_aussi(ouvrir):
    fabriques.action(intitule="Auditer les fournisseurs")
    page = ouvrir("/actions/", viewport=ETROIT)
    expect(page.get_by_role("searchbox", name="Chercher dans tout le site")).to_be_hidden()
    page.keyboard.press("/")
    page.wait_for_url("**/recherche/")
    boite = page.get_by_role("searchbox")
    expect(boite).to_be_focused()
    boite.fill("audit")
    boite.press("Enter")
    expect(page.locator("mark")).to_have_text("Auditer")
    page.get_by_role("link", name="Chercher dans tout le site").click()
    page.wait_for_url("**/recherche/")


@pytest.mark.navigateur
@pytest.mark.parametrize("taille", [ETROIT, LARGE], ids=["375", "1280"])
def test_l_en_tete_garde_sa_hauteur(ouvrir, taille):
    page = ouvrir("/actions/", viewport=taille)
    assert page.locator(".entete").bounding_box()["height"] <= (170 if taille == ETROIT else 85)


@pytest.mark.navigateur
def test_sans_javascript_la_boite_cherche_aussi(ouvrir):
    fabriques.action(intitule="Auditer les fournisseurs")
    page = ouvrir("/actions/", viewport=LARGE, java_script_enabled=False)
    page.get_by_role("searchbox", name="Chercher dans tout le site").fill("audit")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Recherche")
    expect(page.locator("mark")).to_have_text("Auditer")
