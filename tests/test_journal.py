"""Le temps : ce qui était vrai à une date, tel qu'on le savait à une autre, et les règles d'écriture des journaux."""

import datetime
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from actions.models import Action, ChangementDeStatut, Plan, PresenceAuPlan, ReportEcheance, SaisieTardive
from actions.requetes import condition_de_retard
from actions.statuts import Mouvement, Statut
from comptes.droits import Role
from socle.echeances import Echeance
from socle.journal import JournalInalterable
from socle.modeles import ConflitDeVersion, MiseAJourNonTracee
from tests import fabriques
from tests.horloge import horloge_au

ETAT = ("etat_statut", "etat_avancement", "etat_echeance", "etat_precision", "etat_presence")
PROJECTION = ("statut", "avancement", "echeance", "echeance_precision", "presence")
JOURNAUX = (ChangementDeStatut, ReportEcheance, PresenceAuPlan)

# --- Le rejeu naïf : la règle, écrite une seconde fois, sans SQL -----------------------------------

PREMIER_JOUR = datetime.date(2024, 3, 1)
PREMIERE_SAISIE = datetime.datetime(2024, 6, 1, 12, tzinfo=datetime.UTC)
NB_JOURS, NB_ACTIONS = 6, 3

# Ce que chaque journal peut affirmer, dans l'ordre de JOURNAUX.
VALEURS = (
    [("NON_INITIEE", 0), ("EN_COURS", None), ("EN_COURS", 40), ("TERMINEE", 100)],
    [(None, None), (datetime.date(2024, 6, 30), "TRIMESTRE"), (datetime.date(2024, 12, 31), "ANNEE")],
    [("ENTREE", "x"), ("RETRAIT", "x"), ("RETOUR", "x")],
)
CHAMPS = (("statut", "avancement"), ("echeance", "precision"), ("mouvement", "motif"))
INCONNU = ((None, None), (None, None), (None,))


@dataclass
class LigneRejouee:
    """Une ligne telle que le rejeu la retient : `rang` tient lieu d'identifiant."""

    rang: int
    action: int
    journal: int
    date_effet: datetime.date
    saisi_le: datetime.datetime
    valeurs: tuple
    annule: "LigneRejouee | None" = None
    enregistree: object = field(default=None, repr=False)


def rejouer(lignes, action, jour, saisi_au):
    """Les cinq colonnes de l'état : ce que dit, dans chaque journal, la dernière ligne connue et pas annulée."""
    connues = [ligne for ligne in lignes if saisi_au is None or ligne.saisi_le <= saisi_au]
    annulees = {ligne.annule.rang for ligne in connues if ligne.annule}
    etat = ()
    for journal, inconnu in enumerate(INCONNU):
        candidates = [
            ligne
            for ligne in connues
            if (ligne.action, ligne.journal) == (action, journal)
            and ligne.date_effet <= jour
            and ligne.rang not in annulees
        ]
        derniere = max(candidates, key=lambda ligne: (ligne.date_effet, ligne.rang), default=None)
        etat += derniere.valeurs[: len(inconnu)] if derniere else inconnu
    return etat


def suivante_attendue(lignes, nouvelle):
    """La ligne avant laquelle une saisie tardive s'insère, ou None si elle n'est pas tardive."""
    annulees = {ligne.annule.rang for ligne in lignes if ligne.annule}
    apres = [
        ligne
        for ligne in lignes
        if (ligne.action, ligne.journal) == (nouvelle.action, nouvelle.journal)
        and ligne.date_effet > nouvelle.date_effet
        and ligne.rang not in annulees
        and ligne is not nouvelle.annule
    ]
    if nouvelle.annule and nouvelle.annule.date_effet == nouvelle.date_effet:
        return None
    return min(apres, key=lambda ligne: (ligne.date_effet, ligne.rang), default=None)


# Une opération : (journal, action, jour, valeur, secondes écoulées, ligne à corriger ou None, garder sa date).
operations = st.tuples(
    st.integers(0, len(JOURNAUX) - 1),
    st.integers(0, NB_ACTIONS - 1),
    st.integers(0, NB_JOURS - 1),
    st.integers(0, 11),
    st.sampled_from([0, 0, 1, 3600]),
    st.one_of(st.none(), st.integers(0, 20)),
    st.booleans(),
)
histoires = st.lists(operations, max_size=9)
jours = st.none() | st.integers(-1, NB_JOURS).map(lambda n: PREMIER_JOUR + datetime.timedelta(days=n))
saisies = st.none() | st.sampled_from([-1, 0, 1, 2, 3599, 3600, 3601, 7200, 10**6])

