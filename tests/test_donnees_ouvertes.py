"""Les données ouvertes d'un plan publié : ce que les fichiers contiennent, leur forme, ce qui n'y entre jamais."""

import csv
import datetime
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import frictionless
import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from actions.models import Action, Axe, ChangementDeStatut, Plan
from actions.statuts import Priorite, Statut, avancement_impose
from actions.suivi import PartenaireDeLAction, PorteeDeNote, RoleDePartenaire
from comptes.droits import Role
from comptes.models import Collectivite
from indicateurs.listes import Etat, Nature
from indicateurs.models import Indicateur, ValeurAnnuelle
from partenaires.models import Convention, Partenaire
from publication.fichiers import FICHIERS, DonneesDuPlan
from publication.mises_a_jour import SOURCES
from publication.tables import TABLES
from socle.echeances import Echeance, Precision
from tests import fabriques
from tests.decor import plan_garni
from tests.fabriques_bilans import bilan_publie

# Le plan retors s'écrit une fois : tout le fichier va au même ouvrier.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("donnees_ouvertes")]

# Ce qu'un tableur, un lecteur de CSV ou un modèle de données prend volontiers pour autre chose qu'un texte.
TEXTES = (
    "=1+1",
    "+33 4 67 00 00 00",
    "-2",
    "@SOMME(A1:A9)",
    "  deux espaces devant, un derrière ",
    'Guillemets "droits", « français », virgule ; point-virgule',
    "Deux\r\nlignes\net\rdes retours\n\n",
    "Émoji 🌱 👩‍🌾, ligature œ",
    "Insécables\u00a0: 20\u202f%\u00a0!",
    '"',
    '""',
    ",",
    ",,\r\n,,",
    "null",
    "NaN",
    "true",
    "0001",
    "1e5",
    "2023-12-31",
    "#N/A",
    "\ttabulation",
    "\ufeffmarque d'ordre",
    "a\u2028b",
    "'apostrophe",
    "\\n \\",
    "<script>alert(1)</script>",
)


# --- Les plans d'essai ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Publies:
    """Ce que le site sert d'un plan, et ce que la base en dit. Le plan, lui, n'est plus dans la base."""

    fichiers: dict[str, bytes]
    actions: list[Action]
    valeurs: list[ValeurAnnuelle]
    requetes: dict[str, int]

    def lire(self, nom: str) -> list[dict[str, str]]:
        return lire_le_csv(self.fichiers[nom])

    def ecrire(self, dossier: Path) -> Path:
        """Tous les fichiers dans ce dossier ; rend le chemin du descripteur."""
        for nom, octets in self.fichiers.items():
            (dossier / (nom or "index.html")).write_bytes(octets)
        return dossier / "datapackage.json"


def publies(preparer: Callable[[], Plan]) -> Publies:
    """Prépare un plan, lit tout ce que le site en sert, et défait tout."""
    with transaction.atomic():
        plan = preparer()
        requetes = {}
        for nom, table in TABLES.items():
            with CaptureQueriesContext(connection) as faites:
                list(table.lignes(plan))
            requetes[nom] = len(faites)
        lus = Publies(
            fichiers={nom: telecharger(plan, nom) for nom in ("", *FICHIERS)},
            actions=list(plan.actions.select_related("axe").order_by("numero")),
            valeurs=list(ValeurAnnuelle.objects.filter(etat=Etat.VALIDEE).select_related("indicateur")),
            requetes=requetes,
        )
        transaction.set_rollback(True)
    return lus


@pytest.fixture(scope="module")
def retors(django_db_setup, django_db_blocker) -> Publies:
    with django_db_blocker.unblock():
        return publies(plan_retors)


def plan_retors() -> Plan:
    """Un plan publié dont chaque texte est un piège, avec vingt années de valeurs, des décimales, des cases vides."""
    Collectivite.objects.create(nom="Agglomération d'essai")
    plan = fabriques.plan(intitule='Plan "retors", =1+1', slug="Plan_Retors", affiche_avancement=True, publie=True)
    axe = Axe.objects.create(plan=plan, code="-1", intitule="=AXE()")
    partenaires = Partenaire.objects.bulk_create(
        Partenaire(nom=f"{texte} {rang}", slug=f"partenaire-{rang}", sigle=texte[:30])
        for rang, texte in enumerate(TEXTES)
    )
    for rang, texte in enumerate(TEXTES):
        fabriques.action(
            plan,
            intitule=texte,
            description=TEXTES[-rang],
            axe=axe if rang % 2 else None,
            statut=list(Statut)[rang % 3],
            partenaires=partenaires[rang : rang + 2],
        )
    _vingt_annees(plan)
    return plan


