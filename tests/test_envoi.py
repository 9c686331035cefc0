"""La boîte d'envoi, avec de vrais serveurs : rien ne se perd, rien ne part deux fois, une panne se dit."""

import datetime
import signal
import subprocess
import sys
import time

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from comptes.courriels import RESERVATION, EtatDeCourriel
from comptes.droits import Role
from comptes.envoi import (
    DELAI_D_ABANDON,
    ESSAIS_AVANT_ABANDON,
    envoyer,
    envoyer_ce_qui_attend,
    envoyer_des_que_possible,
    envoyer_les_courriels,
)
from comptes.models import Courriel
from tests import fabriques
from tests.test_concurrence import ensemble
from tests.test_reaffectation import reaffecter
from tests.test_taches import OUVRIER, RACINE, environnement
from tests.visites import client_de

pytestmark = pytest.mark.django_db

TACHE = envoyer_les_courriels.module_path


@pytest.fixture
def anne():
    return fabriques.utilisateur(Role.AGENT, prenom="Anne", nom="Martin", courriel="anne@exemple.fr")


@pytest.fixture
def noe():
    return fabriques.utilisateur(Role.AGENT, prenom="Noé", nom="Petit", courriel="noe@exemple.fr")


def courriel(destinataire, cle="essai-1", **champs) -> Courriel:
    champs = {"objet": "À relire", "texte": "Bonjour.\n", "html": "<p>Bonjour.</p>\n"} | champs
    return Courriel.objects.create(destinataire=destinataire, adresse=destinataire.courriel, cle=cle, **champs)


def relu(de: Courriel) -> Courriel:
    return Courriel.objects.get(pk=de.pk)


def vieillir(de: Courriel, champ: str, duree: datetime.timedelta) -> None:
    """Le temps passe."""
    setattr(de, champ, timezone.now() - duree)
    de.save(update_fields=[champ])


# --- Ce qui part --------------------------------------------------------------------------------


def test_un_courriel_part_une_fois_et_dit_quand(anne, serveur_de_courriels):
    ecrit = courriel(anne)
    assert envoyer().phrase.replace("\u00a0", " ") == "1 courriel envoyé."
    assert envoyer().envoyes == 0
    (recu,) = serveur_de_courriels.recus
    assert (recu["Subject"], recu["To"]) == ("À relire", "anne@exemple.fr")
    assert (relu(ecrit).etat, relu(ecrit).essais, relu(ecrit).reserve_le) == (EtatDeCourriel.ENVOYE, 1, None)


def test_le_message_a_ses_deux_parties_et_ne_demande_pas_de_reponse(anne, serveur_de_courriels):
    courriel(anne, texte="L'achat durable : été.\n", html="<p>L’achat durable&nbsp;: été.</p>\n")
    envoyer()
    (recu,) = serveur_de_courriels.recus
    assert recu.get_content_type() == "multipart/alternative"
    parties = {partie.get_content_type(): partie.get_content() for partie in recu.iter_parts()}
    assert parties["text/plain"].strip() == "L'achat durable : été."
    assert "<p>L’achat durable" in parties["text/html"]
    assert recu["Auto-Submitted"] == "auto-generated"
    assert recu["List-Unsubscribe"] is None


def test_seul_un_rappel_dit_comment_ne_plus_en_recevoir(anne, serveur_de_courriels):
    courriel(anne, cle="rappel-1-2026-03")
    envoyer()
    (recu,) = serveur_de_courriels.recus
    assert recu["List-Unsubscribe"].endswith("/mon-compte/>")


def test_une_adresse_corrigee_entre_temps_est_celle_qui_sert(anne, serveur_de_courriels):
    ecrit = courriel(anne)
    anne.courriel = "anne.martin@exemple.fr"
    anne.save()
    envoyer()
    assert serveur_de_courriels.recus[0]["To"] == relu(ecrit).adresse == "anne.martin@exemple.fr"


def test_un_compte_desactive_entre_temps_ne_recoit_rien(anne, serveur_de_courriels):
    ecrit = courriel(anne)
    anne.is_active = False
    anne.save()
    assert envoyer().abandonnes == 1
    assert serveur_de_courriels.recus == []
    assert relu(ecrit).erreur == "Le compte a été désactivé avant l'envoi."


