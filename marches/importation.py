"""Importer un fichier de DECP : lire au fil de l'eau, garder ce qui est nouveau, accorder les contrats, montrer d'un
coup.

Le fichier se lit deux fois (son empreinte, puis son contenu) et ne tient jamais en mémoire. Rien de ce qui s'écrit
n'est visible avant la dernière transaction, qui n'avance qu'un numéro (`marches.generations`).
"""

import contextlib
import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from django.db import DatabaseError, transaction
from django.db.models import Count
from django.utils import timezone

from comptes.gestes import Geste
from comptes.models import Siren, Utilisateur
from comptes.traces import tracer
from marches.calculs.catalogue import Source
from marches.calculs.conservation import recalculer
from marches.contrats import EnregistrementDecp, RepriseDEnregistrement
from marches.decp.contrats import Brut, ContratLu, FichierIllisible, Format, Lecture, Motif, Refus
from marches.decp.empreintes import canonique
from marches.decp.formats import ouvrir
from marches.decp.identifiants import acheteur_de
from marches.decp.normalisation import normaliser
from marches.decp.textes import plier
from marches.generations import ecriture_des_contrats, effacer_les_restes, laisser_ecrire_les_autres, publier
from marches.imports import COMPTES, ImportDecp, RefusDecp
from marches.listes import EtatDImport, SourceDeContrat
from marches.tenue_des_contrats import Bilan, accorder

# Assez pour que l'écriture soit rapide, assez peu pour que les autres écrivains n'attendent pas.
_PAS = 250
_OCTETS = 1 << 20
# Les enregistrements d'un fichier ordinaire ne se normalisent qu'une fois ; ceux d'un très grand, deux, sans tenir en
# mémoire.
_LUS_AU_PLUS = 20_000
# Un groupe tient dans sa colonne, SIREN compris.
_LONGUEUR = 80
_T = TypeVar("_T")


def importer(
    chemin: Path, *, sirens: Collection[str] = (), nom: str = "", auteur: Utilisateur | None = None
) -> ImportDecp:
    """Importe le fichier pour ces acheteurs (SIREN) ; pour tous si `sirens` est vide. Rend l'import et son compte.

    Attend son tour si un autre import écrit. Lève FichierIllisible : l'import est gardé avec son message, et rien
    d'autre n'a changé.
    """
    trace = ImportDecp(nom=(nom or chemin.name)[:200], sirens=sorted(sirens), auteur=auteur)
    trace.save()
    mener(trace, chemin)
    return trace


def mener(trace: ImportDecp, chemin: Path) -> None:
    """Mène à bien un import déjà inscrit. Lève FichierIllisible, DatabaseError, OSError ; rien n'est alors montré."""
    with ecriture_des_contrats() as suivante:
        if ImportDecp.objects.filter(pk=trace.pk, etat=EtatDImport.APPLIQUE).exists():
            # Demandé deux fois, importé une.
            return
        _inscrire(trace, chemin)
        try:
            with ouvrir(chemin, sirens=trace.sirens) as lecture:
                touches = _Import(trace, lecture, suivante).mener()
        except FichierIllisible as refus:
            _abandonner(trace, suivante, EtatDImport.REFUSE, str(refus))
            raise
        except (DatabaseError, OSError) as panne:
            # La base peut ne plus accepter d'écrire : le prochain import effacera alors les restes de celui-ci.
            with contextlib.suppress(DatabaseError):
                _abandonner(trace, suivante, EtatDImport.INTERROMPU, f"Arrêté sans rien changer : {panne}")
            raise
    if touches & set(Siren.objects.values_list("numero", flat=True)):
        recalculer(sources=[Source.DECP])


def _inscrire(trace: ImportDecp, chemin: Path) -> None:
    trace.taille = chemin.stat().st_size
    trace.sha256 = _sha256(chemin)
    trace.etat = EtatDImport.LECTURE
    trace.message = ""
    for compte in COMPTES:
        setattr(trace, compte, 0)
    trace.save()


def _abandonner(trace: ImportDecp, suivante: int, etat: EtatDImport, message: str) -> None:
    effacer_les_restes(suivante - 1)
    for compte in COMPTES:
        setattr(trace, compte, 0)
    trace.etat, trace.message = etat, message
    trace.save()


@dataclass(frozen=True)
class _Candidat:
    """Un enregistrement de l'acheteur demandé : son contenu en JSON canonique, et l'empreinte de celui-ci."""

    brut: Brut
    texte: str
    empreinte: str


