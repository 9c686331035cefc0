"""Les gestes sur une action, par leurs formulaires : ce qui est faux se dit à côté du champ et ne perd rien."""

import datetime

import pytest
from django.utils import timezone

from actions.models import Action, ChangementDeStatut, NoteDeSuivi, ReportEcheance
from socle.echeances import Echeance
from tests import fabriques

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent():
    return fabriques.utilisateur("agent", service=fabriques.service("Commande publique"))


@pytest.fixture
def responsable():
    return fabriques.utilisateur("responsable")


@pytest.fixture
def action(agent) -> Action:
    return fabriques.action(intitule="Réaliser un audit fournisseur", service_pilote=agent.service)


@pytest.fixture
def connecte(client, agent):
    client.force_login(agent)
    return client


def envoyer(client, action, geste, **champs):
    champs.setdefault("version", action.version)
    return client.post(f"/actions/{action.pk}/{geste}/", champs)


def changer(client, action, **champs):
    champs = {"statut": "EN_COURS", "date_effet": timezone.localdate().isoformat(), "commentaire": "", **champs}
    return envoyer(client, action, "statut", **champs)


def erreurs(reponse, champ: str) -> list[str]:
    assert reponse.status_code == 200
    return reponse.context["formulaire"].errors.get(champ, [])


def texte(reponse) -> str:
    return reponse.content.decode().replace("&#x27;", "'")


# --- Statut -------------------------------------------------------------------------------------


def test_un_statut_s_enregistre_avec_son_auteur_sa_date_et_son_commentaire(connecte, agent, action):
    reponse = changer(connecte, action, commentaire="Marché notifié")
    assert reponse.status_code == 302
    assert reponse.url == action.get_absolute_url()
    ligne = ChangementDeStatut.objects.filter(action=action).first()
    assert (ligne.statut, ligne.auteur, ligne.commentaire) == ("EN_COURS", agent, "Marché notifié")
    assert ligne.date_effet == timezone.localdate()


def test_la_chronologie_dit_qui_quand_et_a_quelle_date_d_effet(connecte, agent, action):
    changer(connecte, action, date_effet="2024-05-06", commentaire="Marché notifié")
    page = texte(connecte.get(action.get_absolute_url()))
    assert "Marché notifié" in page
    assert "Effet au 06/05/2024" in page
    assert f"saisi le {timezone.localdate():%d/%m/%Y}" in page
    assert f"par {agent}" in page


def test_la_date_du_jour_est_proposee(connecte, action):
    page = texte(connecte.get(f"/actions/{action.pk}/statut/"))
    assert f'value="{timezone.localdate().isoformat()}"' in page


def test_un_statut_inconnu_est_refuse(connecte, action):
    reponse = changer(connecte, action, statut="PRESQUE", commentaire="à garder")
    assert "Statut inconnu" in erreurs(reponse, "statut")[0]
    assert "à garder" in texte(reponse)
    assert ChangementDeStatut.objects.filter(action=action).count() == 1


def test_une_date_future_est_refusee_a_cote_de_son_champ(connecte, action):
    demain = timezone.localdate() + datetime.timedelta(days=1)
    reponse = changer(connecte, action, date_effet=demain.isoformat(), commentaire="à garder")
    assert "futur" in erreurs(reponse, "date_effet")[0]
    assert "à garder" in texte(reponse)
    assert ChangementDeStatut.objects.filter(action=action).count() == 1


def test_une_date_illisible_est_refusee_et_reste_affichee(connecte, action):
    reponse = changer(connecte, action, date_effet="le 32 mars")
    assert erreurs(reponse, "date_effet")
    assert "le 32 mars" in texte(reponse)


def test_l_avancement_n_est_demande_que_si_le_plan_le_montre(connecte, action):
    assert "avancement" not in connecte.get(f"/actions/{action.pk}/statut/").context["formulaire"].fields
    action.plan.affiche_avancement = True
    action.plan.save()
    assert "avancement" in connecte.get(f"/actions/{action.pk}/statut/").context["formulaire"].fields


