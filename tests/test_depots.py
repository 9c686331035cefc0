"""La vie d'un classeur déposé : conflits, essai périmé, double envoi, ouvrier arrêté, droit retiré, abandon."""

import signal
import subprocess
import time

import pytest
from django.urls import reverse
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from actions.classeur.imports import LIGNES_SUR_PLACE
from actions.models import Action, DepotDeClasseur
from comptes.droits import Role
from comptes.gestes import Geste, Lot, Trace
from socle.echeances import Echeance
from tests import fabriques
from tests.classeurs import deposer, en_csv, xlsx
from tests.test_taches import OUVRIER, RACINE, environnement, vider_la_file
from tests.visites import client_de

pytestmark = pytest.mark.django_db

TROP_POUR_LA_PAGE = LIGNES_SUR_PLACE + 1


@pytest.fixture
def plan():
    return fabriques.plan(intitule="Plan d'essai")


@pytest.fixture
def responsable():
    return fabriques.utilisateur(Role.RESPONSABLE, prenom="Rose", nom="Ponsable")


@pytest.fixture
def client(responsable):
    return client_de(responsable)


def depot_de(client, plan, lignes) -> DepotDeClasseur:
    assert deposer(client, plan, xlsx(lignes)).status_code == 302
    return DepotDeClasseur.objects.latest("pk")


def envoyer(client, depot, **choix):
    """L'envoi de la page du dépôt, telle qu'on l'avait sous les yeux ; rend la page qui suit."""
    envoi = {"empreinte": depot.apercu["empreinte"], **choix}
    reponse = client.post(reverse("actions:appliquer_depot", args=[depot.pk]), envoi, follow=True)
    depot.refresh_from_db()
    return reponse.content.decode()


def exportee(action, **cellules) -> list[list]:
    """Une ligne telle que l'export l'écrit, ces cellules changées."""
    return [["Identifiant", "Version", *cellules], [action.pk, action.version, *cellules.values()]]


# --- Conflits -----------------------------------------------------------------------------------


@pytest.fixture
def en_conflit(client, plan, responsable):
    """Une action que le fichier et quelqu'un d'autre, depuis, ont changée chacun à sa façon."""
    action = fabriques.action(plan, intitule="Former", priorite="NORMALE", elu_referent="Mme Durand")
    lignes = exportee(action, **{"Priorité": "Haute", "Élue référente": "Mme Durand"})
    ailleurs = Action.objects.get(pk=action.pk)
    ailleurs.priorite, ailleurs.elu_referent = "BASSE", "M. Martin"
    ailleurs._history_user = fabriques.utilisateur(Role.RESPONSABLE, prenom="Jean", nom="Passé")
    ailleurs.save()
    return depot_de(client, plan, lignes)


def test_un_conflit_montre_les_trois_valeurs_et_qui_est_passe(client, en_conflit):
    assert en_conflit.apercu["comptes"]["conflit"] == 1
    (ligne,) = en_conflit.apercu["lignes"]
    # L'élue, que le fichier n'a pas touchée, reste ce qu'en dit le site.
    assert ligne["cellules"] == [["Priorité", "Basse", "Haute", "Normale"]]
    page = client.get(en_conflit.get_absolute_url()).content.decode()
    assert "par Jean Passé" in page
    assert "Garder ce que dit le site" in page


def test_sans_autre_choix_un_conflit_garde_ce_que_dit_le_site(client, en_conflit):
    page = envoyer(client, en_conflit, conflits="garder")
    assert "Rien n&#x27;était à écrire" in page or "Rien n'était à écrire" in page
    assert (en_conflit.etat, Action.objects.get().priorite, Lot.objects.count()) == ("APPLIQUE", "BASSE", 0)


