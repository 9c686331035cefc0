"""Les calculs lus en base, gardés, retrouvés ; et la commande `calculer_indicateurs`."""

import datetime
import io
import json
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from comptes.models import Collectivite, Siren
from marches.calculs.catalogue import CALCULS, Source
from marches.calculs.chargement import acheteurs_de_la_collectivite, charger
from marches.calculs.conservation import calculer, recalculer, resultat_courant
from marches.calculs.lignes import Perimetre
from marches.listes import Base, Suite
from marches.models import (
    BudgetDeMandats,
    Consultation,
    ContratDeConsultation,
    ImportDeMandats,
    LieuDEtablissement,
    LotDeConsultation,
    ResultatDeCalcul,
    TotalDeMandats,
)
from marches.reponses import Reponse
from tests.fabriques_decp import (
    AUTRE_SIREN,
    BEZIERS,
    MAUGUIO,
    SIREN,
    contrat,
    generation,
    territoire,
    titulaire,
)

pytestmark = pytest.mark.django_db
ANNEE = Perimetre.annee(SIREN, 2024)


@pytest.fixture
def collectivite():
    organisme = Collectivite.objects.get_or_create(id=1, defaults={"nom": "Agglomération d'essai"})[0]
    Siren.objects.get_or_create(collectivite=organisme, numero=SIREN)
    return organisme


def consultation(numero="2024-01", *, lots=1, siren="", **champs):
    champs.setdefault("suite", Suite.NOTIFIE)
    champs.setdefault("date_de_suite", datetime.date(2024, 6, 1))
    nouvelle = Consultation.objects.create(numero=numero, objet=f"Consultation {numero}", siren=siren)
    for n in range(1, lots + 1):
        LotDeConsultation.objects.create(consultation=nouvelle, numero=str(n), **champs)
    return nouvelle


def mandats(montant, *, annee=2024, budget=None, **champs):
    budget = (
        budget
        or BudgetDeMandats.objects.get_or_create(code="principal", defaults={"nom": "Principal", "base": Base.TTC})[0]
    )
    fichier = ImportDeMandats.objects.get_or_create(budget=budget, annee=annee)[0]
    return TotalDeMandats.objects.create(import_de_mandats=fichier, nombre=1, montant=Decimal(montant), **champs)


# --- Lire -----------------------------------------------------------------------------------------------------


def test_un_contrat_se_charge_avec_ce_que_les_calculs_en_lisent():
    ecrit = contrat(environnement=Reponse.OUI, drapeau="symbolique", titulaires=[titulaire(commune=BEZIERS)])
    lu = charger(SIREN).contrats[0]
    assert (lu.id, lu.siren, lu.date, lu.montant) == (ecrit.pk, SIREN, ecrit.date, ecrit.montant)
    assert (lu.environnement, lu.social, lu.drapeau, lu.exclu) == (Reponse.OUI, Reponse.INCONNU, "symbolique", "")
    assert [(t.commune, t.departement) for t in lu.titulaires] == [(BEZIERS, "34")]


def test_seul_l_etat_visible_se_compte():
    contrat(de=0, a=generation().numero)
    contrat(de=generation().numero + 1)
    en_vigueur = contrat()
    assert [ligne.id for ligne in charger(SIREN).contrats] == [en_vigueur.pk]


def test_les_contrats_d_un_autre_acheteur_ne_se_chargent_que_pour_lui():
    contrat()
    autre = contrat(siren=AUTRE_SIREN)
    assert [ligne.id for ligne in charger(AUTRE_SIREN).contrats] == [autre.pk]
    assert len(charger(f"{AUTRE_SIREN}+{SIREN}").contrats) == 2


def test_un_doublon_ecarte_a_la_revue_est_exclu_des_calculs():
    contrat(doublon=True)
    assert charger(SIREN).contrats[0].exclu == "doublon"


def test_une_consultation_confirmee_tient_ses_contrats():
    ecrit = contrat()
    procedure = consultation()
    ContratDeConsultation.objects.create(consultation=procedure, souche=ecrit.souche)
    assert charger(SIREN).contrats[0].consultation == procedure.pk


