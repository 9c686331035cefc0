"""La trace : on ne fait qu'y ajouter, chaque geste y est une fois, elle s'exporte et se purge."""

import csv
import datetime
import io
import json
import logging
import re
from pathlib import Path

import pytest
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt, AccessLog
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import models, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bilans.arret import arreter, bilan_de, publier, retirer_de_la_publication, rouvrir
from comptes.droits import Role
from comptes.gestes import Geste, Jeton, PorteeDeJeton, Trace
from comptes.models import Utilisateur
from comptes.traces import tracer
from exploitation.traces.fichier import COLONNES
from marches.models import ImportDecp
from scripts.etapes import RACINE
from socle.modeles import LigneInalterable
from tests import fabriques
from tests.visites import client_de

pytestmark = pytest.mark.django_db

APPLICATIONS = ("socle", "comptes", "partenaires", "actions", "marches", "indicateurs", "bilans", "publication")
LISTE, EXPORT = "admin:comptes_trace_changelist", "admin:comptes_trace_export"
# Un gros tirage ne ferait pas mieux : les lignes d'un an tiennent en quelques jours.
HIER = datetime.timedelta(days=1)


@pytest.fixture
def administrateur() -> Utilisateur:
    return fabriques.utilisateur(Role.ADMINISTRATEUR, username="racine")


@pytest.fixture
def bureau(administrateur) -> Client:
    """Le navigateur d'un administrateur, sans la trace de sa propre connexion."""
    client = client_de(administrateur)
    Trace.objects.all().purger(timezone.now() + HIER)
    return client


@pytest.fixture
def responsable() -> Utilisateur:
    return fabriques.utilisateur(Role.RESPONSABLE, username="martin")


def faits(geste: Geste) -> list[tuple]:
    return [(t.utilisateur, t.objet, t.details.get("fait")) for t in Trace.objects.filter(geste=geste).order_by("pk")]


def vieillir(trace: Trace, jours: int) -> None:
    """Ce que l'application ne sait pas faire : un essai change l'heure d'une trace."""
    models.QuerySet(Trace).filter(pk=trace.pk).update(le=timezone.now() - datetime.timedelta(days=jours))


# --- On ne fait qu'ajouter ------------------------------------------------------------------------


def test_une_trace_ne_se_modifie_ni_ne_s_efface():
    trace = tracer(Geste.EXPORT, None, "Actions")
    refuses = [
        trace.save,
        trace.delete,
        lambda: Trace.objects.update(objet="autre"),
        lambda: Trace.objects.filter(pk=trace.pk).delete(),
        lambda: Trace.objects.bulk_update([trace], ["objet"]),
        lambda: Trace.objects.bulk_create(
            [trace], update_conflicts=True, update_fields=["objet"], unique_fields=["id"]
        ),
        lambda: Trace.objects.update_or_create(pk=trace.pk, defaults={"objet": "autre"}),
    ]
    for refuse in refuses:
        with pytest.raises(LigneInalterable), transaction.atomic():
            refuse()
    assert Trace.objects.get().objet == "Actions"


def test_l_administration_lit_la_trace_et_n_y_touche_pas(bureau):
    trace = tracer(Geste.EXPORT, None, "Actions")
    adresse = reverse("admin:comptes_trace_change", args=[trace.pk])
    assert bureau.get(adresse).status_code == 200
    assert bureau.post(adresse, {"objet": "autre"}).status_code == 403
    for page, arguments in (("add", []), ("delete", [trace.pk])):
        assert bureau.get(reverse(f"admin:comptes_trace_{page}", args=arguments)).status_code == 403
    suppression = {"action": "delete_selected", "_selected_action": [trace.pk], "post": "yes"}
    bureau.post(reverse(LISTE), suppression)
    assert Trace.objects.get().objet == "Actions"


