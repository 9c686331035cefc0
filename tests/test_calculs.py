"""Les calculs : chaque règle à part, puis tous ensemble contre un recalcul lent et indépendant."""

import datetime
import itertools
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marches.calculs.catalogue import CALCULS, Source, calculer
from marches.calculs.contrats import (
    marches_notifies,
    part_environnementale_montant,
    part_environnementale_nombre,
    part_locale_montant,
    part_locale_montant_tous,
    part_locale_nombre,
    part_locale_nombre_tous,
    part_sociale_montant,
    part_sociale_nombre,
)
from marches.calculs.lignes import (
    Donnees,
    LieuDeTitulaire,
    LigneDeConsultation,
    LigneDeContrat,
    LigneDeLot,
    LigneDeMandats,
    Perimetre,
    empreinte,
)
from marches.calculs.mandats import part_locale_achats
from marches.calculs.registre import (
    consultations_finalisees,
    part_environnementale_consultations,
    part_sociale_consultations,
)
from marches.calculs.regroupement import consultations_estimees, racine_de_l_objet, regrouper
from marches.calculs.resultats import arrondir, part
from marches.listes import Suite
from marches.reponses import Reponse

OUI, NON, INCONNU = Reponse.OUI, Reponse.NON, Reponse.INCONNU
SIREN = "990000009"
TERRITOIRE = SimpleNamespace(communes=frozenset({"34154", "34344"}), departements=frozenset())
HERAULT = SimpleNamespace(communes=frozenset(), departements=frozenset({"34"}))
ANNEE = Perimetre.annee(SIREN, 2025, TERRITOIRE)
D_ICI = LieuDeTitulaire("99000000900018", "SIRET", "34154", "34")
DU_DEPARTEMENT = LieuDeTitulaire("99000000900026", "SIRET", "34172", "34")
D_AILLEURS = LieuDeTitulaire("99000000900034", "SIRET", "75056", "75")
SANS_LIEU = LieuDeTitulaire("99000000900042", "SIRET")
ETRANGER = LieuDeTitulaire("DE123456789", "TVA")

_rang = itertools.count(1)


def contrat(**champs) -> LigneDeContrat:
    """Un marché de 2025, de 1 000 €, seul de son objet."""
    rang = next(_rang)
    defauts = {
        "id": rang,
        "siren": SIREN,
        "identifiant": f"M{rang}",
        "objet": f"Objet {rang}",
        "procedure": "Procédure adaptée",
        "nature": "Marché",
        "concession": False,
        "date": datetime.date(2025, 5, 5),
        "montant": Decimal(1000),
        "environnement": NON,
        "social": NON,
        "titulaires": (D_AILLEURS,),
    }
    return LigneDeContrat(**{**defauts, **champs})


def lot(suite=Suite.NOTIFIE, date=datetime.date(2025, 3, 3), **champs) -> LigneDeLot:
    return LigneDeLot(suite=suite, date_de_suite=date, **champs)


def consultation(*lots: LigneDeLot) -> LigneDeConsultation:
    rang = next(_rang)
    return LigneDeConsultation(rang, f"C{rang}", lots)


def mandats(montant, **champs) -> LigneDeMandats:
    defauts = {"exercice": 2025, "budget": "Principal", "base": "TTC", "communes": frozenset({"75056"})}
    return LigneDeMandats(id=next(_rang), montant=Decimal(montant), **{**defauts, **champs})


# --- La population --------------------------------------------------------------------------------------------


def test_un_marche_de_l_annee_compte_et_celui_d_un_autre_acheteur_non():
    lignes = [contrat(id=1), contrat(id=2, siren="990000017")]
    resultat = marches_notifies(lignes, ANNEE)
    assert (resultat.valeur, resultat.ids_numerateur, resultat.exclus) == (1, (1,), {})


@pytest.mark.parametrize(
    ("jour", "attendu"),
    [("2024-12-31", 0), ("2025-01-01", 1), ("2025-12-31", 1), ("2026-01-01", 0)],
)
def test_une_annee_va_du_premier_janvier_au_trente_et_un_decembre_compris(jour, attendu):
    lignes = [contrat(date=datetime.date.fromisoformat(jour))]
    assert marches_notifies(lignes, ANNEE).valeur == attendu


