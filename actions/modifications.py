"""Changer plusieurs champs d'une action d'un seul geste.

Grille, changement en nombre, classeur, réaffectation : tous passent ici, pour que les règles d'un champ, ses journaux
et son historique soient les mêmes par tous les chemins. Les droits se vérifient chez l'appelant (`champs_permis`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from actions import liens
from actions.champs import LIBELLES_DES_JOURNAUX, LIBELLES_DES_LIENS, Ecart, ecarts, pour_le_lot
from actions.creation import avancement_a_ecrire
from actions.models import Action
from actions.requetes import CHAMPS_PROJETES
from comptes.gestes import LigneDeLot, Lot
from socle.echeances import Echeance
from socle.modeles import ConflitDeVersion

if TYPE_CHECKING:
    from comptes.models import Utilisateur

# Champ d'un lot qui dit qu'une action y est née : défaire le lot la retire du plan.
CREATION = "creation"


@dataclass(frozen=True)
class Signature:
    """Ce qu'un changement dit de lui-même. `date_effet` vide : aujourd'hui. `motif` : celui d'un report d'échéance."""

    auteur: "Utilisateur"
    date_effet: date | None = None
    commentaire: str = ""
    motif: str = ""
    lot: Lot | None = None
    insere_avant: int | None = None


def modifier(
    action: Action, valeurs: Mapping[str, Any], signature: Signature, *, version: int | None = None
) -> list[Ecart]:
    """Donne ces valeurs à l'action, et rend ce qui a changé ; tout, ou rien de cette action.

    `valeurs` : par nom de champ (`actions.champs.LIBELLES`). Ce qui est déjà ainsi ne s'écrit pas : le même envoi reçu
    deux fois ne fait rien de plus. `version` : celle que l'auteur avait sous les yeux, si elle compte. Avec un lot,
    chaque champ changé y est noté, avant et après.

    Lève ConflitDeVersion, SaisieTardive ou ValidationError, dont les clés sont des noms de champs.
    """
    with transaction.atomic():
        actuelle = action.verrouillee()
        trouves = ecarts(actuelle, valeurs)
        if not trouves:
            return []
        if version is not None and actuelle.version != version:
            raise ConflitDeVersion(actuelle)
        _ecrire_la_fiche(actuelle, trouves, signature)
        _ecrire_les_journaux(actuelle, trouves, signature)
        if signature.lot is not None:
            noter_au_lot(signature.lot, actuelle, trouves)
    return trouves


def noter_au_lot(lot: Lot, action: Action, changes: Sequence[Ecart]) -> None:
    """Garde l'avant et l'après de chaque champ : de quoi défaire le lot."""
    LigneDeLot.objects.bulk_create(lignes_de_lot(lot, action, changes))


def lignes_de_lot(lot: Lot, action: Action, changes: Sequence[Ecart]) -> list[LigneDeLot]:
    type_d_objet = ContentType.objects.get_for_model(Action)
    return [
        LigneDeLot(
            lot=lot,
            type_d_objet=type_d_objet,
            id_objet=action.pk,
            champ=ecart.champ,
            avant=pour_le_lot(ecart.champ, ecart.avant),
            apres=pour_le_lot(ecart.champ, ecart.apres),
        )
        for ecart in changes
    ]


def noter_la_creation(lot: Lot, action: Action) -> None:
    """Note qu'une action est née dans ce lot."""
    LigneDeLot.objects.create(
        lot=lot,
        type_d_objet=ContentType.objects.get_for_model(Action),
        id_objet=action.pk,
        champ=CREATION,
        apres=action.numero,
    )


def _ecrire_la_fiche(action: Action, trouves: list[Ecart], signature: Signature) -> None:
    """Les colonnes de l'action et ses liens : un seul enregistrement, donc une seule ligne d'historique."""
    propres = [ecart for ecart in trouves if ecart.champ not in LIBELLES_DES_JOURNAUX]
    if not propres:
        return
    for ecart in propres:
        if ecart.champ not in LIBELLES_DES_LIENS:
            setattr(action, ecart.champ, ecart.apres)
    # Ce qui ne change pas a été vérifié en son temps : le revérifier coûterait dix requêtes par action.
    action.full_clean(exclude=CHAMPS_PROJETES | action.hors_de_cause({ecart.champ for ecart in propres}))
    # Hors d'une demande du navigateur (ouvrier, commande), l'historique ne saurait pas qui.
    action._history_user = signature.auteur  # type: ignore[attr-defined]
    action.save()
    for ecart in propres:
        if ecart.champ in LIBELLES_DES_LIENS:
            neufs = liens.retirer_et_changer(action, ecart, signature.auteur)
            for lien in neufs:
                lien.full_clean()
            liens.ajouter(neufs, signature.auteur)


def _ecrire_les_journaux(action: Action, trouves: list[Ecart], signature: Signature) -> None:
    demandes = {ecart.champ: ecart.apres for ecart in trouves}
    date_effet = signature.date_effet or timezone.localdate()
    communs: dict[str, Any] = {
        "auteur": signature.auteur,
        "date_effet": date_effet,
        "lot": signature.lot,
        "insere_avant": signature.insere_avant,
    }
    if "statut" in demandes or "avancement" in demandes:
        statut = demandes.get("statut", action.statut)
        if statut is None:
            raise ValidationError({"statut": "Un statut connu ne s'efface pas : choisissez-en un."})
        repris = action.avancement if "statut" not in demandes else None
        avancement = demandes.get("avancement", repris)
        action.changer_statut(
            statut,
            avancement=avancement_a_ecrire(statut, avancement),
            commentaire=signature.commentaire,
            version=_version(action),
            **communs,
        )
    if "echeance" in demandes:
        voulue: Echeance | None = demandes["echeance"]
        action.reporter_echeance(voulue, motif=signature.motif, version=_version(action), **communs)


def _version(action: Action) -> int:
    """Sous le verrou déjà pris, la version que nos propres écritures ont fait avancer."""
    return Action.objects.values_list("version", flat=True).get(pk=action.pk)
