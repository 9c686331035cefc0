"""Une campagne demande des nouvelles à chaque pilote, une fois ; qui a répondu se lit sur les actions."""

import datetime
import re
from html import unescape
from urllib.parse import quote

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from actions.models import Action, Campagne, DemandeDActualisation, Etape, NoteDeSuivi
from actions.modifications import Signature, modifier
from actions.statuts import Statut
from actions.suivi_de_campagne import tableau
from comptes.droits import Role
from comptes.envoi import envoyer
from comptes.models import Courriel
from socle.echeances import Echeance
from tests import fabriques
from tests.navigateur import cookie_de_session
from tests.sur_place import marquer, verifier_sans_rechargement
from tests.test_concurrence import ensemble
from tests.visites import LecteurDeFormulaires, client_de

pytestmark = pytest.mark.django_db

LANCER = reverse("actions:campagne_lancer")


def dans(jours: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=jours)


@pytest.fixture
def responsable():
    return fabriques.utilisateur(Role.RESPONSABLE, prenom="Rose", nom="Ponsable", courriel="rose@exemple.fr")


@pytest.fixture
def anne():
    return fabriques.utilisateur(
        Role.AGENT, prenom="Anne", nom="Martin", courriel="anne@exemple.fr", service=fabriques.service("Achats")
    )


@pytest.fixture
def noe():
    return fabriques.utilisateur(Role.AGENT, prenom="Noé", nom="Petit", courriel="noe@exemple.fr")


@pytest.fixture
def plan():
    return fabriques.plan(intitule="Plan d'achat")


@pytest.fixture
def action(plan, anne):
    return fabriques.action(plan, intitule="Réviser le guide d'achat", pilote=anne)


def lancer(plan, auteur, **options) -> Campagne:
    """Toutes les actions du plan, sans passer par la page."""
    actions = list(Action.objects.filter(plan=plan).select_related("pilote", "suppleant").order_by("numero"))
    options = {"avant_le": dans(30), "motif": "le COPIL"} | options
    return Campagne.objects.lancer(plan, actions, auteur=auteur, **options)[0]


def demande(campagne, action) -> DemandeDActualisation:
    return campagne.demandes.avec_reponse().avec_moments().get(action=action)


def relue(action) -> Action:
    return Action.objects.get(pk=action.pk)


def texte(reponse) -> str:
    sans_balises = re.sub(r"<[^>]+>", "", reponse.content.decode())
    return re.sub(r"\s+", " ", unescape(sans_balises).replace("\u00a0", " ").replace("\u202f", " "))


def formulaire(reponse) -> dict:
    tous = LecteurDeFormulaires(reponse.content.decode()).formulaires
    return next(champs for _, champs in tous if "avant_le" in champs)


def apercu(client, **champs):
    envoi = {champ: valeurs[0] for champ, valeurs in formulaire(client.get(LANCER)).items()}
    return client.post(LANCER, envoi | {"avant_le": dans(30).isoformat(), "motif": "le COPIL"} | champs)


def envoyer_les_demandes(client, vu):
    return client.post(LANCER, formulaire(vu) | {"etape": "envoyer"}, follow=True)


# --- Lancer -------------------------------------------------------------------------------------


def test_l_apercu_dit_qui_recoit_quoi_et_n_ecrit_rien(plan, responsable, anne, noe, action):
    fabriques.action(plan, pilote=anne)
    fabriques.action(plan, pilote=noe)
    vu = texte(apercu(client_de(responsable)))
    assert "3 actions demandées, 2 personnes à qui écrire" in vu
    assert "Anne Martin Achats anne@exemple.fr 2 actions" in vu
    assert (Campagne.objects.count(), Courriel.objects.count()) == (0, 0)


def test_l_apercu_nomme_ce_qui_n_a_pas_de_pilote_et_qui_ne_peut_rien_recevoir(plan, responsable):
    fabriques.action(plan, intitule="Sans personne")
    fabriques.action(plan, pilote=fabriques.utilisateur(nom="Sans-Adresse"))
    fabriques.action(plan, pilote=fabriques.utilisateur(Role.LECTEUR, nom="Lectrice", courriel="lectrice@exemple.fr"))
    parti = fabriques.utilisateur(nom="Parti", courriel="parti@exemple.fr", is_active=False)
    fabriques.action(plan, pilote=parti)
    vu = texte(apercu(client_de(responsable)))
    assert "personne ne recevra la demande 1 1. Sans personne" in vu
    assert "Sans-Adresse : son compte n'a pas d'adresse de courriel" in vu
    assert "Lectrice : son rôle ne permet pas de mettre une action à jour" in vu
    assert "Parti : son compte est désactivé" in vu
    assert "0 personne à qui écrire" in vu


