"""Article 35 de la loi 2021-1104 : ce qui est vérifié, de qui, et ce que la page en montre."""

import datetime
import re
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.urls import reverse

from comptes.droits import Role
from comptes.gestes import Trace
from marches.article35 import Etat, Point, Seuils, concerne, decompter, examiner
from marches.listes import Nature, Suite
from marches.models import Consultation, LotDeConsultation
from marches.reponses import Reponse
from tests import fabriques
from tests.visites import client_de

SEUILS = Seuils(travaux=Decimal(5_404_000), fournitures_services=Decimal(216_000))
LE_JOUR_DIT = datetime.date(2026, 8, 21)


def lot(**champs):
    defauts = {
        "suite": "",
        "montant_ht": None,
        "maximum_ht": None,
        "clause_environnementale": Reponse.OUI,
        "critere_environnemental": Reponse.OUI,
        "clause_sociale": Reponse.OUI,
        "motif_derogation": "",
    }
    return SimpleNamespace(**(defauts | champs))


def etats(*lots, nature=Nature.SERVICES, estimation=Decimal(100_000), seuils=SEUILS):
    return [examen.etats for examen in examiner(nature, estimation, lots, seuils)]


@pytest.mark.parametrize(
    ("lancee_le", "attendu"),
    [(None, False), (datetime.date(2026, 8, 20), False), (LE_JOUR_DIT, True), (datetime.date(2027, 1, 1), True)],
)
def test_la_loi_regarde_les_consultations_lancees_a_partir_du_21_aout_2026(lancee_le, attendu):
    assert concerne(lancee_le, LE_JOUR_DIT) is attendu


def test_la_condition_et_le_critere_se_verifient_a_part():
    (lu,) = etats(lot(clause_environnementale=Reponse.NON))
    assert (lu[Point.CONDITION], lu[Point.CRITERE]) == (Etat.NON, Etat.EN_REGLE)


def test_non_renseigne_n_est_pas_non():
    (lu,) = etats(lot(clause_environnementale=Reponse.INCONNU, critere_environnemental=Reponse.NON))
    assert (lu[Point.CONDITION], lu[Point.CRITERE]) == (Etat.INCONNU, Etat.NON)


@pytest.mark.parametrize(
    ("nature", "estimation", "attendu"),
    [
        (Nature.SERVICES, 215_999, Etat.SANS_OBJET),
        (Nature.SERVICES, 216_000, Etat.NON),
        (Nature.INTELLECTUELLES, 216_000, Etat.NON),
        (Nature.TRAVAUX, 5_403_999, Etat.SANS_OBJET),
        (Nature.TRAVAUX, 5_404_000, Etat.NON),
        ("", 9_000_000, Etat.NON_FAIT),
    ],
)
def test_la_condition_sociale_n_est_attendue_qu_au_seuil_europeen_de_sa_nature(nature, estimation, attendu):
    (lu,) = etats(lot(clause_sociale=Reponse.NON), nature=nature, estimation=Decimal(estimation))
    assert lu[Point.SOCIAL] is attendu


def test_sans_estimation_les_montants_des_lots_s_additionnent_le_maximum_d_abord():
    lots = [lot(montant_ht=Decimal(100_000)), lot(montant_ht=Decimal(1), maximum_ht=Decimal(116_000))]
    assert [lu[Point.SOCIAL] for lu in etats(*lots, estimation=None)] == [Etat.EN_REGLE, Etat.EN_REGLE]


@pytest.mark.parametrize("seuils", [SEUILS, Seuils(None, None)])
def test_sans_valeur_ou_sans_seuil_le_point_social_n_est_pas_verifie(seuils):
    estimation = None if seuils is SEUILS else Decimal(9_000_000)
    (lu,) = etats(lot(clause_sociale=Reponse.NON), estimation=estimation, seuils=seuils)
    assert lu[Point.SOCIAL] is Etat.NON_FAIT


def test_un_lot_abandonne_avant_publication_n_est_pas_examine():
    assert etats(lot(suite=Suite.ABANDONNE)) == []


def test_un_motif_de_derogation_se_compte_a_part():
    lots = [
        lot(clause_environnementale=Reponse.NON, motif_derogation=motif) for motif in ("", "", "Fourniture unique")
    ]
    condition = decompter(examiner(Nature.SERVICES, None, lots, SEUILS))[0]
    assert (condition.non.nombre, condition.non_motive.nombre) == (2, 1)


