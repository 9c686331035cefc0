"""Le formulaire d'une valeur annuelle : ce qu'il écrit, ce qu'il refuse, ce qu'il dit qui bouge."""

import pytest
from django.urls import reverse
from django.utils import timezone

from comptes.droits import Role
from indicateurs.listes import Etat, Nature
from indicateurs.models import Dimension, ValeurAnnuelle
from tests import fabriques
from tests.visites import client_de, formulaire_de

pytestmark = pytest.mark.django_db


def page(nom_du_compte, indicateur, annee=2024):
    return client_de(nom_du_compte), reverse("indicateurs:valeur", args=[indicateur.code, annee])


def texte(reponse) -> str:
    """Le texte de la page, espaces de toutes sortes réduites à une."""
    return " ".join(reponse.content.decode().replace("&#x27;", "'").replace("&amp;", "&").split())


@pytest.fixture
def responsable():
    return fabriques.utilisateur(Role.RESPONSABLE)


@pytest.fixture
def service():
    return fabriques.service("Achats")


@pytest.fixture
def agent(service):
    return fabriques.utilisateur(Role.AGENT, service=service)


@pytest.fixture
def consultations(service):
    return fabriques.indicateur(code="consultations", intitule="Consultations", service=service)


@pytest.fixture
def part(consultations, service):
    return fabriques.indicateur(
        code="part",
        intitule="Part avec clause",
        nature=Nature.PART,
        unite="%",
        denominateur=consultations,
        service=service,
    )


def envoyer(compte, indicateur, annee=2024, **champs):
    """Ce que le navigateur enverrait du formulaire de la page, avec ces champs changés."""
    client, adresse = page(compte, indicateur, annee)
    lus = formulaire_de(client.get(adresse))
    return client.post(adresse, lus | champs, follow=True)


def test_une_part_se_donne_par_son_numerateur_quand_le_denominateur_est_partage(agent, part, consultations):
    fabriques.valeur(consultations, 2024, valeur=171)
    reponse = envoyer(agent, part, numerateur="60")
    assert "Valeur 2024 enregistrée : 60 / 171 = 35,1 %." in texte(reponse)
    valeur = part.valeurs.get()
    assert (valeur.numerateur, valeur.valeur, valeur.denominateur, valeur.etat) == (60, None, None, Etat.PROVISOIRE)
    assert valeur.history.first().history_user == agent


def test_le_denominateur_partage_est_nomme_avec_sa_valeur(agent, part, consultations):
    fabriques.valeur(consultations, 2024, valeur=171)
    client, adresse = page(agent, part)
    assert "Vide : la valeur 2024 de « Consultations » (171)." in texte(client.get(adresse))


@pytest.mark.parametrize("tape", ["35,1", "35,1 %", "35.1"])
def test_un_taux_seul_se_lit_avec_ou_sans_son_signe(agent, part, tape):
    envoyer(agent, part, valeur=tape)
    assert str(part.valeurs.get().valeur) == "35.100000"


def test_un_nombre_illisible_est_refuse_a_cote_de_son_champ_et_reste_ecrit(agent, part):
    reponse = envoyer(agent, part, numerateur="soixante", remarque="Compté à la main.")
    lu = texte(reponse)
    assert "« soixante » n'est pas un nombre" in lu
    assert 'value="soixante"' in lu
    assert "Compté à la main." in lu
    assert not ValeurAnnuelle.objects.exists()


def test_un_formulaire_vide_demande_un_chiffre(agent, consultations):
    assert "Donnez un chiffre." in texte(envoyer(agent, consultations, remarque="Rien encore."))
    assert not ValeurAnnuelle.objects.exists()


def test_une_valeur_ne_s_efface_pas(agent, consultations):
    fabriques.valeur(consultations, 2024, valeur=171)
    assert "Une valeur ne s'efface pas" in texte(envoyer(agent, consultations, valeur=""))
    assert consultations.valeurs.get().valeur == 171


def test_un_motif_rend_la_valeur_indisponible_et_un_chiffre_la_rend_disponible(agent, consultations):
    fabriques.valeur(consultations, 2024, valeur=171)
    envoyer(agent, consultations, valeur="", motif_indisponibilite="Logiciel en panne")
    valeur = consultations.valeurs.get()
    assert (valeur.indisponible, valeur.valeur) == (True, None)
    envoyer(agent, consultations, valeur="172", motif_indisponibilite="")
    valeur.refresh_from_db()
    assert (valeur.indisponible, valeur.motif_indisponibilite, valeur.valeur) == (False, "", 172)


