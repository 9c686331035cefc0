"""Garde ce que les calculs donnent, et le retrouve : les pages lisent, elles ne recalculent pas.

Un résultat gardé ne change jamais. Des enregistrements changés donnent une autre empreinte, donc une autre ligne ; le
résultat courant est celui dont les données ont été lues en dernier (`calcule_le`).
"""

import datetime
import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from marches.calculs.catalogue import CALCULS, Calcul, Source
from marches.calculs.chargement import acheteurs_de_la_collectivite, charger
from marches.calculs.lignes import Donnees, Perimetre, empreinte
from marches.calculs.regroupement import regrouper
from marches.calculs.resultats import Resultat, en_nombre
from marches.models import ResultatDeCalcul, Territoire

PAR_TRANCHE = 200
# Le nom de chaque liste d'enregistrements, dans `ResultatDeCalcul.listes`.
LISTES = ("numerateur", "denominateur", "inconnus")


@dataclass(frozen=True)
class Demande:
    """Un calcul à faire : lequel, et sur quoi."""

    calcul: Calcul
    perimetre: Perimetre
    territoire: Territoire | None = None


def recalculer(
    sirens: Iterable[str] = (),
    annees: Iterable[int] = (),
    sources: Collection[Source] = tuple(Source),
) -> int:
    """Refait et garde les calculs de la collectivité, pour chaque territoire : chaque année, et l'année en cours à ce
    jour face à la même date de la précédente ; rend le nombre de résultats.

    À appeler après un import, une correction, une saisie. `sirens` : d'autres acheteurs à refaire, chacun pour lui.
    `annees` : celles-là seulement ; sinon toutes celles que disent les enregistrements, et l'année en cours.
    `sources` : ce qui a changé. La lecture et le calcul ne tiennent aucun verrou ; l'écriture est une transaction
    courte.
    """
    demandees = frozenset(annees)
    return sum(
        _recalculer_un_perimetre(acheteurs, demandees, sources)
        for acheteurs in dict.fromkeys((acheteurs_de_la_collectivite(), *sirens))
    )


def _recalculer_un_perimetre(acheteurs: str, annees: frozenset[int], sources: Collection[Source]) -> int:
    lu_le = timezone.now()
    donnees = avec_les_groupes(charger(acheteurs, sources))
    territoires = list(Territoire.objects.order_by("pk"))
    gardes = 0
    perimetres = [
        Perimetre.annee(acheteurs, annee)
        for annee in sorted(annees or annees_presentes(donnees) | annees_gardees(acheteurs))
    ]
    if not annees or timezone.localdate().year in annees:
        perimetres += [perimetre for perimetre in a_ce_jour(acheteurs) if perimetre not in perimetres]
    for perimetre in perimetres:
        demandes = list(_demandes(perimetre, territoires, sources))
        gardes += len(garder(donnees, perimetre, demandes, lu_le))
    return gardes


def a_ce_jour(acheteurs: str) -> list[Perimetre]:
    """Du 1er janvier à aujourd'hui, et du 1er janvier à la même date un an plus tôt."""
    fins = (timezone.localdate(), un_an_avant(timezone.localdate()))
    return [Perimetre(acheteurs, fin.replace(month=1, day=1), fin) for fin in fins]


def un_an_avant(jour: datetime.date) -> datetime.date:
    """La même date ; le 28 février répond au 29."""
    bissextile = (jour.month, jour.day) == (2, 29)
    return jour.replace(year=jour.year - 1, day=28 if bissextile else jour.day)


def avec_les_groupes(donnees: Donnees) -> Donnees:
    """Les mêmes, leurs contrats regroupés une fois pour toutes les années."""
    return replace(donnees, groupes=tuple(regrouper(donnees.contrats)))


def de_la_periode(donnees: Donnees, perimetre: Perimetre) -> Donnees:
    """Les mêmes, sans les contrats des autres périodes : seul le regroupement, déjà fait, en avait besoin."""
    utiles = (ligne for ligne in donnees.contrats if ligne.date is None or perimetre.contient(ligne.date))
    return replace(donnees, contrats=tuple(utiles))


