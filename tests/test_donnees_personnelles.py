"""Les données d'une personne : déclarées, remises, effacées ; et rien qui compare les personnes."""

import io
import json
import re
import zipfile
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import models
from django.urls import reverse

from actions.models import Document
from bilans.models import Bilan, VersionDeBilan
from comptes.courriels import Courriel
from comptes.droits import Role
from comptes.gestes import Geste, Jeton, LigneDeLot, Lot, PorteeDeJeton, Trace
from comptes.models import Utilisateur
from exploitation.personnes.anonymisation import anonymiser, apercu
from exploitation.personnes.detection import champs_a_declarer
from exploitation.personnes.document import inserer
from exploitation.personnes.export import donnees_de
from exploitation.personnes.registre import REGISTRE, SANS_PERSONNE
from tests import fabriques
from tests.fabriques_bilans import bilan_arrete
from tests.visites import client_de, photo

RACINE = Path(__file__).resolve().parent.parent
DOCUMENT = RACINE / "docs" / "donnees-personnelles.md"
NOM = "Zyxwénar"
AUTRE = "Qvorbel"
ADRESSE = "192.0.2.77"


@pytest.fixture
def administrateur(db) -> Utilisateur:
    return fabriques.utilisateur(Role.ADMINISTRATEUR)


@pytest.fixture
def partie(db, settings, tmp_path) -> Utilisateur:
    """Quelqu'un qui a tout laissé derrière soi, partout où le site écrit ; son compte est désactivé."""
    settings.MEDIA_ROOT = tmp_path
    champs = {"prenom": "Élise", "nom": NOM, "courriel": "elise@zyx.example", "sub_oidc": "sub-zyx-1"}
    qui = fabriques.utilisateur(Role.RESPONSABLE, username="ezyx.77", **champs)
    _faire_ecrire(qui)
    _laisser_des_connexions(qui)
    qui.is_active = False
    qui.save()
    return qui


def _faire_ecrire(qui: Utilisateur) -> None:
    plan = fabriques.plan()
    action = fabriques.action(plan, auteur=qui, pilote=qui)
    action.noter("Une note sans personne.", auteur=qui)
    action.noter(f"Voir avec {NOM} lundi.", auteur=None)
    Document.objects.deposer(action, auteur=qui, titre="Compte rendu", fichier=ContentFile(b"Bonjour.", "note.txt"))
    Bilan.objects.create(plan=plan, annee=2023, avant_propos=f"Merci à Élise {NOM}.")
    bilan_arrete(plan, 2023, qui)
    lot = Lot.objects.create(intitule=f"Réaffectation : Élise {NOM}", auteur=qui)
    type_d_objet = ContentType.objects.get_for_model(action)
    LigneDeLot.objects.create(
        lot=lot, type_d_objet=type_d_objet, id_objet=action.pk, champ="texte", avant=f"Élise {NOM}", apres=[NOM]
    )


def _laisser_des_connexions(qui: Utilisateur) -> None:
    client = client_de(qui)
    client.get("/mon-compte/")
    Trace.objects.create(geste=Geste.CONNEXION, utilisateur=qui, identifiant=qui.username, adresse=ADRESSE)
    Trace.objects.create(geste=Geste.ECHEC, identifiant=qui.username, adresse=ADRESSE)
    Trace.objects.create(geste=Geste.DROITS, objet=f"Compte {qui.username}", details={"qui": [f"Élise {NOM}"]})
    for modele in (AccessAttempt, AccessFailureLog, AccessLog):
        propres = {"failures_since_start": 1} if modele is AccessAttempt else {}
        modele.objects.create(username=qui.username, ip_address=ADRESSE, user_agent="Essai", **propres)
    Authenticator.objects.create(user=qui, type="totp", data={"secret": "SECRETDETOTP"})
    Jeton.objects.emettre(qui, f"Agenda de {NOM}", [PorteeDeJeton.CALENDRIER], secret="secret-du-jeton")
    Courriel.objects.create(destinataire=qui, cle="essai-1", adresse=qui.courriel, objet="Rappel", texte=f"À {NOM}")
    autre = fabriques.utilisateur(nom=AUTRE, prenom="Paul", courriel="paul@autre.example")
    Courriel.objects.create(
        destinataire=autre, cle="essai-2", adresse=autre.courriel, objet="Confiées", texte=f"Par Élise {NOM}."
    )
    LogEntry.objects.create(
        user=autre,
        content_type=ContentType.objects.get_for_model(Utilisateur),
        object_id=str(qui.pk),
        object_repr=str(qui),
        action_flag=CHANGE,
        change_message="[]",
    )


