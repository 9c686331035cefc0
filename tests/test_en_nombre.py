"""Changer plusieurs actions d'un geste : on voit d'abord ce qui changera et ce qui sera refusé, puis tout s'écrit."""

import datetime
import re
from contextlib import suppress
from dataclasses import replace
from html import unescape

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from actions.en_nombre import ApercuPerime, Demande, a_examiner, appliquer, examiner
from actions.journaux import ChangementDeStatut
from actions.lots import defaire
from actions.models import Action
from actions.modifications import Signature, modifier
from actions.statuts import Priorite, Statut
from comptes.droits import Role
from comptes.models import Lot
from socle.echeances import Echeance
from tests import fabriques
from tests.decor import plan_garni
from tests.visites import LecteurDeFormulaires, client_de, photo, sans_lendemain

pytestmark = pytest.mark.django_db

T2, T4 = Echeance.lire("T2 2027"), Echeance.lire("T4 2027")
EN_NOMBRE = "actions:en_nombre"


@pytest.fixture
def responsable():
    return fabriques.utilisateur(Role.RESPONSABLE, nom="Responsable")


@pytest.fixture
def agent():
    return fabriques.utilisateur(Role.AGENT, nom="Agente", service=fabriques.service("Achats"))


@pytest.fixture
def plan():
    return fabriques.plan()


@pytest.fixture
def actions(plan, responsable):
    return [fabriques.action(plan, auteur=responsable, statut=Statut.EN_COURS, priorite="BASSE") for _ in range(3)]


def demande(le=None, commentaire="", motif="", **valeurs) -> Demande:
    return Demande(valeurs, le or timezone.localdate(), commentaire, motif)


def examen_de(actions, demandee, auteur):
    return examiner(list(a_examiner(Action.objects.filter(pk__in=[a.pk for a in actions]))), demandee, auteur)


def raisons(examen) -> dict[int, tuple[str, ...]]:
    return {refusee.action.pk: refusee.raisons for refusee in examen.refusees}


def relue(action) -> Action:
    return Action.objects.get(pk=action.pk)


# --- Examiner -----------------------------------------------------------------------------------


def test_l_examen_separe_ce_qui_change_et_ce_qui_est_deja_ainsi(actions, responsable):
    modifier(actions[0], {"priorite": "HAUTE"}, Signature(responsable))
    examen = examen_de(actions, demande(priorite="HAUTE"), responsable)
    assert [changee.action for changee in examen.changees] == actions[1:]
    assert examen.deja == actions[:1]
    assert examen.refusees == []


def test_ce_qui_releve_d_un_autre_est_refuse_au_contributeur(actions, agent, responsable):
    modifier(actions[0], {"pilote": agent}, Signature(responsable))
    examen = examen_de(actions, demande(statut="TERMINEE"), agent)
    assert [changee.action for changee in examen.changees] == actions[:1]
    assert raisons(examen).keys() == {actions[1].pk, actions[2].pk}


def test_une_action_retiree_du_plan_est_refusee(actions, responsable):
    actions[0].retirer(auteur=responsable, version=actions[0].version, motif="Abandonnée.")
    assert raisons(examen_de(actions, demande(priorite="HAUTE"), responsable)) == {
        actions[0].pk: ("elle est retirée du plan",)
    }


def test_une_echeance_deja_fixee_est_refusee_sans_motif(actions, responsable):
    modifier(actions[0], {"echeance": T2}, Signature(responsable))
    assert raisons(examen_de(actions, demande(echeance=T4), responsable)) == {
        actions[0].pk: ("Échéance : déjà fixée (T2 2027), elle ne change pas sans motif",)
    }
    assert raisons(examen_de(actions, demande(echeance=T4, motif="Budget reporté."), responsable)) == {}