def test_envoyer_les_demandes_ecrit_un_courriel_par_personne(plan, responsable, anne, noe, action):
    fabriques.action(plan, pilote=anne)
    fabriques.action(plan, pilote=noe)
    client = client_de(responsable)
    reponse = envoyer_les_demandes(client, apercu(client))
    assert "Campagne lancée : 3 actions demandées, 2 courriels partent." in texte(reponse)
    campagne = Campagne.objects.get()
    assert (campagne.plan, campagne.lancee_par, campagne.demandes.count()) == (plan, responsable, 3)
    assert {c.destinataire: c.objet for c in Courriel.objects.all()} == {
        anne: f"Merci d'actualiser vos 2 actions avant {campagne.echeance}",
        noe: f"Merci d'actualiser votre action avant {campagne.echeance}",
    }


def test_le_courriel_a_de_quoi_repondre(plan, responsable, action, settings):
    settings.ADRESSE_DU_SITE = "https://plan.exemple.fr"
    campagne = lancer(plan, responsable, message="Merci d'avance.")
    courriel = Courriel.objects.get()
    for corps in (courriel.texte, unescape(courriel.html)):
        assert "Réviser le guide d'achat" in corps
        assert f"https://plan.exemple.fr/campagnes/{campagne.pk}/repondre/" in corps
        assert "Merci d'avance." in corps
        assert "Rose Ponsable" in corps


def test_un_intitule_hostile_reste_du_texte(plan, responsable, anne):
    fabriques.action(plan, intitule="L'achat <b>vert</b> & durable", pilote=anne)
    lancer(plan, responsable, message="a < b\nBcc: tous@exemple.fr", motif="le COPIL\nBcc: tous@exemple.fr")
    courriel = Courriel.objects.get()
    assert "L'achat <b>vert</b> & durable" in courriel.texte
    assert "L&#x27;achat &lt;b&gt;vert&lt;/b&gt; &amp; durable" in courriel.html
    assert "a < b" in courriel.texte
    assert "a &lt; b" in courriel.html
    assert "\n" not in courriel.objet


@pytest.mark.parametrize(
    ("jour", "motif", "dite"),
    [
        (datetime.date(2026, 3, 12), "le COPIL", "le COPIL du 12/03"),
        (datetime.date(2026, 3, 12), "", "le 12/03"),
        (datetime.date(2027, 3, 12), "l'audit", "l'audit du 12/03/2027"),
    ],
)
def test_l_echeance_se_dit_comme_on_la_dirait(plan, jour, motif, dite):
    lancee_le = datetime.datetime(2026, 2, 1, 9, tzinfo=datetime.UTC)
    assert Campagne(plan=plan, avant_le=jour, motif=motif, lancee_le=lancee_le).echeance == dite


def test_un_double_clic_ne_lance_qu_une_campagne(plan, responsable, action):
    client = client_de(responsable)
    vu = apercu(client)
    envoyer_les_demandes(client, vu)
    assert "déjà lancée : rien n'est parti de plus" in texte(envoyer_les_demandes(client, vu))
    assert (Campagne.objects.count(), Courriel.objects.count()) == (1, 1)


def test_une_action_changee_de_mains_refait_l_apercu(plan, responsable, noe, action):
    client = client_de(responsable)
    vu = apercu(client)
    modifier(relue(action), {"pilote": noe}, Signature(responsable))
    refait = envoyer_les_demandes(client, vu)
    assert "Rien n'est parti" in texte(refait)
    assert "Noé Petit" in texte(refait)
    assert not Campagne.objects.exists()


def test_changer_la_demande_garde_ce_qui_est_tape(plan, responsable, action):
    client = client_de(responsable)
    vu = apercu(client, message="Soyez brefs.")
    repris = client.post(LANCER, formulaire(vu) | {"etape": "modifier"})
    assert "Soyez brefs." in texte(repris)
    assert formulaire(repris)["motif"] == ["le COPIL"]


