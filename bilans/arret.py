"""Arrêter un bilan, le rouvrir, le publier : les seules écritures d'un bilan, hors ses textes."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from actions.models import Plan
from bilans.bilan import Bilan, EtatDeBilan
from bilans.contenu.canonique import ecrire, empreinte
from bilans.contenu.composition import Arret, composer
from bilans.contenu.schema import SCHEMA
from bilans.impression import demander_le_pdf_arrete
from bilans.versions import VersionDeBilan
from comptes.droits import Droit, exiger
from comptes.gestes import Geste
from comptes.traces import tracer
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


def arreter(
    plan: Plan,
    annee: int,
    *,
    auteur: "Utilisateur",
    attendue: int,
    version: int | None = None,
    le: datetime | None = None,
) -> VersionDeBilan:
    """Garde l'état du plan au 31 décembre, tel que saisi à cet instant, et les textes du bilan.

    `attendue` : le rang que la page annonçait ; arrêter deux fois (double clic) rend la même version. `version` :
    celle du bilan que la page montrait, donc de ses textes ; None : quelle qu'elle soit. `le` n'est donné que pour
    reprendre un historique. Lève PermissionDenied, ValidationError (année en cours, bilan déjà arrêté),
    ConflitDeVersion ; rien n'est alors écrit.
    """
    exiger(auteur, Droit.VALIDER)
    with transaction.atomic():
        _figer_la_lecture()
        bilan = sous_verrou(plan, annee)
        arretee = derniere_version(bilan)
        rang = arretee.rang + 1 if arretee else 1
        if arretee and arretee.rang == attendue and bilan.rouvert_le is None:
            return arretee
        _verifier(bilan, arretee)
        if rang != attendue or version not in (None, bilan.version):
            raise ConflitDeVersion(bilan)
        nouvelle = _composer_la_version(bilan, Arret(le or timezone.now(), rang, bilan.motif_de_reouverture), auteur)
        nouvelle.full_clean()
        nouvelle.save()
        bilan.rouvert_le, bilan.motif_de_reouverture = None, ""
        bilan._history_user = auteur  # type: ignore[attr-defined]
        bilan._history_date = nouvelle.arretee_le  # type: ignore[attr-defined]
        bilan.save(update_fields=["rouvert_le", "motif_de_reouverture"])
        demander_le_pdf_arrete(nouvelle, par=auteur)
        tracer(Geste.BILAN, auteur, str(bilan), details={"fait": "arrêté", "version": rang})
    return nouvelle


def _composer_la_version(bilan: Bilan, arret: Arret, auteur: "Utilisateur") -> VersionDeBilan:
    compose = composer(bilan, arret)
    interne, public = ecrire(compose.interne), ecrire(compose.public)
    return VersionDeBilan(
        bilan=bilan,
        rang=arret.rang,
        schema=SCHEMA,
        arretee_le=arret.le,
        auteur=auteur,
        motif=arret.motif,
        contenu_interne=interne,
        empreinte_interne=empreinte(interne),
        contenu_public=public,
        empreinte_publique=empreinte(public),
    )


def _figer_la_lecture() -> None:
    """Le contenu se compose en une vingtaine de requêtes : toutes lisent le même état, quoi que d'autres écrivent.

    Sur SQLite, la transaction IMMEDIATE suffit. Sur PostgreSQL, la première lecture fige l'état ; on attend donc
    avant elle (LOCK ne lit rien) qu'un autre arrêt ou une autre saisie du bilan s'achève, pour en voir l'issue. Une
    transaction ouverte par l'appelant ne le permet plus : la lecture y suit les écritures des autres.
    """
    if connection.vendor != "postgresql" or connection.savepoint_ids:
        return
    with connection.cursor() as curseur:
        curseur.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        curseur.execute(f"LOCK TABLE {connection.ops.quote_name(Bilan._meta.db_table)} IN EXCLUSIVE MODE")


def sous_verrou(plan: Plan, annee: int) -> Bilan:
    """Le bilan de cette année, enregistré s'il ne l'était pas encore, et verrouillé ; dans une transaction.

    Son plan est relu avec lui : celui de la page a pu changer depuis. Lève ValidationError pour une année absurde.
    """
    bilans = Bilan.objects.select_for_update(of=("self",)).select_related("plan").filter(plan=plan, annee=annee)
    bilan = bilans.first()
    if bilan is None:
        Bilan(plan=plan, annee=annee).clean_fields()
        Bilan.objects.get_or_create(plan=plan, annee=annee)
        bilan = bilans.get()
    return bilan


def _verifier(bilan: Bilan, arretee: VersionDeBilan | None) -> None:
    if not bilan.finie:
        raise ValidationError(f"L'année {bilan.annee} n'est pas finie : son bilan s'arrête à partir du 1er janvier.")
    if arretee and bilan.rouvert_le is None:
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
        rouvert = actuel.changer_sous_verrou(version, rouvert_le=timezone.now(), motif_de_reouverture=motif.strip())
        tracer(Geste.BILAN, auteur, str(bilan), details={"fait": "rouvert", "motif": motif.strip()})
    return rouvert


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
    return _changer(bilan, version, auteur, "publié", publie_le=timezone.localdate(), version_publiee=arretee)


def retirer_de_la_publication(bilan: Bilan, *, auteur: "Utilisateur", version: int) -> Bilan:
    """Le public ne le voit plus. Demandé deux fois : rien de plus.

    Lève PermissionDenied, ValidationError (rien n'est arrêté), ConflitDeVersion.
    """
    exiger(auteur, Droit.VALIDER)
    if derniere_version(bilan) is None:
        raise ValidationError("Ce bilan n'est pas arrêté : il n'y a rien à retirer de la publication.")
    return _changer(bilan, version, auteur, "retiré de la publication", publie_le=None, version_publiee=None)


def _changer(bilan: Bilan, version: int, auteur: "Utilisateur", fait: str, **valeurs: Any) -> Bilan:
    """`changer_sous_verrou`, et sa trace si quelque chose a changé."""
    with transaction.atomic():
        avant = bilan.verrouillee().version
        change = bilan.changer_sous_verrou(version, **valeurs)
        if change.version != avant:
            tracer(Geste.BILAN, auteur, str(bilan), details={"fait": fait})
    return change
