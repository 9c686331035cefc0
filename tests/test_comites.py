"""Les comités de pilotage d'un plan : les prévoir, les modifier, tenir leur relevé de décisions."""

import datetime

import pytest
from django.utils import timezone

from actions.models import Action, Comite, Decision
from comptes.droits import Role
from socle.modeles import ConflitDeVersion
from tests import fabriques
from tests.visites import client_de, formulaire_de

pytestmark = pytest.mark.django_db

PASSE = datetime.date(2025, 3, 4)


@pytest.fixture
def plan():
    return fabriques.plan(intitule="Plan d'essai")


@pytest.fixture
def action(plan) -> Action:
    return fabriques.action(plan, intitule="Acheter local")


@pytest.fixture
def responsable():
    return fabriques.utilisateur(Role.RESPONSABLE, nom="Responsable")


@pytest.fixture
def site(responsable):
    return client_de(responsable)


@pytest.fixture
def comite(plan) -> Comite:
    return Comite.objects.create(plan=plan, date=PASSE, lieu="Mairie")


def erreurs(reponse, champ: str) -> str:
    assert reponse.status_code == 200
    return " ".join(reponse.context["formulaire"].errors.get(champ, []))


def page(client, adresse: str) -> str:
    return client.get(adresse).content.decode().replace("&#x27;", "'").replace("\u00a0", " ")


def textes(comite: Comite) -> list[tuple[int | None, str]]:
    return [(d.action and d.action.numero, d.texte) for d in Decision.objects.filter(comite=comite).en_place()]


# --- La liste -----------------------------------------------------------------------------------


def test_les_comites_a_venir_viennent_d_abord_le_prochain_en_tete_puis_les_tenus(site, plan, comite):
    demain = timezone.localdate() + datetime.timedelta(days=1)
    plus_tard = demain + datetime.timedelta(days=90)
    for jour in (plus_tard, demain, datetime.date(2024, 1, 9)):
        Comite.objects.create(plan=plan, date=jour)
    contexte = site.get("/comites/").context
    assert [c.date for c in contexte["a_venir"]] == [demain, plus_tard]
    assert [c.date for c in contexte["passes"]] == [PASSE, datetime.date(2024, 1, 9)]


def test_un_comite_d_aujourd_hui_est_encore_a_venir(site, plan):
    Comite.objects.create(plan=plan, date=timezone.localdate())
    assert len(site.get("/comites/").context["a_venir"]) == 1


def test_chaque_plan_a_ses_comites(site, plan, comite):
    autre = fabriques.plan(intitule="Autre plan")
    assert f'href="{comite.get_absolute_url()}"' in page(site, f"/comites/?plan={plan.slug}")
    assert "Aucun comité" in page(site, f"/comites/?plan={autre.slug}")
    assert site.get("/comites/?plan=inconnu").status_code == 404


def test_sans_plan_la_page_le_dit(site):
    assert "Il n'y a pas encore de plan" in page(site, "/comites/")


def test_le_tableau_de_bord_mene_aux_comites_pour_tous(plan, action):
    lecteur = client_de(fabriques.utilisateur(Role.LECTEUR))
    assert f'href="/comites/?plan={plan.slug}"' in page(lecteur, "/")


# --- Prévoir, modifier --------------------------------------------------------------------------


def test_un_responsable_prevoit_un_comite(site, plan, responsable):
    reponse = site.post(f"/comites/creer/?plan={plan.slug}", {"date": "11/12/2031", "lieu": "Salle du conseil"})
    comite = Comite.objects.get()
    assert (reponse.status_code, reponse.url) == (302, comite.get_absolute_url())
    assert (comite.plan, comite.date, comite.lieu) == (plan, datetime.date(2031, 12, 11), "Salle du conseil")
    assert comite.history.get().history_user == responsable


def test_le_double_clic_ne_prevoit_qu_un_comite(site, plan):
    adresses = {site.post("/comites/creer/", {"date": "2031-12-11", "lieu": "Mairie"}).url for _ in range(2)}
    assert adresses == {Comite.objects.get().get_absolute_url()}


