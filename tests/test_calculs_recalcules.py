"""Les calculs contre un recalcul lent et indépendant, sur des données synthétiques ; et ce que vaut ce synthétique."""

import datetime
import json
import random
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest

from marches.calculs.catalogue import calculer
from marches.calculs.lignes import (
    Donnees,
    LieuDeTitulaire,
    LigneDeConsultation,
    LigneDeContrat,
    LigneDeLot,
    LigneDeMandats,
    Perimetre,
)
from marches.listes import Suite
from marches.reponses import Reponse
from tests import decp_synthetique, recalcul_lent

SCHEMA = json.loads((Path(__file__).parent / "donnees" / "schema_decp_v2.0.4.json").read_text(encoding="utf-8"))
AUJOURD_HUI = datetime.date(2026, 7, 31)
GRAINES = [1, 2, 3]
ANNEES = range(2021, 2028)
AGGLOMERATION = (frozenset({"34154", "34344", "34192", "34127", "34050"}), frozenset())
HERAULT = (frozenset(), frozenset({"34"}))
MELE = (frozenset({"30189"}), frozenset({"974"}))
TERRITOIRES = {"agglomération": AGGLOMERATION, "Hérault": HERAULT, "communes et départements": MELE}
REPONSES = {"oui": Reponse.OUI, "non": Reponse.NON, "inconnu": Reponse.INCONNU}


# --- Ce que vaut le synthétique -------------------------------------------------------------------------------


@pytest.mark.parametrize("graine", GRAINES)
def test_les_fichiers_synthetiques_sont_valides_au_regard_du_schema(graine):
    for fichier in decp_synthetique.jeu(graine).fichiers:
        jsonschema.Draft7Validator(SCHEMA).validate(fichier)


def test_la_meme_graine_redonne_le_meme_fichier_et_une_autre_un_autre():
    assert decp_synthetique.jeu(1).fichier == decp_synthetique.jeu(1).fichier
    assert decp_synthetique.jeu(1).fichier != decp_synthetique.jeu(2).fichier


def test_les_sirets_inventes_ont_une_cle_valable():
    jeu = decp_synthetique.jeu(1)
    sirets = [f.identifiant for f in jeu.fournisseurs if f.type == "SIRET"]
    assert sirets
    for numero in [*sirets, *jeu.sirens]:
        assert decp_synthetique.cle_de_luhn(numero[:-1]) == numero[-1]


def test_un_jeu_porte_tout_ce_que_l_on_rencontre():
    jeu = decp_synthetique.jeu(1)
    marches = jeu.fichier["marches"]["marche"]
    textes = [json.dumps(marche, sort_keys=True) for marche in marches]
    assert len(set(textes)) < len(textes)
    assert {t["titulaire"]["typeIdentifiant"] for m in marches for t in m["titulaires"]} >= {"SIRET", "TVA", "HORS-UE"}
    assert any("idAccordCadre" in m and m["idAccordCadre"] != m["id"] for m in marches)
    assert any("modifications" in m for m in marches)
    assert any(recalcul_lent.montant_suspect(m["montant"]) for m in marches)
    assert any("lot" in m["objet"].lower() for m in marches)
    assert any(m["dateNotification"][5:10] == "12-31" for m in marches)
    assert any(recalcul_lent.jour(m["dateNotification"], AUJOURD_HUI) is None for m in marches)
    assert jeu.fichier["marches"]["contrat-concession"]
    assert jeu.rectificatif["marches"]["marche"]


