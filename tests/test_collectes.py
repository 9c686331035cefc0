"""Une collecte : demander les valeurs d'une année, les recevoir, les valider ou les renvoyer."""

import datetime
from html import unescape

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accueil.rappels import tournee
from comptes.droits import Role
from comptes.envoi import envoyer
from comptes.models import Courriel
from indicateurs.collectes import Collecte
from indicateurs.demandes_de_valeur import (
    ATTEND_LE_SERVICE,
    CLOSE,
    DEJA_VALIDEE,
    FERMEE,
    INCHANGEE,
    RIEN_A_RENVOYER,
    RIEN_A_TRANSMETTRE,
    RIEN_A_VALIDER,
    DemandeDeValeur,
)
from indicateurs.lignes_de_collecte import lignes_de
from indicateurs.listes import Etat, EtatDeDemande, Nature
from indicateurs.models import Indicateur, ValeurAnnuelle
from indicateurs.saisie import RESERVE, saisir
from indicateurs.suivi_de_collecte import tableau
from socle.modeles import ConflitDeVersion
from tests import fabriques
from tests.visites import LecteurDeFormulaires, client_de

pytestmark = pytest.mark.django_db
ANNEE = 2024


def dans(jours: int) -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=jours)


def texte(reponse) -> str:
    return " ".join(unescape(reponse.content.decode()).split())


@pytest.fixture
def achats():
    return fabriques.service("Achats")


@pytest.fixture
def responsable():
    return fabriques.utilisateur(Role.RESPONSABLE, prenom="Rose", nom="Ponsable", courriel="rose@exemple.fr")


@pytest.fixture
def anne(achats):
    return fabriques.utilisateur(Role.AGENT, prenom="Anne", nom="Martin", courriel="anne@exemple.fr", service=achats)


@pytest.fixture
def plan():
    return fabriques.plan(intitule="Plan d'achat")


@pytest.fixture
def consultations(plan, achats):
    return fabriques.indicateur(plan, code="consultations", intitule="Consultations lancées", service=achats)


@pytest.fixture
def part(plan, achats, consultations):
    return fabriques.indicateur(
        plan,
        code="part",
        intitule="Part avec clause",
        nature=Nature.PART,
        unite="%",
        denominateur=consultations,
        service=achats,
    )


def ouvrir(plan, auteur, **options) -> Collecte:
    return Collecte.objects.all().ouvrir(plan, ANNEE, auteur=auteur, **({"avant_le": dans(30)} | options))[0]


@pytest.fixture
def collecte(plan, responsable, anne, consultations) -> Collecte:
    return ouvrir(plan, responsable)


def demande(collecte, indicateur) -> DemandeDeValeur:
    return DemandeDeValeur.objects.select_related("collecte", "indicateur").get(
        collecte=collecte, indicateur=indicateur
    )


def etat(collecte, indicateur) -> EtatDeDemande:
    return next(ligne.etat for ligne in lignes_de(collecte.demandes.all()) if ligne.indicateur == indicateur)


# --- Ouvrir -------------------------------------------------------------------------------------


def test_ouvrir_demande_chaque_indicateur_du_plan_et_ecrit_a_ceux_qui_peuvent_repondre(
    plan, responsable, anne, part, consultations
):
    fabriques.utilisateur(Role.LECTEUR, courriel="lu@exemple.fr", service=anne.service)
    collecte = ouvrir(plan, responsable, message="Merci à tous.")
    assert {d.indicateur for d in collecte.demandes.all()} == {part, consultations}
    courriel = Courriel.objects.get()
    assert courriel.destinataire == anne
    assert courriel.objet == f"2 valeurs à donner pour la Collecte 2024, avant {collecte.echeance}"
    for dit in ("Consultations lancées", "Part avec clause", "Merci à tous.", collecte.adresse_de_reponse):
        assert dit in courriel.texte
        assert dit in courriel.html


def test_un_double_clic_n_ouvre_qu_une_collecte(plan, responsable, consultations, anne):
    ouvrir(plan, responsable)
    assert Collecte.objects.all().ouvrir(plan, ANNEE, auteur=responsable, avant_le=dans(30))[1] is None
    assert Collecte.objects.count() == Courriel.objects.count() == 1


