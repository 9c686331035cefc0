"""Un fichier de DECP déposé sur le site : gardé en base par morceaux, importé par l'ouvrier."""

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.core.files.uploadedfile import UploadedFile
from django.db import DatabaseError, transaction
from django_tasks import task

from comptes.droits import Droit, peut
from comptes.models import Utilisateur
from marches.decp.contrats import FichierIllisible
from marches.importation import mener
from marches.imports import ImportDecp, MorceauDeFichier
from marches.listes import EtatDImport

MO = 1 << 20
# Le fichier attend en base : au-delà, la commande `importer_decp` lit du disque sans rien recopier.
TAILLE_MAX = 200 * MO
A_FAIRE = (EtatDImport.DEPOSE, EtatDImport.LECTURE, EtatDImport.INTERROMPU)

INCOMPLET = "Le dépôt s'est arrêté avant la fin : déposez le fichier de nouveau."
DROIT_RETIRE = "Rien n'est importé : le droit d'importer a été retiré à la personne qui a déposé ce fichier."


def deposer(fichier: UploadedFile, *, sirens: Sequence[str], par: Utilisateur) -> ImportDecp:
    """Garde le fichier et le confie à l'ouvrier. Le même, de la même personne, qui attend encore : une seule fois."""
    sha256 = hashlib.sha256()
    for octets in fichier.chunks(MO):
        sha256.update(octets)
    attendu = {"sha256": sha256.hexdigest(), "sirens": sorted(sirens), "auteur": par, "etat__in": A_FAIRE}
    if deja := ImportDecp.objects.filter(**attendu).first():
        return deja
    nom = " ".join((fichier.name or "fichier").split())[:200]
    depot = ImportDecp.objects.create(
        nom=nom, sha256=sha256.hexdigest(), taille=fichier.size or 0, sirens=sorted(sirens), auteur=par
    )
    # Morceau par morceau : un grand fichier ne tient pas les autres écrivains en attente.
    for rang, octets in enumerate(fichier.chunks(MO)):
        MorceauDeFichier.objects.create(import_decp=depot, rang=rang, octets=octets)
    importer_le_depot.enqueue(depot.pk)
    return depot


def reprendre(depot: ImportDecp) -> None:
    """Remet en file un import arrêté en route ; sans danger si l'ouvrier y travaillait encore."""
    with transaction.atomic():
        pris = ImportDecp.objects.select_for_update().filter(pk=depot.pk, etat__in=A_FAIRE).first()
        if pris is not None and pris.morceaux.exists():
            importer_le_depot.enqueue(pris.pk)


@task()
def importer_le_depot(pk: int) -> None:
    """Rassemble les morceaux et importe. Ce qui arrête l'import se lit sur la ligne de celui-ci."""
    depot = ImportDecp.objects.filter(pk=pk, etat__in=A_FAIRE).select_related("auteur").first()
    if depot is None:
        return
    if depot.auteur is None or not peut(depot.auteur, Droit.IMPORTER):
        _refuser(depot, DROIT_RETIRE)
        return
    with NamedTemporaryFile() as fichier:
        for octets in _octets(depot):
            fichier.write(octets)
        fichier.flush()
        if fichier.tell() != depot.taille:
            _refuser(depot, INCOMPLET)
            return
        with contextlib.suppress(FichierIllisible, DatabaseError, OSError):
            mener(depot, Path(fichier.name))
    if depot.etat not in A_FAIRE:
        _oublier_le_fichier(depot)


def _octets(depot: ImportDecp) -> Iterator[bytes]:
    for morceau in depot.morceaux.order_by("rang").iterator(chunk_size=1):
        yield bytes(morceau.octets)


def _refuser(depot: ImportDecp, message: str) -> None:
    depot.etat, depot.message = EtatDImport.REFUSE, message
    depot.save(update_fields=["etat", "message"])
    _oublier_le_fichier(depot)


def _oublier_le_fichier(depot: ImportDecp) -> None:
    """Son nom et son empreinte suffisent. Un morceau à la fois : effacer 200 Mo ferait attendre tout le monde."""
    for pk in list(depot.morceaux.values_list("pk", flat=True)):
        depot.morceaux.filter(pk=pk).delete()
