"""Écrire ce qu'une comparaison annonce : un lot, dans la transaction de l'appelant, qui tient le plan sous verrou."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from actions.classeur.comparaison import Comparaison, LigneComparee, Sort
from actions.ecriture_groupee import GROUPABLES, modifier_ensemble
from actions.models import Action
from actions.modifications import Signature, modifier, noter_la_creation
from actions.plans import Plan
from actions.suivi import PartenaireDeLAction
from comptes.gestes import Lot

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
    """Le lot de tout ce qui est écrit ; None s'il n'y avait rien à écrire. Lève ValidationError ; rien n'est alors
    écrit, si l'appelant est dans une transaction."""
    lignes = comparaison.de_sort(*choix.sorts)
    if not lignes:
        return None
    lot = Lot.objects.create(intitule=intitule[:200], auteur=auteur)
    _changer([(ligne, ligne.action) for ligne in lignes if ligne.action is not None], choix, auteur, lot)
    _creer([ligne for ligne in lignes if ligne.action is None], plan, auteur, lot)
    return lot


def _changer(lignes: Sequence[tuple[LigneComparee, Action]], choix: Choix, auteur: "Utilisateur", lot: Lot) -> None:
    """D'un trait ce qui se groupe, le reste action par action."""
    ensemble: dict[tuple[date | None, str], dict[Action, Any]] = defaultdict(dict)
    for ligne, action in lignes:
        motif = ligne.motif or choix.motif
        if {ecart.champ for ecart in ligne.ecarts} <= GROUPABLES:
            ensemble[ligne.date_effet, motif][action] = ligne.ecarts
        else:
            signature = Signature(auteur, ligne.date_effet, motif=motif, lot=lot)
            modifier(action, {ecart.champ: ecart.apres for ecart in ligne.ecarts}, signature)
    for (jour, motif), ecarts in ensemble.items():
        modifier_ensemble(ecarts, Signature(auteur, jour, motif=motif, lot=lot))


def _creer(lignes: Sequence[LigneComparee], plan: Plan, auteur: "Utilisateur", lot: Lot) -> None:
    """Celles qui disent leur numéro d'abord : le rang suivant, donné aux autres, ne le leur prendra pas."""
    for ligne in sorted(lignes, key=lambda ligne: ligne.valeurs.get("numero") is None):
        valeurs = {champ: valeur for champ, valeur in ligne.valeurs.items() if valeur is not None}
        partenaires = valeurs.pop("partenaires", {})
        references = [_reference(texte) for texte in valeurs.pop("references", [])]
        action = Action.objects.creer(
            plan=plan, auteur=auteur, date_effet=ligne.date_effet, lot=lot, references=references, **valeurs
        )
        for partenaire, role in partenaires.items():
            PartenaireDeLAction.objects.create(action=action, partenaire=partenaire, role=role)
        noter_la_creation(lot, action)


def _reference(texte: str) -> SimpleNamespace:
    cadre, _, code = (partie.strip() for partie in texte.partition(":"))
    return SimpleNamespace(cadre=cadre, code=code)