def test_deux_comites_d_un_plan_ne_se_tiennent_pas_le_meme_jour(site, comite):
    reponse = site.post("/comites/creer/", {"date": PASSE.isoformat(), "lieu": "Ailleurs"})
    assert "déjà ce jour-là" in erreurs(reponse, "date")
    assert 'value="Ailleurs"' in reponse.content.decode()


def test_deplacer_un_comite_au_jour_d_un_autre_se_refuse(site, plan, comite):
    autre = Comite.objects.create(plan=plan, date=datetime.date(2025, 9, 1))
    envoi = formulaire_de(site.get(f"/comites/{autre.pk}/modifier/")) | {"date": PASSE.isoformat()}
    reponse = site.post(f"/comites/{autre.pk}/modifier/", envoi)
    assert "déjà ce jour-là" in erreurs(reponse, "date")
    assert "Comité du 01/09/2025" in reponse.content.decode()


def test_une_date_illisible_se_dit_a_cote_du_champ(site, plan):
    assert "bientôt" in erreurs(site.post("/comites/creer/", {"date": "bientôt", "lieu": "Mairie"}), "date")


def test_la_seconde_personne_voit_les_deux_versions_et_garde_sa_saisie(site, comite):
    envoi = formulaire_de(site.get(f"/comites/{comite.pk}/modifier/")) | {"lieu": "Ma salle"}
    comite.lieu = "Leur salle"
    comite.save()
    reponse = site.post(f"/comites/{comite.pk}/modifier/", envoi)
    assert "Leur salle" in erreurs(reponse, "__all__")
    assert 'value="Ma salle"' in reponse.content.decode()
    site.post(f"/comites/{comite.pk}/modifier/", formulaire_de(reponse))
    assert Comite.objects.get().lieu == "Ma salle"


def test_un_lecteur_ne_se_voit_rien_proposer(plan, comite):
    lecteur = client_de(fabriques.utilisateur(Role.LECTEUR))
    assert "Prévoir un comité" not in page(lecteur, "/comites/")
    sa_fiche = page(lecteur, comite.get_absolute_url())
    assert "Relevé de décisions" in sa_fiche
    assert [geste for geste in ("Ajouter la décision", "Modifier la date") if geste in sa_fiche] == []


# --- Relevé de décisions ------------------------------------------------------------------------


def ajouter(site, comite: Comite, numero: object = "", texte: str = "Poursuivre."):
    return site.post(f"/comites/{comite.pk}/decisions/ajouter/", {"numero": numero, "texte": texte})


def test_une_decision_se_prend_sur_une_action_ou_sur_tout_le_plan(site, comite, action, responsable):
    reponse = ajouter(site, comite, f"n° {action.numero}", "Confier l'action à un autre service.")
    assert (reponse.status_code, reponse.url) == (302, f"{comite.get_absolute_url()}#releve")
    ajouter(site, comite, texte="Le bilan sera présenté.")
    assert textes(comite) == [
        (action.numero, "Confier l'action à un autre service."),
        (None, "Le bilan sera présenté."),
    ]
    assert {decision.auteur for decision in comite.decisions.all()} == {responsable}
    sa_fiche = page(site, comite.get_absolute_url())
    assert sa_fiche.index("Le bilan sera présenté.") < sa_fiche.index("Confier l'action à un autre service.")


def test_la_decision_se_lit_sur_la_page_de_l_action_et_mene_au_comite(site, comite, action):
    ajouter(site, comite, action.numero, "Confier à un autre service.")
    sa_page = page(site, action.get_absolute_url())
    assert "Confier à un autre service." in sa_page
    assert f'href="{comite.get_absolute_url()}"' in sa_page


def test_le_double_clic_n_ecrit_qu_une_decision(site, comite, action):
    for _ in range(2):
        ajouter(site, comite, action.numero)
    assert textes(comite) == [(action.numero, "Poursuivre.")]


