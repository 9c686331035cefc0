"""Arrêter un bilan, le rouvrir, le publier, en noter les références : les pages, et ce qu'elles écrivent."""

import datetime
import re
from html import unescape

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from actions.models import Campagne, Plan
from actions.suivi import PorteeDeNote
from bilans.arret import arreter, bilan_de, publier, rouvrir
from bilans.contenu.schema import Portee
from bilans.controle import controler
from bilans.models import Bilan, EtatDeBilan, VersionDeBilan
from bilans.situation import situation_du_bilan
from comptes.droits import Role
from indicateurs.listes import Etat
from indicateurs.models import Collecte
from socle.echeances import Echeance
from socle.modeles import ConflitDeVersion
from tests import fabriques
from tests.fabriques_bilans import bilan_arrete, bilan_publie
from tests.visites import client_de, formulaire_de

pytestmark = pytest.mark.django_db

ANNEE = 2023
GESTES = ("preparer", "arreter", "rouvrir", "publier", "references")


@pytest.fixture
def responsable():
    return fabriques.utilisateur(Role.RESPONSABLE, username="martin", nom="Martin", prenom="Claude")


@pytest.fixture
def client(responsable) -> Client:
    return client_de(responsable)


@pytest.fixture
def plan() -> Plan:
    plan = fabriques.plan(intitule="Plan d'essai", annee_debut=2022)
    for statut in ("TERMINEE", "EN_COURS", "NON_INITIEE"):
        fabriques.action(plan, statut=statut)
    return plan


def adresse(plan: Plan, geste: str, annee: int = ANNEE) -> str:
    return reverse(f"bilans:{geste}", args=[plan.slug, annee])


def lue(reponse) -> str:
    assert reponse.status_code == 200, reponse.status_code
    return unescape(reponse.content.decode()).replace("\u00a0", " ").replace("\u202f", " ")


def envoyer(client: Client, adresse: str, **champs) -> str:
    """Ce qu'un navigateur enverrait de la page, avec ces champs-là changés ; rend la page d'après."""
    page = client.get(adresse)
    return lue(client.post(adresse, formulaire_de(page) | champs, follow=True))


def bilan(plan: Plan) -> Bilan:
    return Bilan.objects.get(plan=plan, annee=ANNEE)


# --- Arrêter -------------------------------------------------------------------------------------


def test_arreter_garde_une_version_de_l_etat_au_31_decembre(client, responsable, plan):
    page = envoyer(client, adresse(plan, "arreter"))
    version = VersionDeBilan.objects.get()
    assert "Bilan 2023 arrêté." in page
    assert (version.rang, version.auteur, version.motif) == (1, responsable, "")
    assert [action.statut.value for action in version.lu(Portee.INTERNE).actions] == [
        "TERMINEE",
        "EN_COURS",
        "NON_INITIEE",
    ]
    assert version.anomalies == []


def test_la_page_d_arret_dit_ce_qui_sera_garde(client, plan):
    fabriques.action(plan, visible_du_public=False)
    page = lue(client.get(adresse(plan, "arreter")))
    assert "1 action sur 4 terminée, 1 en cours, 2 non initiées, aucun partenaire" in page
    assert "Pour le public : 3 actions visibles sur 4" in page
    assert "Arrêter ne publie pas." in page


def test_le_meme_envoi_recu_deux_fois_ne_garde_qu_une_version(client, plan):
    envoi = formulaire_de(client.get(adresse(plan, "arreter")))
    for _ in range(2):
        assert client.post(adresse(plan, "arreter"), envoi).status_code == 302
    assert VersionDeBilan.objects.count() == 1


def test_une_annee_en_cours_ne_s_arrete_pas(client, responsable, plan):
    annee = timezone.localdate().year
    page = lue(client.get(adresse(plan, "arreter", annee)))
    assert f"L'année {annee} n'est pas finie : son bilan s'arrête à partir du 1er janvier {annee + 1}." in page
    assert f">Arrêter le bilan {annee}</button>" not in page
    page = lue(client.post(adresse(plan, "arreter", annee), {"attendue": 1, "version": 1}, follow=True))
    assert f"L'année {annee} n'est pas finie" in page
    assert not Bilan.objects.exists()