# Tardive, puis correction à une autre date, puis correction de la correction : même si le hasard passe à côté.
ENCHAINEMENT = [
    (0, 0, 3, 0, 0, None, False),
    (0, 0, 1, 1, 1, None, False),
    (0, 0, 4, 3, 1, 0, False),
    (0, 0, 0, 2, 0, 2, True),
    (1, 0, 2, 1, 1, None, False),
    (2, 1, 2, 0, 3600, None, False),
]


class HistoiresQuelconques(TestCase):
    """Une classe, pour que chaque exemple d'hypothesis ait sa transaction, annulée ensuite."""

    @given(histoire=histoires, lectures=st.lists(st.tuples(jours, saisies), min_size=4, max_size=4))
    @example(histoire=ENCHAINEMENT, lectures=[(None, None), (PREMIER_JOUR, 1), (None, 0), (PREMIER_JOUR, None)])
    def test_l_etat_a_une_date_est_celui_d_un_rejeu_naif(self, histoire, lectures):
        plan = fabriques.plan()
        actions = [Action.objects.create(plan=plan, numero=n + 1, intitule="x") for n in range(NB_ACTIONS)]
        lignes: list[LigneRejouee] = []
        maintenant = PREMIERE_SAISIE
        for operation in histoire:
            maintenant += datetime.timedelta(seconds=operation[4])
            self._ecrire(lignes, actions, operation, maintenant)
            self._verifier_l_etat(plan, lignes, None, None)
            self._verifier_la_projection(actions, lignes)
        for jour, secondes in lectures:
            saisi_au = None if secondes is None else PREMIERE_SAISIE + datetime.timedelta(seconds=secondes)
            self._verifier_l_etat(plan, lignes, jour, saisi_au)

    def _ecrire(self, lignes, actions, operation, maintenant):
        journal, action, jour, valeur, _, a_corriger, meme_date = operation
        annulees = {ligne.annule.rang for ligne in lignes if ligne.annule}
        corrigibles = [ligne for ligne in lignes if ligne.rang not in annulees]
        date_effet = PREMIER_JOUR + datetime.timedelta(days=jour)
        annule = None
        if a_corriger is not None and corrigibles:
            annule = corrigibles[a_corriger % len(corrigibles)]
            journal, action = annule.journal, annule.action
            date_effet = annule.date_effet if meme_date else date_effet
        valeurs = VALEURS[journal][valeur % len(VALEURS[journal])]
        nouvelle = LigneRejouee(len(lignes), action, journal, date_effet, maintenant, valeurs, annule)
        suivante = suivante_attendue(lignes, nouvelle)

        def ecrire(**insertion):
            champs = {"date_effet": date_effet, "saisi_le": maintenant, **insertion}
            champs |= dict(zip(CHAMPS[journal], valeurs, strict=True))
            if annule:
                return annule.enregistree.corriger(**champs)
            return JOURNAUX[journal].ecrire(actions[action], **champs)

        if suivante is None:
            nouvelle.enregistree = ecrire()
        else:
            with pytest.raises(SaisieTardive) as refus:
                ecrire()
            assert refus.value.suivante == suivante.enregistree
            nouvelle.enregistree = ecrire(insere_avant=suivante.enregistree.pk)
        assert nouvelle.enregistree.saisi_le == maintenant
        lignes.append(nouvelle)

    def _verifier_l_etat(self, plan, lignes, jour, saisi_au):
        with self.assertNumQueries(1):
            lu = list(Action.objects.filter(plan=plan).order_by("numero").etat_au(jour, saisi_au).values_list(*ETAT))
        attendu = [rejouer(lignes, n, jour or timezone.localdate(), saisi_au) for n in range(NB_ACTIONS)]
        assert lu == attendu, f"état au {jour}, saisi au {saisi_au}, après {lignes}"

    def _verifier_la_projection(self, actions, lignes):
        for n, action in enumerate(actions):
            action.refresh_from_db()
            assert tuple(getattr(action, champ) for champ in PROJECTION) == rejouer(
                lignes, n, timezone.localdate(), None
            )


# --- Lecture --------------------------------------------------------------------------------------