def cellules_qui_disent(*textes: str) -> set[tuple[str, str]]:
    """Les lignes de toute la base dont une colonne contient l'un de ces textes, lues par la base elle-même."""
    trouvees = set()
    for modele in apps.get_models(include_auto_created=True):
        for champ in modele._meta.concrete_fields:
            if isinstance(champ, models.BinaryField) or champ.is_relation:
                continue
            lignes = models.QuerySet(modele).values_list("pk", champ.name)
            for pk, valeur in lignes.iterator():
                dit = valeur if isinstance(valeur, str) else json.dumps(valeur, ensure_ascii=False, default=str)
                if any(texte.casefold() in dit.casefold() for texte in textes):
                    trouvees.add((modele._meta.label, str(pk)))
    return trouvees


# --- Le registre --------------------------------------------------------------------------------


def test_chaque_champ_qui_dit_quelque_chose_d_une_personne_est_declare():
    trouves = set(champs_a_declarer())
    assert trouves - set(REGISTRE) - set(SANS_PERSONNE) == set(), "À déclarer dans exploitation/personnes/registre.py."


def test_rien_n_est_declare_qui_n_existe_pas():
    for adresse in [*REGISTRE, *SANS_PERSONNE]:
        modele, _, champ = adresse.rpartition(".")
        apps.get_model(modele)._meta.get_field(champ)
    assert set(SANS_PERSONNE) <= set(champs_a_declarer())


def test_un_champ_nouveau_non_declare_se_voit(monkeypatch):
    monkeypatch.delitem(REGISTRE, "actions.Action.suppleant")
    assert "actions.Action.suppleant" in set(champs_a_declarer()) - set(REGISTRE)


def test_le_document_est_celui_du_registre():
    texte = DOCUMENT.read_text(encoding="utf-8")
    assert inserer(texte) == texte, "manage.py registre_des_donnees --dans docs/donnees-personnelles.md"


# --- Informer -----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_la_page_d_information_se_lit_sans_connexion(client, settings):
    settings.CONTACT_DONNEES = ""
    page = client.get("/donnees-personnelles/").content.decode()
    assert "l&#x27;administrateur du site" in page or "l'administrateur du site" in page
    assert "365\xa0jours" in page.replace("\u202f", "\xa0").replace("&nbsp;", "\xa0")


@pytest.mark.django_db
def test_la_page_d_information_dit_a_qui_s_adresser(client, settings):
    settings.CONTACT_DONNEES = "le délégué, dpo@exemple.fr"
    assert "dpo@exemple.fr" in client.get("/donnees-personnelles/").content.decode()


@pytest.mark.django_db
def test_le_pied_de_chaque_page_y_mene(client):
    assert 'href="/donnees-personnelles/"' in client.get("/connexion/").content.decode()


def test_aucun_ecran_ne_classe_des_personnes():
    """Un nombre par personne demanderait de grouper par elle : aucune requête ne le fait."""
    groupements = re.compile(
        r"\.values\([^)]*(?<!\w)(pilote|auteur|suppleant|depose_par|utilisateur)\b[^)]*\)\s*\.annotate"
    )
    mots = re.compile(
        r"palmar[eè]s|meilleurs? (agent|pilote)|classement des (agents|pilotes|personnes)", re.IGNORECASE
    )
    sources = [p for p in RACINE.glob("*/**/*.py") if not {"tests", ".venv", "scripts"} & set(p.parts)]
    assert len(sources) > 100
    fautes = [str(p) for p in sources if groupements.search(p.read_text(encoding="utf-8"))]
    fautes += [str(p) for p in RACINE.glob("templates/**/*.html") if mots.search(p.read_text(encoding="utf-8"))]
    assert fautes == []


# --- Remettre -----------------------------------------------------------------------------------


def test_l_export_dit_chaque_table_du_registre_qui_mene_a_un_compte(partie):
    donnees = donnees_de(partie)["donnees"]
    for adresse in REGISTRE:
        modele, _, champ = adresse.rpartition(".")
        lien = apps.get_model(modele)._meta.get_field(champ)
        if lien.is_relation and lien.related_model is Utilisateur and not lien.model._meta.auto_created:
            assert modele in donnees
    assert donnees["actions.Action"]["lignes"][0]["a_quel_titre"] == ["pilote"]
    assert [ligne["texte"] for ligne in donnees["actions.NoteDeSuivi"]["lignes"]] == ["Une note sans personne."]


