"""Les règles qu'une écriture vérifierait, redites pour une ligne de classeur sans rien demander à la base.

`modifier` et `creer` les vérifient de nouveau en écrivant ; des essais comparent les deux.
"""

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from datetime import date
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models

from actions.champs import LIBELLES_DES_JOURNAUX, LIBELLES_DES_LIENS, Ecart
from actions.classeur.releve import Releve, Vue
from actions.creation import avancement_a_ecrire
from actions.models import Action
from actions.requetes import CHAMPS_PROJETES
from actions.statuts import MESSAGE_AVANCEMENT, Mouvement, Statut
from socle.formats import INSECABLE, formater_date

# Le champ en cause, et la phrase.
Raison = tuple[str, str]

_PROPRES = {
    champ.name: champ
    for champ in Action._meta.concrete_fields
    if not isinstance(champ, models.ForeignKey) and champ.name not in CHAMPS_PROJETES
}


def raisons_du_changement(action: Action, ecarts: Sequence[Ecart], releve: Releve, jour: date) -> list[Raison]:
    """Pourquoi ces écarts ne s'écriraient pas ; vide si tout va. Le motif d'un report se demande à part."""
    if not ecarts:
        return []
    if action.presence == Mouvement.RETRAIT:
        return [("", "Elle est retirée du plan : remettez-la d'abord, ou retirez la ligne du fichier.")]
    apres = {ecart.champ: ecart.apres for ecart in ecarts}
    voulue = copy(action)
    for champ, valeur in apres.items():
        if champ not in LIBELLES_DES_JOURNAUX and champ not in LIBELLES_DES_LIENS:
            setattr(voulue, champ, valeur)
    return [
        *_raisons_de_la_fiche(voulue, apres.keys(), releve),
        *_raisons_du_statut(action, apres, releve, jour),
        *_raisons_de_l_echeance(action, apres, releve, jour),
    ]


def raisons_de_la_creation(releve: Releve, valeurs: dict[str, Any]) -> list[Raison]:
    """Pourquoi cette action ne se créerait pas ; vide si tout va."""
    propres = {
        champ: valeur
        for champ, valeur in valeurs.items()
        if champ not in LIBELLES_DES_JOURNAUX and champ not in LIBELLES_DES_LIENS
    }
    voulue = Action(plan=releve.plan, **{"numero": 1, **propres})
    statut = valeurs.get("statut") or Statut.NON_INITIEE
    raisons = list(_raisons_de_la_fiche(voulue, propres.keys(), releve))
    if not _avancement_coherent(statut, avancement_a_ecrire(statut, valeurs.get("avancement"))):
        raisons.append(("avancement", MESSAGE_AVANCEMENT))
    return raisons


# --- La fiche -----------------------------------------------------------------------------------


def _raisons_de_la_fiche(voulue: Action, changes: Iterable[str], releve: Releve) -> Iterator[Raison]:
    changes = set(changes)
    try:
        voulue.clean_fields(exclude={*(champ.name for champ in Action._meta.fields)} - (changes & _PROPRES.keys()))
    except ValidationError as refus:
        for champ, phrases in refus.message_dict.items():
            for phrase in phrases:
                yield ("" if champ == NON_FIELD_ERRORS else champ), phrase
    if "numero" in changes:
        tenante = releve.par_numero.get(voulue.numero)
        if tenante is not None and tenante.pk != voulue.pk:
            prise = f"«{INSECABLE}{tenante.intitule}{INSECABLE}»"
            yield "numero", f"Le n° {voulue.numero} est celui d'une autre action{INSECABLE}: {prise}."
    if changes & {"pilote", "suppleant"} and voulue.pilote is not None and voulue.pilote == voulue.suppleant:
        champ = "suppleant" if "suppleant" in changes else "pilote"
        yield champ, f"{voulue.pilote} ne peut pas être à la fois pilote et suppléant·e."
    if changes & {"attention", "attention_nature"} and bool(voulue.attention) != bool(voulue.attention_nature):
        yield (
            ("attention" if "attention" in changes else "attention_nature"),
            "Un point d'attention a une nature et une phrase, ou ni l'une ni l'autre.",
        )


# --- Les journaux -------------------------------------------------------------------------------


def _avancement_coherent(statut: str, avancement: int | None) -> bool:
    match statut:
        case Statut.NON_INITIEE:
            return avancement == 0
        case Statut.TERMINEE:
            return avancement == 100
    return avancement is None or 1 <= avancement <= 99


def _raisons_du_statut(action: Action, apres: dict[str, Any], releve: Releve, jour: date) -> Iterator[Raison]:
    if "statut" not in apres and "avancement" not in apres:
        return
    champ = "statut" if "statut" in apres else "avancement"
    statut = apres.get("statut", action.statut)
    if statut is None:
        yield "avancement", "Le statut de cette action est inconnu : donnez-le avec son avancement."
        return
    repris = action.avancement if "statut" not in apres else None
    avancement = avancement_a_ecrire(statut, apres.get("avancement", repris))
    if not _avancement_coherent(statut, avancement):
        yield "avancement", MESSAGE_AVANCEMENT
        return
    vue = releve.vue_des_statuts(action, jour)
    yield from _trop_tard(champ, vue, jour)
    if vue.en_vigueur is not None and vue.en_vigueur.valeurs == {"statut": statut, "avancement": avancement}:
        yield champ, f"Le {formater_date(jour)}, l'action était déjà «{INSECABLE}{vue.en_vigueur}{INSECABLE}»."


def _raisons_de_l_echeance(action: Action, apres: dict[str, Any], releve: Releve, jour: date) -> Iterator[Raison]:
    if "echeance" not in apres:
        return
    vue = releve.vue_des_echeances(action, jour)
    yield from _trop_tard("echeance", vue, jour)
    if releve.echeance_fixee(action, jour) == apres["echeance"]:
        yield "echeance", f"Le {formater_date(jour)}, l'échéance était déjà celle-là."


def _trop_tard(champ: str, vue: Vue, jour: date) -> Iterator[Raison]:
    if vue.suivante is not None:
        le = formater_date(vue.suivante.date_effet)
        yield champ, f"La date d'effet, {formater_date(jour)}, précède le changement du {le} ({vue.suivante})."