@pytest.fixture
def auteur(db):
    return fabriques.utilisateur(Role.RESPONSABLE)


@pytest.fixture
def action(db):
    """Non initiée depuis le 31/12/2023."""
    return fabriques.action()


def le(jour, mois, annee=2024):
    return datetime.date(annee, mois, jour)


def etat(action, jour=None, saisi_au=None):
    lue = Action.objects.etat_au(jour, saisi_au).get(pk=action.pk)
    return SimpleNamespace(**{champ: getattr(lue, champ) for champ in ETAT})


def version_de(action) -> int:
    return Action.objects.get(pk=action.pk).version


def changer(action, statut, **options):
    """Change le statut avec la version enregistrée, comme un formulaire tout juste ouvert."""
    action.refresh_from_db()
    options.setdefault("auteur", None)
    return action.changer_statut(statut, version=action.version, **options)


def test_avant_la_premiere_ligne_tout_est_inconnu(action):
    veille = etat(action, le(30, 12, 2023))
    assert set(vars(veille).values()) == {None}


def test_une_date_a_venir_se_lit_comme_aujourd_hui(action):
    demain = timezone.localdate() + datetime.timedelta(days=1)
    assert etat(action, demain) == etat(action)


def test_etat_au_fait_une_requete_quel_que_soit_le_nombre_d_actions(action, django_assert_num_queries):
    for _ in range(5):
        fabriques.action(action.plan)
    with django_assert_num_queries(1):
        assert len(list(Action.objects.etat_au(le(1, 1), timezone.now()))) == 6


def test_le_decompte_d_une_date_fait_une_requete_et_laisse_de_cote_les_inconnues(action, django_assert_num_queries):
    changer(action, Statut.EN_COURS, date_effet=le(1, 3))
    plan = action.plan
    with django_assert_num_queries(1):
        decompte = plan.actions.etat_au(le(1, 2)).decompte()
    assert (decompte.non_initiees, decompte.en_cours, decompte.total) == (1, 0, 1)
    assert plan.actions.etat_au(le(1, 12, 2023)).decompte().total == 0


def test_une_action_au_plan_sans_statut_compte_comme_inconnue(db):
    action = Action.objects.create(plan=fabriques.plan(), numero=1, intitule="x")
    PresenceAuPlan.ecrire(action, date_effet=le(1, 1), mouvement=Mouvement.ENTREE)
    decompte = action.plan.actions.etat_au().decompte()
    assert (decompte.inconnues, decompte.total) == (1, 1)


# --- Seuls les journaux écrivent la projection ----------------------------------------------------


def test_enregistrer_l_action_n_ecrit_pas_les_champs_projetes(action):
    action.statut, action.avancement = Statut.TERMINEE, 100
    action.echeance, action.echeance_precision, action.presence = le(1, 1), "JOUR", Mouvement.RETRAIT
    action.intitule = "Autre intitulé"
    action.save()
    action.refresh_from_db()
    assert [getattr(action, champ) for champ in PROJECTION] == [Statut.NON_INITIEE, 0, None, None, Mouvement.ENTREE]
    assert action.intitule == "Autre intitulé"


def test_creer_l_action_n_ecrit_pas_les_champs_projetes(db):
    action = Action(plan=fabriques.plan(), numero=1, intitule="x", statut=Statut.TERMINEE, avancement=100)
    action.save()
    action.refresh_from_db()
    assert action.statut is None


@pytest.mark.parametrize("champ", PROJECTION)
def test_enregistrer_nommement_un_champ_projete_est_refuse(action, champ):
    with pytest.raises(TypeError, match="journal"):
        action.save(update_fields=["intitule", champ])


def test_la_modification_en_masse_d_un_champ_projete_est_refusee(action):
    action.statut, action.avancement = Statut.TERMINEE, 100
    with pytest.raises(TypeError, match="journal"):
        Action.objects.bulk_update([action], ["statut", "avancement"])


def modeles_suivis():
    return [m for m in apps.get_models() if hasattr(m, "history") and not m.__name__.startswith("Historical")]


@pytest.mark.django_db
@pytest.mark.parametrize("modele", modeles_suivis(), ids=lambda modele: modele.__name__)
def test_update_est_refuse_sur_une_table_suivie(modele):
    with pytest.raises(MiseAJourNonTracee, match="bulk_update_with_history"):
        modele.objects.all().update(id=1)