def _vingt_annees(plan: Plan) -> None:
    base = fabriques.indicateur(plan, code="base", intitule=TEXTES[5], unite='"€"', nature=Nature.MONTANT)
    part = fabriques.indicateur(
        plan, code="part", nature=Nature.PART, unite="%", denominateur=base, definition=TEXTES[6], source=TEXTES[0]
    )
    autre = fabriques.indicateur(plan, code="autre", nature=Nature.PART, unite="%")
    champs = {"etat": Etat.VALIDEE, "connue_le": fabriques.FIN_2023}
    ValeurAnnuelle.objects.bulk_create(
        valeur
        for annee in range(2004, 2024)
        for valeur in (
            ValeurAnnuelle(indicateur=base, annee=annee, valeur=_montant(annee), **champs),
            ValeurAnnuelle(
                indicateur=part,
                annee=annee,
                numerateur=Decimal("1.1"),
                remarque=TEXTES[annee % len(TEXTES)],
                **champs,
            ),
        )
    )
    valider(autre, 2022, indisponible=True, motif_indisponibilite=TEXTES[5])
    valider(autre, 2023, numerateur=1, denominateur=3)
    fabriques.valeur(autre, 2021, valeur=99)


def _montant(annee: int) -> Decimal:
    # SQLite garde quinze chiffres.
    return Decimal("123456789.123456") if annee == 2004 else Decimal(annee) / 8


def valider(de: Indicateur, annee: int, **champs) -> ValeurAnnuelle:
    return fabriques.valeur(de, annee, etat=Etat.VALIDEE, **champs)


def publier(plan: Plan) -> Plan:
    plan.publie = True
    plan.save()
    return plan


def page_publiee() -> Plan:
    call_command("charger_plan", verbosity=0)
    return publier(Plan.objects.get())


# --- Les lire -------------------------------------------------------------------------------------


def telecharger(plan: Plan, nom: str) -> bytes:
    reponse = Client().get(f"/public/{plan.slug}/donnees/{nom}")
    assert reponse.status_code == 200, nom
    return reponse.content


def lire_le_csv(octets: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(octets.decode(), newline=""), strict=True))


def valider_le_paquet(descripteur: Path) -> frictionless.Report:
    return frictionless.Package(str(descripteur)).validate()


def titres(rapport: frictionless.Report) -> set[str]:
    return {titre for (titre,) in rapport.flatten(["title"])}


# --- Le paquet Frictionless -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "preparer",
    [page_publiee, lambda: publier(plan_garni(30, annees=20).plan), lambda: fabriques.plan(publie=True)],
    ids=["page_publiee", "plan_garni", "plan_vide"],
)
def test_le_paquet_de_chaque_plan_est_valide_sans_avertissement(tmp_path, preparer: Callable[[], Plan]):
    rapport = valider_le_paquet(publies(preparer).ecrire(tmp_path))
    assert rapport.flatten(["title", "message"]) == []
    assert (rapport.valid, rapport.stats["warnings"]) == (True, 0)
    assert len(rapport.tasks) == len(TABLES) + 1


def test_le_paquet_d_un_plan_retors_est_valide_et_frictionless_y_lit_les_textes_tels_quels(tmp_path, retors):
    paquet = frictionless.Package(str(retors.ecrire(tmp_path)))
    rapport = paquet.validate()
    assert rapport.flatten(["title", "message"]) == []
    assert (rapport.valid, rapport.stats["warnings"]) == (True, 0)
    lues = paquet.get_resource("actions").read_rows()
    assert [ligne["intitule"] for ligne in lues] == list(TEXTES)


def test_l_archive_est_un_paquet_valide_a_elle_seule(tmp_path, retors):
    with zipfile.ZipFile(io.BytesIO(retors.fichiers["donnees.zip"])) as archive:
        archive.extractall(tmp_path)
    assert valider_le_paquet(tmp_path / "datapackage.json").valid
    assert {chemin.name for chemin in tmp_path.iterdir()} == {
        "datapackage.json",
        *(nom for nom in FICHIERS if nom.endswith(".csv")),
    }


