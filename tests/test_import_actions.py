"""Importer un classeur d'actions : ce qui s'y lit, ce qui est refusé, et pourquoi."""

import datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from actions.classeur.imports import lire_le_tableau
from actions.models import Action, Axe, DepotDeClasseur
from actions.statuts import PointAttention, Priorite, Statut
from actions.suivi import RoleDePartenaire
from comptes.droits import Role
from comptes.gestes import Geste, Lot, Trace
from socle.echeances import Echeance
from tests import fabriques
from tests.classeurs import deposer, en_csv, xlsx
from tests.fichiers import EXE, avec
from tests.visites import client_de, photo

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan():
    return fabriques.plan(intitule="Plan d'essai")


@pytest.fixture
def responsable():
    return fabriques.utilisateur(Role.RESPONSABLE, prenom="Rose", nom="Ponsable")


@pytest.fixture
def client(responsable):
    return client_de(responsable)


def lu(client, plan, lignes) -> dict:
    """L'essai de ces lignes : ce que le dépôt en garde."""
    reponse = deposer(client, plan, xlsx(lignes))
    assert reponse.status_code == 302, reponse.content.decode()
    return DepotDeClasseur.objects.latest("pk").apercu


def enregistrer(client, **choix):
    """Enregistre le dernier dépôt, tel que sa page le propose."""
    depot = DepotDeClasseur.objects.latest("pk")
    envoi = {"empreinte": depot.apercu["empreinte"], **choix}
    reponse = client.post(f"/actions/import/{depot.pk}/enregistrer/", envoi)
    depot.refresh_from_db()
    return reponse, depot


def refus_de(apercu) -> dict[int, list]:
    return {ligne["numero"]: ligne["refus"] for ligne in apercu["lignes"] if ligne["sort"] == "refusee"}


# --- Ce qui se lit ------------------------------------------------------------------------------


def test_un_classeur_etranger_change_et_cree_avec_chaque_sorte_de_cellule(client, plan, responsable):
    axe = Axe.objects.create(plan=plan, code="A1", intitule="Acheter mieux")
    service = fabriques.service("Voirie")
    pilote = fabriques.utilisateur(Role.AGENT, prenom="Émilie", nom="Noël")
    reseau = fabriques.partenaire("Réseau des acheteurs", sigle="RDA")
    ancienne = fabriques.action(plan, intitule="Former les acheteurs")
    lignes = [
        ["Suivi du plan au 12 mars"],
        [],
        [
            *("Libelle", "AXE", "Etat", "Taux d'avancement", "Echeance", "service", "Pilote", "Priorite"),
            *("Partenaires", "References", "Date de debut", "Budget prévu", "Nature du point d'attention"),
            *("Point d'attention (texte)", "Public"),
        ],
        [
            *("former  LES acheteurs", "a1", "EN_COURS", "40 %", "T2 2027", "VOIRIE", "noel emilie", "Haute"),
            *("rda (porteur)", "PCAET : 4.2", datetime.date(2025, 3, 1), "1 234,50 €", "arbitrage", "À décider."),
            "non",
        ],
        ["Acheter local", None, "Non initiée", None, 2028, None, None, None, None, None, "01/02/2025", 1000],
    ]
    apercu = lu(client, plan, lignes)
    assert apercu["comptes"] == {"refusee": 0, "conflit": 0, "changee": 1, "creee": 1, "inchangee": 0}
    reponse, depot = enregistrer(client)
    assert (reponse.status_code, depot.etat, depot.contenu) == (302, "APPLIQUE", None)
    action = Action.objects.get(pk=ancienne.pk)
    assert (action.intitule, action.axe, action.service_pilote, action.pilote) == (
        "former  LES acheteurs",
        axe,
        service,
        pilote,
    )
    assert (action.statut, action.avancement, action.valeur_echeance) == (
        Statut.EN_COURS,
        40,
        Echeance.lire("T2 2027"),
    )
    assert (action.priorite, action.date_debut, action.budget_previsionnel, action.visible_du_public) == (
        Priorite.HAUTE,
        datetime.date(2025, 3, 1),
        Decimal("1234.50"),
        False,
    )
    assert (action.attention_nature, action.attention) == (PointAttention.ARBITRAGE, "À décider.")
    assert [(p.partenaire, p.role) for p in action.participations.all()] == [(reseau, RoleDePartenaire.PORTEUR)]
    assert [(r.cadre, r.code) for r in action.references.all()] == [("PCAET", "4.2")]
    nouvelle = Action.objects.get(intitule="Acheter local")
    assert (nouvelle.numero, nouvelle.statut, nouvelle.valeur_echeance) == (2, "NON_INITIEE", Echeance.lire("2028"))
    assert depot.lot.lignes.filter(champ="creation", id_objet=nouvelle.pk).exists()
    assert Trace.objects.get(geste=Geste.IMPORT).details["lot"] == depot.lot.pk
    assert action.changementdestatuts.latest("pk").auteur == responsable