def test_une_periode_ne_compte_que_ses_jours():
    lignes = [contrat(id=1, date=datetime.date(2025, 3, 31)), contrat(id=2, date=datetime.date(2025, 4, 1))]
    trimestre = Perimetre(SIREN, datetime.date(2025, 1, 1), datetime.date(2025, 3, 31))
    assert marches_notifies(lignes, trimestre).ids_numerateur == (1,)


def test_un_contrat_sans_date_n_est_d_aucune_annee_et_se_dit_chaque_annee():
    lignes = [contrat(id=7, date=None)]
    for annee in (2023, 2025):
        resultat = marches_notifies(lignes, Perimetre.annee(SIREN, annee))
        assert (resultat.valeur, resultat.exclus, resultat.ids_exclus) == (0, {"sans_date": 1}, {"sans_date": [7]})


@pytest.mark.parametrize(
    ("champs", "motif"),
    [
        ({"exclu": "doublon"}, "doublon"),
        ({"concession": True}, "concession"),
        ({"subsequent": True}, "subsequent"),
        ({"date": None, "concession": True, "subsequent": True}, "sans_date"),
        ({"exclu": "doublon", "concession": True, "subsequent": True}, "doublon"),
        ({"concession": True, "subsequent": True}, "concession"),
    ],
)
def test_un_contrat_ecarte_l_est_sous_un_seul_motif(champs, motif):
    resultat = marches_notifies([contrat(**champs), contrat()], ANNEE)
    assert (resultat.valeur, resultat.exclus) == (1, {motif: 1})


def test_un_contrat_ecarte_d_une_autre_annee_ne_se_dit_pas_cette_annee():
    assert marches_notifies([contrat(concession=True, date=datetime.date(2024, 5, 5))], ANNEE).exclus == {}


def test_sans_contrat_le_compte_est_zero_et_la_part_renseignee_n_existe_pas():
    resultat = marches_notifies([], ANNEE)
    assert (resultat.valeur, resultat.couverture) == (0, None)


# --- Les considérations ---------------------------------------------------------------------------------------


def test_la_part_en_nombre_ne_divise_que_par_ceux_qui_disent_oui_ou_non():
    lignes = [contrat(id=n, environnement=reponse) for n, reponse in enumerate([OUI, NON, NON, INCONNU], start=1)]
    resultat = part_environnementale_nombre(lignes, ANNEE)
    assert (resultat.valeur, resultat.numerateur, resultat.denominateur) == (Decimal("33.3333"), 1, 3)
    assert (resultat.inconnus, resultat.couverture) == (1, Decimal("75.0000"))
    assert (resultat.ids_numerateur, resultat.ids_denominateur, resultat.ids_inconnus) == ((1,), (1, 2, 3), (4,))


def test_une_part_peu_renseignee_est_donnee_quand_meme():
    lignes = [contrat(environnement=OUI), *(contrat(environnement=INCONNU) for _ in range(9))]
    resultat = part_environnementale_nombre(lignes, ANNEE)
    assert (resultat.valeur, resultat.couverture) == (Decimal("100.0000"), Decimal("10.0000"))


def test_si_personne_ne_dit_rien_la_part_n_existe_pas_et_la_part_renseignee_est_nulle():
    resultat = part_environnementale_nombre([contrat(environnement=INCONNU)], ANNEE)
    assert (resultat.valeur, resultat.denominateur, resultat.couverture) == (None, 0, Decimal("0.0000"))


def test_la_part_en_montant_pese_chaque_marche_par_ses_euros():
    lignes = [
        contrat(environnement=OUI, montant=Decimal(3000)),
        contrat(environnement=NON, montant=Decimal(1000)),
        contrat(environnement=INCONNU, montant=Decimal(6000)),
    ]
    resultat = part_environnementale_montant(lignes, ANNEE)
    assert (resultat.valeur, resultat.numerateur, resultat.denominateur) == (Decimal("75.0000"), 3000, 4000)
    assert (resultat.inconnus, resultat.couverture) == (1, Decimal("40.0000"))


def test_un_montant_qui_ne_se_croit_pas_quitte_les_montants_et_reste_dans_les_nombres():
    lignes = [
        contrat(id=1, environnement=OUI),
        contrat(id=2, environnement=NON, montant=Decimal(999999999), drapeau="neufs"),
        contrat(id=3, environnement=NON, montant=None),
    ]
    assert part_environnementale_nombre(lignes, ANNEE).denominateur == 3
    en_montant = part_environnementale_montant(lignes, ANNEE)
    assert (en_montant.valeur, en_montant.denominateur) == (Decimal("100.0000"), 1000)
    assert en_montant.ids_exclus == {"montant_neufs": [2], "montant_absent": [3]}


