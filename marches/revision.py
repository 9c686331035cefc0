"""Corriger un contrat, revenir sur une correction, situer un établissement : les seules écritures de la revue.

L'enregistrement du fichier n'est jamais touché : la correction est à part, signée, motivée, et s'annule. Le contrat
s'écrit de nouveau, dans une génération suivante, puis les calculs se refont.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from marches.calculs.catalogue import Source
from marches.calculs.conservation import recalculer
from marches.generations import ecriture_des_contrats, publier
from marches.listes import ChampCorrige
from marches.models import Contrat, CorrectionDeContrat, LieuDEtablissement
from marches.tenue_des_contrats import raccorder

if TYPE_CHECKING:
    from comptes.models import Utilisateur

DEJA_CORRIGE = "Ce champ a déjà une correction\u00a0: annulez-la d'abord, sur la page du contrat."


def corriger(
    contrat: Contrat, champ: ChampCorrige, valeur: str, *, motif: str, auteur: "Utilisateur"
) -> CorrectionDeContrat:
    """La correction, appliquée. La même, reçue deux fois, ne s'écrit qu'une fois.

    Lève ValidationError si le champ a déjà une autre correction, ContratsOccupes si un import écrit.
    """

    def ecrire() -> CorrectionDeContrat | None:
        tenue = CorrectionDeContrat.objects.filter(souche=contrat.souche, champ=champ, annulee_le__isnull=True).first()
        if tenue is not None:
            if (tenue.valeur, tenue.motif, tenue.auteur) == (valeur, motif, auteur):
                return None
            raise ValidationError(DEJA_CORRIGE)
        if champ == ChampCorrige.DOUBLON:
            _exiger_un_original(contrat, valeur)
        nouvelle = CorrectionDeContrat(souche=contrat.souche, champ=champ, valeur=valeur, motif=motif, auteur=auteur)
        nouvelle.full_clean()
        nouvelle.save()
        return nouvelle

    _ecrire_et_montrer(contrat.groupe, ecrire)
    return CorrectionDeContrat.objects.get(souche=contrat.souche, champ=champ, annulee_le__isnull=True)


def _exiger_un_original(contrat: Contrat, souche: str) -> None:
    """Deux contrats doublons l'un de l'autre ne seraient plus comptés du tout."""
    original = Contrat.objects.en_vigueur().filter(souche=souche).exclude(souche=contrat.souche).first()
    if original is None or original.doublon:
        raise ValidationError("Choisissez un contrat compté, qui n'est pas lui-même un doublon.")
    if CorrectionDeContrat.objects.filter(
        champ=ChampCorrige.DOUBLON, valeur=str(contrat.souche), annulee_le__isnull=True
    ).exists():
        raise ValidationError("Un autre contrat est le doublon de celui-ci\u00a0: il doit rester compté.")


def annuler(correction: CorrectionDeContrat, *, auteur: "Utilisateur") -> None:
    """Le contrat redevient ce qu'en disent les fichiers, et les autres corrections. Déjà annulée : rien de plus."""
    contrat = Contrat.objects.filter(souche=correction.souche).order_by("-de", "-pk").first()

    def ecrire() -> CorrectionDeContrat | None:
        tenue = CorrectionDeContrat.objects.filter(pk=correction.pk, annulee_le__isnull=True).first()
        if tenue is not None:
            tenue.annulee_le, tenue.annulee_par = timezone.now(), auteur
            tenue.save(update_fields=["annulee_le", "annulee_par"])
        return tenue

    _ecrire_et_montrer(contrat.groupe if contrat else "", ecrire)


def _ecrire_et_montrer(groupe: str, ecrire: Callable[[], CorrectionDeContrat | None]) -> None:
    """Une génération par correction ; aucune si rien n'a été écrit."""
    with ecriture_des_contrats(attendre=False) as suivante, transaction.atomic():
        ecrite = ecrire()
        if ecrite is not None:
            raccorder(groupe, suivante)
            publier(suivante)
    if ecrite is not None:
        recalculer(sources=[Source.DECP])


def situer(siret: str, commune: str, *, source: str, auteur: "Utilisateur") -> LieuDEtablissement:
    """La commune d'un établissement, dite par quelqu'un : elle complète les fichiers, elle ne les remplace pas."""
    with transaction.atomic():
        lieu = LieuDEtablissement.objects.filter(siret=siret).first() or LieuDEtablissement(siret=siret)
        if (lieu.commune, lieu.source) == (commune, source):
            return lieu
        lieu.commune, lieu.source, lieu.auteur, lieu.le = commune, source, auteur, timezone.now()
        lieu.full_clean()
        lieu.save()
    recalculer(sources=[Source.DECP])
    return lieu
