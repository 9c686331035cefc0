"""La fiche d'un comité : où en est le plan ce jour-là, ce qui a changé depuis le précédent, ce qui vient."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from actions.fiche_de_comite import LIGNES_PAR_BLOC, FicheDeComite, fiche_de_comite
from actions.journaux import ChangementDeStatut, PresenceAuPlan, ReportEcheance
from actions.models import Action, Comite, Decision, Etape
from actions.mouvements import Mouvements, mouvements, premiere_phrase
from actions.situation import situation
from comptes.droits import Role
from socle.echeances import Echeance
from tests import fabriques
from tests.visites import client_de

pytestmark = pytest.mark.django_db

JANVIER, MARS, MAI, JUIN, JUILLET, SEPTEMBRE = (datetime.date(2025, mois, 10) for mois in (1, 3, 5, 6, 7, 9))


@pytest.fixture
def plan():
    return fabriques.plan(intitule="Plan d'essai")


def creer(plan, intitule="Acheter local", echeance="", **champs) -> Action:
    champs = {"date_effet": JANVIER, "echeance": Echeance.lire(echeance) if echeance else None} | champs
    return fabriques.action(plan, intitule=intitule, **champs)


def statut(action: Action, vers: str, le: datetime.date, **options):
    return ChangementDeStatut.ecrire(
        action, statut=vers, avancement=None if vers == "EN_COURS" else 100, date_effet=le, **options
    )


def reporter(action: Action, echeance: str, le: datetime.date, motif: str):
    lue = Echeance.lire(echeance)
    return ReportEcheance.ecrire(action, echeance=lue.fin, precision=lue.precision, motif=motif, date_effet=le)


def deplacer(action: Action, mouvement: str, le: datetime.date, motif: str = ""):
    return PresenceAuPlan.ecrire(action, mouvement=mouvement, motif=motif, date_effet=le)


def comite(plan, le: datetime.date) -> Comite:
    return Comite.objects.create(plan=plan, date=le)


def passages(vus: Mouvements) -> list[tuple[str | None, str | None, list[int]]]:
    return [
        (p.avant and p.avant.value, p.apres and p.apres.value, [a.numero for a in p.actions]) for p in vus.passages
    ]


def page(qui, de: Comite, suite: str = "") -> str:
    contenu = client_de(qui).get(de.get_absolute_url() + suite).content.decode()
    return contenu.replace("&#x27;", "'").replace("\u00a0", " ").replace("\u202f", " ")


def dans_jours(jours: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=jours)


# --- Ce qui a changé entre deux dates -----------------------------------------------------------


def test_les_statuts_se_groupent_de_l_ancien_au_nouveau(plan):
    premiere, deuxieme, troisieme = (creer(plan) for _ in range(3))
    statut(premiere, "EN_COURS", MAI)
    statut(deuxieme, "EN_COURS", MAI)
    statut(troisieme, "TERMINEE", JUIN)
    vus = mouvements(plan, MARS, JUILLET)
    assert passages(vus) == [("NON_INITIEE", "TERMINEE", [3]), ("NON_INITIEE", "EN_COURS", [1, 2])]
    assert vus.nombre_de_passages == 3


def test_un_statut_revenu_n_a_pas_bouge(plan):
    action = creer(plan, statut="EN_COURS")
    statut(action, "TERMINEE", MAI)
    statut(action, "EN_COURS", JUIN)
    assert mouvements(plan, MARS, JUILLET).aucun


def test_la_premiere_date_est_exclue_la_derniere_comprise(plan):
    action = creer(plan)
    statut(action, "EN_COURS", MAI)
    assert passages(mouvements(plan, MAI, JUILLET)) == []
    assert len(passages(mouvements(plan, MARS, MAI))) == 1
    assert passages(mouvements(plan, MAI, MAI)) == []


def test_une_ligne_corrigee_ne_compte_pas(plan):
    action = creer(plan)
    statut(action, "TERMINEE", MAI).corriger(statut="EN_COURS", avancement=None)
    assert passages(mouvements(plan, MARS, JUILLET)) == [("NON_INITIEE", "EN_COURS", [1])]


def test_un_statut_inconnu_avant_se_dit(plan):
    action = creer(plan)
    ligne = ChangementDeStatut.en_vigueur_pour(action)
    ligne.corriger(date_effet=MAI)
    assert passages(mouvements(plan, MARS, JUILLET)) == [(None, "NON_INITIEE", [1])]


def test_une_action_entree_ou_sortie_ne_se_compte_pas_parmi_les_statuts(plan):
    sortie = creer(plan, "Celle qui sort")
    statut(sortie, "EN_COURS", MAI)
    deplacer(sortie, "RETRAIT", JUIN, "Reprise ailleurs.")
    entree = creer(plan, "Celle qui entre", date_effet=MAI)
    statut(entree, "EN_COURS", JUIN)
    vus = mouvements(plan, MARS, JUILLET)
    assert passages(vus) == []
    assert [(d.action, d.ligne.motif) for d in vus.sorties] == [(sortie, "Reprise ailleurs.")]
    assert [(d.action, d.action.etat_statut) for d in vus.entrees] == [(entree, "EN_COURS")]


def test_une_action_revenue_se_dit_entree(plan):
    action = creer(plan)
    deplacer(action, "RETRAIT", MARS, "Doublon.")
    deplacer(action, "RETOUR", JUIN, "Finalement utile.")
    vus = mouvements(plan, MAI, JUILLET)
    assert [(d.ligne.mouvement, d.ligne.motif) for d in vus.entrees] == [("RETOUR", "Finalement utile.")]
    assert mouvements(plan, JANVIER, JUILLET).aucun


def test_une_echeance_reportee_dit_de_combien_et_pourquoi(plan):
    action = creer(plan, echeance="T2 2025")
    reporter(action, "T3 2025", MAI, "Marché relancé.")
    reporter(action, "2025", JUIN, "Recours.")
    [changee] = mouvements(plan, MARS, JUILLET).echeances
    assert changee.phrase.replace("\u00a0", " ") == "en 2 fois, de T2 2025 à 2025 (+ 184 jours)"
    assert changee.motifs == ["Marché relancé.", "Recours."]
    [depuis_mai] = mouvements(plan, MAI, JUILLET).echeances
    assert depuis_mai.phrase.replace("\u00a0", " ") == "de T3 2025 à 2025 (+ 92 jours)"


def test_une_premiere_echeance_n_est_pas_un_report(plan):
    action = creer(plan)
    reporter(action, "2025", MAI, "")
    assert mouvements(plan, MARS, JUILLET).aucun


def test_une_note_se_dit_en_une_phrase_et_rien_de_nouveau_se_compte_a_part(plan):
    bavarde, muette = creer(plan), creer(plan)
    bavarde.noter("Réunion tenue. Le service demande un modèle.\nSuite.", auteur=None, le=MAI, portee="BILAN")
    bavarde.noter("Rien de nouveau.", auteur=None, le=JUIN)
    muette.noter("Rien de nouveau.", auteur=None, le=JUIN)
    muette.noter("Trop tôt.", auteur=None, le=MARS)
    vus = mouvements(plan, MARS, JUILLET)
    assert [(n.action, [b.phrase for b in n.notes]) for n in vus.notes] == [(bavarde, ["Réunion tenue."])]
    assert vus.rien_de_nouveau == [muette]


def test_une_note_corrigee_ne_dit_que_sa_correction(plan):
    action = creer(plan)
    note = action.noter("Faux.", auteur=None, le=MAI)
    note.corriger("Vrai.", auteur=None, le=MAI, portee="INTERNE")
    [dites] = mouvements(plan, MARS, JUILLET).notes
    assert [breve.phrase for breve in dites.notes] == ["Vrai."]


@pytest.mark.parametrize(
    ("texte", "phrase"),
    [
        ("Fait. Puis le reste.", "Fait."),
        ("Vraiment ? Oui.", "Vraiment ?"),
        ("Sans point final", "Sans point final"),
        ("12,5 % au 1er.01", "12,5 % au 1er.01"),
        ("  \n", ""),
        ("mot " * 100, ("mot " * 55).strip() + "…"),
    ],
)
def test_la_premiere_phrase_d_un_texte(texte, phrase):
    assert premiere_phrase(texte) == phrase


def test_un_autre_plan_ne_compte_pas(plan):
    autre = creer(fabriques.plan())
    statut(autre, "EN_COURS", MAI)
    autre.noter("Dit ailleurs.", auteur=None, le=MAI)
    creer(plan)
    vus = mouvements(plan, MARS, JUILLET)
    assert (vus.aucun, vus.notes) == (True, [])


# --- La fiche -----------------------------------------------------------------------------------


def test_la_fiche_d_un_comite_passe_dit_le_plan_tel_qu_il_etait(plan):
    action = creer(plan, echeance="10/04/2025")
    statut(action, "TERMINEE", JUILLET)
    fiche = fiche_de_comite(comite(plan, JUIN))
    assert (fiche.le, fiche.a_venir) == (JUIN, False)
    assert fiche.situation.decompte.par_statut()["NON_INITIEE"] == 1
    assert [a.numero for a in fiche.en_retard] == [1]
    assert "Situation au 10 juin 2025" in page(fabriques.utilisateur(Role.LECTEUR), fiche.comite)


def test_la_fiche_d_un_comite_a_venir_dit_aujourd_hui(plan):
    statut(creer(plan), "TERMINEE", JUILLET)
    fiche = fiche_de_comite(comite(plan, dans_jours(10)))
    assert (fiche.le, fiche.a_venir, fiche.situation.decompte.terminees) == (timezone.localdate(), True, 1)
    assert fiche_de_comite(comite(plan, timezone.localdate())).a_venir


def test_on_compare_au_comite_d_avant(plan):
    for jour in (JANVIER, MAI, JUILLET, SEPTEMBRE):
        comite(plan, jour)
    statut(creer(plan), "EN_COURS", JUIN)
    fiche = fiche_de_comite(Comite.objects.get(date=JUILLET))
    assert (fiche.precedent.date, fiche.mouvements.depuis, fiche.depuis_le_comite) == (MAI, MAI, True)
    assert passages(fiche.mouvements) == [("NON_INITIEE", "EN_COURS", [1])]
    assert (fiche.avant.decompte.non_initiees, fiche.situation.decompte.en_cours) == (1, 1)


def test_le_comite_d_un_autre_plan_n_est_pas_le_precedent(plan):
    comite(fabriques.plan(), MAI)
    creer(plan)
    assert fiche_de_comite(comite(plan, JUILLET)).precedent is None


def test_deux_comites_a_venir_se_comparent_au_dernier_tenu(plan):
    comite(plan, MAI)
    comite(plan, dans_jours(5))
    creer(plan)
    assert fiche_de_comite(comite(plan, dans_jours(100))).precedent.date == MAI


def test_sans_comite_d_avant_on_compare_au_premier_jour_connu_et_la_page_le_dit(plan):
    statut(creer(plan), "EN_COURS", MAI)
    premier = comite(plan, JUILLET)
    fiche = fiche_de_comite(premier)
    assert (fiche.mouvements.depuis, fiche.mouvements.entrees) == (JANVIER, [])
    assert passages(fiche.mouvements) == [("NON_INITIEE", "EN_COURS", [1])]
    assert "Il n'y a pas de comité avant celui-ci" in page(fabriques.utilisateur(Role.LECTEUR), premier)


def test_un_comite_d_avant_toute_histoire_se_dit_et_ne_compte_rien(plan):
    creer(plan)
    ancien = comite(plan, datetime.date(2023, 6, 1))
    assert fiche_de_comite(ancien).mouvements is None
    vue = page(fabriques.utilisateur(Role.LECTEUR), ancien)
    assert "Rien n'était connu du plan à cette date" in vue
    suivant = comite(plan, JUILLET)
    assert not fiche_de_comite(suivant).depuis_le_comite
    assert "rien n'était encore connu" in page(fabriques.utilisateur(Role.LECTEUR), suivant)


def test_un_plan_sans_action_a_une_fiche(plan):
    vue = page(fabriques.utilisateur(Role.LECTEUR), comite(plan, dans_jours(3)))
    assert "Ce plan n'a pas encore d'action" in vue


def test_les_points_d_attention_ne_se_montrent_pas_dans_le_passe(plan):
    action = creer(plan)
    action.signaler("ARBITRAGE", "Le budget est à décider.", version=Action.objects.get().version)
    assert fiche_de_comite(comite(plan, JUILLET)).points == []
    assert fiche_de_comite(comite(plan, dans_jours(3))).points == [action]


def jalons(fiche: FicheDeComite) -> list[tuple[int, str]]:
    return [(jalon.action.numero, jalon.etape.intitule if jalon.etape else "") for jalon in fiche.jalons]


def test_ce_qui_vient_va_jusqu_au_comite_suivant_ou_quatre_vingt_dix_jours_apres(plan):
    creer(plan, echeance=f"{dans_jours(20):%d/%m/%Y}")
    creer(plan, echeance=f"{dans_jours(95):%d/%m/%Y}")
    creer(plan, echeance=f"{dans_jours(120):%d/%m/%Y}")
    prochain = comite(plan, dans_jours(10))
    assert fiche_de_comite(prochain).jusqu_au == dans_jours(100)
    assert jalons(fiche_de_comite(prochain)) == [(1, ""), (2, "")]
    comite(plan, dans_jours(30))
    assert jalons(fiche_de_comite(prochain)) == [(1, "")]


def test_les_etapes_a_faire_sont_parmi_ce_qui_vient_en_retard_comprises(plan):
    action = creer(plan)
    for intitule, jours in (("Passée", -5), ("Prochaine", 20), ("Lointaine", 200)):
        Etape.objects.ajouter(action, intitule=intitule, echeance=Echeance.lire(f"{dans_jours(jours):%d/%m/%Y}"))
    finie = creer(plan, statut="TERMINEE")
    Etape.objects.ajouter(finie, intitule="Sans objet", echeance=Echeance.lire(f"{dans_jours(2):%d/%m/%Y}"))
    fiche = fiche_de_comite(comite(plan, dans_jours(10)))
    assert jalons(fiche) == [(1, "Passée"), (1, "Prochaine")]
    assert [jalon.est_en_retard for jalon in fiche.jalons] == [True, False]
    assert fiche_de_comite(comite(plan, JUILLET)).jalons == []


def test_la_fiche_rappelle_ce_que_le_comite_d_avant_a_decide(plan):
    ancien, nouveau = comite(plan, MAI), comite(plan, JUILLET)
    Decision.objects.relever(ancien, texte="Revoir le budget.", auteur=None)
    retiree = Decision.objects.relever(ancien, texte="Abandonnée.", auteur=None)
    retiree.retirer(version=1)
    vue = page(fabriques.utilisateur(Role.LECTEUR), nouveau)
    assert "Revoir le budget." in vue
    assert "Abandonnée." not in vue


def test_chaque_nombre_mene_a_la_liste_qu_il_compte(plan):
    statut(creer(plan, echeance="T1 2025"), "EN_COURS", MAI)
    creer(plan)
    creer(plan, echeance="2024", statut="TERMINEE")
    comite(plan, MARS)
    lecteur = client_de(fabriques.utilisateur(Role.LECTEUR))
    for jour in (JUILLET, dans_jours(3)):
        fiche = fiche_de_comite(comite(plan, jour))
        assert fiche.situation == situation(plan.actions.etat_au(fiche.le), fiche.le, fiche.mouvements.depuis)
        for point, liste in ((fiche.situation, fiche.liste), (fiche.avant, fiche.liste_d_avant)):
            attendus = {
                "": point.decompte.total,
                "&statut=EN_COURS": point.decompte.en_cours,
                "&statut=TERMINEE": point.decompte.terminees,
                "&retard=oui": point.en_retard,
                "&retard=inconnu": point.sans_echeance,
                "&nouvelles=aucune": point.sans_nouvelle,
            }
            comptes = {f: lecteur.get(liste + f).context["table"].paginator.count for f in attendus}
            assert comptes == attendus


def test_une_fiche_tres_longue_se_coupe_et_mene_a_la_fiche_entiere(plan):
    for n in range(LIGNES_PAR_BLOC + 2):
        statut(creer(plan, f"Action {n}"), "EN_COURS", MAI)
    long, lecteur = comite(plan, JUILLET), fabriques.utilisateur(Role.LECTEUR)
    courte, entiere = page(lecteur, long), page(lecteur, long, "?fiche=entiere")
    assert 'href="?fiche=entiere"' in courte
    assert 'href="?fiche=entiere"' not in entiere
    derniere = f"Action {LIGNES_PAR_BLOC + 1}"
    assert derniere not in courte
    assert derniere in entiere


def test_autant_de_requetes_quel_que_soit_le_plan(plan):
    """Un comité à venir : celui du décor des requêtes est passé."""
    nombres, lecteur = [], fabriques.utilisateur(Role.LECTEUR)
    a_venir = comite(plan, dans_jours(10))
    comite(plan, MARS)
    for _ in range(2):
        for _ in range(8):
            action = creer(plan, echeance=f"{dans_jours(20):%d/%m/%Y}", pilote=fabriques.utilisateur(Role.AGENT))
            statut(action, "EN_COURS", MAI)
            reporter(action, f"{dans_jours(30):%d/%m/%Y}", MAI, "Retard.")
            action.noter("Réunion tenue.", auteur=lecteur, le=MAI)
            action.signaler("AUTRE", "À voir.", version=Action.objects.get(pk=action.pk).version)
            Etape.objects.ajouter(action, intitule="Rédiger", echeance=Echeance.lire("2025"))
            Decision.objects.relever(a_venir, texte="Poursuivre.", auteur=lecteur, action=action)
        with CaptureQueriesContext(connection) as requetes:
            fiche = fiche_de_comite(Comite.objects.select_related("plan").get(pk=a_venir.pk))
        assert len(fiche.points) == len(fiche.decisions)
        nombres.append(len(requetes))
        page(lecteur, a_venir)
    assert nombres[0] == nombres[1] <= 18