def test_quarante_pour_cent_sur_une_action_terminee_est_refuse(connecte, action):
    action.plan.affiche_avancement = True
    action.plan.save()
    reponse = changer(connecte, action, statut="TERMINEE", avancement="40")
    messages = reponse.context["formulaire"].errors
    assert "1 à 99" in str(messages)
    assert ChangementDeStatut.objects.filter(action=action).count() == 1


def test_un_avancement_en_cours_s_enregistre(connecte, action):
    action.plan.affiche_avancement = True
    action.plan.save()
    changer(connecte, action, avancement="40")
    action.refresh_from_db()
    assert (action.statut, action.avancement) == ("EN_COURS", 40)


def test_le_meme_statut_a_la_meme_date_n_est_pas_un_changement(connecte, action):
    reponse = changer(connecte, action, statut="NON_INITIEE")
    assert "rien à changer" in erreurs(reponse, "statut")[0]


# --- Saisie tardive -----------------------------------------------------------------------------


def test_une_saisie_tardive_demande_de_dire_ou_elle_va(connecte, agent, action):
    action.changer_statut("TERMINEE", auteur=agent, version=action.version, date_effet=datetime.date(2025, 3, 10))
    action.refresh_from_db()
    reponse = changer(connecte, action, date_effet="2025-01-15", commentaire="retrouvé au compte rendu")
    page = texte(reponse)
    assert "précède le changement du 10/03/2025" in erreurs(reponse, "date_effet")[0]
    assert "Insérer avant le changement du 10/03/2025 (Terminée)" in page
    assert "retrouvé au compte rendu" in page
    assert ChangementDeStatut.objects.filter(action=action).count() == 2


def test_une_saisie_tardive_confirmee_entre_au_journal_sans_changer_aujourd_hui(connecte, agent, action):
    derniere = action.changer_statut(
        "TERMINEE", auteur=agent, version=action.version, date_effet=datetime.date(2025, 3, 10)
    )
    action.refresh_from_db()
    reponse = changer(connecte, action, date_effet="2025-01-15", insere_avant=derniere.pk)
    assert reponse.status_code == 302
    action.refresh_from_db()
    assert action.statut == "TERMINEE"
    fevrier = Action.objects.etat_au(datetime.date(2025, 2, 1)).get(pk=action.pk)
    assert fevrier.etat_statut == "EN_COURS"


def test_une_confirmation_qui_ne_vise_plus_la_bonne_ligne_est_redemandee(connecte, agent, action):
    derniere = action.changer_statut(
        "TERMINEE", auteur=agent, version=action.version, date_effet=datetime.date(2025, 3, 10)
    )
    action.refresh_from_db()
    reponse = changer(connecte, action, date_effet="2025-01-15", insere_avant=derniere.pk + 1000)
    assert "confirmez" in erreurs(reponse, "date_effet")[0]
    assert f'value="{derniere.pk}"' in texte(reponse)


# --- Deux personnes -----------------------------------------------------------------------------


def test_le_second_voit_ce_qui_est_enregistre_et_garde_sa_saisie(client, agent, responsable, action):
    action.changer_statut("EN_COURS", auteur=responsable, version=action.version, commentaire="Décidé en réunion")
    client.force_login(agent)
    reponse = changer(client, action, statut="TERMINEE", commentaire="Rapport remis")
    page = texte(reponse)
    assert "modifiée pendant votre saisie" in page
    assert "Décidé en réunion" in page
    assert str(responsable) in page
    assert "Rapport remis" in page
    assert ChangementDeStatut.objects.filter(action=action).count() == 2


def test_le_second_peut_renvoyer_sa_saisie_en_connaissance_de_cause(client, agent, responsable, action):
    action.changer_statut("EN_COURS", auteur=responsable, version=action.version)
    client.force_login(agent)
    refuse = changer(client, action, statut="TERMINEE")
    version = refuse.context["formulaire"]["version"].value()
    assert changer(client, action, statut="TERMINEE", version=version).status_code == 302
    action.refresh_from_db()
    assert action.statut == "TERMINEE"


