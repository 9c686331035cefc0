"""La démonstration aux données synthétiques : ce qu'elle contient, et qu'elle se répète à l'identique."""

import datetime
import io
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from actions.lots import defaire
from actions.models import (
    Action,
    Axe,
    ChangementDeStatut,
    Decision,
    Document,
    Etape,
    NoteDeSuivi,
    PartenaireDeLAction,
    Plan,
    PresenceAuPlan,
    ReferenceCadre,
    ReportEcheance,
)
from actions.requetes import CHAMPS_PROJETES
from actions.statuts import PointAttention, Priorite, Statut
from actions.suivi import PorteeDeNote, RoleDePartenaire
from comptes.models import Collectivite, Lot, Service, Utilisateur
from indicateurs.listes import Etat, EtatDeDemande, Nature, OrigineDeCible, Sens
from indicateurs.models import Cible, Indicateur, IndicateurDuPlan, ValeurAnnuelle
from indicateurs.suivi_de_collecte import tableau
from partenaires.models import Convention, Partenaire
from socle.echeances import Precision
from tests.site_complet import MAINTENANT, horloge, preparer

__all__ = ["horloge"]

# Le décor s'écrit une fois : tout le fichier va au même ouvrier.
pytestmark = pytest.mark.xdist_group("demo_complet")

AUJOURD_HUI = MAINTENANT.date()
ETE_2022 = datetime.datetime(2022, 7, 1, 9, 0, tzinfo=datetime.UTC)
FIN_D_ANNEE = [datetime.date(annee, 12, 31) for annee in range(2022, 2026)]
JOURNAUX = (ChangementDeStatut, ReportEcheance, PresenceAuPlan)
# Un fichier déposé est gardé sous un nom tiré au hasard, un contrat sous une souche ; des listes nomment des clés, et
# l'empreinte d'un résultat en dépend.
SANS_COMPARAISON = {
    "password",
    # La trace dit l'instant vrai où la démonstration a importé ses fichiers, et le numéro de l'import.
    "le",
    "details",
    "date_joined",
    "last_login",
    "fichier",
    "souche",
    "enregistrements",
    "listes",
    "empreinte",
}


def modeles() -> list:
    """Les tables du produit, liens compris ; ni l'historique, ni ce que la démonstration n'écrit pas."""
    return [
        modele
        for application in ("comptes", "partenaires", "actions", "marches", "indicateurs")
        for modele in apps.get_app_config(application).get_models(include_auto_created=True)
        if not modele.__name__.startswith("Historical")
    ]


def instantane() -> dict[str, list[dict]]:
    """Tout le contenu, chaque clé remplacée par le rang de sa ligne : deux bases ne numérotent pas pareil."""
    rangs = {
        modele: {pk: rang for rang, pk in enumerate(modele._base_manager.order_by("pk").values_list("pk", flat=True))}
        for modele in modeles()
    }

    def valeur(champ, brute):
        # Une ligne de lot nomme son objet sans clé étrangère : c'est toujours une action.
        cible = modele if champ.primary_key else Action if champ.name == "id_objet" else champ.related_model
        return rangs[cible][brute] if brute is not None and cible in rangs else brute

    contenu = {}
    for modele in modeles():
        # Un lien simple n'a pas d'ordre : Django l'écrit dans celui d'un ensemble de clés.
        lien = modele._meta.auto_created
        champs = [
            champ
            for champ in modele._meta.concrete_fields
            if champ.name not in SANS_COMPARAISON and not (lien and champ.primary_key)
        ]
        lignes = [
            {champ.name: valeur(champ, getattr(ligne, champ.attname)) for champ in champs}
            for ligne in modele._base_manager.order_by("pk")
        ]
        contenu[modele._meta.label] = sorted(lignes, key=lambda ligne: [*ligne.values()]) if lien else lignes
    return contenu


@dataclass(frozen=True)
class AutresFois:
    """Ce que la même commande écrit dans une base vide : une première fois, et à l'été 2022."""

    contenu: dict[str, list[dict]]
    a_l_ete_2022: dict[str, list[dict]]


@pytest.fixture(scope="module")
def autres_fois(django_db_setup, django_db_blocker, horloge) -> AutresFois:
    """Avant le site du fichier : il faut, à chaque fois, une base vide."""
    contenus = []
    for moment in (MAINTENANT, ETE_2022):
        with django_db_blocker.unblock(), transaction.atomic(), pytest.MonkeyPatch.context() as remplacement:
            remplacement.setattr(timezone, "now", lambda moment=moment: moment)
            preparer()
            call_command("verifier_journal", stdout=io.StringIO())
            contenus.append(instantane())
            transaction.set_rollback(True)
    return AutresFois(*contenus)


