"""Les documents d'une action : ce qui s'accepte, ce qui se refuse, qui les lit, et comment ils sont servis."""

import io
import re
import tempfile
import threading

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.db import connection
from django.test import Client, override_settings

from actions.depot_de_fichier import MO, TAILLE_MAX, TYPES, controler, nom_sur
from actions.models import Action, Document
from socle.modeles import ConflitDeVersion
from tests import fabriques, fichiers
from tests.visites import client_de

pytestmark = pytest.mark.django_db

ACCEPTES = {
    "note.pdf": fichiers.PDF,
    "note.PDF": fichiers.PDF,
    "photo.png": fichiers.PNG,
    "photo.jpg": fichiers.JPEG,
    "photo.jpeg": fichiers.JPEG,
    "photo.webp": fichiers.WEBP,
    "lettre.docx": fichiers.ooxml("docx"),
    "suivi.xlsx": fichiers.classeur_excel(),
    "presentation.pptx": fichiers.ooxml("pptx"),
    "lettre.odt": fichiers.texte_odt(),
    "suivi.ods": fichiers.classeur_ods(),
    "memo.txt": "Réunion du 3 mars : la commission décide.".encode(),
    "ancien.txt": "Réunion décidée".encode("latin-1"),
    "suivi.csv": b"\xef\xbb\xbfNom;Montant\r\nAchats;12 000\r\n",
    "excel.csv": "Nom\tMontant\r\n".encode("utf-16"),
    "comparaison.txt": b"a < b, et b <= c",
}

REFUSES = {
    # Un programme, une page, une image active sous un nom anodin.
    "programme.pdf": (fichiers.EXE, "n'est pas un PDF"),
    "image.svg": (fichiers.SVG, "n'est pas d'un type accepté"),
    "image.png": (fichiers.SVG, "n'est pas une image png"),
    "image.txt": (fichiers.SVG, "SVG"),
    "page.csv": (b"  \r\n<html><script>alert(1)</script></html>", "page web"),
    "entites.txt": (b"<!DOCTYPE x [<!ENTITY a 'b'>]>", "XML"),
    "page.html": (b"<html></html>", "n'est pas d'un type accepté"),
    "programme.exe": (fichiers.EXE, "n'est pas d'un type accepté"),
    "programme.txt": (fichiers.EXE, "n'est pas un texte"),
    "sans_extension": (fichiers.PDF, "n'est pas d'un type accepté"),
    # Des macros.
    "budget.xlsm": (fichiers.ooxml("xlsx", macros=True), "macros"),
    "lettre.docm": (fichiers.ooxml("docx", macros=True), "macros"),
    "budget.xlsx": (fichiers.ooxml("xlsx", macros=True), "macros"),
    "lettre.docx": (fichiers.ooxml("docx", macros=True), "macros"),
    "deguise.xlsx": (
        fichiers.ooxml("xlsx", type_principal="application/vnd.ms-excel.sheet.macroEnabled.main+xml"),
        "macros",
    ),
    "excel4.xlsx": (fichiers.avec(fichiers.ooxml("xlsx"), **{"xl/macrosheets/sheet1.xml": b"<x/>"}), "macros"),
    "basic.ods": (fichiers.avec(fichiers.classeur_ods(), **{"Basic/Standard/Module1.xml": b"<x/>"}), "macros"),
    # Une archive qui n'est pas le document annoncé.
    "quelconque.docx": (fichiers.archive(**{"lisez-moi.txt": b"bonjour"}), "archive d'une autre sorte"),
    "quelconque.ods": (fichiers.archive(**{"lisez-moi.txt": b"bonjour"}), "archive d'une autre sorte"),
    "archive.zip": (fichiers.archive(**{"lisez-moi.txt": b"bonjour"}), "n'est pas d'un type accepté"),
    "classeur.docx": (fichiers.classeur_excel(), "archive d'une autre sorte"),
    "texte.ods": (fichiers.texte_odt(), "archive d'une autre sorte"),
    "abime.xlsx": (fichiers.classeur_excel()[:200], "abîmé"),
    "entites.docx": (
        fichiers.archive(**{"[Content_Types].xml": b"<!DOCTYPE x [<!ENTITY a 'b'>]><Types>&a;</Types>"}),
        "abîmé",
    ),
    # Un type pour un autre.
    "image.pdf": (fichiers.PNG, "son contenu est une image"),
    "document.png": (fichiers.PDF, "son contenu est un PDF"),
    "texte.pdf": (b"Bonjour", "n'est pas un PDF"),
    "vide.pdf": (b"", "est vide"),
}