@pytest.mark.parametrize(
    ("champs", "phrase"),
    [
        ({"avant_le": "01/01/2020"}, "Cette date est passée"),
        ({"annee": str(timezone.localdate().year + 1)}, "est à venir"),
        ({"annee": "deux mille"}, "nombre entier"),
        ({"avant_le": ""}, "obligatoire"),
    ],
)
def test_ce_qui_ne_va_pas_se_dit_a_cote_et_le_message_reste(champs, phrase, plan, responsable, consultations):
    envoi = {"plan": plan.pk, "annee": ANNEE, "avant_le": dans(30).isoformat(), "message": "Merci à tous."} | champs
    reponse = client_de(responsable).post(reverse("indicateurs:collecte_ouvrir"), envoi)
    assert phrase in texte(reponse)
    assert "Merci à tous." in texte(reponse)
    assert not Collecte.objects.exists()


def test_une_seconde_collecte_de_la_meme_annee_renvoie_a_la_premiere(plan, responsable, collecte):
    with pytest.raises(ValidationError, match="rouvrez-la"):
        Collecte.objects.all().ouvrir(plan, ANNEE, auteur=responsable, avant_le=dans(10))
    envoi = {"plan": plan.pk, "annee": ANNEE, "avant_le": dans(10).isoformat()}
    reponse = client_de(responsable).post(reverse("indicateurs:collecte_ouvrir"), envoi)
    assert f'<a href="{collecte.get_absolute_url()}">Voir la Collecte 2024' in texte(reponse)


def test_un_plan_sans_indicateur_n_a_rien_a_demander(plan, responsable):
    with pytest.raises(ValidationError, match="n'a pas d'indicateur"):
        ouvrir(plan, responsable)
    assert not Collecte.objects.exists()


def test_ce_que_personne_ne_peut_recevoir_est_a_prevenir_soi_meme(plan, responsable, consultations, anne):
    fabriques.indicateur(plan, intitule="Sans personne", service=fabriques.service("Voirie"))
    fabriques.indicateur(plan, intitule="De nulle part")
    lu = texte(client_de(responsable).get(ouvrir(plan, responsable).get_absolute_url()))
    assert "<strong>Voirie</strong> : personne n'y peut saisir" in lu
    assert "<strong>Sans service producteur</strong>" in lu


# --- Où en est une ligne ------------------------------------------------------------------------

MISES = {
    "manquante": EtatDeDemande.MANQUANTE,
    "recue": EtatDeDemande.RECUE,
    "a_valider": EtatDeDemande.A_VALIDER,
    "renvoyee": EtatDeDemande.RENVOYEE,
    "reprise": EtatDeDemande.RENVOYEE,
    "indisponible": EtatDeDemande.INDISPONIBLE,
    "validee": EtatDeDemande.VALIDEE,
}


def mettre(collecte, indicateur, anne, responsable, situation: str) -> None:
    """Amène la ligne dans cette situation par les gestes de chacun."""
    if situation == "manquante":
        return
    if situation == "indisponible":
        champs = {"indisponible": True, "motif_indisponibilite": "Logiciel en panne"}
    else:
        champs = {"valeur": 171}
    saisir(indicateur, ANNEE, champs, auteur=anne, version=0)
    if situation in ("a_valider", "renvoyee", "reprise", "validee"):
        demande(collecte, indicateur).transmettre(anne)
    if situation in ("renvoyee", "reprise"):
        demande(collecte, indicateur).renvoyer(responsable, motif="Deux lots manquent.")
    if situation == "reprise":
        saisir(indicateur, ANNEE, {"valeur": 173}, auteur=anne, version=1)
    if situation == "validee":
        demande(collecte, indicateur).valider(responsable, version=1)


@pytest.mark.parametrize(("situation", "attendu"), MISES.items())
def test_l_etat_d_une_ligne_se_deduit_de_sa_phase_et_de_sa_valeur(
    situation, attendu, collecte, consultations, anne, responsable
):
    mettre(collecte, consultations, anne, responsable, situation)
    assert etat(collecte, consultations) == attendu


