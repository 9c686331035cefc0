"""Ce que les enregistrements disent d'un indicateur, année par année : jamais sa valeur, toujours à côté d'elle.

Les calculs sont dans `marches.calculs` ; leurs résultats, gardés, se lisent ici en deux requêtes, quel que soit le
nombre d'indicateurs et d'années.
"""

import datetime
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from indicateurs.listes import Nature, Sens
from marches.calculs.catalogue import CALCULS, Calcul, Source
from marches.calculs.chargement import acheteurs_de_la_collectivite
from marches.models import ResultatDeCalcul
from marches.ouverture import Liste, ecrire_le_nombre, motif_en_clair
from socle.formats import ABSENT, formater_pourcentage, formater_valeur

if TYPE_CHECKING:
    from indicateurs.models import Indicateur

SEUIL = Decimal(80)
# La part locale s'observe : code de la commande publique, article L3 (égalité de traitement des candidats).
PART_LOCALE = "part_locale_"
PART = "%"
ORDRE = (Source.REGISTRE, Source.MANDATS, Source.DECP)


@dataclass(frozen=True)
class Ecartes:
    """Les enregistrements écartés pour un motif."""

    motif: str
    nombre: int

    @property
    def en_clair(self) -> str:
        return motif_en_clair(self.motif, self.nombre)


@dataclass(frozen=True)
class Recalcul:
    """Ce qu'un calcul dit d'une année. `resultat` : None si rien n'a été calculé ; ses `listes` ne sont pas lues."""

    calcul: Calcul
    annee: int
    resultat: ResultatDeCalcul | None

    @property
    def code(self) -> str:
        return self.calcul.code

    @property
    def libelle(self) -> str:
        return self.calcul.libelle

    @property
    def source(self) -> str:
        return self.calcul.source.nom

    @property
    def inexistante(self) -> str:
        """« Donnée inexistante avant 2024. », ou vide."""
        return self.calcul.indisponible(self.annee)

    @property
    def valeur(self) -> Decimal | None:
        """Non arrondie : un écart se calcule sur elle. None si l'enregistrement ne permet pas de la dire."""
        if self.resultat is None or self.resultat.valeur is None or self.inexistante:
            return None
        numerateur, denominateur = self.resultat.numerateur, self.resultat.denominateur
        if self.calcul.unite == PART and numerateur is not None and denominateur:
            return 100 * numerateur / denominateur
        return self.resultat.valeur

    @property
    def valeur_ecrite(self) -> str:
        """« 25,3 % », « ≈ 92 consultations », « — »."""
        if self.valeur is None:
            return ABSENT
        decimales = 1 if self.calcul.unite == PART else None
        ecrite = formater_valeur(self.valeur, self.calcul.unite, decimales)
        return f"≈ {ecrite}" if self.calcul.estimation else ecrite

    @property
    def est_une_part(self) -> bool:
        return self.calcul.unite == PART

    @property
    def parts(self) -> str:
        """« 42 / 166 », « 1 200 € / 4 800 € » ; vide pour un compte."""
        if self.resultat is None or not self.est_une_part or self.inexistante:
            return ""
        nombres = ((Liste.NUMERATEUR, self.resultat.numerateur), (Liste.DENOMINATEUR, self.resultat.denominateur))
        return " / ".join(ecrire_le_nombre(self.calcul, liste, nombre) for liste, nombre in nombres)

    @property
    def part_renseignee(self) -> str:
        """« 92,5 % » ; vide si elle ne se dit pas."""
        couverture = self.resultat.couverture if self.resultat and self.est_une_part else None
        return "" if couverture is None or self.inexistante else formater_pourcentage(couverture, 1)

    @property
    def sous_le_seuil(self) -> bool:
        """Sous 80 %, le chiffre se montre avec un avertissement, et se retient avec une phrase."""
        return self.valeur is not None and self.resultat is not None and self.resultat.sous_le_seuil

    @property
    def inconnus(self) -> int:
        return self.resultat.inconnus if self.resultat else 0

    @property
    def exclus(self) -> list[Ecartes]:
        if self.resultat is None:
            return []
        return [Ecartes(motif, nombre) for motif, nombre in sorted(self.resultat.exclus.items()) if nombre]

    @property
    def en_cours(self) -> bool:
        """L'année n'est pas finie : le calcul est à ce jour."""
        return self.annee >= timezone.localdate().year

    @property
    def a_retenir(self) -> bool:
        """L'année est finie et le calcul dit quelque chose : qui valide les valeurs peut la retenir."""
        return self.valeur is not None and not self.en_cours


Recalculs = Mapping[int, Mapping[int, list[Recalcul]]]


