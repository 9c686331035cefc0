"""Dupliquer un plan pour sa période suivante : ce qui est repris, ce qui ne l'est pas, une seule fois, vite."""

import datetime
import io

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from actions.duplication import apercu, dupliquer, suite_de
from actions.models import (
    Action,
    Axe,
    ChangementDeStatut,
    PartenaireDeLAction,
    PartenaireDuPlan,
    Plan,
    ReferenceCadre,
)
from actions.statuts import Priorite, Statut
from actions.suivi import RoleDePartenaire
from socle.echeances import Echeance
from tests import fabriques

pytestmark = pytest.mark.django_db

DEPART = datetime.date(2026, 1, 5)


@pytest.fixture
def responsable():
    return fabriques.utilisateur("responsable")


@pytest.fixture
def source() -> Plan:
    """Trois actions au plan, dont une au premier axe, et une retirée."""
    plan = fabriques.plan(
        intitule="Plan d'achats 2023-2025",
        annee_debut=2023,
        annee_fin=2025,
        description="Acheter mieux.",
        affiche_avancement=True,
        publie=True,
    )
    axe = Axe.objects.create(plan=plan, code="A1", intitule="Former", ordre=1)
    Axe.objects.create(plan=plan, code="A2", intitule="Outiller", ordre=2)
    reseau = fabriques.partenaire("Réseau d'essai")
    PartenaireDuPlan.objects.create(plan=plan, partenaire=reseau, ordre=4)
    fabriques.indicateur(plan, code="consultations")
    premiere = fabriques.action(
        plan,
        intitule="Former les acheteurs",
        description="Deux sessions par an.",
        axe=axe,
        pilote=fabriques.utilisateur("agent", nom="Bernard"),
        suppleant=fabriques.utilisateur("agent", nom="Petit"),
        service_pilote=fabriques.service("Achats"),
        elu_referent="Élue d'essai",
        priorite=Priorite.HAUTE,
        visible_du_public=False,
        echeance=Echeance.lire("2025"),
        date_debut=datetime.date(2023, 2, 1),
        budget_previsionnel=1000,
        budget_realise=800,
        statut=Statut.TERMINEE,
    )
    PartenaireDeLAction.objects.create(action=premiere, partenaire=reseau, role=RoleDePartenaire.PORTEUR)
    ReferenceCadre.objects.create(action=premiere, cadre="PCAET", code="4.2")
    premiere.noter("Première session tenue.", auteur=None)
    premiere.signaler("AUTRE", "La salle manque.", version=premiere.version)
    retiree = fabriques.action(plan, intitule="Abandonnée")
    retiree.retirer(auteur=None, version=retiree.version, motif="Doublon")
    fabriques.action(plan, intitule="Rédiger un guide")
    fabriques.action(plan, intitule="Sans service")
    return plan


def reprendre(source, auteur=None, **precisions) -> Plan:
    demande = {"intitule": "Plan d'achats 2026-2028", "annee_debut": 2026, "annee_fin": 2028, "depart": DEPART}
    return dupliquer(source, auteur=auteur, **(demande | precisions))[0]


def la_premiere(plan: Plan) -> Action:
    return plan.actions.get(intitule="Former les acheteurs")


# --- Ce qui est repris ----------------------------------------------------------------------------


def test_le_plan_reprend_ce_qu_il_dit_de_lui_sauf_sa_publication(source):
    plan = reprendre(source)
    assert (plan.intitule, plan.slug, plan.annee_debut, plan.annee_fin) == (
        "Plan d'achats 2026-2028",
        "plan-dachats-2026-2028",
        2026,
        2028,
    )
    assert (plan.source, plan.description, plan.affiche_avancement, plan.publie) == (
        source,
        "Acheter mieux.",
        True,
        False,
    )


def test_les_axes_sont_repris_dans_leur_ordre_meme_vides(source):
    assert list(reprendre(source).axes.values_list("code", "intitule", "ordre")) == [
        ("A1", "Former", 1),
        ("A2", "Outiller", 2),
    ]


def test_les_actions_au_plan_gardent_leur_numero_les_retirees_restent(source):
    assert list(reprendre(source).actions.values_list("numero", "intitule")) == [
        (1, "Former les acheteurs"),
        (3, "Rédiger un guide"),
        (4, "Sans service"),
    ]


def test_une_action_reprend_sa_description_son_axe_son_service_et_dit_d_ou_elle_vient(source):
    ancienne, copie = la_premiere(source), la_premiere(reprendre(source))
    assert (copie.description, copie.axe.intitule, copie.axe.plan, copie.service_pilote.nom) == (
        "Deux sessions par an.",
        "Former",
        copie.plan,
        "Achats",
    )
    assert (copie.elu_referent, copie.priorite, copie.visible_du_public) == ("Élue d'essai", "HAUTE", False)
    assert copie.source == ancienne


