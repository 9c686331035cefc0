"""Les formats français, dans les deux sens : ce qui s'affiche se relit, ce qui est ambigu se refuse."""

import calendar
import datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from django import forms
from django.template import Context, Template
from django.utils import timezone, translation
from hypothesis import example, given, settings
from hypothesis import strategies as st

from socle.champs import ChampDate, ChampEcheance, ChampNombre
from socle.echeances import Echeance, Precision
from socle.formats import (
    FINE,
    INSECABLE,
    FormatInvalide,
    accorder,
    arrondir,
    formater_date,
    formater_date_longue,
    formater_moment,
    formater_montant,
    formater_nombre,
    formater_pourcentage,
    formater_valeur,
    lire_date,
    lire_nombre,
    lire_pourcentage,
    plier,
    typographie,
)

rapide = settings(max_examples=80, deadline=None)

NOMBRES = st.decimals(-(10**12) + 1, 10**12 - 1, places=6, allow_nan=False, allow_infinity=False)
JOURS = st.dates(datetime.date(1900, 1, 1), datetime.date(2200, 12, 31))
ECHEANCES = st.one_of(
    JOURS.map(lambda jour: Echeance(jour, Precision.JOUR)),
    JOURS.map(lambda jour: Echeance(datetime.date(jour.year, 12, 31), Precision.ANNEE)),
    st.builds(
        lambda annee, mois: Echeance(
            datetime.date(annee, mois, calendar.monthrange(annee, mois)[1]), Precision.TRIMESTRE
        ),
        st.integers(1900, 2200),
        st.sampled_from([3, 6, 9, 12]),
    ),
)


def ecrit(texte):
    """Les attentes s'écrivent lisiblement : « _ » est l'insécable, « ~ » la fine."""
    return texte.replace("_", INSECABLE).replace("~", FINE)


# --- Aller et retour --------------------------------------------------------------------------------


@rapide
@given(NOMBRES)
@example(Decimal("-0"))
@example(Decimal("1E+3"))
@example(Decimal("999999999999.999999"))
def test_un_nombre_affiche_se_relit(nombre):
    assert lire_nombre(formater_nombre(nombre)) == nombre


@rapide
@given(NOMBRES, st.integers(0, 6))
def test_un_nombre_affiche_arrondi_se_relit_arrondi(nombre, decimales):
    assert lire_nombre(formater_nombre(nombre, decimales)) == arrondir(nombre, decimales)


@rapide
@given(NOMBRES)
def test_les_espaces_tapees_au_clavier_valent_les_insecables(nombre):
    affiche = formater_nombre(nombre)
    assert lire_nombre(affiche.replace(FINE, " ").replace("−", "-")) == nombre
    assert lire_nombre(affiche.replace(FINE, INSECABLE)) == nombre


@rapide
@given(NOMBRES)
def test_un_pourcentage_affiche_se_relit(points):
    assert lire_pourcentage(formater_pourcentage(points)) == points


@rapide
@given(JOURS)
def test_une_date_affichee_se_relit(jour):
    assert lire_date(formater_date(jour)) == lire_date(jour.isoformat()) == jour


@rapide
@given(ECHEANCES)
def test_une_echeance_affichee_se_relit(echeance):
    assert Echeance.lire(str(echeance)) == echeance


@rapide
@given(st.text(alphabet="0123456789 ,.-/tTeE%" + INSECABLE + FINE, max_size=14))
def test_un_texte_quelconque_se_lit_ou_se_refuse_en_le_citant(texte):
    for lire in (lire_nombre, lire_pourcentage, lire_date, Echeance.lire):
        refus = None
        try:
            lire(texte)
        except FormatInvalide as erreur:
            refus = str(erreur)
        assert refus is None or texte.strip() in refus


# --- Arrondi ----------------------------------------------------------------------------------------


