"""Accorder les contrats aux enregistrements gardés, groupe par groupe, pour la génération qu'un import écrit."""

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from marches.consolidation import ContratConsolide, Piece, consolider, identite
from marches.contrats import (
    Contrat,
    CorrectionDeContrat,
    EnregistrementDecp,
    RepriseDEnregistrement,
    TitulaireDeContrat,
)
from marches.corrections import appliquer, corrections_de
from marches.decp.contrats import Brut, ContratLu, Format, TitulaireLu
from marches.decp.montants import drapeau_du_montant
from marches.decp.normalisation import est_un_marche_subsequent, normaliser
from marches.imports import ImportDecp
from marches.listes import SourceDeContrat

_ENTIER_MAXIMAL = 2**31 - 1
_TEMPS = ("pk", "id", "souche", "de", "a", "empreinte", "enregistrements")


@dataclass
class Bilan:
    """Ce qu'un import a touché : contrats, et enregistrements qui ont mis à jour un contrat déjà connu."""

    marches: int = 0
    mis_a_jour: int = 0
    sirens: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class _Lu:
    """Un enregistrement gardé, relu ; `ici` : le fichier qu'on importe le contient ; `nouveau` : il est le premier."""

    enregistrement: EnregistrementDecp
    lu: ContratLu
    ici: bool
    nouveau: bool


def accorder(
    import_decp: ImportDecp, groupes: list[str], suivante: int, bilan: Bilan, deja_lus: Mapping[int, ContratLu]
) -> None:
    """Récrit les contrats de ces groupes, sous le verrou des contrats : personne d'autre ne peut les changer.

    `deja_lus` : par clé d'enregistrement, ceux que l'import vient de normaliser. Tout se lit et se calcule d'abord ;
    la transaction, qui fait attendre les autres écrivains, n'a plus qu'à écrire.
    """
    lus = _relire(import_decp, groupes, deja_lus)
    cohabitent = _noter_les_cohabitations(lus, suivante)
    tenus: dict[str, list[Contrat]] = {}
    for contrat in Contrat.objects.filter(groupe__in=groupes, a__isnull=True).order_by("pk"):
        tenus.setdefault(contrat.groupe, []).append(contrat)
    corrections = corrections_de(c.souche for liste in tenus.values() for c in liste)
    ecriture = _Ecriture(suivante, corrections)
    for groupe, enregistrements in lus.items():
        ecriture.groupe(groupe, enregistrements, tenus.get(groupe, []), bilan)
    with transaction.atomic():
        EnregistrementDecp.objects.bulk_update(cohabitent, ["cohabite_depuis"], batch_size=500)
        ecriture.finir()


def _relire(import_decp: ImportDecp, groupes: list[str], deja_lus: Mapping[int, ContratLu]) -> dict[str, list[_Lu]]:
    repris = set(
        RepriseDEnregistrement.objects.filter(import_decp=import_decp, enregistrement__groupe__in=groupes).values_list(
            "enregistrement_id", flat=True
        )
    )
    lus: dict[str, list[_Lu]] = {}
    des_groupes = EnregistrementDecp.objects.filter(groupe__in=groupes)
    # Le texte d'un enregistrement pèse : il ne se relit que pour ceux qui n'ont pas été lus à l'instant.
    cles = set(des_groupes.values_list("pk", flat=True))
    bruts = dict(EnregistrementDecp.objects.filter(pk__in=cles.difference(deja_lus)).values_list("pk", "brut"))
    for enregistrement in des_groupes.defer("brut").order_by("groupe", "empreinte"):
        if enregistrement.pk in bruts:
            enregistrement.brut = bruts[enregistrement.pk]
        lu = deja_lus.get(enregistrement.pk) or relu(enregistrement)
        if lu is not None:
            nouveau = enregistrement.import_decp_id == import_decp.pk
            ligne = _Lu(enregistrement, lu, nouveau or enregistrement.pk in repris, nouveau)
            lus.setdefault(enregistrement.groupe, []).append(ligne)
    return lus


def relu(enregistrement: EnregistrementDecp) -> ContratLu | None:
    """Ce que dit un enregistrement gardé ; None si les règles d'aujourd'hui ne l'admettent plus."""
    lu = normaliser(Brut(enregistrement.position, enregistrement.contenu), Format(enregistrement.format))
    return lu if isinstance(lu, ContratLu) else None