def test_chacun_telecharge_ses_donnees_et_la_trace_le_dit(partie):
    partie.is_active = True
    partie.save()
    reponse = client_de(partie).post(reverse("personnes:mes_donnees"))
    with zipfile.ZipFile(io.BytesIO(b"".join(reponse.streaming_content))) as archive:
        noms = archive.namelist()
        donnees = json.loads(archive.read("donnees.json"))
        contenu = archive.read(noms[0])
    assert contenu == b"Bonjour."
    assert donnees["compte"]["courriel"] == "elise@zyx.example"
    assert donnees["fichiers_absents"] == []
    trace = Trace.objects.get(geste=Geste.PERSONNE)
    assert (trace.utilisateur, trace.objet) == (partie, f"Compte n° {partie.pk}")


def test_l_export_ne_livre_ni_secret_ni_rien_d_une_autre_personne(partie, administrateur):
    reponse = client_de(administrateur).post(reverse("personnes:export", args=[partie.pk]))
    with zipfile.ZipFile(io.BytesIO(b"".join(reponse.streaming_content))) as archive:
        texte = archive.read("donnees.json").decode()
    assert NOM in texte
    empreinte = Jeton.objects.get(utilisateur=partie).empreinte
    for interdit in ("SECRETDETOTP", empreinte, "secret-du-jeton", partie.password, AUTRE, "paul@", "argon2"):
        assert interdit not in texte, interdit


def test_un_fichier_perdu_se_dit_dans_l_export(partie, administrateur):
    document = Document.objects.get(depose_par=partie)
    document.fichier.storage.delete(document.fichier.name)
    reponse = client_de(administrateur).post(reverse("personnes:export", args=[partie.pk]))
    with zipfile.ZipFile(io.BytesIO(b"".join(reponse.streaming_content))) as archive:
        assert len(json.loads(archive.read("donnees.json"))["fichiers_absents"]) == 1


@pytest.mark.parametrize("role", [Role.LECTEUR, Role.AGENT, Role.RESPONSABLE])
@pytest.mark.parametrize("route", ["personnes:export", "personnes:anonymiser"])
def test_seul_l_administrateur_touche_aux_donnees_d_un_autre(partie, role, route):
    reponse = client_de(fabriques.utilisateur(role)).post(reverse(route, args=[partie.pk]))
    assert reponse.status_code == 403


# --- Anonymiser ---------------------------------------------------------------------------------


def test_l_apercu_n_ecrit_rien(partie, administrateur):
    avant = photo()
    prevu = apercu(partie, par=administrateur)
    assert photo() == avant
    assert prevu.lignes
    assert partie.nom == NOM


def test_anonymisee_la_personne_n_est_plus_nommee_que_la_ou_l_apercu_l_a_dit(partie, administrateur):
    """Nom, identifiant, courriel, sub : cherchés dans toutes les colonnes de toutes les tables."""
    prevu = apercu(partie, par=administrateur)
    fait = anonymiser(partie, par=administrateur, motif="Départ à la retraite.")
    assert fait.changements == prevu.changements
    reste = cellules_qui_disent(NOM, "Zyxwenar", "ezyx.77", "elise@zyx.example", "sub-zyx-1")
    # La trace du geste n'existe pas encore pendant l'aperçu d'un autre numéro : elle ne nomme personne.
    assert reste == fait.cellules == prevu.cellules
    tables = {table for table, _ in reste}
    assert tables == {
        "actions.NoteDeSuivi",
        "actions.HistoricalNoteDeSuivi",
        "bilans.Bilan",
        "bilans.HistoricalBilan",
        "bilans.VersionDeBilan",
    }
    assert cellules_qui_disent(ADRESSE) == set()
    assert cellules_qui_disent("SECRETDETOTP") == set()


def test_anonymise_le_compte_reste_avec_ce_qu_il_a_ecrit(partie, administrateur):
    version = VersionDeBilan.objects.get()
    anonymiser(partie, par=administrateur, motif="Départ.")
    partie = Utilisateur.objects.get(pk=partie.pk)
    assert str(partie) == f"Ancien agent n° {partie.pk}"
    assert (partie.courriel, partie.sub_oidc, partie.has_usable_password()) == ("", None, False)
    assert partie.anonymise_le is not None
    assert partie.roles == frozenset()
    assert not Jeton.objects.filter(utilisateur=partie, revoque_le__isnull=True).exists()
    assert not Authenticator.objects.filter(user=partie).exists()
    assert not Session.objects.exists()
    assert partie.actions_pilotees.count() == 1
    apres = VersionDeBilan.objects.get()
    assert (apres.contenu_interne, apres.empreinte_interne) == (version.contenu_interne, version.empreinte_interne)
    assert Courriel.objects.get(cle="essai-2").texte == f"Par Ancien agent n° {partie.pk}."


