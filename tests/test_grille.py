"""La grille : chaque ligne s'enregistre pour elle-même, un refus garde sa saisie, rien n'écrase personne."""

import datetime
import json
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from actions.journaux import ChangementDeStatut, ReportEcheance
from actions.models import Action
from actions.statuts import Priorite, Statut
from comptes.droits import Role
from socle.echeances import Echeance
from tests import fabriques
from tests.visites import client_de, formulaire_de

pytestmark = pytest.mark.django_db

T2 = Echeance.lire("T2 2027")


@pytest.fixture
def responsable():
    return fabriques.utilisateur(Role.RESPONSABLE, username="responsable")


@pytest.fixture
def pilote():
    return fabriques.utilisateur(prenom="Camille", nom="Martin")


@pytest.fixture
def plan():
    return fabriques.plan(intitule="Plan d'essai")


@pytest.fixture
def actions(plan) -> list[Action]:
    return [fabriques.action(plan, statut=Statut.NON_INITIEE) for _ in range(3)]


@pytest.fixture
def client(responsable):
    return client_de(responsable)


GRILLE = "/actions/grille/"


def saisie(client, requete="", **cellules) -> dict:
    """Ce qu'un navigateur enverrait de la page, ces cellules changées : `a12_pilote` est le pilote de l'action 12."""
    page = client.get(GRILLE + requete)
    assert page.status_code == 200
    return formulaire_de(page) | {nom.replace("_", "-", 1): valeur for nom, valeur in cellules.items()}


def cellules(action: Action, **valeurs) -> dict:
    return {f"a{action.pk}_{champ}": valeur for champ, valeur in valeurs.items()}


def envoyer(client, requete="", **changements):
    return client.post(GRILLE + requete, saisie(client, requete, **changements))


def relue(action: Action) -> Action:
    return Action.objects.get(pk=action.pk)


def ligne(reponse, action: Action):
    return next(ligne for ligne in reponse.context["lignes"] if ligne.action.pk == action.pk)


def refus(reponse, action: Action) -> dict[str, str]:
    return {champ: " ".join(phrases) for champ, phrases in ligne(reponse, action).erreurs.items()}


def montre(reponse, action: Action, champ: str) -> str:
    return next(c.valeur for c in ligne(reponse, action).cellules if c.colonne.champ == champ)


# --- Enregistrer --------------------------------------------------------------------------------


def test_les_cinq_champs_d_une_ligne_s_enregistrent(client, actions, pilote):
    achats = fabriques.service("Achats")
    reponse = envoyer(
        client,
        **cellules(
            actions[0],
            pilote="camille martin",
            service_pilote="ACHATS",
            echeance="T2 2027",
            priorite="HAUTE",
            statut="EN_COURS",
            date_effet="01/02/2026",
        ),
    )
    assert (reponse.status_code, reponse["Location"]) == (302, f"{GRILLE}?plan=plan-dessai")
    action = relue(actions[0])
    assert (action.pilote, action.service_pilote, action.valeur_echeance) == (pilote, achats, T2)
    assert (action.priorite, action.statut) == (Priorite.HAUTE, Statut.EN_COURS)
    # La date d'effet est celle du statut ; l'échéance est fixée aujourd'hui.
    assert ChangementDeStatut.en_vigueur_pour(action).date_effet == datetime.date(2026, 2, 1)
    assert ReportEcheance.en_vigueur_pour(action).date_effet == timezone.localdate()
    assert "1\u00a0ligne enregistrée." in client.get(reponse["Location"]).content.decode()


def test_une_ligne_ecrite_est_signee(client, actions, responsable):
    envoyer(client, **cellules(actions[0], priorite="HAUTE", echeance="2027"))
    assert relue(actions[0]).history.first().history_user == responsable
    assert ReportEcheance.en_vigueur_pour(actions[0]).auteur == responsable