def test_un_conflit_prend_ce_que_dit_le_fichier_quand_on_le_choisit(client, en_conflit):
    envoyer(client, en_conflit, conflits="prendre")
    action = Action.objects.get()
    assert (action.priorite, action.elu_referent) == ("HAUTE", "M. Martin")
    assert en_conflit.lot.lignes.count() == 1


def test_un_statut_change_sur_le_site_depuis_l_export_est_un_conflit(client, plan, responsable):
    action = fabriques.action(plan, intitule="Former")
    lignes = exportee(action, Statut="Terminée")
    action.changer_statut("EN_COURS", auteur=responsable, version=action.version)
    depot = depot_de(client, plan, lignes)
    assert depot.apercu["lignes"][0]["cellules"] == [["Statut", "En cours", "Terminée", "Non initiée"]]
    assert (depot.apercu["comptes"]["conflit"], depot.apercu["comptes"]["changee"]) == (1, 0)


def test_un_statut_et_une_echeance_changes_sur_le_site_ne_sont_pas_repris_par_un_fichier_qui_n_y_touche_pas(
    client, plan, responsable
):
    intacte = fabriques.action(plan, intitule="Former", echeance=Echeance.lire("2027"))
    retouchee = fabriques.action(plan, intitule="Acheter", echeance=Echeance.lire("2027"))
    lignes = exportee(intacte, Statut="Non initiée", Échéance="2027", Priorité=None)
    lignes += exportee(retouchee, Statut="Non initiée", Échéance="2027", Priorité="Haute")[1:]
    for action in (intacte, retouchee):
        ligne = action.changer_statut("EN_COURS", auteur=responsable, version=action.version)
        ligne.corriger(auteur=responsable, statut="TERMINEE")
        action.refresh_from_db()
        action.reporter_echeance(
            Echeance.lire("2029"), auteur=responsable, version=action.version, motif="Le budget est voté tard."
        )
    depot = depot_de(client, plan, lignes)
    assert depot.apercu["comptes"] == {"refusee": 0, "conflit": 1, "changee": 0, "creee": 0, "inchangee": 1}
    assert depot.apercu["lignes"][0]["cellules"] == [["Priorité", "—", "Haute", "—"]]
    envoyer(client, depot, conflits="prendre")
    retouchee.refresh_from_db()
    assert (retouchee.priorite, retouchee.statut, retouchee.valeur_echeance) == (
        "HAUTE",
        "TERMINEE",
        Echeance.lire("2029"),
    )


def test_une_cellule_videe_vide_le_champ_d_une_ligne_exportee_d_ici(client, plan):
    action = fabriques.action(plan, priorite="HAUTE", description="À revoir.", echeance=Echeance.lire("2027"))
    lignes = exportee(action, Priorité=None, Description="", Échéance=None, Motif="Sans objet.")
    depot = depot_de(client, plan, lignes)
    envoyer(client, depot)
    action = Action.objects.get()
    assert (action.priorite, action.description, action.echeance) == ("", "", None)


@pytest.mark.parametrize("titre", ["Action", "Statut", "N°", "Visible du public"])
def test_ce_qui_ne_se_vide_pas_est_refuse(client, plan, titre):
    depot = depot_de(client, plan, exportee(fabriques.action(plan), **{titre: None, "Priorité": "Haute"}))
    assert depot.apercu["lignes"][0]["refus"][0][0] == titre


# --- Une fois, et telle qu'on l'a vue -----------------------------------------------------------


def test_deux_envois_du_meme_essai_n_enregistrent_qu_une_fois(client, plan):
    fabriques.action(plan, intitule="Former")
    depot = depot_de(client, plan, [["N°", "Priorité"], [1, "Haute"]])
    empreinte = depot.apercu["empreinte"]
    for _ in range(2):
        client.post(reverse("actions:appliquer_depot", args=[depot.pk]), {"empreinte": empreinte})
    assert (Lot.objects.count(), Trace.objects.filter(geste=Geste.IMPORT).count()) == (1, 1)
    depot.refresh_from_db()
    assert (depot.contenu, len(depot.apercu["sha256"]), depot.apercu["comptes"]["changee"]) == (None, 64, 1)


