"""Écrire au registre : chaque geste dans une transaction, une fois, signé dans l'historique."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction

from marches.consultations import Consultation, LotDeConsultation
from marches.recalculs import registre_change
from marches.regles_du_registre import objections_au_lot
from socle.modeles import ConflitDeVersion

if TYPE_CHECKING:
    from comptes.models import Utilisateur

DERNIER_LOT = "Une consultation garde au moins un lot : modifiez celui-ci, ou dites-le abandonné avant publication."


def creer(valeurs: dict[str, Any], lots: Sequence[dict[str, Any]], *, auteur: "Utilisateur") -> Consultation:
    """Voir `ConsultationQuerySet.creer`."""
    consultation = Consultation(**valeurs)
    with transaction.atomic():
        if deja := _deja_creee(consultation, lots, auteur):
            return deja
        consultation.full_clean()
        _signer(consultation, auteur)
        for rang, de_lot in enumerate(lots or [{}], start=1):
            lot = LotDeConsultation(consultation=consultation, **{"numero": str(rang), **de_lot})
            try:
                lot.full_clean()
            except ValidationError as refus:
                raise ValidationError({f"lot-{champ}": m for champ, m in refus.message_dict.items()}) from refus
            _signer(lot, auteur)
        registre_change()
    return consultation


def _deja_creee(nouvelle: Consultation, lots: Sequence[dict[str, Any]], auteur: "Utilisateur") -> Consultation | None:
    """La même, que la même personne vient d'écrire : un envoi reçu deux fois."""
    deja = Consultation.objects.filter(siren=nouvelle.siren, numero=nouvelle.numero).first()
    if deja is None or deja.version != 1 or deja.history.first().history_user != auteur:
        return None
    ecrits = list(deja.lots.all())
    memes = _memes(deja, _dits(nouvelle)) and len(ecrits) == len(lots or [{}])
    return deja if memes and all(_memes(e, d) for e, d in zip(ecrits, lots, strict=False)) else None


def _dits(consultation: Consultation) -> dict[str, Any]:
    sans = {"id", "version", "recherche"}
    return {
        c.attname: getattr(consultation, c.attname) for c in consultation._meta.concrete_fields if c.name not in sans
    }


def _memes(ligne: Any, valeurs: dict[str, Any]) -> bool:
    return all(getattr(ligne, champ) == valeur for champ, valeur in valeurs.items())


def _signer(ligne: Any, auteur: "Utilisateur | None", champs: Sequence[str] | None = None) -> None:
    ligne._history_user = auteur
    ligne.save(update_fields=champs)


def modifier(
    ligne: "Consultation | LotDeConsultation", valeurs: dict[str, Any], *, auteur: "Utilisateur", version: int
) -> bool:
    """Donne ces valeurs à la ligne relue sous verrou ; faux si elle les avait déjà. `ligne` est mise à jour.

    Lève ConflitDeVersion, ValidationError ; rien n'est alors écrit.
    """
    with transaction.atomic():
        _verrouiller_la_consultation(ligne)
        actuelle = ligne.verrouillee()
        if _memes(actuelle, valeurs):
            return False
        if actuelle.version != version:
            raise ConflitDeVersion(actuelle)
        for champ, valeur in valeurs.items():
            setattr(actuelle, champ, valeur)
        actuelle.full_clean()
        if isinstance(actuelle, Consultation):
            verifier_les_lots(actuelle)
        _signer(actuelle, auteur, list(valeurs))
        registre_change()
    for champ in (*valeurs, "version"):
        setattr(ligne, champ, getattr(actuelle, champ))
    return True


def _verrouiller_la_consultation(ligne: "Consultation | LotDeConsultation") -> None:
    """Avant le lot : ses dates se comparent à celles de sa consultation."""
    if isinstance(ligne, LotDeConsultation):
        list(Consultation._base_manager.select_for_update(no_key=True).filter(pk=ligne.consultation_id).only("pk"))


def verifier_les_lots(consultation: Consultation) -> None:
    """Une date de la consultation déplacée peut passer après la suite d'un lot."""
    for lot in consultation.lots.all():
        for champ, _ in objections_au_lot(lot, consultation):
            if champ == "date_de_suite":
                raise ValidationError({"lancee_le": f"Le lot {lot.numero} a reçu sa suite avant cette date."})


def ajouter_un_lot(consultation: Consultation, valeurs: dict[str, Any], *, auteur: "Utilisateur") -> LotDeConsultation:
    """Voir `Consultation.ajouter_un_lot`."""
    with transaction.atomic():
        consultation.verrouillee()
        lot = LotDeConsultation(consultation=consultation, **valeurs)
        deja = consultation.lots.filter(numero=lot.numero).first()
        if deja and deja.version == 1 and _memes(deja, valeurs) and deja.history.first().history_user == auteur:
            return deja
        lot.full_clean()
        _signer(lot, auteur)
        registre_change()
    return lot


def retirer_le_lot(lot: LotDeConsultation, *, auteur: "Utilisateur") -> None:
    """Voir `LotDeConsultation.retirer` ; déjà ôté, rien de plus."""
    with transaction.atomic():
        _verrouiller_la_consultation(lot)
        actuel = LotDeConsultation.objects.filter(pk=lot.pk).first()
        if actuel is None:
            return
        if not LotDeConsultation.objects.filter(consultation=lot.consultation_id).exclude(pk=lot.pk).exists():
            raise ValidationError(DERNIER_LOT)
        actuel._history_user = auteur  # type: ignore[attr-defined]
        actuel.delete()
        registre_change()