def test_un_envoi_inchange_n_ecrit_rien_et_le_dit(client, actions):
    avant = [relue(action).version for action in actions]
    reponse = envoyer(client)
    assert [relue(action).version for action in actions] == avant
    page = unescape(client.get(reponse["Location"]).content.decode())
    assert "Rien à enregistrer\u00a0: aucune ligne n'a changé." in page


def test_le_meme_envoi_recu_deux_fois_ne_change_qu_une_fois(client, actions, pilote):
    envoi = saisie(client, **cellules(actions[0], pilote="Camille Martin", echeance="2027", statut="EN_COURS"))
    client.post(GRILLE, envoi)
    version = relue(actions[0]).version
    assert client.post(GRILLE, envoi).status_code == 302
    assert relue(actions[0]).version == version
    assert ReportEcheance.objects.filter(action=actions[0]).count() == 1


def test_une_ligne_refusee_garde_sa_saisie_et_n_arrete_pas_les_autres(client, actions, pilote):
    bonne, refusee, autre = actions
    reponse = envoyer(
        client,
        **cellules(bonne, pilote="Camille Martin"),
        **cellules(refusee, pilote="Camille Martin", echeance="bientôt"),
        **cellules(autre, echeance="2027"),
    )
    assert reponse.status_code == 200
    assert (relue(bonne).pilote, relue(autre).valeur_echeance) == (pilote, Echeance.lire("2027"))
    # Tout ou rien d'une ligne.
    assert relue(refusee).pilote is None
    assert "n'est pas une échéance" in refus(reponse, refusee)["echeance"]
    assert (montre(reponse, refusee, "echeance"), montre(reponse, refusee, "pilote")) == ("bientôt", "Camille Martin")
    page = reponse.content.decode()
    assert "2\u00a0lignes enregistrées, 1\u00a0refusée." in page
    nom = f"a{refusee.pk}-echeance"
    assert f'id="{nom}-dit"' in page
    assert f'aria-describedby="{nom}-dit" aria-invalid="true"' in page


def test_la_ligne_refusee_corrigee_s_enregistre(client, actions, pilote):
    reponse = envoyer(client, **cellules(actions[0], pilote="Camille Martin", echeance="bientôt"))
    envoi = formulaire_de(reponse) | {f"a{actions[0].pk}-echeance": "T2 2027"}
    assert client.post(GRILLE, envoi).status_code == 302
    assert (relue(actions[0]).pilote, relue(actions[0]).valeur_echeance) == (pilote, T2)


@pytest.mark.parametrize(
    ("champ", "tape", "phrase"),
    [
        ("pilote", "Personne", "n'est ni le nom"),
        ("service_pilote", "Nulle part", "n'est pas un service"),
        ("priorite", "moyenne", "n'est pas une priorité : haute, normale ou basse."),
        ("statut", "presque", "n'est pas un statut : terminée, en cours ou non initiée."),
    ],
)
def test_ce_qui_ne_se_comprend_pas_se_dit_a_cote_de_la_cellule(client, actions, champ, tape, phrase):
    reponse = envoyer(client, **cellules(actions[0], **{champ: tape}))
    assert phrase in refus(reponse, actions[0])[champ]
    assert montre(reponse, actions[0], champ) == tape
    # Même dans une liste fermée, ce qui a été collé reste montré.
    assert formulaire_de(reponse)[f"a{actions[0].pk}-{champ}"] == [tape]


def test_un_libelle_colle_vaut_son_choix(client, actions):
    envoyer(client, **cellules(actions[0], priorite="haute", statut="en cours"))
    assert (relue(actions[0]).priorite, relue(actions[0]).statut) == (Priorite.HAUTE, Statut.EN_COURS)


def test_effacer_un_pilote_le_retire(client, plan, pilote):
    action = fabriques.action(plan, pilote=pilote)
    envoyer(client, **cellules(action, pilote=""))
    assert relue(action).pilote is None


