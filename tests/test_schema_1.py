"""Un bilan arrêté au schéma 1, écrit une fois pour toutes : le site d'aujourd'hui doit savoir le lire, et à jamais.

Ces fichiers ne se refont pas. Un schéma 2 aura les siens, à côté.
"""

import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from actions.requetes import Decompte
from actions.statuts import Statut
from bilans.contenu.canonique import ecrire, empreinte, relire
from bilans.contenu.schema import BilanLu, Portee, SchemaInconnu, lire
from bilans.rendu.page import preparer
from indicateurs.listes import Etat, OrigineDeCible, OrigineDeValeur
from socle.echeances import Echeance

DONNEES = Path(__file__).parent / "donnees"
FICHIERS = {Portee.INTERNE: "bilan_schema_1.json", Portee.PUBLIQUE: "bilan_schema_1_public.json"}
EMPREINTES = {
    Portee.INTERNE: "cd2226aab838ebfba97545491a58b0444d7df1a14c59cf8643a8e2065e93ee75",
    Portee.PUBLIQUE: "f08812460919bc6928d4564b3455f1bac3b914d5266a378e2d2b30622bd720fa",
}
# Ce qu'un contenu public ne dit jamais, cherché dans ses octets.
INTERNES = (
    "Préparer un contentieux",
    "Le formateur est à relancer",
    "Commande publique",
    "Statistiques",
    "Marchés de la région",
    "Tenir un salon",
    "echeance",
    "priorite",
    "Une erreur à corriger",
)


def texte(portee: Portee) -> str:
    return (DONNEES / FICHIERS[portee]).read_bytes().decode()


def lu(portee: Portee = Portee.INTERNE) -> BilanLu:
    return lire(relire(texte(portee)))


@pytest.mark.parametrize("portee", Portee)
def test_l_empreinte_du_fichier_se_verifie(portee):
    assert empreinte((DONNEES / FICHIERS[portee]).read_bytes()) == EMPREINTES[portee]


@pytest.mark.parametrize("portee", Portee)
def test_le_fichier_est_sous_sa_forme_canonique(portee):
    assert ecrire(relire(texte(portee))) == texte(portee)


@pytest.mark.parametrize("portee", Portee)
def test_le_code_d_aujourd_hui_le_lit_et_le_met_en_page(portee):
    page = preparer(lu(portee))
    assert page.lu.plan.intitule == "Développer une commande publique responsable"


def test_les_actions_se_lisent_avec_tout_ce_qu_elles_disent():
    terminee, en_cours, non_initiee, inconnue, cachee = lu().actions
    assert [a.statut for a in lu().actions] == [
        Statut.TERMINEE,
        Statut.EN_COURS,
        Statut.NON_INITIEE,
        None,
        Statut.NON_INITIEE,
    ]
    assert (terminee.numero, terminee.intitule) == (1, "Former les acheteurs ; 100 % d'entre eux")
    assert (terminee.depuis, terminee.echeance) == (datetime.date(2023, 11, 15), Echeance.lire("T4 2023"))
    assert (str(terminee.axe), terminee.service, terminee.priorite) == ("A1 Former", "Commande publique", "HAUTE")
    assert [note.texte for note in terminee.notes] == ["Deux sessions tenues."]
    assert [note.texte for note in terminee.notes_internes] == ["Le formateur est à relancer."]
    assert (en_cours.avancement, en_cours.en_retard(lu().au)) == (40, True)
    assert [str(p) for p in non_initiee.partenaires] == ["Association « L'Essai » (L'E)", "Réseau d'essai (RE)"]
    assert (inconnue.depuis, inconnue.avancement, inconnue.axe) == (None, None, None)
    assert not cachee.visible


def test_l_en_tete_et_les_decomptes_se_lisent():
    bilan = lu()
    assert (bilan.annee, bilan.au, bilan.rang, bilan.motif) == (
        2023,
        datetime.date(2023, 12, 31),
        2,
        "Une erreur à corriger.",
    )
    assert bilan.decompte == Decompte(1, 1, 2, 1) == bilan.evolution[bilan.au]
    assert len(bilan.commentaires) == 6
    assert bilan.avant_propos == "Un avant-propos.\n\nEn deux paragraphes."
    assert [(s.numero, s.le, s.motif) for s in bilan.sorties] == [
        (6, datetime.date(2023, 9, 1), "Reporté au plan suivant.")
    ]
    assert [p.du_plan for p in bilan.partenaires] == [True, True, False]


def test_les_valeurs_se_lisent_au_nombre_exact():
    par_code = {indicateur.code: indicateur.valeur_de(2023) for indicateur in lu().indicateurs}
    details = {code: valeur.detail.replace("\u00a0", " ").replace("\u202f", " ") for code, valeur in par_code.items()}
    assert details == {
        "consultations": "166 consultations",
        "heures": "1 234,5 h",
        "clauses": "42 / 166 = 25,3 %",
        "region": "17 / 320 = 5,3 %",
        "propre": "2,5 / 7 (dénominateur propre) = 35,7 %",
        "env": "25 %",
        "montant": "1 234 567,89 €",
        "absent": "Indisponible : Le bilan carbone paraît en 2025.",
    }
    assert par_code["heures"].ventilation == {"public": {"DELD": Decimal("234.25"), "RSA": Decimal("1000.25")}}
    assert par_code["montant"].valeur == Decimal("1234567.89")
    assert (par_code["montant"].origine, par_code["montant"].calcul.code) == (
        OrigineDeValeur.CALCUL,
        "marches_notifies",
    )
    assert (par_code["consultations"].etat, par_code["env"].etat) == (Etat.VALIDEE, Etat.PROVISOIRE)
    assert par_code["clauses"].rupture == "Le registre a changé."


def test_les_objectifs_se_lisent():
    clauses = next(indicateur for indicateur in lu().indicateurs if indicateur.code == "clauses")
    assert {(o.annee, o.valeur, o.origine) for o in clauses.objectifs} == {
        (2025, Decimal("33.3"), OrigineDeCible.PLAN),
        (2025, Decimal(30), OrigineDeCible.OBLIGATION),
    }


def test_le_public_n_a_que_ce_qui_est_public():
    public = texte(Portee.PUBLIQUE)
    assert [dit for dit in INTERNES if dit in public] == []
    assert [action.numero for action in lu(Portee.PUBLIQUE).actions] == [1, 2, 3, 4]


def test_un_schema_a_venir_se_refuse_en_le_nommant():
    with pytest.raises(SchemaInconnu, match="Schéma 99"):
        lire({**relire(texte(Portee.INTERNE)), "schema": 99})