def test_update_est_refuse_a_travers_une_relation(action):
    with pytest.raises(MiseAJourNonTracee):
        action.plan.actions.update(intitule="x")


# --- Un journal s'ajoute et se lit ----------------------------------------------------------------


@pytest.fixture(params=JOURNAUX, ids=lambda journal: journal.__name__)
def ligne(request, action):
    """La dernière ligne de chacun des trois journaux d'une action."""
    if request.param is ReportEcheance:
        action.reporter_echeance(Echeance.lire("2024"), auteur=None, version=action.version)
    return request.param.objects.get(action=action)


def test_une_ligne_ne_s_enregistre_pas_une_seconde_fois(ligne):
    ligne.commentaire = "réécrit"
    with pytest.raises(JournalInalterable):
        ligne.save()
    with pytest.raises(JournalInalterable):
        ligne.save(update_fields=["commentaire"])
    ligne.refresh_from_db()
    assert ligne.commentaire == ""


def test_une_ligne_ne_se_supprime_pas(ligne):
    with pytest.raises(JournalInalterable):
        ligne.delete()
    with pytest.raises(JournalInalterable):
        type(ligne).objects.filter(pk=ligne.pk).delete()
    assert type(ligne).objects.filter(pk=ligne.pk).exists()


def test_une_ligne_ne_se_modifie_pas_en_masse(ligne):
    ligne.commentaire = "réécrit"
    with pytest.raises(JournalInalterable):
        type(ligne).objects.update(commentaire="réécrit")
    with pytest.raises(JournalInalterable), transaction.atomic():
        type(ligne).objects.bulk_update([ligne], ["commentaire"])
    with pytest.raises(JournalInalterable):
        type(ligne).objects.update_or_create(pk=ligne.pk, defaults={"commentaire": "réécrit"})


def test_une_action_qui_a_un_journal_ne_se_supprime_pas(action):
    with pytest.raises(ProtectedError):
        action.delete()


# --- Règles d'écriture : la date d'effet ----------------------------------------------------------


def erreurs(refus):
    return refus.value.message_dict


def test_une_date_d_effet_future_est_refusee(action):
    demain = timezone.localdate() + datetime.timedelta(days=1)
    with pytest.raises(ValidationError) as refus:
        changer(action, Statut.EN_COURS, date_effet=demain)
    assert "futur" in erreurs(refus)["date_effet"][0]
    assert action.changementdestatuts.count() == 1


def test_aujourd_hui_est_la_date_d_effet_par_defaut(action):
    assert changer(action, Statut.EN_COURS).date_effet == timezone.localdate()


def test_aujourd_hui_est_le_jour_de_paris(action, monkeypatch):
    # 23:30 UTC le 31 mars est déjà le 1er avril à Paris.
    monkeypatch.setattr(timezone, "now", lambda: datetime.datetime(2025, 3, 31, 23, 30, tzinfo=datetime.UTC))
    assert changer(action, Statut.EN_COURS, date_effet=le(1, 4, 2025)).date_effet == le(1, 4, 2025)
    with pytest.raises(ValidationError, match="futur"):
        changer(action, Statut.TERMINEE, date_effet=le(2, 4, 2025))


def test_une_ligne_sans_date_d_effet_est_refusee(action):
    with pytest.raises(ValidationError) as refus:
        ChangementDeStatut.ecrire(action, date_effet=None, statut=Statut.EN_COURS)
    assert "date_effet" in erreurs(refus)


def test_une_saisie_tardive_est_refusee_tant_qu_on_ne_le_dit_pas(action):
    mars = changer(action, Statut.TERMINEE, date_effet=le(1, 3))
    with pytest.raises(SaisieTardive, match="01/03/2024") as refus:
        changer(action, Statut.EN_COURS, date_effet=le(1, 2))
    assert refus.value.suivante == mars
    assert action.changementdestatuts.count() == 2


def test_une_saisie_tardive_annoncee_change_le_passe_et_pas_aujourd_hui(action):
    mars = changer(action, Statut.TERMINEE, date_effet=le(1, 3))
    changer(action, Statut.EN_COURS, date_effet=le(1, 2), insere_avant=mars.pk)
    assert etat(action, le(15, 2)).etat_statut == Statut.EN_COURS
    assert etat(action, le(1, 3)).etat_statut == Statut.TERMINEE
    action.refresh_from_db()
    assert action.statut == Statut.TERMINEE