# --- Pannes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("panne", "phrase"), [("serveur_absent", "est injoignable"), ("serveur_muet", "n'a pas répondu à temps")]
)
def test_un_serveur_en_panne_ne_perd_rien_et_se_dit(panne, phrase, anne, noe, request):
    request.getfixturevalue(panne)
    courriels = [courriel(anne, "essai-1"), courriel(noe, "essai-2")]
    depart = time.monotonic()
    envoi = envoyer()
    assert time.monotonic() - depart < 5
    assert (envoi.envoyes, envoi.abandonnes, envoi.restants) == (0, 0, 2)
    assert phrase in envoi.phrase
    # Le premier a buté ; l'autre n'a pas été essayé pour rien.
    assert [relu(c).essais for c in courriels] == [1, 0]
    assert phrase in relu(courriels[0]).erreur


def test_revenu_le_serveur_recoit_ce_qui_attendait(anne, serveur_de_courriels):
    serveur_de_courriels.a_l_expediteur = "451 Plus tard"
    ecrit = courriel(anne)
    assert envoyer().restants == 1
    assert relu(ecrit).etat == EtatDeCourriel.A_REESSAYER
    serveur_de_courriels.a_l_expediteur = "250 Accepte"
    assert envoyer().complet
    assert (relu(ecrit).etat, relu(ecrit).erreur, relu(ecrit).essais) == (EtatDeCourriel.ENVOYE, "", 2)


def test_une_panne_n_abandonne_jamais(anne, serveur_de_courriels):
    serveur_de_courriels.a_l_expediteur = "550 Expediteur inconnu"
    ecrit = courriel(anne)
    for _ in range(ESSAIS_AVANT_ABANDON + 2):
        assert "refuse l'expéditeur" in envoyer().raison
    assert relu(ecrit).etat == EtatDeCourriel.A_REESSAYER


def test_un_serveur_qui_coupe_apres_quelques_messages_recoit_les_autres(anne, serveur_de_courriels):
    serveur_de_courriels.par_connexion = 2
    for n in range(5):
        courriel(anne, f"essai-{n}")
    envoyer()
    assert envoyer().complet
    assert len(serveur_de_courriels.recus) == 5


# --- Refus --------------------------------------------------------------------------------------


def test_une_adresse_refusee_n_arrete_pas_les_autres_et_finit_abandonnee(anne, noe, serveur_de_courriels):
    serveur_de_courriels.a_l_adresse = {"anne@exemple.fr": "550 Boite inconnue"}
    refuse, autre = courriel(anne, "essai-1"), courriel(noe, "essai-2")
    assert envoyer().restants == 1
    assert relu(autre).etat == EtatDeCourriel.ENVOYE
    for _ in range(ESSAIS_AVANT_ABANDON - 1):
        assert relu(refuse).en_attente
        envoi = envoyer()
    assert (envoi.abandonnes, envoi.restants) == (1, 0)
    assert relu(refuse).etat == EtatDeCourriel.ABANDONNE
    assert "refuse l'adresse (550 Boite inconnue)" in relu(refuse).erreur


def test_un_message_refuse_dit_pourquoi(anne, serveur_de_courriels):
    serveur_de_courriels.au_message = "554 Contenu refuse"
    ecrit = courriel(anne)
    assert envoyer().restants == 1
    assert "refuse le message (554 Contenu refuse)" in relu(ecrit).erreur


def test_un_objet_sur_deux_lignes_n_ajoute_pas_d_en_tete_et_n_arrete_rien(anne, noe, serveur_de_courriels):
    """Aucune page n'en écrit : ce serait par une autre voie."""
    piege = courriel(anne, "essai-1", objet="À relire\nBcc: tous@exemple.fr")
    courriel(noe, "essai-2")
    envoyer()
    assert [recu["To"] for recu in serveur_de_courriels.recus] == ["noe@exemple.fr"]
    assert "ne peut pas s'écrire" in relu(piege).erreur