def test_dans_un_classeur_etranger_une_cellule_vide_ne_change_rien(client, plan):
    fabriques.action(plan, intitule="Former", priorite=Priorite.HAUTE, echeance=Echeance.lire("2027"))
    apercu = lu(client, plan, [["N°", "Action", "Priorité", "Échéance", "Pilote"], [1, None, None, "", " "]])
    assert apercu["comptes"]["inchangee"] == 1


@pytest.mark.parametrize(
    ("titre", "valeur", "dit"),
    [
        ("Statut", "Presque finie", "n'est pas un statut"),
        ("Statut", 3, "n'est pas un statut"),
        ("Échéance", "bientôt", "n'est pas une échéance"),
        ("Échéance", True, "n'est pas une échéance"),
        ("Échéance", 45000, "n'est pas une échéance"),
        ("Partenaires", "Réseau des acheteur", "Réseau des acheteurs"),
        ("Partenaires", "Réseau des acheteurs (chef)", "n'est ni le nom"),
        ("Partenaires", "Parti", "désactivé"),
        ("Pilote", "Quelqu'un", "n'est ni le nom"),
        ("Service pilote", "Voiries", "Voirie"),
        ("Axe", "Autre axe", "n'est pas un axe de ce plan"),
        ("Budget prévisionnel", "beaucoup", "n'est pas un nombre"),
        ("Budget prévisionnel", -5, "supérieure ou égale à 0"),
        ("Budget prévisionnel", "0,125", "2 chiffres après la virgule"),
        ("Début", "31/02/2026", "n'a que 28 jours"),
        ("Début", 12, "n'est pas une date"),
        ("Avancement (%)", 120, "de 1 à 99"),
        ("Avancement (%)", 0.4, "de 0 à 100"),
        ("Visible du public", "peut-être", "oui"),
        ("Action", datetime.date(2026, 1, 1), "texte est attendu"),
        ("Action", "x" * 501, "500"),
        ("Point d'attention, en une phrase", "À voir", "une nature et une phrase"),
        ("Autres cadres", ": 4.2", "ne dit pas le cadre"),
        ("Date d'effet du statut", datetime.date(2099, 1, 1), "est à venir"),
    ],
)
def test_ce_qui_ne_se_comprend_pas_est_refuse_avec_sa_ligne_sa_colonne_et_sa_raison(client, plan, titre, valeur, dit):
    fabriques.action(plan, intitule="Former")
    fabriques.partenaire("Réseau des acheteurs")
    fabriques.partenaire("Parti", actif=False)
    fabriques.service("Voirie")
    apercu = lu(client, plan, [["N°", titre], [1, valeur]])
    ((colonne, raison),) = refus_de(apercu)[2]
    assert colonne == titre
    assert dit in raison
    _, depot = enregistrer(client)
    assert (depot.etat, Lot.objects.count()) == ("LU", 0)