def test_une_date_d_effet_qui_precede_un_changement_est_refusee(actions, responsable):
    modifier(actions[0], {"statut": "NON_INITIEE"}, Signature(responsable, datetime.date(2024, 6, 30)))
    examen = examen_de(actions, demande(datetime.date(2024, 3, 1), statut="TERMINEE"), responsable)
    assert raisons(examen) == {
        actions[0].pk: ("Statut : la date d'effet précède le changement du 30/06/2024 (Non initiée)",)
    }


def test_le_nouveau_pilote_ne_peut_pas_etre_le_suppleant(actions, agent, responsable):
    modifier(actions[0], {"suppleant": agent}, Signature(responsable))
    assert raisons(examen_de(actions, demande(pilote=agent), responsable)) == {
        actions[0].pk: ("Pilote : Agente en est déjà suppléant·e",)
    }


DEMANDES = pytest.mark.parametrize(
    "demandee",
    [
        demande(statut="TERMINEE"),
        demande(datetime.date(2024, 1, 1), statut="TERMINEE"),
        demande(datetime.date(2024, 8, 1), statut="EN_COURS"),
        demande(datetime.date(2023, 1, 1), statut="NON_INITIEE", echeance=T4),
        demande(datetime.date(2024, 8, 1), echeance=T4, motif="Revu."),
        demande(echeance=None, motif="Revu."),
        demande(echeance=T4),
        demande(priorite="HAUTE", statut="EN_COURS", service_pilote=None),
    ],
    ids=lambda demandee: f"{demandee.en_clair} au {demandee.date_effet}",
)


def des_vies(plan, responsable) -> list[Action]:
    """Des actions qui n'ont pas eu la même vie."""
    vies = [
        fabriques.action(plan, intitule="Une vie", statut=statut, echeance=echeance, service_pilote=service)
        for statut in Statut
        for echeance in (None, T2)
        for service in (None, fabriques.service("Achats"))
    ]
    for rang, action in enumerate(vies):
        if rang % 2:
            suite = {"statut": list(Statut)[rang % 3], "echeance": T4 if rang % 4 == 1 else None}
            modifier(action, suite, Signature(responsable, datetime.date(2024, 6, 30), motif="Revu."))
    return vies


@DEMANDES
def test_l_examen_annonce_exactement_ce_que_l_ecriture_accepte(plan, responsable, demandee):
    """Sur des vies différentes : sinon une règle changée dans l'écriture ferait mentir l'aperçu."""
    vies = des_vies(plan, responsable)
    examen = examen_de(vies, demandee, responsable)
    signature = Signature(responsable, demandee.date_effet, demandee.commentaire, demandee.motif)
    acceptees, deja, refusees = set(), set(), set()
    for action in vies:
        with sans_lendemain():
            try:
                (acceptees if modifier(action, demandee.valeurs, signature) else deja).add(action.pk)
            except ValidationError:
                refusees.add(action.pk)
    assert set(examen.versions) == acceptees
    assert {action.pk for action in examen.deja} == deja
    assert set(raisons(examen)) == refusees


def test_examiner_ne_fait_pas_plus_de_requetes_pour_plus_d_actions(responsable):
    plan_garni(60)
    demandee = demande(datetime.date(2024, 8, 1), statut="TERMINEE", echeance=T4, motif="Revu.", pilote=responsable)

    def requetes(nombre):
        with CaptureQueriesContext(connection) as faites:
            examen = examiner(list(a_examiner(Action.objects.all()[:nombre])), demandee, responsable)
            [ecart.avant_en_clair for changee in examen.changees for ecart in changee.ecarts]
        return len(faites)

    requetes(1)  # les rôles se lisent une fois
    assert requetes(5) == requetes(60) <= 4


# --- Appliquer ----------------------------------------------------------------------------------


def applique(actions, demandee, auteur, versions=None):
    versions = versions or {action.pk: relue(action).version for action in actions}
    return appliquer(demandee, versions, auteur, prepare_le=timezone.now() - datetime.timedelta(seconds=1))