def annees_gardees(acheteurs: str) -> set[int]:
    """Celles qui ont déjà un résultat : une année que plus aucun enregistrement ne dit se refait aussi."""
    fins = ResultatDeCalcul.objects.filter(perimetre=acheteurs, fin__month=12, fin__day=31)
    return set(fins.order_by().values_list("fin__year", flat=True).distinct())


def annees_presentes(donnees: Donnees) -> set[int]:
    """Les années que disent les enregistrements, et l'année en cours."""
    jours = {ligne.date for ligne in donnees.contrats}
    jours |= {lot.date_de_suite for consultation in donnees.consultations for lot in consultation.lots}
    annees = {jour.year for jour in jours if jour is not None}
    return annees | {ligne.exercice for ligne in donnees.mandats} | {timezone.localdate().year}


def _demandes(
    perimetre: Perimetre, territoires: Sequence[Territoire], sources: Collection[Source]
) -> Iterable[Demande]:
    for calcul in CALCULS.values():
        if calcul.source not in sources:
            continue
        if not calcul.territorial:
            yield Demande(calcul, perimetre)
            continue
        for territoire in territoires:
            yield Demande(calcul, replace(perimetre, territoire=territoire), territoire)


def calculer(perimetre: Perimetre, territoire: Territoire | None = None) -> list[ResultatDeCalcul]:
    """Tous les calculs de ce périmètre, refaits et gardés ; sans territoire, ceux qui n'en demandent pas.

    Le périmètre peut être une année ou une période : du 1er janvier à aujourd'hui, les mêmes jours l'an passé.
    """
    lu_le = timezone.now()
    territoires = [] if territoire is None else [territoire]
    demandes = list(_demandes(perimetre, territoires, tuple(Source)))
    return garder(avec_les_groupes(charger(perimetre.acheteurs)), perimetre, demandes, lu_le)


def resultat_courant(code: str, perimetre: Perimetre, territoire: Territoire | None = None) -> ResultatDeCalcul | None:
    """Le résultat gardé le plus récent, de la version courante du calcul ; None s'il n'a jamais été fait."""
    return courants(perimetre, territoire).filter(code=code, version=CALCULS[code].version).first()


def courants(perimetre: Perimetre, territoire: Territoire | None = None) -> QuerySet[ResultatDeCalcul]:
    """Les résultats gardés de ce périmètre, le plus récent d'abord : ceux du territoire, ou ceux qui n'en
    demandent pas.
    """
    return ResultatDeCalcul.objects.filter(
        perimetre=perimetre.acheteurs, debut=perimetre.debut, fin=perimetre.fin, territoire=territoire
    ).order_by("-calcule_le", "-pk")


def garder(
    donnees: Donnees, perimetre: Perimetre, demandes: Sequence[Demande], lu_le: datetime.datetime
) -> list[ResultatDeCalcul]:
    """Calcule et garde, dans l'ordre des demandes, toutes de la même période. `lu_le` : le moment où les données ont
    été lues.

    Deux recalculs à la fois ne se gênent pas : la même ligne ne s'écrit qu'une fois, et celui qui a lu le plus tard
    fait foi.
    """
    utiles = de_la_periode(donnees, perimetre)
    resumes = _Resumes(donnees)
    calcules = [_ligne(d, d.calcul.calculer(utiles, d.perimetre), resumes, lu_le) for d in demandes]
    with transaction.atomic():
        connus = _connus(calcules)
        ResultatDeCalcul.objects.bulk_create(
            [ligne for ligne in calcules if _cle(ligne) not in connus], batch_size=PAR_TRANCHE, ignore_conflicts=True
        )
        connus = _connus(calcules)
        gardes = [connus[_cle(ligne)] for ligne in calcules]
        for tranche in _par_tranche([ligne.pk for ligne in gardes]):
            ResultatDeCalcul.objects.filter(pk__in=tranche, calcule_le__lt=lu_le).update(calcule_le=lu_le)
    return gardes


# --- La ligne gardée ----------------------------------------------------------------------------------------