@pytest.fixture
def agent():
    return fabriques.utilisateur("agent", service=fabriques.service("Achats"), nom="Agent")


@pytest.fixture
def action(agent) -> Action:
    return fabriques.action(service_pilote=agent.service)


@pytest.fixture
def site(agent):
    return client_de(agent)


def deposer(site, action: Action, fichier=None, **champs):
    champs = {"version": action.version, "nom": "", "lien": ""} | champs
    return site.post(f"/actions/{action.pk}/documents/ajouter/", champs | ({"fichier": fichier} if fichier else {}))


def envoyer(site, action: Action, suite: str, **champs):
    return site.post(f"/actions/{action.pk}/documents/{suite}/", champs)


def un_pdf(nom: str = "délibération n° 12.pdf") -> SimpleUploadedFile:
    # Le type que le navigateur annonce ne compte pas.
    return SimpleUploadedFile(nom, fichiers.PDF, content_type="text/html")


def erreurs(reponse, champ: str) -> str:
    assert reponse.status_code == 200
    return " ".join(reponse.context["formulaire"].errors.get(champ, []))


def page(site, action: Action) -> str:
    return site.get(action.get_absolute_url()).content.decode().replace("&#x27;", "'")


# --- Le contenu décide --------------------------------------------------------------------------


@pytest.mark.parametrize("nom", ACCEPTES)
def test_un_fichier_ordinaire_s_accepte(nom):
    controle = controler(ContentFile(ACCEPTES[nom], nom))
    assert (controle.nom, controle.taille) == (nom_sur(nom), len(ACCEPTES[nom]))
    assert controle.type_mime == TYPES[controle.nom.rpartition(".")[2]]
    assert re.fullmatch("[0-9a-f]{64}", controle.empreinte)


@pytest.mark.parametrize("nom", REFUSES)
def test_un_fichier_refuse_est_nomme_avec_la_raison(nom):
    contenu, raison = REFUSES[nom]
    with pytest.raises(ValidationError) as refus:
        controler(ContentFile(contenu, nom))
    assert nom in refus.value.messages[0]
    assert raison in refus.value.messages[0]


def test_vingt_megaoctets_passent_et_un_octet_de_plus_non():
    tout_juste = fichiers.PDF + b"0" * (TAILLE_MAX - len(fichiers.PDF))
    assert controler(ContentFile(tout_juste, "rapport.pdf")).taille == TAILLE_MAX
    with pytest.raises(ValidationError) as refus:
        controler(ContentFile(tout_juste + b"0", "rapport.pdf"))
    phrase = refus.value.messages[0].replace("\u00a0", " ")
    assert phrase == "« rapport.pdf » pèse un peu plus de 20 Mo : 20 Mo au plus."


@pytest.mark.parametrize(
    ("donne", "garde"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\Documents\\note.pdf", "note.pdf"),
        ("rapport\u202efdp.exe", "rapportfdp.exe"),
        ("note\r\nContent-Type: html\r\n.pdf", "noteContent-Type html.pdf"),
        ('guillemets".pdf', "guillemets.pdf"),
        ("Délibération été.PDF", "Délibération été.pdf"),
        ("x" * 300 + ".pdf", "x" * 146 + ".pdf"),
    ],
)
def test_un_nom_ne_garde_que_ce_qui_est_sur(donne, garde):
    assert nom_sur(donne) == garde


# --- Déposer ------------------------------------------------------------------------------------


def test_un_fichier_se_depose_et_se_relit_a_l_octet_pres(site, agent, action):
    reponse = deposer(site, action, un_pdf(), preuve="on")
    assert (reponse.status_code, reponse.url) == (302, f"{action.get_absolute_url()}#documents")
    document = Document.objects.get()
    assert (document.titre, document.preuve, document.restreint) == ("délibération n° 12.pdf", True, False)
    assert (document.depose_par, document.type_mime, document.taille) == (agent, "application/pdf", len(fichiers.PDF))
    servi = site.get(f"/actions/{action.pk}/documents/{document.pk}/")
    assert b"".join(servi.streaming_content) == fichiers.PDF