def test_le_social_ne_se_lit_pas_dans_l_environnement():
    lignes = [contrat(environnement=OUI, social=NON), contrat(environnement=NON, social=INCONNU)]
    assert part_sociale_nombre(lignes, ANNEE).valeur == 0
    assert part_sociale_montant(lignes, ANNEE).denominateur == 1000


# --- Les titulaires du territoire -----------------------------------------------------------------------------


def reponses_locales(*titulaires):
    lignes = [contrat(id=1, titulaires=titulaires)]
    reponses = []
    for fonction in (part_locale_nombre, part_locale_nombre_tous):
        resultat = fonction(lignes, ANNEE)
        reponses.append(INCONNU if resultat.inconnus else OUI if resultat.numerateur else NON)
    return tuple(reponses)


@pytest.mark.parametrize(
    ("titulaires", "un", "tous"),
    [
        ((D_ICI,), OUI, OUI),
        ((D_AILLEURS,), NON, NON),
        ((D_ICI, D_AILLEURS), OUI, NON),
        ((SANS_LIEU,), INCONNU, INCONNU),
        ((D_ICI, SANS_LIEU), OUI, INCONNU),
        ((D_AILLEURS, SANS_LIEU), INCONNU, INCONNU),
        ((ETRANGER,), NON, NON),
        ((ETRANGER, D_ICI), OUI, NON),
        ((), INCONNU, INCONNU),
    ],
)
def test_un_marche_est_local_par_un_titulaire_ou_par_tous(titulaires, un, tous):
    assert reponses_locales(*titulaires) == (un, tous)


def test_un_type_d_identifiant_vide_ou_mal_ecrit_reste_un_siret():
    assert reponses_locales(LieuDeTitulaire("99000000900018", "siret", "34154")) == (OUI, OUI)
    assert reponses_locales(LieuDeTitulaire("99000000900018", "", "34154")) == (OUI, OUI)


def test_un_departement_seul_repond_a_un_departement_et_pas_a_des_communes():
    lignes = [contrat(titulaires=(LieuDeTitulaire("99000000900018", "SIRET", "", "34"),))]
    assert part_locale_nombre(lignes, ANNEE).inconnus == 1
    assert part_locale_nombre(lignes, Perimetre.annee(SIREN, 2025, HERAULT)).valeur == 100


def test_une_commune_repond_aussi_au_departement():
    lignes = [contrat(titulaires=(DU_DEPARTEMENT,))]
    assert part_locale_nombre(lignes, ANNEE).valeur == 0
    assert part_locale_nombre(lignes, Perimetre.annee(SIREN, 2025, HERAULT)).valeur == 100


def test_le_montant_se_partage_a_parts_egales_entre_cotitulaires():
    lignes = [contrat(titulaires=(D_ICI, D_AILLEURS, ETRANGER)), contrat(titulaires=(D_ICI,), montant=Decimal(500))]
    resultat = part_locale_montant(lignes, ANNEE)
    # (1000 ÷ 3 + 500) ÷ 1500 : la fraction est exacte, l'arrondi est le dernier geste.
    assert (resultat.valeur, resultat.numerateur) == (Decimal("55.5556"), Decimal("833.33"))
    assert part_locale_montant_tous(lignes, ANNEE).valeur == Decimal("33.3333")


def test_un_lieu_manquant_envoie_le_montant_entier_aux_inconnus():
    lignes = [contrat(id=1, titulaires=(D_ICI, SANS_LIEU)), contrat(id=2, titulaires=(D_AILLEURS,))]
    resultat = part_locale_montant(lignes, ANNEE)
    assert (resultat.denominateur, resultat.ids_inconnus) == (1000, (1,))
    assert (resultat.valeur, resultat.couverture) == (0, Decimal("50.0000"))


def test_une_part_locale_sans_territoire_est_une_erreur_de_programme():
    with pytest.raises(ValueError, match="territoire"):
        part_locale_nombre([], Perimetre.annee(SIREN, 2025))