@rapide
@given(NOMBRES, st.integers(0, 5))
@example(Decimal("0.5"), 0)
@example(Decimal("-2.5"), 0)
@example(Decimal("1.005"), 2)
def test_l_arrondi_est_au_plus_proche_et_la_moitie_s_eloigne_de_zero(nombre, decimales):
    echelle = 10**decimales
    exact = abs(Fraction(nombre)) * echelle
    attendu = int(exact + Fraction(1, 2))
    arrondi = Fraction(arrondir(nombre, decimales)) * echelle
    assert arrondi == (attendu if nombre >= 0 else -attendu)


def test_l_arrondi_ne_rend_jamais_moins_zero():
    assert str(arrondir(Decimal("-0.4"), 0)) == "0"
    assert formater_nombre(Decimal("-0.04"), 1) == "0,0"
    assert formater_nombre(Decimal("-0")) == "0"
    assert str(lire_nombre("-0,0")) == "0.0"


def test_l_arrondi_tient_les_grands_nombres_et_refuse_les_dizaines():
    assert arrondir(Decimal(10**40), 2) == 10**40
    with pytest.raises(ValueError, match="dizaine"):
        arrondir(15, -1)


# --- Écriture ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("affiche", "attendu"),
    [
        (formater_nombre(Decimal("1234.5"), 2), "1~234,50"),
        (formater_nombre(Decimal("12.500000")), "12,5"),
        (formater_nombre(Decimal("100.00")), "100"),
        (formater_nombre(1234567), "1~234~567"),
        (formater_nombre(999), "999"),
        (formater_nombre(-1234), "−1~234"),
        (formater_nombre(0.1), "0,1"),
        (formater_nombre(0), "0"),
        (formater_nombre(Decimal("0.0000001")), "0,0000001"),
        (formater_pourcentage(25), "25_%"),
        (formater_pourcentage(Decimal("25.301204"), 1), "25,3_%"),
        (formater_pourcentage(Decimal("12.5"), 0), "13_%"),
        (formater_montant(Decimal("1234.5")), "1~234,50_€"),
        (formater_montant(1234, 0), "1~234_€"),
        (formater_valeur(166, "consultations", 0), "166_consultations"),
        (formater_valeur(Decimal("53.0"), "%", 0), "53_%"),
        (formater_valeur(5, "€", 2), "5,00_€"),
        (formater_valeur(5, "", 0), "5"),
        (formater_date(datetime.date(2026, 1, 2)), "02/01/2026"),
        (formater_date_longue(datetime.date(2026, 12, 31)), "31_décembre 2026"),
        (formater_date_longue(datetime.date(2026, 1, 1)), "1er_janvier 2026"),
        (formater_date_longue(datetime.date(2026, 8, 11)), "11_août 2026"),
    ],
)
def test_l_ecriture_suit_les_usages_francais(affiche, attendu):
    assert affiche == ecrit(attendu)


@pytest.mark.parametrize(
    "formater",
    [
        formater_nombre,
        formater_pourcentage,
        formater_montant,
        lambda absent: formater_valeur(absent, "%"),
        formater_date,
        formater_date_longue,
        formater_moment,
        lambda absent: accorder(absent, "action"),
    ],
)
def test_une_valeur_absente_est_un_tiret_et_jamais_zero(formater):
    assert formater(None) == "—"


@pytest.mark.parametrize("valeur", [float("nan"), float("inf"), Decimal("NaN"), Decimal("-Infinity")])
def test_ce_qui_n_est_pas_un_nombre_ne_s_affiche_pas(valeur):
    with pytest.raises(ValueError, match="absente est None"):
        formater_nombre(valeur, 1)


def test_un_texte_ne_passe_pas_pour_un_nombre():
    with pytest.raises(TypeError, match="pas str"):
        formater_nombre("12")