def test_une_annee_dont_rien_n_est_connu_n_a_pas_de_bilan(client, plan):
    for annee in (1991, timezone.localdate().year + 1):
        assert client.get(adresse(plan, "preparer", annee)).status_code == 404


def test_un_texte_change_pendant_la_relecture_ne_s_arrete_pas_sans_etre_relu(client, plan):
    envoi = formulaire_de(client.get(adresse(plan, "arreter")))
    envoyer(client, adresse(plan, "preparer"), avant_propos="Un autre avant-propos.")
    page = lue(client.post(adresse(plan, "arreter"), envoi, follow=True))
    assert "Ce bilan a changé entre-temps" in page
    assert not VersionDeBilan.objects.exists()


def test_un_bilan_deja_arrete_renvoie_a_sa_page(client, plan):
    bilan_arrete(plan)
    page = lue(client.get(adresse(plan, "arreter"), follow=True))
    assert "Le bilan 2023 est déjà arrêté" in page


def test_un_bilan_arrete_ne_s_arrete_de_nouveau_que_rouvert(responsable, plan):
    bilan_arrete(plan)
    with pytest.raises(ValidationError, match="déjà arrêté"):
        arreter(plan, ANNEE, auteur=responsable, attendue=2)
    assert VersionDeBilan.objects.count() == 1


def test_une_page_perimee_n_arrete_pas_une_version_de_plus(responsable, plan):
    bilan_arrete(plan)
    bilan_arrete(plan)
    rouvrir(bilan(plan), auteur=responsable, version=bilan(plan).version, motif="Encore.")
    with pytest.raises(ConflitDeVersion):
        arreter(plan, ANNEE, auteur=responsable, attendue=2)


@pytest.mark.parametrize("role", [Role.LECTEUR, Role.AGENT])
def test_seul_qui_valide_arrete_rouvre_et_publie(plan, role):
    quelqu_un = fabriques.utilisateur(role)
    version = bilan_arrete(plan)
    for geste in (
        lambda: arreter(plan, ANNEE, auteur=quelqu_un, attendue=2),
        lambda: rouvrir(version.bilan, auteur=quelqu_un, version=2, motif="x"),
        lambda: publier(version.bilan, auteur=quelqu_un, version=2),
    ):
        with pytest.raises(PermissionDenied):
            geste()
    for nom in (*GESTES, "depublier"):
        assert client_de(quelqu_un).post(adresse(plan, nom), {}).status_code == 403
    page = lue(client_de(quelqu_un).get(version.bilan.get_absolute_url()))
    assert "Rouvrir le bilan" not in page


# --- Avant d'arrêter -----------------------------------------------------------------------------


def points(plan: Plan, annee: int = ANNEE) -> dict[str, int | None]:
    return {point.titre: point.nombre for point in controler(bilan_de(plan, annee)).signales}


def test_sans_rien_a_signaler_il_ne_reste_que_les_textes(plan):
    assert points(plan) == {"Textes vides": 7}


@pytest.fixture
def plan_a_revoir(plan, responsable) -> Plan:
    """De quoi faire parler chaque point, avec un nombre qui lui est propre."""
    avant = {"statut": "EN_COURS", "date_effet": datetime.date(2022, 6, 1)}
    for _ in range(2):
        fabriques.action(plan, **avant)
    bavarde = fabriques.action(plan, **avant)
    bavarde.noter("Réunion.", auteur=responsable, le=datetime.date(2023, 5, 1), portee=PorteeDeNote.INTERNE)
    for _ in range(3):
        fabriques.action(plan, echeance=Echeance.lire("30/06/2023"))
    for _ in range(4):
        fabriques.action(plan, visible_du_public=False)
    for n in range(5):
        fabriques.indicateur(plan, code=f"sans-valeur-{n}")
    for n in range(6):
        provisoire = fabriques.indicateur(plan, code=f"provisoire-{n}")
        fabriques.valeur(provisoire, ANNEE, valeur=12, etat=Etat.PROVISOIRE)
    for n in range(7):
        validee = fabriques.indicateur(plan, code=f"validee-{n}")
        fabriques.valeur(validee, ANNEE, valeur=12, etat=Etat.VALIDEE)
    return plan


