"""Tirer un document : le prendre, le dessiner hors de toute transaction, garder ses octets une seule fois.

Deux ouvriers sur le même tirage ne font rien de pire que deux fois le travail : le dernier à finir n'écrit rien.
"""

import logging
import time

from django.db import transaction
from django.utils import timezone
from django_tasks import task

from bilans.contenu.canonique import empreinte
from bilans.contenu.composition import composer
from bilans.contenu.schema import BilanLu, Portee, SchemaInconnu, lire
from bilans.rendu_pdf import ImpressionImpossible, Suivi, imprimer
from bilans.tirages import EtatDeTirage, Tirage
from bilans.versions import PdfDeVersion

_journal = logging.getLogger(__name__)

A_FAIRE = (EtatDeTirage.DEMANDE, EtatDeTirage.EN_COURS)
# Entre deux écritures de la progression, en secondes : la page se relit toutes les deux.
CADENCE = 0.5

PANNE = "Le document n'a pas pu être fait. Redemandez-le, et prévenez l'administrateur du site si cela recommence."


@task()
def tirer(pk: int) -> None:
    """Par l'ouvrier ; recommence du début si un autre s'y est arrêté."""
    executer(pk)


def executer(pk: int) -> None:
    """Fait le document de ce tirage. Ce qui l'empêche se lit sur le tirage, en une phrase."""
    tirage = _prendre(pk)
    if tirage is None:
        return
    try:
        _ranger(pk, _dessiner(tirage))
    except (ImpressionImpossible, SchemaInconnu) as refus:
        _clore(pk, EtatDeTirage.ECHEC, message=str(refus))
    except Exception:
        _journal.exception("Tirage %s", pk)
        _clore(pk, EtatDeTirage.ECHEC, message=PANNE)


def _prendre(pk: int) -> Tirage | None:
    with transaction.atomic():
        a_faire = Tirage.objects.select_for_update(of=("self",)).filter(pk=pk, etat__in=A_FAIRE)
        tirage = a_faire.select_related("bilan__plan", "version").first()
        if tirage is not None:
            tirage.etat, tirage.progression, tirage.message = EtatDeTirage.EN_COURS, 0, ""
            tirage.save(update_fields=["etat", "progression", "message"])
    return tirage


def _dessiner(tirage: Tirage) -> bytes:
    version = tirage.version
    if version is None:
        brouillon = lire(composer(tirage.bilan).de(Portee.PUBLIQUE))
        return imprimer(brouillon, suivre=_noter_sur(tirage.pk))
    deja = PdfDeVersion.objects.filter(version=version).first()
    if deja is not None:
        return deja.octets
    lu: BilanLu = version.lu(Portee.PUBLIQUE)
    return imprimer(lu, empreinte=version.empreinte_publique, suivre=_noter_sur(tirage.pk))


def _noter_sur(pk: int) -> Suivi:
    """Écrit où en est le dessin, pas plus souvent que `CADENCE` ; chaque écriture est sa propre transaction."""
    derniere = 0.0

    def noter(part: int, phrase: str) -> None:
        nonlocal derniere
        if time.monotonic() - derniere >= CADENCE:
            derniere = time.monotonic()
            encore = Tirage.objects.filter(pk=pk, etat=EtatDeTirage.EN_COURS)
            encore.update(progression=part, message=phrase)

    return noter


def _ranger(pk: int, octets: bytes) -> None:
    """Les octets du PDF d'une version vont avec elle, une fois pour toutes ; les autres restent sur le tirage."""
    with transaction.atomic():
        tirage = Tirage.objects.select_for_update(of=("self",)).select_related("version").get(pk=pk)
        if tirage.etat != EtatDeTirage.EN_COURS:
            return
        if tirage.version is None:
            tirage.contenu = octets
        else:
            ranges = {"contenu": octets, "empreinte": empreinte(octets)}
            PdfDeVersion.objects.get_or_create(version=tirage.version, defaults=ranges)
        tirage.etat, tirage.progression, tirage.message = EtatDeTirage.PRET, 100, ""
        tirage.fini_le = timezone.now()
        tirage.save()


def _clore(pk: int, etat: EtatDeTirage, *, message: str) -> None:
    en_cours = Tirage.objects.filter(pk=pk, etat=EtatDeTirage.EN_COURS)
    en_cours.update(etat=etat, message=message, fini_le=timezone.now())