def test_le_flux_ecrit_autant_de_marches_qu_on_en_demande_et_ils_sont_valides(tmp_path):
    chemin = decp_synthetique.ecrire_en_flux(tmp_path / "flux.json", 57, graine=4)
    contenu = json.loads(chemin.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(SCHEMA).validate(contenu)
    assert len(contenu["marches"]["marche"]) == 57


# --- Les contrats ---------------------------------------------------------------------------------------------


def en_lignes(contrats, lieux):
    """Les contrats du recalcul lent, tels que les calculs les lisent : seul le calcul est comparé ici, pas la
    lecture.
    """
    return tuple(
        LigneDeContrat(
            id=rang,
            siren=c["siren"],
            identifiant=c["id"],
            objet=c["objet"],
            procedure=c["procedure"],
            nature="",
            concession=c["concession"],
            date=c["date"],
            montant=Decimal(c["montant"].numerator) / Decimal(c["montant"].denominator),
            drapeau="suspect" if recalcul_lent.montant_suspect(c["montant"]) else "",
            environnement=REPONSES[c["environnement"]],
            social=REPONSES[c["social"]],
            subsequent=c["subsequent"],
            titulaires=tuple(
                LieuDeTitulaire(numero, sorte, *lieux.get(numero, ("", ""))) for numero, sorte in c["titulaires"]
            ),
        )
        for rang, c in enumerate(contrats, start=1)
    )


def en_dictionnaires(resultats):
    """Code → résultat, dans la forme du recalcul lent ; les motifs de montant n'y font qu'un."""
    return {resultat.code: sans_code(resultat) for resultat in resultats}


def sans_code(resultat):
    exclus = {motif: n for motif, n in resultat.exclus.items() if not motif.startswith("montant_")}
    suspects = sum(n for motif, n in resultat.exclus.items() if motif.startswith("montant_"))
    return {
        "valeur": resultat.valeur,
        "numerateur": resultat.numerateur,
        "denominateur": resultat.denominateur,
        "inconnus": resultat.inconnus,
        "exclus": {**exclus, "montant": suspects} if suspects else exclus,
        "couverture": resultat.couverture,
    }


@pytest.fixture(scope="module", params=GRAINES)
def tirage(request):
    jeu = decp_synthetique.jeu(request.param)
    textes = [json.dumps(fichier) for fichier in jeu.fichiers]
    lieux = recalcul_lent.lieux_du_tabulaire(decp_synthetique.en_tabulaire(jeu.fichier, jeu.lieux))
    return jeu, recalcul_lent.contrats(textes, AUJOURD_HUI), lieux


@pytest.mark.parametrize("nom", TERRITOIRES)
def test_chaque_calcul_des_contrats_est_celui_du_recalcul_lent(tirage, nom):
    jeu, contrats, lieux = tirage
    donnees = Donnees(contrats=en_lignes(contrats, lieux))
    communes, departements = TERRITOIRES[nom]
    territoire = SimpleNamespace(communes=communes, departements=departements)
    for siren in jeu.sirens:
        for annee in ANNEES:
            lent = recalcul_lent.recalculer(contrats, lieux, siren, annee, TERRITOIRES[nom])
            rapide = en_dictionnaires(calculer(donnees, Perimetre.annee(siren, annee, territoire)))
            assert {code: rapide[code] for code in lent} == lent, (siren, annee)


def test_les_annees_font_la_periode(tirage):
    """Les marchés de la période entière sont ceux de chaque année, mis bout à bout."""
    jeu, contrats, lieux = tirage
    lignes = en_lignes(contrats, lieux)
    for siren in jeu.sirens:
        periode = Perimetre(siren, datetime.date(2022, 1, 1), datetime.date(2026, 12, 31))
        toutes = calculer(Donnees(contrats=lignes), periode)
        par_annee = [calculer(Donnees(contrats=lignes), Perimetre.annee(siren, annee)) for annee in range(2022, 2027)]
        for rang, code in enumerate(["marches_notifies", "consultations_estimees", "part_environnementale_nombre"]):
            assert toutes[rang].code == code
            assert toutes[rang].numerateur == sum(resultats[rang].numerateur for resultats in par_annee)


# --- Le registre et les mandats -------------------------------------------------------------------------------

SUITES = {
    "notifiee": Suite.NOTIFIE,
    "sans_suite": Suite.SANS_SUITE,
    "abandonnee": Suite.ABANDONNE,
    "attribuee": Suite.ATTRIBUE,
    "": "",
}


def lots_au_hasard(tirage):
    for numero in range(150):
        for _ in range(tirage.choice([1, 1, 2, 3])):
            jour = datetime.date(2023, 1, 1) + datetime.timedelta(days=tirage.randrange(1200))
            yield {
                "consultation": numero,
                "suite": tirage.choices(list(SUITES), [12, 3, 2, 1, 1])[0],
                "date": None if tirage.random() < 0.05 else jour,
                "environnement": tirage.choices(["oui", "non", "inconnu"], [2, 4, 1], k=2),
                "social": tirage.choices(["oui", "non", "inconnu"], [1, 5, 1], k=2),
            }


def en_consultations(lots):
    return tuple(
        LigneDeConsultation(
            numero,
            str(numero),
            tuple(
                LigneDeLot(
                    SUITES[lot["suite"]],
                    lot["date"],
                    *(REPONSES[reponse] for reponse in (*lot["environnement"], *lot["social"])),
                )
                for lot in lots
                if lot["consultation"] == numero
            ),
        )
        for numero in sorted({lot["consultation"] for lot in lots})
    )


@pytest.mark.parametrize("graine", GRAINES)
def test_chaque_calcul_du_registre_est_celui_du_recalcul_lent(graine):
    lots = list(lots_au_hasard(random.Random(graine)))  # noqa: S311 - un tirage d'essai, pas un secret
    donnees = Donnees(consultations=en_consultations(lots))
    for annee in range(2022, 2028):
        lent = recalcul_lent.recalculer_le_registre(lots, annee)
        rapide = en_dictionnaires(calculer(donnees, Perimetre.annee("990000009", annee)))
        assert {code: rapide[code] for code in lent} == lent, annee


def mandats_au_hasard(tirage):
    for exercice, bases in ((2023, ["HT"]), (2024, ["TTC"]), (2025, ["HT", "TTC"])):
        for _ in range(60):
            yield {
                "exercice": exercice,
                "base": tirage.choice(bases),
                "montant": Decimal(tirage.randrange(1, 10**7)) / 100,
                "communes": tirage.choice([None, ["34154"], ["34154", "34344"], ["34154", "34172"], ["75056"]]),
                "departement": tirage.choice(["", "34", "75"]),
            }


@pytest.mark.parametrize("graine", GRAINES)
@pytest.mark.parametrize("nom", TERRITOIRES)
def test_la_part_des_achats_est_celle_du_recalcul_lent(graine, nom):
    lignes = list(mandats_au_hasard(random.Random(graine)))  # noqa: S311 - un tirage d'essai, pas un secret
    communes, departements = TERRITOIRES[nom]
    territoire = SimpleNamespace(communes=communes, departements=departements)
    donnees = Donnees(
        mandats=tuple(
            LigneDeMandats(
                id=rang,
                exercice=ligne["exercice"],
                budget="Principal",
                base=ligne["base"],
                montant=ligne["montant"],
                communes=frozenset(ligne["communes"]) if ligne["communes"] else None,
                departement=ligne["departement"],
            )
            for rang, ligne in enumerate(lignes)
        )
    )
    for annee in range(2022, 2027):
        lent = recalcul_lent.recalculer_les_mandats(lignes, annee, TERRITOIRES[nom])
        rapide = en_dictionnaires(calculer(donnees, Perimetre.annee("990000009", annee, territoire)))
        assert {code: rapide[code] for code in lent} == lent, annee