def test_une_place_perimee_est_refusee_et_nomme_la_nouvelle_suivante(action):
    avril = changer(action, Statut.TERMINEE, date_effet=le(1, 4))
    mars = changer(action, Statut.EN_COURS, date_effet=le(1, 3), insere_avant=avril.pk)
    with pytest.raises(SaisieTardive) as refus:
        changer(action, Statut.EN_COURS, avancement=10, date_effet=le(1, 2), insere_avant=avril.pk)
    assert refus.value.suivante == mars


def test_une_saisie_tardive_se_place_avant_la_premiere_des_suivantes(action):
    mars = changer(action, Statut.EN_COURS, date_effet=le(1, 3))
    changer(action, Statut.TERMINEE, date_effet=le(1, 4))
    with pytest.raises(SaisieTardive) as refus:
        changer(action, Statut.EN_COURS, avancement=10, date_effet=le(1, 2))
    assert refus.value.suivante == mars


def test_une_ligne_corrigee_ne_rend_pas_tardive_celle_qui_la_precede(action):
    mars = changer(action, Statut.TERMINEE, date_effet=le(1, 3))
    mars.corriger(statut=Statut.EN_COURS, avancement=None, date_effet=le(1, 1))
    changer(action, Statut.TERMINEE, date_effet=le(1, 2))
    assert etat(action).etat_statut == Statut.TERMINEE


def test_une_horloge_qui_recule_ne_desordonne_pas_les_saisies(action):
    demain = timezone.now() + datetime.timedelta(days=1)
    premiere = ChangementDeStatut.ecrire(action, date_effet=le(1, 3), statut=Statut.EN_COURS, saisi_le=demain)
    seconde = changer(action, Statut.TERMINEE, avancement=100, date_effet=le(1, 4))
    assert seconde.saisi_le == premiere.saisi_le == demain


# --- Règles d'écriture : statut et avancement -----------------------------------------------------


@pytest.mark.parametrize(
    ("statut", "avancement"),
    [
        (Statut.TERMINEE, 40),
        (Statut.TERMINEE, 0),
        (Statut.EN_COURS, 0),
        (Statut.EN_COURS, 100),
        (Statut.NON_INITIEE, 10),
    ],
)
def test_un_avancement_incoherent_est_refuse(action, statut, avancement):
    with pytest.raises(ValidationError, match="1 à 99"):
        changer(action, statut, avancement=avancement)
    action.refresh_from_db()
    assert (action.statut, action.avancement) == (Statut.NON_INITIEE, 0)


@pytest.mark.parametrize(("statut", "avancement"), [(Statut.TERMINEE, 100), (Statut.EN_COURS, None)])
def test_l_avancement_non_dit_est_celui_que_le_statut_impose(action, statut, avancement):
    assert changer(action, statut).avancement == avancement


def test_un_statut_inconnu_est_refuse(action):
    with pytest.raises(ValidationError) as refus:
        changer(action, "ABANDONNEE")
    assert "statut" in erreurs(refus)
    assert action.changementdestatuts.count() == 1


def test_redire_le_meme_statut_a_la_meme_date_est_refuse(action):
    changer(action, Statut.EN_COURS, avancement=40, date_effet=le(1, 3))
    with pytest.raises(ValidationError, match="rien à changer") as refus:
        changer(action, Statut.EN_COURS, avancement=40, date_effet=le(1, 3))
    assert "statut" in erreurs(refus)
    assert changer(action, Statut.EN_COURS, avancement=50, date_effet=le(1, 3)).avancement == 50


def test_a_date_egale_la_derniere_saisie_l_emporte(action):
    changer(action, Statut.EN_COURS, date_effet=le(1, 3))
    changer(action, Statut.TERMINEE, date_effet=le(1, 3))
    assert etat(action, le(1, 3)).etat_statut == Statut.TERMINEE


# --- Corrections ----------------------------------------------------------------------------------


def test_une_correction_garde_les_deux_lignes_et_ce_qu_on_croyait(action):
    fausse = changer(action, Statut.TERMINEE, date_effet=le(1, 3))
    juste = fausse.corriger(statut=Statut.EN_COURS, avancement=90, saisi_le=fausse.saisi_le + datetime.timedelta(1))
    assert list(action.changementdestatuts.order_by("pk"))[-2:] == [fausse, juste]
    assert juste.annule == fausse
    assert etat(action, le(1, 3)).etat_avancement == 90
    assert etat(action, le(1, 3), fausse.saisi_le).etat_statut == Statut.TERMINEE