def test_la_trace_dit_qui_a_anonymise_et_pourquoi(partie, administrateur):
    anonymiser(partie, par=administrateur, motif="Départ.")
    trace = Trace.objects.get(geste=Geste.PERSONNE)
    assert (trace.utilisateur, trace.details["motif"]) == (administrateur, "Départ.")


def test_un_compte_actif_ne_s_anonymise_pas(administrateur):
    autre = fabriques.utilisateur()
    with pytest.raises(ValidationError, match="Désactivez"):
        anonymiser(autre, par=administrateur, motif="Départ.")


def test_le_motif_ne_nomme_pas_la_personne(partie, administrateur):
    with pytest.raises(ValidationError, match="motif"):
        anonymiser(partie, par=administrateur, motif="Départ de Mme Zyxwenar.")
    partie.refresh_from_db()
    assert partie.anonymise_le is None


def test_un_identifiant_qui_est_un_mot_courant_ne_se_remplace_que_seul(administrateur):
    """« agent » est l'identifiant de quelqu'un, et un mot dans les textes des autres."""
    agent = fabriques.utilisateur(username="agent", is_active=False)
    lot = Lot.objects.create(intitule="Un agent nommé, deux agents partis")
    anonymiser(agent, par=administrateur, motif="Départ.")
    lot.refresh_from_db()
    assert lot.intitule == "Un agent nommé, deux agents partis"


def test_anonymiser_se_fait_en_deux_pages(partie, administrateur):
    client = client_de(administrateur)
    adresse = reverse("personnes:anonymiser", args=[partie.pk])
    assert "Voir ce qui changera" in client.get(adresse).content.decode()
    page = client.post(adresse, {"etape": "apercu"}).content.decode()
    assert "bilans arrêtés contiennent son nom" in page
    assert "note de suivi, texte" in page
    refus = client.post(adresse, {"motif": "Départ.", "identifiant": "un-autre"})
    assert "pas l&#x27;identifiant de ce compte" in refus.content.decode()
    assert 'value="Départ."' in refus.content.decode()
    assert client.post(adresse, {"motif": "Départ.", "identifiant": "ezyx.77"}).status_code == 302
    assert "déjà anonymisé" in client.get(adresse).content.decode()
    assert NOM not in client.get(reverse("admin:comptes_utilisateur_history", args=[partie.pk])).content.decode()


def test_la_fiche_du_compte_mene_a_l_export_et_a_l_anonymisation(partie, administrateur):
    page = client_de(administrateur).get(reverse("admin:comptes_utilisateur_change", args=[partie.pk]))
    assert reverse("personnes:export", args=[partie.pk]) in page.content.decode()
    assert reverse("personnes:anonymiser", args=[partie.pk]) in page.content.decode()


def test_un_compte_anonymise_se_lit_et_ne_se_change_plus(partie, administrateur):
    """Actif de nouveau, ou renommé, « Ancien agent » désignerait quelqu'un."""
    anonymiser(partie, par=administrateur, motif="Départ.")
    client = client_de(administrateur)
    fiche = reverse("admin:comptes_utilisateur_change", args=[partie.pk])
    lue = client.get(fiche)
    assert lue.status_code == 200
    assert 'name="is_active"' not in lue.content.decode()
    assert client.post(fiche, {"username": "ezyx.77", "nom": NOM, "is_active": "on"}).status_code == 403
    mot_de_passe = reverse("admin:auth_user_password_change", args=[partie.pk])
    nouveau = {"password1": fabriques.MOT_DE_PASSE, "password2": fabriques.MOT_DE_PASSE, "usable_password": "true"}
    assert client.post(mot_de_passe, nouveau).status_code == 403
    partie = Utilisateur.objects.get(pk=partie.pk)
    assert (partie.is_active, partie.username, partie.nom) == (
        False,
        f"ancien-agent-{partie.pk}",
        f"Ancien agent n° {partie.pk}",
    )
    assert not partie.has_usable_password()


def test_la_trace_du_jeton_d_un_autre_garde_son_nom(partie, administrateur):
    """Deux personnes nomment leur jeton de la même façon."""
    nom = Jeton.objects.get(utilisateur=partie).nom.replace(NOM, "service")
    for qui in (partie, administrateur):
        Jeton.objects.emettre(qui, nom, [PorteeDeJeton.CALENDRIER])
    anonymiser(partie, par=administrateur, motif="Départ.")
    traces = Trace.objects.filter(geste=Geste.JETON, details__titulaire=administrateur.pk)
    assert [trace.objet for trace in traces] == [f"Jeton « {nom} »"]