def test_les_partenaires_et_les_references_suivent_leur_action(source):
    copie = la_premiere(reprendre(source))
    assert [(lien.partenaire.nom, lien.role) for lien in copie.participations.all()] == [("Réseau d'essai", "PORTEUR")]
    assert [str(reference) for reference in copie.references.all()] == ["PCAET 4.2"]


def test_les_partenaires_et_les_indicateurs_du_plan_gardent_leur_place(source):
    plan = reprendre(source)
    assert [(citation.partenaire.nom, citation.ordre) for citation in plan.citations.all()] == [("Réseau d'essai", 4)]
    avant, apres = source.places_d_indicateur.get(), plan.places_d_indicateur.get()
    assert (apres.indicateur, apres.ordre, apres.chiffre_cle) == (avant.indicateur, avant.ordre, True)


def test_l_apercu_compte_ce_qui_sera_repris(source):
    prevu = apercu(source)
    plan = reprendre(source, avec_pilotes=True)
    assert (prevu.actions, prevu.axes, prevu.retirees) == (plan.actions.count(), plan.axes.count(), 1)
    assert (prevu.services, prevu.partenaires, prevu.indicateurs, prevu.pilotes) == (1, 1, 1, 2)


# --- Ce qui ne l'est pas --------------------------------------------------------------------------


def test_la_vie_de_l_action_ne_suit_pas(source):
    copie = la_premiere(reprendre(source))
    assert (copie.statut, copie.avancement, copie.echeance, copie.presence) == ("NON_INITIEE", 0, None, "ENTREE")
    assert (copie.date_debut, copie.budget_previsionnel, copie.budget_realise) == (None, None, None)
    assert (copie.attention, copie.attention_nature) == ("", "")
    assert (copie.notes.count(), copie.reportecheances.count()) == (0, 0)


def test_les_pilotes_ne_sont_repris_que_si_on_le_demande(source):
    copie = la_premiere(reprendre(source))
    assert (copie.pilote, copie.suppleant) == (None, None)
    copie = la_premiere(reprendre(source, intitule="Avec ses pilotes", avec_pilotes=True))
    assert (copie.pilote.nom, copie.suppleant.nom) == ("Bernard", "Petit")


def test_un_compte_desactive_ne_pilote_pas_la_suite(source):
    pilote = la_premiere(source).pilote
    pilote.is_active = False
    pilote.save()
    assert apercu(source).pilotes == 1
    copie = la_premiere(reprendre(source, avec_pilotes=True))
    assert (copie.pilote, copie.suppleant.nom) == (None, "Petit")


def test_le_plan_d_origine_ne_change_pas(source):
    def photo():
        return [list(modele.objects.filter(pk__in=cles[modele]).values()) for modele in cles]

    cles = {modele: set(modele.objects.values_list("pk", flat=True)) for modele in (Plan, Axe, Action)}
    cles |= {journal: set(journal.objects.values_list("pk", flat=True)) for journal in (ChangementDeStatut,)}
    avant = photo()
    reprendre(source)
    assert photo() == avant


# --- Les journaux et l'historique -----------------------------------------------------------------


def test_chaque_action_a_ses_premieres_lignes_au_depart(source, responsable):
    copie = la_premiere(reprendre(source, responsable))
    for ligne in (copie.changementdestatuts.get(), copie.presenceauplans.get()):
        assert (ligne.date_effet, ligne.auteur) == (DEPART, responsable)
        assert ligne.commentaire == "Reprise du plan « Plan d'achats 2023-2025 »."
    call_command("verifier_journal", stdout=io.StringIO())


def test_un_depart_a_venir_se_date_d_aujourd_hui_et_le_dit(source):
    depart = timezone.localdate() + datetime.timedelta(days=40)
    plan = reprendre(source, annee_fin=depart.year, annee_debut=depart.year, depart=depart)
    ligne = la_premiere(plan).changementdestatuts.get()
    assert ligne.date_effet == timezone.localdate()
    assert f"Départ prévu le {depart:%d/%m/%Y}." in ligne.commentaire
    call_command("verifier_journal", stdout=io.StringIO())


def test_un_journal_ne_commence_pas_dans_le_futur(source):
    demain = timezone.localdate() + datetime.timedelta(days=1)
    with pytest.raises(ValidationError, match="futur"):
        Action.objects.creer_en_masse([Action(plan=source, numero=9)], auteur=None, date_effet=demain)
    assert not source.actions.filter(numero=9).exists()