def test_un_instant_s_affiche_a_l_heure_de_paris():
    with timezone.override("Europe/Paris"):
        hiver = datetime.datetime(2026, 12, 31, 23, 30, tzinfo=datetime.UTC)
        ete = datetime.datetime(2026, 7, 1, 12, 5, tzinfo=datetime.UTC)
        assert formater_moment(hiver) == "01/01/2027 à 00:30"
        assert formater_moment(ete) == "01/07/2026 à 14:05"
        assert formater_date(hiver) == "01/01/2027"
        assert formater_date_longue(hiver) == ecrit("1er_janvier 2027")


def test_un_instant_sans_fuseau_est_refuse():
    with pytest.raises(ValueError, match="naive"):
        formater_moment(datetime.datetime(2026, 7, 1, 12, 5))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("n", "mots", "attendu"),
    [
        (0, ("action",), "0_action"),
        (1, ("action",), "1_action"),
        (Decimal("1.9"), ("point",), "1,9_point"),
        (-1, ("point",), "−1_point"),
        (2, ("action",), "2_actions"),
        (-2, ("point",), "−2_points"),
        (1200, ("action",), "1~200_actions"),
        (3, ("journal", "journaux"), "3_journaux"),
        (1, ("journal", "journaux"), "1_journal"),
    ],
)
def test_le_pluriel_commence_a_deux(n, mots, attendu):
    assert accorder(n, *mots) == ecrit(attendu)


# --- Lecture ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texte", "attendu"),
    [
        ("1 234,50", "1234.5"),
        (ecrit("1~234~567,5"), "1234567.5"),
        (ecrit("1_234"), "1234"),
        ("1234.5", "1234.5"),
        ("-12", "-12"),
        ("−12", "-12"),
        ("  12  ", "12"),
        ("0,000001", "0.000001"),
        ("123456789012,123456", "123456789012.123456"),
        ("1,234", "1.234"),
    ],
)
def test_un_nombre_tape_se_lit(texte, attendu):
    assert lire_nombre(texte) == Decimal(attendu)


@pytest.mark.parametrize(
    "texte",
    [
        "1,234.50",
        "1.234,50",
        "1.234.567",
        "1e5",
        "NaN",
        "inf",
        "12 %",
        "12 34",
        "1 2345",
        "1234 567",
        "0 123",
        "1  234",
        "1'234",
        "- 12",
        "--1",
        "+12",
        ",5",
        "5,",
        "1 234,5 0",
        "1_000",
        "٣",
        "0x10",
        "douze",
        "12\n34",
        "1" * 19,
        "1" * 5000,
        "1234567890123,123456",
        "0,1234567",
    ],
)
def test_un_nombre_ambigu_ou_trop_long_se_refuse_avec_un_exemple(texte):
    with pytest.raises(FormatInvalide) as erreur:
        lire_nombre(texte)
    assert f"«{INSECABLE}{texte[:59]}" in str(erreur.value)
    assert ecrit("1~234,50") in str(erreur.value)
    assert len(str(erreur.value)) < 250


@pytest.mark.parametrize("lire", [lire_nombre, lire_pourcentage, lire_date, Echeance.lire])
@pytest.mark.parametrize("texte", ["", "   ", INSECABLE])
def test_un_texte_vide_se_refuse_en_disant_ce_qui_manque(lire, texte):
    with pytest.raises(FormatInvalide, match="Il manque"):
        lire(texte)


@pytest.mark.parametrize(
    ("texte", "attendu"),
    [("12 %", "12"), ("12", "12"), ("12,5 %", "12.5"), ("12,5%", "12.5"), (ecrit("130_%"), "130")],
)
def test_un_pourcentage_tape_se_lit_en_points(texte, attendu):
    assert lire_pourcentage(texte) == Decimal(attendu)


@pytest.mark.parametrize("texte", ["%", "12 % %", "% 12", "12 pour cent", "12 €", "1,2,3 %"])
def test_un_pourcentage_illisible_se_refuse(texte):
    with pytest.raises(FormatInvalide, match="n'est pas un pourcentage"):
        lire_pourcentage(texte)


