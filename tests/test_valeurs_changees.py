"""Les valeurs devenues connues, validées ou corrigées entre deux dates, telles que la page et un bilan les disent."""

import datetime

import pytest
from django.core.management import call_command
from django.utils import timezone

from actions.models import Plan
from bilans.changements import changements
from indicateurs.listes import Etat, Nature
from socle.formats import FINE, INSECABLE
from tests import fabriques

pytestmark = pytest.mark.django_db

DEBUT, FIN = datetime.date(2024, 12, 31), datetime.date(2025, 12, 31)
MARS, JUIN = datetime.date(2025, 3, 10), datetime.date(2025, 6, 10)


@pytest.fixture
def plan() -> Plan:
    return fabriques.plan(intitule="Plan d'essai")


@pytest.fixture
def le(monkeypatch):
    """Met l'horloge à midi de ce jour."""

    def regler(jour: datetime.date) -> None:
        midi = datetime.datetime.combine(jour, datetime.time(12), tzinfo=datetime.UTC)
        monkeypatch.setattr(timezone, "now", lambda: midi)

    regler(datetime.date(2026, 6, 15))
    return regler


def dits(plan: Plan, depuis: datetime.date = DEBUT, jusqu_au: datetime.date = FIN) -> list[str]:
    phrases = [dit.phrase for dit in changements(plan, depuis, jusqu_au)]
    return [phrase.replace(INSECABLE, " ").replace(FINE, " ") for phrase in phrases]


@pytest.fixture
def finalisees(plan, le):
    """Un compte du plan, sans valeur encore."""
    return fabriques.indicateur(plan, intitule="Consultations finalisées", unite="consultations")


def test_une_valeur_devenue_connue_se_dit_face_a_l_annee_d_avant(plan, finalisees):
    fabriques.valeur(finalisees, 2023, valeur=166, connue_le=datetime.date(2023, 12, 31), etat=Etat.VALIDEE)
    fabriques.valeur(finalisees, 2024, valeur=171, connue_le=MARS, etat=Etat.VALIDEE)
    assert dits(plan) == ["Consultations finalisées : 171 en 2024 (166 en 2023)."]


def test_une_valeur_provisoire_le_dit_et_une_rupture_de_serie_aussi(plan, finalisees):
    fabriques.valeur(finalisees, 2023, valeur=166, connue_le=datetime.date(2023, 12, 31), etat=Etat.VALIDEE)
    fabriques.valeur(finalisees, 2024, valeur=171, connue_le=MARS, rupture="Les accords-cadres sont comptés.")
    assert dits(plan) == [
        "Consultations finalisées : 171 en 2024 (166 en 2023, non comparable : Les accords-cadres sont comptés), "
        "valeur provisoire."
    ]


def test_une_valeur_indisponible_dit_pourquoi(plan, finalisees):
    fabriques.valeur(
        finalisees, 2024, indisponible=True, motif_indisponibilite="Registre perdu.", connue_le=MARS, etat=Etat.VALIDEE
    )
    assert dits(plan) == ["Consultations finalisées : indisponible (Registre perdu) en 2024."]


def test_une_valeur_connue_hors_de_la_periode_ne_se_dit_pas(plan, finalisees):
    fabriques.valeur(finalisees, 2023, valeur=166, connue_le=DEBUT)
    fabriques.valeur(finalisees, 2024, valeur=171, connue_le=datetime.date(2026, 1, 1))
    assert dits(plan) == []


def test_une_validation_se_dit(plan, finalisees, le):
    le(DEBUT)
    valeur = fabriques.valeur(finalisees, 2023, valeur=166)
    le(MARS)
    valeur.etat = Etat.VALIDEE
    valeur.enregistrer()
    assert dits(plan) == ["Consultations finalisées : valeur 2023 (166) validée."]


def test_une_correction_dit_l_ancienne_valeur_la_nouvelle_et_le_motif(plan, finalisees, le):
    le(DEBUT)
    valeur = fabriques.valeur(finalisees, 2023, valeur=166, etat=Etat.VALIDEE)
    le(MARS)
    valeur.valeur = 167
    valeur.enregistrer(motif="Une consultation oubliée.")
    assert dits(plan) == [
        "Consultations finalisées : valeur 2023 corrigée de 166 à 167, motif : « Une consultation oubliée »."
    ]


def test_une_correction_d_apres_la_periode_ne_la_change_pas(plan, finalisees, le):
    le(MARS)
    valeur = fabriques.valeur(finalisees, 2024, valeur=171, etat=Etat.VALIDEE)
    le(datetime.date(2026, 2, 1))
    valeur.valeur = 172
    valeur.enregistrer(motif="Une consultation oubliée")
    assert dits(plan) == ["Consultations finalisées : 171 en 2024."]


