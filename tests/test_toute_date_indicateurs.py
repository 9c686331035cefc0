"""Toute date : les indicateurs, leurs valeurs, leurs objectifs ; et ce que les droits gardent fermé."""

import csv
import datetime
import io
from decimal import Decimal

import pytest
from django.test import Client

from actions.models import Document
from bilans.demande import Demande
from indicateurs.listes import Nature
from indicateurs.models import Indicateur
from socle.instants import (
    AUJOURD_HUI,
    Instant,
    ecrire_le_moment,
    instant_lisible,
    lire_instant,
    lire_moment_passe,
)
from tests import fabriques
from tests.horloge import Horloge, horloge_au
from tests.test_toute_date import lire

pytestmark = pytest.mark.django_db


@pytest.fixture
def horloge():
    with horloge_au(2026, 1, 5) as une:
        yield une


@pytest.fixture
def consultations(horloge: Horloge) -> Indicateur:
    """2024 vaut 100, connue fin 2024, typée le 5 janvier 2026 ; corrigée en 120 le 10 février, comme l'objectif."""
    plan = fabriques.plan(slug="le-plan")
    compte = fabriques.indicateur(plan, code="consultations", intitule="Ancien nom")
    valeur = fabriques.valeur(compte, 2024, valeur=100, connue_le=datetime.date(2024, 12, 31))
    cible = fabriques.cible(compte, 2026, 150)
    horloge.aller(2026, 2, 10)
    valeur.valeur = Decimal(120)
    valeur.enregistrer()
    cible.valeur = Decimal(180)
    cible.save()
    fabriques.valeur(compte, 2025, valeur=130, connue_le=datetime.date(2026, 2, 9))
    compte.intitule = "Nouveau nom"
    compte.save()
    horloge.aller(2026, 3, 1)
    return compte


@pytest.mark.parametrize("page", ["/indicateurs/", "/indicateurs/consultations/", "/"])
class TestLesValeurs:
    def test_a_une_date_on_lit_ce_qu_on_savait_alors_tel_que_corrige(self, consultations, page):
        lue = lire(f"{page}?au=2025-06-30")
        assert "120" in lue
        assert "130" not in lue
        assert "Nouveau nom" in lue

    def test_telles_que_saisies_on_lit_ce_qui_etait_tape(self, consultations, page):
        lue = lire(f"{page}?saisi_au=2026-01-31")
        assert "100" in lue
        assert "150" in lue
        assert "Ancien nom" in lue
        assert "120" not in lue
        assert "180" not in lue
        assert "130" not in lue


def test_le_classeur_des_valeurs_suit_l_instant(consultations):
    client = Client()
    client.force_login(fabriques.utilisateur("lecteur"))

    def lignes(instant):
        texte = client.get(f"/indicateurs/export/?format=csv&{instant}").content.decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(texte), delimiter=";"))

    (ligne,) = lignes("saisi_au=2026-01-31")
    assert "100" in ligne.values()
    assert "Ancien nom" in ligne.values()
    (ligne,) = lignes("au=2025-06-30")
    assert "120" in ligne.values()
    assert "130" not in ligne.values()


def test_ce_qui_manque_a_une_date_est_ce_qui_manquait_alors(consultations):
    assert "Nouveau nom" in lire("/indicateurs/?sans_valeur=2025&au=2026-01-31")
    assert "Nouveau nom" not in lire("/indicateurs/?sans_valeur=2025")


def test_un_denominateur_connu_plus_tard_ne_fait_pas_une_part(horloge):
    horloge.aller(2026, 2, 10)
    total = fabriques.indicateur(code="total")
    part = fabriques.indicateur(code="part", nature=Nature.PART, unite="%", denominateur=total)
    fabriques.valeur(part, 2024, numerateur=42, connue_le=datetime.date(2025, 1, 31))
    fabriques.valeur(total, 2024, valeur=168, connue_le=datetime.date(2025, 6, 30))
    assert "25 %" in lire("/indicateurs/part/?au=2025-07-31")
    assert "25 %" not in lire("/indicateurs/part/?au=2025-03-31")