@pytest.mark.parametrize("texte", ["31/12/2026", "2026-12-31", " 31/12/2026 "])
def test_une_date_tapee_se_lit(texte):
    assert lire_date(texte) == datetime.date(2026, 12, 31)


def test_une_date_sans_zeros_se_lit():
    assert lire_date("1/2/2026") == datetime.date(2026, 2, 1)


REFUS_DE_DATES = [
    ("31/02/2026", "février 2026 n'a que 28 jours"),
    ("30/02/2028", "février 2028 n'a que 29 jours"),
    ("2026-04-31", "avril 2026 n'a que 30 jours"),
    ("01/13/2026", "il n'y a pas de mois 13"),
    ("2026-00-10", "il n'y a pas de mois 0"),
    ("00/01/2026", "le premier jour du mois est le 1"),
    ("31/12/26", "l'année s'écrit avec quatre chiffres"),
    ("31/12/20260", "l'année s'écrit avec quatre chiffres"),
    ("31/12/1899", "l'année va de 1900 à 2200"),
    ("01/01/2201", "l'année va de 1900 à 2200"),
    ("01/01/0000", "l'année va de 1900 à 2200"),
]


@pytest.mark.parametrize(("texte", "raison"), REFUS_DE_DATES)
def test_une_date_impossible_se_refuse_avec_sa_raison(texte, raison):
    for lire in (lire_date, Echeance.lire):
        with pytest.raises(FormatInvalide, match=raison) as erreur:
            lire(texte)
        assert texte in str(erreur.value)
        assert "31/12/2026" in str(erreur.value)


@pytest.mark.parametrize("texte", ["demain", "31-12-2026", "31.12.2026", "20261231", "2026-1-1", "12/2026"])
def test_une_date_d_une_autre_forme_se_refuse(texte):
    with pytest.raises(FormatInvalide, match="n'est pas une date"):
        lire_date(texte)


# --- Typographie et recherche -----------------------------------------------------------------------


def _sans_insecables(texte):
    return texte.replace(INSECABLE, " ").replace(FINE, " ")


@rapide
@given(st.text(alphabet=st.sampled_from("ab1 %;:!?«»." + INSECABLE + FINE + "\n&<")))
@example("« » « ? » :")
def test_la_typographie_ne_touche_que_des_espaces_et_une_seule_fois(texte):
    rendu = typographie(texte)
    assert _sans_insecables(rendu) == _sans_insecables(texte)
    assert typographie(rendu) == rendu


@pytest.mark.parametrize(
    ("texte", "attendu"),
    [
        ("53 % des marchés : oui", "53_% des marchés_: oui"),
        ("Vrai ? Oui ! Fin ; bien", "Vrai~? Oui~! Fin~; bien"),
        ("le plan « achats » ici", "le plan «_achats_» ici"),
        ("1 200 € (HT) économiquement", "1 200 € (HT) économiquement"),
        ("deux  : espaces", "deux _: espaces"),
        ("déjà collé: oui", "déjà collé: oui"),
        ("saut\n: ligne", "saut\n: ligne"),
    ],
)
def test_la_typographie_rend_insecables_les_espaces_de_la_ponctuation_haute(texte, attendu):
    assert typographie(texte) == ecrit(attendu)


@pytest.mark.parametrize(
    ("texte", "attendu"),
    [
        ("Élaboration", "elaboration"),
        ("Œuvre  d’État", "oeuvre d'etat"),
        ("LÆTITIA", "laetitia"),
        (ecrit(" a_b~c\td "), "a b c d"),
        ("RES'OCC", "res'occ"),
        ("Garçon nai\u0308f", "garcon naif"),
    ],
)
def test_la_recherche_ignore_accents_majuscules_et_ligatures(texte, attendu):
    assert plier(texte) == attendu


@rapide
@given(st.text())
def test_plier_deux_fois_ne_change_plus_rien(texte):
    assert plier(plier(texte)) == plier(texte)


# --- Échéances --------------------------------------------------------------------------------------

