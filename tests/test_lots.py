"""Un geste qui change plusieurs champs, gardé dans un lot, se défait d'un geste sans rien reprendre aux autres."""

import datetime
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from actions.champs import LIBELLES, ecarts, pour_le_lot, valeur_de
from actions.journaux import ChangementDeStatut, ReportEcheance
from actions.lots import defaire
from actions.models import Action, Axe
from actions.modifications import CREATION, Signature, modifier, noter_la_creation
from actions.statuts import Mouvement, Priorite, Statut
from comptes.droits import Role
from comptes.models import Lot
from socle.echeances import Echeance
from socle.modeles import ConflitDeVersion
from tests import fabriques

pytestmark = pytest.mark.django_db

T2, ANNEE = Echeance.lire("T2 2027"), Echeance.lire("2027")


@pytest.fixture
def auteur():
    return fabriques.utilisateur(Role.RESPONSABLE, nom="Responsable")


@pytest.fixture
def action(auteur):
    return fabriques.action(auteur=auteur, statut=Statut.EN_COURS, echeance=T2, priorite=Priorite.BASSE)


@pytest.fixture
def lot(auteur):
    return Lot.objects.create(intitule="Essai", auteur=auteur)


def relue(action: Action) -> Action:
    return Action.objects.get(pk=action.pk)


def tout(action: Action) -> dict:
    """Ce qu'une action vaut, champ par champ, tel qu'un lot le garderait."""
    return {champ: pour_le_lot(champ, valeur_de(relue(action), champ)) for champ in LIBELLES}


def un_peu_de_tout(plan) -> dict:
    partenaire = fabriques.partenaire("Réseau")
    return {
        "intitule": "Un autre intitulé",
        "axe": Axe.objects.create(plan=plan, intitule="Axe"),
        "pilote": fabriques.utilisateur(nom="Pilote"),
        "service_pilote": fabriques.service("Achats"),
        "priorite": Priorite.HAUTE,
        "date_debut": datetime.date(2026, 3, 1),
        "budget_previsionnel": Decimal("1234.50"),
        "visible_du_public": False,
        "statut": Statut.TERMINEE,
        "echeance": ANNEE,
        "partenaires": {partenaire: "FINANCEUR"},
        "references": ["PCAET : 3.2", "ISO 9001"],
    }


def test_ce_qui_est_deja_ainsi_n_est_pas_un_ecart(action):
    assert ecarts(action, {"priorite": "BASSE", "echeance": Echeance.lire("T2 2027"), "partenaires": {}}) == []


def test_un_champ_inconnu_est_une_faute_de_programme(action):
    with pytest.raises(KeyError, match="couleur"):
        ecarts(action, {"couleur": "bleu"})


def test_modifier_change_tous_les_champs_et_les_note_au_lot(action, auteur, lot):
    valeurs = un_peu_de_tout(action.plan)
    changes = modifier(action, valeurs, Signature(auteur, motif="Calendrier revu.", lot=lot))
    assert {ecart.champ for ecart in changes} == set(valeurs) == set(lot.lignes.values_list("champ", flat=True))
    assert ecarts(relue(action), valeurs) == []
    assert ChangementDeStatut.objects.filter(lot=lot).count() == ReportEcheance.objects.filter(lot=lot).count() == 1
    assert relue(action).history.first().history_user == auteur


def test_le_meme_envoi_recu_deux_fois_n_ecrit_rien_de_plus(action, auteur):
    version = action.version
    assert modifier(action, {"priorite": "HAUTE"}, Signature(auteur), version=version)
    assert modifier(action, {"priorite": "HAUTE"}, Signature(auteur), version=version) == []
    assert relue(action).version == version + 1


def test_une_version_perimee_leve_un_conflit_et_n_ecrit_rien(action, auteur):
    version = action.version
    action.signaler("AUTRE", "Quelqu'un est passé.", version=version)
    with pytest.raises(ConflitDeVersion):
        modifier(action, {"priorite": "HAUTE"}, Signature(auteur), version=version)
    assert relue(action).priorite == Priorite.BASSE


def test_un_seul_champ_refuse_et_rien_de_l_action_n_est_ecrit(action, auteur):
    with pytest.raises(ValidationError, match="motif"):
        modifier(action, {"priorite": "HAUTE", "echeance": ANNEE}, Signature(auteur))
    assert relue(action).priorite == Priorite.BASSE


