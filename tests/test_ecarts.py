"""Ce qui distingue deux contenus d'un bilan : aucun champ ne change sans se dire, et la page le dit en français."""

import dataclasses
import datetime
from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import Enum
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from actions.models import ChangementDeStatut, PartenaireDeLAction
from actions.requetes import Decompte
from actions.statuts import Statut
from bilans.contenu.canonique import relire
from bilans.contenu.schema import AxeLu, BilanLu, CalculLu, SortieLue, lire
from bilans.ecarts import comparer
from comptes.droits import Role
from indicateurs.listes import Nature
from socle.echeances import Echeance
from tests import fabriques
from tests.fabriques_bilans import bilan_arrete
from tests.visites import client_de

DONNEES = Path(__file__).parent / "donnees"


def bilan_de_reference() -> BilanLu:
    """Celui dont chaque champ a une valeur."""
    return lire(relire((DONNEES / "bilan_schema_1.json").read_text(encoding="utf-8")))


# --- Aucun champ n'est oublié --------------------------------------------------------------------

# Ce qui ne se compare pas, et pourquoi.
A_PART = {
    # La version se dit elle-même ; ce sont les deux côtés de la comparaison.
    **dict.fromkeys(("BilanLu.portee", "BilanLu.annee", "BilanLu.arrete_le", "BilanLu.rang", "BilanLu.motif"), ""),
    "BilanLu.schema": "l'écriture, pas ce qui est écrit",
    "BilanLu.changements": "se déduit du reste",
    "ValeurLue.indicateur": "la valeur est lue depuis lui",
}


def autre(valeur: Any) -> Any:
    """Une valeur du même genre, différente."""
    match valeur:
        case bool():
            return not valeur
        case Enum():
            return next(membre for membre in type(valeur) if membre is not valeur)
        case str():
            return f"{valeur} autrement"
        case int() | Decimal():
            return valeur + 1
        case datetime.date():
            return valeur + datetime.timedelta(days=1)
        case Echeance():
            return Echeance.lire("T1 2030")
        case AxeLu() | CalculLu():
            return dataclasses.replace(valeur, **{"cle" if isinstance(valeur, AxeLu) else "version": 999})
        case Decompte():
            return dataclasses.replace(valeur, terminees=valeur.terminees + 1)
        case Mapping():
            premiere = next(iter(valeur))
            return {**valeur, premiere: autre(valeur[premiere])}
        case list() | tuple():
            return list(valeur[:-1])
    raise TypeError(f"{valeur!r} : comment en changer ?")


def variantes(objet: Any) -> Iterator[tuple[str, Any]]:
    """(champ changé, l'objet avec ce seul champ changé), jusqu'aux objets qu'il contient."""
    for champ in dataclasses.fields(objet):
        nom = f"{type(objet).__name__}.{champ.name}"
        valeur = getattr(objet, champ.name)
        if nom in A_PART:
            continue
        if valeur not in (None, "", [], (), {}) and champ.name != "plan":
            yield nom, dataclasses.replace(objet, **{champ.name: autre(valeur)})
        if isinstance(valeur, list | tuple):
            for rang, contenu in enumerate(valeur):
                for nom_de, change in variantes(contenu):
                    yield nom_de, dataclasses.replace(objet, **{champ.name: _a_la_place(valeur, rang, change)})
        elif champ.name == "plan":
            for nom_de, change in variantes(valeur):
                yield nom_de, dataclasses.replace(objet, **{champ.name: change})


def _a_la_place(liste: Any, rang: int, element: Any) -> list[Any]:
    return [*liste[:rang], element, *liste[rang + 1 :]]


def champs_compares() -> dict[str, list[BilanLu]]:
    par_champ: dict[str, list[BilanLu]] = {}
    for nom, change in variantes(bilan_de_reference()):
        par_champ.setdefault(nom, []).append(change)
    return par_champ


CHANGES = champs_compares()


def test_le_bilan_de_reference_remplit_chaque_champ():
    """Sans quoi un champ oublié par la comparaison ne se verrait pas."""
    classes = ("PlanLu", "AxeLu", "PartenaireLu", "ActionLue", "SortieLue", "IndicateurLu", "ValeurLue", "ObjectifLu")
    import bilans.contenu.schema as schema

    attendus = {f"{nom}.{c.name}" for nom in classes for c in dataclasses.fields(getattr(schema, nom))}
    assert attendus - set(A_PART) - set(CHANGES) == set()