def test_chaque_point_compte_ce_qui_est_a_regarder(plan_a_revoir):
    assert points(plan_a_revoir) == {
        "Valeurs manquantes": 5,
        "Valeurs provisoires": 6,
        "Actions sans nouvelle": 2,
        "Actions en retard": 3,
        "Actions que le public ne verra pas": 4,
        "Textes vides": 7,
    }


def test_une_action_entree_sans_statut_est_de_statut_inconnu(plan):
    sans = fabriques.action(plan, date_effet=datetime.date(2023, 12, 31))
    type(sans.changementdestatuts.get())._base_manager.filter(action=sans).delete()
    assert points(plan)["Actions de statut inconnu"] == 1


def test_chaque_nombre_s_ouvre_sur_la_liste_de_ce_qu_il_compte(client, plan_a_revoir):
    inconnue = fabriques.action(plan_a_revoir)
    type(inconnue.changementdestatuts.get())._base_manager.filter(action=inconnue).delete()
    listes = [p for p in controler(bilan_de(plan_a_revoir, ANNEE)).signales if p.titre != "Textes vides"]
    assert len(listes) == 6
    for point in listes:
        compte = re.search(r'class="compte-lignes">\s*(?:<p>)?\s*(\d+)', lue(client.get(point.adresse)))
        assert compte, point
        assert int(compte[1]) == point.nombre, point


def test_une_collecte_et_une_campagne_ouvertes_se_signalent_avec_ce_qu_elles_attendent(client, responsable, plan):
    demain = timezone.localdate() + datetime.timedelta(days=1)
    fabriques.indicateur(plan, service=fabriques.service())
    collecte, _ = Collecte.objects.all().ouvrir(plan, ANNEE, auteur=responsable, avant_le=demain, message="")
    campagne, _ = Campagne.objects.lancer(plan, list(plan.actions.all()), auteur=responsable, avant_le=demain)
    trouves = {point.adresse: point.nombre for point in controler(bilan_de(plan, ANNEE)).signales}
    assert trouves[collecte.get_absolute_url()] == 1
    assert trouves[campagne.get_absolute_url()] == 3
    collecte.clore()
    campagne.clore()
    assert len(controler(bilan_de(plan, ANNEE)).signales) == 2  # la valeur qui manque, les textes


def test_ce_qui_se_signale_n_empeche_pas_d_arreter(client, plan_a_revoir):
    assert "5 indicateurs n'ont pas de valeur 2023" in lue(client.get(adresse(plan_a_revoir, "arreter")))
    envoyer(client, adresse(plan_a_revoir, "arreter"))
    assert VersionDeBilan.objects.count() == 1


def test_la_page_de_preparation_mene_a_chaque_liste(client, plan_a_revoir):
    page = lue(client.get(adresse(plan_a_revoir, "preparer")))
    for point in controler(bilan_de(plan_a_revoir, ANNEE)).signales:
        assert f'href="{point.adresse}"' in page


# --- Textes --------------------------------------------------------------------------------------


def test_les_textes_s_enregistrent_et_s_arretent_avec_le_bilan(client, plan):
    envoyer(client, adresse(plan, "preparer"), avant_propos="Une année dense.", commentaire_chiffres="En hausse.")
    envoyer(client, adresse(plan, "arreter"))
    lu = VersionDeBilan.objects.get().lu(Portee.PUBLIQUE)
    assert (lu.avant_propos, lu.commentaires) == ("Une année dense.", {"chiffres": "En hausse."})


def test_les_textes_disent_qui_les_a_ecrits(client, responsable, plan):
    envoyer(client, adresse(plan, "preparer"), avant_propos="Une année dense.")
    assert bilan(plan).history.first().history_user == responsable