@pytest.fixture(scope="module")
def site_du_fichier(django_db_blocker, autres_fois) -> Iterator[None]:
    with django_db_blocker.unblock(), transaction.atomic():
        preparer()
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def plan(site_du_fichier, db) -> Plan:
    return Plan.objects.get()


def au_plan():
    return Action.objects.etat_au().au_plan()


# --- Le plan et ses actions -----------------------------------------------------------------------


def test_soixante_actions_sont_au_plan_et_deux_en_sont_sorties_avec_un_motif():
    assert au_plan().count() == 60
    assert Action.objects.etat_au().retirees().count() == 2
    assert not PresenceAuPlan.objects.filter(mouvement="RETRAIT", motif="").exists()


def test_une_action_est_sortie_du_plan_puis_revenue():
    retour = PresenceAuPlan.objects.get(mouvement="RETOUR")
    assert au_plan().filter(pk=retour.action_id).exists()
    retrait = retour.action.presenceauplans.get(mouvement="RETRAIT")
    assert retrait.date_effet < retour.date_effet
    assert Action.objects.etat_au(retrait.date_effet).retirees().filter(pk=retour.action_id).exists()


def test_les_intitules_sont_tous_differents_et_quelques_uns_sont_longs():
    intitules = list(Action.objects.values_list("intitule", flat=True))
    assert len(set(intitules)) == len(intitules)
    assert len([intitule for intitule in intitules if len(intitule) >= 150]) >= 2
    assert min(map(len, intitules)) < 60


def test_cinq_axes_ont_douze_actions_chacun():
    assert [axe.actions.etat_au().au_plan().count() for axe in Axe.objects.all()] == [12] * 5


def test_les_trois_statuts_sont_la_aujourd_hui():
    decompte = Action.objects.etat_au().decompte()
    assert (decompte.terminees, decompte.en_cours, decompte.non_initiees, decompte.inconnues) == (22, 27, 11, 0)


def test_rien_n_est_commence_a_l_adoption_puis_chaque_annee_en_termine():
    adoption = Action.objects.etat_au(datetime.date(2022, 1, 31)).decompte()
    assert adoption.non_initiees == adoption.total > 50
    terminees = [Action.objects.etat_au(jour).decompte().terminees for jour in FIN_D_ANNEE]
    assert terminees == sorted(set(terminees))
    assert terminees[0] > 0


def test_des_actions_entrent_au_plan_apres_son_adoption():
    annees = set(PresenceAuPlan.objects.filter(mouvement="ENTREE").values_list("date_effet__year", flat=True))
    assert annees == {2022, 2023, 2024, 2025}


def test_chaque_precision_d_echeance_est_la_et_quelques_echeances_manquent():
    precisions = list(au_plan().values_list("echeance_precision", flat=True))
    assert {precision: precisions.count(precision) >= 5 for precision in (*Precision, None)} == dict.fromkeys(
        (*Precision, None), True
    )


def test_des_actions_sont_en_retard_commencees_ou_non():
    retards = au_plan().en_retard(AUJOURD_HUI)
    assert 8 <= retards.count() <= 15
    assert set(retards.values_list("statut", flat=True)) == {Statut.EN_COURS, Statut.NON_INITIEE}


def test_chaque_report_dit_son_motif_et_precede_la_fin_de_l_action():
    reports = [ligne for ligne in ReportEcheance.objects.all() if ligne.motif]
    assert len(reports) >= 15
    assert ReportEcheance.objects.count() - len(reports) == Action.objects.exclude(reportecheances=None).count()
    for report in reports:
        fin = report.action.changementdestatuts.filter(statut=Statut.TERMINEE, corrections=None).first()
        assert fin is None or report.date_effet < fin.date_effet


def test_des_actions_sont_sans_nouvelle_depuis_plus_de_six_mois():
    muettes = au_plan().avec_silence(AUJOURD_HUI).filter(sans_nouvelle=True)
    assert 8 <= muettes.count() <= 20


def test_les_trois_natures_de_point_d_attention_sont_la():
    assert set(au_plan().avec_point_attention().values_list("attention_nature", flat=True)) == set(PointAttention)


def test_les_notes_sont_internes_ou_pour_le_bilan():
    portees = list(NoteDeSuivi.objects.values_list("portee", flat=True))
    assert {portee: portees.count(portee) >= 20 for portee in portees} == dict.fromkeys(PorteeDeNote, True)