@pytest.mark.parametrize(
    ("champs", "phrase"),
    [
        ({"avant_le": "01/01/2020"}, "Cette date est passée"),
        ({"avant_le": "12/13/2026"}, "il n'y a pas de mois 13"),
        ({"avant_le": ""}, "obligatoire"),
    ],
)
def test_une_date_qui_ne_va_pas_se_dit_a_cote_d_elle(champs, phrase, plan, responsable, action):
    reponse = apercu(client_de(responsable), message="Soyez brefs.", **champs)
    assert phrase in texte(reponse)
    assert "Soyez brefs." in texte(reponse)
    assert not Campagne.objects.exists()


def test_sans_action_a_mener_il_n_y_a_rien_a_demander(plan, responsable, anne):
    fabriques.action(plan, statut=Statut.TERMINEE, pilote=anne)
    assert "il n'y a rien à demander" in texte(apercu(client_de(responsable)))
    with pytest.raises(ValidationError, match="aucune action"):
        Campagne.objects.lancer(plan, [], auteur=responsable, avant_le=dans(3))


def test_on_peut_ne_demander_que_les_pressantes(plan, responsable, anne, action):
    action.noter("Tout va bien.", auteur=anne)
    fabriques.action(plan, intitule="En retard", pilote=anne, echeance=Echeance.lire("2024"))
    vu = texte(apercu(client_de(responsable), lesquelles="pressantes"))
    assert "1 action demandée" in vu
    assert "En retard" in vu


def test_ni_les_terminees_ni_les_retirees_ne_sont_demandees(plan, responsable, anne, action):
    fabriques.action(plan, statut=Statut.TERMINEE, pilote=anne)
    retiree = fabriques.action(plan, pilote=anne)
    retiree.retirer(auteur=responsable, version=retiree.version, motif="Abandonnée.")
    client = client_de(responsable)
    envoyer_les_demandes(client, apercu(client))
    assert [d.action for d in DemandeDActualisation.objects.all()] == [action]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_lancee_a_plusieurs_elle_ne_l_est_qu_une_fois(plan, responsable, action):
    rendues = ensemble([lambda: lancer(plan, responsable) for _ in range(3)])
    assert {rendue.pk for rendue in rendues} == {Campagne.objects.get().pk}
    assert (DemandeDActualisation.objects.count(), Courriel.objects.count()) == (1, 1)


# --- Suppléants ---------------------------------------------------------------------------------


def test_le_suppleant_recoit_aussi_la_demande_et_sait_qu_il_supplee(plan, responsable, anne, noe):
    fabriques.action(plan, intitule="À deux", pilote=anne, suppleant=noe)
    fabriques.action(plan, intitule="Seul", pilote=noe)
    lancer(plan, responsable)
    assert Courriel.objects.count() == 2
    de_noe = Courriel.objects.get(destinataire=noe)
    assert "vos 2 actions" in de_noe.objet
    assert re.search(r"Comme suppléant·e :\n- 1\. À deux, pilote : Anne Martin", de_noe.texte)
    assert DemandeDActualisation.objects.get(action__intitule="À deux").destinataire == anne


def test_sans_pilote_joignable_la_demande_est_celle_du_suppleant(plan, responsable, noe):
    parti = fabriques.utilisateur(nom="Parti", is_active=False)
    fabriques.action(plan, pilote=parti, suppleant=noe)
    lancer(plan, responsable)
    assert DemandeDActualisation.objects.get().destinataire == noe
    assert Courriel.objects.get().destinataire == noe


# --- Répondre -----------------------------------------------------------------------------------

GESTES = {
    "rien de nouveau": lambda action, qui: action.dire_rien_de_nouveau(auteur=qui),
    "note": lambda action, qui: action.noter("Réunion tenue.", auteur=qui),
    "statut": lambda action, qui: action.changer_statut(Statut.EN_COURS, auteur=qui, version=relue(action).version),
    "échéance": lambda action, qui: action.reporter_echeance(
        Echeance.lire("2030"), auteur=qui, version=relue(action).version
    ),
    "étape": lambda action, qui: Etape.objects.ajouter(action, intitule="Écrire le cahier des charges"),
    "retrait": lambda action, qui: action.retirer(auteur=qui, version=relue(action).version, motif="Abandonnée."),
}


