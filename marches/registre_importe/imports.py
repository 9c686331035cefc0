"""Importer un registre : le fichier reste signé dans la page de qui l'importe ; tout s'écrit d'un bloc, ou rien.

Un import fait un `comptes.Lot` : une ligne par champ changé, avec l'avant et l'après, et une par objet créé.
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.db import IntegrityError, transaction
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from comptes.gestes import Geste, LigneDeLot, Lot
from comptes.models import Utilisateur
from comptes.traces import tracer
from marches.consultations import Consultation, LotDeConsultation
from marches.correspondances import CorrespondanceDeColonnes
from marches.listes import SorteDeFichier
from marches.mandats.correspondances import signature
from marches.recalculs import registre_change
from marches.registre_importe.colonnes import Correspondance, adapter, proposer
from marches.registre_importe.comparaison import Apercu, Changement, comparer
from marches.registre_importe.lecture import lire_les_lignes, ouvrir
from socle.tableaux import FichierIllisible, Tableau

_SEL = "marches.registre"
_DUREE = 3600
# En deçà de ce que Django accepte d'un formulaire (DATA_UPLOAD_MAX_MEMORY_SIZE), avec ce qui l'accompagne.
SIGNE_MAX = 2_300_000
CREATION = "creation"
PAR_TRANCHE = 500


class DepotPerime(Exception):
    """La page a expiré, ou n'est pas de ce site : le fichier est à déposer de nouveau."""


class ApercuPerime(Exception):
    """Le registre a changé depuis l'aperçu, ou le fichier est à corriger : rien n'est écrit."""


@dataclass(frozen=True)
class Depot:
    """Un fichier déposé, les colonnes choisies, et l'empreinte de ce qu'on en a montré."""

    nom: str
    contenu: bytes
    colonnes: dict[str, str] | None = None
    empreinte: str = ""

    @classmethod
    def signe(cls, texte: str) -> Self:
        """Lève DepotPerime."""
        try:
            nom, contenu, colonnes, empreinte = signing.loads(texte, salt=_SEL, max_age=_DUREE)
            return cls(nom, base64.b64decode(contenu), colonnes, empreinte)
        except (signing.BadSignature, binascii.Error, ValueError) as refus:
            raise DepotPerime from refus

    def signer(self, colonnes: Correspondance | None = None, empreinte: str = "") -> str:
        """Lève FichierIllisible si la page ne peut pas le porter."""
        contenu = base64.b64encode(self.contenu).decode()
        choisies = dict(colonnes) if colonnes is not None else self.colonnes
        signe = signing.dumps([self.nom, contenu, choisies, empreinte], salt=_SEL, compress=True)
        if len(signe) > SIGNE_MAX:
            raise FichierIllisible("C'est trop pour un seul import : importez le registre année par année.")
        return signe

    def ouvrir(self) -> Tableau:
        """Lève FichierIllisible."""
        return ouvrir(self.nom, self.contenu, titres_retenus())

    def etudier(self, colonnes: Correspondance, *, sous_verrou: bool = False) -> Apercu:
        """Lève FichierIllisible."""
        return comparer(lire_les_lignes(self.nom, self.ouvrir(), colonnes), sous_verrou=sous_verrou)


def titres_retenus() -> set[str]:
    """Les titres que quelqu'un a déjà dits être ceux d'une colonne : de quoi trouver la ligne des titres."""
    retenues = CorrespondanceDeColonnes.objects.filter(sorte=SorteDeFichier.REGISTRE)
    return {titre for colonnes in retenues.values_list("colonnes", flat=True) for titre in colonnes.values()}


def correspondance_pour(tableau: Tableau) -> tuple[dict[str, str], bool]:
    """Celle qu'on a retenue de ces en-têtes, sinon celle qu'on propose ; et si on l'avait retenue."""
    cle = {"sorte": SorteDeFichier.REGISTRE, "signature": signature(tableau.titres)}
    retenue = CorrespondanceDeColonnes.objects.filter(**cle).first()
    if retenue is None:
        return proposer(tableau.titres), False
    return adapter(retenue.colonnes, tableau.titres), True