def _noter_les_cohabitations(lus: dict[str, list[_Lu]], suivante: int) -> list[EnregistrementDecp]:
    """Un fichier qui montre deux contrats sous un identifiant dit que ce ne sont pas deux versions d'un seul.

    Rend les enregistrements à récrire.
    """
    a_noter = []
    for lignes in lus.values():
        ici = [ligne for ligne in lignes if ligne.ici and _officiel(ligne.enregistrement)]
        if len({identite(ligne.lu) for ligne in ici}) > 1:
            a_noter += [ligne.enregistrement for ligne in ici if ligne.enregistrement.cohabite_depuis is None]
    for enregistrement in a_noter:
        enregistrement.cohabite_depuis = suivante
    return a_noter


def _officiel(enregistrement: EnregistrementDecp) -> bool:
    return enregistrement.source == SourceDeContrat.OFFICIELLE


class _Ecriture:
    """Les lignes de contrat à écrire et à fermer, réunies pour s'écrire d'un trait."""

    def __init__(self, suivante: int, corrections: dict[uuid.UUID, list[CorrectionDeContrat]]) -> None:
        self.suivante = suivante
        self.corrections = corrections
        self.neufs: list[tuple[Contrat, tuple[TitulaireLu, ...]]] = []
        self.fermes: list[Contrat] = []

    def groupe(self, groupe: str, lignes: list[_Lu], tenus: list[Contrat], bilan: Bilan) -> None:
        nouveaux = {ligne.enregistrement.pk for ligne in lignes if ligne.nouveau}
        libres = {contrat.pk: contrat for contrat in tenus}
        for consolide in consolider(_pieces(lignes)):
            ancien = _celui_qui_partage(consolide, libres.values())
            if ancien is not None:
                del libres[ancien.pk]
            apportees = nouveaux.intersection(consolide.pieces)
            if apportees:
                bilan.marches += 1
                bilan.sirens.add(consolide.lu.siren)
            if apportees and ancien is not None and ancien.de < self.suivante:
                bilan.mis_a_jour += len(apportees)
            self._tenir(groupe, consolide, ancien)
        self.fermes += libres.values()

    def _tenir(self, groupe: str, consolide: ContratConsolide, ancien: Contrat | None) -> None:
        contrat = contrat_de(consolide, groupe)
        if ancien is not None:
            contrat.souche = ancien.souche
            appliquer(contrat, self.corrections.get(ancien.souche, []))
        contrat.empreinte = empreinte_de_l_etat(contrat, consolide.lu.titulaires)
        if ancien is not None:
            if (ancien.empreinte, ancien.enregistrements) == (contrat.empreinte, contrat.enregistrements):
                return
            self.fermes.append(ancien)
        contrat.de = self.suivante
        self.neufs.append((contrat, consolide.lu.titulaires))

    def finir(self) -> None:
        # Une ligne écrite par ce même import n'a jamais été montrée : elle s'efface au lieu de se fermer.
        jamais_montrees = [c.pk for c in self.fermes if c.de == self.suivante]
        Contrat.objects.filter(pk__in=jamais_montrees).delete()
        Contrat.objects.filter(pk__in=[c.pk for c in self.fermes if c.de < self.suivante]).update(a=self.suivante)
        contrats = Contrat.objects.bulk_create([contrat for contrat, _ in self.neufs], batch_size=500)
        TitulaireDeContrat.objects.bulk_create(
            (
                titulaire_de(contrat, lu)
                for contrat, (_, titulaires) in zip(contrats, self.neufs, strict=True)
                for lu in titulaires
            ),
            batch_size=1000,
        )


def _pieces(lignes: Iterable[_Lu]) -> Iterator[Piece]:
    for ligne in lignes:
        e = ligne.enregistrement
        yield Piece(e.pk, e.empreinte, ligne.lu, _officiel(e), e.cohabite_depuis is not None)


def _celui_qui_partage(consolide: ContratConsolide, libres: Iterable[Contrat]) -> Contrat | None:
    """Le contrat déjà tenu qui a le plus d'enregistrements en commun avec celui-ci : c'en est la suite."""
    pieces = set(consolide.pieces)
    communs = [(len(pieces.intersection(c.enregistrements)), -c.pk, c) for c in libres]
    communs = [trio for trio in communs if trio[0]]
    return max(communs, key=lambda trio: trio[:2])[2] if communs else None


