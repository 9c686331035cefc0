"""Les consultations que suggèrent les contrats : confirmer, réunir, séparer, rattacher, détacher."""

import datetime
from decimal import Decimal
from html import unescape

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from comptes.droits import Role
from comptes.models import Collectivite, Siren
from marches.calculs.conservation import resultat_courant
from marches.calculs.lignes import Perimetre
from marches.listes import Suite
from marches.models import Consultation, Contrat, ContratDeConsultation
from marches.regroupements import confirmer, detacher, numero_propose, objet_propose, rattacher, suggestions
from marches.reponses import Reponse
from tests import fabriques
from tests.decor_contrats import SOUCHE
from tests.fabriques_decp import SIREN, contrat
from tests.visites import client_de


@pytest.fixture
def auteur(db):
    collectivite = Collectivite.objects.create(nom="Collectivité d'essai")
    Siren.objects.create(collectivite=collectivite, numero=SIREN)
    return fabriques.utilisateur(Role.RESPONSABLE)


@pytest.fixture
def gymnase(auteur) -> list[Contrat]:
    """Trois lots d'une consultation, et un contrat à part."""
    contrat(objet="Papier", identifiant="PAP")
    return [
        contrat(
            objet=f"Gymnase - lot n°{n} : corps d'état {n}",
            identifiant=f"20240112{n}",
            date=datetime.date(2024, 3, n),
        )
        for n in (1, 2, 3)
    ]


def tailles(annee: int | None = None) -> list[int]:
    return sorted(len(suggestion.contrats) for suggestion in suggestions([SIREN], annee))


def estimees() -> Decimal | None:
    resultat = resultat_courant("consultations_estimees", Perimetre.annee(SIREN, 2024))
    return None if resultat is None else resultat.valeur


def test_les_lots_d_un_meme_objet_font_une_suggestion(gymnase):
    assert tailles() == tailles(2024) == [1, 3]
    assert tailles(2023) == []


def test_le_numero_et_l_objet_se_proposent_sans_le_lot(gymnase):
    assert (numero_propose(gymnase), objet_propose(gymnase)) == ("20240112", "Gymnase")
    assert objet_propose(gymnase[:1]) == "Gymnase - lot n°1 : corps d'état 1"
    assert numero_propose([Contrat(identifiant="A1"), Contrat(identifiant="B2")]) == "A1"
    assert numero_propose([Contrat()]) == ""


def test_confirmer_inscrit_une_consultation_et_un_lot_notifie_par_contrat(gymnase, auteur):
    consultation = confirmer(gymnase, numero="2024-12", objet="Gymnase", auteur=auteur)
    lots = list(consultation.lots.order_by("pk"))
    assert [lot.date_de_suite for lot in lots] == [un.date for un in gymnase]
    assert {lot.suite for lot in lots} == {Suite.NOTIFIE}
    assert {lot.environnement for lot in lots} == {Reponse.INCONNU}
    liens = ContratDeConsultation.objects.order_by("pk").values_list("souche", "lot")
    assert list(liens) == [(un.souche, lot.pk) for un, lot in zip(gymnase, lots, strict=True)]
    assert tailles() == [1]
    assert estimees() == 2


def test_une_consultation_confirmee_n_est_plus_recalculee(gymnase, auteur):
    confirmer(gymnase[:2], numero="2024-12", objet="Gymnase", auteur=auteur)
    assert tailles() == [1, 1]
    contrat(objet="Gymnase - lot n°4", identifiant="4", date=datetime.date(2024, 3, 4))
    assert tailles() == [1, 2]
    assert ContratDeConsultation.objects.count() == 2


def test_reunir_deux_suggestions_en_fait_une_consultation(gymnase, auteur):
    tous = [un for suggestion in suggestions([SIREN]) for un in suggestion.contrats]
    confirmer(tous, numero="2024-12", objet="Tout", auteur=auteur)
    assert tailles() == []
    assert estimees() == 1


def test_le_meme_envoi_recu_deux_fois_ne_confirme_qu_une_fois(gymnase, auteur):
    premiere = confirmer(gymnase, numero="2024-12", objet="Gymnase", auteur=auteur)
    assert confirmer(gymnase, numero="2024-12", objet="Gymnase", auteur=auteur) == premiere
    assert Consultation.objects.count() == 1


def test_un_contrat_deja_rattache_se_refuse_et_rien_n_est_ecrit(gymnase, auteur):
    confirmer(gymnase[:1], numero="2024-12", objet="Gymnase", auteur=auteur)
    with pytest.raises(ValidationError, match="2024-12"):
        confirmer(gymnase, numero="2024-13", objet="Autre", auteur=auteur)
    assert Consultation.objects.count() == 1