def test_corriger_le_statut_seul_reprend_l_avancement_que_ce_statut_impose(action):
    fausse = changer(action, Statut.EN_COURS, avancement=40, date_effet=le(1, 3))
    assert fausse.corriger(statut=Statut.TERMINEE).avancement == 100


def test_corriger_la_date_seule_garde_le_statut_et_l_avancement(action):
    fausse = changer(action, Statut.EN_COURS, avancement=40, date_effet=le(1, 3))
    juste = fausse.corriger(date_effet=le(1, 2))
    assert (juste.statut, juste.avancement, juste.date_effet) == (Statut.EN_COURS, 40, le(1, 2))
    assert etat(action, le(15, 2)).etat_avancement == 40


def test_une_ligne_ne_se_corrige_qu_une_fois(action):
    fausse = changer(action, Statut.TERMINEE, date_effet=le(1, 3))
    juste = fausse.corriger(statut=Statut.EN_COURS)
    with pytest.raises(ValidationError, match="déjà été corrigée"):
        fausse.corriger(statut=Statut.NON_INITIEE)
    assert juste.corriger(statut=Statut.TERMINEE).annule == juste


def test_une_correction_ne_prend_pas_la_ligne_d_une_autre_action(action):
    autre = fabriques.action().changementdestatuts.get()
    with pytest.raises(ValidationError, match="autre action"):
        ChangementDeStatut.ecrire(action, date_effet=autre.date_effet, annule=autre, statut=Statut.EN_COURS)


def test_corriger_un_retrait_ou_un_report_reprend_son_motif(action):
    retrait = action.retirer(auteur=None, version=version_de(action), motif="Doublon", date_effet=le(1, 3))
    assert retrait.corriger(date_effet=le(1, 2)).motif == "Doublon"
    report = ReportEcheance.ecrire(action, date_effet=le(1, 3), echeance=le(30, 6), precision="JOUR", motif="Marché")
    assert report.corriger(echeance=le(1, 7)).motif == "Marché"


# --- Échéances ------------------------------------------------------------------------------------


def reporter(action, echeance, **options):
    action.refresh_from_db()
    return action.reporter_echeance(
        echeance and Echeance.lire(echeance), auteur=None, version=action.version, **options
    )


def test_la_premiere_echeance_se_donne_sans_motif_et_la_suivante_avec(action):
    reporter(action, "T2 2026")
    with pytest.raises(ValidationError) as refus:
        reporter(action, "2026", motif="  ")
    assert "motif" in erreurs(refus)
    assert reporter(action, "2026", motif="Attente du marché").motif == "Attente du marché"
    action.refresh_from_db()
    assert (action.echeance, action.echeance_precision) == (le(31, 12, 2026), "ANNEE")


def test_retirer_une_echeance_demande_un_motif(action):
    reporter(action, "2026")
    with pytest.raises(ValidationError) as refus:
        reporter(action, None)
    assert "motif" in erreurs(refus)
    reporter(action, None, motif="Plus de terme")
    assert etat(action).etat_echeance is None


def test_redonner_la_meme_echeance_est_refuse(action):
    reporter(action, "2026")
    with pytest.raises(ValidationError, match="rien à changer"):
        reporter(action, "2026", motif="x")


def test_preciser_une_echeance_qui_finit_le_meme_jour_est_un_changement(action):
    reporter(action, "2026")
    assert reporter(action, "T4 2026", motif="Précisé").precision == "TRIMESTRE"


# --- Présence au plan -----------------------------------------------------------------------------


def test_un_retrait_sans_motif_est_refuse(action):
    with pytest.raises(ValidationError, match="motif"):
        action.retirer(auteur=None, version=version_de(action), motif="  ")
    assert action.plan.actions.etat_au().decompte().total == 1


def test_une_action_retiree_sort_du_decompte_et_reste_dans_l_histoire(action):
    action.retirer(auteur=None, version=version_de(action), motif="Fusionnée", date_effet=le(1, 3))
    assert action.plan.actions.etat_au().decompte().total == 0
    assert list(action.plan.actions.etat_au().retirees()) == [action]
    assert action.plan.actions.etat_au(le(1, 2)).decompte().total == 1
    assert action.presenceauplans.count() == 2