GESTES = {
    "saisir": lambda d, anne, _, version: saisir(d.indicateur, ANNEE, {"valeur": 172}, auteur=anne, version=version),
    "dire indisponible": lambda d, anne, _, version: saisir(
        d.indicateur,
        ANNEE,
        {"indisponible": True, "motif_indisponibilite": "Perdu"},
        auteur=anne,
        version=version,
    ),
    "transmettre": lambda d, anne, _, __: d.transmettre(anne),
    "valider": lambda d, _, responsable, version: d.valider(responsable, version=version),
    "renvoyer": lambda d, _, responsable, __: d.renvoyer(responsable, motif="À revoir."),
}
VALIDEE_SANS_DROIT = RESERVE.format("« Consultations lancées » (2024)")
# Où mènent les deux gestes de saisie ; une collecte close ne les empêche pas.
SAISIES = {
    "manquante": (EtatDeDemande.RECUE, EtatDeDemande.INDISPONIBLE),
    "recue": (EtatDeDemande.RECUE, EtatDeDemande.INDISPONIBLE),
    "a_valider": (EtatDeDemande.A_VALIDER, EtatDeDemande.INDISPONIBLE),
    "renvoyee": (EtatDeDemande.RENVOYEE, EtatDeDemande.RENVOYEE),
    "reprise": (EtatDeDemande.RENVOYEE, EtatDeDemande.RENVOYEE),
    "indisponible": (EtatDeDemande.RECUE, EtatDeDemande.INDISPONIBLE),
    "validee": (VALIDEE_SANS_DROIT, VALIDEE_SANS_DROIT),
}
# Situation → geste → l'état où il mène, ou la phrase de son refus.
TRANSITIONS = {
    "manquante": {"transmettre": RIEN_A_TRANSMETTRE, "valider": RIEN_A_VALIDER, "renvoyer": RIEN_A_RENVOYER},
    "recue": {
        "transmettre": EtatDeDemande.A_VALIDER,
        "valider": EtatDeDemande.VALIDEE,
        "renvoyer": EtatDeDemande.RENVOYEE,
    },
    "a_valider": {
        "transmettre": EtatDeDemande.A_VALIDER,
        "valider": EtatDeDemande.VALIDEE,
        "renvoyer": EtatDeDemande.RENVOYEE,
    },
    "renvoyee": {"transmettre": INCHANGEE, "valider": ATTEND_LE_SERVICE, "renvoyer": EtatDeDemande.RENVOYEE},
    "reprise": {
        "transmettre": EtatDeDemande.A_VALIDER,
        "valider": ATTEND_LE_SERVICE,
        "renvoyer": EtatDeDemande.RENVOYEE,
    },
    "indisponible": {"transmettre": FERMEE, "valider": FERMEE, "renvoyer": EtatDeDemande.RENVOYEE},
    "validee": {
        "transmettre": DEJA_VALIDEE,
        "valider": EtatDeDemande.VALIDEE,
        "renvoyer": EtatDeDemande.RENVOYEE,
    },
}
for _situation, (_saisie, _indisponible) in SAISIES.items():
    TRANSITIONS[_situation] |= {"saisir": _saisie, "dire indisponible": _indisponible}
CAS = [(situation, geste, issue) for situation, gestes in TRANSITIONS.items() for geste, issue in gestes.items()]


def faire(geste, collecte, consultations, anne, responsable):
    version = ValeurAnnuelle.objects.filter(indicateur=consultations).values_list("version", flat=True).first() or 0
    GESTES[geste](demande(collecte, consultations), anne, responsable, version)


@pytest.mark.parametrize(("situation", "geste", "issue"), CAS, ids=[f"{s}-{g}" for s, g, _ in CAS])
def test_chaque_geste_mene_ou_se_refuse_avec_sa_phrase(
    situation, geste, issue, collecte, consultations, anne, responsable
):
    mettre(collecte, consultations, anne, responsable, situation)
    if isinstance(issue, EtatDeDemande):
        faire(geste, collecte, consultations, anne, responsable)
        assert etat(collecte, consultations) == issue
        return
    avant = etat(collecte, consultations)
    with pytest.raises(ValidationError) as refus:
        faire(geste, collecte, consultations, anne, responsable)
    assert refus.value.messages == [issue]
    assert etat(collecte, consultations) == avant


@pytest.mark.parametrize("geste", ["transmettre", "valider", "renvoyer"])
@pytest.mark.parametrize("situation", MISES)
def test_une_collecte_close_refuse_tout_geste(situation, geste, collecte, consultations, anne, responsable):
    mettre(collecte, consultations, anne, responsable, situation)
    collecte.clore()
    with pytest.raises(ValidationError) as refus:
        faire(geste, collecte, consultations, anne, responsable)
    assert refus.value.messages == [CLOSE]