@pytest.mark.parametrize("geste", GESTES)
def test_repondre_c_est_donner_des_nouvelles_de_l_action(geste, plan, responsable, anne, action):
    campagne = lancer(plan, responsable)
    assert not demande(campagne, action).repondue
    GESTES[geste](action, anne)
    assert demande(campagne, action).repondue
    assert demande(campagne, action).repondue_le > campagne.lancee_le


def test_ce_qui_precede_le_lancement_n_est_pas_une_reponse(plan, responsable, anne, action):
    for geste in ("note", "statut", "échéance", "étape"):
        GESTES[geste](action, anne)
    campagne = lancer(plan, responsable)
    assert not demande(campagne, action).repondue


def test_un_statut_annule_aussitot_n_est_pas_une_reponse(plan, responsable, anne, action):
    campagne = lancer(plan, responsable)
    ligne = action.changer_statut(Statut.EN_COURS, auteur=anne, version=relue(action).version)
    action.annuler_le_changement(ligne.pk, auteur=anne)
    assert not demande(campagne, action).repondue


def test_rien_de_nouveau_le_matin_puis_la_demande_se_redit(plan, responsable, anne, action):
    matin = action.dire_rien_de_nouveau(auteur=anne)
    campagne = lancer(plan, responsable)
    soir = action.dire_rien_de_nouveau(auteur=anne)
    assert soir != matin
    assert demande(campagne, action).repondue
    assert action.dire_rien_de_nouveau(auteur=anne) == soir
    assert NoteDeSuivi.objects.filter(action=action).count() == 2


def page_de_reponse(qui, campagne):
    return client_de(qui).get(campagne.adresse_de_reponse)


def test_une_seule_page_pour_repondre_et_elle_compte(plan, responsable, anne, noe, action):
    autres = [fabriques.action(plan, pilote=anne) for _ in range(2)]
    fabriques.action(plan, intitule="Celle de Noé", pilote=noe)
    campagne = lancer(plan, responsable)
    assert "0 sur 3 actualisées" in texte(page_de_reponse(anne, campagne))
    for fait in autres:
        client_de(anne).post(reverse("actions:rien_de_nouveau", args=[fait.pk]))
    page = texte(page_de_reponse(anne, campagne))
    assert "2 sur 3 actualisées" in page
    assert "Celle de Noé" not in page
    # Celle qui attend encore vient d'abord.
    assert page.index("Réviser le guide d'achat") < page.index(autres[0].intitule)
    action.noter("Fait.", auteur=anne)
    assert "3 sur 3 actualisées : c'est fini, merci." in texte(page_de_reponse(anne, campagne))


def test_une_note_ecrite_depuis_la_page_y_ramene(plan, responsable, anne, action):
    campagne = lancer(plan, responsable)
    adresse = reverse("actions:note", args=[action.pk]) + f"?suite={quote(campagne.adresse_de_reponse, safe='')}"
    assert adresse in page_de_reponse(anne, campagne).content.decode()
    envoi = {"version": action.version, "date": dans(0).isoformat(), "texte": "Fait.", "portee": "INTERNE"}
    reponse = client_de(anne).post(adresse, envoi)
    assert reponse["Location"] == f"{campagne.adresse_de_reponse}#action-{action.pk}"


def test_une_action_confiee_a_un_autre_est_attendue_de_lui(plan, responsable, anne, noe, action):
    campagne = lancer(plan, responsable)
    modifier(relue(action), {"pilote": noe}, Signature(responsable))
    assert "ne vous demande rien" in texte(page_de_reponse(anne, campagne))
    assert "0 sur 1 actualisée" in texte(page_de_reponse(noe, campagne))
    assert [ligne.personne for ligne in tableau(campagne).personnes] == [noe]


def test_mes_actions_dit_ce_qui_est_demande_jusqu_a_la_reponse(plan, responsable, anne, action):
    campagne = lancer(plan, responsable)

    def dit() -> bool:
        page = client_de(anne).get(reverse("actions:miennes"))
        assert (campagne.adresse_de_reponse in page.content.decode()) == ("On vous demande" in texte(page))
        return f"On vous demande d'actualiser 1 action avant {campagne.echeance} : répondre" in texte(page)

    assert dit()
    action.dire_rien_de_nouveau(auteur=anne)
    assert not dit()


# --- Suivre, relancer, clore ---------------------------------------------------------------------