def test_une_action_remise_au_plan_revient_au_decompte(action):
    action.retirer(auteur=None, version=version_de(action), motif="Fusionnée", date_effet=le(1, 3))
    action.remettre(auteur=None, version=version_de(action), date_effet=le(1, 4))
    assert action.plan.actions.etat_au().decompte().total == 1
    assert action.plan.actions.etat_au(le(15, 3)).decompte().total == 0


def test_on_ne_retire_ni_ne_remet_deux_fois(action):
    with pytest.raises(ValidationError, match="déjà au plan"):
        action.remettre(auteur=None, version=version_de(action))
    action.retirer(auteur=None, version=version_de(action), motif="Fusionnée")
    with pytest.raises(ValidationError, match="déjà retirée"):
        action.retirer(auteur=None, version=version_de(action), motif="Fusionnée")


# --- Versions -------------------------------------------------------------------------------------


def test_chaque_ecriture_avance_la_version_d_un(action):
    version = action.version
    changer(action, Statut.EN_COURS)
    action.refresh_from_db()
    assert action.version == version + 1


def test_une_version_perimee_est_un_conflit_et_rien_n_est_ecrit(action, auteur):
    lue = action.version
    action.changer_statut(Statut.EN_COURS, auteur=fabriques.utilisateur(), version=lue)
    with pytest.raises(ConflitDeVersion) as refus:
        action.changer_statut(Statut.TERMINEE, auteur=auteur, version=lue)
    assert refus.value.actuelle.statut == Statut.EN_COURS
    assert action.changementdestatuts.count() == 2
    action.refresh_from_db()
    assert action.version == lue + 1


def test_le_meme_geste_recu_deux_fois_ne_s_ecrit_qu_une(action, auteur):
    geste = {"auteur": auteur, "version": action.version, "commentaire": "Réunion du 3 mars "}
    premiere = action.changer_statut(Statut.EN_COURS, **geste)
    assert action.changer_statut(Statut.EN_COURS, **geste) == premiere
    assert action.changementdestatuts.count() == 2


@pytest.mark.parametrize(
    "autre",
    [
        {"statut": Statut.TERMINEE},
        {"avancement": 30},
        {"commentaire": "Autre commentaire"},
        {"date_effet": datetime.date(2024, 1, 2)},
    ],
    ids=lambda autre: next(iter(autre)),
)
def test_le_meme_auteur_avec_un_autre_contenu_est_en_conflit(action, auteur, autre):
    geste = {"statut": Statut.EN_COURS, "auteur": auteur, "version": action.version, "date_effet": le(1, 1)}
    action.changer_statut(**geste)
    with pytest.raises(ConflitDeVersion):
        action.changer_statut(**{**geste, **autre})
    assert action.changementdestatuts.count() == 2


def test_le_meme_contenu_d_un_autre_auteur_est_en_conflit(action, auteur):
    lue = action.version
    action.changer_statut(Statut.EN_COURS, auteur=auteur, version=lue)
    with pytest.raises(ConflitDeVersion):
        action.changer_statut(Statut.EN_COURS, auteur=fabriques.utilisateur(), version=lue)


def test_deux_versions_de_retard_est_un_conflit_meme_pour_le_meme_contenu(action, auteur):
    lue = action.version
    action.changer_statut(Statut.EN_COURS, auteur=auteur, version=lue)
    action.refresh_from_db()
    action.save()
    with pytest.raises(ConflitDeVersion):
        action.changer_statut(Statut.EN_COURS, auteur=auteur, version=lue)


def test_un_report_recu_deux_fois_ne_s_ecrit_qu_une(action, auteur):
    geste = {"auteur": auteur, "version": action.version}
    premier = action.reporter_echeance(Echeance.lire("T2 2026"), **geste)
    assert action.reporter_echeance(Echeance.lire("T2 2026"), **geste) == premier
    with pytest.raises(ConflitDeVersion):
        action.reporter_echeance(Echeance.lire("T3 2026"), **geste)
    assert action.reportecheances.count() == 1


def test_une_premiere_echeance_donnee_sur_une_version_perimee_est_un_conflit(action, auteur):
    lue = action.version
    action.save()
    with pytest.raises(ConflitDeVersion):
        action.reporter_echeance(Echeance.lire("2026"), auteur=auteur, version=lue)