def test_la_commune_dite_par_quelqu_un_complete_sans_remplacer():
    LieuDEtablissement.objects.create(siret="99000000900018", commune=MAUGUIO, source="site de l'entreprise")
    LieuDEtablissement.objects.create(siret="99000000900026", commune=MAUGUIO, source="site de l'entreprise")
    contrat(titulaires=[titulaire("99000000900018"), titulaire("99000000900026", commune=BEZIERS)])
    assert [t.commune for t in charger(SIREN).contrats[0].titulaires] == [MAUGUIO, BEZIERS]


def test_un_lot_se_charge_avec_sa_suite_et_ses_considerations():
    consultation(
        clause_environnementale=Reponse.OUI,
        critere_environnemental=Reponse.NON,
        clause_sociale=Reponse.NON,
        critere_social=Reponse.INCONNU,
    )
    lot = charger(SIREN).consultations[0].lots[0]
    assert (lot.suite, lot.date_de_suite) == (Suite.NOTIFIE, datetime.date(2024, 6, 1))
    assert (lot.environnement_condition, lot.environnement_critere) == (Reponse.OUI, Reponse.NON)
    assert (lot.social_condition, lot.social_critere) == (Reponse.NON, Reponse.INCONNU)


def test_le_registre_sans_siren_est_celui_de_la_collectivite(collectivite):
    consultation("A")
    consultation("B", siren=AUTRE_SIREN)
    assert [c.numero for c in charger(SIREN).consultations] == ["A"]
    assert [c.numero for c in charger(AUTRE_SIREN).consultations] == ["B"]


def test_un_total_de_mandats_se_situe_par_sa_commune_puis_par_son_code_postal():
    mandats(100, commune=MAUGUIO, code_postal="34130")
    mandats(100, code_postal="34280")
    mandats(100)
    premier, second, dernier = charger(SIREN).mandats
    assert (premier.communes, premier.exercice, premier.base) == (frozenset({MAUGUIO}), 2024, "TTC")
    assert second.communes == frozenset({"34344"})
    assert dernier.communes is None


def test_le_nombre_de_requetes_ne_depend_pas_du_nombre_de_contrats(django_assert_num_queries):
    for taille in (2, 20):
        for n in range(taille):
            contrat(titulaires=[titulaire(commune=MAUGUIO), titulaire("99000000900018")])
            consultation(f"{taille}-{n}", lots=3)
            mandats(100, nom=f"Tiers {n}", siret="99000000900018")
        with django_assert_num_queries(8):
            charger(SIREN)


# --- Garder ---------------------------------------------------------------------------------------------------


def test_un_resultat_se_garde_avec_les_enregistrements_derriere_chaque_nombre():
    oui = contrat(environnement=Reponse.OUI)
    non = contrat(environnement=Reponse.NON)
    muet = contrat()
    concession = contrat(concession=True)
    calculer(ANNEE)
    garde = resultat_courant("part_environnementale_nombre", ANNEE)
    assert (garde.valeur, garde.numerateur, garde.denominateur, garde.inconnus) == (50, 1, 2, 1)
    assert garde.couverture == Decimal("66.6667")
    assert garde.exclus == {"concession": 1}
    assert garde.listes == {
        "numerateur": [oui.pk],
        "denominateur": [oui.pk, non.pk],
        "inconnus": [muet.pk],
        "exclus": {"concession": [concession.pk]},
    }


def test_refaire_le_meme_calcul_n_ecrit_rien_de_plus():
    contrat()
    calculer(ANNEE)
    avant = set(ResultatDeCalcul.objects.values_list("pk", flat=True))
    calculer(ANNEE)
    assert set(ResultatDeCalcul.objects.values_list("pk", flat=True)) == avant


