"""Écrire d'un trait ce que `modifier` écrirait action par action : mille actions en une seconde au lieu de dix.

Rien ne s'y vérifie : l'examen d'un changement en nombre, ou l'essai d'un classeur, l'a fait, sous le même verrou ; la
base tient ses contraintes. Des essais comparent, ligne à ligne, ce qui est écrit ici à ce que `modifier` écrit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from simple_history.utils import bulk_update_with_history

from actions import liens
from actions.champs import LIBELLES_DES_JOURNAUX, LIBELLES_DES_LIENS, Ecart
from actions.creation import avancement_a_ecrire
from actions.journaux import ChangementDeStatut, Inscription, ReportEcheance
from actions.models import Action
from actions.modifications import lignes_de_lot
from comptes.gestes import LigneDeLot, Lot
from socle.echeances import Echeance

if TYPE_CHECKING:
    from comptes.models import Utilisateur

# Un UPDATE de plusieurs lignes dit chaque valeur : au-delà, il s'allonge plus qu'il ne gagne.
PAR_REQUETE = 100


@dataclass(frozen=True)
class Changement:
    """Ce qu'on écrit sur une action. `commentaire` : celui du statut ; `motif` : celui du report."""

    action: Action
    ecarts: Sequence[Ecart]
    date_effet: date
    commentaire: str = ""
    motif: str = ""


def modifier_ensemble(changements: Sequence[Changement], *, auteur: "Utilisateur", lot: Lot) -> None:
    """Écrit ces changements, vérifiés et sous verrou, dans la transaction de l'appelant."""
    _ecrire_les_fiches(changements, auteur)
    statuts = [inscription for changement in changements for inscription in _au_journal_des_statuts(changement)]
    reports = [inscription for changement in changements for inscription in _au_journal_des_reports(changement)]
    ChangementDeStatut.ecrire_ensemble(statuts, auteur=auteur, lot=lot)
    ReportEcheance.ecrire_ensemble(reports, auteur=auteur, lot=lot)
    LigneDeLot.objects.bulk_create(
        ligne for changement in changements for ligne in lignes_de_lot(lot, changement.action, changement.ecarts)
    )


def etat_de_l_echeance(voulue: Echeance | None) -> dict[str, Any]:
    """Les deux champs d'un report d'échéance."""
    return {"echeance": voulue and voulue.fin, "precision": voulue and voulue.precision}


def _ecrire_les_fiches(changements: Sequence[Changement], auteur: "Utilisateur") -> None:
    """Un enregistrement et une ligne d'historique par action dont la fiche ou les liens changent."""
    touchees: list[Action] = []
    champs: set[str] = set()
    neufs: list[liens.Lien] = []
    for changement in changements:
        propres = [ecart for ecart in changement.ecarts if ecart.champ not in LIBELLES_DES_JOURNAUX]
        for ecart in propres:
            if ecart.champ in LIBELLES_DES_LIENS:
                neufs += liens.retirer_et_changer(changement.action, ecart, auteur)
            else:
                setattr(changement.action, ecart.champ, ecart.apres)
                champs.add(ecart.champ)
        if propres:
            changement.action.version += 1
            touchees.append(changement.action)
    if touchees:
        ecrits = [*sorted(champs), "version"]
        bulk_update_with_history(touchees, Action, ecrits, batch_size=PAR_REQUETE, default_user=auteur)
    liens.ajouter(neufs, auteur)


def _au_journal_des_statuts(changement: Changement) -> list[Inscription]:
    action, apres = changement.action, {ecart.champ: ecart.apres for ecart in changement.ecarts}
    if "statut" not in apres and "avancement" not in apres:
        return []
    statut = str(apres.get("statut", action.statut))
    repris = action.avancement if "statut" not in apres else None
    avancement = avancement_a_ecrire(statut, apres.get("avancement", repris))
    valeurs = {"statut": statut, "avancement": avancement, "commentaire": changement.commentaire.strip()}
    return [Inscription(action, changement.date_effet, valeurs)]


def _au_journal_des_reports(changement: Changement) -> list[Inscription]:
    voulues = [ecart.apres for ecart in changement.ecarts if ecart.champ == "echeance"]
    return [
        Inscription(
            changement.action,
            changement.date_effet,
            {**etat_de_l_echeance(voulue), "motif": changement.motif.strip()},
        )
        for voulue in voulues
    ]