def test_un_envoi_sans_changement_n_ecrit_rien(client, plan):
    envoyer(client, adresse(plan, "preparer"), avant_propos="Une année dense.")
    version = bilan(plan).version
    envoyer(client, adresse(plan, "preparer"))
    assert bilan(plan).version == version


@pytest.mark.parametrize("deja", ["", "Déjà écrit."])
def test_deux_personnes_qui_ecrivent_ne_s_ecrasent_pas(client, plan, deja):
    """La toute première saisie comprise, quand le bilan n'est pas encore enregistré."""
    if deja:
        envoyer(client, adresse(plan, "preparer"), avant_propos=deja)
    autre = client_de(fabriques.utilisateur(Role.RESPONSABLE, nom="Durand", prenom="Anne"))
    lu_par_l_autre = formulaire_de(autre.get(adresse(plan, "preparer")))
    envoyer(client, adresse(plan, "preparer"), avant_propos="Le mien.")
    page = lue(autre.post(adresse(plan, "preparer"), lu_par_l_autre | {"avant_propos": "Celui de l'autre."}))
    assert "« Le mien. » enregistré, « Celui de l'autre. » saisi" in page
    assert "Claude Martin" in page
    assert bilan(plan).avant_propos == "Le mien."
    assert formulaire_de_page(page)["avant_propos"] == ["Celui de l'autre."]


def formulaire_de_page(page: str) -> dict:
    from tests.visites import LecteurDeFormulaires

    return max((champs for _, champs in LecteurDeFormulaires(page).formulaires), key=len)


def test_ce_qui_est_tape_pendant_qu_un_autre_arrete_n_est_ni_perdu_ni_ecrit(client, plan):
    lu = formulaire_de(client.get(adresse(plan, "preparer")))
    bilan_arrete(plan)
    page = lue(client.post(adresse(plan, "preparer"), lu | {"avant_propos": "Tapé longuement."}))
    assert "Ce bilan vient d'être arrêté" in page
    assert "Tapé longuement." in page
    assert bilan(plan).avant_propos == ""


def test_une_premiere_saisie_refusee_ne_cree_pas_de_bilan(client, plan):
    demain = timezone.localdate() + datetime.timedelta(days=1)
    envoyer(client, adresse(plan, "references"), presente_en_conseil_le=demain.isoformat())
    assert not Bilan.objects.exists()


# --- Rouvrir -------------------------------------------------------------------------------------


def test_rouvrir_garde_la_version_arretee_lisible_et_publique(client, plan):
    bilan_publie(plan)
    envoyer(client, adresse(plan, "rouvrir"), motif="La valeur 2023 est fausse.")
    situation = situation_du_bilan(bilan(plan))
    assert situation.etat is EtatDeBilan.ROUVERT
    assert situation.publiee == situation.derniere
    version = lue(client.get(situation.derniere.get_absolute_url()))
    assert "La valeur 2023 est fausse." in version


def test_rouvrir_demande_un_motif_et_garde_la_page(client, plan):
    bilan_arrete(plan)
    page = envoyer(client, adresse(plan, "rouvrir"), motif="   ")
    assert "Ce champ est obligatoire" in page
    assert bilan(plan).rouvert_le is None


def test_la_nouvelle_version_porte_le_motif_et_l_ancienne_reste(client, plan):
    premiere = bilan_arrete(plan)
    envoyer(client, adresse(plan, "rouvrir"), motif="La valeur 2023 est fausse.")
    assert "« La valeur 2023 est fausse. »" in lue(client.get(adresse(plan, "arreter")))
    envoyer(client, adresse(plan, "arreter"))
    seconde = VersionDeBilan.objects.get(rang=2)
    assert seconde.motif == "La valeur 2023 est fausse."
    assert seconde.lu(Portee.INTERNE).motif == seconde.motif
    assert "La valeur 2023 est fausse." not in seconde.contenu_public
    relue = VersionDeBilan.objects.get(rang=1)
    assert (relue.contenu_interne, relue.contenu_public) == (premiere.contenu_interne, premiere.contenu_public)
    assert bilan(plan).rouvert_le is None
    assert client.get(relue.get_absolute_url()).status_code == 200