def test_un_double_clic_ne_fait_qu_un_changement(connecte, action):
    assert changer(connecte, action, commentaire="une fois").status_code == 302
    assert changer(connecte, action, commentaire="une fois").status_code == 302
    assert ChangementDeStatut.objects.filter(action=action).count() == 2


def test_une_version_absente_ne_passe_pas(connecte, action):
    reponse = connecte.post(
        f"/actions/{action.pk}/statut/", {"statut": "EN_COURS", "date_effet": timezone.localdate().isoformat()}
    )
    assert reponse.status_code == 200
    assert ChangementDeStatut.objects.filter(action=action).count() == 1


# --- Échéance -----------------------------------------------------------------------------------


def fixer(client, action, **champs):
    champs = {"date_effet": timezone.localdate().isoformat(), "motif": "", **champs}
    return envoyer(client, action, "echeance", **champs)


@pytest.mark.parametrize("saisie", ["T2 2027", "2027", "30/06/2027"])
def test_une_echeance_se_tape_comme_on_la_connait(connecte, action, saisie):
    assert fixer(connecte, action, echeance=saisie).status_code == 302
    action.refresh_from_db()
    assert str(action.valeur_echeance) == saisie


def test_une_echeance_illisible_est_refusee_et_reste_affichee(connecte, action):
    reponse = fixer(connecte, action, echeance="bientôt")
    assert erreurs(reponse, "echeance")
    assert "bientôt" in texte(reponse)


def test_reporter_une_echeance_demande_un_motif(connecte, action):
    fixer(connecte, action, echeance="2026")
    action.refresh_from_db()
    reponse = fixer(connecte, action, echeance="2027")
    assert "motif" in erreurs(reponse, "motif")[0]
    assert fixer(connecte, action, echeance="2027", motif="Marché relancé").status_code == 302
    assert ReportEcheance.objects.filter(action=action).count() == 2


# --- Point d'attention et notes -----------------------------------------------------------------


def test_un_point_d_attention_se_pose_et_se_leve(connecte, action):
    envoyer(connecte, action, "point-d-attention", nature="ARBITRAGE", phrase="Choisir le prestataire")
    assert "Choisir le prestataire" in texte(connecte.get(action.get_absolute_url()))
    action.refresh_from_db()
    envoyer(connecte, action, "point-d-attention", nature="", phrase="")
    page = texte(connecte.get(action.get_absolute_url()))
    assert "encart-attention" not in page
    assert "Point d'attention : Arbitrage demandé : Choisir le prestataire → —" in page.replace("\u202f", " ").replace(
        "\xa0", " "
    )


def test_un_point_d_attention_sans_phrase_est_refuse(connecte, action):
    assert erreurs(envoyer(connecte, action, "point-d-attention", nature="ARBITRAGE", phrase=""), "phrase")


def test_une_note_s_ecrit_une_seule_fois_meme_par_double_clic(connecte, agent, action):
    for _ in range(2):
        reponse = envoyer(connecte, action, "note", date="2026-01-15", texte="Réunion tenue", portee="INTERNE")
        assert reponse.status_code == 302
    assert [(note.texte, note.auteur) for note in NoteDeSuivi.objects.all()] == [("Réunion tenue", agent)]


def test_une_note_ne_se_date_pas_dans_le_futur(connecte, action):
    demain = timezone.localdate() + datetime.timedelta(days=1)
    reponse = envoyer(connecte, action, "note", date=demain.isoformat(), texte="Demain", portee="INTERNE")
    assert "futur" in erreurs(reponse, "date")[0]


def test_le_formulaire_de_note_previent_qu_elle_peut_etre_communiquee(connecte, action):
    assert "communiquée" in texte(connecte.get(f"/actions/{action.pk}/note/"))


# --- Fiche --------------------------------------------------------------------------------------


def fiche(action, **champs) -> dict:
    valeurs = {
        "intitule": action.intitule,
        "service_pilote": action.service_pilote_id or "",
        "numero": action.numero,
        "version": action.version,
        "visible_du_public": "on",
    }
    return {**valeurs, **champs}