def test_un_pilote_desactive_reste_sans_se_proposer(client, plan, pilote):
    action = fabriques.action(plan, pilote=pilote)
    pilote.is_active = False
    pilote.save()
    assert "Camille Martin</option>" not in client.get(GRILLE).content.decode()
    assert '<option value="Camille Martin">' not in client.get(GRILLE).content.decode()
    assert envoyer(client, **cellules(action, priorite="HAUTE")).status_code == 302
    assert relue(action).pilote == pilote


def test_la_pilote_n_est_pas_sa_propre_suppleante(client, plan, pilote):
    action = fabriques.action(plan, suppleant=pilote)
    reponse = envoyer(client, **cellules(action, pilote="Camille Martin"))
    assert "une autre personne" in refus(reponse, action)["pilote"]


# --- Échéance et statut -------------------------------------------------------------------------


def test_une_echeance_deja_fixee_ne_change_pas_sans_motif(client, plan, responsable):
    action = fabriques.action(plan, echeance=T2, auteur=responsable)
    reponse = envoyer(client, **cellules(action, echeance="2028"))
    assert refus(reponse, action) == {"motif": "Une échéance déjà fixée ne change pas sans motif."}
    assert relue(action).valeur_echeance == T2
    envoi = formulaire_de(reponse) | {f"a{action.pk}-motif": "Marché relancé."}
    assert client.post(GRILLE, envoi).status_code == 302
    assert relue(action).valeur_echeance == Echeance.lire("2028")
    assert ReportEcheance.en_vigueur_pour(action).motif == "Marché relancé."


def test_un_motif_seul_ne_change_rien_et_se_vide(client, plan):
    action = fabriques.action(plan, echeance=T2)
    version = relue(action).version
    reponse = envoyer(client, **cellules(action, motif="Pour rien."))
    assert reponse.status_code == 302
    assert relue(action).version == version


def test_une_date_d_effet_future_est_refusee_a_sa_cellule(client, actions):
    demain = timezone.localdate() + datetime.timedelta(days=1)
    reponse = envoyer(client, **cellules(actions[0], statut="EN_COURS", date_effet=f"{demain:%d/%m/%Y}"))
    assert "dans le futur" in refus(reponse, actions[0])["date_effet"]
    assert relue(actions[0]).statut == Statut.NON_INITIEE


def test_une_date_d_effet_sans_nouveau_statut_ne_change_rien(client, actions):
    version = relue(actions[0]).version
    envoyer(client, **cellules(actions[0], date_effet="01/02/2026"))
    assert relue(actions[0]).version == version


def test_une_saisie_tardive_demande_ou_s_inserer(client, actions, responsable):
    action = actions[0]
    action.changer_statut(
        Statut.TERMINEE, auteur=responsable, version=relue(action).version, date_effet=datetime.date(2026, 6, 1)
    )
    reponse = envoyer(client, **cellules(action, statut="EN_COURS", date_effet="01/02/2026"))
    assert "précède le changement du 01/06/2026" in refus(reponse, action)["date_effet"]
    suivante = ChangementDeStatut.en_vigueur_pour(action).pk
    assert f'name="a{action.pk}-insere_avant" value="{suivante}"' in reponse.content.decode()
    envoi = formulaire_de(reponse) | {f"a{action.pk}-insere_avant": str(suivante)}
    assert client.post(GRILLE, envoi).status_code == 302
    assert ChangementDeStatut.en_vigueur_pour(action, datetime.date(2026, 3, 1)).statut == Statut.EN_COURS
    assert relue(action).statut == Statut.TERMINEE


def test_un_statut_refuse_n_enregistre_rien_de_sa_ligne(client, actions, responsable):
    """Le statut s'écrit après le reste : son refus défait tout."""
    action = actions[0]
    reponse = envoyer(client, **cellules(action, priorite="HAUTE", statut="EN_COURS", date_effet="01/01/2020"))
    assert "date_effet" in refus(reponse, action)
    assert relue(action).priorite == ""


# --- À plusieurs --------------------------------------------------------------------------------