@pytest.mark.parametrize(
    ("fichier", "avant", "apres", "erreur"),
    [
        ("actions.csv", b",EN_COURS,", b",EN_SOMMEIL,", "Constraint Error"),
        ("actions_partenaires.csv", b"action_id", b"action", "Incorrect Label"),
        ("valeurs.csv", b",2004,", b",deux mille,", "Type Error"),
        ("valeurs.csv", b",2005,", b",2004,", "PrimaryKey Error"),
        ("partenaires.csv", b",false\r\n", b",false,de trop\r\n", "Extra Cell"),
    ],
)
def test_un_fichier_abime_ne_passe_plus(tmp_path, retors, fichier, avant, apres, erreur):
    descripteur = retors.ecrire(tmp_path)
    (tmp_path / fichier).write_bytes((tmp_path / fichier).read_bytes().replace(avant, apres, 1))
    assert erreur in titres(valider_le_paquet(descripteur))


def test_une_ligne_effacee_rompt_les_liens_du_paquet(tmp_path, retors):
    descripteur = retors.ecrire(tmp_path)
    lignes = (tmp_path / "indicateurs.csv").read_bytes().splitlines(keepends=True)
    (tmp_path / "indicateurs.csv").write_bytes(lignes[0])
    assert "ForeignKey Error" in titres(valider_le_paquet(descripteur))


def test_le_descripteur_dit_la_licence_la_source_et_la_date(retors):
    descripteur = json.loads(retors.fichiers["datapackage.json"])
    assert descripteur["profile"] == "tabular-data-package"
    assert descripteur["name"] == "plan_retors"
    assert descripteur["licenses"][0]["name"] == "etalab-2.0"
    assert descripteur["contributors"] == [{"title": "Agglomération d'essai", "role": "publisher"}]
    assert descripteur["homepage"].endswith("/public/Plan_Retors/donnees/")
    creation = datetime.datetime.fromisoformat(descripteur["created"])
    assert datetime.timedelta(0) <= timezone.now() - creation < datetime.timedelta(minutes=10)


def test_des_donnees_inventees_le_disent_dans_le_paquet():
    Collectivite.objects.create(nom="Agglomération fictive", donnees_synthetiques=True)
    descripteur = json.loads(telecharger(fabriques.plan(publie=True), "datapackage.json"))
    assert descripteur["description"].startswith("Données synthétiques")


def test_une_autre_licence_se_dit_partout(settings):
    settings.LICENCE_DES_DONNEES = "ODbL-1.0"
    plan = fabriques.plan(publie=True)
    assert json.loads(telecharger(plan, "datapackage.json"))["licenses"][0]["name"] == "ODbL-1.0"
    assert "Open Database License 1.0" in telecharger(plan, "").decode()


# --- Aller et retour ------------------------------------------------------------------------------


def test_les_csv_sont_en_rfc_4180(retors):
    octets = retors.fichiers["actions.csv"]
    assert not octets.startswith(b"\xef\xbb\xbf")
    assert octets.startswith(b"plan,id,numero,intitule,")
    assert octets.endswith(b"\r\n")
    assert b'"Guillemets ""droits""' in octets


def test_une_action_se_relit_telle_que_la_base_la_dit(retors):
    lues = retors.lire("actions.csv")
    assert [ligne["intitule"] for ligne in lues] == list(TEXTES)
    assert lues == [
        {
            "plan": "Plan_Retors",
            "id": str(action.pk),
            "numero": str(action.numero),
            "intitule": action.intitule,
            "description": action.description,
            "axe_code": action.axe.code if action.axe else "",
            "axe": action.axe.intitule if action.axe else "",
            "statut": action.statut,
            "statut_depuis": "2023-12-31",
            "avancement": "" if action.avancement is None else str(action.avancement),
        }
        for action in retors.actions
    ]


def test_une_valeur_se_relit_telle_que_la_base_la_dit(retors):
    lues = {(ligne["indicateur"], ligne["annee"]): ligne for ligne in retors.lire("valeurs.csv")}
    assert len(lues) == len(retors.valeurs) == 42
    for valeur in retors.valeurs:
        ligne = lues[valeur.indicateur.code, str(valeur.annee)]
        assert (ligne["remarque"], ligne["motif_indisponibilite"]) == (valeur.remarque, valeur.motif_indisponibilite)
        assert ligne["indicateur_id"] == str(valeur.indicateur_id)
        if valeur.numerateur is None and not valeur.indisponible:
            assert Decimal(ligne["valeur"]) == valeur.valeur
    assert lues["base", "2004"]["valeur"] == "123456789.123456"
    assert lues["base", "2016"]["valeur"] == "252"
    assert lues["autre", "2023"]["valeur"] == "33.333333"
    assert (lues["autre", "2022"]["valeur"], lues["autre", "2022"]["indisponible"]) == ("", "true")


