"""Les mandats réduits à ce qu'on garde : un total par tiers qui a un SIRET, et par lieu pour les autres."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from marches.communes import commune_de
from marches.mandats.lecture import Mandat


@dataclass(frozen=True)
class Total:
    """Ce qui a été mandaté à un tiers, net des annulations, en euros ; sans SIRET, à tous ceux du même lieu.

    `commune` : son code INSEE, vide si l'adresse ne la dit pas à coup sûr.
    """

    siret: str
    nom: str
    code_postal: str
    ville: str
    commune: str
    nombre: int
    montant: Decimal


@dataclass(frozen=True)
class TotauxDeMandats:
    """Les tiers d'abord, du plus gros au plus petit, puis les lieux ; leur somme est celle des lignes gardées."""

    totaux: tuple[Total, ...]
    par_chapitre: dict[str, tuple[int, Decimal]]

    @property
    def montant(self) -> Decimal:
        return sum((total.montant for total in self.totaux), Decimal(0))

    @property
    def nombre(self) -> int:
        return sum(total.nombre for total in self.totaux)

    @property
    def montant_sans_siret(self) -> Decimal:
        return sum((total.montant for total in self.totaux if not total.siret), Decimal(0))


def totaliser(mandats: Iterable[Mandat]) -> TotauxDeMandats:
    """Un SIRET est un tiers, quels que soient ses codes ; son nom et son adresse sont les plus souvent dits."""
    par_siret: dict[str, list[Mandat]] = defaultdict(list)
    par_lieu: dict[tuple[str, str], list[Mandat]] = defaultdict(list)
    chapitres: dict[str, tuple[int, Decimal]] = {}
    for mandat in mandats:
        nombre, montant = chapitres.get(mandat.chapitre, (0, Decimal(0)))
        chapitres[mandat.chapitre] = nombre + 1, montant + mandat.montant
        if mandat.siret:
            par_siret[mandat.siret].append(mandat)
        else:
            commune = commune_de(mandat.code_postal, mandat.ville)
            par_lieu[mandat.code_postal, commune].append(mandat)
    tiers = [_du_tiers(siret, les_siens) for siret, les_siens in par_siret.items()]
    lieux = [
        Total("", "", code_postal, "", commune, len(les_siens), _somme(les_siens))
        for (code_postal, commune), les_siens in par_lieu.items()
    ]
    return TotauxDeMandats(
        (
            *sorted(tiers, key=lambda t: (-t.montant, t.siret)),
            *sorted(lieux, key=lambda t: (t.code_postal, t.commune)),
        ),
        dict(sorted(chapitres.items())),
    )


def _somme(mandats: list[Mandat]) -> Decimal:
    return sum((mandat.montant for mandat in mandats), Decimal(0))


def _du_tiers(siret: str, mandats: list[Mandat]) -> Total:
    nom = _le_plus_dit(mandat.nom for mandat in mandats)
    adresses = Counter((m.code_postal, m.ville) for m in mandats if m.code_postal or m.ville)
    code_postal, ville = min(adresses, key=lambda a: (-adresses[a], a)) if adresses else ("", "")
    return Total(siret, nom, code_postal, ville, commune_de(code_postal, ville), len(mandats), _somme(mandats))


def _le_plus_dit(textes: Iterable[str]) -> str:
    """Le plus fréquent, le premier de l'alphabet à égalité : l'ordre des lignes n'y change rien."""
    comptes = Counter(texte for texte in textes if texte)
    return min(comptes, key=lambda texte: (-comptes[texte], texte), default="")