def test_dire_indisponible_ferme_la_ligne_et_un_chiffre_la_rouvre(collecte, consultations, anne, responsable):
    mettre(collecte, consultations, anne, responsable, "indisponible")
    saisir(consultations, ANNEE, {"valeur": 171}, auteur=anne, version=1)
    assert etat(collecte, consultations) == EtatDeDemande.RECUE


def test_une_valeur_validee_renvoyee_redevient_provisoire_avec_le_motif(collecte, consultations, anne, responsable):
    mettre(collecte, consultations, anne, responsable, "validee")
    demande(collecte, consultations).renvoyer(responsable, motif="Deux lots manquent.")
    valeur = consultations.valeurs.get()
    assert valeur.etat == Etat.PROVISOIRE
    assert valeur.history.first().history_change_reason == "Deux lots manquent."


def test_une_valeur_renvoyee_puis_validee_ailleurs_est_validee(collecte, consultations, anne, responsable):
    mettre(collecte, consultations, anne, responsable, "renvoyee")
    saisir(consultations, ANNEE, {"etat": Etat.VALIDEE}, auteur=responsable, version=1)
    assert etat(collecte, consultations) == EtatDeDemande.VALIDEE
    assert "Deux lots manquent." not in texte(client_de(responsable).get(collecte.get_absolute_url()))


def test_renvoyer_sans_motif_est_refuse(collecte, consultations, anne, responsable):
    mettre(collecte, consultations, anne, responsable, "a_valider")
    adresse = reverse("indicateurs:demande_renvoyer", args=[collecte.pk, demande(collecte, consultations).pk])
    assert "Dites pourquoi vous la renvoyez" in texte(client_de(responsable).post(adresse, {"motif": " "}))
    assert etat(collecte, consultations) == EtatDeDemande.A_VALIDER


def test_une_valeur_changee_depuis_n_est_pas_validee(collecte, consultations, anne, responsable):
    mettre(collecte, consultations, anne, responsable, "a_valider")
    saisir(consultations, ANNEE, {"valeur": 175}, auteur=anne, version=1)
    with pytest.raises(ConflitDeVersion):
        demande(collecte, consultations).valider(responsable, version=1)
    adresse = reverse("indicateurs:demande_valider", args=[collecte.pk, demande(collecte, consultations).pk])
    reponse = client_de(responsable).post(adresse, {"version": "1"}, follow=True)
    assert "a changé depuis que vous l'avez sous les yeux" in texte(reponse)
    assert consultations.valeurs.get().etat == Etat.PROVISOIRE


def test_un_taux_dont_le_denominateur_a_bouge_depuis_n_est_pas_valide(plan, part, consultations, anne, responsable):
    collecte = ouvrir(plan, responsable)
    fabriques.valeur(consultations, ANNEE, valeur=171)
    saisir(part, ANNEE, {"numerateur": 60}, auteur=anne, version=0)
    client = client_de(responsable)
    formulaires = LecteurDeFormulaires(client.get(collecte.get_absolute_url()).content.decode()).formulaires
    adresse = reverse("indicateurs:demande_valider", args=[collecte.pk, demande(collecte, part).pk])
    envoi = next(champs for ou, champs in formulaires if ou == adresse)
    saisir(consultations, ANNEE, {"valeur": 200}, auteur=responsable, version=1)
    assert "a changé depuis que vous l'avez sous les yeux" in texte(client.post(adresse, envoi, follow=True))
    assert part.valeurs.get().etat == Etat.PROVISOIRE


def test_une_valeur_corrigee_et_validee_par_un_autre_n_est_pas_annoncee_comme_la_mienne(
    collecte, consultations, anne, responsable
):
    mettre(collecte, consultations, anne, responsable, "a_valider")
    saisir(consultations, ANNEE, {"valeur": 175}, auteur=anne, version=1)
    demande(collecte, consultations).valider(responsable, version=2)
    with pytest.raises(ConflitDeVersion):
        demande(collecte, consultations).valider(responsable, version=1)


