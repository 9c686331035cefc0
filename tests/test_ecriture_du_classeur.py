"""L'écriture d'un classeur, d'un trait : les mêmes traces que ligne par ligne, et en peu de requêtes."""

import datetime

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from actions.champs import LIBELLES, pour_le_lot, valeur_de
from actions.classeur.comparaison import Comparaison, comparer
from actions.classeur.ecriture import Choix, ecrire
from actions.classeur.imports import lire_le_tableau
from actions.classeur.releve import Releve
from actions.liens import cadre_et_code
from actions.models import Action, Plan, ReferenceCadre
from actions.modifications import Signature, modifier, noter_la_creation
from actions.suivi import PartenaireDeLAction
from comptes.gestes import Lot
from tests.classeurs import xlsx
from tests.decor import plan_garni
from tests.visites import sans_lendemain

pytestmark = pytest.mark.django_db

TITRES = ["N°", "Action", "Statut", "Avancement", "Date d'effet", "Échéance", "Motif", "Pilote", "Axe", "Partenaires"]
TITRES += ["Autres cadres", "Budget prévu", "Public"]
CHANGEMENTS = [
    {"Action": "Réécrite à l'Œuvre", "Public": "non", "Budget prévu": 12.5},
    {"Statut": "Terminée"},
    {"Statut": "En cours", "Avancement": 30, "Date d'effet": datetime.date(2025, 2, 1)},
    {"Échéance": "T4 2028", "Motif": "Revu."},
    {"Échéance": datetime.date(2028, 3, 1), "Motif": "Revu.", "Date d'effet": datetime.date(2025, 1, 5)},
    {"Pilote": "Camille Martin 003", "Axe": "Axe 1"},
    {"Partenaires": "Partenaire 000 (financeur) ; Partenaire 004"},
    {"Autres cadres": "SPASER : 1 ; ISO 9001", "Statut": "Non initiée"},
    {"Statut": "En cours", "Échéance": "2029", "Action": "Tout à la fois", "Motif": "Revu.", "Public": "oui"},
]


@pytest.fixture
def garni():
    return plan_garni(60, indicateurs=2, annees=1)


def essai(plan: Plan, lignes: list[dict]) -> Comparaison:
    contenu = xlsx([TITRES, *([ligne.get(titre) for titre in TITRES] for ligne in lignes)])
    comparee = comparer(lire_le_tableau("essai.xlsx", contenu), Releve.du_plan(plan))
    assert comparee.comptes["refusee"] == 0, [ligne.refus for ligne in comparee.lignes]
    return comparee


def traces_de(action: Action, lot: Lot, *, sans: tuple[str, ...] = ()) -> dict:
    """Tout ce qu'un changement laisse d'une action, hors identifiants et heures."""
    action = Action.objects.get(pk=action.pk)
    propres = {champ: pour_le_lot(champ, valeur_de(action, champ)) for champ in LIBELLES}
    des_projetes = {champ: getattr(action, champ) for champ in ("presence", "version", "recherche")}
    du_journal = ("date_effet", "auteur", "commentaire", "annule", "lot")
    traces = {
        "action": propres | des_projetes,
        "historique": list(
            action.history.order_by("history_id").values_list(
                "version", "intitule", "axe", "pilote", "history_user", "history_type"
            )
        ),
        "liens": sorted(
            PartenaireDeLAction.history.filter(action=action.pk).values_list("partenaire", "role", "history_type")
        ),
        "références": sorted(ReferenceCadre.history.filter(action=action.pk).values_list("cadre", "history_type")),
        "statuts": list(action.changementdestatuts.values_list("statut", "avancement", *du_journal)),
        "reports": list(action.reportecheances.values_list("echeance", "precision", "motif", *du_journal)),
        "presences": list(action.presenceauplans.values_list("mouvement", "motif", *du_journal)),
        "lot": sorted(map(repr, lot.lignes.filter(id_objet=action.pk).values_list("champ", "avant", "apres"))),
    }
    for champ in sans:
        del traces["action"][champ]
    return traces