def lignes_ou(motif: re.Pattern[str]) -> list[tuple[str, str]]:
    """Les lignes de code du produit où ce motif se trouve : « fichier:numéro », et la ligne."""
    return [
        (f"{fichier.relative_to(RACINE)}:{numero}", ligne)
        for application in (*APPLICATIONS, "accueil", "exploitation", "commande_responsable")
        for fichier in sorted((RACINE / application).rglob("*.py"))
        for numero, ligne in enumerate(fichier.read_text().splitlines(), 1)
        if motif.search(ligne)
    ]


def test_tracer_est_la_seule_voie():
    """`comptes/traces.py` est le seul fichier du projet qui crée une trace."""
    creation = re.compile(r"\bTrace\(|\bTrace\.objects\.(?:create|bulk_create|get_or_create|update_or_create)\(")
    fautes = [endroit for endroit, ligne in lignes_ou(creation) if not ligne.startswith("class Trace(")]
    assert [faute.partition(":")[0] for faute in fautes] == ["comptes/traces.py"], fautes


def test_le_journal_du_serveur_garde_un_double_sans_nom(administrateur, caplog, django_capture_on_commit_callbacks):
    with caplog.at_level(logging.INFO, "comptes.traces"), django_capture_on_commit_callbacks(execute=True):
        trace = tracer(Geste.ECHEC, administrateur, "Actions", identifiant="secret-tape")
    assert caplog.messages == [f"Trace n° {trace.pk} : ECHEC, compte n° {administrateur.pk}"]


# --- Chaque geste, une fois -------------------------------------------------------------------------


def test_la_vie_d_un_bilan_se_lit_dans_la_trace(responsable):
    plan = fabriques.plan(intitule="Plan d'essai", annee_debut=2022)
    arreter(plan, 2023, auteur=responsable, attendue=1)
    arreter(plan, 2023, auteur=responsable, attendue=1)
    version = bilan_de(plan, 2023).version
    publier(bilan_de(plan, 2023), auteur=responsable, version=version)
    publier(bilan_de(plan, 2023), auteur=responsable, version=version)
    retirer_de_la_publication(bilan_de(plan, 2023), auteur=responsable, version=version + 1)
    retirer_de_la_publication(bilan_de(plan, 2023), auteur=responsable, version=version + 1)
    rouvrir(bilan_de(plan, 2023), auteur=responsable, version=version + 2, motif="Un chiffre faux.")
    objet = "Bilan 2023, Plan d'essai"
    attendus = ["arrêté", "publié", "retiré de la publication", "rouvert"]
    assert faits(Geste.BILAN) == [(responsable, objet, fait) for fait in attendus]


def test_un_bilan_presente_se_trace_ses_autres_references_non(responsable):
    plan = fabriques.plan(annee_debut=2022)
    arreter(plan, 2023, auteur=responsable, attendue=1)
    adresse, client = reverse("bilans:references", args=[plan.slug, 2023]), client_de(responsable)
    for saisie in ({"numero_de_deliberation": "D-1"}, {"presente_en_conseil_le": "01/02/2024"}):
        version = str(bilan_de(plan, 2023).version)
        assert client.post(adresse, {"version": version} | saisie).status_code == 302
    details = Trace.objects.get(geste=Geste.BILAN, details__fait="présenté").details
    assert details == {"fait": "présenté", "presente_en_conseil_le": "2024-02-01"}


def test_un_jeton_emis_puis_revoque_laisse_deux_traces(responsable, administrateur):
    jeton, secret = Jeton.objects.emettre(responsable, "Agenda", [PorteeDeJeton.CALENDRIER])
    jeton.revoquer(par=administrateur)
    jeton.revoquer(par=administrateur)
    objet = "Jeton « Agenda »"
    assert faits(Geste.JETON) == [(responsable, objet, "émis"), (administrateur, objet, "révoqué")]
    assert secret not in str(list(Trace.objects.values()))