def test_un_responsable_modifie_la_fiche(client, responsable, action):
    client.force_login(responsable)
    reponse = client.post(
        f"/actions/{action.pk}/modifier/", fiche(action, intitule="Un audit", budget_previsionnel="1 234,50")
    )
    assert reponse.status_code == 302
    action.refresh_from_db()
    assert (action.intitule, str(action.budget_previsionnel)) == ("Un audit", "1234.50")
    assert action.history.first().history_user == responsable


def test_modifier_la_fiche_ne_touche_pas_aux_journaux(client, responsable, action):
    client.force_login(responsable)
    client.post(f"/actions/{action.pk}/modifier/", fiche(action, intitule="Un audit", statut="TERMINEE"))
    action.refresh_from_db()
    assert action.statut == "NON_INITIEE"
    assert ChangementDeStatut.objects.filter(action=action).count() == 1


def test_changer_les_partenaires_garde_le_role_de_ceux_qui_restent(client, responsable, action):
    garde, retire, nouveau = (fabriques.partenaire() for _ in range(3))
    action.participations.create(partenaire=garde, role="PORTEUR")
    action.participations.create(partenaire=retire)
    client.force_login(responsable)
    client.post(f"/actions/{action.pk}/modifier/", fiche(action, partenaires=[garde.pk, nouveau.pk]))
    assert {p.partenaire: p.role for p in action.participations.all()} == {garde: "PORTEUR", nouveau: ""}


def test_le_role_d_un_partenaire_se_choisit_dans_la_fiche(client, responsable, action):
    porteur = fabriques.partenaire("La Région")
    action.participations.create(partenaire=porteur)
    client.force_login(responsable)
    assert "Rôle de La Région" in texte(client.get(f"/actions/{action.pk}/modifier/"))
    champs = {"partenaires": [porteur.pk], f"role_{porteur.pk}": "PORTEUR"}
    assert client.post(f"/actions/{action.pk}/modifier/", fiche(action, **champs)).status_code == 302
    assert action.participations.get().role == "PORTEUR"


def test_un_role_change_par_un_autre_entre_temps_se_voit(client, responsable, action):
    porteur = fabriques.partenaire("La Région")
    participation = action.participations.create(partenaire=porteur)
    client.force_login(responsable)
    ouverte = fiche(action, partenaires=[porteur.pk], **{f"role_{porteur.pk}": "PORTEUR"})
    participation.role = "FINANCEUR"
    participation.save()
    action.save()
    page = texte(client.post(f"/actions/{action.pk}/modifier/", ouverte))
    assert "Financeur" in page
    assert action.participations.get().role == "FINANCEUR"


def test_les_references_se_tapent_une_par_ligne(client, responsable, action):
    gardee = action.references.create(cadre="ISO 9001")
    action.references.create(cadre="SPASER", code="2")
    client.force_login(responsable)
    saisie = "PCAET : 3.2\n\nISO 9001\nPCAET : 3.2"
    assert client.post(f"/actions/{action.pk}/modifier/", fiche(action, references=saisie)).status_code == 302
    assert [str(reference) for reference in action.references.all()] == ["ISO 9001", "PCAET 3.2"]
    assert action.references.get(cadre="ISO 9001") == gardee
    assert "PCAET 3.2" in texte(client.get(action.get_absolute_url()))


@pytest.mark.parametrize("saisie", [": 3.2", "x" * 101, f"PCAET : {'1' * 101}"])
def test_une_reference_illisible_est_refusee_et_reste_affichee(client, responsable, action, saisie):
    client.force_login(responsable)
    reponse = client.post(f"/actions/{action.pk}/modifier/", fiche(action, references=saisie))
    assert erreurs(reponse, "references")
    assert saisie in texte(reponse)
    assert not action.references.exists()