def test_une_part_deduite_donne_ses_deux_nombres(retors):
    ligne = next(
        ligne for ligne in retors.lire("valeurs.csv") if (ligne["indicateur"], ligne["annee"]) == ("part", "2016")
    )
    # 100 x 1,1 / 252
    assert (ligne["valeur"], ligne["numerateur"], ligne["denominateur"]) == ("0.436508", "1.1", "252")


@pytest.mark.parametrize("nom", TABLES)
def test_le_json_dit_la_meme_chose_que_le_csv(retors, nom):
    objets = json.loads(retors.fichiers[f"{nom}.json"], parse_float=Decimal)
    lignes = retors.lire(f"{nom}.csv")
    assert [{cle: en_texte(valeur) for cle, valeur in objet.items()} for objet in objets] == lignes
    assert len(lignes) > 1


def en_texte(valeur: object) -> str:
    match valeur:
        case None:
            return ""
        case bool():
            return str(valeur).lower()
    return str(valeur)


def test_le_dictionnaire_decrit_chaque_colonne_de_chaque_fichier(retors):
    decrites: dict[str, list[str]] = {}
    for ligne in retors.lire("dictionnaire.csv"):
        assert ligne["titre"]
        assert ligne["description"]
        decrites.setdefault(ligne["fichier"], []).append(ligne["colonne"])
    assert decrites == {f"{nom}.csv": list(retors.lire(f"{nom}.csv")[0]) for nom in TABLES}


def _inscrire(action: Action, statut: str, le: datetime.date) -> ChangementDeStatut:
    return ChangementDeStatut.ecrire(action, statut=statut, avancement=avancement_impose(statut), date_effet=le)


def test_les_statuts_d_une_action_se_suivent_sans_ce_qui_a_ete_corrige():
    plan = fabriques.plan(publie=True)
    auteur = fabriques.utilisateur(Role.RESPONSABLE)
    action = fabriques.action(plan, date_effet=datetime.date(2022, 1, 1))
    premiere = _inscrire(action, "TERMINEE", datetime.date(2023, 5, 1))
    premiere.corriger(statut="EN_COURS", date_effet=datetime.date(2023, 6, 1), auteur=auteur)
    _inscrire(action, "NON_INITIEE", datetime.date(2024, 2, 1))
    _inscrire(action, "TERMINEE", datetime.date(2024, 2, 1))
    assert [(ligne["date_effet"], ligne["statut"]) for ligne in lire_le_csv(telecharger(plan, "statuts.csv"))] == [
        ("2022-01-01", "NON_INITIEE"),
        ("2023-06-01", "EN_COURS"),
        ("2024-02-01", "TERMINEE"),
    ]
    assert lire_le_csv(telecharger(plan, "actions.csv"))[0]["statut_depuis"] == "2024-02-01"


@pytest.mark.parametrize(
    ("affiche", "lignes"),
    [
        (False, [("2022-01-01", ""), ("2024-01-01", "")]),
        (True, [("2022-01-01", "0"), ("2024-01-01", "40"), ("2024-02-01", "60")]),
    ],
)
def test_un_avancement_qui_bouge_ne_se_voit_que_si_le_plan_l_affiche(affiche, lignes):
    plan = fabriques.plan(affiche_avancement=affiche, publie=True)
    action = fabriques.action(plan, date_effet=datetime.date(2022, 1, 1))
    for avancement, mois in ((40, 1), (60, 2)):
        jour = datetime.date(2024, mois, 1)
        ChangementDeStatut.ecrire(action, statut="EN_COURS", avancement=avancement, date_effet=jour)
    lues = lire_le_csv(telecharger(plan, "statuts.csv"))
    assert [(ligne["date_effet"], ligne["avancement"]) for ligne in lues] == lignes
    assert lire_le_csv(telecharger(plan, "actions.csv"))[0]["statut_depuis"] == "2024-01-01"


# --- Ce qui n'est pas public ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def marque(django_db_setup, django_db_blocker) -> Publies:
    with django_db_blocker.unblock():
        return publies(plan_marque)


