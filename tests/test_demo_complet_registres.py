"""Les registres synthétiques : 166, 25 % et 53 % en sortent pour 2023, recomptés ici sans les calculs du produit."""

import datetime
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from random import Random
from types import SimpleNamespace

import jsonschema
import pytest

from accueil.demo_complet.registres import consultations, decp, fournisseurs
from accueil.demo_complet.registres.fournisseurs import AUTRES_ACHETEURS, SIREN
from comptes.models import Siren
from indicateurs.models import Indicateur, ValeurAnnuelle
from marches.calculs.catalogue import CALCULS
from marches.listes import Base, EtatDImport, MotifSansSuite, Nature, Procedure, Suite
from marches.models import (
    BudgetDeMandats,
    Consultation,
    Contrat,
    ContratDeConsultation,
    ImportDecp,
    ImportDeMandats,
    LotDeConsultation,
    ResultatDeCalcul,
    Territoire,
    TitulaireDeContrat,
    TotalDeMandats,
)
from tests.site_complet import MAINTENANT, horloge, site_du_fichier

__all__ = ["horloge", "site_du_fichier"]

pytestmark = pytest.mark.xdist_group("demo_complet_registres")

ANNEES = range(2022, 2027)
# Les huit communes, écrites ici : le compte ne doit rien au territoire chargé.
ICI = {"34050", "34127", "34154", "34176", "34192", "34240", "34321", "34344"}
# Ces codes postaux ne disent pas la commune ; les communes de 34160 sont toutes hors des huit.
AILLEURS_SANS_COMMUNE = {"34160"}
SCHEMA = Path(__file__).parent / "donnees" / "schema_decp_v2.0.4.json"
ARTICLE_35 = datetime.date(2026, 8, 21)


@pytest.fixture(autouse=True)
def site(site_du_fichier, db) -> None:
    """Chaque essai lit le site du fichier."""


def finalisees(annee: int) -> list[list[LotDeConsultation]]:
    """Les lots publiés de chaque consultation dont tous sont notifiés ou sans suite, le dernier cette année-là."""
    toutes = []
    for consultation in Consultation.objects.prefetch_related("lots"):
        lots = [lot for lot in consultation.lots.all() if lot.suite != "ABANDONNE"]
        finis = [lot.date_de_suite for lot in lots if lot.suite in ("NOTIFIE", "SANS_SUITE")]
        if lots and len(finis) == len(lots) and None not in finis and max(finis).year == annee:
            toutes.append(lots)
    return toutes


def reponses(consultations: Iterable[list[LotDeConsultation]], *champs: str) -> Counter[str]:
    """Oui si au moins un lot a l'un de ces champs à oui, non si tous les ont à non."""
    decompte: Counter[str] = Counter()
    for lots in consultations:
        dites = [getattr(lot, champ) for lot in lots for champ in champs]
        decompte["oui" if "OUI" in dites else "non" if set(dites) == {"NON"} else "inconnu"] += 1
    return decompte


def environnement(annee: int) -> Counter[str]:
    return reponses(finalisees(annee), "clause_environnementale", "critere_environnemental")


def social(annee: int) -> Counter[str]:
    return reponses(finalisees(annee), "clause_sociale", "critere_social")


def mandats(annee: int) -> dict[str, Decimal]:
    sommes = dict.fromkeys(("ici", "ailleurs", "inconnu"), Decimal(0))
    for total in TotalDeMandats.objects.filter(import_de_mandats__annee=annee):
        if total.commune:
            ou = "ici" if total.commune in ICI else "ailleurs"
        else:
            ou = "ailleurs" if total.code_postal in AILLEURS_SANS_COMMUNE else "inconnu"
        sommes[ou] += total.montant
    return sommes


def pour_cent(numerateur: Decimal | int, denominateur: Decimal | int) -> int:
    return int((Decimal(numerateur) * 100 / Decimal(denominateur)).quantize(Decimal(1), ROUND_HALF_UP))


def part_locale(annee: int) -> int:
    sommes = mandats(annee)
    return pour_cent(sommes["ici"], sommes["ici"] + sommes["ailleurs"])


def part_environnementale(annee: int) -> int:
    decompte = environnement(annee)
    return pour_cent(decompte["oui"], decompte["oui"] + decompte["non"])


def retenue(code: str, annee: int) -> ValeurAnnuelle:
    return ValeurAnnuelle.objects.avec_valeur().get(indicateur__code=code, annee=annee)


# --- Les chiffres -----------------------------------------------------------------------------------


