"""Les valeurs annuelles : le calcul d'une part, ce qui se refuse, ce qui ne bouge pas sans motif."""

import datetime
from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest
from django.core.exceptions import ValidationError
from django.db.models import ProtectedError
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from indicateurs.listes import Etat, Nature
from indicateurs.models import Cible, Indicateur, ValeurAnnuelle
from indicateurs.valeurs import MotifRequis
from socle.formats import formater_nombre
from socle.modeles import ConflitDeVersion
from tests import fabriques

D = Decimal

# --- Le calcul ------------------------------------------------------------------------------------

# SQLite calcule en flottants et Django en garde quinze chiffres ; PostgreSQL en donne davantage.
ECART_RELATIF = Fraction(1, 10**13)

# Douze chiffres et six décimales : plus que tout marché public, et jusqu'au bout de ce que la colonne contient.
nombres = st.decimals(0, 999_999_999_999, places=6, allow_nan=False, allow_infinity=False)
entiers = st.integers(0, 10**6).map(D)
positifs = (nombres | entiers).filter(bool)


def retenue(valeur: ValeurAnnuelle) -> ValeurAnnuelle:
    return ValeurAnnuelle.objects.avec_valeur().select_related("indicateur").get(pk=valeur.pk)


def proche(lu: Decimal, exact: Fraction) -> bool:
    return abs(Fraction(lu) - exact) <= ECART_RELATIF * exact