FIN_T2 = Echeance(datetime.date(2026, 6, 30), Precision.TRIMESTRE)
FIN_2026 = Echeance(datetime.date(2026, 12, 31), Precision.ANNEE)
JOUR_2026 = Echeance(datetime.date(2026, 12, 31), Precision.JOUR)


@pytest.mark.parametrize(
    ("texte", "attendue"),
    [
        ("T2 2026", FIN_T2),
        ("t2 2026", FIN_T2),
        ("  T2  2026 ", FIN_T2),
        (ecrit("T2_2026"), FIN_T2),
        ("2e trimestre 2026", FIN_T2),
        ("2ème Trimestre 2026", FIN_T2),
        ("2026-T2", FIN_T2),
        ("2026 T2", FIN_T2),
        ("1er trimestre 2026", Echeance(datetime.date(2026, 3, 31), Precision.TRIMESTRE)),
        ("2026", FIN_2026),
        ("31/12/2026", JOUR_2026),
        ("2026-12-31", JOUR_2026),
    ],
)
def test_une_echeance_se_lit_de_trois_facons(texte, attendue):
    assert Echeance.lire(texte) == attendue


@pytest.mark.parametrize(
    "texte",
    ["T5 2026", "T0 2026", "2026-T5", "T22026", "T2 26", "T2", "26", "20266", "1899", "T1 2201", "été 2026"],
)
def test_une_echeance_illisible_se_refuse_en_rappelant_les_trois_facons(texte):
    with pytest.raises(FormatInvalide) as erreur:
        Echeance.lire(texte)
    for morceau in (texte, "31/12/2026", "T2 2026", "(2026)"):
        assert morceau in str(erreur.value)


@pytest.mark.parametrize(
    ("fin", "precision"),
    [
        (datetime.date(2026, 6, 29), Precision.TRIMESTRE),
        (datetime.date(2026, 5, 31), Precision.TRIMESTRE),
        (datetime.date(2026, 6, 30), Precision.ANNEE),
        (datetime.date(2026, 12, 30), "ANNEE"),
        (datetime.date(2026, 12, 31), "SEMAINE"),
    ],
)
def test_une_fin_qui_ne_finit_pas_sa_periode_est_refusee(fin, precision):
    with pytest.raises(ValueError, match=r"dernier jour de la période|SEMAINE"):
        Echeance(fin, precision)


@pytest.mark.parametrize("fin", ["2026-12-31", None, datetime.datetime(2026, 12, 31, tzinfo=datetime.UTC)])
def test_la_fin_est_une_date_sans_heure(fin):
    with pytest.raises(TypeError, match="sans heure"):
        Echeance(fin, Precision.JOUR)


def test_la_precision_rendue_par_la_base_redevient_un_membre_de_la_liste():
    assert Echeance(datetime.date(2026, 6, 30), "TRIMESTRE").precision is Precision.TRIMESTRE


def test_le_meme_dernier_jour_fait_trois_echeances_differentes():
    dernier = datetime.date(2026, 12, 31)
    assert {str(Echeance(dernier, precision)) for precision in Precision} == {"31/12/2026", "T4 2026", "2026"}
    assert len({Echeance(dernier, precision) for precision in Precision}) == 3


@rapide
@given(ECHEANCES)
def test_une_echeance_est_depassee_le_lendemain_de_sa_fin_et_pas_avant(echeance):
    assert not echeance.est_depassee(echeance.fin)
    assert echeance.est_depassee(echeance.fin + datetime.timedelta(days=1))


def test_une_annee_en_cours_n_est_pas_en_retard():
    assert not FIN_2026.est_depassee(datetime.date(2026, 7, 1))
    assert FIN_2026.est_depassee(datetime.date(2027, 1, 1))


# --- Champs de formulaire ---------------------------------------------------------------------------


class Formulaire(forms.Form):
    nombre = ChampNombre(required=False)
    jour = ChampDate(required=False)
    echeance = ChampEcheance(required=False)


