"""Une échéance reportée le dit : d'où elle vient, combien de fois, de combien de jours, et pourquoi."""

import datetime

import pytest
from django.utils import timezone

from actions.chronologie import lignes_de
from actions.models import Action, ReportEcheance
from actions.reports import HistoireDeLEcheance, histoire_de_l_echeance
from socle.echeances import Echeance
from tests import fabriques
from tests.visites import client_de

pytestmark = pytest.mark.django_db

FIXEE, PREMIER, SECOND = datetime.date(2024, 1, 10), datetime.date(2025, 2, 1), datetime.date(2025, 9, 1)


@pytest.fixture
def action() -> Action:
    return fabriques.action()


def inscrire(action: Action, texte: str | None, le: datetime.date, motif: str = "Marché relancé", **options):
    echeance = Echeance.lire(texte) if texte else None
    return ReportEcheance.ecrire(
        action,
        date_effet=le,
        motif=motif,
        echeance=echeance.fin if echeance else None,
        precision=echeance.precision if echeance else None,
        **options,
    )


def histoire(action: Action) -> HistoireDeLEcheance:
    return histoire_de_l_echeance(ligne for ligne in lignes_de(ReportEcheance, action) if not ligne.corrigee)


def phrase(action: Action) -> str:
    return histoire(action).phrase.replace("\u00a0", " ")


def test_sans_echeance_il_n_y_a_rien_a_dire(action):
    assert histoire(action) == HistoireDeLEcheance(None, None, ())
    assert phrase(action) == ""


def test_une_echeance_jamais_reportee_ne_dit_rien(action):
    inscrire(action, "T2 2025", FIXEE)
    assert histoire(action).initiale == Echeance.lire("T2 2025")
    assert phrase(action) == ""


def test_deux_reports_se_comptent_depuis_l_echeance_initiale(action):
    inscrire(action, "T2 2025", FIXEE)
    inscrire(action, "T4 2025", PREMIER, "Marché infructueux")
    inscrire(action, "2026", SECOND, "Relance au budget suivant")
    dite = histoire(action)
    assert (dite.initiale, dite.actuelle, dite.repoussee) == (Echeance.lire("T2 2025"), Echeance.lire("2026"), 2)
    assert dite.decalage == (datetime.date(2026, 12, 31) - datetime.date(2025, 6, 30)).days == 549
    assert phrase(action) == "Reportée 2 fois : de T2 2025 à 2026, + 549 jours."
    assert [(r.jours, r.ligne.motif) for r in dite.reports] == [
        (184, "Marché infructueux"),
        (365, "Relance au budget suivant"),
    ]


def test_une_ligne_corrigee_ne_compte_pas(action):
    inscrire(action, "T2 2025", FIXEE)
    faute = inscrire(action, "2062", PREMIER, "Marché infructueux")
    bonne = Echeance.lire("2026")
    faute.corriger(echeance=bonne.fin, precision=bonne.precision)
    assert [str(report.apres) for report in histoire(action).reports] == ["2026"]
    assert phrase(action).startswith("Reportée 1 fois : de T2 2025 à 2026")


def test_redire_la_meme_echeance_n_est_pas_la_reporter(action):
    inscrire(action, "T2 2025", FIXEE)
    inscrire(action, "T2 2025", PREMIER)
    assert histoire(action).reports == ()


def test_une_saisie_tardive_prend_sa_place(action):
    inscrire(action, "T2 2025", FIXEE)
    dernier = inscrire(action, "2026", SECOND)
    inscrire(action, "T4 2025", PREMIER, insere_avant=dernier.pk)
    assert [str(report.apres) for report in histoire(action).reports] == ["T4 2025", "2026"]


def test_une_echeance_avancee_ne_se_dit_pas_reportee(action):
    inscrire(action, "31/12/2025", FIXEE)
    inscrire(action, "30/11/2025", PREMIER, "Crédits disponibles plus tôt")
    assert histoire(action).repoussee == 0
    assert phrase(action) == "Changée 1 fois : du 31/12/2025 au 30/11/2025, − 31 jours."


def test_une_echeance_levee_puis_refixee_compte_depuis_la_premiere(action):
    inscrire(action, "T2 2025", FIXEE)
    inscrire(action, None, PREMIER, "Projet suspendu")
    assert phrase(action) == "Changée 1 fois : de T2 2025 à sans échéance."
    assert histoire(action).decalage is None
    inscrire(action, "T2 2026", SECOND, "Projet repris")
    assert histoire(action).decalage == 365


def test_la_page_de_l_action_dit_l_echeance_initiale_et_chaque_motif(action):
    inscrire(action, "T2 2025", FIXEE, "")
    faute = inscrire(action, "T4 2025", PREMIER, "Marché <infructueux>")
    faute.corriger(echeance=datetime.date(2026, 12, 31), precision="ANNEE")
    page = client_de(fabriques.utilisateur("lecteur")).get(action.get_absolute_url()).content.decode()
    page = page.replace("\u00a0", " ").replace("\u202f", " ")
    assert "Reportée 1 fois : de T2 2025 à 2026, + 549 jours." in page
    assert "Échéance initiale : T2 2025." in page
    assert "Marché &lt;infructueux&gt;" in page
    assert timezone.localdate() > PREMIER