def test_un_changement_en_nombre_est_un_lot_qui_se_defait(actions, agent, responsable):
    demandee = demande(statut="TERMINEE", commentaire="Fini.", pilote=agent, priorite="HAUTE", echeance=T4)
    lot, fait = applique(actions, demandee, responsable)
    assert fait
    assert lot.intitule == (
        "Changement en nombre — Pilote : Agente ; Priorité : Haute ; Statut : Terminée ; Échéance : T4 2027"
    )
    assert {(relue(a).statut, relue(a).pilote, relue(a).priorite) for a in actions} == {("TERMINEE", agent, "HAUTE")}
    assert set(ChangementDeStatut.objects.filter(lot=lot).values_list("commentaire", flat=True)) == {"Fini."}
    assert defaire(lot, auteur=responsable).refus == []
    assert {(relue(a).statut, relue(a).pilote, relue(a).priorite) for a in actions} == {("EN_COURS", None, "BASSE")}


def traces_de(action, lot) -> dict:
    """Tout ce qu'un changement laisse d'une action, hors identifiants et heures."""
    propres = ("statut", "avancement", "echeance", "echeance_precision", "presence", "pilote", "service_pilote")
    du_journal = ("date_effet", "auteur", "commentaire", "annule", "lot")
    return {
        "action": [
            getattr(relue(action), champ) for champ in (*propres, "priorite", "suppleant", "version", "recherche")
        ],
        "historique": list(
            action.history.values_list(
                "version", "priorite", "pilote", "service_pilote", "history_user", "history_type"
            )
        ),
        "statuts": list(action.changementdestatuts.values_list("statut", "avancement", *du_journal)),
        "reports": list(action.reportecheances.values_list("echeance", "precision", "motif", *du_journal)),
        "lot": list(lot.lignes.filter(id_objet=action.pk).order_by("champ").values_list("champ", "avant", "apres")),
    }


@DEMANDES
def test_ecrire_ensemble_laisse_les_memes_traces_qu_action_par_action(plan, responsable, demandee):
    vies = des_vies(plan, responsable)
    demandee = replace(demandee, commentaire="Vu en comité.")
    with sans_lendemain():
        lot, _ = applique([c.action for c in examen_de(vies, demandee, responsable).changees], demandee, responsable)
        call_command("verifier_journal")
        ensemble = [traces_de(action, lot) for action in vies]
    with sans_lendemain():
        temoin = Lot.objects.create(pk=lot.pk, intitule="Témoin", auteur=responsable)
        signature = Signature(responsable, demandee.date_effet, demandee.commentaire, demandee.motif, temoin)
        for action in vies:
            with suppress(ValidationError):
                modifier(action, demandee.valeurs, signature)
        assert [traces_de(action, temoin) for action in vies] == ensemble


def test_une_horloge_reculee_ne_brouille_pas_l_ordre_des_saisies(actions, responsable):
    demain = timezone.now() + datetime.timedelta(days=1)
    en_avance = ChangementDeStatut.ecrire(
        actions[0], statut="NON_INITIEE", avancement=0, date_effet=datetime.date(2024, 6, 30), saisi_le=demain
    )
    lot, _ = applique(actions, demande(statut="TERMINEE"), responsable)
    assert actions[0].changementdestatuts.get(lot=lot).saisi_le == en_avance.saisi_le
    assert actions[1].changementdestatuts.get(lot=lot).saisi_le < demain


def test_mille_actions_se_changent_en_peu_de_requetes(responsable):
    """Le nombre de requêtes grandit par paquets, pas par action."""
    plan_garni(120)
    demandee = demande(statut="EN_COURS", echeance=T4, motif="Revu.", pilote=responsable)

    def requetes(debut, fin) -> int:
        actions = list(a_examiner(Action.objects.order_by("pk")[debut:fin]))
        with CaptureQueriesContext(connection) as faites:
            applique(actions, demandee, responsable, {action.pk: action.version for action in actions})
        return len(faites)

    requetes(0, 3)
    assert requetes(3, 120) <= 25