def test_le_fichier_est_garde_sous_un_nom_tire_au_hasard(site, action):
    deposer(site, action, un_pdf("programme.pdf"))
    assert re.fullmatch(r"documents/\d{4}/[0-9a-f]{32}", Document.objects.get().fichier.name)


def test_un_lien_se_depose_et_s_ouvre_depuis_la_page(site, action):
    deposer(site, action, lien="https://exemple.fr/marche", nom="La consultation")
    assert '<a href="https://exemple.fr/marche" rel="noopener noreferrer">La consultation</a>' in page(site, action)


@pytest.mark.parametrize("lien", ["javascript:alert(1)", "data:text/html,x", "ftp://exemple.fr/x", "pas une adresse"])
def test_un_lien_qui_n_est_pas_une_page_se_refuse(site, action, lien):
    assert deposer(site, action, lien=lien).status_code == 200
    assert not Document.objects.exists()


def test_ni_fichier_ni_lien_ou_les_deux_se_refusent(site, action):
    assert "Choisissez un fichier" in erreurs(deposer(site, action, nom="Rien"), "fichier")
    assert "pas les deux" in erreurs(deposer(site, action, un_pdf(), lien="https://exemple.fr/"), "lien")
    assert not Document.objects.exists()


def test_un_refus_garde_le_reste_et_dit_de_rechoisir_le_fichier(site, action):
    refuse = SimpleUploadedFile("programme.pdf", fichiers.EXE)
    reponse = deposer(site, action, refuse, nom="Titre tapé longuement", restreint="on")
    assert "programme.pdf" in erreurs(reponse, "fichier")
    vue = reponse.content.decode()
    assert 'value="Titre tapé longuement"' in vue
    assert "à choisir de nouveau" in vue
    assert reponse.context["formulaire"]["restreint"].value() is True
    assert not Document.objects.exists()


def test_un_double_clic_ne_depose_qu_un_document_et_qu_un_fichier(site, action):
    for _ in range(2):
        assert deposer(site, action, un_pdf(), nom="Compte rendu").status_code == 302
    document = Document.objects.get()
    assert (
        default_storage.listdir(document.fichier.name.rpartition("/")[0])[1].count(
            document.fichier.name.rpartition("/")[2]
        )
        == 1
    )


def test_le_meme_fichier_sous_un_autre_titre_dit_ou_il_est_deja(site, action):
    deposer(site, action, un_pdf(), nom="Compte rendu")
    assert "« Compte rendu »" in erreurs(deposer(site, action, un_pdf(), nom="Autre titre"), "fichier")
    assert Document.objects.count() == 1


def test_un_document_retire_peut_etre_depose_de_nouveau(site, action):
    deposer(site, action, un_pdf())
    Document.objects.get().retirer(version=1)
    assert deposer(site, action, un_pdf()).status_code == 302
    assert Document.objects.presents().count() == 1


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.usefixtures("groupes_des_roles")
def test_deux_depots_au_meme_instant_n_en_font_qu_un():
    action, agent = fabriques.action(), fabriques.utilisateur("administrateur")
    depart, issues = threading.Barrier(2), []

    def deposer_une_fois():
        try:
            depart.wait(10)
            Document.objects.deposer(action, auteur=agent, fichier=ContentFile(fichiers.PDF, "note.pdf"))
            issues.append("déposé")
        finally:
            connection.close()

    fils = [threading.Thread(target=deposer_une_fois) for _ in range(2)]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join(30)
    assert issues == ["déposé", "déposé"]
    assert Document.objects.count() == 1


# --- Trop lourd ---------------------------------------------------------------------------------


class Robinet(io.RawIOBase):
    """Un fichier de `taille` octets qui n'existe nulle part."""

    name = "film.pdf"

    def __init__(self, taille: int) -> None:
        self.reste = taille

    def readable(self) -> bool:
        return True

    def read(self, combien: int = -1) -> bytes:
        combien = self.reste if combien < 0 else min(combien, self.reste)
        self.reste -= combien
        return b"0" * combien


