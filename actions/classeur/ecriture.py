"""Écrire d'un trait ce qu'une comparaison annonce : un lot, dans la transaction de l'appelant, plan sous verrou.

Ce que `modifier` et `creer` écriraient ligne par ligne, en assez peu de requêtes pour que mille lignes ne retiennent
personne longtemps. Rien ne s'y vérifie : la comparaison l'a fait, sous le même verrou, et la base tient ses
contraintes. Un essai compare, ligne à ligne, ce qui est écrit ici à ce que `modifier` et `creer` écrivent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from simple_history.utils import bulk_create_with_history

from actions import liens
from actions.champs import LIBELLES_DES_JOURNAUX, LIBELLES_DES_LIENS
from actions.classeur.comparaison import Comparaison, LigneComparee, Sort
from actions.creation import avancement_a_ecrire
from actions.ecriture_groupee import Changement, etat_de_l_echeance, modifier_ensemble
from actions.journaux import ChangementDeStatut, Inscription, JournalDAction, PresenceAuPlan, ReportEcheance
from actions.models import Action
from actions.modifications import CREATION
from actions.plans import Plan
from actions.statuts import Mouvement, Statut
from comptes.gestes import LigneDeLot, Lot

if TYPE_CHECKING:
    from comptes.models import Utilisateur


@dataclass(frozen=True)
class Choix:
    """Ce que l'auteur a décidé devant l'essai. `motif` : celui des échéances déplacées dont la ligne ne dit pas le
    sien ; `prendre_le_fichier` : pour les lignes en conflit, plutôt que de garder le site."""

    motif: str = ""
    prendre_le_fichier: bool = False

    @property
    def sorts(self) -> tuple[Sort, ...]:
        return (Sort.CHANGEE, Sort.CREEE, *([Sort.CONFLIT] if self.prendre_le_fichier else []))


def ecrire(comparaison: Comparaison, plan: Plan, choix: Choix, *, auteur: "Utilisateur", intitule: str) -> Lot | None:
    """Le lot de tout ce qui est écrit ; None s'il n'y avait rien à écrire."""
    lignes = comparaison.de_sort(*choix.sorts)
    if not lignes:
        return None
    lot = Lot.objects.create(intitule=intitule[:200], auteur=auteur)
    changements = [_changement(ligne, ligne.action, choix.motif) for ligne in lignes if ligne.action is not None]
    modifier_ensemble(changements, auteur=auteur, lot=lot)
    _creer([ligne for ligne in lignes if ligne.action is None], plan, auteur, lot)
    return lot


def _changement(ligne: LigneComparee, action: Action, motif: str) -> Changement:
    jour = ligne.date_effet or timezone.localdate()
    return Changement(action, ligne.ecarts, jour, motif=ligne.motif or motif)


# --- Créer --------------------------------------------------------------------------------------


def _creer(lignes: Sequence[LigneComparee], plan: Plan, auteur: "Utilisateur", lot: Lot) -> None:
    """Les numéros donnés par le fichier d'abord : le rang suivant, donné aux autres, ne les leur prendra pas."""
    if not lignes:
        return
    pris = [ligne.valeurs["numero"] for ligne in lignes if ligne.valeurs.get("numero") is not None]
    suivant = max([Action.objects.prochain_numero(plan), *(numero + 1 for numero in pris)])
    neuves: list[tuple[LigneComparee, Action]] = []
    for ligne in lignes:
        action = _action_neuve(ligne, plan)
        if action.numero is None:
            action.numero, suivant = suivant, suivant + 1
        neuves.append((ligne, action))
    bulk_create_with_history([action for _, action in neuves], Action, default_user=auteur)
    for journal, valeurs in _PREMIERES_LIGNES.items():
        premieres = [
            Inscription(action, ligne.date_effet or timezone.localdate(), valeurs(action))
            for ligne, action in neuves
            if journal is not ReportEcheance or action.echeance is not None
        ]
        journal.ecrire_ensemble(premieres, auteur=auteur, lot=lot, projeter=False)
    liens.ajouter((lien for ligne, action in neuves for lien in _liens(ligne, action)), auteur)
    type_d_objet = ContentType.objects.get_for_model(Action)
    LigneDeLot.objects.bulk_create(
        LigneDeLot(lot=lot, type_d_objet=type_d_objet, id_objet=action.pk, champ=CREATION, apres=action.numero)
        for _, action in neuves
    )


# Ce que chaque journal dit d'une action neuve.
_PREMIERES_LIGNES: dict[type[JournalDAction], Callable[[Action], dict[str, Any]]] = {
    PresenceAuPlan: lambda action: {"mouvement": action.presence},
    ChangementDeStatut: lambda action: {"statut": action.statut, "avancement": action.avancement},
    ReportEcheance: lambda action: {"echeance": action.echeance, "precision": action.echeance_precision},
}


def _action_neuve(ligne: LigneComparee, plan: Plan) -> Action:
    """L'action et l'état que ses premières lignes de journal lui donneront."""
    donnees = {champ: valeur for champ, valeur in ligne.valeurs.items() if valeur is not None}
    propres = {
        champ: valeur
        for champ, valeur in donnees.items()
        if champ not in LIBELLES_DES_JOURNAUX and champ not in LIBELLES_DES_LIENS
    }
    action = Action(plan=plan, **propres)
    action.statut = donnees.get("statut", Statut.NON_INITIEE)
    action.avancement = avancement_a_ecrire(action.statut, donnees.get("avancement"))
    action.presence = Mouvement.ENTREE
    etat = etat_de_l_echeance(donnees.get("echeance"))
    action.echeance, action.echeance_precision = etat["echeance"], etat["precision"]
    return action


def _liens(ligne: LigneComparee, action: Action) -> list[liens.Lien]:
    return liens.liens_neufs(action, ligne.valeurs.get("partenaires") or {}, ligne.valeurs.get("references") or [])