# --- Les consultations estimées -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("objet", "racine"),
    [
        ("Réhabilitation – Lot n° 3 : gros œuvre", "rehabilitation"),
        ("Réhabilitation (lot 2)", "rehabilitation"),
        ("RÉHABILITATION, LOTS 1 et 2", "rehabilitation"),
        ("Réhabilitation lot nº4", "rehabilitation"),
        ("Réhabilitation lot n° A", "rehabilitation"),
        ("Aménagement du lotissement 4", "amenagement du lotissement 4"),
        ("Entretien du lot nord", "entretien du lot nord"),
        ("Lot 2 : peinture", ""),
        ("", ""),
    ],
)
def test_la_racine_d_un_objet_s_arrete_avant_le_lot(objet, racine):
    assert racine_de_l_objet(objet) == racine


def lots_notifies(*jours, **champs):
    debut = datetime.date(2025, 3, 1)
    return [
        contrat(id=n, objet=f"Voirie - lot n° {n}", date=debut + datetime.timedelta(days=ecart), **champs)
        for n, ecart in enumerate(jours, start=1)
    ]


def test_des_lots_du_meme_objet_font_une_consultation():
    resultat = consultations_estimees(lots_notifies(0, 5, 5), ANNEE)
    assert (resultat.valeur, resultat.ids_numerateur, resultat.ids_denominateur) == (1, (1,), (1, 2, 3))


@pytest.mark.parametrize(("jours", "attendu"), [((0, 60), 1), ((0, 61), 2), ((0, 60, 120), 1), ((120, 0, 60), 1)])
def test_deux_dates_qui_se_suivent_a_soixante_jours_se_tiennent_de_proche_en_proche(jours, attendu):
    assert consultations_estimees(lots_notifies(*jours), ANNEE).valeur == attendu


def test_une_autre_procedure_est_une_autre_consultation():
    lignes = [*lots_notifies(0), contrat(objet="Voirie - lot n° 2", procedure="Appel d'offres ouvert")]
    assert consultations_estimees(lignes, ANNEE).valeur == 2


def test_sans_racine_chaque_contrat_est_seul():
    lignes = [contrat(objet="Lot 1 : peinture"), contrat(objet="Lot 2 : voirie"), contrat(objet=""), contrat(objet="")]
    assert consultations_estimees(lignes, ANNEE).valeur == 4


def test_une_consultation_a_cheval_sur_deux_annees_est_de_celle_du_premier_contrat():
    lignes = [
        contrat(id=1, objet="Voirie - lot 1", date=datetime.date(2025, 12, 31)),
        contrat(id=2, objet="Voirie - lot 2", date=datetime.date(2026, 1, 1)),
    ]
    assert consultations_estimees(lignes, ANNEE).ids_denominateur == (1, 2)
    assert consultations_estimees(lignes, Perimetre.annee(SIREN, 2026)).valeur == 0


def test_une_consultation_confirmee_est_une_seule_consultation_quoi_que_disent_objets_et_dates():
    lignes = [
        contrat(id=1, consultation=5, date=datetime.date(2025, 1, 1)),
        contrat(id=2, consultation=5, date=datetime.date(2025, 11, 1), procedure="Dialogue compétitif"),
    ]
    assert [groupe.contrats for groupe in regrouper(lignes)] == [(1, 2)]
    assert regrouper(lignes)[0].consultation == 5


def test_un_contrat_confirme_quitte_le_groupe_que_son_objet_suggerait():
    premier, second, troisieme = lots_notifies(0, 1, 2)
    confirme = contrat(id=second.id, objet=second.objet, date=second.date, consultation=5)
    assert sorted(g.contrats for g in regrouper([premier, confirme, troisieme])) == [(1, 3), (2,)]


def test_un_contrat_ecarte_n_est_d_aucune_consultation():
    lignes = [*lots_notifies(0), contrat(objet="Voirie - lot 2", subsequent=True)]
    assert [groupe.contrats for groupe in regrouper(lignes)] == [(1,)]


@given(st.permutations(range(5)))
def test_l_ordre_des_lignes_ne_change_pas_les_groupes(ordre):
    lignes = lots_notifies(0, 30, 30, 95, 200)
    assert regrouper([lignes[n] for n in ordre]) == regrouper(lignes)


# --- Le registre ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lots", "attendu"),
    [
        ([lot()], 1),
        ([lot(Suite.SANS_SUITE)], 1),
        ([lot(), lot(Suite.SANS_SUITE)], 1),
        ([lot(), lot(Suite.ATTRIBUE)], 0),
        ([lot(), lot("", None)], 0),
        ([lot(), lot(Suite.ABANDONNE, None)], 1),
        ([lot(Suite.ABANDONNE, None)], 0),
        ([], 0),
    ],
)
def test_une_consultation_est_finalisee_quand_chaque_lot_est_notifie_ou_sans_suite(lots, attendu):
    assert consultations_finalisees([consultation(*lots)], ANNEE).valeur == attendu


