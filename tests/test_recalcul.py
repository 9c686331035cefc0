"""Ce que les enregistrements disent d'un indicateur se montre à côté de sa valeur, jamais à sa place."""

import re
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from comptes.droits import Role
from indicateurs.comparaisons import ecrire_la_difference
from indicateurs.listes import Nature, Sens
from indicateurs.models import Indicateur, IndicateurDuPlan, ValeurAnnuelle
from indicateurs.recalcul import recalculs_de
from marches.models import ResultatDeCalcul
from tests import fabriques, fabriques_decp, fabriques_resultats
from tests.fabriques_resultats import resultat

pytestmark = pytest.mark.django_db

REGISTRE, DECP = "part_environnementale_consultations", "part_environnementale_nombre"


@pytest.fixture(autouse=True)
def collectivite(db):
    return fabriques_resultats.collectivite()


@pytest.fixture
def plan():
    return fabriques.plan()


@pytest.fixture
def part(plan) -> Indicateur:
    return fabriques.indicateur(plan, code="part", nature=Nature.PART, unite="%", calculs=[DECP, REGISTRE])


@pytest.fixture
def compte(plan) -> Indicateur:
    return fabriques.indicateur(
        plan, code="compte", nature=Nature.COMPTE, unite="consultations", calculs=["consultations_finalisees"]
    )


def lue(client, adresse: str, role: Role = Role.LECTEUR) -> str:
    client.force_login(fabriques.utilisateur(role))
    reponse = client.get(adresse)
    assert reponse.status_code == 200
    return " ".join(reponse.content.decode().replace("&#x27;", "'").split())


def sources_de(texte: str, annee: int) -> str:
    """Le volet d'une année, sans ses balises."""
    [volet] = re.findall(rf'<details class="sources-de-l-annee" id="sources-{annee}">(.*?)</details>', texte)
    return " ".join(re.sub(r"<[^>]+>", " ", volet).split())


# --- Lire les résultats -------------------------------------------------------------------------


def test_un_recalcul_dit_sa_valeur_ses_parts_et_ce_qui_n_est_pas_renseigne(part):
    resultat(DECP, oui=42, non=124, sans=34, exclus={"sans_date": 2, "doublon": 0})
    registre, decp = recalculs_de([part])[part.pk][2024]
    assert (decp.code, decp.parts, decp.part_renseignee, decp.inconnus) == (DECP, "42 / 166", "83,0\xa0%", 34)
    assert decp.valeur == Decimal(42) * 100 / 166
    assert [(ecartes.nombre, ecartes.en_clair) for ecartes in decp.exclus] == [(2, "sans date")]
    assert (registre.code, registre.resultat, registre.valeur) == (REGISTRE, None, None)


def test_le_dernier_resultat_du_perimetre_de_la_collectivite_fait_foi(part):
    resultat(DECP, oui=1, non=9, calcule_le=timezone.now() - timezone.timedelta(days=1))
    resultat(DECP, oui=2, non=8)
    resultat(DECP, oui=9, non=1, perimetre="999999999")
    [_, recalcul] = recalculs_de([part])[part.pk][2024]
    assert recalcul.valeur == 20


def test_plusieurs_siren_font_un_seul_perimetre(part):
    fabriques_resultats.collectivite("111111111")
    resultat(DECP, oui=1, non=1)
    resultat(DECP, oui=3, non=1, perimetre=f"111111111+{fabriques_decp.SIREN}")
    [_, recalcul] = recalculs_de([part])[part.pk][2024]
    assert recalcul.valeur == 75


def test_une_periode_n_est_pas_une_annee(part):
    resultat(DECP, oui=1, non=1, fin="2024-06-30")
    assert recalculs_de([part])[part.pk] == {}


def test_un_calcul_territorial_lit_le_territoire_de_l_indicateur(plan):
    ici, ailleurs = fabriques_decp.territoire("ici"), fabriques_decp.territoire("ailleurs")
    locale = fabriques.indicateur(
        plan, nature=Nature.PART, unite="%", calculs=["part_locale_nombre"], territoire=ici, sens=Sens.NEUTRE
    )
    resultat("part_locale_nombre", oui=1, non=3, territoire=ici)
    resultat("part_locale_nombre", oui=3, non=1, territoire=ailleurs)
    [recalcul] = recalculs_de([locale])[locale.pk][2024]
    assert recalcul.valeur == 25


def test_les_considerations_n_existent_pas_avant_2024(part):
    resultat(DECP, 2023, oui=1, non=1)
    [_, recalcul] = recalculs_de([part])[part.pk][2023]
    assert recalcul.valeur is None
    assert recalcul.inexistante == "Donnée inexistante avant 2024."


def test_un_denominateur_nul_ne_donne_pas_de_valeur(part):
    resultat(DECP, sans=3)
    [_, recalcul] = recalculs_de([part])[part.pk][2024]
    assert (recalcul.valeur, recalcul.valeur_ecrite) == (None, "—")