def test_l_historique_de_chaque_fiche_commence_avec_son_auteur(source, responsable):
    plan = reprendre(source, responsable)
    copie = la_premiere(plan)
    fiches = [plan, plan.axes.first(), copie, copie.participations.get(), copie.references.get(), plan.citations.get()]
    for fiche in [*fiches, plan.places_d_indicateur.get()]:
        version = fiche.history.get()
        assert (version.history_type, version.history_user) == ("+", responsable), fiche


def test_une_copie_se_cherche_et_se_change_comme_une_autre(source, responsable):
    copie = la_premiere(reprendre(source))
    assert Action.objects.filter(plan=copie.plan, recherche__contains=" acheteurs").get() == copie
    copie.changer_statut(Statut.EN_COURS, auteur=responsable, version=copie.version)
    copie.refresh_from_db()
    assert copie.statut == "EN_COURS"
    call_command("verifier_journal", stdout=io.StringIO())


# --- Une seule fois, et tout ou rien --------------------------------------------------------------


def test_la_meme_demande_recue_deux_fois_ne_cree_qu_un_plan(source):
    assert reprendre(source) == reprendre(source)
    assert (Plan.objects.count(), Action.objects.filter(source__isnull=False).count()) == (2, 3)


def test_deux_plans_de_meme_intitule_ont_chacun_leur_adresse(source):
    premier = reprendre(source, intitule="Plan d'achats 2023-2025")
    second = reprendre(source, intitule="Plan d'achats 2023-2025", annee_fin=2030)
    assert [plan.slug for plan in (source, premier, second)] == [
        "plan-dachats-2023-2025",
        "plan-dachats-2023-2025-2",
        "plan-dachats-2023-2025-3",
    ]


def test_deux_longs_intitules_qui_commencent_pareil_ont_chacun_leur_adresse(source):
    slugs = {reprendre(source, intitule=f"{'Acheter ' * 20}{fin}", annee_fin=fin).slug for fin in (2027, 2028)}
    assert len(slugs) == 2
    assert max(map(len, slugs)) <= 80


def test_une_annee_absurde_ne_laisse_rien_derriere_elle(source):
    with pytest.raises(ValidationError):
        reprendre(source, annee_fin=2020)
    assert (Plan.objects.count(), Axe.objects.count(), Action.objects.count()) == (1, 2, 4)


def test_un_plan_se_reprend_de_reprise_en_reprise(source):
    suivant = reprendre(reprendre(source), intitule="Plan d'achats 2029-2031", annee_debut=2029, annee_fin=2031)
    assert [action.source.plan.source for action in suivant.actions.select_related("source__plan")] == [source] * 3


# --- Les requêtes ---------------------------------------------------------------------------------


def test_le_nombre_de_requetes_ne_depend_pas_du_nombre_d_actions():
    """SQLite borne les paramètres d'une requête : une insertion en masse y prend plusieurs ordres."""
    insertions, autres = [], []
    for combien in (30, 300):
        plan = fabriques.plan()
        actions = [Action(plan=plan, numero=n, intitule=f"Action {n}") for n in range(1, combien + 1)]
        Action.objects.creer_en_masse(actions, auteur=None, date_effet=DEPART)
        with CaptureQueriesContext(connection) as requetes:
            reprendre(plan)
        ecrites = [requete for requete in requetes if requete["sql"].startswith("INSERT")]
        insertions.append(len(ecrites))
        autres.append(len(requetes) - len(ecrites))
    assert autres[0] == autres[1] <= 40
    assert insertions[1] <= 25


# --- La période suivante --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("intitule", "debut", "fin", "propose"),
    [
        ("Plan 2023-2025", 2023, 2025, ("Plan 2026-2028", 2026, 2028)),
        ("Plan 2023–2025, révisé", 2023, 2025, ("Plan 2026-2028, révisé", 2026, 2028)),
        ("Acheter mieux", 2023, 2025, ("Acheter mieux 2026-2028", 2026, 2028)),
        ("Plan 2025", 2025, 2025, ("Plan 2025 2026-2026", 2026, 2026)),
        ("Acheter mieux", None, 2025, ("Acheter mieux 2026", 2026, None)),
        ("Acheter mieux", None, None, ("Acheter mieux", None, None)),
    ],
)
def test_la_periode_proposee_suit_la_premiere(intitule, debut, fin, propose):
    suite = suite_de(fabriques.plan(intitule=intitule, annee_debut=debut, annee_fin=fin))
    assert (suite.intitule, suite.annee_debut, suite.annee_fin) == propose


def test_le_plan_qu_on_prepare_ne_prend_pas_la_place_de_celui_qui_court(source):
    cette_annee = timezone.localdate().year
    a_venir = reprendre(source, annee_debut=cette_annee + 1, annee_fin=cette_annee + 3)
    assert Plan.objects.par_defaut() == source
    commence = reprendre(source, annee_debut=cette_annee, annee_fin=cette_annee + 3)
    assert list(Plan.objects.du_plus_recent()) == [commence, source, a_venir]