def recalculs_de(indicateurs: Iterable["Indicateur"], annees: Collection[int] | None = None) -> Recalculs:
    """Par clé d'indicateur puis par année, un Recalcul par calcul de l'indicateur, dans l'ordre de la page.

    `annees` : celles qu'on veut, qu'un résultat existe ou non ; None, celles qui ont un résultat. Deux requêtes ;
    aucune si aucun indicateur ne nomme de calcul. Une année sans aucun résultat n'y est que si on la demande.
    """
    calcules = [indicateur for indicateur in indicateurs if calculs_de(indicateur)]
    if not calcules:
        return {}
    codes = {calcul.code for indicateur in calcules for calcul in calculs_de(indicateur)}
    par_cle = {(r.code, r.territoire_id, r.fin.year): r for r in derniers_resultats(codes, annees)}
    connues: dict[tuple[str, int | None], set[int]] = defaultdict(set)
    for code, territoire, annee in par_cle:
        connues[code, territoire].add(annee)
    return {
        indicateur.pk: {
            annee: [
                Recalcul(calcul, annee, par_cle.get((calcul.code, _territoire(indicateur, calcul), annee)))
                for calcul in calculs_de(indicateur)
            ]
            for annee in _annees(indicateur, connues, annees)
        }
        for indicateur in calcules
    }


def sans_resultat(indicateur: "Indicateur", annee: int) -> list[Recalcul]:
    """Ses calculs, quand rien n'a été calculé pour cette année."""
    return [Recalcul(calcul, annee, None) for calcul in calculs_de(indicateur)]


def _annees(indicateur: "Indicateur", connues: Mapping, annees: Collection[int] | None) -> list[int]:
    if annees is not None:
        return sorted(annees)
    des_calculs = (
        connues.get((calcul.code, _territoire(indicateur, calcul)), ()) for calcul in calculs_de(indicateur)
    )
    return sorted(set().union(*des_calculs))


def _territoire(indicateur: "Indicateur", calcul: Calcul) -> int | None:
    return indicateur.territoire_id if calcul.territorial else None


def calculs_de(indicateur: "Indicateur") -> list[Calcul]:
    """Les calculs qu'il nomme et que le catalogue connaît, dans l'ordre de la page : ce que la collectivité tient
    elle-même, puis ce qu'elle publie."""
    nommes = indicateur.calculs if isinstance(indicateur.calculs, list) else []
    connus = [CALCULS[code] for code in nommes if code in CALCULS]
    return sorted(connus, key=lambda calcul: ORDRE.index(calcul.source))


def derniers_resultats(codes: Collection[str], annees: Collection[int] | None = None) -> list[ResultatDeCalcul]:
    """Le dernier résultat de chaque calcul pour une année entière, sur le périmètre de la collectivité, sans ses
    listes."""
    rang = Window(
        RowNumber(),
        partition_by=[F("code"), F("territoire"), F("fin")],
        order_by=[F("calcule_le").desc(), F("pk").desc()],
    )
    resultats = ResultatDeCalcul.objects.defer("listes").filter(
        code__in=codes,
        perimetre=acheteurs_de_la_collectivite(),
        debut__month=1,
        debut__day=1,
        fin__month=12,
        fin__day=31,
        fin__year=F("debut__year"),
    )
    if annees is not None:
        resultats = resultats.filter(fin__in=[datetime.date(annee, 12, 31) for annee in annees])
    return list(resultats.annotate(rang=rang).filter(rang=1))


# --- Quels calculs pour quel indicateur ---------------------------------------------------------


def calculs_par_source() -> list[tuple[str, list[tuple[str, str]]]]:
    """De quoi choisir : par source, le code et le libellé de chaque calcul."""
    return [
        (source.nom, [(c.code, f"{c.libelle} ({c.unite})") for c in CALCULS.values() if c.source is source])
        for source in ORDRE
    ]


def verifier_les_calculs(indicateur: "Indicateur") -> None:
    """Lève ValidationError si l'indicateur nomme un calcul inconnu, ou qui ne peut pas être le sien."""
    codes = indicateur.calculs
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise ValidationError({"calculs": "Les calculs sont une liste de codes."})
    if inconnus := [code for code in codes if code not in CALCULS]:
        raise ValidationError({"calculs": f"Aucun calcul n'a ce code : {', '.join(inconnus)}."})
    for calcul in calculs_de(indicateur):
        _verifier(indicateur, calcul)


def est_locale(calcul: Calcul) -> bool:
    return calcul.code.startswith(PART_LOCALE)


def _verifier(indicateur: "Indicateur", calcul: Calcul) -> None:
    voulue = Nature.PART if calcul.unite == PART else Nature.COMPTE
    if indicateur.nature != voulue:
        dite = "une part" if voulue is Nature.PART else "un compte"
        raise ValidationError({"calculs": f"« {calcul.libelle} » donne {dite} : ce n'est pas sa nature."})
    if calcul.territorial and indicateur.territoire_id is None:
        raise ValidationError({"territoire": f"« {calcul.libelle} » se calcule sur un territoire : choisissez-le."})
    if est_locale(calcul) and indicateur.sens != Sens.NEUTRE:
        raise ValidationError({"sens": f"« {calcul.libelle} » s'observe et ne se vise pas : son sens est neutre."})