def test_transmettre_une_autre_ligne_ne_leve_pas_un_renvoi_qu_on_n_a_pas_repris(
    plan, part, consultations, anne, responsable
):
    collecte = ouvrir(plan, responsable)
    mettre(collecte, consultations, anne, responsable, "renvoyee")
    saisir(part, ANNEE, {"numerateur": 60}, auteur=anne, version=0)
    reponse = client_de(anne).post(collecte.adresse_de_reponse, {"transmettre": "oui"}, follow=True)
    assert "1 valeur transmise. Il en manque 1." in texte(reponse)
    assert etat(collecte, consultations) == EtatDeDemande.RENVOYEE


def test_un_taux_sans_son_denominateur_ne_se_valide_pas(plan, part, anne, responsable):
    collecte = ouvrir(plan, responsable)
    saisir(part, ANNEE, {"numerateur": 60}, auteur=anne, version=0)
    with pytest.raises(ValidationError, match="Il manque la valeur 2024 de « Consultations lancées »"):
        demande(collecte, part).valider(responsable, version=1)


def test_seul_le_service_transmet_et_seul_un_responsable_valide_ou_renvoie(collecte, consultations, anne, responsable):
    mettre(collecte, consultations, anne, responsable, "recue")
    ailleurs = fabriques.utilisateur(Role.AGENT, service=fabriques.service("Voirie"))
    for geste in (
        lambda d: d.transmettre(ailleurs),
        lambda d: d.valider(anne, version=1),
        lambda d: d.renvoyer(anne, motif="Non."),
    ):
        with pytest.raises(PermissionDenied):
            geste(demande(collecte, consultations))


# --- La page d'un service -----------------------------------------------------------------------


def envoi_de_la_page(client, adresse) -> dict:
    formulaires = LecteurDeFormulaires(client.get(adresse).content.decode()).formulaires
    return next(champs for _, champs in formulaires if "lignes" in champs)


def test_le_service_saisit_et_transmet_sur_une_seule_page(collecte, consultations, anne):
    client = client_de(anne)
    assert "1\u00a0valeur attendue" in client.get(collecte.adresse_de_reponse).content.decode()
    envoi = envoi_de_la_page(client, collecte.adresse_de_reponse)
    envoi |= {f"i{consultations.pk}-valeur": "171", "transmettre": "oui"}
    lu = texte(client.post(collecte.adresse_de_reponse, envoi, follow=True))
    assert "1 ligne enregistrée." in lu
    assert "1 valeur transmise. Il n'en manque aucune." in lu
    assert etat(collecte, consultations) == EtatDeDemande.A_VALIDER


def test_close_pendant_la_saisie_rien_n_est_transmis_et_rien_de_tape_ne_se_perd(collecte, consultations, anne):
    client = client_de(anne)
    envoi = envoi_de_la_page(client, collecte.adresse_de_reponse)
    collecte.clore()
    envoi |= {f"i{consultations.pk}-valeur": "171", "transmettre": "oui"}
    lu = texte(client.post(collecte.adresse_de_reponse, envoi, follow=True))
    assert "1 ligne enregistrée." in lu
    assert f"Rien n'est transmis. {CLOSE}" in lu
    assert consultations.valeurs.get().valeur == 171


def test_une_ligne_refusee_garde_la_saisie_et_rien_n_est_transmis(collecte, consultations, anne):
    client = client_de(anne)
    envoi = envoi_de_la_page(client, collecte.adresse_de_reponse)
    envoi |= {f"i{consultations.pk}-valeur": "cent", "transmettre": "oui"}
    lu = texte(client.post(collecte.adresse_de_reponse, envoi))
    assert 'value="cent"' in lu
    assert "n'est pas un nombre" in lu
    assert etat(collecte, consultations) == EtatDeDemande.MANQUANTE


def test_un_renvoi_se_lit_sur_la_page_du_service(collecte, consultations, anne, responsable):
    mettre(collecte, consultations, anne, responsable, "renvoyee")
    assert "<strong>Consultations lancées</strong> : Deux lots manquent." in texte(
        client_de(anne).get(collecte.adresse_de_reponse)
    )