class Compteur(MemoryFileUploadHandler):
    """Ce qui arrive jusqu'à l'endroit où Django garde un fichier, en octets."""

    recus = 0

    def receive_data_chunk(self, raw_data, start):
        type(self).recus += len(raw_data)
        return super().receive_data_chunk(raw_data, start)


@pytest.mark.parametrize(("octets", "gardes"), [(50 * MO, 0), (TAILLE_MAX + 1, TAILLE_MAX)])
def test_un_fichier_trop_lourd_se_refuse_sans_etre_garde_et_sans_perdre_le_reste(site, action, octets, gardes):
    lourd, Compteur.recus = Robinet(octets), 0
    with override_settings(FILE_UPLOAD_HANDLERS=["tests.test_documents.Compteur"]):
        reponse = deposer(site, action, lourd, nom="Le film de la réunion", preuve="on")
    assert Compteur.recus <= gardes
    assert "« film.pdf »".replace(" ", "\u00a0") in erreurs(reponse, "fichier")
    assert "20\u00a0Mo au plus" in erreurs(reponse, "fichier")
    assert 'value="Le film de la réunion"' in reponse.content.decode()
    assert "à choisir de nouveau" in reponse.content.decode()
    assert not Document.objects.exists()


def test_un_envoi_sans_jeton_csrf_est_refuse(agent, action):
    client = client_de(agent, enforce_csrf_checks=True)
    reponse = deposer(client, action, un_pdf(), nom="Titre tapé")
    assert reponse.status_code == 403
    assert "Titre tapé" in reponse.content.decode()
    assert not Document.objects.exists()
    jeton = client.get(f"/actions/{action.pk}/documents/ajouter/").context["csrf_token"]
    assert deposer(client, action, un_pdf(), csrfmiddlewaretoken=str(jeton)).status_code == 302


# --- Servir -------------------------------------------------------------------------------------


def test_un_fichier_est_servi_en_piece_jointe_avec_son_nom_et_son_type(site, action):
    deposer(site, action, un_pdf())
    servi = site.get(f"/actions/{action.pk}/documents/{Document.objects.get().pk}/")
    assert servi["Content-Disposition"] == ("attachment; filename*=utf-8''d%C3%A9lib%C3%A9ration%20n%C2%B0%2012.pdf")
    assert servi["Content-Type"] == "application/pdf"
    assert servi["X-Content-Type-Options"] == "nosniff"
    assert "private" in servi["Cache-Control"]
    servi.close()


def test_le_dossier_des_fichiers_n_est_pas_servi(site, action, settings):
    deposer(site, action, un_pdf())
    nom = Document.objects.get().fichier.name
    assert settings.MEDIA_URL == "/"
    for chemin in (f"/{nom}", f"/media/{nom}", f"/static/{nom}", f"/fichiers/{nom}"):
        assert site.get(chemin).status_code == 404
    assert not str(settings.MEDIA_ROOT).startswith((str(settings.STATIC_ROOT), str(settings.STATICFILES_DIRS[0])))


def test_un_fichier_disparu_du_serveur_se_dit(site, action):
    deposer(site, action, un_pdf())
    document = Document.objects.get()
    default_storage.delete(document.fichier.name)
    reponse = site.get(f"/actions/{action.pk}/documents/{document.pk}/")
    assert reponse.status_code == 404
    assert "plus sur le serveur" in reponse.content.decode().replace("&#x27;", "'")


def test_le_contenu_passe_par_un_vrai_disque(site, action):
    from django.core.files.storage import FileSystemStorage

    champ = Document._meta.get_field("fichier")
    with tempfile.TemporaryDirectory() as dossier, pytest.MonkeyPatch.context() as remplacement:
        remplacement.setattr(champ, "storage", FileSystemStorage(location=dossier))
        deposer(site, action, un_pdf())
        document = Document.objects.get()
        servi = site.get(f"/actions/{action.pk}/documents/{document.pk}/")
        assert b"".join(servi.streaming_content) == fichiers.PDF
        servi.close()


# --- Qui lit ------------------------------------------------------------------------------------