def test_rattacher_a_une_consultation_du_registre_ne_touche_pas_a_ses_lots(gymnase):
    consultation = Consultation.objects.create(numero="R-1", objet="Gymnase", siren=SIREN)
    for _ in range(2):
        rattacher(gymnase, consultation)
    assert consultation.contrats.count() == 3
    assert consultation.lots.count() == 0


def test_detacher_rend_le_contrat_aux_suggestions(gymnase, auteur):
    confirmer(gymnase, numero="2024-12", objet="Gymnase", auteur=auteur)
    detacher(gymnase[0].souche)
    assert tailles() == [1, 1]
    assert Consultation.objects.get().lots.count() == 3


# --- Les pages --------------------------------------------------------------------------------------


@pytest.fixture
def client(auteur):
    return client_de(auteur)


def adresse(*contrats: Contrat) -> str:
    return reverse("marches:regrouper") + "?" + "&".join(f"de={un.souche}" for un in contrats)


def test_la_page_dit_que_le_nombre_est_une_estimation(gymnase, client):
    page = unescape(client.get(reverse("marches:regroupements")).content.decode())
    assert "≈ 2\u00a0consultations" in page


def test_la_suggestion_choisie_arrive_pre_remplie(gymnase, client):
    formulaire = client.get(adresse(gymnase[0])).context["formulaire"]
    assert formulaire.initial["souches"] == [str(un.souche) for un in gymnase]
    assert (formulaire.initial["numero"], formulaire.initial["objet"]) == ("20240112", "Gymnase")


def test_decocher_un_contrat_le_separe(gymnase, client):
    envoi = {"souches": [str(un.souche) for un in gymnase[:2]], "numero": "2024-12", "objet": "Gymnase"}
    for _ in range(2):
        assert client.post(adresse(gymnase[0]), envoi).status_code == 302
    assert Consultation.objects.get().contrats.count() == 2
    assert tailles() == [1, 1]


def test_le_numero_d_une_consultation_du_registre_y_rattache(gymnase, client):
    consultation = Consultation.objects.create(numero="R-1", objet="Gymnase", siren=SIREN)
    envoi = {"souches": [str(gymnase[0].souche)], "existante": "R-1", "numero": "", "objet": ""}
    assert client.post(adresse(gymnase[0]), envoi).status_code == 302
    assert consultation.contrats.count() == 1


@pytest.mark.parametrize(
    ("change", "erreur"),
    [
        ({"souches": []}, "Cochez au moins un contrat"),
        ({"numero": ""}, "À renseigner pour une nouvelle consultation"),
        ({"existante": "INCONNUE"}, "Aucune consultation du registre ne porte ce numéro"),
        ({"numero": "PRISE"}, "Une consultation porte déjà ce numéro"),
    ],
)
def test_une_saisie_absurde_se_dit_et_garde_ce_qui_est_tape(gymnase, client, change, erreur):
    Consultation.objects.create(numero="PRISE", objet="x", siren=SIREN)
    envoi = {"souches": [str(gymnase[0].souche)], "numero": "2024-12", "objet": "Objet tapé"} | change
    reponse = client.post(adresse(gymnase[0]), envoi)
    page = unescape(reponse.content.decode())
    assert reponse.status_code == 200
    assert erreur in page
    assert "Objet tapé" in page
    assert not ContratDeConsultation.objects.exists()


@pytest.mark.parametrize(("requete", "code"), [("?de=x", 400), ("", 302), (f"?de={SOUCHE}", 404)])
def test_une_adresse_sans_suggestion_se_dit(gymnase, client, requete, code):
    assert client.get(reverse("marches:regrouper") + requete).status_code == code


def test_detacher_depuis_la_page(gymnase, client, auteur):
    confirmer(gymnase, numero="2024-12", objet="Gymnase", auteur=auteur)
    assert client.post(reverse("marches:detacher_contrat", args=[gymnase[0].souche])).status_code == 302
    assert ContratDeConsultation.objects.count() == 2


@pytest.mark.parametrize("role", [Role.LECTEUR, Role.AGENT])
def test_qui_ne_peut_pas_importer_lit_sans_confirmer(gymnase, role):
    client = client_de(fabriques.utilisateur(role))
    assert "Réunir" not in client.get(reverse("marches:regroupements")).content.decode()
    assert client.get(adresse(gymnase[0])).status_code == 403