# --- La page --------------------------------------------------------------------------------------


@pytest.fixture
def connecte(client, responsable):
    client.force_login(responsable)
    return client


def adresse(plan: Plan) -> str:
    return f"/plans/{plan.slug}/dupliquer/"


def demander(client, source, **precisions):
    demande = {"intitule": "Plan d'achats 2026-2028", "annee_debut": "2026", "annee_fin": "2028"}
    return client.post(adresse(source), {**demande, "depart": "05/01/2026", **precisions})


def test_la_page_dit_ce_qui_est_repris_et_ce_qui_ne_l_est_pas(connecte, source):
    page = connecte.get(adresse(source)).content.decode().replace("\u00a0", " ")
    for phrase in ("3 actions au plan", "2 axes", "1 service pilote", "1 partenaire", "1 action retirée"):
        assert phrase in page, phrase
    assert "points d'attention" in page
    assert 'value="Plan d&#x27;achats 2026-2028"' in page


def test_un_responsable_duplique_le_plan_et_arrive_a_ses_actions(connecte, source, responsable):
    reponse = demander(connecte, source)
    assert (reponse.status_code, reponse["Location"]) == (302, "/actions/?plan=plan-dachats-2026-2028")
    page = connecte.get(reponse["Location"]).content.decode()
    assert "créé, avec 3 actions, au 05/01/2026." in page
    assert Plan.objects.get(slug="plan-dachats-2026-2028").history.get().history_user == responsable


def test_un_double_envoi_mene_au_plan_deja_cree(connecte, source):
    premiere, seconde = demander(connecte, source), demander(connecte, source)
    assert premiere["Location"] == seconde["Location"]
    assert Plan.objects.count() == 2
    assert "existe déjà" in connecte.get(seconde["Location"]).content.decode()


def test_un_depart_a_venir_s_explique_a_l_ecran(connecte, source):
    depart = timezone.localdate() + datetime.timedelta(days=400)
    reponse = demander(
        connecte,
        source,
        annee_debut=str(depart.year),
        annee_fin=str(depart.year + 2),
        depart=depart.isoformat(),
    )
    assert "est à venir\u00a0: les journaux commencent aujourd" in connecte.get(reponse["Location"]).content.decode()


@pytest.mark.parametrize(
    ("precisions", "champ", "phrase"),
    [
        ({"annee_fin": "2025"}, "annee_fin", "précède la première"),
        ({"depart": "05/01/2029"}, "depart", "ne peut pas venir après"),
        ({"depart": "le 32 mars"}, "depart", "32 mars"),
        ({"intitule": "…"}, "intitule", "au moins une lettre"),
        ({"annee_debut": "20266"}, "annee_debut", "2200"),
    ],
)
def test_une_demande_fausse_se_dit_a_cote_du_champ_et_ne_perd_rien(connecte, source, precisions, champ, phrase):
    reponse = demander(connecte, source, avec_pilotes="on", **precisions)
    assert reponse.status_code == 200
    assert phrase in reponse.context["formulaire"].errors[champ][0]
    assert reponse.context["formulaire"]["avec_pilotes"].value() is True
    assert Plan.objects.count() == 1


def test_un_plan_deja_repris_le_dit(connecte, source):
    reprendre(source)
    page = connecte.get(adresse(source)).content.decode()
    assert "Ce plan a déjà été repris" in page
    assert "/actions/?plan=plan-dachats-2026-2028" in page


def test_un_plan_inconnu_est_introuvable(connecte):
    assert connecte.get("/plans/nulle-part/dupliquer/").status_code == 404


def test_la_copie_et_son_origine_se_renvoient_l_une_a_l_autre(connecte, source):
    ancienne = la_premiere(source)
    copie = la_premiere(reprendre(source))
    lien = f'Reprise de</dt><dd><a href="/actions/{ancienne.pk}/">l\'action 1</a> du plan'
    assert lien in connecte.get(f"/actions/{copie.pk}/").content.decode()
    retour = f'Reprise dans</dt><dd><a href="/actions/{copie.pk}/">'
    assert retour in connecte.get(f"/actions/{ancienne.pk}/").content.decode()


def test_le_bilan_et_l_administration_y_menent_ceux_qui_en_ont_le_droit(client, source, responsable):
    lien = f'href="{adresse(source)}"'
    client.force_login(responsable)
    assert lien in client.get("/bilans/").content.decode()
    client.force_login(fabriques.utilisateur("lecteur"))
    assert lien not in client.get("/bilans/").content.decode()
    client.force_login(fabriques.utilisateur("administrateur"))
    assert lien in client.get(f"/admin/actions/plan/{source.pk}/change/").content.decode()