def test_le_meme_envoi_recu_deux_fois_ne_fait_qu_un_lot(actions, responsable):
    versions = {action.pk: action.version for action in actions}
    premier, _ = applique(actions, demande(priorite="HAUTE"), responsable, versions)
    assert applique(actions, demande(priorite="HAUTE"), responsable, versions) == (premier, False)
    assert Lot.objects.count() == 1


def test_une_action_qui_a_bouge_depuis_l_apercu_et_rien_n_est_ecrit(actions, responsable):
    versions = {action.pk: action.version for action in actions}
    actions[1].signaler("AUTRE", "Quelqu'un est passé.", version=actions[1].version)
    with pytest.raises(ApercuPerime):
        applique(actions, demande(priorite="HAUTE"), responsable, versions)
    assert {relue(action).priorite for action in actions} == {"BASSE"}
    assert not Lot.objects.exists()


def test_le_meme_changement_fait_par_un_autre_n_est_pas_pris_pour_le_sien(actions, responsable):
    versions = {action.pk: action.version for action in actions}
    applique(actions, demande(priorite="HAUTE"), fabriques.utilisateur(Role.RESPONSABLE), versions)
    with pytest.raises(ApercuPerime):
        applique(actions, demande(priorite="HAUTE"), responsable, versions)


def test_un_droit_perdu_depuis_l_apercu_et_rien_n_est_ecrit(actions, agent, responsable):
    modifier(actions[0], {"pilote": agent}, Signature(responsable))
    with pytest.raises(ApercuPerime):
        applique(actions[:2], demande(statut="TERMINEE"), agent)
    assert {relue(action).statut for action in actions} == {"EN_COURS"}


# --- Les pages ----------------------------------------------------------------------------------


def du_choix(*actions) -> str:
    return "&".join(["de=selection", *(f"action={action.pk}" for action in actions)])


def apercu(compte, choix, client=None, **saisie):
    client = client or client_de(compte)
    return client, client.post(reverse(EN_NOMBRE), {"choix": choix, **saisie})


def texte(reponse) -> str:
    return re.sub(r"\s+", " ", unescape(reponse.content.decode()).replace("\u00a0", " ").replace("\u202f", " "))


def confirmer(client, reponse, **options):
    champs = dict(LecteurDeFormulaires(reponse.content.decode()).formulaires)[reverse("actions:appliquer_en_nombre")]
    return client.post(reverse("actions:appliquer_en_nombre"), {"jeton": champs["jeton"][0]}, **options)


def test_d_une_case_cochee_au_lot_defait(actions, responsable):
    client = client_de(responsable)
    page = texte(client.get(f"{reverse(EN_NOMBRE)}?{du_choix(*actions[:2])}"))
    assert "Changer 2 actions" in page
    _, vu = apercu(responsable, du_choix(*actions[:2]), client, priorite="HAUTE", statut="TERMINEE")
    assert "2 actions changeront" in texte(vu)
    fait = confirmer(client, vu, follow=True)
    assert "2 actions changées" in texte(fait)
    assert "Défaire ce changement" in texte(fait)
    assert [relue(action).priorite for action in actions] == ["HAUTE", "HAUTE", "BASSE"]
    client.post(reverse("actions:defaire_lot", args=[Lot.objects.get().pk]))
    assert [relue(action).statut for action in actions] == ["EN_COURS"] * 3


def test_tout_ce_que_le_filtre_trouve_sur_toutes_les_pages(responsable):
    plan_garni(60)
    trouvees = Action.objects.filter(statut=Statut.EN_COURS).exclude(priorite="BASSE")
    pks = set(trouvees.values_list("pk", flat=True))
    lien = re.search(
        r'href="([^"]*en-nombre/[^"]*)"',
        client_de(responsable).get(reverse("actions:liste") + "?statut=EN_COURS&page=2").content.decode(),
    )[1]
    client, vu = apercu(responsable, unescape(lien).partition("?")[2], priorite="BASSE")
    assert len(pks) > 10
    assert f"Changer {len(pks)} actions" in texte(vu)
    confirmer(client, vu)
    assert set(Lot.objects.get(auteur=responsable).lignes.values_list("id_objet", flat=True)) == pks