def changer_ailleurs(action: Action, priorite: str) -> None:
    autre = relue(action)
    autre.priorite = priorite
    autre.save()


def test_un_conflit_garde_la_saisie_et_montre_ce_qui_est_enregistre(client, actions):
    action = actions[0]
    envoi = saisie(client, **cellules(action, priorite="HAUTE"))
    changer_ailleurs(action, Priorite.BASSE)
    reponse = client.post(GRILLE, envoi)
    assert relue(action).priorite == Priorite.BASSE
    cellule = next(c for c in ligne(reponse, action).cellules if c.colonne.champ == "priorite")
    assert (cellule.valeur, cellule.enregistre, cellule.entre_temps) == ("HAUTE", "BASSE", "Basse")
    page = reponse.content.decode()
    assert "Enregistré entre-temps : <strong>Basse</strong>" in page
    # Envoyer de nouveau enregistre en connaissance de cause.
    assert client.post(GRILLE, formulaire_de(reponse)).status_code == 302
    assert relue(action).priorite == Priorite.HAUTE


def test_une_ligne_qu_on_n_a_pas_touchee_n_ecrase_pas_celle_d_un_autre(client, actions):
    envoi = saisie(client, **cellules(actions[0], priorite="HAUTE"))
    changer_ailleurs(actions[1], Priorite.BASSE)
    assert client.post(GRILLE, envoi).status_code == 302
    assert relue(actions[1]).priorite == Priorite.BASSE


def test_sans_version_lisible_rien_ne_s_ecrit(client, actions):
    envoi = saisie(client, **cellules(actions[0], priorite="HAUTE")) | {f"a{actions[0].pk}-version": "x"}
    assert ligne(client.post(GRILLE, envoi), actions[0]).etat == "conflit"
    assert relue(actions[0]).priorite == ""


def test_un_depart_illisible_vaut_ce_qui_est_enregistre(client, actions):
    for depart in ("", "{", "[1]", json.dumps({"priorite": 3})):
        envoi = saisie(client, **cellules(actions[0], echeance="2027")) | {f"a{actions[0].pk}-depart": depart}
        assert client.post(GRILLE, envoi).status_code == 302


def test_une_action_retiree_pendant_la_saisie_le_dit(client, actions, responsable):
    action = actions[0]
    envoi = saisie(client, **cellules(action, priorite="HAUTE"))
    action.retirer(auteur=responsable, version=relue(action).version, motif="Abandonnée.")
    page = client.post(GRILLE, envoi).content.decode()
    assert "a été retirée du plan pendant votre saisie" in page
    assert relue(action).priorite == ""


# --- La page ------------------------------------------------------------------------------------


def test_les_actions_retirees_n_y_sont_pas(client, actions, responsable):
    retiree = actions[1]
    retiree.retirer(auteur=responsable, version=relue(retiree).version, motif="Abandonnée.")
    lignes = client.get(GRILLE).context["lignes"]
    assert [ligne.action.pk for ligne in lignes] == [actions[0].pk, actions[2].pk]


def test_les_filtres_gardent_ce_qui_manque_et_comptent(client, plan, pilote):
    complete = fabriques.action(plan, pilote=pilote, echeance=T2, service_pilote=fabriques.service("Achats"))
    sans_pilote = fabriques.action(plan, echeance=T2, service_pilote=fabriques.service("Achats"))
    page = client.get(GRILLE)
    assert {ligne.action.pk for ligne in page.context["lignes"]} == {complete.pk, sans_pilote.pk}
    assert [(m.libelle, m.nombre) for m in page.context["grille"].manques] == [
        ("Toutes", 2),
        ("Sans pilote", 1),
        ("Sans échéance", 0),
        ("Sans service", 0),
    ]
    assert [li.action.pk for li in client.get(f"{GRILLE}?manque=pilote").context["lignes"]] == [sans_pilote.pk]
    assert "chaque action du plan a son échéance" in client.get(f"{GRILLE}?manque=echeance").content.decode()