def test_enregistrer_la_fiche_garde_un_partenaire_et_un_service_desactives_depuis(client, responsable, action):
    ancien = fabriques.partenaire(actif=False)
    action.participations.create(partenaire=ancien)
    action.service_pilote.actif = False
    action.service_pilote.save()
    client.force_login(responsable)
    formulaire = client.get(f"/actions/{action.pk}/modifier/").context["formulaire"]
    assert ancien in formulaire.fields["partenaires"].queryset
    reponse = client.post(f"/actions/{action.pk}/modifier/", fiche(action, partenaires=[ancien.pk]))
    assert reponse.status_code == 302
    assert list(action.partenaires.all()) == [ancien]


def test_la_fiche_ne_propose_pas_ce_qui_est_desactive(client, responsable, action):
    ancien = fabriques.partenaire(actif=False)
    parti = fabriques.utilisateur("agent", is_active=False)
    client.force_login(responsable)
    champs = client.get(f"/actions/{action.pk}/modifier/").context["formulaire"].fields
    assert ancien not in champs["partenaires"].queryset
    assert parti not in champs["pilote"].queryset


def test_deux_fiches_ouvertes_la_seconde_voit_les_deux_versions(client, responsable, action):
    client.force_login(responsable)
    ouverte = fiche(action, intitule="Ma version")
    action.intitule = "La version d'un autre"
    action.save()
    page = texte(client.post(f"/actions/{action.pk}/modifier/", ouverte))
    assert "La version d'un autre" in page
    assert "Ma version" in page
    action.refresh_from_db()
    assert action.intitule == "La version d'un autre"


def creation(plan, **champs) -> dict:
    valeurs = {
        "intitule": "Nouvelle action",
        "numero": "1",
        "statut": "EN_COURS",
        "date_effet": "2026-02-01",
        "echeance": "T4 2026",
        "references": "PCAET : 3.2",
    }
    return {**valeurs, **champs}


def test_creer_une_action_ecrit_ses_premieres_lignes_de_journal(client, responsable):
    plan = fabriques.plan()
    client.force_login(responsable)
    reponse = client.post(f"/actions/creer/?plan={plan.slug}", creation(plan))
    action = Action.objects.get()
    assert reponse.url == action.get_absolute_url()
    assert (action.statut, str(action.valeur_echeance), action.presence) == ("EN_COURS", "T4 2026", "ENTREE")
    assert [str(reference) for reference in action.references.all()] == ["PCAET 3.2"]
    assert {ligne.auteur for ligne in ChangementDeStatut.objects.all()} == {responsable}


def test_un_double_clic_ne_cree_qu_une_action(client, responsable):
    plan = fabriques.plan()
    client.force_login(responsable)
    for _ in range(2):
        assert client.post(f"/actions/creer/?plan={plan.slug}", creation(plan)).status_code == 302
    assert Action.objects.count() == 1


def test_un_numero_deja_pris_est_refuse_a_cote_de_son_champ(client, responsable, action):
    client.force_login(responsable)
    reponse = client.post(f"/actions/creer/?plan={action.plan.slug}", creation(action.plan, numero=action.numero))
    assert "numéro" in str(reponse.context["formulaire"].errors)
    assert Action.objects.count() == 1


def test_une_creation_datee_du_futur_est_refusee(client, responsable):
    plan = fabriques.plan()
    client.force_login(responsable)
    reponse = client.post(f"/actions/creer/?plan={plan.slug}", creation(plan, date_effet="2999-01-01"))
    assert erreurs(reponse, "date_effet")
    assert not Action.objects.exists()


def test_sans_plan_la_creation_dit_quoi_faire(client, responsable):
    client.force_login(responsable)
    reponse = client.get("/actions/creer/")
    assert reponse.status_code == 404
    assert "créez-le d'abord" in texte(reponse)


# --- Liste --------------------------------------------------------------------------------------


def lignes(client, adresse: str) -> list[int]:
    reponse = client.get(adresse)
    assert reponse.status_code == 200
    return [ligne.record.numero for ligne in reponse.context["table"].rows]