def test_un_intitule_sur_deux_lignes_n_ajoute_pas_d_en_tete(anne, noe, serveur_de_courriels):
    fabriques.action(intitule="L'achat <vert>\r\nBcc: tous@exemple.fr", pilote=anne)
    reaffecter(fabriques.utilisateur(Role.RESPONSABLE), anne, noe)
    envoyer()
    (recu,) = serveur_de_courriels.recus
    assert recu["Bcc"] is None
    assert "L'achat <vert>" in recu.get_body(("plain",)).get_content()
    assert "L&#x27;achat &lt;vert&gt;" in recu.get_body(("html",)).get_content()


def test_une_boite_pleine_se_represente_pendant_cinq_jours(anne, serveur_de_courriels):
    serveur_de_courriels.a_l_adresse = {"anne@exemple.fr": "452 Boite pleine"}
    ecrit = courriel(anne)
    for _ in range(ESSAIS_AVANT_ABANDON + 1):
        envoyer()
    assert relu(ecrit).en_attente
    vieillir(ecrit, "prepare_le", DELAI_D_ABANDON + datetime.timedelta(hours=1))
    assert envoyer().abandonnes == 1


def test_un_serveur_qui_ferme_est_une_panne_pas_un_refus(anne, noe, serveur_de_courriels):
    serveur_de_courriels.a_l_adresse = {"anne@exemple.fr": "421 Je ferme"}
    for destinataire in (anne, noe):
        courriel(destinataire, destinataire.courriel)
    envoyer()
    assert {c.etat for c in Courriel.objects.filter(destinataire=anne)} == {EtatDeCourriel.A_REESSAYER}
    # Le moins essayé d'abord : celui sur lequel le serveur coupe ne retient pas l'autre.
    envoyer()
    assert len(serveur_de_courriels.a("noe@exemple.fr")) == 1


# --- Un ouvrier meurt, plusieurs s'y mettent -----------------------------------------------------


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_tue_apres_l_envoi_il_laisse_un_courriel_qui_repart_sous_le_meme_identifiant(anne, serveur_de_courriels):
    """Le serveur garde le message et tarde à le dire ; le processus est tué entre les deux."""
    serveur_de_courriels.avant_de_repondre = 3
    ecrit = courriel(anne)
    env = environnement() | {"EMAIL_URL": serveur_de_courriels.adresse}
    with subprocess.Popen([sys.executable, "manage.py", "envoyer_courriels"], cwd=RACINE, env=env) as processus:
        assert serveur_de_courriels.garde.wait(30)
        processus.send_signal(signal.SIGKILL)
    serveur_de_courriels.avant_de_repondre = 0
    orphelin = relu(ecrit)
    assert orphelin.reserve_le is not None
    assert envoyer().envoyes == 0
    vieillir(orphelin, "reserve_le", RESERVATION)
    assert envoyer().envoyes == 1
    premier, second = serveur_de_courriels.recus
    assert premier["Message-ID"] == second["Message-ID"]
    # Il avait laissé en file de quoi y revenir.
    assert DBTaskResult.objects.filter(task_path=TACHE, run_after__gt=timezone.now()).exists()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_plusieurs_chaque_courriel_ne_part_qu_une_fois(anne, serveur_de_courriels):
    for n in range(12):
        courriel(anne, f"essai-{n}", objet=f"Numéro {n}")
    rendus = ensemble([envoyer for _ in range(3)])
    assert sum(rendu.envoyes for rendu in rendus) == 12
    assert sorted(recu["Subject"] for recu in serveur_de_courriels.recus) == sorted(f"Numéro {n}" for n in range(12))


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_le_vrai_ouvrier_envoie_ce_qui_vient_d_etre_prepare(anne, serveur_de_courriels):
    with transaction.atomic():
        ecrit = courriel(anne)
        envoyer_des_que_possible()
    env = environnement() | {"EMAIL_URL": serveur_de_courriels.adresse}
    subprocess.run([*OUVRIER, "--batch"], cwd=RACINE, env=env, check=True, timeout=60)
    assert relu(ecrit).etat == EtatDeCourriel.ENVOYE
    assert len(serveur_de_courriels.recus) == 1


# --- La file et la commande ----------------------------------------------------------------------


def test_rien_a_envoyer_ne_met_rien_en_file(serveur_absent):
    assert envoyer_ce_qui_attend().complet
    assert not DBTaskResult.objects.exists()