def test_le_tableau_dit_qui_a_repondu(plan, responsable, anne, noe, action):
    fabriques.action(plan, pilote=anne)
    fabriques.action(plan, pilote=noe)
    fabriques.action(plan, intitule="Orpheline")
    campagne = lancer(plan, responsable)
    action.dire_rien_de_nouveau(auteur=anne)
    vu = tableau(campagne)
    assert (vu.ensemble.repondues, vu.ensemble.demandees) == (1, 4)
    lignes = {ligne.personne: (ligne.avancee.repondues, ligne.avancee.demandees) for ligne in vu.personnes}
    assert lignes == {anne: (1, 2), noe: (0, 1)}
    services = {str(ligne.service): (ligne.avancee.repondues, ligne.avancee.demandees) for ligne in vu.services}
    assert services == {"Achats": (1, 2), "None": (0, 2)}
    assert [a.intitule for a in vu.sans_personne] == ["Orpheline"]
    page = texte(client_de(responsable).get(campagne.get_absolute_url()))
    assert "1 sur 4 actions actualisées ; 0 personne sur 2 a fini" in page


def test_le_tableau_nomme_qui_prevenir_soi_meme_tant_qu_il_n_a_pas_fini(plan, responsable):
    muette = fabriques.utilisateur(nom="Sans-Adresse")
    action = fabriques.action(plan, pilote=muette)
    campagne = lancer(plan, responsable)
    assert [sans.personne for sans in tableau(campagne).injoignables] == [muette]
    action.dire_rien_de_nouveau(auteur=responsable)
    assert tableau(campagne).injoignables == []


def test_le_tableau_dit_ce_que_le_courriel_est_devenu(plan, responsable, action, serveur_de_courriels):
    serveur_de_courriels.a_l_adresse = {"anne@exemple.fr": "550 Boite inconnue"}
    campagne = lancer(plan, responsable)
    envoyer()
    assert "550 Boite inconnue" in texte(client_de(responsable).get(campagne.get_absolute_url()))


def relancer(qui, campagne):
    return client_de(qui).post(reverse("actions:campagne_relancer", args=[campagne.pk]), follow=True)


def hier(campagne) -> None:
    """Ce que la campagne a déjà écrit, elle l'a écrit la veille."""
    for courriel in Courriel.objects.filter(cle__startswith=campagne.cle):
        courriel.cle = courriel.cle.replace(dans(0).isoformat(), dans(-1).isoformat())
        courriel.save()


def test_une_relance_n_ecrit_qu_a_qui_n_a_pas_repondu(plan, responsable, anne, noe, action):
    fabriques.action(plan, pilote=noe)
    seconde = fabriques.action(plan, intitule="Déjà dite", pilote=anne)
    campagne = lancer(plan, responsable)
    hier(campagne)
    Action.objects.get(pilote=noe).dire_rien_de_nouveau(auteur=noe)
    seconde.dire_rien_de_nouveau(auteur=anne)
    assert "Relance : 1 courriel part." in texte(relancer(responsable, campagne))
    relance = Courriel.objects.latest("pk")
    assert (relance.destinataire, "Déjà dite" in relance.texte) == (anne, False)
    assert relance.objet == f"Rappel : il vous reste 1 action à actualiser avant {campagne.echeance}"


def test_une_personne_ne_recoit_qu_un_courriel_par_jour(plan, responsable, action):
    campagne = lancer(plan, responsable)
    assert "aucun courriel ne part. 1 personne a déjà reçu" in texte(relancer(responsable, campagne))
    hier(campagne)
    assert "1 courriel part" in texte(relancer(responsable, campagne))
    assert "aucun courriel ne part" in texte(relancer(responsable, campagne))
    assert Courriel.objects.count() == 2


def test_close_une_campagne_ne_demande_plus_rien(plan, responsable, anne, action):
    campagne = lancer(plan, responsable)
    for _ in range(2):
        client_de(responsable).post(reverse("actions:campagne_clore", args=[campagne.pk]))
    campagne.refresh_from_db()
    assert campagne.close_le is not None
    assert campagne.history.count() == 2
    assert "On vous demande" not in texte(client_de(anne).get(reverse("actions:miennes")))
    assert "est close" in texte(relancer(responsable, campagne))
    assert "est close" in texte(page_de_reponse(anne, campagne))