def test_rouvrir_ce_qui_n_est_pas_arrete_se_refuse(client, plan):
    assert "Ce bilan n'est pas encore arrêté" in lue(client.get(adresse(plan, "rouvrir")))
    page = lue(client.post(adresse(plan, "rouvrir"), {"motif": "Pour voir.", "version": 1}))
    assert "il n'y a rien à rouvrir" in page


def test_rouvrir_pendant_qu_un_autre_publie_garde_le_motif_et_previent(client, responsable, plan):
    bilan_arrete(plan)
    lu = formulaire_de(client.get(adresse(plan, "rouvrir")))
    publier(bilan(plan), auteur=responsable, version=bilan(plan).version)
    page = lue(client.post(adresse(plan, "rouvrir"), lu | {"motif": "Une coquille."}))
    assert "Ce bilan a changé pendant votre saisie" in page
    assert "Une coquille." in page
    assert bilan(plan).rouvert_le is None
    client.post(adresse(plan, "rouvrir"), formulaire_de_page(page))
    assert bilan(plan).motif_de_reouverture == "Une coquille."


def test_l_historique_du_bilan_date_l_arret_du_jour_de_la_version(plan, responsable):
    le = timezone.now() - datetime.timedelta(days=40)
    arreter(plan, ANNEE, auteur=responsable, attendue=1, le=le)
    assert bilan(plan).history.latest("history_id").history_date == le


# --- Publier -------------------------------------------------------------------------------------


def test_publier_dit_ce_que_le_public_verra_et_que_le_plan_est_ferme(client, plan):
    fabriques.action(plan, visible_du_public=False)
    bilan_arrete(plan)
    page = lue(client.get(adresse(plan, "publier")))
    assert "3 actions, celles qui sont visibles du public" in page
    assert "Les pages publiques de ce plan ne sont pas ouvertes" in page
    page = envoyer(client, adresse(plan, "publier"))
    assert "Bilan 2023 publié." in page
    assert bilan(plan).version_publiee.rang == 1
    assert bilan(plan).publie_le == timezone.localdate()


def test_un_bilan_publie_dans_un_plan_ferme_ne_se_dit_pas_vu_du_public(client, plan, settings):
    settings.PAGES_PUBLIQUES = True
    bilan_publie(plan)
    assert not plan.publie
    page = lue(client.get(adresse(plan, "publier")))
    assert "Le public ne voit pas encore la <a" in page
    assert "le public voit la" not in page
    assert "la relire telle qu'elle paraît</a>" in page


def test_un_bilan_publie_sur_un_site_ferme_ne_donne_pas_de_lien_vers_un_404(client, plan, settings):
    settings.PAGES_PUBLIQUES = False
    plan.publie = True
    plan.save()
    bilan_publie(plan)
    page = lue(client.get(adresse(plan, "publier")))
    assert "Les pages publiques de tout le site sont fermées" in page
    assert f'href="{reverse("publication:bilan", args=[plan.slug, ANNEE])}"' not in page


def test_le_motif_de_reouverture_se_clot_par_un_point_avant_la_suite(client, plan, responsable):
    bilan_arrete(plan)
    rouvrir(bilan(plan), auteur=responsable, version=bilan(plan).version, motif="une valeur était fausse")
    assert "« une valeur était fausse ». La version 1 vaut toujours" in lue(client.get(adresse(plan, "preparer")))


def test_la_version_publiee_le_reste_jusqu_a_ce_qu_une_autre_le_soit(client, plan, settings):
    settings.PAGES_PUBLIQUES = True
    plan.publie = True
    plan.save()
    bilan_publie(plan)
    bilan_arrete(plan)
    assert bilan(plan).version_publiee.rang == 1
    assert "le public voit la <a" in lue(client.get(adresse(plan, "publier")))
    envoyer(client, adresse(plan, "publier"))
    assert bilan(plan).version_publiee.rang == 2