def test_un_essai_perime_n_ecrit_rien_et_se_refait(client, plan, responsable):
    action = fabriques.action(plan, intitule="Former")
    depot = depot_de(client, plan, [["N°", "Statut"], [1, "Terminée"]])
    action.changer_statut("EN_COURS", auteur=responsable, version=action.version)
    page = envoyer(client, depot)
    assert "le plan a bougé depuis" in page
    assert (depot.etat, Lot.objects.count(), Action.objects.get().statut) == ("LU", 0, "EN_COURS")
    assert depot.apercu["lignes"][0]["cellules"] == [["Statut", "En cours", "Terminée"]]
    envoyer(client, depot)
    assert (depot.etat, Action.objects.get().statut) == ("APPLIQUE", "TERMINEE")


def test_un_essai_refait_dans_un_autre_onglet_ne_s_enregistre_pas_depuis_l_ancien(client, plan):
    fabriques.action(plan, intitule="Former")
    depot = depot_de(client, plan, [["N°", "Priorité"], [1, "Haute"]])
    depot.apercu["empreinte"] = "celle d'un autre essai"
    assert "a bougé depuis" in envoyer(client, depot)
    assert Lot.objects.count() == 0


def test_le_meme_fichier_depose_deux_fois_ne_fait_qu_un_depot(client, plan):
    fabriques.action(plan, intitule="Former")
    contenu = xlsx([["N°", "Priorité"], [1, "Haute"]])
    adresses = {deposer(client, plan, contenu)["Location"] for _ in range(2)}
    assert (len(adresses), DepotDeClasseur.objects.count()) == (1, 1)


def test_un_autre_responsable_lit_le_depot_et_ne_l_enregistre_pas(client, plan):
    fabriques.action(plan, intitule="Former")
    depot = depot_de(client, plan, [["N°", "Priorité"], [1, "Haute"]])
    autre = client_de(fabriques.utilisateur(Role.RESPONSABLE, nom="Autre"))
    page = autre.get(depot.get_absolute_url())
    assert (page.status_code, "Enregistrer 1" in page.content.decode()) == (200, False)
    for geste in ("appliquer_depot", "abandonner_depot", "reprendre_depot"):
        assert autre.post(reverse(f"actions:{geste}", args=[depot.pk])).status_code == 403


def test_abandonne_un_depot_perd_son_fichier_et_ne_s_enregistre_plus(client, plan):
    fabriques.action(plan, intitule="Former")
    depot = depot_de(client, plan, [["N°", "Priorité"], [1, "Haute"]])
    empreinte = depot.apercu["empreinte"]
    client.post(reverse("actions:abandonner_depot", args=[depot.pk]))
    client.post(reverse("actions:appliquer_depot", args=[depot.pk]), {"empreinte": empreinte})
    depot.refresh_from_db()
    assert (depot.etat, depot.contenu, Lot.objects.count()) == ("ABANDONNE", None, 0)
    assert "Import abandonné" in client.get(depot.get_absolute_url()).content.decode()


def test_refaire_l_essai_voit_ce_qui_a_ete_corrige_sur_le_site(client, plan):
    fabriques.action(plan, intitule="Former")
    depot = depot_de(client, plan, [["N°", "Partenaires"], [1, "Réseau neuf"]])
    assert depot.apercu["comptes"]["refusee"] == 1
    fabriques.partenaire("Réseau neuf")
    client.post(reverse("actions:reprendre_depot", args=[depot.pk]))
    depot.refresh_from_db()
    assert depot.apercu["comptes"]["changee"] == 1


# --- L'ouvrier ----------------------------------------------------------------------------------


def beaucoup(combien: int = TROP_POUR_LA_PAGE) -> bytes:
    return en_csv([["Action", "Priorité"], *([f"Action {n}", "Haute"] for n in range(combien))])