def test_l_apercu_n_ecrit_rien(actions, responsable):
    client = client_de(responsable)
    avant = photo()
    apercu(responsable, du_choix(*actions), client, statut="TERMINEE", pilote="vider", echeance="2027")
    assert photo() == avant


def test_ne_pas_changer_n_est_pas_vider(actions, agent, responsable):
    modifier(actions[0], {"pilote": agent}, Signature(responsable))
    client, vu = apercu(responsable, du_choix(actions[0]), priorite="vider")
    confirmer(client, vu)
    assert (relue(actions[0]).priorite, relue(actions[0]).pilote) == ("", agent)
    client, vu = apercu(responsable, du_choix(actions[0]), pilote="vider")
    confirmer(client, vu)
    assert relue(actions[0]).pilote is None


def test_l_apercu_borne_ce_qu_il_montre_et_compte_le_reste(responsable):
    plan_garni(130)
    _, vu = apercu(responsable, "presence=", statut="TERMINEE", service_pilote="vider")
    assert "100 actions montrées sur 130" in texte(vu)
    assert vu.content.decode().count('data-libelle="Champ">Service pilote<') == 100


def test_l_apercu_montre_les_refus_et_le_changement_les_laisse(actions, responsable):
    actions[0].retirer(auteur=responsable, version=actions[0].version, motif="Abandonnée.")
    client, vu = apercu(responsable, du_choix(*actions), priorite="HAUTE")
    assert "1 est refusée et ne changera pas" in texte(vu)
    assert "elle est retirée du plan" in texte(vu)
    confirmer(client, vu)
    assert [relue(action).priorite for action in actions] == ["BASSE", "HAUTE", "HAUTE"]


def test_quelque_chose_a_bouge_et_l_apercu_se_refait(actions, responsable):
    client, vu = apercu(responsable, du_choix(*actions), priorite="HAUTE")
    modifier(actions[0], {"priorite": "HAUTE"}, Signature(responsable))
    refait = confirmer(client, vu)
    assert "Rien n'est écrit" in texte(refait)
    assert "2 actions changeront" in texte(refait)
    assert relue(actions[1]).priorite == Priorite.BASSE
    confirmer(client, refait)
    assert relue(actions[1]).priorite == Priorite.HAUTE


def test_un_double_clic_ne_fait_qu_un_lot(actions, responsable):
    client, vu = apercu(responsable, du_choix(*actions), priorite="HAUTE")
    premiere, seconde = confirmer(client, vu), confirmer(client, vu, follow=True)
    assert "C'était déjà fait" in texte(seconde)
    assert seconde.redirect_chain[0][0] == premiere["Location"]
    assert Lot.objects.count() == 1


def test_corriger_revient_au_formulaire_avec_ce_qu_on_avait_saisi(actions, responsable):
    client, _ = apercu(responsable, du_choix(*actions), priorite="HAUTE")
    revenu = client.post(
        reverse(EN_NOMBRE),
        {"choix": du_choix(*actions), "corriger": "oui", "priorite": "HAUTE", "motif": "Parce que."},
    )
    champs = dict(LecteurDeFormulaires(revenu.content.decode()).formulaires)[reverse(EN_NOMBRE)]
    assert (champs["priorite"], champs["motif"]) == (["HAUTE"], ["Parce que."])


def test_un_contributeur_n_a_que_ses_champs(actions, agent, responsable):
    modifier(actions[0], {"pilote": agent}, Signature(responsable))
    page = client_de(agent).get(f"{reverse(EN_NOMBRE)}?{du_choix(actions[0])}").content.decode()
    assert 'name="statut"' in page
    assert 'name="pilote"' not in page
    client, vu = apercu(agent, du_choix(actions[0]), statut="TERMINEE", pilote="vider", priorite="HAUTE")
    confirmer(client, vu)
    assert (relue(actions[0]).statut, relue(actions[0]).pilote, relue(actions[0]).priorite) == (
        "TERMINEE",
        agent,
        "BASSE",
    )