@pytest.fixture
def garnie(agent):
    plan = fabriques.plan()
    fin_2024 = Echeance.lire("2024")
    fabriques.action(plan, intitule="Une", statut="EN_COURS", echeance=fin_2024, service_pilote=agent.service)
    fabriques.action(plan, intitule="Deux", statut="TERMINEE", echeance=fin_2024, pilote=agent)
    fabriques.action(plan, intitule="Trois", priorite="HAUTE", attention_nature="ARBITRAGE", attention="À trancher")
    fabriques.action(plan, intitule="Un intitulé remarquable", partenaires=[fabriques.partenaire("La Région")])
    return plan


@pytest.mark.parametrize(
    ("filtre", "attendu"),
    [
        ("", [1, 2, 3, 4]),
        ("statut=TERMINEE", [2]),
        ("retard=oui", [1]),
        ("retard=non", [2]),
        ("attention=oui", [3]),
        ("attention=ARBITRAGE", [3]),
        ("attention=AUTRE", []),
        ("priorite=HAUTE", [3]),
        ("partenaire=la-region", [4]),
        ("q=remarquable", [4]),
        ("q=2", [2]),
        ("au=2023-12-31&statut=TERMINEE", [2]),
        ("au=2023-12-30", []),
        ("sort=-numero", [4, 3, 2, 1]),
    ],
)
def test_chaque_filtre_se_lit_dans_l_adresse(connecte, garnie, filtre, attendu):
    assert lignes(connecte, f"/actions/?{filtre}") == attendu


def test_deux_plans_se_suivent_au_lieu_de_se_meler(connecte, garnie):
    fabriques.action(fabriques.plan(), intitule="D'un autre plan")
    assert lignes(connecte, "/actions/") == [1, 2, 3, 4, 1]


@pytest.mark.parametrize("adresse", ["/actions/", "/partenaires/", "/indicateurs/"])
def test_tout_tri_departage_les_lignes_egales(connecte, garnie, adresse):
    fabriques.indicateur(garnie)
    table = connecte.get(adresse).context["table"]
    uniques = {("plan_id", "numero"), ("nom",), ("code",)}
    for colonne in table.columns:
        if colonne.orderable:
            ordre = tuple(connecte.get(f"{adresse}?sort={colonne.name}").context["table"].data.data.query.order_by)
            assert any(ordre[-len(cle) :] == cle for cle in uniques), (colonne.name, ordre)


def test_le_service_et_le_pilote_se_filtrent(connecte, agent, garnie):
    assert lignes(connecte, f"/actions/?service={agent.service_id}") == [1]
    assert lignes(connecte, f"/actions/?pilote={agent.pk}") == [2]


@pytest.mark.parametrize(
    ("filtre", "champ"),
    [
        ("statut=PRESQUE", "statut"),
        ("axe=999999", "axe"),
        ("axe=abc", "axe"),
        ("pilote=%00", "pilote"),
        ("au=demain", "au"),
        ("au=2999-01-01", "au"),
        ("plan=autre", "plan"),
        ("retard=peut-etre", "retard"),
        ("q=%00", "q"),
    ],
)
def test_un_filtre_absurde_est_dit_a_cote_de_son_champ(connecte, garnie, filtre, champ):
    reponse = connecte.get(f"/actions/?{filtre}")
    assert reponse.status_code == 400
    assert champ in reponse.context["filtre"].form.errors
    assert "Un filtre n'est pas compréhensible" in texte(reponse)


@pytest.mark.parametrize("adresse", ["/actions/?page=abc", "/actions/?page=999", "/actions/?sort=inconnu"])
def test_une_page_ou_un_tri_absurde_ne_casse_rien(connecte, garnie, adresse):
    assert connecte.get(adresse).status_code in (200, 404)


def test_chacun_ne_voit_le_geste_que_sur_ce_qui_releve_de_lui(connecte, garnie):
    page = texte(connecte.get("/actions/"))
    assert page.count('<details class="choix-statut"') == 2


def test_a_une_date_passee_la_liste_ne_propose_pas_de_geste(connecte, garnie):
    assert "choix-statut" not in texte(connecte.get("/actions/?au=2024-01-01"))