def test_validee_puis_corrigee_dans_la_periode_les_deux_se_disent(plan, finalisees, le):
    le(MARS)
    valeur = fabriques.valeur(finalisees, 2024, valeur=171, etat=Etat.VALIDEE)
    le(JUIN)
    valeur.valeur = 172
    valeur.enregistrer(motif="Une consultation oubliée")
    assert dits(plan) == [
        "Consultations finalisées : 172 en 2024.",
        "Consultations finalisées : valeur 2024 corrigée de 171 à 172, motif : « Une consultation oubliée ».",
    ]


def test_repasser_en_provisoire_se_dit_avec_son_motif(plan, finalisees, le):
    le(DEBUT)
    valeur = fabriques.valeur(finalisees, 2023, valeur=166, etat=Etat.VALIDEE)
    le(MARS)
    valeur.etat = Etat.PROVISOIRE
    valeur.enregistrer(motif="À vérifier")
    assert dits(plan) == [
        "Consultations finalisées : valeur 2023 (166) repassée en provisoire, motif : « À vérifier »."
    ]


def test_saisie_bien_apres_une_valeur_se_dit_dans_la_periode_ou_elle_etait_connue(plan, finalisees):
    fabriques.valeur(finalisees, 2024, valeur=171, connue_le=MARS, etat=Etat.VALIDEE)
    assert dits(plan) == ["Consultations finalisées : 171 en 2024."]
    assert dits(plan, FIN, datetime.date(2026, 6, 15)) == []


def test_un_denominateur_qui_bouge_fait_bouger_la_part(plan, finalisees, le):
    part = fabriques.indicateur(
        plan, intitule="Part avec clause", nature=Nature.PART, unite="%", denominateur=finalisees
    )
    le(DEBUT)
    compte = fabriques.valeur(finalisees, 2023, valeur=166, etat=Etat.VALIDEE)
    fabriques.valeur(part, 2023, numerateur=42, etat=Etat.VALIDEE)
    le(MARS)
    compte.valeur = 168
    compte.enregistrer(motif="Deux consultations oubliées")
    assert dits(plan)[1] == (
        "Part avec clause : valeur 2023 corrigée de 42 / 166 = 25,3 % à 42 / 168 = 25,0 %, "
        "motif : « Deux consultations oubliées »."
    )


def test_le_plan_publie_dit_ses_trois_chiffres_en_2023():
    call_command("charger_plan", verbosity=0)
    vus = dits(Plan.objects.get(), datetime.date(2022, 12, 31), datetime.date(2023, 12, 31))
    assert len(vus) == 3
    assert [chiffre for chiffre in ("166", "53 %", "25 %") if any(f" {chiffre} en 2023" in dit for dit in vus)] == [
        "166",
        "53 %",
        "25 %",
    ]


def test_l_unite_d_un_compte_se_dit_quand_l_intitule_la_tait(plan, le):
    carbone = fabriques.indicateur(plan, intitule="Empreinte carbone", unite="t CO₂e")
    fabriques.valeur(carbone, 2024, valeur=23910, connue_le=MARS, etat=Etat.VALIDEE)
    assert dits(plan) == ["Empreinte carbone : 23 910 t CO₂e en 2024."]


def test_une_unite_d_une_lettre_n_est_pas_dite_par_un_mot_qui_la_contient(plan, le):
    dechets = fabriques.indicateur(plan, intitule="Déchets évités", unite="t")
    fabriques.valeur(dechets, 2024, valeur=12, connue_le=MARS, etat=Etat.VALIDEE)
    assert dits(plan) == ["Déchets évités : 12 t en 2024."]


def test_l_annee_d_avant_d_une_part_se_dit_en_bref(plan, le):
    part = fabriques.indicateur(plan, intitule="Part", nature=Nature.PART, unite="%")
    for annee, numerateur in ((2023, 42), (2024, 60)):
        fabriques.valeur(part, annee, numerateur=numerateur, denominateur=168, connue_le=MARS, etat=Etat.VALIDEE)
    assert dits(plan)[1] == "Part : 60 / 168 = 35,7 % en 2024 (25,0 % en 2023)."


def test_une_valeur_effacee_se_dit_retiree(plan, finalisees, le):
    le(DEBUT)
    valeur = fabriques.valeur(finalisees, 2023, valeur=166)
    le(MARS)
    valeur.delete()
    assert dits(plan) == ["Consultations finalisées : valeur 2023 (166) retirée."]