def test_un_denominateur_dit_les_taux_qu_il_fait_bouger(responsable, part, consultations):
    fabriques.valeur(consultations, 2024, valeur=166)
    fabriques.valeur(part, 2024, numerateur=60)
    reponse = envoyer(responsable, consultations, valeur="171")
    assert "Un taux a bougé. « Part avec clause » : 60 / 166 = 36,1 % → 60 / 171 = 35,1 %" in texte(reponse)


def test_un_denominateur_qui_bouge_un_taux_valide_demande_un_seul_motif_et_dit_ce_qui_bouge(
    responsable, part, consultations
):
    fabriques.valeur(consultations, 2024, valeur=166)
    fabriques.valeur(part, 2024, numerateur=60, etat=Etat.VALIDEE)
    reponse = envoyer(responsable, consultations, valeur="171")
    lu = texte(reponse)
    assert "Ce que cette saisie fait bouger" in lu
    assert "60 / 166 = 36,1 % → 60 / 171 = 35,1 % (validée)" in lu
    assert "Une valeur validée ne change pas sans motif" in lu
    assert 'value="171"' in lu
    assert consultations.valeurs.get().valeur == 166
    envoyer(responsable, consultations, valeur="171", motif="Recompté")
    assert consultations.valeurs.get().valeur == 171
    assert consultations.valeurs.get().history.first().history_change_reason == "Recompté"


def test_une_valeur_validee_ne_change_pas_sans_motif(responsable, consultations):
    fabriques.valeur(consultations, 2024, valeur=166, etat=Etat.VALIDEE)
    assert "Une valeur validée ne change pas sans motif" in texte(envoyer(responsable, consultations, valeur="171"))
    assert consultations.valeurs.get().valeur == 166
    envoyer(responsable, consultations, valeur="171", motif="Erreur de saisie")
    assert consultations.valeurs.get().valeur == 171


def test_un_contributeur_ne_change_pas_une_valeur_validee_meme_en_forgeant_un_motif(agent, consultations):
    fabriques.valeur(consultations, 2024, valeur=166, etat=Etat.VALIDEE)
    reponse = envoyer(agent, consultations, valeur="171", motif="J'insiste")
    assert "seul un responsable du plan peut le faire" in texte(reponse)
    assert consultations.valeurs.get().valeur == 166


def test_un_contributeur_ne_valide_pas_meme_en_forgeant_l_envoi(agent, consultations):
    envoyer(agent, consultations, valeur="171", etat="VALIDEE")
    assert consultations.valeurs.get().etat == Etat.PROVISOIRE


def test_un_responsable_valide_en_enregistrant(responsable, consultations):
    envoyer(responsable, consultations, valeur="171", etat="VALIDEE")
    assert consultations.valeurs.get().etat == Etat.VALIDEE


def test_un_contributeur_ne_saisit_pas_pour_un_autre_service(consultations):
    ailleurs = fabriques.utilisateur(Role.AGENT, service=fabriques.service("Voirie"))
    client, adresse = page(ailleurs, consultations)
    assert client.get(adresse).status_code == 403
    assert client.post(adresse, {"version": 0, "valeur": "171"}).status_code == 403


def test_une_annee_a_venir_ne_se_saisit_pas(responsable, consultations):
    client, adresse = page(responsable, consultations, timezone.localdate().year + 1)
    assert client.get(adresse).status_code == 400


def test_le_second_a_ecrire_voit_les_deux_versions_et_garde_sa_saisie(responsable, agent, consultations):
    fabriques.valeur(consultations, 2024, valeur=166)
    client, adresse = page(agent, consultations)
    lus = formulaire_de(client.get(adresse))
    envoyer(responsable, consultations, valeur="170")
    lu = texte(client.post(adresse, lus | {"valeur": "171"}))
    assert "Deux versions" in lu
    assert "<td>170</td><td>171</td>" in lu
    assert 'value="171"' in lu
    assert consultations.valeurs.get().valeur == 170