def test_les_fiches_sont_garnies_et_inegalement():
    assert set(Action.objects.values_list("priorite", flat=True)) == {*Priorite, ""}
    for vide in ({"budget_previsionnel": None}, {"budget_realise": None}, {"description": ""}, {"suppleant": None}):
        assert 0 < Action.objects.filter(**vide).count() < Action.objects.count()
    assert {"PCAET", "SPASER", "ISO 9001"} <= set(ReferenceCadre.objects.values_list("cadre", flat=True))


def test_une_ligne_de_journal_est_corrigee():
    assert [journal.objects.exclude(annule=None).count() for journal in JOURNAUX] == [1, 0, 0]


def test_chaque_ligne_est_saisie_peu_apres_etre_devenue_vraie():
    retards = [
        (timezone.localtime(ligne.saisi_le).date() - ligne.date_effet).days
        for journal in JOURNAUX
        for ligne in journal.objects.all()
    ]
    assert min(retards) == 0
    assert max(retards) <= 60
    assert len({*retards}) > 5


def test_tel_que_saisi_en_fin_d_annee_il_manque_ce_qui_s_est_ecrit_en_janvier():
    def terminees(jour: datetime.date, saisi_au: datetime.datetime) -> int:
        return Action.objects.etat_au(jour, saisi_au).decompte().terminees

    en_fin_d_annee = [
        terminees(jour, datetime.datetime.combine(jour, datetime.time(23), tzinfo=datetime.UTC))
        for jour in FIN_D_ANNEE
    ]
    tel_que_su = [terminees(jour, MAINTENANT) for jour in FIN_D_ANNEE]
    assert sum(en_fin_d_annee) < sum(tel_que_su)


def test_l_historique_d_une_fiche_commence_avec_l_action():
    for action in Action.objects.all():
        premiere = action.history.order_by("history_date").first()
        assert premiere.history_date == action.presenceauplans.order_by("pk").first().saisi_le


def test_verifier_journal_ne_trouve_rien():
    call_command("verifier_journal", stdout=io.StringIO())


# --- Le travail de tous les jours -----------------------------------------------------------------


def test_des_etapes_sont_faites_a_faire_ou_en_retard():
    etapes = Etape.objects.all()
    faites = etapes.exclude(faite_le=None).count()
    retards = etapes.en_retard(AUJOURD_HUI).count()
    a_venir = etapes.a_faire().exclude(pk__in=etapes.en_retard(AUJOURD_HUI)).count()
    assert min(faites, retards, a_venir) >= 5, (faites, retards, a_venir)
    assert etapes.filter(action__statut=Statut.TERMINEE).exists()
    assert not etapes.a_faire().filter(action__statut=Statut.TERMINEE).exists()


def test_des_documents_sont_des_fichiers_ou_des_liens_des_preuves_certains_reserves():
    documents = Document.objects.presents()
    assert documents.count() >= 15
    for sorte in ({"preuve": True}, {"restreint": True}, {"fichier": ""}, {"type_mime": "application/pdf"}):
        assert 2 <= documents.filter(**sorte).count() < documents.count(), sorte
    liens = documents.exclude(lien="").values_list("lien", flat=True)
    assert all(urlsplit(lien).hostname.endswith(".example") for lien in liens)


def test_un_document_se_relit_et_se_dit_synthetique():
    for document in Document.objects.exclude(fichier=""):
        contenu = document.fichier.read()
        assert len(contenu) == document.taille
        assert "synthétique".encode("cp1252" if document.type_mime == "application/pdf" else "utf-8") in contenu


def test_un_document_est_depose_a_son_jour_par_quelqu_un():
    assert len({document.depose_le.year for document in Document.objects.all()}) >= 3
    for document in Document.objects.all():
        version = document.history.get()
        assert (version.history_date, version.history_user) == (document.depose_le, document.depose_par)


def test_des_comites_se_sont_tenus_avec_leurs_decisions_et_un_autre_est_prevu(plan):
    tenus = plan.comites.filter(date__lt=AUJOURD_HUI)
    assert [comite.decisions.count() for comite in tenus] == [3] * 7
    assert Decision.objects.filter(action=None).count() == 7
    prevu = plan.comites.get(date__gt=AUJOURD_HUI)
    assert not prevu.decisions.exists()


def test_une_collecte_est_en_cours_a_tous_ses_stades(plan):
    vue = tableau(plan.collectes.get())
    assert {etat for etat, nombre in vue.compte if nombre} == {
        EtatDeDemande.MANQUANTE,
        EtatDeDemande.RENVOYEE,
        EtatDeDemande.RECUE,
        EtatDeDemande.A_VALIDER,
    }


