"""Des contrats à leur consultation : ce que le site suggère, ce qu'une personne confirme, réunit, sépare ou détache.

Une suggestion se refait à chaque import ; une consultation confirmée garde ses contrats, quoi qu'il arrive ensuite.
Les DECP n'ont ni numéro de consultation ni numéro de lot : un nombre de suggestions est une estimation.
"""

import re
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction

from marches.achats import est_un_siret
from marches.calculs.catalogue import Source
from marches.calculs.chargement import contrats as lignes_de
from marches.calculs.conservation import recalculer
from marches.calculs.regroupement import Groupe, regrouper
from marches.listes import Suite
from marches.models import Consultation, Contrat, ContratDeConsultation
from marches.tenue_du_registre import creer

if TYPE_CHECKING:
    from comptes.models import Utilisateur

_LOT = re.compile(r"\blots?\s*(?:n\s*[°.o]?\s*)?\d.*$", re.IGNORECASE | re.DOTALL)
_BORDS = " -–—:;,./_"
# En deçà, ce que des identifiants ont en commun ne nomme rien.
PREFIXE_UTILE = 5


@dataclass(frozen=True)
class Suggestion:
    """Une consultation estimée et ses contrats, par date de notification."""

    contrats: Sequence[Contrat]

    @property
    def cle(self) -> uuid.UUID:
        """Celle de son premier contrat."""
        return self.contrats[0].souche

    @property
    def objet(self) -> str:
        return objet_propose(self.contrats)

    @property
    def annee(self) -> int | None:
        return self.contrats[0].date.year if self.contrats[0].date else None


def contrats_de(sirens: Collection[str]) -> Any:
    return Contrat.objects.all().en_vigueur().de_l_acheteur(*sirens)


def suggestions(sirens: Collection[str], annee: int | None = None) -> list[Suggestion]:
    """Celles que personne n'a confirmées, dont le premier contrat est notifié cette année ; cinq requêtes."""
    retenus = [g for g in _groupes(sirens) if g.consultation is None and annee in (None, g.premiere.year)]
    par_cle = contrats_de(sirens).avec_leurs_titulaires().in_bulk()
    return [Suggestion([par_cle[cle] for cle in groupe.contrats]) for groupe in retenus]


def _groupes(sirens: Collection[str]) -> list[Groupe]:
    return regrouper(lignes_de(contrats_de(sirens)))


def numero_propose(contrats: Sequence[Contrat]) -> str:
    """Ce que leurs identifiants ont en commun, à défaut celui du premier contrat."""
    identifiants = [contrat.identifiant for contrat in contrats if contrat.identifiant]
    rangs = zip(*identifiants, strict=False)
    commun = "".join(signes[0] for signes in takewhile(lambda signes: len(set(signes)) == 1, rangs)).rstrip(_BORDS)
    return commun if len(commun) >= PREFIXE_UTILE else next(iter(identifiants), "")


def objet_propose(contrats: Sequence[Contrat]) -> str:
    """L'objet du premier contrat, sans la mention de son lot."""
    objet = contrats[0].objet
    return (_LOT.sub("", objet).strip(_BORDS) or objet)[:1000] if len(contrats) > 1 else objet[:1000]


def confirmer(contrats: Sequence[Contrat], *, numero: str, objet: str, auteur: "Utilisateur") -> Consultation:
    """La consultation, inscrite au registre avec un lot notifié par contrat ; leurs considérations y restent non
    renseignées : c'est au registre de les dire. Le même envoi reçu deux fois n'écrit qu'une fois.

    Lève ValidationError si un contrat a déjà sa consultation, si le numéro est pris.
    """
    with transaction.atomic():
        deja = _deja_confirmee(contrats, numero)
        if deja is not None:
            return deja
        _exiger_libres(contrats)
        valeurs = {"numero": numero, "objet": objet, "siren": contrats[0].siren}
        consultation = creer(valeurs, [_lot(rang, c) for rang, c in enumerate(contrats, start=1)], auteur=auteur)
        lots = list(consultation.lots.order_by("pk"))
        ContratDeConsultation.objects.bulk_create(
            ContratDeConsultation(consultation=consultation, lot=lot, souche=contrat.souche)
            for contrat, lot in zip(contrats, lots, strict=True)
        )
    recalculer(sources=[Source.DECP])
    return consultation


def rattacher(contrats: Iterable[Contrat], consultation: Consultation) -> None:
    """À une consultation du registre, dont les lots ne changent pas. Déjà rattachés à elle : rien de plus."""
    with transaction.atomic():
        consultation.verrouillee()
        siens = set(consultation.contrats.values_list("souche", flat=True))
        neufs = [contrat for contrat in contrats if contrat.souche not in siens]
        _exiger_libres(neufs)
        ContratDeConsultation.objects.bulk_create(
            ContratDeConsultation(consultation=consultation, souche=contrat.souche) for contrat in neufs
        )
    if neufs:
        recalculer(sources=[Source.DECP])


def detacher(souche: uuid.UUID) -> None:
    """Le contrat redevient libre : le site le suggérera de nouveau. La consultation et ses lots restent."""
    detaches, _ = ContratDeConsultation.objects.filter(souche=souche).delete()
    if detaches:
        recalculer(sources=[Source.DECP])


def _deja_confirmee(contrats: Sequence[Contrat], numero: str) -> Consultation | None:
    siens = ContratDeConsultation.objects.filter(souche__in=[contrat.souche for contrat in contrats])
    tenues = {lien.consultation for lien in siens.select_related("consultation")}
    seule = tenues.pop() if len(tenues) == 1 else None
    return seule if seule and seule.numero == numero and siens.count() == len(contrats) else None


def _exiger_libres(contrats: Sequence[Contrat]) -> None:
    pris = ContratDeConsultation.objects.filter(souche__in=[contrat.souche for contrat in contrats])
    if (lien := pris.select_related("consultation").first()) is not None:
        raise ValidationError(
            f"Un de ces contrats est déjà rattaché à la consultation {lien.consultation.numero}\u00a0: détachez-le "
            "d'abord."
        )


def _lot(rang: int, contrat: Contrat) -> dict[str, Any]:
    """Ce que le contrat dit d'un lot sans qu'on l'interprète."""
    titulaires = list(contrat.titulaires.all())
    seul = titulaires[0] if len(titulaires) == 1 else None
    return {
        "numero": str(rang),
        "objet": contrat.objet[:1000],
        "suite": Suite.NOTIFIE,
        "date_de_suite": contrat.date,
        "titulaire": ", ".join(str(titulaire) for titulaire in titulaires)[:300],
        "siret": seul.identifiant if seul and est_un_siret(seul) else "",
        "montant_ht": None if contrat.drapeau else contrat.montant,
    }