@pytest.mark.parametrize("champ", CHANGES)
def test_chaque_champ_change_se_dit(champ):
    reference = bilan_de_reference()
    muets = [change for change in CHANGES[champ] if comparer(reference, change).nombre == 0]
    # Un partenaire, un axe lus depuis une action n'y sont comparés que par leur clé.
    assert len(muets) < len(CHANGES[champ])


def test_deux_lectures_du_meme_contenu_n_ont_pas_de_difference():
    ecarts = comparer(bilan_de_reference(), bilan_de_reference())
    assert (ecarts.nombre, ecarts.rubriques) == (0, [])


# --- Les phrases ---------------------------------------------------------------------------------


def changer(bilan: BilanLu, liste: str, rang: int, **champs: Any) -> BilanLu:
    objets = getattr(bilan, liste)
    return dataclasses.replace(
        bilan, **{liste: _a_la_place(objets, rang, dataclasses.replace(objets[rang], **champs))}
    )


def test_renommer_un_axe_se_dit_une_fois():
    reference = bilan_de_reference()
    axe = dataclasses.replace(reference.axes[0], intitule="Apprendre")
    actions = [
        dataclasses.replace(action, axe=axe) if action.axe == reference.axes[0] else action
        for action in reference.actions
    ]
    change = dataclasses.replace(reference, axes=[axe, reference.axes[1]], actions=actions)
    assert comparer(reference, change).phrases == ["Axe « A1 Apprendre ». Intitulé : « Former » → « Apprendre »"]


def test_un_texte_long_se_montre_en_entier_avant_et_apres():
    reference = bilan_de_reference()
    (rubrique,) = comparer(reference, dataclasses.replace(reference, avant_propos="x" * 500)).rubriques
    (difference,) = rubrique.objets[0].differences
    assert difference.phrase == "Avant-propos : le texte a changé"
    assert (difference.avant, difference.apres) == (reference.avant_propos, "x" * 500)


def test_changer_l_unite_n_est_pas_changer_chaque_valeur():
    reference = bilan_de_reference()
    assert comparer(reference, changer(reference, "indicateurs", 0, unite="procédures")).phrases == [
        "Indicateur « Nombre de consultations ». Unité : consultations → procédures"
    ]


@pytest.mark.parametrize(
    ("avant", "apres", "phrases"),
    [
        ((Statut.EN_COURS, 40), (Statut.TERMINEE, 100), ["Statut : En cours → Terminée"]),
        ((Statut.EN_COURS, 40), (Statut.NON_INITIEE, 0), ["Statut : En cours → Non initiée"]),
        ((Statut.TERMINEE, 100), (Statut.EN_COURS, None), ["Statut : Terminée → En cours"]),
        (
            (Statut.NON_INITIEE, 0),
            (Statut.EN_COURS, 40),
            ["Statut : Non initiée → En cours", "Avancement : 0\u00a0% → 40\u00a0%"],
        ),
        ((Statut.EN_COURS, 40), (Statut.EN_COURS, 60), ["Avancement : 40\u00a0% → 60\u00a0%"]),
    ],
)
def test_l_avancement_que_le_statut_impose_ne_se_dit_pas_en_plus(avant, apres, phrases):
    reference = bilan_de_reference()
    de, a = (
        changer(reference, "actions", 0, statut=statut, avancement=avancement) for statut, avancement in (avant, apres)
    )
    assert [phrase.partition(". ")[2].partition(". ")[2] for phrase in comparer(de, a).phrases] == phrases


def test_une_action_retiree_ou_revenue_se_dit_une_fois():
    reference = bilan_de_reference()
    retiree, *restees = reference.actions
    sortie = SortieLue(retiree.numero, retiree.intitule, datetime.date(2023, 6, 1), "Doublon")
    sans = dataclasses.replace(reference, actions=restees, sorties=[*reference.sorties, sortie])
    nom = f"Action {retiree.numero}. {retiree.intitule}"
    assert comparer(reference, sans).phrases == [f"{nom}. Retirée le 01/06/2023 : « Doublon »"]
    assert comparer(sans, reference).phrases == [f"{nom}. Action ajoutée"]


def test_un_long_intitule_d_axe_ne_se_compare_pas_a_none():
    reference = bilan_de_reference()
    axe = dataclasses.replace(reference.axes[0], intitule="x" * 200)
    de, a = (changer(reference, "actions", 0, axe=valeur) for valeur in (None, axe))
    (rubrique,) = comparer(de, a).rubriques
    (difference,) = rubrique.objets[0].differences
    assert (difference.avant, difference.apres) == ("", str(axe))