@pytest.fixture
def lu_par_l_ouvrier(groupes_des_roles, client, plan):
    deposer(client, plan, beaucoup(), "beaucoup.csv")
    vider_la_file()
    return DepotDeClasseur.objects.get()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_un_grand_classeur_est_lu_et_enregistre_par_l_ouvrier(groupes_des_roles, client, plan):
    deposer(client, plan, beaucoup(), "beaucoup.csv")
    depot = DepotDeClasseur.objects.get()
    page = client.get(depot.get_absolute_url()).content.decode()
    assert (depot.etat, "En attente depuis" in page, 'hx-trigger="every 2s"' in page) == ("DEPOSE", True, True)
    vider_la_file()
    depot.refresh_from_db()
    assert (depot.etat, depot.fait, depot.total) == ("LU", TROP_POUR_LA_PAGE, TROP_POUR_LA_PAGE)
    # La page qui attendait, relue par htmx, demande à être rechargée.
    assert client.get(depot.get_absolute_url(), headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    assert "Enregistrement en cours" in envoyer(client, depot)
    assert Action.objects.count() == 0
    vider_la_file()
    depot.refresh_from_db()
    assert (depot.etat, Action.objects.count(), depot.lot.lignes.count()) == ("APPLIQUE", TROP_POUR_LA_PAGE, 201)
    # Loin de toute page, l'historique sait encore qui.
    assert Action.objects.first().history.get().history_user == depot.depose_par


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_un_fichier_illisible_est_refuse_par_l_ouvrier_et_la_page_le_dit(groupes_des_roles, client, plan):
    lignes = [["Action"], *([f"Action {n}, {'x' * 100}"] for n in range(1500))]
    deposer(client, plan, en_csv(lignes) + b'"coup', "coupe.csv")
    vider_la_file()
    depot = DepotDeClasseur.objects.get()
    assert (depot.etat, depot.contenu) == ("REFUSE", None)
    assert "incomplet ou abîmé" in client.get(depot.get_absolute_url()).content.decode()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_un_droit_retire_pendant_l_attente_refuse_l_enregistrement(lu_par_l_ouvrier, client, responsable):
    envoyer(client, lu_par_l_ouvrier)
    responsable.groups.clear()
    vider_la_file()
    lu_par_l_ouvrier.refresh_from_db()
    assert (lu_par_l_ouvrier.etat, Action.objects.count(), Lot.objects.count()) == ("LU", 0, 0)
    assert "a été retiré" in lu_par_l_ouvrier.message


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_l_ouvrier_tue_en_route_n_a_rien_ecrit_et_l_import_se_reprend(lu_par_l_ouvrier, client):
    envoyer(client, lu_par_l_ouvrier)
    tache = DBTaskResult.objects.get(status=TaskResultStatus.READY)
    with subprocess.Popen([*OUVRIER, "--interval", "0.1"], cwd=RACINE, env=environnement()) as ouvrier:
        fin = time.monotonic() + 60
        while tache.status == TaskResultStatus.READY and time.monotonic() < fin:
            time.sleep(0.02)
            tache.refresh_from_db()
        ouvrier.send_signal(signal.SIGKILL)
        ouvrier.wait(timeout=30)
    lu_par_l_ouvrier.refresh_from_db()
    assert (lu_par_l_ouvrier.etat, Action.objects.count(), Lot.objects.count()) == ("APPLICATION", 0, 0)
    assert "Reprendre" in client.get(lu_par_l_ouvrier.get_absolute_url()).content.decode()
    client.post(reverse("actions:reprendre_depot", args=[lu_par_l_ouvrier.pk]))
    vider_la_file()
    lu_par_l_ouvrier.refresh_from_db()
    assert (lu_par_l_ouvrier.etat, Action.objects.count()) == ("APPLIQUE", TROP_POUR_LA_PAGE)
