"""Du fichier au chiffre : `importer_decp` puis `calculer_indicateurs` donnent ce que donne le recalcul lent."""

import io
import json
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.utils import timezone

from marches.models import Contrat, Territoire
from tests import decp_synthetique, recalcul_lent

pytestmark = pytest.mark.django_db
COMMUNES = ["34154", "34344", "34192", "34127", "34050"]
ANNEES = range(2022, 2027)


@pytest.fixture
def territoires():
    Territoire.objects.create(code="agglomeration-d-essai", nom="Agglomération d'essai", communes=COMMUNES)
    Territoire.objects.create(code="herault-d-essai", nom="Hérault d'essai", departements=["34"])
    return {
        "agglomeration-d-essai": (frozenset(COMMUNES), frozenset()),
        "herault-d-essai": (frozenset(), frozenset({"34"})),
    }


def importer(*chemins):
    sortie = io.StringIO()
    call_command("importer_decp", *map(str, chemins), "--tous", "--json", stdout=sortie)
    return [json.loads(ligne) for ligne in sortie.getvalue().splitlines()]


def calculer(annee, siren, territoire):
    sortie = io.StringIO()
    options = [f"--annee={annee}", f"--siren={siren}", f"--territoire={territoire}", "--json"]
    call_command("calculer_indicateurs", *options, stdout=sortie)
    return {c["code"]: c for c in json.loads(sortie.getvalue(), parse_float=Decimal)["calculs"]}


def sans_les_motifs_de_montant(calcul):
    """Le recalcul lent ne nomme pas les drapeaux : il compte les montants qui ne se croient pas."""
    exclus = {motif: n for motif, n in calcul["exclus"].items() if not motif.startswith("montant_")}
    suspects = sum(n for motif, n in calcul["exclus"].items() if motif.startswith("montant_"))
    garde = {cle: valeur for cle, valeur in calcul.items() if cle != "code"}
    return {**garde, "exclus": {**exclus, "montant": suspects} if suspects else exclus}


def comparer(jeu, contrats, lieux, territoires):
    for siren in jeu.sirens:
        for annee in ANNEES:
            for code, ensemble in territoires.items():
                lent = recalcul_lent.recalculer(contrats, lieux, siren, annee, ensemble)
                rapide = calculer(annee, siren, code)
                assert {c: sans_les_motifs_de_montant(rapide[c]) for c in lent} == lent, (siren, annee, code)


@pytest.mark.parametrize("graine", [11, 12])
def test_json_v2_puis_rectificatif_puis_tabulaire(tmp_path, territoires, graine):
    """Le tabulaire n'apporte que les lieux : les contrats sont ceux des fichiers réglementaires."""
    jeu = decp_synthetique.jeu(graine, consultations=30)
    tabulaire = decp_synthetique.en_tabulaire(jeu.fichier, jeu.lieux)
    (tmp_path / "decp.csv").write_text(tabulaire, encoding="utf-8")
    importer(
        decp_synthetique.ecrire_en_json(jeu.fichier, tmp_path / "1.json"),
        decp_synthetique.ecrire_en_json(jeu.rectificatif, tmp_path / "2.json"),
        tmp_path / "decp.csv",
    )
    contrats = recalcul_lent.contrats([json.dumps(f) for f in jeu.fichiers], timezone.localdate())
    assert Contrat.objects.en_vigueur().count() == len(contrats)
    comparer(jeu, contrats, recalcul_lent.lieux_du_tabulaire(tabulaire), territoires)


def test_le_xml_donne_les_memes_chiffres_que_le_json(tmp_path, territoires):
    """Sans tabulaire, aucun lieu n'est connu : un titulaire étranger est ailleurs, les autres inconnus."""
    jeu = decp_synthetique.jeu(13, consultations=25)
    (tmp_path / "decp.xml").write_text(decp_synthetique.en_xml(jeu.fichier), encoding="utf-8")
    importer(tmp_path / "decp.xml")
    contrats = recalcul_lent.contrats([json.dumps(jeu.fichier)], timezone.localdate())
    comparer(jeu, contrats, {}, territoires)


def test_le_compte_rendu_dit_chaque_enregistrement(tmp_path):
    jeu = decp_synthetique.jeu(14, consultations=25)
    chemin = decp_synthetique.ecrire_en_json(jeu.fichier, tmp_path / "1.json")
    premier, second = importer(chemin, chemin)
    nombre = sum(len(liste) for liste in jeu.fichier["marches"].values())
    assert premier["lus"] == nombre == premier["retenus"] + premier["doublons"] + premier["refuses"]
    assert premier["refuses"] == 0
    assert (second["retenus"], second["mis_a_jour"], second["doublons"]) == (0, 0, nombre)