def test_une_panne_laisse_en_file_un_seul_nouvel_essai(anne, serveur_absent):
    courriel(anne)
    for _ in range(3):
        envoyer_ce_qui_attend()
    reprise = DBTaskResult.objects.get(task_path=TACHE)
    assert reprise.run_after > timezone.now() + datetime.timedelta(minutes=10)


def test_dix_preparations_ne_mettent_qu_une_tache_en_file(anne, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(10):
            envoyer_des_que_possible()
    assert DBTaskResult.objects.filter(task_path=TACHE).count() == 1


def test_la_commande_dit_la_panne_et_sort_en_erreur(anne, serveur_absent):
    courriel(anne)
    with pytest.raises(CommandError, match=r"gardé pour un nouvel essai.*est injoignable"):
        call_command("envoyer_courriels")


# --- L'administration ----------------------------------------------------------------------------

LISTE = "admin:comptes_courriel_changelist"


def page_de(compte, requete="") -> str:
    return client_de(compte).get(reverse(LISTE) + requete).content.decode()


def test_l_administrateur_voit_ce_qui_est_parti_ce_qui_attend_et_pourquoi(anne):
    courriel(anne, "essai-1", objet="Le premier", essais=2, erreur="Le serveur de courriels est injoignable.")
    courriel(anne, "essai-2", objet="Le second", envoye_le=timezone.now())
    administrateur = fabriques.utilisateur(Role.ADMINISTRATEUR)
    page = page_de(administrateur)
    assert "Le premier" in page
    assert "Le serveur de courriels est injoignable." in page
    a_reessayer = page_de(administrateur, f"?etat={EtatDeCourriel.A_REESSAYER}")
    assert ("Le premier" in a_reessayer, "Le second" in a_reessayer) == (True, False)


@pytest.mark.parametrize("etat", EtatDeCourriel)
def test_le_filtre_par_etat_dit_ce_que_dit_la_colonne(etat, anne):
    maintenant = timezone.now()
    for n, champs in enumerate(({}, {"essais": 1}, {"envoye_le": maintenant}, {"abandonne_le": maintenant})):
        courriel(anne, f"essai-{n}", **champs)
    assert [c.etat for c in Courriel.objects.dans_l_etat(etat)] == [etat]


def test_un_courriel_abandonne_se_renvoie_une_fois_par_jour(anne):
    abandonne = courriel(anne, abandonne_le=timezone.now())
    client = client_de(fabriques.utilisateur(Role.ADMINISTRATEUR))
    envoi = {"action": "renvoyer", "_selected_action": [abandonne.pk]}
    assert "1\u00a0courriel part" in client.post(reverse(LISTE), envoi, follow=True).content.decode()
    assert "déjà renvoyé aujourd" in client.post(reverse(LISTE), envoi, follow=True).content.decode()
    assert Courriel.objects.exclude(pk=abandonne.pk).get().etat == EtatDeCourriel.A_ENVOYER


# --- La réaffectation ----------------------------------------------------------------------------


@pytest.mark.parametrize("serveur", ["serveur_de_courriels", "serveur_absent", "serveur_muet"])
def test_une_reaffectation_previent_le_nouveau_ou_garde_son_courriel(serveur, anne, noe, request):
    boite = request.getfixturevalue(serveur)
    fabriques.action(intitule="Réviser l'accord-cadre", pilote=anne)
    reaffecter(fabriques.utilisateur(Role.RESPONSABLE), anne, noe)
    envoi = envoyer()
    if serveur != "serveur_de_courriels":
        assert (envoi.envoyes, envoi.restants, Courriel.objects.get().en_attente) == (0, 1, True)
        return
    (recu,) = boite.a("noe@exemple.fr")
    assert recu["Subject"].replace("\u00a0", " ") == "Vous reprenez des actions de Anne Martin : 1 action"
    assert "Réviser l'accord-cadre" in recu.get_body(("plain",)).get_content()


def test_une_reaffectation_refusee_par_le_serveur_se_dit(anne, noe, serveur_de_courriels):
    serveur_de_courriels.a_l_adresse = {"noe@exemple.fr": "550 Boite inconnue"}
    fabriques.action(pilote=anne)
    reaffecter(fabriques.utilisateur(Role.RESPONSABLE), anne, noe)
    assert "550 Boite inconnue" in envoyer().phrase
