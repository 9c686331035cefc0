"""La vie d'une action dans un seul ordre ; une ligne ou une note s'y corrige sans que rien ne s'efface."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from actions.chronologie import Chronologie, lignes_de
from actions.comites import Comite
from actions.models import (
    Action,
    Axe,
    ChangementDeStatut,
    Decision,
    Document,
    Etape,
    NoteDeSuivi,
    PresenceAuPlan,
    ReportEcheance,
)
from actions.vie import vie_de_l_action
from socle.echeances import Echeance
from tests import fabriques
from tests.visites import client_de

pytestmark = pytest.mark.django_db

JANVIER, MARS, MAI = datetime.date(2025, 1, 15), datetime.date(2025, 3, 10), datetime.date(2025, 5, 20)


@pytest.fixture
def responsable():
    return fabriques.utilisateur("responsable", prenom="Camille", nom="Martin")


@pytest.fixture
def action() -> Action:
    return fabriques.action(date_effet=JANVIER)


@pytest.fixture
def site(responsable):
    return client_de(responsable)


def version(action: Action) -> int:
    return Action.objects.values_list("version", flat=True).get(pk=action.pk)


def statut(action: Action, valeur: str, le: datetime.date, auteur=None, **champs) -> ChangementDeStatut:
    return action.changer_statut(valeur, auteur=auteur, version=version(action), date_effet=le, **champs)


def vie(action: Action, lecteur, **options) -> Chronologie:
    return vie_de_l_action(Action.objects.get(pk=action.pk), lecteur, **options).chronologie


def titres(action: Action, lecteur) -> list[str]:
    return [evenement.titre for evenement in vie(action, lecteur).evenements]


def page(site, action: Action) -> str:
    texte = site.get(action.get_absolute_url()).content.decode()
    return texte.replace("&#x27;", "'").replace("\u00a0", " ").replace("\u202f", " ")


def enregistrer(action: Action, auteur, **champs) -> None:
    """Change la fiche comme le ferait son formulaire."""
    relue = Action.objects.get(pk=action.pk)
    for champ, valeur in champs.items():
        setattr(relue, champ, valeur)
    relue._history_user = auteur
    relue.save()


def erreurs(reponse, champ: str) -> str:
    assert reponse.status_code == 200
    return " ".join(reponse.context["formulaire"].errors.get(champ, []))


# --- Un seul ordre ------------------------------------------------------------------------------


def test_tout_ce_qui_arrive_se_lit_dans_un_seul_ordre(action, responsable):
    statut(action, "EN_COURS", MARS)
    action.noter("Première réunion.", auteur=responsable, le=MAI)
    comite = Comite.objects.create(plan=action.plan, date=datetime.date(2025, 4, 1))
    Decision.objects.create(comite=comite, action=action, texte="Poursuivre.", auteur=responsable)
    Decision.objects.create(comite=comite, action=action, texte="Retirée.", retiree=True)
    etape = Etape.objects.ajouter(action, intitule="Notifier")
    etape.faire(version=1, le=datetime.date(2025, 4, 15))
    Document.objects.deposer(action, auteur=responsable, lien="https://exemple.fr/", titre="Avis")
    evenements = vie(action, responsable).evenements
    dates = [evenement.date_effet for evenement in evenements]
    assert dates == sorted(dates, reverse=True)
    assert [evenement.titre for evenement in evenements] == [
        "Document déposé : Avis",
        "Étape ajoutée : Notifier",
        "Note (interne)",
        "Étape faite : Notifier",
        "Décision du comité de pilotage du 01/04/2025",
        "Statut : En cours",
        "Statut : Non initiée",
        "Entrée au plan",
    ]


def test_la_page_dit_qui_l_effet_et_la_saisie(site, action, responsable):
    statut(action, "EN_COURS", MARS, auteur=responsable)
    vue = page(site, action)
    assert "Effet au 10/03/2025 · saisi le" in vue
    assert "par Camille Martin" in vue


# --- Les champs de la fiche ---------------------------------------------------------------------


def test_un_champ_change_se_dit_avant_et_apres_en_francais(action, responsable):
    pilote = fabriques.utilisateur("agent", prenom="Dominique", nom="Petit")
    axe = Axe.objects.create(plan=action.plan, code="A1", intitule="Acheter mieux")
    enregistrer(action, responsable, pilote=pilote, axe=axe, priorite="HAUTE", budget_previsionnel=1500)
    dernier = vie(action, responsable).evenements[0]
    assert dernier.titre == "Fiche modifiée : axe, pilote, priorité, budget prévisionnel (€)"
    lignes = dernier.texte.replace("\u00a0", " ").replace("\u202f", " ").splitlines()
    assert lignes == [
        f"Axe : — → {axe}",
        "Pilote : — → Dominique Petit",
        "Priorité : — → Haute",
        "Budget prévisionnel (€) : — → 1 500,00 €",
    ]
    assert (dernier.auteur, dernier.journal) == (responsable, False)


def test_un_enregistrement_qui_ne_change_rien_ne_se_dit_pas(action, responsable):
    avant = titres(action, responsable)
    enregistrer(action, responsable)
    assert titres(action, responsable) == avant


def test_une_etape_changee_dit_ce_qui_a_change_et_l_ordre_ne_compte_pas(action, responsable):
    etape = Etape.objects.ajouter(action, intitule="Notifier", echeance=Echeance.lire("T2 2026"))
    autre = Etape.objects.ajouter(action, intitule="Publier")
    autre.placer(1)
    etape = etape.decrire(version=1, intitule="Notifier le marché", echeance=None, faite_le=None)
    etape = etape.faire(version=etape.version, le=MAI)
    etape = etape.decrire(version=etape.version, intitule=etape.intitule, echeance=None, faite_le=None)
    etape.retirer(version=etape.version)
    dits = [(e.titre, e.texte) for e in vie(action, responsable).evenements if e.nature == "etape"]
    assert dits == [
        ("Étape retirée : Notifier le marché", ""),
        ("Étape changée : Notifier le marché", "Fait le : 20/05/2025 → —"),
        ("Étape changée : Notifier le marché", "Intitulé : Notifier → Notifier le marché\nÉchéance : T2 2026 → —"),
        ("Étape ajoutée : Publier", ""),
        ("Étape ajoutée : Notifier", "pour T2 2026"),
        ("Étape faite : Notifier le marché", ""),
    ]


def test_un_partenaire_et_une_reference_se_disent_aussi(action, responsable):
    partenaire = fabriques.partenaire("RES'OCC")
    action.participations.create(partenaire=partenaire, role="PORTEUR")
    reference = action.references.create(cadre="PCAET", code="4.2")
    reference.delete()
    assert {"Partenaire ajouté : RES'OCC", "Référence ajoutée : PCAET 4.2", "Référence retirée : PCAET 4.2"} <= set(
        titres(action, responsable)
    )


def test_le_texte_tape_s_affiche_echappe(site, action, responsable):
    action.noter("<script>alert(1)</script>", auteur=responsable)
    enregistrer(action, responsable, description="<img src=x>")
    vue = page(site, action)
    assert "<script>alert" not in vue
    assert "<img src=x>" not in vue


# --- Combien de requêtes ------------------------------------------------------------------------


def test_une_longue_vie_ne_coute_pas_une_requete_de_plus(action, site, responsable):
    def requetes() -> int:
        with CaptureQueriesContext(connection) as faites:
            assert site.get(action.get_absolute_url()).status_code == 200
        return len(faites)

    def vivre(n: int) -> None:
        pilote = fabriques.utilisateur("agent", nom=f"Pilote {n}")
        enregistrer(action, responsable, pilote=pilote, service_pilote=fabriques.service())
        action.noter(f"Note {n}", auteur=pilote, le=MAI)
        Etape.objects.ajouter(action, intitule=f"Étape {n}").faire(version=1)
        Document.objects.deposer(action, auteur=pilote, lien=f"https://exemple.fr/{n}")
        action.participations.create(partenaire=fabriques.partenaire())

    vivre(0)
    peu = requetes()
    for n in range(1, 15):
        vivre(n)
    assert requetes() == peu


def test_la_page_montre_les_derniers_evenements_et_le_reste_sur_demande(action, site, responsable):
    for n in range(60):
        action.noter(f"Note {n}", auteur=responsable, le=MAI)
    courte, longue = vie(action, responsable), vie(action, responsable, entiere=True)
    assert (len(courte.evenements), courte.reste) == (50, True)
    assert (len(longue.evenements), longue.reste) == (62, False)
    assert "?chronologie=entiere#vie-titre" in page(site, action)
    assert "Entrée au plan" in site.get(f"{action.get_absolute_url()}?chronologie=entiere").content.decode()


# --- Corriger une ligne de journal --------------------------------------------------------------


def corriger(site, action: Action, journal: str, ligne, **champs):
    champs = {"version": version(action), "date_effet": ligne.date_effet.isoformat(), "commentaire": ""} | champs
    return site.post(f"/actions/{action.pk}/corriger/{journal}/{ligne.pk}/", champs)


def test_la_chronologie_propose_de_corriger_ce_qui_ne_l_est_pas(site, action):
    ligne = statut(action, "EN_COURS", MARS)
    adresse = f'href="/actions/{action.pk}/corriger/statut/{ligne.pk}/"'
    assert adresse in page(site, action)
    ligne.corriger(statut="TERMINEE")
    assert adresse not in page(site, action)
    assert "(ligne corrigée)" in page(site, action)
    assert "Corriger" not in page(client_de(fabriques.utilisateur("lecteur")), action)


def test_la_page_montre_la_ligne_et_ses_valeurs(site, action, responsable):
    ligne = statut(action, "EN_COURS", MARS, auteur=responsable, commentaire="Lancée")
    reponse = site.get(f"/actions/{action.pk}/corriger/statut/{ligne.pk}/")
    assert reponse.context["formulaire"].initial["statut"] == "EN_COURS"
    vue = reponse.content.decode().replace("\u00a0", " ").replace("\u202f", " ")
    assert "Vous corrigez la ligne « En cours » (« Lancée »), effet au 10/03/2025, saisie le" in vue
    assert 'value="2025-03-10"' in vue


def test_un_statut_se_corrige_avec_sa_date_d_effet(site, action, responsable):
    ligne = statut(action, "EN_COURS", MARS)
    reponse = corriger(
        site, action, "statut", ligne, statut="TERMINEE", date_effet=MAI.isoformat(), commentaire="Faute de frappe"
    )
    assert reponse.status_code == 302
    correction = ligne.corrections.get()
    assert (correction.statut, correction.avancement, correction.date_effet) == ("TERMINEE", 100, MAI)
    assert (correction.auteur, correction.commentaire) == (responsable, "Faute de frappe")
    action.refresh_from_db()
    assert action.statut == "TERMINEE"
    assert Action.objects.etat_au(MARS).get(pk=action.pk).etat_statut == "NON_INITIEE"


def test_corriger_deux_fois_du_meme_clic_n_ecrit_qu_une_ligne(site, action):
    ligne = statut(action, "EN_COURS", MARS)
    lue = version(action)
    for _ in range(2):
        assert corriger(site, action, "statut", ligne, statut="TERMINEE", version=lue).status_code == 302
    assert ChangementDeStatut.objects.filter(action=action).count() == 3


def test_une_ligne_deja_corrigee_ne_se_corrige_plus(site, action):
    ligne = statut(action, "EN_COURS", MARS)
    ligne.corriger(statut="TERMINEE")
    reponse = corriger(site, action, "statut", ligne, statut="NON_INITIEE", commentaire="à garder")
    assert "déjà corrigée" in erreurs(reponse, "__all__")
    assert "à garder" in reponse.content.decode()


def test_ne_rien_changer_n_est_pas_corriger(site, action):
    ligne = statut(action, "EN_COURS", MARS)
    assert "Rien n'est changé" in erreurs(corriger(site, action, "statut", ligne, statut="EN_COURS"), "__all__")


def test_qui_n_a_pas_vu_la_derniere_version_ne_corrige_pas_sans_le_savoir(site, action):
    ligne = statut(action, "EN_COURS", MARS)
    lue = version(action)
    action.signaler("AUTRE", "Attention", version=lue)
    reponse = corriger(site, action, "statut", ligne, statut="TERMINEE", version=lue)
    assert "modifiée pendant votre saisie" in erreurs(reponse, "__all__")
    assert not ligne.corrections.exists()


def test_reculer_la_date_demande_ou_inserer(site, action):
    statut(action, "EN_COURS", MARS)
    ligne = statut(action, "TERMINEE", MAI)
    reponse = corriger(site, action, "statut", ligne, statut="TERMINEE", date_effet="2025-02-01")
    # Placée avant une ligne plus récente qui n'est pas elle : il faut le dire.
    assert "précède le changement du 10/03/2025" in erreurs(reponse, "date_effet")
    avant = ChangementDeStatut.objects.get(action=action, date_effet=MARS)
    reponse = corriger(
        site, action, "statut", ligne, statut="TERMINEE", date_effet="2025-02-01", insere_avant=avant.pk
    )
    assert reponse.status_code == 302
    action.refresh_from_db()
    assert action.statut == "EN_COURS"


def test_une_date_future_se_refuse(site, action):
    ligne = statut(action, "EN_COURS", MARS)
    demain = timezone.localdate() + datetime.timedelta(days=1)
    assert "futur" in erreurs(
        corriger(site, action, "statut", ligne, statut="TERMINEE", date_effet=demain), "date_effet"
    )


def test_corriger_une_ligne_remplacee_le_meme_jour_laisse_la_derniere_en_vigueur(site, action, responsable):
    premiere = statut(action, "EN_COURS", MARS, auteur=responsable)
    seconde = statut(action, "TERMINEE", MARS, auteur=responsable, commentaire="Réception faite")
    assert corriger(site, action, "statut", premiere, statut="NON_INITIEE").status_code == 302
    action.refresh_from_db()
    assert action.statut == "TERMINEE"
    en_vigueur = ChangementDeStatut.en_vigueur_pour(action)
    assert (en_vigueur.statut, en_vigueur.annule) == ("TERMINEE", seconde)
    assert en_vigueur.commentaire.startswith("Réception faite (Reprise telle quelle")
    # Déplacée à un autre jour, elle n'a plus rien à reposer.
    autre = statut(action, "EN_COURS", MAI)
    corriger(site, action, "statut", autre, statut="EN_COURS", date_effet="2025-05-21")
    assert ChangementDeStatut.objects.filter(commentaire__contains="Reprise").count() == 1


def test_l_avancement_se_corrige_quand_le_plan_le_montre(site, action):
    action.plan.affiche_avancement = True
    action.plan.save()
    ligne = statut(action, "EN_COURS", MARS, avancement=90)
    assert erreurs(corriger(site, action, "statut", ligne, statut="EN_COURS", avancement="140"), "avancement")
    corriger(site, action, "statut", ligne, statut="EN_COURS", avancement="40")
    action.refresh_from_db()
    assert action.avancement == 40


def test_une_echeance_se_corrige_et_garde_son_motif(site, action):
    for texte, motif in (("T2 2025", ""), ("2062", "Marché relancé")):
        action.reporter_echeance(
            Echeance.lire(texte), auteur=None, version=version(action), motif=motif, date_effet=MARS
        )
    ligne = ReportEcheance.en_vigueur_pour(action)
    reponse = corriger(site, action, "echeance", ligne, echeance="2026", motif="")
    assert "sans motif" in erreurs(reponse, "motif")
    corriger(site, action, "echeance", ligne, echeance="2026", motif="Marché relancé")
    action.refresh_from_db()
    assert str(action.valeur_echeance) == "2026"
    assert [str(e) for e in lignes_de(ReportEcheance, action) if not e.corrigee] == ["2026", "T2 2025"]


def test_un_retrait_se_corrige_par_qui_peut_retirer(site, action):
    agent = fabriques.utilisateur("agent")
    enregistrer(action, None, pilote=agent)
    retrait = action.retirer(auteur=None, version=version(action), motif="Doublon", date_effet=MARS)
    adresse = f"/actions/{action.pk}/corriger/presence/{retrait.pk}/"
    assert client_de(agent).get(adresse).status_code == 403
    assert adresse not in page(client_de(agent), action)
    assert adresse in page(site, action)
    assert corriger(site, action, "presence", retrait, mouvement="ENTREE", motif="").status_code == 302
    assert PresenceAuPlan.en_vigueur_pour(action).mouvement == "ENTREE"


@pytest.mark.parametrize("journal", ["autre", "note"])
def test_un_journal_inconnu_ou_la_ligne_d_une_autre_action_sont_introuvables(site, action, journal):
    ligne = ChangementDeStatut.en_vigueur_pour(action)
    assert site.get(f"/actions/{action.pk}/corriger/{journal}/{ligne.pk}/").status_code == 404
    ailleurs = ChangementDeStatut.en_vigueur_pour(fabriques.action())
    assert site.get(f"/actions/{action.pk}/corriger/statut/{ailleurs.pk}/").status_code == 404


# --- Corriger une note --------------------------------------------------------------------------


def corriger_la_note(site, note: NoteDeSuivi, **champs):
    champs = {"version": 1, "date": note.date.isoformat(), "texte": note.texte, "portee": note.portee} | champs
    return site.post(f"/actions/{note.action_id}/notes/{note.pk}/corriger/", champs)


def test_une_note_se_corrige_par_une_autre_et_l_ancienne_reste_barree(site, action, responsable):
    note = action.noter("Marché à 10 000 €", auteur=responsable, le=MARS)
    assert f'href="/actions/{action.pk}/notes/{note.pk}/corriger/"' in page(site, action)
    assert corriger_la_note(site, note, texte="Marché à 100 000 €", portee="BILAN").status_code == 302
    correction = NoteDeSuivi.objects.get(annule=note)
    assert (correction.texte, correction.portee, correction.date) == ("Marché à 100 000 €", "BILAN", MARS)
    note.refresh_from_db()
    assert note.texte == "Marché à 10 000 €"
    vue = page(site, action)
    assert "(note corrigée)" in vue
    assert '<li class="evenement-note corrige">' in vue
    assert f"/notes/{note.pk}/corriger/" not in vue
    assert list(NoteDeSuivi.objects.en_vigueur()) == [correction]


def test_corriger_une_note_deux_fois_du_meme_clic_n_en_ecrit_qu_une(site, action, responsable):
    note = action.noter("Faute", auteur=responsable, le=MARS)
    for _ in range(2):
        assert corriger_la_note(site, note, texte="Juste").status_code == 302
    assert NoteDeSuivi.objects.count() == 2


def test_une_note_corrigee_par_une_autre_ne_s_ecrase_pas(site, action, responsable):
    note = action.noter("Faute", auteur=responsable, le=MARS)
    note.corriger("Juste, dit une autre", auteur=None, le=MARS, portee="INTERNE")
    reponse = corriger_la_note(site, note, texte="Ma version")
    assert "déjà corrigée" in erreurs(reponse, "__all__")
    assert "Juste, dit une autre" in erreurs(reponse, "__all__")
    assert "Ma version" in reponse.content.decode()


def test_recopier_la_note_n_est_pas_la_corriger(site, action, responsable):
    note = action.noter("Faute", auteur=responsable, le=MARS)
    assert "Rien n'est changé" in erreurs(corriger_la_note(site, note), "texte")
    demain = timezone.localdate() + datetime.timedelta(days=1)
    assert "futur" in erreurs(corriger_la_note(site, note, date=demain.isoformat()), "date")


def test_on_peut_reecrire_une_note_qu_on_avait_corrigee(action, responsable):
    note = action.noter("Réunion tenue", auteur=responsable, le=MARS)
    note.corriger("Réunion annulée", auteur=responsable, le=MARS, portee="INTERNE")
    assert action.noter("Réunion tenue", auteur=responsable, le=MARS) != note


def test_la_note_interne_dit_a_cote_du_champ_qu_elle_peut_etre_communiquee(site, action, responsable):
    note = action.noter("Faute", auteur=responsable, le=MARS)
    for suite in ("note", f"notes/{note.pk}/corriger"):
        reponse = site.get(f"/actions/{action.pk}/{suite}/")
        assert "document administratif" in reponse.content.decode()
        assert 'aria-describedby="id_portee_helptext"' in reponse.content.decode()


# --- Le silence ---------------------------------------------------------------------------------


def silencieuse(action: Action) -> bool:
    le = timezone.localdate()
    return Action.objects.etat_au().avec_silence(le).get(pk=action.pk).sans_nouvelle


def test_une_note_corrigee_ne_rompt_pas_le_silence_mais_sa_correction_si(action, responsable):
    hier, vieux = timezone.localdate() - datetime.timedelta(days=1), MARS
    assert silencieuse(action)
    note = action.noter("Datée d'hier par erreur", auteur=responsable, le=hier)
    assert not silencieuse(action)
    juste = note.corriger("Datée comme il faut", auteur=responsable, le=vieux, portee="INTERNE")
    assert silencieuse(action)
    juste.corriger("Finalement d'hier", auteur=responsable, le=hier, portee="INTERNE")
    assert not silencieuse(action)