def test_creer_et_desactiver_un_compte_laissent_une_trace(bureau, administrateur):
    nouveau = {"username": "nouvelle", "password1": fabriques.MOT_DE_PASSE, "password2": fabriques.MOT_DE_PASSE}
    bureau.post(reverse("admin:comptes_utilisateur_add"), nouveau | {"usable_password": "true"})
    compte = Utilisateur.objects.get(username="nouvelle")
    bureau.post(reverse("admin:comptes_utilisateur_change", args=[compte.pk]), {"username": "nouvelle"})
    dits = [(administrateur, "Compte nouvelle", fait) for fait in ("créé", "désactivé")]
    assert faits(Geste.COMPTE) == dits


def test_le_premier_administrateur_se_trace_sans_auteur():
    Utilisateur.objects.create_superuser("premier", fabriques.MOT_DE_PASSE)
    assert faits(Geste.COMPTE) == [(None, "Compte premier", "créé")]


def test_importer_des_decp_par_la_commande_se_trace_sans_auteur(tmp_path: Path):
    fichier = tmp_path / "decp.json"
    fichier.write_text('{"marches": {"marche": []}}')
    call_command("importer_decp", str(fichier), "--tous", stdout=io.StringIO())
    trace = Trace.objects.get(geste=Geste.IMPORT)
    assert (trace.utilisateur, trace.objet, trace.demande) == (None, "Données essentielles", "")
    assert trace.details["import"] == ImportDecp.objects.get().pk


def test_le_plan_charge_se_trace_s_il_a_cree_quelque_chose():
    for _ in range(2):
        call_command("charger_plan", stdout=io.StringIO())
        call_command("charger_territoires", stdout=io.StringIO())
    objets = Trace.objects.filter(geste=Geste.IMPORT).order_by("pk").values_list("objet", flat=True)
    assert list(objets) == ["Plan publié", "Territoires livrés"]


# --- L'export ---------------------------------------------------------------------------------------


def lues(texte: str) -> list[dict[str, str]]:
    assert texte.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(texte.removeprefix("\ufeff")), delimiter=";"))


def commande(*options: str) -> str:
    sortie = io.StringIO()
    call_command("exporter_traces", *options, stdout=sortie, stderr=io.StringIO())
    return sortie.getvalue()


def test_la_commande_ecrit_chaque_trace_et_se_trace(administrateur):
    tracer(Geste.EXPORT, administrateur, "Actions", details={"lignes": 3})
    (ligne,) = lues(commande())
    assert list(ligne) == list(COLONNES.values())
    assert (ligne["Geste"], ligne["Compte"], ligne["Objet"]) == ("EXPORT", "racine", "Actions")
    assert json.loads(ligne["Détails"]) == {"lignes": 3}
    assert datetime.datetime.fromisoformat(ligne["Quand"]).utcoffset() is not None
    trace = Trace.objects.latest("pk")
    assert (trace.utilisateur, trace.objet, trace.details["lignes"]) == (None, "Traces", 1)


def test_ce_qu_un_visiteur_a_tape_n_est_jamais_une_formule():
    tracer(Geste.ECHEC, identifiant='=HYPERLINK("https://mechant.exemple")')
    (ligne,) = lues(commande())
    assert ligne["Identifiant saisi"] == '\'=HYPERLINK("https://mechant.exemple")'


def test_le_json_est_un_objet_par_ligne(administrateur):
    tracer(Geste.DROITS, administrateur, "Compte lea", details={"avant": [], "apres": ["Contributeur"]})
    tracer(Geste.ECHEC, identifiant="lea\nou autre")
    premiere, seconde = map(json.loads, commande("--format", "json").splitlines())
    assert set(premiere) == set(COLONNES)
    assert premiere["details"] == {"avant": [], "apres": ["Contributeur"]}
    assert (seconde["identifiant_saisi"], seconde["compte"]) == ("lea\nou autre", None)