def test_le_registre_donne_166_consultations_et_25_pour_cent_en_2023():
    assert len(finalisees(2023)) == 166
    assert environnement(2023) == {"oui": 42, "non": 124}
    assert part_environnementale(2023) == 25


def test_les_mandats_donnent_53_pour_cent_en_2023():
    assert part_locale(2023) == 53


def test_les_autres_annees_ont_d_autres_chiffres():
    assert {annee: len(finalisees(annee)) for annee in ANNEES} == {
        2022: 142,
        2023: 166,
        2024: 171,
        2025: 168,
        2026: 138,
    }
    for part in (part_environnementale, part_locale):
        assert len({part(annee) for annee in ANNEES}) == len(ANNEES), part.__name__


def test_une_seule_annee_est_renseignee_a_moins_de_80_pour_cent():
    renseignee = {}
    for annee in ANNEES:
        decompte = environnement(annee)
        renseignee[annee] = pour_cent(decompte["oui"] + decompte["non"], decompte.total())
    assert [annee for annee, part in renseignee.items() if part < 80] == [2022]
    assert [annee for annee, part in renseignee.items() if part == 100] == [2023]


def test_les_valeurs_retenues_de_2023_sont_celles_des_registres():
    assert retenue("consultations", 2023).valeur_retenue == len(finalisees(2023))
    assert retenue("clauses-environnementales", 2023).numerateur == environnement(2023)["oui"]
    assert retenue("clauses-sociales", 2023).numerateur == social(2023)["oui"]
    assert retenue("achats-locaux", 2023).numerateur == mandats(2023)["ici"]
    assert retenue("montant-achats", 2023).valeur == sum(mandats(2023).values())


def test_en_2024_le_compte_s_accorde_et_en_2025_les_sources_s_ecartent():
    assert retenue("consultations", 2024).valeur_retenue == len(finalisees(2024))
    assert len(finalisees(2025)) - retenue("consultations", 2025).valeur_retenue == 5
    for code, part in (("clauses-environnementales", part_environnementale), ("achats-locaux", part_locale)):
        assert abs(part(2025) - retenue(code, 2025).valeur_retenue) >= 3, code


def test_les_consultations_de_2023_se_ventilent_par_nature_comme_la_valeur_retenue():
    natures = Counter(lots[0].consultation.nature for lots in finalisees(2023))
    lignes = retenue("consultations", 2023).ventilation.all()
    assert {ligne.modalite: int(ligne.nombre) for ligne in lignes} == {
        "Travaux": natures["TRAVAUX"],
        "Fournitures": natures["FOURNITURES"],
        "Services": natures["SERVICES"] + natures["PI"],
    }


# --- Le registre -------------------------------------------------------------------------------------


def test_le_registre_est_varie():
    for champ, liste in (("nature", Nature), ("procedure", Procedure)):
        assert set(Consultation.objects.values_list(champ, flat=True)) == set(liste), champ
    assert set(LotDeConsultation.objects.values_list("suite", flat=True)) == {*Suite, ""}
    assert set(LotDeConsultation.objects.values_list("motif_sans_suite", flat=True)) == {*MotifSansSuite, ""}
    assert Consultation.objects.values("service").distinct().count() == 6
    assert len({consultation.lots.count() for consultation in Consultation.objects.prefetch_related("lots")}) >= 6
    assert Consultation.objects.exclude(pour_le_compte_de="").exists()


def test_ce_qui_ne_se_compte_pas_est_la_aussi():
    assert LotDeConsultation.objects.filter(suite=Suite.ABANDONNE, consultation__lancee_le=None).count() >= 10
    assert LotDeConsultation.objects.filter(suite=Suite.NOTIFIE, date_de_suite=None).exists()


def test_l_article_35_a_de_quoi_montrer():
    lots = LotDeConsultation.objects.filter(consultation__lancee_le__gte=ARTICLE_35)
    for manque in (
        {"clause_environnementale": "OUI", "critere_environnemental": "OUI"},
        {"clause_environnementale": "NON", "critere_environnemental": "OUI"},
        {"clause_environnementale": "OUI", "critere_environnemental": "NON"},
        {"clause_environnementale": "NON", "critere_environnemental": "NON", "motif_derogation": ""},
        {"clause_environnementale": "INCONNU"},
        {"consultation__estimation_ht__gte": 221_000, "clause_sociale": "OUI"},
        {"consultation__estimation_ht__gte": 221_000, "clause_sociale": "NON", "motif_derogation": ""},
    ):
        assert lots.filter(**manque).exists(), manque
    assert lots.exclude(motif_derogation="").exists()


