"""Ce que montrent les pages des mandats : par budget et par année, par tiers, par commune. Montants en euros."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet

from marches.communes import departement_de, nom_de
from marches.mandats_importes import ImportDeMandats, TotalDeMandats


@dataclass(frozen=True)
class LigneDeCommune:
    """Ce qui a été mandaté à des tiers d'un même lieu. `commune` vide : l'adresse ne la dit pas à coup sûr."""

    commune: str
    code_postal: str
    tiers: int
    nombre: int
    montant: Decimal

    @property
    def nom(self) -> str:
        if self.commune:
            return f"{nom_de(self.commune)} ({departement_de(self.commune)})"
        return f"Code postal {self.code_postal}" if self.code_postal else "Sans adresse lisible"


def imports_en_vigueur() -> QuerySet[ImportDeMandats]:
    """Un par budget et par année, du plus récent au plus ancien, avec son montant, ses mandats et ses tiers."""
    lies = ImportDeMandats.objects.en_vigueur().avec_totaux().select_related("budget", "auteur")
    return lies.order_by("-annee", "budget__nom")


def par_commune(fait: ImportDeMandats) -> list[LigneDeCommune]:
    """Les lieux, du plus gros au plus petit ; un code postal n'y est que si la commune ne se sait pas."""
    sommes: dict[tuple[str, str], list] = {}
    lus = fait.totaux.values_list("commune", "code_postal", "siret", "nombre", "montant")
    for commune, code_postal, siret, nombre, montant in lus:
        somme = sommes.setdefault((commune, "" if commune else code_postal), [0, 0, Decimal(0)])
        somme[0] += bool(siret)
        somme[1] += nombre
        somme[2] += montant
    lignes = [LigneDeCommune(*lieu, *somme) for lieu, somme in sommes.items()]
    return sorted(lignes, key=lambda ligne: (-ligne.montant, ligne.commune, ligne.code_postal))


def par_tiers(fait: ImportDeMandats) -> QuerySet[TotalDeMandats]:
    """Les tiers qui ont un SIRET, du plus gros au plus petit."""
    return fait.totaux.exclude(siret="").order_by("-montant", "siret")