def test_une_campagne_court_et_une_partie_des_pilotes_a_repondu(plan):
    campagne = plan.campagnes.get()
    assert campagne.close_le is None
    assert campagne.avant_le > AUJOURD_HUI
    demandees = campagne.demandes.values("action")
    assert set(demandees.values_list("action", flat=True)) == set(
        au_plan().exclude(etat_statut=Statut.TERMINEE).values_list("pk", flat=True)
    )
    repondues = NoteDeSuivi.objects.filter(action__in=demandees, saisi_le__gt=campagne.lancee_le).values("action")
    assert 10 <= repondues.distinct().count() < campagne.demandes.count()
    assert campagne.demandes.filter(destinataire=None).exists()


def test_un_changement_en_nombre_peut_se_defaire():
    lot = Lot.objects.get()
    assert lot.lignes.count() >= 3
    assert not Action.objects.filter(pk__in=lot.lignes.values("id_objet")).exclude(priorite=Priorite.HAUTE).exists()
    resultat = defaire(lot, auteur=Utilisateur.objects.get(username="responsable"))
    assert (resultat.defaits, resultat.refus) == (lot.lignes.count(), [])


def test_l_agent_supplee_une_action_d_un_autre_service():
    agent = Utilisateur.objects.get(username="agent")
    assert agent.actions_suppleees.exclude(service_pilote=agent.service).count() == 1


# --- Les personnes --------------------------------------------------------------------------------


def test_l_agent_pilote_des_actions_et_son_service_en_pilote_d_autres():
    agent = Utilisateur.objects.get(username="agent")
    assert au_plan().filter(pilote=agent).count() >= 3
    assert au_plan().filter(service_pilote=agent.service).exclude(pilote=agent).count() >= 3


def test_les_pilotes_sont_actifs_et_sans_mot_de_passe():
    pilotes = Utilisateur.objects.exclude(username__in=["lecteur", "agent", "responsable", "admin"])
    assert pilotes.count() == 10
    assert all(pilote.is_active and pilote.service and not pilote.has_usable_password() for pilote in pilotes)


def test_six_services_pilotent_les_actions():
    assert Service.objects.exclude(actions=None).count() == Service.objects.count() == 6


def test_les_elus_et_la_collectivite_se_disent_fictifs():
    assert "fictive" in Collectivite.objects.get().nom
    assert all(elu.startswith("Élu·e fictif·ve") for elu in Action.objects.values_list("elu_referent", flat=True))


def test_aucune_adresse_ne_peut_etre_vraie():
    # « .example » est réservé (RFC 2606) : personne ne peut déposer un nom qui finit ainsi.
    assert all(
        site.endswith(".example/") for site in Partenaire.objects.exclude(site="").values_list("site", flat=True)
    )
    courriels = Utilisateur.objects.exclude(courriel="").values_list("courriel", flat=True)
    assert courriels
    assert all(courriel.endswith(".example") for courriel in courriels)


# --- Les partenaires ------------------------------------------------------------------------------


def test_une_dizaine_de_partenaires_de_types_varies_sont_cites_par_le_plan(plan):
    assert plan.partenaires.count() == Partenaire.objects.count() >= 10
    assert len(set(Partenaire.objects.values_list("type", flat=True))) >= 7


def test_chaque_role_de_partenaire_est_tenu():
    assert set(RoleDePartenaire) <= set(PartenaireDeLAction.objects.values_list("role", flat=True))


def test_des_conventions_sont_passees_en_cours_bientot_finies_ou_sans_fin():
    fins = list(Convention.objects.values_list("fin", flat=True))
    bientot = AUJOURD_HUI + datetime.timedelta(days=120)
    assert None in fins
    datees = [fin for fin in fins if fin]
    assert min(datees) < AUJOURD_HUI < max(datees)
    assert [fin for fin in datees if AUJOURD_HUI < fin < bientot]


# --- Les indicateurs ------------------------------------------------------------------------------


def test_huit_a_dix_indicateurs_dont_trois_chiffres_cles(plan):
    assert 8 <= Indicateur.objects.count() <= 10
    assert plan.places_d_indicateur.filter(chiffre_cle=True).count() == 3
    assert set(Indicateur.objects.values_list("nature", flat=True)) == set(Nature)


