"""Importer un classeur d'indicateurs : gardé, signé, dans la page de l'aperçu ; écrit en entier ou pas du tout."""

import base64
import binascii
from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from django.core import signing
from django.core.exceptions import ValidationError
from django.db import transaction

from comptes.gestes import Geste
from comptes.models import Utilisateur
from comptes.traces import tracer
from indicateurs.classeur.apercu import Apercu, etudier
from indicateurs.classeur.lecture import lire_le_fichier
from indicateurs.deplacements import Deplacement
from indicateurs.listes import OrigineDeValeur
from indicateurs.models import Indicateur
from indicateurs.saisie import saisir
from socle.modeles import ConflitDeVersion

_SEL = "indicateurs.import"
_DUREE = 3600


class DepotPerime(Exception):
    """L'aperçu a expiré, ou n'est pas de ce site : le fichier est à déposer de nouveau."""


class ApercuPerime(Exception):
    """Des valeurs ont changé depuis l'aperçu."""


class ImportRefuse(Exception):
    """Rien n'est écrit. `phrases` : pourquoi."""

    def __init__(self, phrases: list[str]) -> None:
        super().__init__(" ".join(phrases))
        self.phrases = phrases


@dataclass(frozen=True)
class Depot:
    """Un fichier déposé, et l'empreinte de ce qu'on en a montré. Rien n'en reste sur le serveur si l'on renonce."""

    nom: str
    contenu: bytes
    empreinte: str = ""

    @classmethod
    def signe(cls, texte: str) -> Self:
        try:
            nom, contenu, empreinte = signing.loads(texte, salt=_SEL, max_age=_DUREE)
            return cls(nom, base64.b64decode(contenu), empreinte)
        except (signing.BadSignature, binascii.Error, ValueError) as refus:
            raise DepotPerime from refus

    def signer(self, empreinte: str) -> str:
        contenu = base64.b64encode(self.contenu).decode()
        return signing.dumps([self.nom, contenu, empreinte], salt=_SEL, compress=True)

    def etudier(self, pris: Collection[str] = ()) -> Apercu:
        """Lève FichierIllisible."""
        return etudier(lire_le_fichier(self.nom, self.contenu), pris)


@dataclass(frozen=True)
class Import:
    """Ce qui a été écrit, et les taux que cela a fait bouger."""

    ecrites: int
    deplaces: list[Deplacement]


def appliquer(depot: Depot, pris: Collection[str], motif: str, *, par: Utilisateur) -> Import:
    """Écrit tout ce que l'aperçu annonçait, ou rien. Lève ApercuPerime, ImportRefuse, PermissionDenied."""
    with transaction.atomic():
        # Qui saisit attend ici la fin de l'import ; ce qui a été saisi juste avant se voit.
        list(Indicateur._base_manager.select_for_update(no_key=True).order_by("pk").only("pk"))
        apercu = depot.etudier(pris)
        if apercu.empreinte != depot.empreinte:
            raise ApercuPerime
        if apercu.refus or apercu.trop:
            raise ImportRefuse([apercu.trop] if apercu.trop else [str(refus) for refus in apercu.refus])
        deplaces = _ecrire(apercu, motif, par)
        fait = Import(len(apercu.a_ecrire), deplaces)
        if fait.ecrites:
            details = {"fichier": depot.nom[:200], "valeurs": fait.ecrites} | ({"motif": motif} if motif else {})
            tracer(Geste.IMPORT, par, "Indicateurs", details=details)
    return fait


def _ecrire(apercu: Apercu, motif: str, par: Utilisateur) -> list[Deplacement]:
    changees = {(ligne.indicateur.pk, ligne.annee) for ligne in apercu.a_ecrire}
    deplaces: list[Deplacement] = []
    for ligne in apercu.a_ecrire:
        try:
            saisie = saisir(
                ligne.indicateur,
                ligne.annee,
                ligne.changement.champs,
                auteur=par,
                version=ligne.changement.version,
                motif=motif,
                origine=OrigineDeValeur.CLASSEUR,
            )
        except ConflitDeVersion as conflit:
            raise ApercuPerime from conflit
        except ValidationError as refus:
            ou = ligne.changement.place_du_premier
            raise ImportRefuse([f"{ou} : {phrase}" for phrase in refus.messages]) from refus
        # Un taux du même classeur dit déjà ce qu'il devient.
        deplaces += [d for d in saisie.deplaces if (d.indicateur.pk, ligne.annee) not in changees]
    return deplaces