@pytest.fixture(autouse=True)
def _en_francais():
    with translation.override("fr"):
        yield


def test_les_champs_lisent_les_formats_francais():
    formulaire = Formulaire({"nombre": " 1 234,50 ", "jour": "31/12/2026", "echeance": "t2 2026"})
    assert formulaire.is_valid(), formulaire.errors
    assert formulaire.cleaned_data == {
        "nombre": Decimal("1234.5"),
        "jour": datetime.date(2026, 12, 31),
        "echeance": FIN_T2,
    }


@pytest.mark.parametrize("vide", ["", "   "])
def test_les_champs_vides_rendent_none(vide):
    formulaire = Formulaire({"nombre": vide, "jour": vide, "echeance": vide})
    assert formulaire.is_valid(), formulaire.errors
    assert set(formulaire.cleaned_data.values()) == {None}


@pytest.mark.parametrize("classe", [ChampNombre, ChampDate, ChampEcheance])
def test_un_champ_obligatoire_vide_le_dit(classe):
    with pytest.raises(forms.ValidationError, match="obligatoire"):
        classe().clean("")


@pytest.mark.parametrize(
    ("champ", "texte", "message"),
    [
        ("nombre", "12 %", "n'est pas un nombre"),
        ("nombre", "1234567890123", "12 chiffres avant la virgule"),
        ("nombre", "0,1234567", "6 décimales au plus"),
        ("jour", "31/02/2026", "février 2026 n'a que 28 jours"),
        ("jour", "<b>demain</b>", "n'est pas une date"),
        ("echeance", "bientôt %s", "un trimestre (T2 2026)"),
    ],
)
def test_une_saisie_illisible_se_dit_a_cote_du_champ_et_reste_telle_que_tapee(champ, texte, message):
    formulaire = Formulaire({champ: texte})
    assert not formulaire.is_valid()
    assert message in formulaire.errors[champ][0]
    assert formulaire[champ].value() == texte
    echappe = texte.replace("<", "&lt;").replace(">", "&gt;")
    rendu = str(formulaire[champ])
    assert f'value="{echappe}"' in rendu
    assert 'type="text"' in rendu


def test_le_nombre_respecte_ses_bornes():
    champ = ChampNombre(min_value=0, max_value=100, decimal_places=1)
    assert champ.clean("100") == 100
    for texte, message in [
        ("-1", "supérieure ou égale à 0"),
        ("100,1", "égale à 100"),
        ("1,25", "1 chiffre"),
    ]:
        with pytest.raises(forms.ValidationError, match=message):
            champ.clean(texte)


def test_la_date_se_presente_en_iso_au_champ_du_navigateur():
    for formulaire in (
        Formulaire(initial={"jour": datetime.date(2026, 12, 31)}),
        Formulaire({"jour": "31/12/2026"}),
        Formulaire({"jour": "2026-12-31"}),
    ):
        rendu = str(formulaire["jour"])
        assert 'type="date"' in rendu
        assert 'value="2026-12-31"' in rendu
    assert "value" not in str(Formulaire()["jour"])


def test_les_valeurs_de_depart_s_ecrivent_comme_on_les_tape():
    formulaire = Formulaire(initial={"nombre": Decimal("-1234.500000"), "echeance": FIN_T2})
    assert 'value="-1234,5"' in str(formulaire["nombre"])
    assert 'inputmode="decimal"' in str(formulaire["nombre"])
    assert 'value="T2 2026"' in str(formulaire["echeance"])
    assert formulaire["echeance"].help_text == "Une date, un trimestre (T2 2026) ou une année (2026)"