def test_un_responsable_repond_pour_un_service_et_un_agent_pour_le_sien_seul(collecte, responsable, anne, achats):
    voirie = fabriques.service("Voirie")
    assert client_de(responsable).get(f"{collecte.adresse_de_reponse}?service={achats.pk}").status_code == 200
    assert client_de(responsable).get(collecte.adresse_de_reponse).url == collecte.get_absolute_url()
    assert client_de(anne).get(f"{collecte.adresse_de_reponse}?service={voirie.pk}").status_code == 403
    assert client_de(anne).get(f"{collecte.adresse_de_reponse}?service=99999").status_code == 404


def test_une_ligne_d_un_autre_service_glissee_dans_l_envoi_est_ignoree(plan, collecte, consultations, anne):
    autre = fabriques.indicateur(plan, intitule="D'ailleurs", service=fabriques.service("Voirie"))
    collecte.completer()
    client = client_de(anne)
    envoi = envoi_de_la_page(client, collecte.adresse_de_reponse)
    envoi = envoi | {"lignes": [*envoi["lignes"], str(autre.pk)], f"i{autre.pk}-valeur": "5"}
    client.post(collecte.adresse_de_reponse, envoi)
    assert not autre.valeurs.exists()


def test_mes_actions_et_les_indicateurs_disent_ce_qui_est_du_jusqu_a_la_saisie(collecte, consultations, anne):
    client = client_de(anne)
    attendu = f"1 valeur à donner pour la Collecte 2024 avant {collecte.echeance}"
    for adresse in ("/mes-actions/", "/indicateurs/"):
        assert attendu in texte(client.get(adresse))
    saisir(consultations, ANNEE, {"valeur": 171}, auteur=anne, version=0)
    for adresse in ("/mes-actions/", "/indicateurs/"):
        assert "à donner pour la Collecte" not in texte(client.get(adresse))


# --- Le tableau ---------------------------------------------------------------------------------


def test_le_tableau_compte_chaque_etat_et_dit_ce_qui_etonne(plan, part, consultations, anne, responsable):
    fabriques.valeur(consultations, ANNEE - 1, valeur=60)
    collecte = ouvrir(plan, responsable)
    mettre(collecte, consultations, anne, responsable, "a_valider")
    vu = tableau(collecte)
    assert dict(vu.compte)[EtatDeDemande.A_VALIDER] == dict(vu.compte)[EtatDeDemande.MANQUANTE] == 1
    lu = texte(client_de(responsable).get(collecte.get_absolute_url()))
    assert "1 sur 2</strong> valeurs reçues" in lu
    assert "+ 185 % par rapport à 2023 (60)" in lu


def test_tout_valider_valide_ce_qui_est_transmis_et_montre(plan, part, consultations, anne, responsable):
    collecte = ouvrir(plan, responsable)
    mettre(collecte, consultations, anne, responsable, "a_valider")
    saisir(part, ANNEE, {"numerateur": 60}, auteur=anne, version=0)
    adresse = reverse("indicateurs:collecte_valider_tout", args=[collecte.pk])
    chiffres = {d.indicateur: d.valeur.detail for d in collecte.demandes.all()}
    lignes = [f"{demande(collecte, i).pk}:1:{chiffres[i]}" for i in (consultations, part)]
    lu = texte(client_de(responsable).post(adresse, {"lignes": lignes}, follow=True))
    assert "1 valeur validée." in lu
    assert "Part avec clause : elle n'est plus à valider (reçu)." in lu
    assert (etat(collecte, consultations), etat(collecte, part)) == (EtatDeDemande.VALIDEE, EtatDeDemande.RECUE)


def test_le_tableau_dit_qui_a_donne_chaque_valeur_et_propose_les_nouveaux_indicateurs(
    plan, collecte, consultations, anne, responsable
):
    mettre(collecte, consultations, anne, responsable, "a_valider")
    fabriques.indicateur(plan, intitule="Arrivé depuis", service=anne.service)
    lu = texte(client_de(responsable).get(collecte.get_absolute_url()))
    assert f"le {timezone.localdate():%d/%m/%Y} par Anne Martin" in lu
    assert "Demander aussi 1 nouvel indicateur" in lu


def test_clore_puis_rouvrir_demande_aussi_les_nouveaux_indicateurs(plan, collecte, consultations, anne):
    collecte.clore()
    assert "à donner pour la Collecte" not in texte(client_de(anne).get("/mes-actions/"))
    fabriques.indicateur(plan, intitule="Arrivé depuis", service=anne.service)
    collecte.rouvrir()
    assert collecte.demandes.count() == 2