def test_deux_lignes_pour_une_action_deux_numeros_et_deux_nouvelles_pareilles_sont_nommees(client, plan):
    fabriques.action(plan, intitule="Former")
    fabriques.action(plan, intitule="Acheter")
    apercu = lu(
        client,
        plan,
        [["N°", "Action"], [1, None], [None, "former"], [7, "Neuve"], ["7", "Autre"], [None, "Même"], [None, "même"]],
    )
    refus = refus_de(apercu)
    assert sorted(refus) == [2, 3, 4, 5, 6, 7]
    assert "la même action que la ligne 3" in refus[2][0][1]
    assert "le même numéro que la ligne 5" in refus[4][0][1]
    assert "le même intitulé que la ligne 7" in refus[6][0][1]


def test_le_numero_d_une_autre_action_ne_se_prend_pas(client, plan):
    premiere = fabriques.action(plan, intitule="Former")
    fabriques.action(plan, intitule="Acheter")
    apercu = lu(client, plan, [["Identifiant", "N°"], [premiere.pk, 2]])
    assert "Acheter" in refus_de(apercu)[2][0][1]


def test_l_identifiant_d_un_autre_plan_est_refuse(client, plan):
    ailleurs = fabriques.action(fabriques.plan(), intitule="Ailleurs")
    apercu = lu(client, plan, [["Identifiant", "Action"], [ailleurs.pk, "Prise"]])
    assert "Aucune action de ce plan" in refus_de(apercu)[2][0][1]


def test_une_colonne_inconnue_est_nommee_et_ne_gene_pas(client, plan):
    apercu = lu(client, plan, [["Action", "Humeur du chef"], ["Former", "bonne"]])
    assert (apercu["ignorees"], apercu["comptes"]["creee"]) == (["Humeur du chef"], 1)
    assert "Humeur du chef" in client.get(DepotDeClasseur.objects.get().get_absolute_url()).content.decode()


def test_une_action_retiree_ne_change_pas_par_un_classeur(client, plan, responsable):
    action = fabriques.action(plan, intitule="Former")
    action.retirer(auteur=responsable, version=action.version, motif="Abandonnée.")
    apercu = lu(client, plan, [["N°", "Priorité"], [1, "Haute"]])
    assert "retirée du plan" in refus_de(apercu)[2][0][1]


def test_une_echeance_deja_fixee_demande_un_motif_dans_la_ligne_ou_sur_la_page(client, plan):
    for rang in range(2):
        fabriques.action(plan, intitule=f"Action {rang}", echeance=Echeance.lire("2026"))
    lignes = [["N°", "Échéance", "Motif du report"], [1, "2027", "Le marché est relancé."], [2, "2028", None]]
    apercu = lu(client, plan, lignes)
    assert apercu["motifs"] == {"changee": 1, "conflit": 0}
    reponse, depot = enregistrer(client)
    assert (depot.etat, "dites pourquoi" in reponse.content.decode()) == ("LU", True)
    reponse, depot = enregistrer(client, motif="Le budget est voté tard.")
    assert depot.etat == "APPLIQUE"
    motifs = [a.reportecheances.latest("pk").motif for a in plan.actions.order_by("numero")]
    assert motifs == ["Le marché est relancé.", "Le budget est voté tard."]


def test_une_date_d_effet_qui_precede_le_journal_est_refusee(client, plan, responsable):
    action = fabriques.action(plan, intitule="Former")
    action.changer_statut("EN_COURS", auteur=responsable, version=action.version, date_effet=datetime.date(2025, 6, 1))
    jour = datetime.date(2025, 5, 1)
    apercu = lu(client, plan, [["N°", "Statut", "Date d'effet"], [1, "Terminée", jour]])
    assert "précède le changement du 01/06/2025" in refus_de(apercu)[2][0][1]
    apercu = lu(client, plan, [["N°", "Statut", "Date d'effet"], [1, "Terminée", datetime.date(2025, 7, 1)]])
    assert apercu["comptes"]["changee"] == 1
    enregistrer(client)
    assert Action.objects.get().changementdestatuts.latest("pk").date_effet == datetime.date(2025, 7, 1)