@pytest.mark.parametrize(
    ("saisie", "phrase"),
    [
        ({}, "choisissez au moins un changement"),
        ({"statut": "TERMINEE", "date_effet": "2099-01-01"}, "est à venir"),
        ({"statut": "PRESQUE"}, "PRESQUE"),
        ({"echeance": "bientôt"}, "bientôt"),
        ({"echeance": "2027", "sans_echeance": "on"}, "pas les deux"),
        ({"priorite": "HAUTE", "commentaire": "Perdu ?"}, "Le commentaire accompagne"),
        ({"priorite": "HAUTE", "motif": "Perdu ?"}, "Le motif accompagne"),
        ({"pilote": "999999"}, "999999"),
    ],
)
def test_une_saisie_illisible_se_dit_et_se_garde(actions, responsable, saisie, phrase):
    _, vu = apercu(responsable, du_choix(*actions), **saisie)
    assert phrase in texte(vu)
    assert "actions changeront" not in texte(vu)
    for valeur in saisie.values():
        assert valeur in vu.content.decode() or valeur in ("PRESQUE", "999999")


@pytest.mark.parametrize("choix", ["de=selection&action=abc", "statut=PRESQUE", "au=2024-01-01"])
def test_un_choix_incomprehensible_est_refuse(responsable, actions, choix):
    assert client_de(responsable).get(f"{reverse(EN_NOMBRE)}?{choix}").status_code == 400


def test_aucune_case_cochee_ramene_a_la_liste(responsable, actions):
    reponse = client_de(responsable).get(f"{reverse(EN_NOMBRE)}?de=selection&statut=EN_COURS", follow=True)
    assert "Aucune action n'est choisie" in texte(reponse)
    assert reponse.redirect_chain == [(f"{reverse('actions:liste')}?statut=EN_COURS", 302)]


@pytest.mark.parametrize("jeton", ["", "n'importe:quoi", "trafique"])
def test_un_apercu_qui_n_est_pas_le_notre_est_refuse(responsable, actions, agent, jeton):
    client, vu = apercu(responsable, du_choix(*actions), priorite="HAUTE")
    champs = dict(LecteurDeFormulaires(vu.content.decode()).formulaires)[reverse("actions:appliquer_en_nombre")]
    envoi = champs["jeton"][0][:-1] + "!" if jeton == "trafique" else jeton
    assert client.post(reverse("actions:appliquer_en_nombre"), {"jeton": envoi}).status_code == 400
    # Celui d'un autre compte non plus.
    autre = client_de(agent).post(reverse("actions:appliquer_en_nombre"), {"jeton": champs["jeton"][0]})
    assert autre.status_code == 400
    assert not Lot.objects.exists()


# --- La liste -----------------------------------------------------------------------------------


def liste(compte, requete="") -> str:
    return client_de(compte).get(reverse("actions:liste") + requete).content.decode()


def test_la_liste_a_une_case_par_ligne_que_l_on_peut_changer(actions, agent, responsable):
    modifier(actions[0], {"pilote": agent}, Signature(responsable))
    assert liste(responsable).count('name="action"') == 3
    assert liste(agent).count('name="action"') == 1
    assert "en-nombre" not in liste(fabriques.utilisateur(Role.LECTEUR))


def test_une_situation_passee_et_une_action_retiree_ne_se_cochent_pas(actions, responsable):
    assert "en-nombre" not in liste(responsable, "?au=2024-06-30")
    actions[0].retirer(auteur=responsable, version=actions[0].version, motif="Abandonnée.")
    assert liste(responsable, "?presence=toutes").count('name="action"') == 2