def test_des_partenaires_ranges_autrement_se_disent():
    reference = bilan_de_reference()
    change = dataclasses.replace(reference, partenaires=list(reversed(reference.partenaires)))
    assert comparer(reference, change).phrases == ["Partenaires. L'ordre des partenaires a changé"]


# --- La page -------------------------------------------------------------------------------------


@pytest.fixture
def plan():
    plan = fabriques.plan(intitule="Plan d'essai", annee_debut=2023)
    for _ in range(2):
        fabriques.action(plan, intitule="Former les acheteurs", service_pilote=fabriques.service("Achats"))
    part = fabriques.indicateur(plan, code="part", intitule="Part verte", nature=Nature.PART, unite="%")
    fabriques.valeur(part, 2023, valeur=25)
    return plan


@pytest.fixture
def lecteur():
    return client_de(fabriques.utilisateur(Role.LECTEUR))


def page(client, plan, requete: str = "", attendu: int = 200) -> str:
    reponse = client.get(reverse("bilans:ecarts", args=[plan.slug, 2023]) + requete)
    assert reponse.status_code == attendu
    return unescape(reponse.content.decode()).replace("\u00a0", " ").replace("\u202f", " ")


def tout_changer(plan) -> None:
    action = plan.actions.first()
    ChangementDeStatut.en_vigueur_pour(action).corriger(statut="TERMINEE")
    PartenaireDeLAction.objects.create(action=action, partenaire=fabriques.partenaire("Réseau d'essai"))
    valeur = plan.places_d_indicateur.get().indicateur.valeurs.get()
    valeur.valeur = Decimal(26)
    valeur.enregistrer()


@pytest.mark.django_db
def test_la_page_dit_chaque_difference_depuis_l_arret(lecteur, plan):
    bilan_arrete(plan)
    assert "Rien n'a changé" in page(lecteur, plan)
    tout_changer(plan)
    lue = page(lecteur, plan)
    assert "Action 1. Former les acheteurs" in lue
    assert "Statut : Non initiée → Terminée" in lue
    assert "Partenaire ajouté : Réseau d'essai" in lue
    assert "Valeur 2023 : 25 % → 26 %" in lue
    assert "Action 2. Former les acheteurs" not in lue


@pytest.mark.django_db
def test_ce_qui_arrive_apres_l_annee_n_est_pas_une_difference(lecteur, plan):
    bilan_arrete(plan)
    action = plan.actions.first()
    action.changer_statut("EN_COURS", auteur=None, version=action.version, date_effet=datetime.date(2024, 2, 1))
    action.noter("Lancée.", auteur=None, le=datetime.date(2024, 2, 1))
    assert "Rien n'a changé" in page(lecteur, plan)


@pytest.mark.django_db
def test_la_page_compare_aussi_deux_versions(lecteur, plan):
    bilan_arrete(plan)
    tout_changer(plan)
    bilan_arrete(plan)
    assert "Rien n'a changé" in page(lecteur, plan)
    for requete in ("?a=2", "?de=1&a=2", "?de=1", "?de=1&a=maintenant"):
        assert "Valeur 2023 : 25 % → 26 %" in page(lecteur, plan, requete)
    assert "Valeur 2023 : 26 % → 25 %" in page(lecteur, plan, "?de=2&a=1")


@pytest.mark.django_db
def test_ce_que_le_public_ne_voit_pas_n_est_pas_une_difference_publique(lecteur, plan):
    bilan_arrete(plan)
    action = plan.actions.first()
    action.service_pilote = fabriques.service("Voirie")
    action.save()
    assert "Service pilote : Achats → Voirie" in page(lecteur, plan)
    assert "Rien n'a changé" in page(lecteur, plan, "?portee=public")


@pytest.mark.django_db
@pytest.mark.parametrize(("requete", "attendu"), [("?de=7", 404), ("?a=deux", 400), ("?portee=secret", 400)])
def test_une_demande_absurde_se_refuse(lecteur, plan, requete, attendu):
    bilan_arrete(plan)
    page(lecteur, plan, requete, attendu)


@pytest.mark.django_db
def test_sans_version_il_n_y_a_rien_a_comparer(lecteur, plan):
    assert "Ce bilan n'est pas encore arrêté" in page(lecteur, plan)