def test_la_suppleante_n_est_pas_la_pilote(client, plan):
    pilote = fabriques.utilisateur(Role.AGENT, prenom="Émilie", nom="Noël")
    fabriques.action(plan, intitule="Former", pilote=pilote)
    apercu = lu(client, plan, [["N°", "Suppléante"], [1, "Émilie Noël"]])
    assert "à la fois" in refus_de(apercu)[2][0][1]


# --- Ce qui ne se lit pas du tout ---------------------------------------------------------------


def test_un_fichier_refuse_en_entier_le_dit_a_cote_du_champ_et_n_ecrit_rien(client, plan):
    fabriques.action(plan, intitule="Former")
    avant = photo()
    for nom, contenu, dit in [
        ("vide.xlsx", b"", "vide"),
        ("tronque.xlsx", xlsx([["Action"], ["Former"]])[:1500], "incomplet ou abîmé"),
        ("inconnu.csv", en_csv([["Nom", "Prénom"], ["A", "B"]]), "Titres attendus"),
        ("sans.csv", en_csv([["Statut"], ["Terminée"]]), "Il manque une colonne"),
        ("double.csv", en_csv([["Action", "Intitulé"], ["a", "b"]]), "la même chose"),
        ("titres.csv", en_csv([["Action"]]), "que des titres"),
        ("formule.xlsx", xlsx([["Action", "Budget"], ["Former", "=1+1"]]), "formule"),
        (
            "fusion.xlsx",
            xlsx([["Action", "Statut"], ["A", "Terminée"], ["B"]], lambda f: f.merge_cells("B2:B3")),
            "fusionn",
        ),
        ("trop.xlsx", b"PK" + b"0" * 5_300_000, "au plus"),
        ("macros.xlsm", avec(xlsx([["Action"], ["Former"]]), **{"xl/vbaProject.bin": b"Sub()"}), "macros"),
        ("bombe.xlsx", avec(xlsx([["Action"], ["Former"]]), **{"xl/media/image1.png": b"0" * 63_000_000}), "démesuré"),
        ("programme.xlsx", EXE, "un programme"),
    ]:
        reponse = deposer(client, plan, contenu, nom)
        page = reponse.content.decode()
        assert (reponse.status_code, dit in page) == (200, True), (nom, page[page.find("<form") :][:3000])
    assert photo() == avant


def test_un_csv_de_tableur_francais_se_lit(client, plan):
    fabriques.action(plan, intitule="Former")
    contenu = en_csv([["N°", "Priorité", "Échéance"], ["1", "Haute", "31/12/2027"]], codage="cp1252")
    assert deposer(client, plan, contenu, "actions.csv").status_code == 302
    assert DepotDeClasseur.objects.get().apercu["comptes"]["changee"] == 1


def test_cinquante_mille_lignes_vides_ne_comptent_pas(client, plan):
    fabriques.action(plan, intitule="Former")

    def etirer(feuille) -> None:
        for numero in range(3, 50_003):
            feuille.cell(numero, 1).number_format = "0"

    contenu = xlsx([["N°", "Priorité"], [1, "Haute"]], etirer)
    tableau = lire_le_tableau("vides.xlsx", contenu)
    assert [ligne.cellules for ligne in tableau.lignes] == [[1, "Haute"]]
    assert deposer(client, plan, contenu).status_code == 302


def test_la_page_de_la_liste_mene_a_l_import_pour_qui_le_peut(client, plan):
    adresse = reverse("actions:importer")
    assert f'href="{adresse}"' in client.get(reverse("actions:liste")).content.decode()
    agent = client_de(fabriques.utilisateur(Role.AGENT, nom="Agent"))
    assert adresse not in agent.get(reverse("actions:liste")).content.decode()