def test_rien_n_est_notifie_avant_d_etre_lance_ni_dans_le_futur():
    for lot in LotDeConsultation.objects.exclude(date_de_suite=None).select_related("consultation"):
        assert lot.date_de_suite < MAINTENANT.date()
        assert lot.consultation.lancee_le is None or lot.consultation.lancee_le <= lot.date_de_suite


def test_chaque_consultation_a_son_historique():
    for modele in (Consultation, LotDeConsultation):
        assert modele.history.count() == modele.objects.count()
        assert not modele.history.filter(history_user=None).exists()
        assert not modele.history.filter(history_date__gt=MAINTENANT).exists()


# --- Les mandats -------------------------------------------------------------------------------------


def test_trois_budgets_hors_taxes_s_additionnent():
    assert set(BudgetDeMandats.objects.values_list("base", flat=True)) == {Base.HT}
    imports = ImportDeMandats.objects.en_vigueur().values_list("annee", "budget")
    assert sorted(Counter(annee for annee, _ in imports).items()) == [(annee, 3) for annee in ANNEES]
    for un_import in ImportDeMandats.objects.prefetch_related("totaux"):
        assert sum(total.nombre for total in un_import.totaux.all()) == un_import.comptes["gardees"] > 0
        assert min(total.montant for total in un_import.totaux.all()) > 0


def test_des_tiers_sont_sans_siret_sans_nom_ou_sans_lieu():
    assert TotalDeMandats.objects.filter(siret="", nom="").count() >= 50
    assert TotalDeMandats.objects.filter(commune="", code_postal="34160").exists()
    assert TotalDeMandats.objects.filter(commune="", code_postal="").exists()


# --- Les contrats publiés ----------------------------------------------------------------------------


def en_vigueur(siren: str = SIREN) -> list[Contrat]:
    return list(Contrat.objects.en_vigueur().filter(siren=siren).prefetch_related("titulaires"))


def test_les_deux_fichiers_sont_passes_par_l_import():
    assert {(i.format, i.etat, i.refuses) for i in ImportDecp.objects.all()} == {
        ("json-v2", EtatDImport.APPLIQUE, 0),
        ("tabulaire", EtatDImport.APPLIQUE, 0),
    }
    assert all("synthetiques" in nom for nom in ImportDecp.objects.values_list("nom", flat=True))


def test_trois_acheteurs_inventes_ont_des_contrats_chaque_annee_depuis_2024():
    for siren in (SIREN, *AUTRES_ACHETEURS):
        annees = Counter(contrat.date.year for contrat in en_vigueur(siren) if contrat.date)
        assert set(annees) == {2024, 2025, 2026}
        assert min(annees.values()) >= 30


def test_les_considerations_sont_la_et_manquent_parfois():
    for annee in (2024, 2025, 2026):
        dites = Counter(
            contrat.environnement for contrat in en_vigueur() if contrat.date and contrat.date.year == annee
        )
        assert min(dites["OUI"], dites["NON"]) >= 30
    assert any(contrat.environnement == "INCONNU" for contrat in en_vigueur())


def test_la_revue_a_de_quoi_montrer():
    contrats = en_vigueur()
    assert len([contrat for contrat in contrats if contrat.date is None]) == 2
    assert {contrat.drapeau for contrat in contrats} == {"", "que_des_neuf", "symbolique"}
    assert [contrat for contrat in contrats if contrat.montant == 999_999_999]
    assert len([contrat for contrat in contrats if contrat.conflit]) >= 2
    assert [contrat for contrat in contrats if contrat.subsequent]
    assert [contrat for contrat in contrats if contrat.concession]
    assert ImportDecp.objects.get(format="json-v2").doublons == 1


def test_des_titulaires_sont_situes_et_d_autres_non():
    situes = [titulaire.commune for contrat in en_vigueur() for titulaire in contrat.titulaires.all()]
    assert "" in situes
    assert ICI & {*situes}
    assert {*situes} - ICI - {""}


def test_des_contrats_sont_rattaches_a_leur_consultation_et_d_autres_seulement_suggeres():
    souches = set(ContratDeConsultation.objects.values_list("souche", flat=True))
    rattaches = [contrat for contrat in en_vigueur() if contrat.souche in souches]
    assert 50 <= len(rattaches) == len(souches) < len(en_vigueur())
    lots = dict(ContratDeConsultation.objects.values_list("souche", "lot__siret"))
    assert all(lots[c.souche] in {t.identifiant for t in c.titulaires.all()} for c in rattaches)