def test_l_annee_d_une_consultation_est_celle_de_sa_derniere_suite():
    lignes = [consultation(lot(date=datetime.date(2024, 12, 31)), lot(date=datetime.date(2025, 1, 1)))]
    assert consultations_finalisees(lignes, ANNEE).valeur == 1
    assert consultations_finalisees(lignes, Perimetre.annee(SIREN, 2024)).valeur == 0


def test_une_date_de_suite_manquante_met_la_consultation_hors_de_toute_annee_et_le_dit():
    lignes = [consultation(lot(), lot(date=None))]
    resultat = consultations_finalisees(lignes, ANNEE)
    assert (resultat.valeur, resultat.exclus) == (0, {"sans_date": 1})


def test_une_consultation_entierement_abandonnee_se_dit_l_annee_de_l_abandon():
    lignes = [consultation(lot(Suite.ABANDONNE))]
    assert consultations_finalisees(lignes, ANNEE).exclus == {"abandonnee": 1}
    assert consultations_finalisees(lignes, Perimetre.annee(SIREN, 2024)).exclus == {}


@pytest.mark.parametrize(
    ("condition", "critere", "attendu"),
    [
        (OUI, NON, OUI),
        (NON, OUI, OUI),
        (OUI, INCONNU, OUI),
        (NON, NON, NON),
        (NON, INCONNU, INCONNU),
        (INCONNU, INCONNU, INCONNU),
    ],
)
def test_un_lot_dit_oui_par_la_condition_ou_par_le_critere(condition, critere, attendu):
    for fonction, prefixe in (
        (part_environnementale_consultations, "environnement"),
        (part_sociale_consultations, "social"),
    ):
        lignes = [consultation(lot(**{f"{prefixe}_condition": condition, f"{prefixe}_critere": critere}))]
        resultat = fonction(lignes, ANNEE)
        lu = INCONNU if resultat.inconnus else OUI if resultat.numerateur else NON
        assert lu == attendu


def _lot_qui_dit(reponse, **champs):
    return lot(environnement_condition=reponse, environnement_critere=reponse, **champs)


@pytest.mark.parametrize(
    ("reponses", "attendu"),
    [((OUI, NON), OUI), ((OUI, INCONNU), OUI), ((NON, NON), NON), ((NON, INCONNU), INCONNU)],
)
def test_une_consultation_dit_oui_si_au_moins_un_lot(reponses, attendu):
    resultat = part_environnementale_consultations([consultation(*map(_lot_qui_dit, reponses))], ANNEE)
    lu = INCONNU if resultat.inconnus else OUI if resultat.numerateur else NON
    assert lu == attendu


def test_un_lot_abandonne_ne_fait_pas_dire_oui_a_sa_consultation():
    lignes = [consultation(_lot_qui_dit(NON), _lot_qui_dit(OUI, suite=Suite.ABANDONNE))]
    assert part_environnementale_consultations(lignes, ANNEE).valeur == 0


# --- Les mandats ----------------------------------------------------------------------------------------------


def test_la_part_des_achats_pese_les_euros_et_se_renseigne_en_nombre():
    lignes = [
        mandats(300, communes=frozenset({"34154"})),
        mandats(700),
        mandats(9000, communes=None),
    ]
    resultat = part_locale_achats(lignes, ANNEE)
    assert (resultat.valeur, resultat.numerateur, resultat.denominateur) == (Decimal("30.0000"), 300, 1000)
    assert (resultat.inconnus, resultat.couverture) == (1, Decimal("66.6667"))


def test_un_code_postal_partage_entre_ici_et_ailleurs_ne_se_devine_pas():
    lignes = [
        mandats(100, communes=frozenset({"34154", "34172"})),
        mandats(50, communes=frozenset({"34154", "34344"})),
    ]
    resultat = part_locale_achats(lignes, ANNEE)
    assert (resultat.inconnus, resultat.numerateur) == (1, 50)


def test_hors_taxes_et_toutes_taxes_comprises_ne_s_additionnent_pas():
    resultat = part_locale_achats([mandats(100, base="HT"), mandats(100, base="TTC")], ANNEE)
    assert (resultat.valeur, resultat.exclus) == (None, {"bases_mixtes": 2})


