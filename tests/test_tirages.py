"""Demander le PDF d'un bilan : sur place ou par l'ouvrier, une fois, repris après un arrêt, gardé pour toujours."""

import sys

import pytest
from django.db import connection
from django.urls import reverse
from django_tasks_db.models import DBTaskResult

from bilans import taches
from bilans.arret import bilan_de
from bilans.impression import ACTIONS_SUR_PLACE, demander, demander_le_pdf_arrete, reprendre
from bilans.models import Bilan, PdfDeVersion, Tirage
from bilans.taches import executer
from bilans.tirages import EtatDeTirage
from comptes.droits import Role
from socle.modeles import LigneInalterable
from tests import fabriques
from tests.fabriques_bilans import bilan_arrete
from tests.lecture_pdf import PdfLu
from tests.test_taches import vider_la_file
from tests.visites import client_de

A_PART = pytest.mark.django_db(transaction=True, serialized_rollback=True)
TROP_POUR_LA_PAGE = ACTIONS_SUR_PLACE + 1


@pytest.fixture
def plan(db):
    plan = fabriques.plan(intitule="Plan d'achats : 1/2", slug="achats")
    fabriques.action(plan, intitule="Former les acheteurs")
    return plan


@pytest.fixture
def grand_plan(db):
    grand = fabriques.plan(intitule="Grand plan", slug="grand")
    for rang in range(TROP_POUR_LA_PAGE):
        fabriques.action(grand, intitule=f"Action {rang}")
    return grand


@pytest.fixture
def grand_bilan(grand_plan) -> Bilan:
    """Un responsable y a déjà écrit."""
    return Bilan.objects.create(plan=grand_plan, annee=2023)


@pytest.fixture
def lecteur(db):
    return fabriques.utilisateur(Role.LECTEUR)


@pytest.fixture
def client(lecteur):
    return client_de(lecteur)


@pytest.fixture
def sans_weasyprint(monkeypatch):
    monkeypatch.setitem(sys.modules, "weasyprint", None)


def adresse(plan, annee=2023):
    return reverse("bilans:pdf", args=[plan.slug, annee])


def relu(tirage) -> Tirage:
    return Tirage.objects.get(pk=tirage.pk)


# --- L'arrêt ------------------------------------------------------------------------------------


