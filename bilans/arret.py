"""Arrêter un bilan, le rouvrir, le publier : les seules écritures d'un bilan, hors ses textes."""

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from actions.models import Plan
from bilans.bilan import Bilan, EtatDeBilan
from bilans.contenu.canonique import ecrire, empreinte
from bilans.contenu.composition import Arret, composer
from bilans.contenu.schema import SCHEMA
from bilans.versions import VersionDeBilan
from comptes.droits import Droit, exiger
from socle.modeles import ConflitDeVersion

if TYPE_CHECKING:
    from comptes.models import Utilisateur


def bilan_de(plan: Plan, annee: int) -> Bilan:
    """Le bilan de cette année ; pas encore enregistré si personne n'y a rien écrit."""
    return Bilan.objects.select_related("plan").filter(plan=plan, annee=annee).first() or Bilan(plan=plan, annee=annee)


def derniere_version(bilan: Bilan) -> VersionDeBilan | None:
    """Celle qui vaut : la dernière arrêtée."""
    return bilan.versions.order_by("-rang").first() if bilan.pk else None


def etat_de(bilan: Bilan, version: VersionDeBilan | None) -> EtatDeBilan:
    """`version` : la dernière arrêtée. Publié : le public voit cette version-là."""
    if version is None:
        return EtatDeBilan.BROUILLON
    if bilan.rouvert_le is not None:
        return EtatDeBilan.ROUVERT
    return EtatDeBilan.PUBLIE if bilan.version_publiee_id == version.pk else EtatDeBilan.ARRETE


def arreter(plan: Plan, annee: int, *, auteur: "Utilisateur", attendue: int) -> VersionDeBilan:
    """Garde l'état du plan au 31 décembre, tel que saisi à cet instant, et les textes du bilan.

    `attendue` : le rang que la page annonçait ; arrêter deux fois (double clic) rend la même version. Lève
    PermissionDenied, ValidationError (année en cours, bilan déjà arrêté), ConflitDeVersion ; rien n'est alors écrit.
    """
    exiger(auteur, Droit.VALIDER)
    with transaction.atomic():
        _figer_la_lecture()
        bilan = _sous_verrou(plan, annee)
        version = derniere_version(bilan)
        rang = version.rang + 1 if version else 1
        if version and version.rang == attendue and bilan.rouvert_le is None:
            return version
        if rang != attendue:
            raise ConflitDeVersion(bilan)
        _verifier(bilan, version)
        arret = Arret(timezone.now(), rang, bilan.motif_de_reouverture)
        compose = composer(bilan, arret)
        interne, public = ecrire(compose.interne), ecrire(compose.public)
        version = VersionDeBilan(
            bilan=bilan,
            rang=rang,
            schema=SCHEMA,
            arretee_le=arret.le,
            auteur=auteur,
            motif=arret.motif,
            contenu_interne=interne,
            empreinte_interne=empreinte(interne),
            contenu_public=public,
            empreinte_publique=empreinte(public),
        )
        version.full_clean()
        version.save()
        bilan.rouvert_le, bilan.motif_de_reouverture = None, ""
        bilan.save(update_fields=["rouvert_le", "motif_de_reouverture"])
    return version


def _figer_la_lecture() -> None:
    """Le contenu se compose en plusieurs requêtes : toutes doivent lire le même état, quoi que d'autres écrivent.

    Sur SQLite, la transaction IMMEDIATE suffit. Sur PostgreSQL il faut le demander, avant toute lecture ; une
    transaction ouverte par l'appelant l'interdit, et il lit alors au fil de l'eau.
    """
    if connection.vendor == "postgresql" and len(connection.savepoint_ids) == 0:
        with connection.cursor() as curseur:
            curseur.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def _sous_verrou(plan: Plan, annee: int) -> Bilan:
    bilan = bilan_de(plan, annee)
    if bilan.pk is None:
        bilan.full_clean()
        bilan.save()
    bilan = bilan.verrouillee()
    bilan.plan = plan
    return bilan


def _verifier(bilan: Bilan, version: VersionDeBilan | None) -> None:
    if not bilan.finie:
        raise ValidationError(f"L'année {bilan.annee} n'est pas finie : son bilan s'arrête à partir du 1er janvier.")
    if version and bilan.rouvert_le is None:
        raise ValidationError("Ce bilan est déjà arrêté. Rouvrez-le, en disant pourquoi, pour l'arrêter de nouveau.")


def rouvrir(bilan: Bilan, *, auteur: "Utilisateur", version: int, motif: str) -> Bilan:
    """Prépare une nouvelle version ; la précédente reste lisible, et publique si elle l'était.

    Lève PermissionDenied, ValidationError (rien n'est arrêté, motif vide), ConflitDeVersion.
    """
    exiger(auteur, Droit.VALIDER)
    if not motif.strip():
        raise ValidationError({"motif": "Dites pourquoi le bilan est rouvert."})
    if derniere_version(bilan) is None:
        raise ValidationError("Ce bilan n'est pas arrêté : il n'y a rien à rouvrir.")
    with transaction.atomic():
        actuel = bilan.verrouillee()
        if actuel.rouvert_le is not None and actuel.motif_de_reouverture == motif.strip():
            return actuel
        return actuel.changer_sous_verrou(version, rouvert_le=timezone.now(), motif_de_reouverture=motif.strip())


def publier(bilan: Bilan, *, auteur: "Utilisateur", version: int) -> Bilan:
    """Montre au public la dernière version arrêtée. Demandé deux fois : rien de plus.

    Lève PermissionDenied, ValidationError (rien n'est arrêté, bilan rouvert), ConflitDeVersion.
    """
    exiger(auteur, Droit.VALIDER)
    arretee = derniere_version(bilan)
    if arretee is None or bilan.rouvert_le is not None:
        raise ValidationError("Arrêtez d'abord le bilan : seul un bilan arrêté se publie.")
    if bilan.version_publiee_id == arretee.pk:
        return bilan
    return bilan.changer_sous_verrou(version, publie_le=timezone.localdate(), version_publiee=arretee)


def retirer_de_la_publication(bilan: Bilan, *, auteur: "Utilisateur", version: int) -> Bilan:
    """Le public ne le voit plus. Demandé deux fois : rien de plus. Lève PermissionDenied, ConflitDeVersion."""
    exiger(auteur, Droit.VALIDER)
    return bilan.changer_sous_verrou(version, publie_le=None, version_publiee=None)