def contrat_de(consolide: ContratConsolide, groupe: str) -> Contrat:
    """Le contrat, non enregistré, sans ses corrections ni sa génération."""
    lu = consolide.lu
    return Contrat(
        groupe=groupe,
        enregistrements=list(consolide.pieces),
        conflit=consolide.conflit,
        siren=lu.siren,
        siret=lu.siret,
        acheteur=_tient(Contrat, "acheteur", lu.acheteur),
        identifiant=_tient(Contrat, "identifiant", lu.identifiant),
        concession=lu.concession,
        nature=_tient(Contrat, "nature", lu.nature),
        procedure=_tient(Contrat, "procedure", lu.procedure),
        objet=lu.objet,
        cpv=_tient(Contrat, "cpv", lu.cpv),
        date=lu.date,
        publie_le=lu.publie_le,
        montant=lu.montant,
        drapeau=drapeau_du_montant(lu.montant),
        duree_mois=_borne(lu.duree_mois),
        offres_recues=_borne(lu.offres_recues),
        accord_cadre=_tient(Contrat, "accord_cadre", lu.accord_cadre),
        subsequent=est_un_marche_subsequent(lu),
        environnement=lu.environnement,
        social=lu.social,
        considerations=list(lu.considerations),
        techniques=list(lu.techniques),
        modifications=json.loads(json.dumps([asdict(m) for m in lu.modifications], cls=DjangoJSONEncoder)),
        anomalies=list(lu.anomalies),
    )


def titulaire_de(contrat: Contrat, lu: TitulaireLu) -> TitulaireDeContrat:
    champs = {nom: _tient(TitulaireDeContrat, nom, valeur) for nom, valeur in _champs_du_titulaire(lu).items()}
    return TitulaireDeContrat(contrat=contrat, **champs)


def _champs_du_titulaire(lu: TitulaireLu) -> dict[str, str]:
    return {
        "identifiant": lu.identifiant,
        "type_identifiant": lu.type_identifiant,
        "nom": lu.nom,
        "commune": lu.commune,
        "departement": lu.departement,
        "categorie": lu.categorie,
    }


def empreinte_de_l_etat(contrat: Contrat, titulaires: Iterable[TitulaireLu]) -> str:
    """SHA-256 de tout ce que la ligne dit, hors son temps et ses clés : deux bases qui disent pareil ont la même."""
    etat: dict[str, Any] = {
        champ.attname: getattr(contrat, champ.attname) for champ in Contrat._meta.fields if champ.name not in _TEMPS
    }
    etat["titulaires"] = [list(_champs_du_titulaire(t).values()) for t in titulaires]
    texte = json.dumps(etat, sort_keys=True, cls=DjangoJSONEncoder)
    return hashlib.sha256(texte.encode("utf-8", "replace")).hexdigest()


@cache
def _longueur(modele: type, champ: str) -> int:
    return modele._meta.get_field(champ).max_length  # type: ignore[attr-defined, no-any-return]


def _tient(modele: type, champ: str, texte: str) -> str:
    return texte[: _longueur(modele, champ)]


def _borne(nombre: int | None) -> int | None:
    return nombre if nombre is not None and 0 <= nombre <= _ENTIER_MAXIMAL else None


def raccorder(groupe: str, suivante: int) -> None:
    """Récrit les contrats d'un groupe dont une correction a changé ; aucun fichier n'arrive. L'appelant est dans une
    transaction, sous le verrou des contrats."""
    lignes = []
    for enregistrement in EnregistrementDecp.objects.filter(groupe=groupe).order_by("empreinte"):
        if lu := relu(enregistrement):
            lignes.append(_Lu(enregistrement, lu, ici=False, nouveau=False))
    tenus = list(Contrat.objects.filter(groupe=groupe, a__isnull=True).order_by("pk"))
    ecriture = _Ecriture(suivante, corrections_de(contrat.souche for contrat in tenus))
    ecriture.groupe(groupe, lignes, tenus, Bilan())
    ecriture.finir()
