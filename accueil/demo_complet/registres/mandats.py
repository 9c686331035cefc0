"""Les mandats inventés : un budget principal et deux annexes, tous hors taxes, totalisés par tiers et par commune.

Chaque année, quatre sommes sont fixées ici ; le tirage les répartit entre les tiers, au centime près.
"""

import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from django.utils import timezone

from accueil.demo_complet.personnes import Equipe
from accueil.demo_complet.registres.fournisseurs import LIEUX, SIREN, Fournisseur
from marches.listes import Base
from marches.models import BudgetDeMandats, ImportDeMandats, TotalDeMandats


@dataclass(frozen=True)
class Exercice:
    """En euros hors taxes : ce qui est allé ici, ailleurs, et chez des tiers dont rien ne dit où ils sont.

    `tiers` : combien de fournisseurs connus, de lignes sans lieu, et de tiers sans SIRET.
    """

    annee: int
    importe_le: datetime.date
    ici: int
    ailleurs: int
    sans_lieu: int
    tiers: tuple[int, int, int]


# 2022 : une ligne sur quatre n'a pas de code postal. 2023 : 53 % à l'affichage. 2025 : le budget annexe des ports est
# arrivé après la valeur retenue. 2026 : au 30 septembre.
EXERCICES = (
    Exercice(2022, datetime.date(2023, 2, 14), 16_120_000, 15_342_650, 6_950_000, (150, 74, 16)),
    Exercice(2023, datetime.date(2024, 2, 8), 21_776_300, 19_161_000, 150_000, (170, 7, 18)),
    Exercice(2024, datetime.date(2025, 2, 11), 25_160_900, 19_459_220, 310_000, (176, 8, 20)),
    Exercice(2025, datetime.date(2026, 3, 17), 26_180_400, 18_657_060, 265_000, (182, 6, 19)),
    Exercice(2026, datetime.date(2026, 10, 6), 15_602_800, 14_780_150, 190_000, (140, 6, 12)),
)
# Code, nom, poids dans les achats. Un seul compte hors taxes et l'autre TTC : rien ne s'additionnerait.
BUDGETS = (
    ("principal", "Budget principal (fictif)", 78),
    ("assainissement", "Budget annexe fictif de l'assainissement", 14),
    ("ports", "Budget annexe fictif des ports", 8),
)
# Un Cedex ne dessert aucune commune, et 34160 en dessert de deux côtés d'une limite : rien n'y dit où l'on est.
POSTAUX_SANS_COMMUNE = ("", "", "34961", "34160")


def enregistrer(
    fournisseurs: Sequence[Fournisseur], equipe: Equipe, hasard: Random, maintenant: datetime.datetime
) -> None:
    """Écrit les exercices importés avant `maintenant`. Les trois budgets existent dès l'ouverture du plan."""
    budgets = []
    for code, nom, poids in BUDGETS:
        budget = BudgetDeMandats(code=code, nom=nom, siren=SIREN, base=Base.HT)
        budget.full_clean()
        budget.save()
        budgets.append((budget, poids))
    for exercice in EXERCICES:
        totaux = _totaux(exercice, fournisseurs, hasard)
        moment = datetime.datetime.combine(
            exercice.importe_le, datetime.time(10, 15), tzinfo=timezone.get_default_timezone()
        )
        parts = _par_budget(totaux, [poids for _, poids in budgets], hasard)
        if moment <= maintenant:
            for (budget, _), lignes in zip(budgets, parts, strict=True):
                _importer(budget, exercice.annee, moment, lignes, equipe)