def test_chacun_lit_un_document_ordinaire_et_seul_qui_met_a_jour_lit_un_reserve(action, agent):
    ouvert = Document.objects.deposer(action, auteur=agent, titre="Ouvert", fichier=ContentFile(fichiers.PDF, "a.pdf"))
    reserve = Document.objects.deposer(
        action, auteur=agent, titre="Confidentiel", fichier=ContentFile(fichiers.PNG, "b.png"), restreint=True
    )
    responsable, lecteur = fabriques.utilisateur("responsable"), fabriques.utilisateur("lecteur")
    ailleurs = fabriques.utilisateur("agent", service=fabriques.service("Voirie"))
    attendus = {agent: 200, responsable: 200, lecteur: 403, ailleurs: 403}
    for qui, code in attendus.items():
        client: Client = client_de(qui)
        assert client.get(f"/actions/{action.pk}/documents/{ouvert.pk}/").status_code == 200
        assert client.get(f"/actions/{action.pk}/documents/{reserve.pk}/").status_code == code
        assert reserve.lisible_par(qui) == (code == 200)
        # Le titre aussi se tait, liste et chronologie comprises.
        assert ("Confidentiel" in page(client, action)) == (code == 200)
    assert client_de(None).get(f"/actions/{action.pk}/documents/{ouvert.pk}/").status_code == 302


# --- Changer, retirer ---------------------------------------------------------------------------


@pytest.fixture
def document(action, agent) -> Document:
    return Document.objects.deposer(action, auteur=agent, titre="Note", fichier=ContentFile(fichiers.PDF, "a.pdf"))


def test_le_titre_la_preuve_et_la_reserve_se_changent(site, action, document):
    envoyer(site, action, f"{document.pk}/modifier", version=1, nom="Note relue", preuve="on", restreint="on")
    document.refresh_from_db()
    assert (document.titre, document.preuve, document.restreint) == ("Note relue", True, True)
    assert document.recherche.startswith(" note relue")


def test_la_seconde_personne_a_changer_un_document_voit_ce_qui_est_enregistre(site, action, document):
    document.decrire(version=1, titre="Titre d'une autre", preuve=True, restreint=False)
    reponse = envoyer(site, action, f"{document.pk}/modifier", version=1, nom="Mon titre")
    assert "Titre d'une autre" in erreurs(reponse, "__all__")
    assert Document.objects.get().titre == "Titre d'une autre"
    with pytest.raises(ConflitDeVersion):
        document.retirer(version=1)


def test_un_document_retire_ne_se_lit_plus_et_son_fichier_reste(site, action, document):
    for _ in range(2):
        assert envoyer(site, action, f"{document.pk}/retirer", version=1).status_code == 302
    document.refresh_from_db()
    assert document.retire_le is not None
    assert default_storage.exists(document.fichier.name)
    assert document.history.count() == 2
    assert site.get(f"/actions/{action.pk}/documents/{document.pk}/").status_code == 404
    vue = page(site, action)
    assert "Aucun document." in vue
    assert "Document retiré : Note" in vue.replace("\u00a0", " ").replace("\u202f", " ")


def test_le_document_d_une_autre_action_est_introuvable(site, action):
    ailleurs = Document.objects.deposer(fabriques.action(), auteur=None, lien="https://exemple.fr/x")
    for suite in ("", "modifier/"):
        assert site.get(f"/actions/{action.pk}/documents/{ailleurs.pk}/{suite}").status_code == 404
    assert envoyer(site, action, f"{ailleurs.pk}/retirer", version=1).status_code == 404


# --- Filtrer ------------------------------------------------------------------------------------


def test_la_liste_des_actions_se_filtre_sur_la_preuve(site, action, agent):
    sans = fabriques.action(action.plan)
    retiree = fabriques.action(action.plan)
    Document.objects.deposer(action, auteur=agent, lien="https://exemple.fr/p", preuve=True)
    Document.objects.deposer(sans, auteur=agent, lien="https://exemple.fr/p")
    Document.objects.deposer(retiree, auteur=agent, lien="https://exemple.fr/p", preuve=True).retirer(version=1)
    avec = site.get("/actions/?preuve=oui").context["table"].data
    assert [ligne.pk for ligne in avec] == [action.pk]
    assert {ligne.pk for ligne in site.get("/actions/?preuve=non").context["table"].data} == {sans.pk, retiree.pk}