# --- La page --------------------------------------------------------------------------------------


def consultation(numero: str, lancee_le: datetime.date | None = LE_JOUR_DIT, **du_lot) -> LotDeConsultation:
    nouvelle = Consultation.objects.create(
        numero=numero, objet=f"Objet {numero}", lancee_le=lancee_le, nature=Nature.SERVICES, estimation_ht=300_000
    )
    return LotDeConsultation.objects.create(consultation=nouvelle, **du_lot)


@pytest.fixture
def registre(db):
    consultation("AVANT", datetime.date(2026, 8, 20), clause_environnementale=Reponse.NON)
    consultation("SANS-DATE", None, clause_environnementale=Reponse.NON)
    consultation("RIEN")
    consultation("NON", clause_environnementale=Reponse.NON, critere_environnemental=Reponse.OUI)
    consultation("MOTIF", clause_environnementale=Reponse.NON, motif_derogation="Solution immédiatement disponible")
    consultation(
        "REGLE",
        clause_environnementale=Reponse.OUI,
        critere_environnemental=Reponse.OUI,
        clause_sociale=Reponse.OUI,
    )
    return client_de(fabriques.utilisateur(Role.LECTEUR))


def numeros(page: str) -> set[str]:
    corps = page[page.index('id="lots"') :]
    return {
        numero for numero in ("AVANT", "SANS-DATE", "RIEN", "NON", "MOTIF", "REGLE") if f"Objet {numero}<" in corps
    }


def lire(client, requete: str = "") -> str:
    return client.get(reverse("marches:article_35") + requete).content.decode()


@pytest.mark.parametrize(
    ("requete", "attendu"),
    [
        ("", {"RIEN", "NON", "MOTIF"}),
        ("?point=condition&etat=non", {"NON", "MOTIF"}),
        ("?point=condition&etat=non&motif=non", {"NON"}),
        ("?point=condition&etat=inconnu", {"RIEN"}),
        ("?point=condition&etat=oui", {"REGLE"}),
        ("?motif=oui", {"MOTIF"}),
    ],
)
def test_les_filtres_choisissent_les_lots_montres(registre, requete, attendu):
    assert numeros(lire(registre, requete)) == attendu


def test_chaque_nombre_mene_a_autant_de_lots(registre):
    liens = re.findall(r'<a href="(\?point=[^"]+)">(\d+)</a>', lire(registre))
    assert len(liens) == 21
    for requete, nombre in liens:
        assert len(numeros(lire(registre, requete.replace("&amp;", "&")))) == int(nombre), requete


def test_la_page_dit_les_consultations_sans_date_de_lancement(registre):
    assert "n'a pas de date de lancement" in re.sub(r"\s+", " ", lire(registre).replace("&#x27;", "'"))


def test_un_seuil_a_renseigner_dit_que_le_point_n_est_pas_verifie(registre, settings):
    settings.SEUIL_EUROPEEN_FOURNITURES_SERVICES = None
    page = lire(registre)
    assert "seuil à renseigner, ce point n'est pas vérifié" in page.replace("&#x27;", "'")
    assert numeros(lire(registre, "?point=social&etat=non-fait")) == {"RIEN", "NON", "MOTIF", "REGLE"}


def test_un_filtre_absurde_se_dit_a_cote_du_champ(registre):
    reponse = registre.get(reverse("marches:article_35") + "?point=couleur")
    assert reponse.status_code == 400
    assert "Un filtre n" in reponse.content.decode()


@pytest.mark.parametrize("forme", ["xlsx", "ods", "csv"])
def test_la_liste_s_emporte_avec_ses_filtres_et_laisse_une_trace(registre, forme):
    reponse = registre.get(reverse("marches:article_35") + f"?point=condition&etat=non&format={forme}")
    assert reponse.status_code == 200
    assert Trace.objects.get(objet="Article 35").details["lignes"] == 2


def test_l_export_garde_les_colonnes_de_la_page(registre):
    texte = registre.get(reverse("marches:article_35") + "?motif=oui&format=csv").content.decode("utf-8-sig")
    lignes = texte.splitlines()
    assert lignes[0].startswith("Consultation;Lot;Objet;Service;Lancée le;Estimation HT;")
    assert lignes[1].startswith("MOTIF;1;Objet MOTIF;;21/08/2026;300000")