def test_les_listes_ne_sont_pas_lues_et_le_nombre_de_requetes_est_constant(plan):
    mesures = []
    for nombre in (3, 300):
        semer(plan, nombre)
        indicateurs = list(Indicateur.objects.all())
        with CaptureQueriesContext(connection) as requetes:
            lus = recalculs_de(indicateurs)
            assert all(
                recalcul.valeur_ecrite
                for par_annee in lus.values()
                for dits in par_annee.values()
                for recalcul in dits
            )
        mesures.append(len(requetes))
        assert not any('"listes"' in requete["sql"] for requete in requetes)
    assert mesures == [2, 2]


def test_sans_calcul_rien_n_est_demande_a_la_base():
    indicateur = fabriques.indicateur()
    with CaptureQueriesContext(connection) as requetes:
        assert recalculs_de([indicateur]) == {}
    assert len(requetes) == 0


# --- Quels calculs pour quel indicateur ---------------------------------------------------------


@pytest.mark.parametrize(
    ("champs", "champ", "phrase"),
    [
        ({"calculs": ["inconnu"]}, "calculs", "Aucun calcul n'a ce code : inconnu."),
        ({"calculs": "part_sociale_nombre"}, "calculs", "liste de codes"),
        ({"calculs": [DECP], "nature": Nature.COMPTE}, "calculs", "donne une part"),
        ({"calculs": ["marches_notifies"]}, "calculs", "donne un compte"),
        ({"calculs": ["marches_notifies"], "nature": Nature.MONTANT}, "calculs", "donne un compte"),
        ({"calculs": ["part_locale_achats"]}, "territoire", "choisissez-le"),
    ],
)
def test_un_calcul_qui_n_est_pas_le_sien_se_refuse(champs, champ, phrase):
    with pytest.raises(ValidationError) as refus:
        Indicateur(**{"code": "x", "intitule": "x", "nature": Nature.PART} | champs).full_clean()
    assert phrase in refus.value.message_dict[champ][0]


def test_une_part_locale_est_neutre():
    voulue = Indicateur(
        code="x",
        intitule="x",
        nature=Nature.PART,
        calculs=["part_locale_achats"],
        territoire=fabriques_decp.territoire(),
        sens=Sens.HAUSSE,
    )
    with pytest.raises(ValidationError) as refus:
        voulue.full_clean()
    assert "s'observe et ne se vise pas" in refus.value.message_dict["sens"][0]
    voulue.sens = Sens.NEUTRE
    voulue.full_clean()


def test_l_administration_propose_les_calculs_par_source(client, part):
    texte = lue(client, f"/admin/indicateurs/indicateur/{part.pk}/change/", Role.RESPONSABLE)
    assert texte.count('type="checkbox" name="calculs"') == 14
    assert re.search(rf'name="calculs" value="{DECP}"[^>]* checked', texte)
    assert "Registre des consultations" in texte


# --- La page d'un indicateur --------------------------------------------------------------------


def test_les_sources_s_ouvrent_sous_un_ecart(client, part):
    fabriques.valeur(part, 2024, valeur=30)
    resultat(DECP, oui=34, non=66)
    resultat(REGISTRE, oui=31, non=69)
    texte = lue(client, "/indicateurs/part/")
    volet = sources_de(texte, 2024)
    assert volet.startswith("écart 4 points")
    assert "Retenue 30 %" in volet
    assert "Recalculée Registre des consultations" in volet
    assert "Recalculée Données essentielles (DECP)" in volet
    assert "déclarée" not in texte.lower()
    assert "couverture" not in texte.lower()


def test_le_meme_chiffre_ne_porte_pas_d_ecart(client, part):
    fabriques.valeur(part, 2024, numerateur=1, denominateur=3)
    resultat(DECP, oui=1, non=2)
    texte = lue(client, "/indicateurs/part/")
    assert "ecart-des-sources" not in texte
    assert sources_de(texte, 2024).startswith("Même chiffre recalculé")


def test_l_ecart_d_un_compte_se_dit_dans_son_unite(client, compte):
    fabriques.valeur(compte, 2024, valeur=166)
    resultat("consultations_finalisees", oui=178)
    assert sources_de(lue(client, "/indicateurs/compte/"), 2024).startswith("écart 12 consultations")


def test_l_ecart_se_calcule_avant_d_arrondir(part, compte):
    assert ecrire_la_difference(part, Decimal("0.04")) == ""
    assert ecrire_la_difference(part, Decimal("-0.25")).replace("\xa0", " ") == "0,3 point"
    assert ecrire_la_difference(compte, Decimal(1)).replace("\xa0", " ") == "1 consultation"