def test_les_indicateurs_courent_sur_cinq_ans_et_2026_n_est_connu_qu_en_partie():
    for indicateur in Indicateur.objects.all():
        assert set(range(2022, 2026)) <= set(indicateur.valeurs.values_list("annee", flat=True))
    connus = ValeurAnnuelle.objects.filter(annee=2026)
    assert 0 < connus.count() < Indicateur.objects.count()
    assert set(connus.values_list("etat", flat=True)) == {Etat.PROVISOIRE}


def test_une_valeur_manque_avec_son_motif_et_une_serie_est_rompue():
    assert ValeurAnnuelle.objects.filter(indisponible=True).exclude(motif_indisponibilite="").count() == 1
    assert ValeurAnnuelle.objects.exclude(rupture="").count() == 1


def test_des_parts_ont_un_denominateur_partage_et_d_autres_le_leur():
    parts = ValeurAnnuelle.objects.filter(indicateur__nature=Nature.PART)
    assert parts.filter(numerateur__isnull=False, denominateur__isnull=False).exists()
    assert parts.filter(numerateur__isnull=False, denominateur__isnull=True).exists()
    sans_taux = ValeurAnnuelle.objects.avec_valeur().filter(valeur_retenue__isnull=True, indisponible=False)
    assert not sans_taux.exists()


def test_la_part_d_achats_locaux_est_neutre_et_sans_objectif():
    locaux = Indicateur.objects.get(code="achats-locaux")
    assert locaux.sens == Sens.NEUTRE
    assert not locaux.cibles.exists()
    assert set(Indicateur.objects.values_list("sens", flat=True)) == set(Sens)


def test_les_objectifs_ont_plusieurs_origines_et_plusieurs_annees():
    assert set(Cible.objects.values_list("origine", flat=True)) == set(OrigineDeCible)
    assert len(set(Cible.objects.values_list("annee", flat=True))) >= 3


def test_chaque_indicateur_dit_sa_definition_son_calcul_sa_source_et_son_service():
    for champ in ("definition", "mode_de_calcul", "source", "unite"):
        assert not Indicateur.objects.filter(**{champ: ""}).exists(), champ
    assert not Indicateur.objects.filter(service=None).exists()
    assert Indicateur.objects.exclude(actions=None).distinct().count() >= 8
    assert IndicateurDuPlan.objects.count() == Indicateur.objects.count()


# --- La commande ----------------------------------------------------------------------------------


def test_deux_executions_donnent_le_meme_site(autres_fois):
    contenu = instantane()
    assert {table: len(lignes) for table, lignes in contenu.items()} == {
        table: len(lignes) for table, lignes in autres_fois.contenu.items()
    }
    for table, lignes in contenu.items():
        assert lignes == autres_fois.contenu[table], table


def test_ce_qui_serait_a_venir_est_omis(autres_fois):
    lignes = autres_fois.a_l_ete_2022
    for journal in JOURNAUX:
        ecrites = lignes[journal._meta.label]
        assert ecrites
        assert max(ligne["saisi_le"] for ligne in ecrites) <= ETE_2022
        prevues = [ligne for ligne in autres_fois.contenu[journal._meta.label] if ligne["saisi_le"] <= ETE_2022]
        assert len(ecrites) == len(prevues)
    assert lignes[ValeurAnnuelle._meta.label] == []


def test_chaque_fiche_passe_ses_regles():
    for modele in modeles():
        if modele._meta.auto_created:
            continue
        for objet in modele._base_manager.all():
            objet.full_clean(exclude=CHAMPS_PROJETES if modele is Action else None)


def test_relancer_ne_fait_que_remettre_les_comptes(monkeypatch):
    avant = instantane()
    monkeypatch.setenv("DEMO_MOT_DE_PASSE", "un autre mot de passe")
    preparer()
    assert instantane() == avant
    assert Utilisateur.objects.get(username="agent").check_password("un autre mot de passe")


def test_un_vrai_site_est_refuse():
    collectivite = Collectivite.objects.get()
    collectivite.demo = False
    collectivite.save()
    avant = instantane()
    with pytest.raises(CommandError, match="rien n'a été fait"):
        preparer()
    assert instantane() == avant


def test_le_plan_publie_et_le_plan_synthetique_ne_se_melangent_pas():
    with pytest.raises(CommandError, match="rien n'a été fait"):
        call_command("preparer_demo", stdout=io.StringIO())
    collectivite = Collectivite.objects.get()
    collectivite.donnees_synthetiques = False
    collectivite.save()
    with pytest.raises(CommandError, match="rien n'a été fait"):
        preparer()


def test_la_page_de_connexion_dit_que_les_donnees_sont_synthetiques(client):
    assert "Données synthétiques" in client.get("/connexion/").content.decode()
