"""Les enregistrements derrière un nombre : la liste dont le compte, ou la somme, est le nombre montré.

Un résultat gardé ne change pas, et les contrats qu'il cite non plus : la liste est celle que le calcul a lue.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils.functional import cached_property

from marches.calculs.catalogue import CALCULS, Calcul, Source
from marches.calculs.resultats import centimes
from marches.colonnes_d_ouverture import (
    COLONNES,
    COMPTE,
    Colonne,
    Enregistrement,
    ecrire_des_euros,
    en_ordre,
    montants_partages,
)
from marches.decp.montants import DrapeauDeMontant
from marches.resultats import ResultatDeCalcul
from socle.formats import accorder, formater_date, formater_nombre

# Une requête par paquet : SQLite borne le nombre de valeurs d'une condition.
PAQUET = 10_000


class Liste(models.TextChoices):
    """Les quatre listes d'un résultat ; la valeur est celle de l'adresse et de `ResultatDeCalcul.listes`."""

    NUMERATEUR = "numerateur", "Numérateur"
    DENOMINATEUR = "denominateur", "Dénominateur"
    INCONNUS = "inconnus", "Non renseignés"
    EXCLUS = "exclus", "Écartés du calcul"


# Pourquoi un enregistrement est écarté, au singulier et au pluriel ; un motif inconnu se lit tel quel.
MOTIFS = {
    "sans_date": ("sans date", "sans date"),
    "doublon": ("doublon", "doublons"),
    "concession": ("concession", "concessions"),
    "subsequent": ("marché subséquent", "marchés subséquents"),
    "abandonnee": ("abandonnée avant publication", "abandonnées avant publication"),
    "bases_mixtes": ("en hors taxes et toutes taxes comprises mêlés",) * 2,
    "exercice_partiel": ("d'un exercice que la période ne couvre pas en entier",) * 2,
    **{f"montant_{drapeau.value}": (str(drapeau.label).lower(),) * 2 for drapeau in DrapeauDeMontant},
}


def motif_en_clair(motif: str, nombre: int = 2) -> str:
    singulier, pluriel = MOTIFS.get(motif, (motif.replace("_", " "),) * 2)
    return singulier if nombre < 2 else pluriel


def nombre_de(resultat: ResultatDeCalcul, liste: Liste, motif: str = "") -> int | Decimal | None:
    """Le nombre que le résultat donne pour cette liste ; None s'il n'en donne pas. Ne lit pas `listes`."""
    match liste:
        case Liste.NUMERATEUR:
            return resultat.numerateur
        case Liste.DENOMINATEUR:
            return resultat.denominateur
        case Liste.INCONNUS:
            return resultat.inconnus
        case Liste.EXCLUS:
            return resultat.exclus.get(motif, 0) if motif else sum(resultat.exclus.values())
    raise ValueError(liste)


def en_euros(calcul: Calcul, liste: Liste) -> bool:
    """Une part en montant a des euros au numérateur et au dénominateur ; les inconnus et les écartés se comptent."""
    return calcul.en_montant and liste in {Liste.NUMERATEUR, Liste.DENOMINATEUR}


def ecrire_le_nombre(calcul: Calcul, liste: Liste, nombre: int | Decimal | None) -> str:
    """« 1 234,50 € » ou « 42 » ; « — » s'il manque."""
    return ecrire_des_euros(nombre) if en_euros(calcul, liste) else formater_nombre(nombre)