# --- Écrire -------------------------------------------------------------------------------------


def appliquer(depot: Depot, *, par: Utilisateur) -> Lot | None:
    """Écrit tout ce que l'aperçu annonçait ; None s'il n'y a plus rien à écrire.

    Lève ApercuPerime, FichierIllisible.
    """
    colonnes = depot.colonnes or {}
    try:
        with transaction.atomic():
            apercu = depot.etudier(colonnes, sous_verrou=True)
            if apercu.vide:
                return None
            if apercu.refus or apercu.empreinte != depot.empreinte:
                raise ApercuPerime
            lot = Lot.objects.create(intitule=f"Import du registre « {depot.nom} »"[:200], auteur=par)
            _ecrire(apercu, lot, par)
            registre_change()
            retenir_les_colonnes(depot.ouvrir(), colonnes, par)
            details = {"fichier": depot.nom[:200], "lignes": apercu.lues, "lot": lot.pk}
            tracer(Geste.IMPORT, par, "Registre", details=details)
    except IntegrityError as refus:
        # Quelqu'un vient de créer la même consultation.
        raise ApercuPerime from refus
    return lot


def retenir_les_colonnes(tableau: Tableau, colonnes: Correspondance, par: Utilisateur) -> None:
    CorrespondanceDeColonnes.objects.update_or_create(
        sorte=SorteDeFichier.REGISTRE,
        signature=signature(tableau.titres),
        defaults={"colonnes": dict(colonnes), "par": par},
    )


def _ecrire(apercu: Apercu, lot: Lot, par: Utilisateur) -> None:
    raison = str(lot)[:100]
    for modele, changements in ((Consultation, apercu.consultations), (LotDeConsultation, apercu.lots)):
        _creer(modele, [c.objet for c in changements if c.cree], par, raison)
        modifies = [c for c in changements if not c.cree]
        enregistrer_en_masse(modele, [c.objet for c in modifies], {n for c in modifies for n in c.champs}, par, raison)
    LigneDeLot.objects.bulk_create(_lignes(apercu.changements, lot), batch_size=PAR_TRANCHE)


def _creer(modele: Any, objets: list[Any], par: Utilisateur, raison: str) -> None:
    """Un lot connaît sa consultation avant qu'elle ait sa clé."""
    for objet in objets:
        if modele is LotDeConsultation:
            objet.consultation = objet.consultation
    bulk_create_with_history(objets, modele, batch_size=PAR_TRANCHE, default_user=par, default_change_reason=raison)


def enregistrer_en_masse(modele: Any, objets: list[Any], champs: Iterable[str], par: Utilisateur, raison: str) -> None:
    """Chaque ligne avance d'une version, et son historique garde qui et pourquoi."""
    if not objets:
        return
    for objet in objets:
        objet.version += 1
    bulk_update_with_history(
        objets,
        modele,
        [*sorted(champs), "version"],
        batch_size=PAR_TRANCHE,
        default_user=par,
        default_change_reason=raison,
    )


def _lignes(changements: Iterable[Changement], lot: Lot) -> list[LigneDeLot]:
    lignes = []
    for changement in changements:
        objet = changement.objet
        cle = {"lot": lot, "type_d_objet": ContentType.objects.get_for_model(objet), "id_objet": objet.pk}
        if changement.cree:
            lignes.append(LigneDeLot(champ=CREATION, avant=None, apres=str(objet), **cle))
        else:
            lignes += [
                LigneDeLot(
                    champ=nom,
                    avant=pour_le_lot(objet, nom, avant),
                    apres=pour_le_lot(objet, nom, getattr(objet, nom)),
                    **cle,
                )
                for nom, avant in changement.champs.items()
            ]
    return lignes


def pour_le_lot(objet: Any, nom: str, valeur: Any) -> Any:
    """Ce qu'une ligne de lot garde d'une valeur : un texte, un entier, la clé d'un service."""
    if valeur is None or isinstance(valeur, str | int):
        return valeur
    return valeur.pk if objet._meta.get_field(nom).is_relation else str(valeur)