def test_un_point_d_attention_recu_deux_fois_ne_s_ecrit_qu_une(action):
    lue = action.version
    premier = action.signaler("ARBITRAGE", "Budget à trancher", version=lue)
    assert action.signaler("ARBITRAGE", "Budget à trancher", version=lue).version == premier.version == lue + 1
    with pytest.raises(ConflitDeVersion):
        action.signaler("AUTRE", "Budget à trancher", version=lue)


# --- Retard ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("echeance", "dernier_jour"),
    [("T2 2024", le(30, 6)), ("2024", le(31, 12)), ("15/05/2024", le(15, 5))],
)
def test_une_periode_n_est_en_retard_qu_une_fois_finie(action, echeance, dernier_jour):
    reporter(action, echeance)
    lendemain = dernier_jour + datetime.timedelta(days=1)
    assert not Action.objects.etat_au().en_retard(dernier_jour).exists()
    assert Action.objects.etat_au().en_retard(lendemain).get() == action
    assert Action.objects.etat_au().avec_retard(dernier_jour).get().est_en_retard is False
    assert Action.objects.etat_au().avec_retard(lendemain).get().est_en_retard is True


def test_une_action_terminee_n_est_jamais_en_retard(action):
    reporter(action, "2023")
    changer(action, Statut.TERMINEE)
    assert not Action.objects.etat_au().en_retard(timezone.localdate()).exists()
    assert Action.objects.etat_au().avec_retard(timezone.localdate()).get().est_en_retard is False


def test_une_action_au_statut_inconnu_peut_etre_en_retard(db):
    action = Action.objects.create(plan=fabriques.plan(), numero=1, intitule="x")
    reporter(action, "2024")
    assert Action.objects.etat_au().en_retard(le(1, 1, 2025)).get() == action


def test_sans_echeance_le_retard_n_est_pas_calculable(action):
    assert Action.objects.etat_au().avec_retard(timezone.localdate()).get().est_en_retard is None
    assert not Action.objects.etat_au().en_retard(timezone.localdate()).exists()


class RetardEnSQL(TestCase):
    @given(
        texte=st.sampled_from(["2023", "2024", "T1 2024", "T2 2024", "29/02/2024", "30/06/2024", "31/12/2024"]),
        jour=st.dates(datetime.date(2023, 12, 1), datetime.date(2025, 2, 1)),
    )
    @example(texte="T2 2024", jour=datetime.date(2024, 6, 30))
    @example(texte="T2 2024", jour=datetime.date(2024, 7, 1))
    def test_le_retard_en_sql_est_celui_de_l_echeance(self, texte, jour):
        action = fabriques.action()
        reporter(action, texte)
        en_sql = Action.objects.etat_au().filter(condition_de_retard(jour)).exists()
        assert en_sql == Echeance.lire(texte).est_depassee(jour)


def test_le_plan_entier_se_lit_par_le_manager_de_relation(action):
    assert Plan.objects.get().actions.etat_au().de_statut(Statut.NON_INITIEE).get() == action


def test_deux_retraits_du_meme_auteur_n_en_font_qu_un(action, auteur):
    version = action.version
    premier = action.retirer(auteur=auteur, version=version, motif="Doublon")
    assert action.retirer(auteur=auteur, version=version, motif="Doublon") == premier


def test_un_retrait_sur_une_version_perimee_est_un_conflit(action, auteur):
    version = action.version
    changer(action, "EN_COURS")
    with pytest.raises(ConflitDeVersion):
        action.retirer(auteur=auteur, version=version, motif="Doublon")
    assert action.presenceauplans.count() == 1


@pytest.mark.django_db
def test_une_horloge_reculee_ne_perd_pas_le_dernier_etat_inscrit():
    """Inscrite avant que l'horloge recule, une ligne est du lendemain : une saisie tardive ne la fait pas oublier."""
    auteur = fabriques.utilisateur(Role.RESPONSABLE)
    with horloge_au(2024, 6, 2) as horloge:
        action = fabriques.action(auteur=auteur, date_effet=datetime.date(2024, 6, 1))
        le_lendemain = action.changer_statut("TERMINEE", auteur=auteur, version=action.version)
        horloge.aller(2024, 6, 1)
        action.refresh_from_db()
        action.changer_statut("EN_COURS", auteur=auteur, version=action.version, insere_avant=le_lendemain.pk)
        horloge.aller(2024, 6, 2)
        action.refresh_from_db()
        assert action.statut == Action.objects.etat_au().get(pk=action.pk).etat_statut == "TERMINEE"