def test_avant_la_premiere_valeur_la_page_dit_que_rien_n_est_connu(consultations):
    assert "Rien n'est connu avant le 31 décembre 2024." in lire("/indicateurs/?au=2024-06-30")


# --- Les droits ---------------------------------------------------------------------------------


def test_un_document_devenu_reserve_ne_se_relit_pas(horloge):
    action = fabriques.action(date_effet=datetime.date(2026, 1, 2))
    document = Document.objects.deposer(
        action, auteur=None, titre="Note confidentielle", lien="https://exemple.fr/", depose_le=horloge.maintenant
    )
    horloge.aller(2026, 2, 10)
    document.decrire(version=document.version, titre="Note confidentielle", preuve=False, restreint=True)
    adresse = f"/actions/{action.pk}/?saisi_au=2026-01-31"
    assert "Note confidentielle" not in lire(adresse, "lecteur")
    assert "Note confidentielle" in lire(adresse, "responsable")


def test_le_pilote_d_alors_n_a_plus_les_droits_d_alors(horloge):
    ancien = fabriques.utilisateur("agent")
    action = fabriques.action(date_effet=datetime.date(2026, 1, 2), pilote=ancien)
    Document.objects.deposer(
        action,
        auteur=None,
        titre="Pièce réservée",
        lien="https://exemple.fr/",
        restreint=True,
        depose_le=horloge.maintenant,
    )
    adresse = f"/actions/{action.pk}/?saisi_au=2026-01-31"
    horloge.aller(2026, 2, 10)
    client = Client()
    client.force_login(ancien)
    assert "Pièce réservée" in client.get(adresse).content.decode()
    action.refresh_from_db()
    action.pilote = None
    action.save()
    assert "Pièce réservée" not in client.get(adresse).content.decode()


# --- L'instant ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texte", "ecrit"),
    [
        ("15/03/2025", "2025-03-15"),
        ("2025-03-15", "2025-03-15"),
        ("2025-03-15T14:05", "2025-03-15T14:05"),
        ("15/03/2025 à 14:05", "2025-03-15T14:05"),
        ("15/03/2025 14h05", "2025-03-15T14:05"),
        ("2025-03-15T14:05:06.000007", "2025-03-15T14:05:06.000007"),
    ],
)
def test_un_moment_se_relit_tel_qu_il_s_ecrit(horloge, texte, ecrit):
    moment = lire_moment_passe(texte)
    assert ecrire_le_moment(moment) == ecrit
    assert lire_moment_passe(ecrit) == moment


def test_un_jour_va_jusqu_a_sa_fin_a_paris(horloge):
    fin = lire_moment_passe("2025-07-15").astimezone(datetime.UTC)
    assert (fin.day, fin.hour, fin.minute, fin.second) == (15, 21, 59, 59)


def test_une_minute_comprend_ce_qui_s_y_saisit(horloge):
    moment = lire_moment_passe("2025-01-15T14:05").astimezone(datetime.UTC)
    assert (moment.hour, moment.minute, moment.second) == (13, 5, 59)


def test_une_saisie_montre_son_jour():
    moment = lire_moment_passe("2025-03-15")
    assert Instant(None, moment).jour == datetime.date(2025, 3, 15)
    assert Instant(datetime.date(2024, 12, 31), moment).phrase == (
        "Situation au 31\u00a0décembre 2024, telle que saisie au 15\u00a0mars 2025"
    )


def test_sans_rien_c_est_aujourd_hui():
    assert lire_instant({"au": " ", "saisi_au": ""}) == AUJOURD_HUI
    assert not AUJOURD_HUI.passe
    assert AUJOURD_HUI.parametres == {}
    assert AUJOURD_HUI.phrase == ""


def test_un_instant_absurde_se_lit_comme_aujourd_hui_par_qui_le_dira():
    assert instant_lisible({"au": "hier"}) == AUJOURD_HUI


def test_une_annee_qui_courait_alors_se_montre_au_jour_de_la_saisie():
    moment = lire_moment_passe("2025-03-15")
    assert Demande("", 2025, None, moment).jour == datetime.date(2025, 3, 15)
    assert Demande("", 2024, None, moment).jour == datetime.date(2024, 12, 31)