def test_les_deux_jours_demandes_sont_compris():
    for jours in (0, 1, 2, 3):
        vieillir(tracer(Geste.EXPORT, None, f"J-{jours}"), jours)
    du, au = ((timezone.localdate() - datetime.timedelta(days=jours)).isoformat() for jours in (2, 1))
    assert [ligne["Objet"] for ligne in lues(commande("--depuis", du, "--jusqua", au))] == ["J-1", "J-2"]


@pytest.mark.parametrize(
    ("options", "dit"),
    [
        (["--depuis", "31/12/2023"], "--depuis attend un jour"),
        (["--jusqua", "2023-02-30"], "--jusqua attend un jour"),
        (["--depuis", "2024-01-02", "--jusqua", "2024-01-01"], "est après"),
    ],
)
def test_un_jour_illisible_se_dit_et_rien_n_est_trace(options, dit):
    with pytest.raises(CommandError, match=dit):
        commande(*options)
    assert not Trace.objects.exists()


def test_la_liste_filtree_s_exporte_et_l_export_se_trace(bureau, administrateur):
    tracer(Geste.ECHEC, identifiant="lea")
    tracer(Geste.EXPORT, administrateur, "Actions")
    page = bureau.get(reverse(LISTE), {"geste__exact": "ECHEC"}).content.decode()
    assert f"{reverse(EXPORT)}?geste__exact=ECHEC" in page
    reponse = bureau.get(reverse(EXPORT), {"geste__exact": "ECHEC"})
    assert reponse.streaming
    (ligne,) = lues(b"".join(reponse).decode())
    assert ligne["Identifiant saisi"] == "lea"
    trace = Trace.objects.latest("pk")
    assert (trace.utilisateur, trace.objet, trace.details["lignes"]) == (administrateur, "Traces", 1)
    assert trace.details["filtres"] == {"geste__exact": "ECHEC"}


def test_la_liste_se_cherche_par_adresse_par_demande_et_par_personne(bureau):
    bureau.get(reverse(EXPORT), REMOTE_ADDR="203.0.113.7")
    trace = Trace.objects.get()
    tracer(Geste.ECHEC, identifiant="lea")
    for cherche in ({"q": "203.0.113"}, {"q": trace.demande}, {"adresse": "203.0.113.7"}, {"demande": trace.demande}):
        assert [t.pk for t in bureau.get(reverse(LISTE), cherche).context["cl"].queryset] == [trace.pk], cherche
    page = bureau.get(reverse(LISTE), {"utilisateur__id__exact": trace.utilisateur_id})
    assert [t.pk for t in page.context["cl"].queryset] == [trace.pk]
    assert f"?demande={trace.demande}" in page.content.decode()


# --- La durée ---------------------------------------------------------------------------------------


def purge(*options: str) -> str:
    sortie = io.StringIO()
    call_command("purger_traces", *options, stdout=sortie)
    return sortie.getvalue().replace("\xa0", " ")


def test_la_purge_efface_ce_qui_a_passe_sa_duree_et_se_trace(settings):
    settings.JOURS_DE_TRACES = 30
    for jours in (0, 29, 31, 400):
        vieillir(tracer(Geste.EXPORT, None, f"{jours}"), jours)
    assert "2 traces partiraient" in purge("--a-blanc")
    assert "2 traces effacées" in purge()
    assert set(Trace.objects.exclude(geste=Geste.ELIMINATION).values_list("objet", flat=True)) == {"0", "29"}
    trace = Trace.objects.get(geste=Geste.ELIMINATION)
    assert (trace.objet, trace.details["lignes"], trace.details["jours"]) == ("Traces", 2, 30)
    assert "0 trace effacée" in purge()
    assert Trace.objects.filter(geste=Geste.ELIMINATION).count() == 1


