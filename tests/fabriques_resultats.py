"""La collectivité, ses mandats et des résultats de calcul d'essai ; contrats et consultations ont leurs fabriques."""

import datetime
import itertools
from collections.abc import Sequence
from decimal import Decimal

from comptes.models import Collectivite, Siren
from marches.calculs.catalogue import CALCULS
from marches.models import BudgetDeMandats, ImportDeMandats, ResultatDeCalcul, TotalDeMandats
from tests.fabriques_decp import SIREN

_rang = itertools.count(1)


def collectivite(*sirens: str) -> Collectivite:
    """La collectivité et ses SIREN."""
    nouvelle = Collectivite.objects.get_or_create(id=1, defaults={"nom": "Collectivité d'essai"})[0]
    for numero in sirens or (SIREN,):
        Siren.objects.get_or_create(collectivite=nouvelle, numero=numero)
    return nouvelle


def mandats(montant, *, annee: int = 2024, **champs) -> TotalDeMandats:
    """Ce qui a été mandaté à un tiers."""
    budget, _ = BudgetDeMandats.objects.get_or_create(
        code="principal", defaults={"nom": "Budget principal", "siren": SIREN, "base": "TTC"}
    )
    lu, _ = ImportDeMandats.objects.get_or_create(budget=budget, annee=annee)
    total = TotalDeMandats(import_de_mandats=lu, nombre=1, montant=Decimal(montant), **champs)
    total.full_clean()
    total.save()
    return total


def resultat(code: str, annee: int = 2024, **champs) -> ResultatDeCalcul:
    """Un résultat tel qu'on le garde. `oui`, `non`, `sans`, `exclus` : des clés, ou combien (des clés qui n'existent
    pas). Une part en montant donne `numerateur` et `denominateur` en euros."""
    oui, non, sans = (_cles(champs.pop(nom, ())) for nom in ("oui", "non", "sans"))
    exclus = {motif: _cles(cles) for motif, cles in champs.pop("exclus", {}).items()}
    part = CALCULS[code].unite == "%"
    numerateur = champs.pop("numerateur", len(oui))
    denominateur = champs.pop("denominateur", len(oui) + len(non) if part else None)
    valeur = numerateur if not part else (round(Decimal(numerateur) * 100 / denominateur, 4) if denominateur else None)
    connus = len(oui) + len(non)
    couverture = round(Decimal(connus) * 100 / (connus + len(sans)), 4) if connus + len(sans) else None
    return ResultatDeCalcul.objects.create(
        **{
            "code": code,
            "debut": datetime.date(annee, 1, 1),
            "fin": datetime.date(annee, 12, 31),
            "perimetre": SIREN,
            "empreinte": str(next(_rang)),
            "valeur": valeur,
            "numerateur": numerateur,
            "denominateur": denominateur,
            "inconnus": len(sans),
            "exclus": {motif: len(cles) for motif, cles in exclus.items()},
            "couverture": couverture if part else 100,
            "listes": {"numerateur": oui, "denominateur": oui + non, "inconnus": sans, "exclus": exclus},
            **champs,
        }
    )


def _cles(dites: int | Sequence[int]) -> list[int]:
    return [-cle for cle in range(1, dites + 1)] if isinstance(dites, int) else list(dites)
