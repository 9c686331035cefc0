"""Défaire d'un geste ce qu'un geste a changé, champ par champ, sans rien reprendre à ceux qui sont passés depuis."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import transaction

from actions.champs import LIBELLES, LIBELLES_DES_JOURNAUX, Ecart, depuis_le_lot, en_clair, pour_le_lot, valeur_de
from actions.journaux import ChangementDeStatut, JournalDAction, ReportEcheance
from actions.models import Action
from actions.modifications import CREATION, Signature, modifier, noter_au_lot
from actions.statuts import Mouvement
from comptes.gestes import LigneDeLot, Lot

if TYPE_CHECKING:
    from comptes.models import Utilisateur

DEFAIT = "Lot défait."


@dataclass(frozen=True)
class Refus:
    """Un champ qu'on ne reprend pas, et pourquoi."""

    action: Action
    champ: str
    raison: str

    @property
    def libelle(self) -> str:
        return LIBELLES.get(self.champ, "Création")


@dataclass
class Defaisance:
    """Ce qu'on a pu défaire. `lot` : le nouveau lot, None si rien n'a pu l'être."""

    lot: Lot | None = None
    defaits: int = 0
    refus: list[Refus] = field(default_factory=list)


def defaire(lot: Lot, *, auteur: "Utilisateur") -> Defaisance:
    """Rend à chaque champ sa valeur d'avant le lot, s'il a encore celle que le lot lui a donnée ; refuse les autres.

    Une transaction. Le lot déjà défait rend le lot qui l'a défait, sans rien refaire. Les lignes de journal sont
    corrigées, jamais effacées ; une action née du lot est retirée du plan.
    """
    with transaction.atomic():
        actuel = Lot.objects.select_for_update(of=("self",)).get(pk=lot.pk)
        if actuel.defait_par is not None:
            return Defaisance(lot=actuel.defait_par)
        nouveau = Lot.objects.create(intitule=f"Annulation : {actuel.intitule}"[:200], auteur=auteur)
        resultat = Defaisance(lot=nouveau)
        for action, lignes in _par_action(actuel):
            _defaire_une_action(action, lignes, actuel, Signature(auteur, lot=nouveau), resultat)
        if not resultat.defaits:
            # Rien ne s'y est écrit : il n'a pas lieu d'être.
            nouveau.delete()
            resultat.lot = None
        else:
            actuel.defait_par = nouveau
            actuel.save(update_fields=["defait_par"])
    return resultat


def _par_action(lot: Lot) -> list[tuple[Action, dict[str, LigneDeLot]]]:
    """Les lignes du lot par action, dans l'ordre des clés : deux défaisances ne se croisent pas sur les verrous."""
    lignes: dict[int, dict[str, LigneDeLot]] = defaultdict(dict)
    for ligne in lot.lignes.filter(type_d_objet__app_label="actions", type_d_objet__model="action"):
        lignes[ligne.id_objet][ligne.champ] = ligne
    actions = Action.objects.in_bulk(list(lignes))
    return [(actions[pk], lignes[pk]) for pk in sorted(lignes)]


def _defaire_une_action(
    action: Action, lignes: dict[str, LigneDeLot], lot: Lot, signature: Signature, resultat: Defaisance
) -> None:
    actuelle = action.verrouillee()
    if CREATION in lignes:
        _retirer(actuelle, lot, signature, resultat)
        return
    propres: dict[str, Any] = {}
    for champ, ligne in lignes.items():
        if champ in LIBELLES_DES_JOURNAUX:
            continue
        present = valeur_de(actuelle, champ)
        if pour_le_lot(champ, present) != ligne.apres:
            _refuser(resultat, actuelle, champ, f"vaut maintenant « {en_clair(champ, present)} »")
            continue
        try:
            propres[champ] = depuis_le_lot(champ, ligne.avant)
        except (ObjectDoesNotExist, KeyError):
            _refuser(resultat, actuelle, champ, "la fiche d'avant n'existe plus")
    _rendre_les_champs(actuelle, propres, signature, resultat)
    if "statut" in lignes or "avancement" in lignes:
        _corriger(actuelle, ChangementDeStatut, ("statut", "avancement"), lignes, lot, signature, resultat)
    if "echeance" in lignes:
        _corriger(actuelle, ReportEcheance, ("echeance",), lignes, lot, signature, resultat)


def _rendre_les_champs(action: Action, valeurs: dict[str, Any], signature: Signature, resultat: Defaisance) -> None:
    """Ensemble, puis un par un si la fiche entière est refusée : un champ qui gêne n'arrête pas les autres."""
    if not valeurs:
        return
    try:
        with transaction.atomic():
            resultat.defaits += len(modifier(action, valeurs, signature))
    except ValidationError as erreur:
        if len(valeurs) == 1:
            _refuser(resultat, action, next(iter(valeurs)), " ".join(erreur.messages))
            return
        for champ, valeur in valeurs.items():
            _rendre_les_champs(action, {champ: valeur}, signature, resultat)


def _corriger(
    action: Action,
    journal: type[JournalDAction],
    champs: tuple[str, ...],
    lignes: dict[str, LigneDeLot],
    lot: Lot,
    signature: Signature,
    resultat: Defaisance,
) -> None:
    """Une ligne corrige celle du lot et reprend ce qui valait sans elle, si rien ne s'est inscrit depuis."""
    touches = [champ for champ in champs if champ in lignes]
    inscrites = journal.objects.filter(action=action)
    derniere = inscrites.order_by("-pk").first()
    if derniere is None or derniere.lot_id != lot.pk:
        for champ in touches:
            present = en_clair(champ, valeur_de(action, champ))
            _refuser(resultat, action, champ, f"a changé depuis : vaut maintenant « {present} »")
        return
    # Une correction a effacé la ligne qu'elle corrige : c'est celle-là qui valait avant elle.
    avant = derniere.annule or inscrites.exclude(pk=derniere.pk).en_vigueur(derniere.date_effet).first()
    if avant is None and journal is ChangementDeStatut:
        for champ in touches:
            _refuser(resultat, action, champ, "aucun statut n'était connu avant")
        return
    reprises = avant.valeurs if avant is not None else dict.fromkeys(journal.PROJECTION)
    present_avant = {champ: valeur_de(action, champ) for champ in touches}
    derniere.corriger(auteur=signature.auteur, commentaire=DEFAIT, lot=signature.lot, **reprises)
    action.refresh_from_db()
    changes = [Ecart(champ, present_avant[champ], valeur_de(action, champ)) for champ in touches]
    if signature.lot is not None:
        noter_au_lot(signature.lot, action, changes)
    resultat.defaits += len(touches)


def _retirer(action: Action, lot: Lot, signature: Signature, resultat: Defaisance) -> None:
    """Une action ne s'efface pas : née d'un lot défait, elle sort du plan."""
    if action.presence == Mouvement.RETRAIT:
        _refuser(resultat, action, CREATION, "elle est déjà retirée du plan")
        return
    motif = f"{DEFAIT} {lot.intitule}"[:300]
    try:
        with transaction.atomic():
            action.retirer(auteur=signature.auteur, version=action.version, motif=motif)
    except ValidationError as erreur:
        _refuser(resultat, action, CREATION, " ".join(erreur.messages))
        return
    resultat.defaits += 1


def _refuser(resultat: Defaisance, action: Action, champ: str, raison: str) -> None:
    resultat.refus.append(Refus(action, champ, raison))