def plan_marque() -> Plan:
    """Un plan publié, où chaque champ qui n'est pas public porte un texte en « MARQUE »."""
    pilote = fabriques.utilisateur(Role.AGENT, prenom="MARQUEprenom", nom="MARQUEnom")
    plan = fabriques.plan(slug="marque", publie=True)
    partenaire = fabriques.partenaire(
        "Connu", alias="MARQUEalias", contact="MARQUEcontact", description="MARQUEpresentation"
    )
    cache_ = fabriques.partenaire("MARQUEpartenaire")
    Convention.objects.create(partenaire=partenaire, intitule="MARQUEconvention")
    action = fabriques.action(
        plan,
        intitule="Visible",
        pilote=pilote,
        service_pilote=fabriques.service("MARQUEservice"),
        elu_referent="MARQUEelu",
        priorite=Priorite.HAUTE,
        budget_previsionnel=987654,
        attention_nature="AUTRE",
        attention="MARQUEattention",
        auteur=pilote,
        commentaire="MARQUEjournal",
        echeance=Echeance(datetime.date(2021, 7, 14), Precision.JOUR),
    )
    PartenaireDeLAction.objects.create(action=action, partenaire=partenaire, role=RoleDePartenaire.FINANCEUR)
    action.noter("MARQUEnote", auteur=pilote, le=datetime.date(2024, 1, 1))
    action.noter("MARQUEnotedubilan", auteur=pilote, le=datetime.date(2024, 1, 1), portee=PorteeDeNote.BILAN)
    invisible = fabriques.action(plan, intitule="MARQUEinvisible", visible_du_public=False, partenaires=[cache_])
    invisible.axe = Axe.objects.create(plan=plan, intitule="MARQUEaxe")
    invisible.save()
    retiree = fabriques.action(plan, intitule="MARQUEretiree", partenaires=[cache_])
    retiree.retirer(auteur=pilote, version=retiree.version, motif="MARQUEmotif", date_effet=datetime.date(2024, 1, 1))
    ailleurs = fabriques.indicateur(fabriques.plan(), code="marque-ailleurs", intitule="MARQUEailleurs")
    valider(ailleurs, 2023, valeur=4)
    part = fabriques.indicateur(
        plan, code="part", nature=Nature.PART, denominateur=ailleurs, service=action.service_pilote
    )
    valider(part, 2023, numerateur=1)
    fabriques.valeur(part, 2022, numerateur=1, denominateur=4, remarque="MARQUEprovisoire")
    return plan


@pytest.mark.parametrize("nom", ["", *FICHIERS])
def test_rien_de_ce_qui_n_est_pas_public_n_est_dans_un_fichier(marque, nom):
    octets = marque.fichiers[nom]
    if nom.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            octets = b"".join(archive.read(entree) for entree in archive.namelist())
    for secret in (b"MARQUE", b"marque-ailleurs", b"987654", b"2021-07-14", b"HAUTE", b"FINANCEUR"):
        assert secret not in octets


def test_un_denominateur_hors_du_plan_n_est_pas_nomme(marque):
    (indicateur,) = marque.lire("indicateurs.csv")
    assert indicateur["denominateur_id"] == ""
    (valeur,) = marque.lire("valeurs.csv")
    assert (valeur["annee"], valeur["denominateur"], valeur["valeur"]) == ("2023", "4", "25")


@pytest.mark.parametrize(("affiche", "lu"), [(True, "40"), (False, "")])
def test_l_avancement_ne_sort_que_si_le_plan_l_affiche(affiche, lu):
    plan = fabriques.plan(affiche_avancement=affiche, publie=True)
    fabriques.action(plan, statut=Statut.EN_COURS, avancement=40)
    for nom in ("actions.csv", "statuts.csv"):
        assert lire_le_csv(telecharger(plan, nom))[0]["avancement"] == lu


@pytest.mark.parametrize("nom", ["", *FICHIERS])
def test_un_plan_qui_n_est_pas_publie_n_a_pas_de_donnees(nom):
    plan = fabriques.plan()
    assert Client().get(f"/public/{plan.slug}/donnees/{nom}").status_code == 404
    publier(plan)
    assert Client().get(f"/public/{plan.slug}/donnees/{nom}").status_code == 200


@pytest.mark.parametrize("nom", ["convention.csv", "notes.json", "actions.xlsx"])
def test_un_fichier_qui_n_existe_pas_repond_404(nom):
    plan = fabriques.plan(publie=True)
    assert Client().get(f"/public/{plan.slug}/donnees/{nom}", follow=True).status_code == 404


