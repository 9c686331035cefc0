"""Écrire d'un trait ce que `modifier` écrirait action par action : mille actions en une seconde au lieu de dix.

Rien ne s'y vérifie : l'examen d'un changement en nombre l'a fait, sous le même verrou. Un essai compare, ligne à
ligne, ce qui est écrit ici à ce que `modifier` écrit.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from simple_history.utils import bulk_update_with_history

from actions.champs import LIBELLES_DES_JOURNAUX, Ecart
from actions.creation import avancement_a_ecrire
from actions.journaux import ChangementDeStatut, JournalDAction, ReportEcheance
from actions.models import Action
from actions.modifications import Signature, lignes_de_lot
from comptes.gestes import LigneDeLot
from socle.echeances import Echeance

# Un UPDATE de plusieurs lignes dit chaque valeur : au-delà, il s'allonge plus qu'il ne gagne.
PAR_REQUETE = 200
JOURNAUX: dict[str, type[JournalDAction]] = {"statut": ChangementDeStatut, "echeance": ReportEcheance}
# Ce qui se range dans une autre table, ou demande un calcul à l'enregistrement, passe par `modifier`.
GROUPABLES = frozenset({"pilote", "suppleant", "service_pilote", "priorite", *JOURNAUX})


def modifier_ensemble(ecarts: Mapping[Action, list[Ecart]], signature: Signature) -> None:
    """Écrit ces écarts, examinés et sous verrou, dans la transaction de l'appelant. ValueError si un champ n'est pas
    de ceux qui se groupent."""
    champs = {ecart.champ for changes in ecarts.values() for ecart in changes}
    if hors := champs - GROUPABLES:
        raise ValueError(f"Ne se groupent pas : {', '.join(sorted(hors))}")
    _ecrire_les_fiches(ecarts, champs - LIBELLES_DES_JOURNAUX.keys(), signature)
    for champ in JOURNAUX:
        groupes: dict[Any, list[Action]] = defaultdict(list)
        for action, changes in ecarts.items():
            for ecart in changes:
                if ecart.champ == champ:
                    groupes[ecart.apres].append(action)
        for apres, actions in groupes.items():
            _ecrire_au_journal(champ, apres, actions, signature)
    if signature.lot is not None:
        lot = signature.lot
        LigneDeLot.objects.bulk_create(
            ligne for action, changes in ecarts.items() for ligne in lignes_de_lot(lot, action, changes)
        )


def _ecrire_les_fiches(ecarts: Mapping[Action, list[Ecart]], champs: set[str], signature: Signature) -> None:
    """Un enregistrement et une ligne d'historique par action dont un champ propre change."""
    touchees = []
    for action, changes in ecarts.items():
        propres = [ecart for ecart in changes if ecart.champ in champs]
        for ecart in propres:
            setattr(action, ecart.champ, ecart.apres)
        if propres:
            action.version += 1
            touchees.append(action)
    if touchees:
        bulk_update_with_history(
            touchees, Action, [*sorted(champs), "version"], batch_size=PAR_REQUETE, default_user=signature.auteur
        )


def _ecrire_au_journal(champ: str, apres: Any, actions: list[Action], signature: Signature) -> None:
    valeurs: dict[str, Any]
    if champ == "statut":
        valeurs = {
            "statut": apres,
            "avancement": avancement_a_ecrire(apres, None),
            "commentaire": signature.commentaire,
        }
    else:
        voulue: Echeance | None = apres
        valeurs = {
            "echeance": voulue.fin if voulue else None,
            "precision": voulue.precision if voulue else None,
            "motif": signature.motif.strip(),
            "commentaire": "",
        }
    JOURNAUX[champ].ecrire_ensemble(
        actions,
        date_effet=signature.date_effet or timezone.localdate(),
        auteur=signature.auteur,
        lot=signature.lot,
        **valeurs,
    )