def test_changer_d_un_trait_laisse_les_memes_traces_qu_action_par_action(garni):
    responsable = garni.comptes["responsable"]
    lignes = [{"N°": 20 + rang, **changement} for rang, changement in enumerate(CHANGEMENTS)]
    actions = list(Action.objects.filter(numero__gte=20, numero__lt=20 + len(lignes)))
    with sans_lendemain():
        lot = ecrire(essai(garni.plan, lignes), garni.plan, Choix(), auteur=responsable, intitule="Essai")
        call_command("verifier_journal")
        ensemble = [traces_de(action, lot) for action in actions]
    with sans_lendemain():
        temoin = Lot.objects.create(pk=lot.pk, intitule="Témoin", auteur=responsable)
        for ligne in essai(garni.plan, lignes).lignes:
            signature = Signature(responsable, ligne.date_effet, motif=ligne.motif, lot=temoin)
            modifier(ligne.action, {ecart.champ: ecart.apres for ecart in ligne.ecarts}, signature)
        assert [traces_de(action, temoin) for action in actions] == ensemble


def test_creer_d_un_trait_laisse_les_memes_traces_qu_action_par_action(garni):
    responsable = garni.comptes["responsable"]
    lignes = [
        {"Action": "Neuve"},
        {"N°": 80, "Action": "Numérotée", "Statut": "Terminée", "Échéance": "T1 2026", "Public": "non"},
        {"Action": "Datée", "Statut": "En cours", "Date d'effet": datetime.date(2025, 3, 1), "Pilote": "pilote1"},
        {"Action": "Liée", "Partenaires": "Partenaire 001 (porteur)", "Autres cadres": "PCAET : 1 ; ISO"},
    ]
    with sans_lendemain():
        lot = ecrire(essai(garni.plan, lignes), garni.plan, Choix(), auteur=responsable, intitule="Essai")
        call_command("verifier_journal")
        assert list(Action.objects.filter(numero__gt=60).values_list("numero", "intitule")) == [
            (80, "Numérotée"),
            (81, "Neuve"),
            (82, "Datée"),
            (83, "Liée"),
        ]
        ensemble = [traces_de(a, lot, sans=("version",)) for a in Action.objects.filter(numero__gt=60)]
    with sans_lendemain():
        temoin = Lot.objects.create(pk=lot.pk, intitule="Témoin", auteur=responsable)
        comparees = essai(garni.plan, lignes).lignes
        for ligne in sorted(comparees, key=lambda ligne: ligne.valeurs.get("numero") is None):
            _creer(ligne, garni.plan, responsable, temoin)
        un_par_un = [traces_de(a, temoin, sans=("version",)) for a in Action.objects.filter(numero__gt=60)]
    for trace in (*ensemble, *un_par_un):
        # `creer`, hors d'une page, ne signe pas l'historique.
        trace["historique"] = [(intitule, axe, pilote) for _, intitule, axe, pilote, *_ in trace["historique"]]
    assert un_par_un == ensemble


def _creer(ligne, plan, auteur, lot) -> None:
    valeurs = dict(ligne.valeurs)
    partenaires, references = valeurs.pop("partenaires", {}), valeurs.pop("references", [])
    action = Action.objects.creer(plan=plan, auteur=auteur, date_effet=ligne.date_effet, lot=lot, **valeurs)
    for partenaire, role in partenaires.items():
        PartenaireDeLAction.objects.create(action=action, partenaire=partenaire, role=role)
    for cadre, code in map(cadre_et_code, references):
        ReferenceCadre.objects.create(action=action, cadre=cadre, code=code)
    noter_la_creation(lot, action)


def test_le_nombre_de_requetes_ne_suit_pas_celui_des_lignes(garni):
    def requetes(numeros) -> tuple[int, int]:
        lignes = [{"N°": n, "Statut": "En cours", "Action": f"Réécrite {n}"} for n in numeros]
        lignes += [{"Action": f"Neuve {n}", "Échéance": "2027"} for n in numeros]
        with CaptureQueriesContext(connection) as a_lire:
            comparee = essai(garni.plan, lignes)
        with CaptureQueriesContext(connection) as a_ecrire:
            ecrire(comparee, garni.plan, Choix(), auteur=garni.comptes["responsable"], intitule="Essai")
        return len(a_lire), len(a_ecrire)

    requetes([1])
    petit, grand = requetes(range(2, 5)), requetes(range(5, 60))
    assert petit[0] == grand[0] <= 10
    # Par paquets, pas par ligne.
    assert grand[1] <= petit[1] + 6