def test_un_champ_seul_est_verifie_avec_ceux_qu_une_contrainte_lui_lie(action, auteur):
    """Seul ce qui change se revérifie : pas au prix d'une règle qui regarde deux champs."""
    modifier(action, {"suppleant": auteur}, Signature(auteur))
    with pytest.raises(ValidationError, match="suppléant"):
        modifier(relue(action), {"pilote": auteur}, Signature(auteur))
    with pytest.raises(ValidationError, match="ni l'une ni l'autre"):
        modifier(relue(action), {"attention_nature": "AUTRE"}, Signature(auteur))
    with pytest.raises(ValidationError, match="autre plan"):
        modifier(relue(action), {"axe": Axe.objects.create(plan=fabriques.plan(), intitule="Axe")}, Signature(auteur))
    voisine = fabriques.action(action.plan)
    with pytest.raises(ValidationError, match="déjà ce numéro"):
        modifier(relue(action), {"numero": voisine.numero}, Signature(auteur))


def test_defaire_rend_chaque_champ_et_fait_grandir_les_journaux(action, auteur, lot):
    avant = tout(action)
    modifier(action, un_peu_de_tout(action.plan), Signature(auteur, motif="Revu.", lot=lot))
    lignes = ChangementDeStatut.objects.filter(action=action).count()
    resultat = defaire(lot, auteur=auteur)
    assert (tout(action), resultat.refus) == (avant, [])
    assert ChangementDeStatut.objects.filter(action=action).count() == lignes + 1
    lot.refresh_from_db()
    assert lot.defait_par == resultat.lot


def test_defaire_deux_fois_ne_defait_qu_une_fois(action, auteur, lot):
    modifier(action, {"priorite": "HAUTE"}, Signature(auteur, lot=lot))
    premier = defaire(lot, auteur=auteur)
    version = relue(action).version
    assert defaire(lot, auteur=auteur).lot == premier.lot
    assert relue(action).version == version


def test_une_defaisance_se_defait_aussi(action, auteur, lot):
    modifier(action, {"statut": Statut.TERMINEE, "priorite": "HAUTE"}, Signature(auteur, lot=lot))
    apres = tout(action)
    annulation = defaire(lot, auteur=auteur).lot
    defaire(annulation, auteur=auteur)
    assert tout(action) == apres


def test_un_champ_qui_a_bouge_depuis_est_refuse_et_les_autres_rendus(action, auteur, lot):
    modifier(action, {"priorite": "HAUTE", "elu_referent": "Mme Untel"}, Signature(auteur, lot=lot))
    modifier(relue(action), {"priorite": "NORMALE"}, Signature(auteur))
    resultat = defaire(lot, auteur=auteur)
    assert [(refus.champ, refus.raison) for refus in resultat.refus] == [("priorite", "vaut maintenant « Normale »")]
    assert (relue(action).priorite, relue(action).elu_referent) == (Priorite.NORMALE, "")


def test_un_statut_inscrit_depuis_est_garde_meme_s_il_est_le_meme(action, auteur, lot):
    modifier(action, {"statut": Statut.TERMINEE}, Signature(auteur, lot=lot))
    modifier(relue(action), {"statut": Statut.EN_COURS}, Signature(auteur))
    modifier(relue(action), {"statut": Statut.TERMINEE}, Signature(auteur))
    resultat = defaire(lot, auteur=auteur)
    assert [refus.champ for refus in resultat.refus] == ["statut"]
    assert resultat.lot is None
    assert relue(action).statut == Statut.TERMINEE


def test_une_action_nee_d_un_lot_defait_est_retiree_du_plan(auteur, lot):
    nee = Action.objects.creer(plan=fabriques.plan(), intitule="Importée", auteur=auteur, lot=lot)
    noter_la_creation(lot, nee)
    assert lot.lignes.get().champ == CREATION
    defaire(lot, auteur=auteur)
    assert relue(nee).presence == Mouvement.RETRAIT


def test_l_etat_d_hier_ne_change_pas_quand_un_lot_est_defait(action, auteur, lot):
    hier = timezone.localdate() - datetime.timedelta(days=1)
    modifier(action, {"statut": Statut.TERMINEE}, Signature(auteur, lot=lot))
    defaire(lot, auteur=auteur)
    assert Action.objects.etat_au(hier).get(pk=action.pk).etat_statut == Statut.EN_COURS