def test_sans_valeur_le_calcul_se_montre_sans_devenir_la_valeur(client, part):
    resultat(DECP, oui=1, non=3)
    texte = lue(client, "/indicateurs/part/")
    assert "Aucune valeur retenue. Recalculée : 25,0 %" in texte
    assert "Aucune valeur n'est encore enregistrée" in texte
    assert not ValeurAnnuelle.objects.exists()


def test_sous_80_pour_cent_la_page_avertit(client, part):
    fabriques.valeur(part, 2024, valeur=30)
    resultat(DECP, oui=3, non=3, sans=4)
    volet = sources_de(lue(client, "/indicateurs/part/"), 2024)
    assert "Non renseignée à 80" in volet
    assert "» est de 60,0 %" in volet


def test_a_80_pour_cent_la_page_n_avertit_pas(client, part):
    fabriques.valeur(part, 2024, valeur=30)
    resultat(DECP, oui=4, non=4, sans=2)
    assert "Non renseignée à 80" not in lue(client, "/indicateurs/part/")


def test_une_annee_sans_resultat_le_dit(client, part):
    fabriques.valeur(part, 2023, valeur=25)
    volet = sources_de(lue(client, "/indicateurs/part/"), 2023)
    assert "Donnée inexistante avant 2024." in volet
    assert "Aucun calcul pour 2023" in volet


def test_chaque_nombre_mene_a_sa_liste(client, part):
    fabriques.valeur(part, 2024, valeur=30)
    decp = resultat(DECP, oui=3, non=2, sans=1, exclus={"sans_date": 4})
    texte = lue(client, "/indicateurs/part/")
    for liste, nombre in (("numerateur/", 3), ("denominateur/", 5), ("inconnus/", 1), ("exclus/?motif=sans_date", 4)):
        assert f'href="/marches/resultats/{decp.pk}/{liste}">{nombre}<' in texte


def test_une_part_locale_s_observe(client, plan):
    locale = fabriques.indicateur(
        plan,
        code="locale",
        nature=Nature.PART,
        unite="%",
        calculs=["part_locale_achats"],
        territoire=fabriques_decp.territoire(),
    )
    fabriques.valeur(locale, 2024, valeur=53)
    assert "Part observée, jamais visée" in lue(client, "/indicateurs/locale/")


def test_la_liste_et_la_carte_portent_le_meme_ecart(client, part, plan):
    fabriques.valeur(part, 2024, valeur=30)
    resultat(DECP, oui=34, non=66)
    for adresse in ("/", "/indicateurs/"):
        texte = lue(client, adresse)
        assert 'class="statut ecart-des-sources" href="/indicateurs/part/#sources-2024">écart 4' in texte


def test_la_carte_d_un_indicateur_sans_valeur_dit_recalculee(client, part, plan):
    resultat(DECP, oui=1, non=3)
    for adresse in ("/", "/indicateurs/"):
        assert "Recalculée 2024 : 25,0 %" in lue(client, adresse)


def test_une_situation_passee_ne_montre_pas_les_calculs_d_aujourd_hui(client, part, plan):
    fabriques.valeur(part, 2024, valeur=30, connue_le="2025-01-31")
    resultat(DECP, oui=34, non=66)
    assert "ecart-des-sources" not in lue(client, "/?au=2025-06-30")


# --- Autant de requêtes pour 3 et 300 indicateurs, sur vingt ans --------------------------------

ANNEES = range(2005, 2025)


def semer(plan, nombre: int) -> None:
    """`nombre` indicateurs de plus, qui se recalculent, avec une valeur et un résultat par an."""
    debut = Indicateur.objects.count()
    nouveaux = Indicateur.objects.bulk_create(
        Indicateur(
            code=f"s{debut + n}", intitule=f"Semé {debut + n}", nature=Nature.PART, unite="%", calculs=[REGISTRE]
        )
        for n in range(nombre)
    )
    IndicateurDuPlan.objects.bulk_create(
        IndicateurDuPlan(plan=plan, indicateur=nouveau, chiffre_cle=True) for nouveau in nouveaux
    )
    ValeurAnnuelle.objects.bulk_create(
        ValeurAnnuelle(indicateur=nouveau, annee=annee, valeur=30) for nouveau in nouveaux for annee in ANNEES
    )
    if not ResultatDeCalcul.objects.exists():
        for annee in ANNEES:
            resultat(REGISTRE, annee, oui=34, non=66)


@pytest.mark.parametrize("adresse", ["/indicateurs/", "/indicateurs/s0/", "/"])
def test_les_pages_font_autant_de_requetes_pour_3_et_300_indicateurs(client, plan, adresse):
    client.force_login(fabriques.utilisateur(Role.RESPONSABLE))
    mesures = []
    for nombre in (3, 300):
        semer(plan, nombre)
        client.get(adresse)
        with CaptureQueriesContext(connection) as requetes:
            texte = client.get(adresse).content.decode()
        assert "ecart-des-sources" in texte
        mesures.append(len(requetes))
    assert mesures[0] == mesures[1]