def test_une_campagne_close_par_erreur_se_rouvre(plan, responsable, anne, action):
    campagne = lancer(plan, responsable)
    campagne.clore()
    page = client_de(responsable).post(reverse("actions:campagne_rouvrir", args=[campagne.pk]), follow=True)
    assert "Campagne rouverte" in texte(page)
    assert "On vous demande" in texte(client_de(anne).get(reverse("actions:miennes")))


def test_la_liste_dit_ou_en_est_chaque_campagne(plan, responsable, anne, action):
    ouverte = lancer(plan, responsable)
    action.dire_rien_de_nouveau(auteur=anne)
    page = texte(client_de(responsable).get(reverse("actions:campagnes")))
    assert f"Actualisation avant {ouverte.echeance}" in page
    assert "1 sur 1 en cours" in page


@pytest.mark.parametrize("nom", ["actions:campagnes", "actions:campagne_lancer"])
def test_seul_qui_tient_le_plan_mene_une_campagne(nom, anne, action):
    assert client_de(anne).get(reverse(nom)).status_code == 403


# --- Vraiment envoyé ----------------------------------------------------------------------------


def test_la_campagne_arrive_dans_les_boites(plan, responsable, anne, noe, serveur_de_courriels):
    fabriques.action(plan, intitule="Réviser l'accord-cadre « été »", pilote=anne)
    fabriques.action(plan, pilote=noe)
    campagne = lancer(plan, responsable)
    assert envoyer().complet
    (recu,) = serveur_de_courriels.a("anne@exemple.fr")
    assert recu["Subject"] == f"Merci d'actualiser votre action avant {campagne.echeance}"
    parties = {partie.get_content_type(): partie.get_content() for partie in recu.iter_parts()}
    assert set(parties) == {"text/plain", "text/html"}
    assert "Réviser l'accord-cadre « été »" in parties["text/plain"]
    assert "Réviser l'accord-cadre « été »" in unescape(parties["text/html"])


@pytest.mark.parametrize("panne", ["serveur_absent", "serveur_muet"])
def test_un_serveur_en_panne_ne_perd_pas_la_campagne(panne, plan, responsable, action, request):
    request.getfixturevalue(panne)
    campagne = lancer(plan, responsable)
    assert envoyer().restants == 1
    page = texte(client_de(responsable).get(campagne.get_absolute_url()))
    assert "à réessayer : Le serveur de courriels" in page
    assert campagne.demandes.count() == 1


def test_le_tableau_ne_fait_pas_plus_de_requetes_pour_plus_d_actions(plan, responsable, anne, noe):
    client = client_de(responsable)

    def requetes(campagne) -> int:
        with CaptureQueriesContext(connection) as faites:
            assert client.get(campagne.get_absolute_url()).status_code == 200
        return len(faites)

    fabriques.action(plan, pilote=anne)
    petite = lancer(plan, responsable)
    for n in range(12):
        fabriques.action(plan, pilote=fabriques.utilisateur(courriel=f"p{n}@exemple.fr"), suppleant=noe)
    grande = lancer(plan, responsable, motif="l'audit")
    assert requetes(petite) == requetes(grande) <= 12


# --- Dans Chromium ------------------------------------------------------------------------------


@pytest.mark.navigateur
@pytest.mark.parametrize("javascript", [True, False], ids=["sur place", "sans JavaScript"])
def test_un_clic_repond_et_le_compte_suit(groupes_des_roles, ouvrir_une_fenetre, plan, anne, javascript):
    for _ in range(2):
        fabriques.action(plan, statut="EN_COURS", pilote=anne)
    campagne = lancer(plan, anne)
    fenetre = ouvrir_une_fenetre(java_script_enabled=javascript)
    page = fenetre.page
    page.context.add_cookies([cookie_de_session(anne, fenetre.origine)])
    page.goto(f"{fenetre.origine}{campagne.adresse_de_reponse}")
    expect(page.locator(".phrase")).to_have_text("0 sur 2 actualisées.")
    if javascript:
        marquer(page)
    page.get_by_role("button", name="Rien de nouveau").first.click()
    expect(page.locator(".phrase")).to_have_text("1 sur 2 actualisées.")
    expect(page.get_by_role("button", name="Rien de nouveau")).to_have_count(1)
    if javascript:
        verifier_sans_rechargement(page)