def test_la_purge_emporte_les_essais_de_connexion_et_les_sessions_finies(settings):
    connecte = client_de(fabriques.utilisateur(Role.AGENT, username="leo"))
    ancien = timezone.now() - datetime.timedelta(days=settings.JOURS_DE_TRACES + 1)
    champs_d_un_essai = {"get_data": "", "post_data": "", "failures_since_start": 1}
    for modele in (AccessAttempt, AccessLog):
        champs = champs_d_un_essai if modele is AccessAttempt else {}
        trop_vieux = modele.objects.create(username="lea", ip_address="203.0.113.7", path_info="/", **champs)
        modele.objects.filter(pk=trop_vieux.pk).update(attempt_time=ancien)
    AccessAttempt.objects.create(username="leo", ip_address="203.0.113.7", path_info="/", **champs_d_un_essai)
    AccessLog.objects.create(username="leo", ip_address="203.0.113.7", path_info="/")
    Session.objects.create(session_key="finie", session_data="", expire_date=timezone.now() - HIER)
    compte = Utilisateur.objects.get(username="leo")
    UserSession.objects.create(user=compte, session_key="finie", ip="203.0.113.7", user_agent="")
    purge()
    assert not UserSession.objects.filter(session_key="finie").exists()
    assert [set(m.objects.values_list("username", flat=True)) for m in (AccessAttempt, AccessLog)] == [{"leo"}] * 2
    assert [session.session_key for session in Session.objects.all()] == [connecte.session.session_key]


def test_anonymiser_ote_les_noms_et_garde_les_gestes(responsable, administrateur):
    tracer(Geste.ECHEC, identifiant="MARTIN")
    tracer(Geste.EXPORT, responsable, "Actions")
    tracer(Geste.DROITS, administrateur, "Compte martin", details={"qui": ["Martin"], "lignes": 2})
    Jeton.objects.emettre(responsable, "Agenda de Martin", [PorteeDeJeton.CALENDRIER])
    autre = tracer(Geste.ECHEC, identifiant="martine")
    changees = Trace.objects.all().anonymiser(responsable, lambda texte: _sans(texte, "Martin"))
    assert changees == 3
    lignes = Trace.objects.exclude(pk=autre.pk).order_by("pk")
    assert [(t.identifiant, t.adresse, t.objet) for t in lignes] == [
        ("", None, ""),
        ("", None, "Actions"),
        ("", None, f"Compte n° {responsable.pk}"),
        ("", None, "Jeton d'un ancien agent"),
    ]
    assert lignes[2].details == {"qui": ["Quelqu'un"], "lignes": 2}
    assert [t.utilisateur_id for t in lignes] == [None, responsable.pk, administrateur.pk, responsable.pk]
    assert Trace.objects.get(pk=autre.pk).identifiant == "martine"


def _sans(valeur, nom: str):
    return json.loads(json.dumps(valeur).replace(nom, "Quelqu'un"))


def test_anonymiser_ote_aussi_l_identifiant_d_avant_sauf_s_il_est_devenu_celui_d_un_autre(responsable):
    for identifiant in ("mdupont", "martin"):
        responsable.username = identifiant
        responsable.save()
        tracer(Geste.DROITS, None, f"Compte {identifiant}")
        tracer(Geste.ECHEC, identifiant=identifiant)
    responsable.username = "mmartin"
    responsable.save()
    fabriques.utilisateur(username="martin")
    Trace.objects.all().anonymiser(responsable, lambda valeur: valeur)
    lignes = Trace.objects.order_by("pk").values_list("objet", "identifiant")
    assert list(lignes) == [(f"Compte n° {responsable.pk}", ""), ("", ""), ("Compte martin", ""), ("", "martin")]


def test_deux_methodes_seulement_touchent_a_la_trace():
    """Un QuerySet nu contourne le refus : hors de `comptes/gestes.py`, aucun ne porte sur la trace."""
    nu = re.compile(r"QuerySet\(Trace\b|Trace\._base_manager|Trace\.objects\.(?:all\(\)|filter\(.*\))\._raw_delete")
    fautes = [endroit for endroit, _ in lignes_ou(nu)]
    assert fautes == []