def test_un_bilan_rouvert_ne_se_publie_pas(client, plan):
    bilan_arrete(plan)
    envoyer(client, adresse(plan, "rouvrir"), motif="Une coquille.")
    page = lue(client.post(adresse(plan, "publier"), {"version": bilan(plan).version}, follow=True))
    assert "seul un bilan arrêté se publie" in page
    assert bilan(plan).version_publiee is None


def test_retirer_de_la_publication_laisse_le_bilan_arrete(client, plan):
    bilan_publie(plan)
    page = lue(client.post(adresse(plan, "depublier"), {"version": bilan(plan).version}, follow=True))
    assert "retiré de la publication : il reste arrêté" in page
    assert bilan(plan).version_publiee is None
    assert situation_du_bilan(bilan(plan)).etat is EtatDeBilan.ARRETE


def test_retirer_ce_qui_n_a_jamais_ete_arrete_se_refuse(client, plan):
    page = lue(client.post(adresse(plan, "depublier"), {"version": 1}, follow=True))
    assert "il n'y a rien à retirer de la publication" in page
    assert not Bilan.objects.exists()


def test_publier_une_page_perimee_ne_publie_rien(client, plan):
    bilan_arrete(plan)
    lu = formulaire_de(client.get(adresse(plan, "publier")))
    envoyer(client, adresse(plan, "references"), numero_de_deliberation="2024-017")
    page = lue(client.post(adresse(plan, "publier"), lu, follow=True))
    assert "Ce bilan a changé entre-temps" in page
    assert bilan(plan).version_publiee is None


# --- Dates et références -------------------------------------------------------------------------


def test_les_references_s_ecrivent_apres_l_arret_sans_toucher_a_ce_qui_est_arrete(client, responsable, plan):
    avant = bilan_arrete(plan)
    page = envoyer(
        client, adresse(plan, "references"), presente_en_conseil_le="28/03/2024", numero_de_deliberation="2024-017"
    )
    assert "28/03/2024" in page
    assert "2024-017" in page
    assert bilan(plan).history.first().history_user == responsable
    apres = VersionDeBilan.objects.get()
    assert (apres.contenu_interne, apres.contenu_public) == (avant.contenu_interne, avant.contenu_public)


@pytest.mark.parametrize(
    "champ", ["presente_en_commission_le", "presente_en_conseil_le", "relu_par_la_communication_le"]
)
def test_une_date_a_venir_se_refuse_a_cote_de_son_champ(client, plan, champ):
    bilan_arrete(plan)
    demain = timezone.localdate() + datetime.timedelta(days=1)
    reponse = client.post(adresse(plan, "references"), {champ: demain.isoformat(), "version": bilan(plan).version})
    assert "Cette date est à venir" in reponse.context["formulaire"].errors[champ][0]
    assert getattr(bilan(plan), champ) is None


# --- Comptes -------------------------------------------------------------------------------------


def test_anonymiser_un_compte_ne_change_aucune_empreinte_ni_ne_laisse_son_nom(client, responsable, plan):
    pilote = fabriques.utilisateur(username="dupont", nom="Dupont", prenom="Jeanne", courriel="jd@exemple.fr")
    fabriques.action(plan, pilote=pilote, suppleant=responsable, auteur=responsable)
    envoyer(client, adresse(plan, "arreter"))
    version = VersionDeBilan.objects.get()
    assert "Claude Martin" in lue(client.get(version.get_absolute_url()))
    for rang, compte in enumerate((responsable, pilote)):
        compte.username, compte.nom, compte.prenom, compte.courriel = f"anonyme-{rang}", "Agent", "Ancien", ""
        compte.save()
    relue = VersionDeBilan.objects.get()
    assert relue.anomalies == []
    page = lue(client.get(version.get_absolute_url())).replace(reverse("account_logout"), "")
    for nom in ("Martin", "Claude", "Dupont", "Jeanne", "martin", "dupont", "jd@exemple.fr"):
        assert nom not in page
        assert nom not in relue.contenu_interne
        assert nom not in relue.contenu_public