@pytest.mark.parametrize(
    ("champ", "initial", "donnee", "change"),
    [
        ("nombre", Decimal("1234.500000"), "1 234,50", False),
        ("nombre", Decimal("1234.5"), "1234,51", True),
        ("nombre", 0, "", True),
        ("nombre", None, "", False),
        ("nombre", None, "0", True),
        ("nombre", Decimal(1), "un", True),
        ("jour", datetime.date(2026, 12, 31), "31/12/2026", False),
        ("jour", datetime.date(2026, 12, 31), "2026-12-30", True),
        ("echeance", FIN_T2, "T2 2026", False),
        ("echeance", FIN_T2, "2e trimestre 2026", False),
        ("echeance", "T2 2026", "2026-T2", False),
        ("echeance", FIN_T2, "30/06/2026", True),
        ("echeance", FIN_T2, "", True),
        ("echeance", None, " ", False),
        ("echeance", None, "2026", True),
    ],
)
def test_un_champ_a_change_quand_sa_valeur_change_et_non_son_ecriture(champ, initial, donnee, change):
    formulaire = Formulaire({champ: donnee}, initial={champ: initial})
    assert (champ in formulaire.changed_data) is change


def test_un_champ_desactive_garde_sa_valeur_de_depart():
    initial = {"nombre": 12.5, "jour": datetime.date(2026, 1, 1), "echeance": FIN_T2}
    formulaire = Formulaire({"nombre": "13", "jour": "x", "echeance": "2027"}, initial=initial)
    for champ in formulaire.fields.values():
        champ.disabled = True
    assert formulaire.is_valid(), formulaire.errors
    assert formulaire.cleaned_data == initial | {"nombre": Decimal("12.5")}
    assert formulaire.changed_data == []


# --- Gabarits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gabarit", "valeur", "attendu"),
    [
        ("{{ v|nombre }}", Decimal("1234.50"), "1~234,5"),
        ("{{ v|nombre:2 }}", 1234, "1~234,00"),
        ("{{ v|pourcentage }}", 25, "25_%"),
        ("{{ v|pourcentage:1 }}", Decimal("25.301"), "25,3_%"),
        ("{{ v|montant }}", Decimal("1234.5"), "1~234,50_€"),
        ("{{ v|montant:0 }}", Decimal("1234.5"), "1~235_€"),
        ("{{ v|date_fr }}", datetime.date(2026, 12, 31), "31/12/2026"),
        ("{{ v|date_longue }}", datetime.date(2026, 12, 1), "1er_décembre 2026"),
        ("{{ v|moment }}", datetime.datetime(2026, 7, 1, 12, 5, tzinfo=datetime.UTC), "01/07/2026 à 14:05"),
        ("{{ v|typographie }}", "53 % <b>", "53_% &lt;b&gt;"),
        ('{% accorder v "action" %}', 2, "2_actions"),
        ('{% accorder v "journal" "journaux" %}', 2, "2_journaux"),
        ('{{ v|accorder:"action,actions" }}', 1, "1_action"),
        ('{{ v|accorder:"action" }}', 0, "0_action"),
        ('{{ v|accorder:"journal,journaux" }}', 2, "2_journaux"),
    ],
)
def test_les_filtres_des_gabarits_ecrivent_comme_le_module(gabarit, valeur, attendu):
    with timezone.override("Europe/Paris"):
        assert Template("{% load formats %}" + gabarit).render(Context({"v": valeur})) == ecrit(attendu)


@pytest.mark.parametrize("contexte", [{"v": None}, {}])
@pytest.mark.parametrize(
    "filtre",
    [
        "v|nombre:1",
        "v|pourcentage",
        "v|montant",
        "v|date_fr",
        "v|date_longue",
        "v|moment",
        'v|accorder:"action"',
    ],
)
def test_une_valeur_absente_est_un_tiret_dans_les_gabarits(filtre, contexte):
    assert Template("{% load formats %}{{ " + filtre + " }}").render(Context(contexte)) == "—"


def test_un_texte_absent_est_un_tiret_et_un_texte_vide_reste_vide():
    gabarit = Template("{% load formats %}{{ v|typographie }}")
    assert gabarit.render(Context({"v": None})) == "—"
    assert gabarit.render(Context({"v": ""})) == ""