def test_un_enregistrement_change_donne_une_autre_ligne_et_garde_l_ancienne():
    ecrit = contrat(montant=Decimal(1000))
    calculer(ANNEE)
    avant = resultat_courant("marches_notifies", ANNEE)
    type(ecrit).objects.filter(pk=ecrit.pk).update(montant=Decimal(2000))
    calculer(ANNEE)
    apres = resultat_courant("marches_notifies", ANNEE)
    assert apres.pk != avant.pk
    assert ResultatDeCalcul.objects.filter(pk=avant.pk).exists()


def test_des_donnees_revenues_a_leur_premier_etat_retrouvent_leur_premier_resultat():
    calculer(ANNEE)
    premier = resultat_courant("marches_notifies", ANNEE)
    ecrit = contrat()
    calculer(ANNEE)
    assert resultat_courant("marches_notifies", ANNEE).valeur == 1
    ecrit.titulaires.all().delete()
    ecrit.delete()
    calculer(ANNEE)
    assert resultat_courant("marches_notifies", ANNEE) == premier


def test_une_lecture_plus_ancienne_qui_finit_plus_tard_ne_fait_pas_foi(monkeypatch):
    contrat()
    calculer(ANNEE)
    courant = resultat_courant("marches_notifies", ANNEE)
    contrat()
    une_heure_plus_tot = timezone.now() - datetime.timedelta(hours=1)
    monkeypatch.setattr("marches.calculs.conservation.timezone.now", lambda: une_heure_plus_tot)
    calculer(ANNEE)
    assert resultat_courant("marches_notifies", ANNEE) == courant


def test_un_territoire_qui_change_donne_un_autre_resultat():
    agglomeration = territoire()
    contrat()
    perimetre = Perimetre.annee(SIREN, 2024, agglomeration)
    calculer(perimetre, agglomeration)
    avant = resultat_courant("part_locale_nombre", perimetre, agglomeration)
    agglomeration.communes = [BEZIERS]
    agglomeration.save()
    calculer(perimetre, agglomeration)
    apres = resultat_courant("part_locale_nombre", perimetre, agglomeration)
    assert (avant.valeur, apres.valeur) == (100, 0)


def test_recalculer_fait_chaque_annee_et_chaque_territoire_de_la_collectivite(collectivite):
    territoire("agglomeration")
    territoire("bassin", communes=[MAUGUIO, BEZIERS])
    contrat(date=datetime.date(2022, 5, 5))
    contrat(date=datetime.date(2024, 5, 5))
    faits = recalculer()
    locaux = sum(calcul.territorial for calcul in CALCULS.values())
    par_annee = len(CALCULS) - locaux + 2 * locaux
    periodes = set(ResultatDeCalcul.objects.values_list("debut", "fin"))
    assert faits == ResultatDeCalcul.objects.count() == len(periodes) * par_annee
    assert set(ResultatDeCalcul.objects.values_list("debut__year", flat=True)) == {
        2022,
        2024,
        timezone.localdate().year - 1,
        timezone.localdate().year,
    }


def test_recalculer_ne_refait_que_la_source_et_l_annee_qui_ont_change(collectivite):
    recalculer(annees=[2024], sources=[Source.REGISTRE])
    assert set(ResultatDeCalcul.objects.values_list("code", flat=True)) == {
        code for code, calcul in CALCULS.items() if calcul.source is Source.REGISTRE
    }


def test_recalculer_fait_aussi_un_autre_acheteur_quand_on_le_nomme(collectivite):
    contrat(siren=AUTRE_SIREN)
    recalculer([AUTRE_SIREN], annees=[2024])
    assert resultat_courant("marches_notifies", Perimetre.annee(AUTRE_SIREN, 2024)).valeur == 1


def test_les_siren_de_la_collectivite_se_comptent_ensemble(collectivite):
    Siren.objects.create(collectivite=collectivite, numero=AUTRE_SIREN)
    contrat()
    contrat(siren=AUTRE_SIREN)
    recalculer(annees=[2024])
    assert acheteurs_de_la_collectivite() == f"{AUTRE_SIREN}+{SIREN}"
    assert resultat_courant("marches_notifies", Perimetre.annee(f"{AUTRE_SIREN}+{SIREN}", 2024)).valeur == 2