def test_apres_l_envoi_on_reste_dans_son_filtre(client, actions, pilote):
    requete = "?plan=plan-dessai&manque=pilote"
    reponse = envoyer(client, requete, **cellules(actions[0], pilote="Camille Martin"))
    assert reponse["Location"] == f"{GRILLE}{requete}"
    assert len(client.get(reponse["Location"]).context["lignes"]) == 2


def test_chaque_plan_a_sa_grille(client, actions):
    ailleurs = fabriques.action(fabriques.plan(intitule="Un autre plan"))
    page = client.get(f"{GRILLE}?plan=un-autre-plan")
    assert [ligne.action.pk for ligne in page.context["lignes"]] == [ailleurs.pk]
    # L'envoi ne touche que les actions du plan montré.
    envoi = {"lignes": [str(actions[0].pk)], f"a{actions[0].pk}-priorite": "HAUTE"}
    client.post(f"{GRILLE}?plan=un-autre-plan", envoi)
    assert relue(actions[0]).priorite == ""


def test_vingt_cinq_lignes_par_page(client, plan):
    for _ in range(27):
        fabriques.action(plan)
    assert len(client.get(GRILLE).context["lignes"]) == 25
    seconde = client.get(f"{GRILLE}?page=2")
    assert len(seconde.context["lignes"]) == 2
    assert "Page 2 sur 2" in seconde.content.decode()
    assert len(client.get(f"{GRILLE}?page=999").context["lignes"]) == 2


def test_un_plan_inconnu_ou_un_filtre_absurde_se_disent(client, actions):
    assert client.get(f"{GRILLE}?plan=inconnu").status_code == 404
    assert client.get(f"{GRILLE}?manque=tout").status_code == 400


def test_sans_plan_la_page_le_dit(client):
    assert client.get(GRILLE).status_code == 404


def test_un_texte_tape_est_echappe(client, actions):
    tape = '"><script>alert(1)</script>'
    page = envoyer(client, **cellules(actions[0], pilote=tape, priorite=tape)).content.decode()
    assert "<script>alert" not in page


@pytest.mark.parametrize("role", [Role.LECTEUR, Role.AGENT])
def test_la_grille_est_aux_responsables(actions, role):
    client = client_de(fabriques.utilisateur(role))
    assert client.get(GRILLE).status_code == 403
    assert client.post(reverse("actions:grille_ligne", args=[actions[0].pk])).status_code == 403


# --- Une ligne ----------------------------------------------------------------------------------


def test_une_ligne_enregistree_sur_place_revient_seule(client, actions, pilote):
    envoi = saisie(client, **cellules(actions[0], pilote="Camille Martin"))
    adresse = reverse("actions:grille_ligne", args=[actions[0].pk])
    reponse = client.post(adresse, envoi, headers={"HX-Request": "true"})
    morceau = reponse.content.decode().strip()
    assert morceau.startswith("<tr")
    assert 'data-etat="enregistree"' in morceau
    assert 'data-enregistre="Camille Martin"' in morceau
    assert relue(actions[0]).pilote == pilote


def test_une_ligne_n_ecrit_qu_elle_meme(client, actions):
    envoi = saisie(client, **cellules(actions[0], priorite="HAUTE"), **cellules(actions[1], priorite="HAUTE"))
    client.post(reverse("actions:grille_ligne", args=[actions[0].pk]), envoi, headers={"HX-Request": "true"})
    assert [relue(action).priorite for action in actions] == ["HAUTE", "", ""]


def test_une_ligne_refusee_hors_de_la_page_montre_la_page(client, actions):
    envoi = saisie(client, **cellules(actions[0], pilote="Personne"))
    reponse = client.post(reverse("actions:grille_ligne", args=[actions[0].pk]), envoi)
    assert reponse.status_code == 200
    assert "n'est ni le nom" in refus(reponse, actions[0])["pilote"]