class _Resumes:
    """L'empreinte de chaque enregistrement, faite une fois pour tous les calculs."""

    def __init__(self, donnees: Donnees) -> None:
        lignes: dict[Source, Sequence[Any]] = {
            Source.DECP: donnees.contrats,
            Source.REGISTRE: donnees.consultations,
            Source.MANDATS: donnees.mandats,
        }
        self.lignes = {source: {ligne.id: ligne for ligne in siennes} for source, siennes in lignes.items()}
        self.faits: dict[tuple[Source, int], str] = {}

    def de(self, source: Source, identifiant: int) -> str:
        cle = (source, identifiant)
        if cle not in self.faits:
            self.faits[cle] = empreinte(self.lignes[source][identifiant])
        return self.faits[cle]


def _ligne(demande: Demande, resultat: Resultat, resumes: _Resumes, lu_le: datetime.datetime) -> ResultatDeCalcul:
    listes = {
        **{nom: list(getattr(resultat, f"ids_{nom}")) for nom in LISTES},
        "exclus": resultat.ids_exclus,
    }
    return ResultatDeCalcul(
        code=demande.calcul.code,
        version=demande.calcul.version,
        debut=demande.perimetre.debut,
        fin=demande.perimetre.fin,
        perimetre=demande.perimetre.acheteurs,
        territoire=demande.territoire,
        empreinte=_empreinte(demande, resultat, listes, resumes),
        valeur=_decimal(resultat.valeur),
        numerateur=_decimal(resultat.numerateur),
        denominateur=_decimal(resultat.denominateur),
        inconnus=resultat.inconnus,
        exclus=resultat.exclus,
        couverture=resultat.couverture,
        listes=listes,
        calcule_le=lu_le,
    )


def _empreinte(demande: Demande, resultat: Resultat, listes: dict[str, Any], resumes: _Resumes) -> str:
    """Ce dont le résultat dépend : les enregistrements nommés par ses listes, ce qu'ils disent, et le territoire."""
    nommes = {pk for nom in LISTES for pk in listes[nom]} | {pk for pks in listes["exclus"].values() for pk in pks}
    territoire = demande.territoire
    tout = [
        resultat.en_json(),
        listes,
        [resumes.de(demande.calcul.source, pk) for pk in sorted(nommes)],
        [sorted(territoire.communes), sorted(territoire.departements)] if territoire else None,
    ]
    return hashlib.sha256(json.dumps(tout, sort_keys=True).encode()).hexdigest()


def _decimal(valeur: int | Decimal | None) -> Decimal | None:
    return None if valeur is None else Decimal(valeur)


def _cle(ligne: ResultatDeCalcul) -> tuple[Any, ...]:
    """Ce qui rend une ligne unique."""
    return (
        *(ligne.code, ligne.version, ligne.debut, ligne.fin, ligne.perimetre, ligne.territoire_id, ligne.empreinte),
    )


def _connus(lignes: Sequence[ResultatDeCalcul]) -> dict[tuple[Any, ...], ResultatDeCalcul]:
    """Celles de ces lignes qui sont déjà en base, par leur clé."""
    connus = {}
    for tranche in _par_tranche(sorted({ligne.empreinte for ligne in lignes})):
        for ligne in ResultatDeCalcul.objects.filter(empreinte__in=tranche):
            connus[_cle(ligne)] = ligne
    return connus


def _par_tranche(valeurs: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for debut in range(0, len(valeurs), PAR_TRANCHE):
        yield valeurs[debut : debut + PAR_TRANCHE]


def en_json(resultat: ResultatDeCalcul) -> dict[str, Any]:
    """L'objet du contrat `calculer_indicateurs --json`. Un compte est un nombre entier, une part un nombre à
    quatre décimales.
    """
    entiers = CALCULS[resultat.code].unite != "%"

    def nombre(valeur: Decimal | None, entier: bool) -> int | float | None:
        return int(valeur) if valeur is not None and entier else en_nombre(valeur)

    fractions_entieres = entiers or not CALCULS[resultat.code].en_montant
    return {
        "code": resultat.code,
        "valeur": nombre(resultat.valeur, entiers),
        "numerateur": nombre(resultat.numerateur, fractions_entieres),
        "denominateur": nombre(resultat.denominateur, fractions_entieres),
        "inconnus": resultat.inconnus,
        "exclus": resultat.exclus,
        "couverture": en_nombre(resultat.couverture),
    }
