"""Contrats, consultations, mandats et résultats d'essai."""

import datetime
import itertools
from collections.abc import Mapping, Sequence
from decimal import Decimal

from comptes.models import Collectivite, Siren
from marches.calculs.catalogue import CALCULS
from marches.models import (
    BudgetDeMandats,
    Consultation,
    Contrat,
    ImportDeMandats,
    LotDeConsultation,
    ResultatDeCalcul,
    Territoire,
    TitulaireDeContrat,
    TotalDeMandats,
)

SIREN = "243400470"
_rang = itertools.count(1)


def collectivite(*sirens: str) -> Collectivite:
    """La collectivité et ses SIREN."""
    nouvelle = Collectivite.objects.first() or Collectivite.objects.create(nom="Collectivité d'essai")
    for numero in sirens or (SIREN,):
        Siren.objects.get_or_create(collectivite=nouvelle, numero=numero)
    return nouvelle


def territoire(code: str = "agglo", *communes: str, departements: Sequence[str] = ()) -> Territoire:
    nouveau = Territoire(
        code=code, nom=f"Territoire {code}", communes=list(communes or ("34154",)), departements=list(departements)
    )
    nouveau.full_clean()
    nouveau.save()
    return nouveau


def contrat(*titulaires: Mapping[str, str], **champs) -> Contrat:
    """Un contrat en vigueur, et ses titulaires."""
    rang = next(_rang)
    champs = {"siren": SIREN, "siret": f"{SIREN}00017", "objet": f"Objet {rang}", "identifiant": f"M{rang}"} | champs
    champs = {"date": datetime.date(2024, 3, 1), "montant": Decimal(50000), "groupe": f"{SIREN}:{rang}"} | champs
    champs = {"environnement": "INCONNU", "social": "INCONNU", "de": 0, "empreinte": str(rang)} | champs
    nouveau = Contrat.objects.create(**champs)
    for titulaire in titulaires:
        TitulaireDeContrat.objects.create(contrat=nouveau, type_identifiant="SIRET", **titulaire)
    return nouveau


def consultation(*lots: Mapping, **champs) -> Consultation:
    """Une consultation et ses lots."""
    rang = next(_rang)
    nouvelle = Consultation(**{"numero": f"2024-{rang:03}", "siren": SIREN, "objet": f"Consultation {rang}"} | champs)
    nouvelle.full_clean()
    nouvelle.save()
    for numero, lot in enumerate(lots, start=1):
        LotDeConsultation.objects.create(consultation=nouvelle, numero=str(numero), **lot)
    return nouvelle


def mandats(montant, *, annee: int = 2024, **champs) -> TotalDeMandats:
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