def test_une_base_par_exercice_suffit():
    lignes = [mandats(100, base="HT", exercice=2024), mandats(100, base="TTC")]
    assert part_locale_achats(lignes, ANNEE).valeur == 0


def test_un_exercice_ne_se_coupe_pas():
    periode = Perimetre(SIREN, datetime.date(2025, 1, 1), datetime.date(2025, 6, 30), TERRITOIRE)
    resultat = part_locale_achats([mandats(100)], periode)
    assert (resultat.valeur, resultat.exclus) == (None, {"exercice_partiel": 1})


def test_des_annulations_qui_depassent_les_mandats_ne_font_pas_une_part():
    lignes = [mandats(100, communes=frozenset({"34154"})), mandats(-50)]
    assert part_locale_achats(lignes, ANNEE).valeur is None


# --- Arrondis, empreinte, registre des calculs ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("valeur", "attendu"),
    [("1/2", "1"), ("-1/2", "-1"), ("3/2", "2"), ("5/2", "3"), ("249999/100000", "2"), ("0", "0")],
)
def test_la_moitie_s_arrondit_vers_le_haut(valeur, attendu):
    assert arrondir(Fraction(valeur), 0) == Decimal(attendu)


def test_une_part_a_quatre_decimales_et_n_existe_pas_sur_rien():
    assert str(part(1, 3)) == "33.3333"
    assert str(part(1, 160000)) == "0.0006"
    assert part(0, 0) is None


def test_l_empreinte_d_une_ligne_change_avec_une_seule_valeur_et_pas_avec_son_ecriture():
    ligne = contrat(id=2, montant=Decimal("10.0"))
    assert empreinte(ligne) == empreinte(contrat(**_champs(ligne, montant=Decimal("10.00"))))
    assert empreinte(ligne) != empreinte(contrat(**_champs(ligne, montant=Decimal("10.01"))))
    assert empreinte(ligne) != empreinte(contrat(**_champs(ligne, titulaires=(D_ICI,))))


def _champs(ligne, **autres):
    return {**{nom: getattr(ligne, nom) for nom in LigneDeContrat.__slots__}, **autres}


CODES = [
    *["marches_notifies", "consultations_estimees", "part_environnementale_nombre", "part_environnementale_montant"],
    *["part_sociale_nombre", "part_sociale_montant", "part_locale_nombre", "part_locale_nombre_tous"],
    *["part_locale_montant", "part_locale_montant_tous", "consultations_finalisees"],
    *["part_environnementale_consultations", "part_sociale_consultations", "part_locale_achats"],
]


def test_le_registre_des_calculs_a_tous_les_codes_du_contrat():
    assert list(CALCULS) == CODES


def test_chaque_calcul_rend_son_propre_code_et_seuls_les_locaux_veulent_un_territoire():
    assert [resultat.code for resultat in calculer(Donnees(), ANNEE)] == CODES
    sans = [resultat.code for resultat in calculer(Donnees(), Perimetre.annee(SIREN, 2025))]
    assert sans == [code for code in CODES if "locale" not in code]


def test_une_consideration_publiee_n_existe_pas_avant_2024():
    assert CALCULS["part_environnementale_nombre"].indisponible(2023) == "Donnée inexistante avant 2024."
    assert CALCULS["part_environnementale_nombre"].indisponible(2024) == ""
    assert CALCULS["part_environnementale_consultations"].indisponible(2023) == ""


def test_un_resultat_s_ecrit_en_json_avec_les_sept_champs_du_contrat():
    lignes = [contrat(environnement=OUI), contrat(environnement=NON), contrat(environnement=NON)]
    assert part_environnementale_nombre(lignes, ANNEE).en_json() == {
        "code": "part_environnementale_nombre",
        "valeur": 33.3333,
        "numerateur": 1,
        "denominateur": 3,
        "inconnus": 0,
        "exclus": {},
        "couverture": 100.0,
    }


def test_chaque_calcul_dit_sa_definition_en_une_phrase_et_sa_source():
    for calcul in CALCULS.values():
        assert calcul.definition.endswith(".")
        assert calcul.source in Source
        assert calcul.version >= 1


def test_plusieurs_acheteurs_se_comptent_ensemble():
    lignes = [contrat(), contrat(siren="990000017"), contrat(siren="990000025")]
    assert marches_notifies(lignes, Perimetre.annee(f"{SIREN}+990000017", 2025)).valeur == 2