def test_le_json_est_valide_au_regard_du_schema():
    hasard = Random(1)  # noqa: S311 - un tirage d'essai, pas un secret
    connus = fournisseurs.inventer(hasard)
    registre = consultations.Registre(SimpleNamespace(services=defaultdict(lambda: None)), connus, hasard)
    publication = decp.publier([*registre.dossiers()], connus, hasard)
    jsonschema.Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(publication.contenu)


# --- Les calculs -------------------------------------------------------------------------------------


def resultat(code: str, annee: int, territoire: str | None = None) -> ResultatDeCalcul:
    entiere = {"debut": datetime.date(annee, 1, 1), "fin": datetime.date(annee, 12, 31)}
    lignes = ResultatDeCalcul.objects.filter(code=code, perimetre=SIREN, **entiere)
    return lignes.filter(territoire__code=territoire).order_by("-calcule_le", "-pk")[0]


@pytest.mark.parametrize("annee", ANNEES)
def test_les_resultats_gardes_sont_ceux_qu_on_recompte(annee):
    assert resultat("consultations_finalisees", annee).valeur == len(finalisees(annee))
    part = resultat("part_environnementale_consultations", annee)
    decompte = environnement(annee)
    assert (part.numerateur, part.denominateur) == (decompte["oui"], decompte["oui"] + decompte["non"])
    locale = resultat("part_locale_achats", annee, "pays-de-l-or")
    sommes = mandats(annee)
    assert (locale.numerateur, locale.denominateur) == (sommes["ici"], sommes["ici"] + sommes["ailleurs"])


def test_les_resultats_de_2023_s_affichent_166_25_et_53():
    def a_l_affichage(resultat: ResultatDeCalcul) -> int:
        return int(resultat.valeur.quantize(Decimal(1), ROUND_HALF_UP))

    assert a_l_affichage(resultat("consultations_finalisees", 2023)) == 166
    assert a_l_affichage(resultat("part_environnementale_consultations", 2023)) == 25
    assert a_l_affichage(resultat("part_locale_achats", 2023, "pays-de-l-or")) == 53


def test_quatre_indicateurs_se_recalculent():
    calculs = dict(Indicateur.objects.exclude(calculs=[]).values_list("code", "calculs"))
    assert calculs["consultations"] == ["consultations_finalisees"]
    assert set(calculs) == {"consultations", "clauses-environnementales", "clauses-sociales", "achats-locaux"}
    assert {code for codes in calculs.values() for code in codes} <= set(CALCULS)
    assert Indicateur.objects.get(code="achats-locaux").territoire.code == "pays-de-l-or"
    assert Territoire.objects.count() == 3


# --- Tout est inventé --------------------------------------------------------------------------------


def cle_juste(numero: str) -> bool:
    chiffres = [int(chiffre) for chiffre in reversed(numero)]
    return sum(sum(divmod(c * (1 + rang % 2), 10)) for rang, c in enumerate(chiffres)) % 10 == 0


def test_les_numeros_sont_justes_et_ne_sont_a_personne():
    sirets = {*LotDeConsultation.objects.values_list("siret", flat=True)}
    sirets |= {*TitulaireDeContrat.objects.values_list("identifiant", flat=True)}
    sirets |= {*TotalDeMandats.objects.values_list("siret", flat=True)}
    sirens = {*Siren.objects.values_list("numero", flat=True), *AUTRES_ACHETEURS}
    assert len(sirets) > 150
    for numero in sirets - {""} | sirens:
        assert numero.startswith("999")
        assert cle_juste(numero)
        assert cle_juste(numero[:9])


def test_tout_ce_qui_se_nomme_se_dit_fictif():
    assert not LotDeConsultation.objects.exclude(titulaire="").exclude(titulaire__contains="fictif").exists()
    assert not TotalDeMandats.objects.exclude(nom="").exclude(nom__contains="fictif").exists()
    assert not Consultation.objects.exclude(numero__startswith="SYN-").exists()
    assert not [objet for objet in Consultation.objects.values_list("objet", flat=True) if "ficti" not in objet]
    assert not Contrat.objects.exclude(objet__contains="ficti").exists()
    assert set(Consultation.objects.values_list("siren", flat=True)) == {SIREN}
    assert set(Contrat.objects.values_list("siren", flat=True)) == {SIREN, *AUTRES_ACHETEURS}