class _Import:
    def __init__(self, trace: ImportDecp, lecture: Lecture, suivante: int) -> None:
        self.trace = trace
        self.lecture = lecture
        self.suivante = suivante
        self.bilan = Bilan()
        self.lus: dict[int, ContratLu] = {}
        trace.format = lecture.format.value
        # Relire un fichier déjà importé n'apprend rien de ce que ses enregistrements ont de commun.
        self.deja_lu = _deja_importe(trace)

    def mener(self) -> set[str]:
        """Rend les SIREN des contrats touchés."""
        for paquet in _par_paquets(self.lecture.enregistrements, _PAS):
            self._garder(paquet)
            laisser_ecrire_les_autres()
        self._accorder_les_nouveaux()
        self._accorder_les_repris()
        self._publier()
        return self.bilan.sirens

    # --- Garder ce qui est nouveau -----------------------------------------------------------------

    def _garder(self, paquet: list[Brut]) -> None:
        """Illisible ou sans acheteur, déjà connu, inutilisable, ou gardé : dans cet ordre."""
        candidats, refus = self._trier(paquet)
        connus = dict(
            EnregistrementDecp.objects.filter(empreinte__in=[c.empreinte for c in candidats]).values_list(
                "empreinte", "pk"
            )
        )
        neufs: dict[str, tuple[EnregistrementDecp, ContratLu]] = {}
        repris: list[_Candidat] = []
        for candidat in candidats:
            if candidat.empreinte in connus or candidat.empreinte in neufs:
                repris.append(candidat)
                continue
            lu = normaliser(candidat.brut, self.lecture.format)
            if isinstance(lu, Refus):
                refus.append(self._refus(candidat.brut, lu.motif, lu.precision))
            else:
                neufs[candidat.empreinte] = self._enregistrement(candidat, lu), lu
        with transaction.atomic():
            self._ecrire(neufs, repris, connus, refus)

    def _trier(self, paquet: list[Brut]) -> tuple[list[_Candidat], list[RefusDecp]]:
        candidats, refus = [], []
        for brut in paquet:
            if brut.contenu is None:
                refus.append(self._refus(brut, Motif.ILLISIBLE, brut.defaut))
            elif not acheteur_de(brut, self.lecture.format):
                sans = normaliser(brut, self.lecture.format)
                refus.append(self._refus(brut, Motif.SANS_ACHETEUR, sans.precision if isinstance(sans, Refus) else ""))
            else:
                texte = canonique(brut.contenu).encode("utf-8", "replace").decode()
                candidats.append(_Candidat(brut, texte, hashlib.sha256(texte.encode()).hexdigest()))
        return candidats, refus

    def _ecrire(
        self,
        neufs: dict[str, tuple[EnregistrementDecp, ContratLu]],
        repris: list[_Candidat],
        connus: dict[str, int],
        refus: list[RefusDecp],
    ) -> None:
        for enregistrement in EnregistrementDecp.objects.bulk_create(e for e, _ in neufs.values()):
            connus[enregistrement.empreinte] = enregistrement.pk
            if len(self.lus) < _LUS_AU_PLUS:
                self.lus[enregistrement.pk] = neufs[enregistrement.empreinte][1]
        RefusDecp.objects.bulk_create(refus)
        if not self.deja_lu:
            RepriseDEnregistrement.objects.bulk_create(
                RepriseDEnregistrement(
                    import_decp=self.trace, enregistrement_id=connus[c.empreinte], position=c.brut.position
                )
                for c in repris
            )
        trace, avancement = self.trace, self.lecture.avancement
        trace.lus = avancement.lus
        trace.autres_acheteurs = avancement.autres_acheteurs
        trace.retenus += len(neufs)
        trace.doublons += len(repris)
        trace.refuses += len(refus)
        trace.octets_lus = avancement.octets
        trace.save()

    def _refus(self, brut: Brut, motif: Motif, precision: str) -> RefusDecp:
        return RefusDecp(import_decp=self.trace, position=brut.position, motif=motif.code, precision=precision[:500])

    def _enregistrement(self, candidat: _Candidat, lu: ContratLu) -> EnregistrementDecp:
        return EnregistrementDecp(
            import_decp=self.trace,
            position=candidat.brut.position,
            empreinte=candidat.empreinte,
            source=self._source,
            format=self.lecture.format.value,
            siren=lu.siren,
            groupe=groupe_de(lu, candidat.empreinte, self._source),
            brut=candidat.texte,
            de=self.suivante,
        )

    @property
    def _source(self) -> SourceDeContrat:
        tabulaire = self.lecture.format is Format.TABULAIRE
        return SourceDeContrat.TABULAIRE if tabulaire else SourceDeContrat.OFFICIELLE

    # --- Accorder les contrats ---------------------------------------------------------------------

    def _accorder_les_nouveaux(self) -> None:
        """Les groupes qui ont reçu un enregistrement, par paquets, dans l'ordre de l'index."""
        dernier = ""
        nouveaux = EnregistrementDecp.objects.filter(import_decp=self.trace).order_by("groupe")
        while paquet := list(nouveaux.filter(groupe__gt=dernier).values_list("groupe", flat=True).distinct()[:_PAS]):
            dernier = paquet[-1]
            self._accorder(paquet)

    def _accorder_les_repris(self) -> None:
        """Les groupes que ce fichier ne fait que redire : il peut montrer ensemble ce que d'autres montraient à
        part."""
        dernier = 0
        reprises = RepriseDEnregistrement.objects.filter(import_decp=self.trace).order_by("pk")
        while paquet := list(reprises.filter(pk__gt=dernier).values_list("pk", "enregistrement__groupe")[:_PAS]):
            dernier = paquet[-1][0]
            groupes = {groupe for _, groupe in paquet}
            plusieurs = (
                EnregistrementDecp.objects.filter(groupe__in=groupes)
                .values_list("groupe", flat=True)
                .annotate(nombre=Count("pk"))
                .filter(nombre__gt=1)
                .order_by("groupe")
            )
            if a_accorder := list(plusieurs):
                self._accorder(a_accorder)

    def _accorder(self, groupes: list[str]) -> None:
        accorder(self.trace, groupes, self.suivante, self.bilan, self.lus)
        laisser_ecrire_les_autres()

    def _publier(self) -> None:
        trace = self.trace
        trace.marches, trace.mis_a_jour = self.bilan.marches, self.bilan.mis_a_jour
        trace.lus, trace.autres_acheteurs = self.lecture.avancement.lus, self.lecture.avancement.autres_acheteurs
        trace.octets_lus = trace.taille
        trace.etat, trace.applique_le = EtatDImport.APPLIQUE, timezone.now()
        with transaction.atomic():
            publier(self.suivante)
            trace.save()
            details = {"fichier": trace.nom, "sha256": trace.sha256, "retenus": trace.retenus, "import": trace.pk}
            tracer(Geste.IMPORT, trace.auteur, "Données essentielles", details=details)