def _totaux(exercice: Exercice, fournisseurs: Sequence[Fournisseur], hasard: Random) -> list[TotalDeMandats]:
    connus, sans_lieu, sans_siret = exercice.tiers
    choisis = hasard.sample(fournisseurs, connus)
    ici = [_du_fournisseur(f) for f in choisis if f.provenance == "ici"]
    ailleurs = [_du_fournisseur(f) for f in choisis if f.provenance != "ici"]
    # Sans SIRET, un tiers peut être une personne : il n'a pas de nom ici.
    for rang in range(sans_siret):
        commune, code_postal, _ = hasard.choice(LIEUX["ici" if rang % 2 else "département"])
        (ici if rang % 2 else ailleurs).append(TotalDeMandats(commune=commune, code_postal=code_postal))
    inconnus = [_sans_commune(rang, fournisseurs, hasard) for rang in range(sans_lieu)]
    for lignes, somme in ((ici, exercice.ici), (ailleurs, exercice.ailleurs), (inconnus, exercice.sans_lieu)):
        for ligne, montant in zip(lignes, repartir(somme, len(lignes), hasard), strict=True):
            ligne.montant = montant
            ligne.nombre = hasard.randint(1, 60)
    return [*ici, *ailleurs, *inconnus]


def _du_fournisseur(fournisseur: Fournisseur) -> TotalDeMandats:
    return TotalDeMandats(
        siret=fournisseur.siret,
        nom=fournisseur.nom,
        code_postal=fournisseur.code_postal,
        commune=fournisseur.commune,
    )


def _sans_commune(rang: int, fournisseurs: Sequence[Fournisseur], hasard: Random) -> TotalDeMandats:
    code_postal = POSTAUX_SANS_COMMUNE[rang % len(POSTAUX_SANS_COMMUNE)]
    if rang % 3 == 0:
        return TotalDeMandats(code_postal=code_postal)
    fournisseur = hasard.choice(fournisseurs)
    return TotalDeMandats(siret=fournisseur.siret, nom=fournisseur.nom, code_postal=code_postal)


def repartir(somme: int, combien: int, hasard: Random) -> list[Decimal]:
    """La somme, en euros, coupée en montants inégaux de cent euros au moins ; leur total est exact."""
    poids = [hasard.paretovariate(1.1) for _ in range(combien)]
    # Le premier tiers pèserait à lui seul la moitié de l'année : on borne.
    poids = [min(p, 25.0) for p in poids]
    total, centimes = sum(poids), somme * 100
    parts = [max(int(centimes * p / total), 10_000) for p in poids]
    plus_gros = parts.index(max(parts))
    parts[plus_gros] += centimes - sum(parts)
    return [Decimal(part) / 100 for part in parts]


def _par_budget(totaux: list[TotalDeMandats], poids: list[int], hasard: Random) -> list[list[TotalDeMandats]]:
    """Chaque tiers est payé par un budget ; aucun budget n'est sans tiers."""
    parts: list[list[TotalDeMandats]] = [[] for _ in poids]
    for rang, total in enumerate(totaux):
        ou = rang if rang < len(parts) else hasard.choices(range(len(poids)), poids)[0]
        parts[ou].append(total)
    return parts


def _importer(
    budget: BudgetDeMandats, annee: int, moment: datetime.datetime, lignes: list[TotalDeMandats], equipe: Equipe
) -> None:
    nom = f"mandats-synthetiques-{budget.code}-{annee}.xlsx"
    gardees = sum(ligne.nombre for ligne in lignes)
    hors_achats = gardees // 4
    un_import = ImportDeMandats.objects.create(
        budget=budget,
        annee=annee,
        fichiers=[{"nom": nom, "sha256": hashlib.sha256(nom.encode()).hexdigest(), "taille": 90 * gardees}],
        comptes={
            "lues": gardees + hors_achats,
            "gardees": gardees,
            "exclues": {"Chapitre 65": [hors_achats, f"{hors_achats * 1250}.00"]},
        },
        auteur=equipe.responsable,
        importe_le=moment,
    )
    for ligne in lignes:
        ligne.import_de_mandats = un_import
    TotalDeMandats.objects.bulk_create(sorted(lignes, key=lambda ligne: -ligne.montant), batch_size=200)