def test_deux_premieres_saisies_ne_s_ecrasent_pas(responsable, agent, consultations):
    client, adresse = page(agent, consultations)
    lus = formulaire_de(client.get(adresse))
    envoyer(responsable, consultations, valeur="170")
    assert "Deux versions" in texte(client.post(adresse, lus | {"valeur": "171"}))
    assert consultations.valeurs.get().valeur == 170


def test_le_meme_envoi_recu_deux_fois_n_ecrit_qu_une_fois(agent, consultations):
    client, adresse = page(agent, consultations)
    lus = formulaire_de(client.get(adresse)) | {"valeur": "171"}
    client.post(adresse, lus)
    assert "c'était déjà enregistré" in texte(client.post(adresse, lus, follow=True))
    assert consultations.valeurs.get().history.count() == 1


def test_un_ecart_etonnant_demande_une_remarque_sans_rien_bloquer(agent, consultations):
    fabriques.valeur(consultations, 2023, valeur=166)
    reponse = envoyer(agent, consultations, valeur="400")
    assert "+ 141 % par rapport à 2023 (166) : dites pourquoi en remarque." in texte(reponse)
    assert consultations.valeurs.get(annee=2024).valeur == 400
    assert reponse.redirect_chain[-1][0] == reverse("indicateurs:valeur", args=["consultations", 2024])


def test_un_ecart_explique_n_etonne_plus(agent, consultations):
    fabriques.valeur(consultations, 2023, valeur=166)
    reponse = envoyer(agent, consultations, valeur="400", remarque="Deux services repris.")
    assert reponse.redirect_chain[-1][0] == consultations.get_absolute_url()


# --- Ventilation ----------------------------------------------------------------------------------


@pytest.fixture
def par_nature(consultations):
    return Dimension.objects.create(indicateur=consultations, nom="par nature d'achat")


def test_une_ventilation_se_donne_avec_sa_valeur_et_se_relit(agent, consultations, par_nature):
    champ = f"ventilation_{par_nature.pk}"
    envoyer(agent, consultations, valeur="171", **{champ: "Travaux : 41\nServices : 130"})
    assert [(ligne.modalite, ligne.nombre) for ligne in consultations.valeurs.get().ventilation.all()] == [
        ("Travaux", 41),
        ("Services", 130),
    ]
    client, adresse = page(agent, consultations)
    assert "Travaux : 41\nServices : 130" in client.get(adresse).content.decode()


def test_une_ventilation_qui_ne_fait_pas_le_total_est_refusee_sans_rien_ecrire(agent, consultations, par_nature):
    champ = f"ventilation_{par_nature.pk}"
    reponse = envoyer(agent, consultations, valeur="171", **{champ: "Travaux : 41\nServices : 129"})
    assert "La ventilation « par nature d'achat » totalise 170, il faut 171." in texte(reponse)
    assert not ValeurAnnuelle.objects.exists()


def test_une_ligne_de_ventilation_illisible_est_citee(agent, consultations, par_nature):
    champ = f"ventilation_{par_nature.pk}"
    reponse = envoyer(agent, consultations, valeur="171", **{champ: "Travaux"})
    assert "« Travaux » n'est pas une modalité et son nombre" in texte(reponse)


def test_changer_la_valeur_sans_sa_ventilation_est_refuse(agent, consultations, par_nature):
    fabriques.valeur(consultations, 2024, valeur=171).enregistrer(ventilation={par_nature: {"Travaux": 171}})
    assert "totalise 171, il faut 180" in texte(envoyer(agent, consultations, valeur="180"))
    assert consultations.valeurs.get().valeur == 171


def test_la_ventilation_d_une_valeur_validee_ne_change_pas_sans_motif(responsable, consultations, par_nature):
    valeur = fabriques.valeur(consultations, 2024, valeur=171, etat=Etat.VALIDEE)
    valeur.enregistrer(ventilation={par_nature: {"Travaux": 171}}, motif="Ventilée")
    champ = f"ventilation_{par_nature.pk}"
    reponse = envoyer(responsable, consultations, **{champ: "Travaux : 41\nServices : 130"})
    assert "ne change pas sans motif" in texte(reponse)
    assert consultations.valeurs.get().ventilation.count() == 1