def groupe_de(lu: ContratLu, empreinte: str, source: SourceDeContrat) -> str:
    """Ce que partagent les enregistrements qui peuvent décrire le même contrat : l'acheteur et l'identifiant.

    Un identifiant absent ou fait de zéros ne rapproche rien ; les lignes d'un fichier tabulaire, une par titulaire et
    par modification, se rapprochent alors par l'objet.
    """
    if lu.identifiant:
        cle = lu.identifiant if len(lu.identifiant) <= _LONGUEUR else "#" + _condense(lu.identifiant)
        return f"{lu.siren}/{cle}"
    if source == SourceDeContrat.TABULAIRE:
        return f"{lu.siren}//{_condense(lu.siret + plier(lu.objet))}"
    return f"{lu.siren}//{empreinte[:40]}"


def _condense(texte: str) -> str:
    return hashlib.sha256(texte.encode("utf-8", "replace")).hexdigest()[:40]


def _deja_importe(trace: ImportDecp) -> bool:
    """Le même fichier, pour au moins les mêmes acheteurs."""
    anciens = ImportDecp.objects.filter(sha256=trace.sha256, etat=EtatDImport.APPLIQUE)
    return any(
        not sirens or (trace.sirens and set(trace.sirens) <= set(sirens))
        for sirens in anciens.values_list("sirens", flat=True)
    )


def _par_paquets(elements: Iterable[_T], taille: int) -> Iterator[list[_T]]:
    iterateur = iter(elements)
    while paquet := list(islice(iterateur, taille)):
        yield paquet


def _sha256(chemin: Path) -> str:
    condense = hashlib.sha256()
    with chemin.open("rb") as fichier:
        while octets := fichier.read(_OCTETS):
            condense.update(octets)
    return condense.hexdigest()