def test_arreter_un_petit_plan_fait_son_pdf_au_commit(plan, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        version = bilan_arrete(plan)
    garde = PdfDeVersion.objects.get(version=version)
    assert garde.intact
    assert "Former les acheteurs" in PdfLu(garde.octets).texte
    assert version.empreinte_publique in PdfLu(garde.octets).texte.replace(" ", "")
    tirage = Tirage.objects.get(version=version)
    assert (tirage.etat, tirage.progression, tirage.contenu) == (EtatDeTirage.PRET, 100, None)


def test_le_pdf_d_une_version_ne_s_ecrit_qu_une_fois(plan, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        version = bilan_arrete(plan)
    garde = PdfDeVersion.objects.get()
    with django_capture_on_commit_callbacks(execute=True):
        tirage = demander_le_pdf_arrete(version, par=None)
    assert relu(tirage).etat == EtatDeTirage.PRET
    assert PdfDeVersion.objects.get().fait_le == garde.fait_le
    with pytest.raises(LigneInalterable):
        garde.save()


def test_le_pdf_arrete_reste_le_meme_quand_tout_change_apres(plan, client, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        bilan_arrete(plan)
    avant = client.get(adresse(plan)).content
    for action in plan.actions.all():
        action.intitule = "Tout autre chose"
        action.save()
    assert client.get(adresse(plan)).content == avant
    assert avant.startswith(b"%PDF-1.7")


@pytest.mark.usefixtures("sans_weasyprint")
def test_sans_weasyprint_l_arret_se_fait_et_la_page_dit_quoi_installer(
    plan, client, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        version = bilan_arrete(plan)
    assert version.pk
    assert not PdfDeVersion.objects.exists()
    reponse = client.get(adresse(plan))
    assert reponse.status_code == 200
    assert "libpango-1.0-0, libpangoft2-1.0-0 et libharfbuzz-subset0" in reponse.content.decode()
    assert "Préparer de nouveau le PDF" in reponse.content.decode()


# --- Le brouillon -------------------------------------------------------------------------------


def test_le_brouillon_d_un_petit_plan_s_ouvre_aussitot_sous_un_bon_nom(plan, client):
    reponse = client.get(adresse(plan))
    assert (reponse.status_code, reponse["Content-Type"]) == (200, "application/pdf")
    # Un deux-points et une barre ne peuvent pas être dans un nom de fichier.
    assert reponse["Content-Disposition"] == ('inline; filename="Bilan 2023 - Plan d\'achats 1 2 (brouillon).pdf"')
    assert "Brouillon" in PdfLu(reponse.content).texte
    assert not Tirage.objects.exists()


def test_un_nom_accentue_s_ecrit_comme_le_veut_la_rfc_6266(plan, client):
    plan.intitule = "Développer"
    plan.save()
    assert client.get(adresse(plan))["Content-Disposition"] == (
        "inline; filename*=utf-8''Bilan%202023%20-%20D%C3%A9velopper%20%28brouillon%29.pdf"
    )


@pytest.mark.usefixtures("sans_weasyprint")
def test_sans_weasyprint_le_brouillon_dit_quoi_installer(plan, client):
    reponse = client.get(adresse(plan))
    assert reponse.status_code == 503
    assert "installez les paquets Debian libpango-1.0-0" in reponse.content.decode()


def test_demander_un_brouillon_ne_fait_pas_creer_un_bilan_a_qui_ne_peut_pas_l_ecrire(plan, grand_plan, client):
    page = client.get(adresse(grand_plan)).content.decode()
    assert "Personne n&#x27;a encore préparé ce bilan" in page or "Personne n'a encore préparé ce bilan" in page
    assert f'href="{reverse("bilans:docx", args=["grand", 2023])}"' in page
    assert '<form method="post"><input' not in page.partition("<h1>")[2]
    assert [client.post(adresse(celui)).status_code for celui in (plan, grand_plan)] == [403, 403]
    assert not Bilan.objects.exists()
    assert not Tirage.objects.exists()


def test_qui_peut_arreter_un_bilan_peut_en_demander_le_premier_brouillon(grand_plan):
    responsable = client_de(fabriques.utilisateur(Role.RESPONSABLE))
    assert "Préparer le PDF" in responsable.get(adresse(grand_plan)).content.decode()
    assert not Bilan.objects.exists()
    assert responsable.post(adresse(grand_plan)).url == Tirage.objects.get().get_absolute_url()


def test_celui_d_un_grand_plan_se_prepare(grand_plan, grand_bilan, client):
    page = client.get(adresse(grand_plan)).content.decode()
    assert "Préparer le PDF" in page
    reponse = client.post(adresse(grand_plan))
    tirage = Tirage.objects.get()
    assert reponse.url == tirage.get_absolute_url()
    assert (tirage.etat, DBTaskResult.objects.count()) == (EtatDeTirage.DEMANDE, 1)
    page = client.get(tirage.get_absolute_url()).content.decode()
    assert "En attente" in page
    assert 'hx-trigger="every 2s"' in page
    assert ">Actualiser</a>" in page


def test_un_double_clic_ne_demande_qu_une_fois(grand_plan, grand_bilan, client):
    adresses = {client.post(adresse(grand_plan)).url for _ in range(2)}
    assert len(adresses) == 1
    assert (Tirage.objects.count(), DBTaskResult.objects.count(), Bilan.objects.count()) == (1, 1, 1)


def test_un_bilan_enregistre_pendant_qu_on_demande_son_premier_pdf_se_retrouve(grand_plan, lecteur):
    lu_avant = bilan_de(grand_plan, 2023)
    bilan_de(grand_plan, 2023).save()
    assert demander(lu_avant, par=lecteur).bilan == Bilan.objects.get()


def test_les_vieux_brouillons_ne_se_gardent_pas(plan, lecteur):
    bilan = Bilan.objects.create(plan=plan, annee=2023)
    for _ in range(4):
        demander(bilan, par=lecteur)
        Tirage.objects.update(etat=EtatDeTirage.PRET)
    assert Tirage.objects.count() == 2


# --- L'ouvrier ----------------------------------------------------------------------------------


@A_PART
def test_l_ouvrier_fait_le_pdf_d_un_grand_plan_et_le_range_avec_sa_version(grand_plan, client):
    version = bilan_arrete(grand_plan)
    tirage = Tirage.objects.get(version=version)
    assert tirage.etat == EtatDeTirage.DEMANDE
    vider_la_file()
    assert relu(tirage).etat == EtatDeTirage.PRET
    fichier = client.get(reverse("bilans:fichier_de_tirage", args=[tirage.pk]))
    assert fichier.content == PdfDeVersion.objects.get(version=version).octets
    ancienne = reverse("bilans:pdf_de_version", args=[grand_plan.slug, 2023, 1])
    assert client.get(ancienne).content == fichier.content


def test_un_ouvrier_tue_laisse_un_tirage_qui_se_reprend(grand_bilan, lecteur, client, monkeypatch):
    tirage = demander(grand_bilan, par=lecteur)
    with monkeypatch.context() as tue:
        # La mort d'un processus ne passe par aucun « except Exception ».
        tue.setattr(taches, "imprimer", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            executer(tirage.pk)
    assert relu(tirage).etat == EtatDeTirage.EN_COURS
    assert "Reprendre" in client.get(tirage.get_absolute_url()).content.decode()
    client.post(tirage.get_absolute_url())
    assert (relu(tirage).etat, DBTaskResult.objects.count()) == (EtatDeTirage.DEMANDE, 2)
    executer(tirage.pk)
    assert relu(tirage).etat == EtatDeTirage.PRET


def test_une_panne_se_dit_en_une_phrase_et_se_reprend(grand_bilan, lecteur, client, monkeypatch):
    tirage = demander(grand_bilan, par=lecteur)
    with monkeypatch.context() as panne:
        panne.setattr(taches, "composer", lambda *_: 1 / 0)
        executer(tirage.pk)
    assert relu(tirage).etat == EtatDeTirage.ECHEC
    assert "Le document n&#x27;a pas pu être fait." in client.get(tirage.get_absolute_url()).content.decode()
    reprendre(tirage)
    assert relu(tirage).message == ""


def test_un_tirage_fini_ne_se_refait_pas(plan, lecteur, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        tirage = demander(Bilan.objects.create(plan=plan, annee=2023), par=lecteur)
    fini = relu(tirage)
    reprendre(tirage)
    executer(tirage.pk)
    assert (relu(tirage).etat, relu(tirage).fini_le) == (EtatDeTirage.PRET, fini.fini_le)


def test_la_progression_s_ecrit_hors_de_toute_transaction(plan, lecteur, monkeypatch):
    tirage = demander(Bilan.objects.create(plan=plan, annee=2023), par=lecteur)
    monkeypatch.setattr(taches, "CADENCE", 0)
    vues = []

    def imprimer(_, *, suivre):
        dehors = len(connection.savepoint_ids)
        suivre(30, "Mise en page, page 1")
        vues.append((dehors, relu(tirage).progression, relu(tirage).message))
        return b"%PDF"

    niveau = len(connection.savepoint_ids)
    monkeypatch.setattr(taches, "imprimer", imprimer)
    executer(tirage.pk)
    assert vues == [(niveau, 30, "Mise en page, page 1")]
    assert bytes(relu(tirage).contenu) == b"%PDF"


# --- Les pages ----------------------------------------------------------------------------------


def test_une_version_arretee_se_retrouve_apres_une_reprise(plan, client, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        bilan_arrete(plan)
    premiere = client.get(adresse(plan)).content
    with django_capture_on_commit_callbacks(execute=True):
        bilan_arrete(plan)
    assert client.get(adresse(plan)).content != premiere
    ancienne = client.get(reverse("bilans:pdf_de_version", args=[plan.slug, 2023, 1]))
    assert ancienne.content == premiere
    assert "(version" not in ancienne["Content-Disposition"]
    assert "(version 2).pdf" in client.get(adresse(plan))["Content-Disposition"]


def test_un_pdf_arrete_deja_recu_ne_se_renvoie_pas(plan, client, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        version = bilan_arrete(plan)
    etag = client.get(adresse(plan))["ETag"]
    assert etag == f'"{PdfDeVersion.objects.get(version=version).empreinte}"'
    assert client.get(adresse(plan), headers={"If-None-Match": etag}).status_code == 304


def test_un_tirage_pret_fait_recharger_la_page_qui_l_attend(plan, lecteur, client, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        tirage = demander(Bilan.objects.create(plan=plan, annee=2023), par=lecteur)
    assert client.get(tirage.get_absolute_url(), headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    assert "Ouvrir le document" in client.get(tirage.get_absolute_url()).content.decode()


def test_un_document_pas_encore_fait_ramene_a_sa_page(grand_bilan, lecteur, client):
    tirage = demander(grand_bilan, par=lecteur)
    reponse = client.get(reverse("bilans:fichier_de_tirage", args=[tirage.pk]))
    assert (reponse.status_code, reponse.url) == (302, tirage.get_absolute_url())


@pytest.mark.parametrize(
    "chemin", ["/bilans/inconnu/2023/pdf/", "/bilans/achats/2023/versions/9/pdf/", "/bilans/tirages/999/"]
)
def test_un_document_inconnu_se_dit_introuvable(plan, client, chemin):
    assert client.get(chemin).status_code == 404