@dataclass(frozen=True)
class Ouverture:
    """Une liste d'un résultat, avec ou sans motif d'exclusion."""

    resultat: ResultatDeCalcul
    calcul: Calcul
    liste: Liste
    motif: str = ""

    # --- Ce que dit le titre -------------------------------------------------------------------

    @property
    def intitule(self) -> str:
        """« Écartés du calcul, sans date » ; ce que compte un nombre qui n'est pas une part : « Comptés »."""
        if self.calcul.unite != "%" and self.liste is Liste.NUMERATEUR:
            return "Comptés"
        if self.calcul.unite != "%" and self.liste is Liste.DENOMINATEUR:
            return "Marchés regroupés" if self.calcul.estimation else "Comptés"
        return f"{self.liste.label}, {motif_en_clair(self.motif)}" if self.motif else str(self.liste.label)

    @property
    def explication(self) -> str:
        if self.calcul.unite != "%":
            return ""
        return {
            Liste.NUMERATEUR: "Ceux qui répondent oui.",
            Liste.DENOMINATEUR: "Ceux qui répondent oui ou non.",
            Liste.INCONNUS: "Ceux qui ne disent ni oui ni non : ils ne comptent ni d'un côté ni de l'autre.",
            Liste.EXCLUS: "",
        }[self.liste]

    @property
    def periode(self) -> str:
        """« Année 2024 », ou « Du 01/01/2026 au 30/06/2026 »."""
        debut, fin = self.resultat.debut, self.resultat.fin
        if (debut.day, debut.month, fin.day, fin.month, fin.year) == (1, 1, 31, 12, debut.year):
            return f"Année {debut.year}"
        return f"Du {formater_date(debut)} au {formater_date(fin)}"

    @property
    def acheteurs(self) -> str:
        return self.resultat.perimetre.replace("+", ", ")

    # --- Les enregistrements -------------------------------------------------------------------

    @cached_property
    def gardees(self) -> list[int]:
        """Les clés que le calcul a laissées."""
        gardees: Any = self.resultat.listes.get(self.liste.value)
        if self.liste is not Liste.EXCLUS:
            return gardees or []
        par_motif = gardees or {}
        motifs = [self.motif] if self.motif else list(par_motif)
        return [cle for motif in motifs for cle in par_motif.get(motif, [])]

    @cached_property
    def cles(self) -> list[int]:
        """Celles qu'on retrouve, dans l'ordre de la page : le plus récent, ou le plus gros mandat, d'abord."""
        rangs: list[tuple[Any, int]] = []
        for paquet in _paquets(self.gardees):
            rangs += en_ordre(self.calcul.source, paquet)
        return [cle for _, cle in sorted(rangs, reverse=True)]

    @property
    def disparus(self) -> str:
        """« 2 consultations n'existent plus » ; vide si tout se retrouve."""
        perdus = len(self.gardees) - len(self.cles)
        verbe = "n'existe plus" if perdus < 2 else "n'existent plus"
        return f"{accorder(perdus, *self.nom)} {verbe}" if perdus else ""

    @property
    def nombre(self) -> int | Decimal | None:
        """Celui que montre la page d'où l'on vient."""
        connu = nombre_de(self.resultat, self.liste, self.motif)
        return len(self.gardees) if connu is None else connu

    @property
    def en_euros(self) -> bool:
        return en_euros(self.calcul, self.liste)

    @property
    def nombre_ecrit(self) -> str:
        """« 42 marchés », « 1 234,50 € pour 42 marchés »."""
        combien = accorder(len(self.gardees), *self.nom)
        return f"{ecrire_des_euros(self.nombre)} pour {combien}" if self.en_euros else combien

    @property
    def nom(self) -> tuple[str, str]:
        """Ce qu'est une ligne, au singulier et au pluriel."""
        return {
            Source.DECP: ("marché", "marchés"),
            Source.REGISTRE: ("consultation", "consultations"),
            Source.MANDATS: ("total par tiers", "totaux par tiers"),
        }[self.calcul.source]

    @property
    def partage(self) -> bool:
        """Le montant d'un marché se partage entre ses cotitulaires : sa ligne dit ce qui en est compté."""
        return self.en_euros and self.liste is Liste.NUMERATEUR and self.calcul.code == "part_locale_montant"

    @property
    def colonnes(self) -> Sequence[Colonne]:
        colonnes = COLONNES[self.calcul.source]
        return [*colonnes, COMPTE] if self.partage else colonnes

    def lignes(self, cles: Sequence[int]) -> list[Enregistrement]:
        """Ces enregistrements, dans cet ordre ; deux requêtes, trois pour un montant partagé."""
        lus: dict[int, Enregistrement] = {}
        for paquet in _paquets(cles):
            lus |= {lu.pk: lu for lu in Enregistrement.lire(self.calcul.source, paquet)}
        if self.partage:
            lus = montants_partages(lus, self.resultat.territoire)
        return [lus[cle] for cle in cles if cle in lus]

    def somme(self) -> Decimal:
        """Ce que font les montants de toute la liste, en euros, au centime."""
        return centimes(sum((ligne.compte for ligne in self.lignes(self.cles)), start=0))


def ouvrir(resultat: ResultatDeCalcul, liste: str, motif: str = "") -> Ouverture | None:
    """None si le résultat n'a pas cette liste, ou pas ce motif, ou si ce calcul n'existe plus."""
    calcul = CALCULS.get(resultat.code)
    if calcul is None or liste not in Liste.values:
        return None
    if motif and (liste != Liste.EXCLUS or motif not in resultat.exclus):
        return None
    return Ouverture(resultat, calcul, Liste(liste), motif)


def _paquets(cles: Sequence[int]) -> Iterator[Sequence[int]]:
    for debut in range(0, len(cles), PAQUET):
        yield cles[debut : debut + PAQUET]