def test_une_periode_se_garde_a_part_de_l_annee():
    contrat(date=datetime.date(2024, 3, 1))
    contrat(date=datetime.date(2024, 9, 1))
    semestre = Perimetre(SIREN, datetime.date(2024, 1, 1), datetime.date(2024, 6, 30))
    calculer(semestre)
    calculer(ANNEE)
    assert resultat_courant("marches_notifies", semestre).valeur == 1
    assert resultat_courant("marches_notifies", ANNEE).valeur == 2


def test_le_nombre_de_requetes_d_un_recalcul_ne_depend_pas_du_nombre_de_contrats(django_assert_num_queries):
    for taille in (2, 20):
        for _ in range(taille):
            contrat(environnement=Reponse.OUI)
        # Lire : 8. Écrire : le point de reprise et sa fin, deux lectures, une insertion, une mise à jour.
        with django_assert_num_queries(8 + 6):
            calculer(ANNEE)


# --- La commande ----------------------------------------------------------------------------------------------


def lancer(*options):
    sortie = io.StringIO()
    call_command("calculer_indicateurs", *options, stdout=sortie)
    return sortie.getvalue()


def test_la_commande_rend_un_objet_json_avec_tous_les_codes():
    territoire("agglomeration")
    contrat(environnement=Reponse.OUI, montant=Decimal("1000.50"))
    contrat(environnement=Reponse.NON, montant=Decimal("2001"))
    rendu = json.loads(lancer("--annee=2024", f"--siren={SIREN}", "--territoire=agglomeration", "--json"))
    assert (rendu["annee"], rendu["siren"]) == (2024, SIREN)
    assert [calcul["code"] for calcul in rendu["calculs"]] == list(CALCULS)
    par_code = {calcul["code"]: calcul for calcul in rendu["calculs"]}
    assert par_code["marches_notifies"] == {
        "code": "marches_notifies",
        "valeur": 2,
        "numerateur": 2,
        "denominateur": None,
        "inconnus": 0,
        "exclus": {},
        "couverture": 100.0,
    }
    assert par_code["part_environnementale_montant"] == {
        "code": "part_environnementale_montant",
        "valeur": 33.3333,
        "numerateur": 1000.5,
        "denominateur": 3001.5,
        "inconnus": 0,
        "exclus": {},
        "couverture": 100.0,
    }
    assert par_code["part_locale_nombre"]["valeur"] == 100.0
    assert par_code["part_locale_achats"]["valeur"] is None


def test_sans_territoire_les_parts_locales_sont_nulles_et_presentes():
    contrat()
    rendu = json.loads(lancer("--annee=2024", f"--siren={SIREN}", "--json"))
    locales = [calcul for calcul in rendu["calculs"] if "locale" in calcul["code"]]
    assert len(locales) == 5
    assert all(calcul["valeur"] is None and calcul["couverture"] is None for calcul in locales)


def test_sans_siren_la_commande_prend_ceux_de_la_collectivite(collectivite):
    contrat()
    assert json.loads(lancer("--annee=2024", "--json"))["siren"] == SIREN


def test_la_commande_s_explique_aussi_en_phrases():
    contrat(environnement=Reponse.OUI)
    texte = lancer("--annee=2024", f"--siren={SIREN}")
    assert "Marchés notifiés : 1" in texte
    assert "Marchés à considération environnementale : 100,0" in texte


@pytest.mark.parametrize(
    ("options", "phrase"),
    [
        (["--annee=2024", "--siren=1234"], "neuf chiffres"),
        (["--annee=12", f"--siren={SIREN}"], "n'est pas une année"),
        (["--annee=2024", f"--siren={SIREN}", "--territoire=mars"], "agglomeration"),
        (["--annee=2024"], "--siren"),
    ],
)
def test_une_option_fausse_se_refuse_par_une_phrase(options, phrase):
    territoire("agglomeration")
    with pytest.raises(CommandError, match=phrase):
        lancer(*options)