# --- Comment un fichier se sert -------------------------------------------------------------------


@pytest.mark.parametrize("nom", ["", *FICHIERS])
def test_un_fichier_se_garde_en_cache_et_ne_pose_aucun_cookie(nom):
    client = Client()
    adresse = f"/public/{fabriques.plan(publie=True).slug}/donnees/{nom}"
    premiere = client.get(adresse)
    assert not premiere.cookies
    assert "public" in premiere["Cache-Control"]
    assert client.get(adresse, headers={"If-None-Match": premiere["ETag"]}).status_code == 304
    assert client.get(adresse).content == premiere.content
    assert client.post(adresse).status_code == 405


def test_un_fichier_voyage_compresse_et_dit_ce_qu_il_est():
    plan = fabriques.plan(slug="marque", publie=True)
    reponse = Client().get("/public/marque/donnees/dictionnaire.csv", headers={"Accept-Encoding": "gzip"})
    assert reponse["Content-Encoding"] == "gzip"
    assert gzip.decompress(reponse.content) == telecharger(plan, "dictionnaire.csv")
    assert reponse["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert 'filename="marque-dictionnaire.csv"' in reponse["Content-Disposition"]


def test_une_table_se_lit_en_une_requete(retors):
    # Les actions viennent avec leurs partenaires.
    assert retors.requetes == dict.fromkeys(TABLES, 1) | {"actions": 2}


# --- La page --------------------------------------------------------------------------------------


def test_la_page_donne_chaque_fichier_sa_taille_ses_lignes_sa_licence(retors):
    page = retors.fichiers[""].decode()
    for nom in FICHIERS:
        assert f'href="/public/Plan_Retors/donnees/{nom}"' in page
    assert f"{len(TEXTES)}\u00a0lignes" in page
    assert "Licence Ouverte 2.0" in page
    assert f"{timezone.localdate():%d/%m/%Y}" in page
    assert len(page.encode()) < 60_000


def test_la_page_conduit_au_contenu_des_bilans_publies():
    plan = fabriques.plan(slug="acheter", publie=True)
    fabriques.action(plan)
    bilan = bilan_publie(plan, 2023)
    page = telecharger(plan, "").decode()
    assert "/public/acheter/bilans/2023/bilan.json" in page
    assert bilan.version_publiee.empreinte_publique in page


def test_chaque_table_dit_de_quoi_sa_date_depend():
    assert set(SOURCES) == set(TABLES)


def test_la_date_d_une_table_ne_suit_que_ce_qui_y_est_public():
    plan = plan_marque()
    avant = DonneesDuPlan(plan).mises_a_jour
    Action.objects.get(intitule="MARQUEinvisible").save()
    Indicateur.objects.get(code="marque-ailleurs").save()
    Partenaire.objects.get(nom="MARQUEpartenaire").save()
    assert DonneesDuPlan(plan).mises_a_jour == avant
    Action.objects.get(intitule="Visible").save()
    apres = DonneesDuPlan(plan).mises_a_jour
    assert apres["actions"] > avant["actions"]
    assert apres["valeurs"] == avant["valeurs"]


def test_cacher_une_action_change_la_date_des_actions():
    plan = plan_marque()
    avant = DonneesDuPlan(plan).mises_a_jour
    action = Action.objects.get(intitule="Visible")
    action.visible_du_public = False
    action.save()
    assert DonneesDuPlan(plan).mises_a_jour["actions"] > avant["actions"]


def test_la_date_des_valeurs_suit_le_denominateur_d_une_part_et_le_code_de_son_indicateur():
    plan = fabriques.plan(publie=True)
    base = fabriques.indicateur(fabriques.plan(), code="base")
    diviseur = fabriques.valeur(base, 2023, valeur=4)
    part = fabriques.indicateur(plan, code="part", nature=Nature.PART, unite="%", denominateur=base)
    valider(part, 2023, numerateur=1)
    dates = [DonneesDuPlan(plan).mises_a_jour["valeurs"]]
    diviseur.valeur = 8
    diviseur.enregistrer(motif="Recompté")
    dates.append(DonneesDuPlan(plan).mises_a_jour["valeurs"])
    part.code = "part-renommee"
    part.save()
    dates.append(DonneesDuPlan(plan).mises_a_jour["valeurs"])
    assert dates == sorted(set(dates))