class CalculDesParts(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.compte = fabriques.indicateur(nature=Nature.MONTANT)
        cls.part = fabriques.indicateur(nature=Nature.PART, unite="%", denominateur=cls.compte)

    def _part(self, **champs) -> ValeurAnnuelle:
        # Écrite sans les règles du modèle : seul le calcul en SQL est éprouvé ici.
        return ValeurAnnuelle.objects.bulk_create([ValeurAnnuelle(indicateur=self.part, annee=2023, **champs)])[0]

    @given(st.tuples(positifs, positifs).map(sorted))
    @example([D(42), D(166)])
    @example([D(1), D(3)])
    def test_une_part_a_denominateur_propre_est_la_fraction_exacte(self, bornes):
        numerateur, denominateur = bornes
        lue = retenue(self._part(numerateur=numerateur, denominateur=denominateur))
        assert proche(lue.valeur_retenue, 100 * Fraction(numerateur) / Fraction(denominateur))

    @given(numerateur=nombres | entiers, denominateur=positifs)
    @example(numerateur=D(42), denominateur=D(166))
    def test_une_part_a_denominateur_partage_est_la_fraction_exacte(self, numerateur, denominateur):
        ValeurAnnuelle.objects.bulk_create([ValeurAnnuelle(indicateur=self.compte, annee=2023, valeur=denominateur)])
        lue = retenue(self._part(numerateur=numerateur))
        assert proche(lue.valeur_retenue, 100 * Fraction(numerateur) / Fraction(denominateur))

    @given(bornes=st.tuples(st.integers(0, 4000), st.integers(1, 4000)).map(sorted), decimales=st.sampled_from([0, 1]))
    @example(bornes=[1, 8], decimales=0)  # 12,5
    @example(bornes=[401, 2000], decimales=1)  # 20,05
    @example(bornes=[3, 2000], decimales=1)  # 0,15
    def test_le_chiffre_cle_arrondit_la_moitie_vers_le_haut(self, bornes, decimales):
        numerateur, denominateur = bornes
        if not denominateur:
            return
        lue = retenue(self._part(numerateur=D(numerateur), denominateur=D(denominateur)))
        lue.indicateur.decimales = decimales
        echelle = 10**decimales
        attendu = D(floor(Fraction(100 * numerateur * echelle, denominateur) + Fraction(1, 2))) / echelle
        assert lue.chiffre_cle == formater_nombre(attendu)


@pytest.fixture
def consultations(db):
    return fabriques.indicateur(code="consultations", intitule="Consultations", unite="consultations")


@pytest.fixture
def taux(consultations):
    return fabriques.indicateur(
        code="taux", intitule="Taux", nature=Nature.PART, unite="%", denominateur=consultations
    )


@pytest.fixture
def part(db):
    """Une part sans indicateur dénominateur."""
    return fabriques.indicateur(code="part", intitule="Part", nature=Nature.PART, unite="%")


def test_deux_nombres_ronds_ne_se_divisent_pas_en_entiers(part):
    lue = retenue(fabriques.valeur(part, 2023, numerateur=D(42), denominateur=D(166)))
    assert D("25.30") < lue.valeur_retenue < D("25.31")


def test_le_denominateur_propre_l_emporte_sur_le_partage(taux, consultations):
    fabriques.valeur(consultations, 2023, valeur=D(100))
    lue = retenue(fabriques.valeur(taux, 2023, numerateur=D(10), denominateur=D(20)))
    assert (lue.denominateur_retenu, lue.valeur_retenue) == (20, 50)


def test_le_denominateur_est_celui_de_la_meme_annee(taux, consultations):
    fabriques.valeur(consultations, 2022, valeur=D(10))
    assert retenue(fabriques.valeur(taux, 2023, numerateur=D(5))).valeur_retenue is None


def test_un_denominateur_nul_ou_indisponible_ne_donne_pas_de_part(taux, consultations):
    fabriques.valeur(consultations, 2022, valeur=D(0))
    fabriques.valeur(consultations, 2023, indisponible=True, motif_indisponibilite="Perdu")
    for annee in (2022, 2023):
        assert retenue(fabriques.valeur(taux, annee, numerateur=D(0))).valeur_retenue is None


def test_renseignees_ne_garde_que_ce_qui_porte_un_chiffre(taux, consultations):
    fabriques.valeur(consultations, 2022, valeur=D(0))
    fabriques.valeur(consultations, 2023, indisponible=True, motif_indisponibilite="Perdu")
    fabriques.valeur(taux, 2023, numerateur=D(0))
    assert [v.annee for v in ValeurAnnuelle.objects.avec_valeur().renseignees()] == [2022]


def test_avec_valeur_lit_toutes_les_parts_en_une_requete(taux, consultations, django_assert_num_queries):
    for annee in range(2018, 2024):
        fabriques.valeur(consultations, annee, valeur=D(100))
        fabriques.valeur(taux, annee, numerateur=D(annee - 2000))
    with django_assert_num_queries(1):
        lues = list(ValeurAnnuelle.objects.avec_valeur().filter(indicateur=taux).order_by("annee"))
    assert [lue.valeur_retenue for lue in lues] == [18, 19, 20, 21, 22, 23]


# --- Ce qui s'affiche -----------------------------------------------------------------------------


def affichage(valeur):
    lue = retenue(valeur)
    return lue.chiffre_cle, lue.detail.replace("\u00a0", " ").replace("\u202f", " ")


def test_une_part_deduite_montre_son_calcul_et_s_arrondit_en_grand(part):
    valeur = fabriques.valeur(part, 2023, numerateur=D(42), denominateur=D(166))
    assert affichage(valeur) == ("25", "42 / 166 = 25,3 %")


def test_un_taux_saisi_est_montre_tel_quel(part):
    assert affichage(fabriques.valeur(part, 2022, valeur=D(25))) == ("25", "25 %")
    assert affichage(fabriques.valeur(part, 2023, valeur=D("25.46"))) == ("25,46", "25,46 %")


def test_un_compte_porte_son_unite_dans_le_detail(consultations):
    assert affichage(fabriques.valeur(consultations, 2023, valeur=D(1166)))[1] == "1 166 consultations"


def test_une_valeur_indisponible_dit_son_motif(part):
    valeur = fabriques.valeur(part, 2023, indisponible=True, motif_indisponibilite="Logiciel en panne")
    assert affichage(valeur) == ("—", "Indisponible : Logiciel en panne")


def test_une_part_sans_denominateur_connu_ne_montre_pas_zero(taux):
    assert affichage(fabriques.valeur(taux, 2023, numerateur=D(42))) == ("—", "42 / — = —")


# --- Ce qui se refuse, à côté de quel champ -------------------------------------------------------


def refus(de, annee=2023, **champs):
    """Les messages par champ, pour une valeur qu'on ne peut pas enregistrer."""
    with pytest.raises(ValidationError) as erreur:
        fabriques.valeur(de, annee, **champs)
    return erreur.value.message_dict


@pytest.mark.parametrize(
    ("champs", "champ", "message"),
    [
        ({"valeur": D(130)}, "valeur", "de 0 à 100"),
        ({"valeur": D("100.000001")}, "valeur", "de 0 à 100"),
        ({"valeur": D(-1)}, "valeur", "négative"),
        ({"numerateur": D(3), "denominateur": D(2)}, "numerateur", "dépasse le dénominateur"),
        ({"valeur": D(3), "numerateur": D(2)}, "valeur", "pas les deux"),
        ({}, "valeur", "une valeur ou un numérateur"),
        ({"valeur": D(3), "denominateur": D(20)}, "denominateur", "qu'avec un numérateur"),
        ({"numerateur": D(0), "denominateur": D(0)}, "denominateur", "supérieur à zéro"),
        ({"numerateur": D(3)}, "denominateur", "Donnez le dénominateur"),
        ({"indisponible": True}, "motif_indisponibilite", "dit son motif"),
        ({"valeur": D(1), "motif_indisponibilite": "x"}, "motif_indisponibilite", "elle seule"),
    ],
    ids=lambda cas: ",".join(cas) or "vide" if isinstance(cas, dict) else "",
)
def test_une_part_impossible_est_refusee_a_cote_du_champ(part, champs, champ, message):
    messages = refus(part, **champs)
    assert message in " ".join(messages[champ])
    assert not ValeurAnnuelle.objects.exists()


def test_un_numerateur_au_dessus_du_denominateur_partage_est_refuse(taux, consultations):
    fabriques.valeur(consultations, 2023, valeur=D(166))
    messages = refus(taux, numerateur=D(167))
    assert "166" in messages["numerateur"][0]
    assert "Consultations" in messages["numerateur"][0]


def test_un_denominateur_partage_ne_passe_pas_sous_ses_numerateurs(taux, consultations):
    fabriques.valeur(taux, 2023, numerateur=D(42))
    assert "42" in refus(consultations, valeur=D(41))["valeur"][0]


def test_une_annee_en_double_est_refusee(part):
    fabriques.valeur(part, 2023, valeur=D(1))
    assert "déjà une valeur" in refus(part, valeur=D(2))["annee"][0]


def test_une_annee_a_venir_est_refusee(part):
    assert "à venir" in refus(part, timezone.localdate().year + 1, valeur=D(1))["annee"][0]


def test_une_valeur_n_est_pas_connue_dans_le_futur(part):
    demain = timezone.localdate() + datetime.timedelta(days=1)
    assert "futur" in refus(part, valeur=D(1), connue_le=demain)["connue_le"][0]


def test_un_compte_est_entier_et_sans_numerateur(consultations):
    assert "entier" in refus(consultations, valeur=D("1.5"))["valeur"][0]
    assert "que pour une part" in refus(consultations, numerateur=D(1), denominateur=D(2))["numerateur"][0]


def test_un_montant_a_des_centimes(db):
    montant = fabriques.indicateur(nature=Nature.MONTANT, unite="€")
    assert fabriques.valeur(montant, 2023, valeur=D("1.5")).pk


def test_un_objectif_de_part_ne_depasse_pas_cent(part):
    with pytest.raises(ValidationError) as erreur:
        Cible(indicateur=part, annee=2026, valeur=D(130)).full_clean()
    assert "valeur" in erreur.value.message_dict


# --- Dénominateurs --------------------------------------------------------------------------------


def refus_d_indicateur(indicateur):
    with pytest.raises(ValidationError) as erreur:
        indicateur.full_clean()
    return erreur.value.message_dict


def test_une_part_n_est_pas_un_denominateur(taux, part):
    part.denominateur = taux
    assert "boucle" in refus_d_indicateur(part)["denominateur"][0]


def test_un_indicateur_n_est_pas_son_propre_denominateur(part):
    part.denominateur = part
    assert "denominateur" in refus_d_indicateur(part)


def test_un_denominateur_ne_devient_pas_une_part(taux, consultations):
    consultations.nature = Nature.PART
    assert "dénominateur" in refus_d_indicateur(consultations)["nature"][0]


def test_deux_indicateurs_ne_se_servent_pas_de_denominateur_l_un_a_l_autre(taux, consultations):
    consultations.nature, consultations.denominateur = Nature.PART, taux
    assert {"nature", "denominateur"} & set(refus_d_indicateur(consultations))


def test_seule_une_part_a_un_denominateur(consultations):
    autre = Indicateur(code="autre", intitule="Autre", nature=Nature.COMPTE, denominateur=consultations)
    assert "Seule une part" in refus_d_indicateur(autre)["denominateur"][0]


def test_une_part_qui_a_des_numerateurs_reste_une_part(part):
    fabriques.valeur(part, 2023, numerateur=D(1), denominateur=D(2))
    part.nature = Nature.COMPTE
    assert "numérateur" in refus_d_indicateur(part)["nature"][0]


def test_un_denominateur_ne_se_supprime_pas(taux, consultations):
    with pytest.raises(ProtectedError):
        consultations.delete()


# --- Valeurs validées -----------------------------------------------------------------------------


@pytest.fixture
def validee(part):
    return fabriques.valeur(part, 2023, valeur=D(25), etat=Etat.VALIDEE)


@pytest.mark.parametrize(
    "champs",
    [
        {"valeur": D(26)},
        {"etat": Etat.PROVISOIRE},
        {"annee": 2022},
        {"valeur": None, "numerateur": D(1), "denominateur": D(4)},
        {"valeur": None, "indisponible": True, "motif_indisponibilite": "Perdue"},
    ],
    ids=lambda champs: "+".join(champs),
)
def test_une_valeur_validee_ne_change_pas_sans_motif(validee, champs):
    for champ, valeur in champs.items():
        setattr(validee, champ, valeur)
    with pytest.raises(MotifRequis) as erreur:
        validee.enregistrer(motif="  ")
    assert "« Part » (2023)" in erreur.value.message_dict["motif"][0]
    intacte = ValeurAnnuelle.objects.get()
    assert (intacte.valeur, intacte.etat, intacte.annee, intacte.version) == (25, Etat.VALIDEE, 2023, 1)
    validee.enregistrer(motif="Erreur de saisie")
    assert validee.history.first().history_change_reason == "Erreur de saisie"


def test_un_long_motif_est_garde_en_entier(validee):
    motif = "Le comptage initial oubliait les marchés subséquents, repris avec le service juridique. " * 3
    validee.valeur = D(26)
    validee.enregistrer(motif=motif)
    assert validee.history.first().history_change_reason == motif.strip()


def test_le_motif_d_un_enregistrement_ne_reste_pas_pour_le_suivant(validee):
    validee.valeur = D(26)
    validee.enregistrer(motif="Erreur de saisie")
    validee.remarque = "Vérifiée"
    validee.enregistrer()
    assert validee.history.first().history_change_reason is None


def test_la_remarque_d_une_valeur_validee_change_sans_motif(validee):
    validee.remarque, validee.rupture = "Hors régies", "Périmètre élargi"
    validee.enregistrer()
    assert ValeurAnnuelle.objects.get().remarque == "Hors régies"


def test_valider_et_changer_une_valeur_provisoire_est_libre(part):
    valeur = fabriques.valeur(part, 2023, valeur=D(25))
    valeur.valeur = D(26)
    valeur.enregistrer()
    valeur.etat = Etat.VALIDEE
    valeur.enregistrer()
    assert ValeurAnnuelle.objects.get().etat == Etat.VALIDEE


def changer_le_denominateur(consultations, **options):
    denominateur = ValeurAnnuelle.objects.get(indicateur=consultations)
    denominateur.valeur = D(200)
    denominateur.enregistrer(**options)
    return denominateur


def test_un_denominateur_qui_ferait_bouger_un_taux_valide_demande_un_motif(taux, consultations):
    fabriques.valeur(consultations, 2023, valeur=D(100))
    rate = fabriques.valeur(taux, 2023, numerateur=D(50), etat=Etat.VALIDEE)
    with pytest.raises(MotifRequis) as erreur:
        changer_le_denominateur(consultations)
    assert erreur.value.valeurs == [rate]
    assert "« Taux » (2023)" in erreur.value.message_dict["motif"][0]
    assert retenue(rate).valeur_retenue == 50
    denominateur = changer_le_denominateur(consultations, motif="Recomptage")
    assert retenue(rate).valeur_retenue == 25
    assert denominateur.history.first().history_change_reason == "Recomptage"


def test_donner_ou_deplacer_un_denominateur_fait_aussi_bouger_les_taux_valides(taux, consultations):
    fabriques.valeur(taux, 2023, numerateur=D(50), etat=Etat.VALIDEE)
    with pytest.raises(MotifRequis):
        fabriques.valeur(consultations, 2023, valeur=D(100))
    denominateur = fabriques.valeur(consultations, 2023, valeur=D(100), motif="Retrouvé")
    denominateur.annee = 2022
    with pytest.raises(MotifRequis):
        denominateur.enregistrer()


def test_les_taux_provisoires_bougent_librement(taux, consultations):
    fabriques.valeur(consultations, 2023, valeur=D(100))
    rate = fabriques.valeur(taux, 2023, numerateur=D(50))
    changer_le_denominateur(consultations)
    assert retenue(rate).valeur_retenue == 25


def test_un_taux_valide_a_denominateur_propre_ne_depend_pas_du_partage(taux, consultations):
    fabriques.valeur(consultations, 2023, valeur=D(100))
    fabriques.valeur(taux, 2023, numerateur=D(50), denominateur=D(60), etat=Etat.VALIDEE)
    changer_le_denominateur(consultations)
    assert ValeurAnnuelle.objects.get(indicateur=consultations).valeur == 200


# --- Versions -------------------------------------------------------------------------------------


def test_une_valeur_lue_avant_un_autre_enregistrement_est_en_conflit(part):
    premiere = fabriques.valeur(part, 2023, valeur=D(25))
    seconde = ValeurAnnuelle.objects.get()
    premiere.valeur = D(26)
    premiere.enregistrer()
    seconde.valeur = D(27)
    with pytest.raises(ConflitDeVersion) as erreur:
        seconde.enregistrer()
    assert erreur.value.actuelle.valeur == 26
    assert ValeurAnnuelle.objects.get().valeur == 26


def test_la_version_du_formulaire_l_emporte_sur_celle_de_l_objet(part):
    valeur = fabriques.valeur(part, 2023, valeur=D(25))
    with pytest.raises(ConflitDeVersion):
        valeur.enregistrer(version=valeur.version + 1)
    perimee = ValeurAnnuelle.objects.get()
    valeur.enregistrer()
    perimee.enregistrer(version=valeur.version)
    assert ValeurAnnuelle.objects.get().version == valeur.version + 1