@pytest.mark.parametrize(("tape", "raison"), [("999", "pas d'action n° 999"), ("la mienne", "n'est pas un numéro")])
def test_un_numero_qui_ne_va_pas_se_dit_a_cote_du_champ_et_le_texte_reste(site, comite, action, tape, raison):
    reponse = ajouter(site, comite, tape, "Un long texte.")
    assert raison in erreurs(reponse, "numero")
    assert "Un long texte." in reponse.content.decode()
    assert textes(comite) == []


def test_le_numero_est_celui_d_une_action_du_plan_du_comite(site, comite, action):
    autre = fabriques.action(numero=71)
    assert "pas d'action" in erreurs(ajouter(site, comite, autre.numero), "numero")


def test_une_decision_vide_se_refuse(site, comite):
    assert erreurs(ajouter(site, comite, "", "   "), "texte")


def test_une_decision_se_modifie_et_change_de_sujet(site, comite, action):
    decision = Decision.objects.relever(comite, texte="Poursuivre.", auteur=None)
    adresse = f"/comites/{comite.pk}/decisions/{decision.pk}/modifier/"
    site.post(adresse, formulaire_de(site.get(adresse)) | {"numero": action.numero, "texte": "Arrêter."})
    assert textes(comite) == [(action.numero, "Arrêter.")]
    assert decision.history.count() == 2


def test_la_seconde_personne_a_modifier_voit_ce_qui_est_releve_et_garde_sa_saisie(site, comite):
    decision = Decision.objects.relever(comite, texte="Poursuivre.", auteur=None)
    decision.reprendre(version=1, texte="Version d'une autre.", action=None)
    adresse = f"/comites/{comite.pk}/decisions/{decision.pk}/modifier/"
    reponse = site.post(adresse, {"version": 1, "numero": "", "texte": "Ma version."})
    assert "Version d'une autre." in erreurs(reponse, "__all__")
    assert "Ma version." in reponse.content.decode()
    site.post(adresse, formulaire_de(reponse))
    assert textes(comite) == [(None, "Ma version.")]


def test_une_decision_retiree_reste_au_releve_barree_et_quitte_la_page_de_l_action(site, comite, action):
    decision = Decision.objects.relever(comite, texte="Poursuivre.", auteur=None, action=action)
    adresse = f"/comites/{comite.pk}/decisions/{decision.pk}"
    for _ in range(2):  # le double clic ne fait rien de plus
        site.post(f"{adresse}/retirer/", {"version": 1})
    assert decision.history.count() == 2
    sa_fiche = page(site, comite.get_absolute_url())
    assert 'class="retiree"' in sa_fiche
    assert "Poursuivre." in sa_fiche
    assert "Poursuivre." not in page(site, action.get_absolute_url())
    site.post(f"{adresse}/remettre/", {"version": 2})
    assert 'class="retiree"' not in page(site, comite.get_absolute_url())


def test_retirer_une_decision_changee_entre_temps_se_refuse(site, comite):
    decision = Decision.objects.relever(comite, texte="Poursuivre.", auteur=None)
    decision.reprendre(version=1, texte="Arrêter.", action=None)
    with pytest.raises(ConflitDeVersion):
        decision.retirer(version=1)
    adresse = f"/comites/{comite.pk}/decisions/{decision.pk}/retirer/"
    assert "vient d'être changée" in site.post(adresse, {"version": 1}, follow=True).content.decode().replace(
        "&#x27;", "'"
    )
    assert textes(comite) == [(None, "Arrêter.")]


def test_une_decision_ne_se_prend_pas_par_l_adresse_d_un_autre_comite(site, plan, comite):
    autre = Comite.objects.create(plan=plan, date=datetime.date(2025, 9, 1))
    decision = Decision.objects.relever(comite, texte="Poursuivre.", auteur=None)
    assert site.get(f"/comites/{autre.pk}/decisions/{decision.pk}/modifier/").status_code == 404
    assert site.post(f"/comites/{autre.pk}/decisions/{decision.pk}/retirer/", {"version": 1}).status_code == 404
    assert textes(comite) == [(None, "Poursuivre.")]


def test_un_agent_ne_releve_pas_de_decision(comite):
    agent = client_de(fabriques.utilisateur(Role.AGENT))
    assert ajouter(agent, comite).status_code == 403
    assert textes(comite) == []