# --- Relances et rappels ------------------------------------------------------------------------


def test_relancer_n_ecrit_qu_aux_services_qui_doivent_une_valeur(plan, responsable, consultations, anne):
    voirie = fabriques.service("Voirie")
    fabriques.utilisateur(Role.AGENT, courriel="noe@exemple.fr", service=voirie)
    autre = fabriques.indicateur(plan, intitule="D'ailleurs", service=voirie)
    collecte = ouvrir(plan, responsable)
    Courriel.objects.all().delete()
    saisir(consultations, ANNEE, {"valeur": 171}, auteur=anne, version=0)
    assert [c.adresse for c in collecte.relancer().courriels] == ["noe@exemple.fr"]
    assert Courriel.objects.get().objet.startswith("Relance : ")
    assert not collecte.relancer().courriels
    assert autre.intitule in Courriel.objects.get().texte


def test_une_collecte_close_ne_relance_pas(collecte, responsable):
    collecte.clore()
    with pytest.raises(ValidationError):
        collecte.relancer()
    reponse = client_de(responsable).post(reverse("indicateurs:collecte_relancer", args=[collecte.pk]), follow=True)
    assert CLOSE in texte(reponse)


def test_le_rappel_du_mois_dit_les_valeurs_que_le_service_doit(collecte, consultations, anne):
    [rappel] = tournee().rappels
    assert rappel.personne == anne
    assert rappel.phrase == "1\u00a0valeur à donner"
    tournee().ecrire()
    recu = Courriel.objects.get(cle__startswith="rappel-")
    assert "1\u00a0valeur à donner pour la Collecte 2024" in recu.texte
    assert collecte.adresse_de_reponse in recu.html


def test_une_valeur_donnee_ne_se_rappelle_plus(collecte, consultations, anne):
    saisir(consultations, ANNEE, {"valeur": 171}, auteur=anne, version=0)
    assert tournee().rappels == []


def test_la_demande_arrive_dans_les_boites(plan, responsable, consultations, anne, serveur_de_courriels):
    ouvrir(plan, responsable, message="Merci d'avance & à bientôt.")
    assert envoyer().complet
    (recu,) = serveur_de_courriels.a("anne@exemple.fr")
    parties = {partie.get_content_type(): partie.get_content() for partie in recu.iter_parts()}
    assert "Merci d'avance & à bientôt." in parties["text/plain"]
    assert "Merci d'avance & à bientôt." in unescape(parties["text/html"])


# --- Autant de requêtes pour 3 que pour 300 ------------------------------------------------------


def garnir(plan, combien: int, annees: int) -> None:
    service = fabriques.service("Achats")
    indicateurs = Indicateur.objects.bulk_create(
        Indicateur(code=f"i{combien}-{n}", intitule=f"Indicateur {n:03}", nature=Nature.COMPTE, service=service)
        for n in range(combien)
    )
    plan.places_d_indicateur.bulk_create(
        plan.places_d_indicateur.model(plan=plan, indicateur=indicateur) for indicateur in indicateurs
    )
    ValeurAnnuelle.objects.bulk_create(
        ValeurAnnuelle(indicateur=indicateur, annee=ANNEE - recul, valeur=100)
        for indicateur in indicateurs[: combien // 2]
        for recul in range(annees)
    )


def test_300_indicateurs_sur_vingt_ans_ne_demandent_pas_plus_de_requetes_que_3(responsable, anne):
    mesures = []
    for combien, annees in ((3, 2), (300, 20)):
        plan = fabriques.plan()
        garnir(plan, combien, annees)
        collecte = ouvrir(plan, responsable)
        pages = ((responsable, collecte.get_absolute_url()), (anne, collecte.adresse_de_reponse))
        mesures.append([])
        for compte, adresse in (*pages, (responsable, reverse("indicateurs:collectes"))):
            client = client_de(compte)
            client.get(adresse)
            with CaptureQueriesContext(connection) as requetes:
                assert client.get(adresse).status_code == 200
            mesures[-1].append(len(requetes))
        with CaptureQueriesContext(connection) as requetes:
            tournee()
        mesures[-1].append(len(requetes))
    assert mesures[0] == mesures[1]
